"""Do findings, signals and outcomes say what they were declared with?"""

from dataclasses import FrozenInstanceError

import pytest

from agent.domain.finding import (
    MAX_ALIKE,
    MAX_EVIDENCE,
    Distribution,
    Finding,
    Measurement,
    Outcome,
    Rule,
    Severity,
    Signal,
    bounded,
    by_rule,
)


def rule(severity: Severity) -> Rule:
    return Rule(f"x-{severity.word}", severity, "It is broken", "Mend it.", "RFC 1")


def test_not_knowing_ranks_between_warning_and_critical() -> None:
    order = [Severity.OK, Severity.WARNING, Severity.UNKNOWN, Severity.CRITICAL]
    assert sorted(Severity) == order
    assert [int(severity) for severity in order] == [0, 1, 2, 3]
    assert [severity.word for severity in order] == ["ok", "warning", "unknown", "critical"]


def test_a_finding_keeps_its_rule_and_evidence() -> None:
    broken = rule(Severity.WARNING)
    finding = broken.found("Seen so.", "first", "second")
    assert finding == Finding(broken, "Seen so.", ("first", "second"))
    assert finding.severity is Severity.WARNING


def test_evidence_without_end_is_cut_and_counted() -> None:
    lines = [str(number) for number in range(MAX_EVIDENCE + 3)]
    finding = rule(Severity.WARNING).found("Many.", *lines)
    assert finding.evidence == (*lines[:MAX_EVIDENCE], "and 3 more")
    assert len(rule(Severity.WARNING).found("Few.", *lines[:MAX_EVIDENCE]).evidence) == MAX_EVIDENCE


def test_of_many_findings_alike_a_few_are_kept_and_the_rest_counted() -> None:
    often, once = rule(Severity.WARNING), rule(Severity.CRITICAL)
    many = [often.found(f"term {number}", "shown") for number in range(MAX_ALIKE + 2)]
    kept = bounded([*many, once.found("it")])
    assert kept[: MAX_ALIKE - 1] == tuple(many[: MAX_ALIKE - 1])
    assert kept[MAX_ALIKE - 1 :] == (
        often.found(f"term {MAX_ALIKE - 1}", "shown", "and 2 more like this"),
        once.found("it"),
    )
    assert bounded(many[:MAX_ALIKE]) == tuple(many[:MAX_ALIKE])


@pytest.mark.parametrize(
    ("found", "worst"),
    [
        pytest.param([], Severity.OK, id="nothing found"),
        pytest.param([Severity.WARNING], Severity.WARNING, id="one"),
        pytest.param([Severity.UNKNOWN, Severity.WARNING], Severity.UNKNOWN, id="unknown wins"),
        pytest.param(
            [Severity.CRITICAL, Severity.UNKNOWN], Severity.CRITICAL, id="a proven failure shows"
        ),
    ],
)
def test_an_outcome_is_as_bad_as_its_worst_finding(found: list[Severity], worst: Severity) -> None:
    assert Outcome(tuple(rule(one).found("So.") for one in found)).severity is worst


def test_a_measurement_keeps_its_signal_and_labels() -> None:
    signal = Signal("mailflow_x_seconds", "Length of x.", ("phase",))
    assert signal.at(1.5, "greeting") == Measurement(signal, 1.5, ("greeting",))
    counted = Measurement(signal, Distribution((1, 2), 0.5))
    assert counted.value == Distribution((1, 2), 0.5)


def test_values_cannot_be_changed() -> None:
    outcome = Outcome()
    with pytest.raises(FrozenInstanceError):
        outcome.failure = "timeout"  # type: ignore[misc]


def test_outcomes_do_not_share_their_facts() -> None:
    assert Outcome().facts is not Outcome().facts


def test_findings_of_one_rule_are_put_together_in_their_order() -> None:
    one = Rule("spf-one", Severity.CRITICAL, "One", "mend it", "RFC 7208")
    other = Rule("spf-other", Severity.WARNING, "Other", "mend it", "RFC 7208")
    first, second, third = one.found("a"), other.found("b"), one.found("c")
    assert by_rule((second, first, third)) == [(one, (first, third)), (other, (second,))]


def test_a_page_of_ours_is_no_source_to_look_up() -> None:
    ours = Rule("spf-ours", Severity.WARNING, "Ours", "mend it", "docs/checks/spf.md")
    assert (ours.source, rule(Severity.WARNING).source) == ("", "RFC 1")
