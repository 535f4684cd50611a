"""One list: what loses mail, what lets others in, hygiene; consequences below their causes."""

from collections.abc import Mapping

import pytest

from agent.domain.finding import Finding, Rule, Severity
from agent.domain.priority import EXPLAINS, EXPLAINS_ALL, FORGED, WARNINGS, prioritise
from agent.probes.base import discover

RULES = {rule.code: rule for probe in discover() for rule in probe.all_rules}
NAMED = {
    *WARNINGS,
    *FORGED,
    *EXPLAINS_ALL,
    *EXPLAINS,
    *(code for codes in EXPLAINS.values() for code in codes),
}


def found(*codes: str) -> Mapping[str, tuple[Finding, ...]]:
    kinds: dict[str, tuple[Finding, ...]] = {}
    for code in codes:
        kind = next(p.kind for p in discover() if RULES[code] in p.all_rules)
        kinds[kind] = (*kinds.get(kind, ()), RULES[code].found(code))
    return kinds


def order(*codes: str) -> list[str]:
    return [item.rule.code for item in prioritise(found(*codes))]


def test_every_rule_that_is_named_is_declared_by_a_probe() -> None:
    assert NAMED - RULES.keys() == set()


def test_what_is_forged_is_critical_and_what_is_ranked_is_a_warning() -> None:
    assert {RULES[code].severity for code in FORGED} == {Severity.CRITICAL}
    assert {RULES[code].severity for code in WARNINGS} == {Severity.WARNING}
    assert len(set(WARNINGS)) == len(WARNINGS)


def test_no_rule_explains_itself_be_it_by_way_of_others() -> None:
    def below(code: str) -> set[str]:
        known: set[str] = set()
        wanted = [*EXPLAINS.get(code, ())]
        while wanted:
            one = wanted.pop()
            if one not in known:
                known.add(one)
                wanted += EXPLAINS.get(one, ())
        return known

    assert [code for code in EXPLAINS if code in below(code)] == []


@pytest.mark.parametrize(
    "codes",
    [
        pytest.param(("spf-missing", "dmarc-missing"), id="critical before warning"),
        pytest.param(("mx-dangling", "spf-several-records", "dmarc-not-applied"), id="by kind"),
        pytest.param(("dmarc-sender-fails", "mx-filter-bypass"), id="lost before let in"),
        pytest.param(("mta-sts-exchange-uncovered", "dkim-key-weak"), id="TLS before forgery"),
        pytest.param(("dns-unanswered", "mx-alias"), id="unknown before warning"),
        pytest.param(("dmarc-sender-would-fail", "dmarc-none"), id="senders before the policy"),
        pytest.param(("dmarc-none", "mx-ttl-low", "spf-long"), id="hygiene last, by kind"),
        pytest.param(("spf-near-lookup-limit", "dmarc-missing"), id="soon lost before forged"),
    ],
)
def test_the_order(codes: tuple[str, ...]) -> None:
    assert order(*codes) == list(codes)
    assert order(*reversed(codes)) == list(codes)


def test_a_kind_that_nobody_has_ranked_comes_last() -> None:
    rule = Rule("new-broken", Severity.CRITICAL, "Something new", "Mend it.", "here")
    items = prioritise({"new": (rule.found("new"),), **found("dkim-key-weak", "dmarc-not-applied")})
    assert [item.rule.code for item in items] == [
        "dmarc-not-applied",
        "new-broken",
        "dkim-key-weak",
    ]


def test_a_consequence_stands_below_its_cause() -> None:
    (item,) = prioritise(found("spf-sender-refused", "spf-too-many-lookups"))
    assert item.rule.code == "spf-too-many-lookups"
    assert [below.rule.code for below in item.explains] == ["spf-sender-refused"]


def test_one_dead_exchange_is_one_thing_to_mend() -> None:
    codes = ("mx-expected-missing", "mx-unexpected", "mx-dangling", "mta-sts-exchange-uncovered")
    (item,) = prioritise(found("mx-none-reachable", *codes))
    assert item.rule.code == "mx-none-reachable"
    assert {below.rule.code for below in item.explains} == set(codes)


def test_a_domain_that_does_not_exist_explains_all_by_whatever_way() -> None:
    (item,) = prioritise(found("spf-missing", "spf-parked", "dmarc-missing", "mx-domain-missing"))
    assert item.rule.code == "mx-domain-missing"
    codes = {below.rule.code for below in item.explains}
    assert codes == {"spf-missing", "spf-parked", "dmarc-missing"}


def test_a_domain_that_is_on_hold_explains_why_it_is_missing() -> None:
    (item,) = prioritise(found("spf-missing", "mx-domain-missing", "registration-on-hold"))
    assert item.rule.code == "registration-on-hold"
    assert {below.rule.code for below in item.explains} == {"spf-missing", "mx-domain-missing"}


def test_a_consequence_of_a_consequence_stands_below_the_first_cause() -> None:
    (item,) = prioritise(found("mx-dangling", "mx-none-reachable", "mx-literal"))
    assert item.rule.code == "mx-literal"
    assert len(item.explains) == 2


def test_nothing_is_hidden_behind_what_is_less_grave() -> None:
    below = RULES["dmarc-verdicts-differ"]
    grave = Rule(below.code, Severity.CRITICAL, below.summary, below.remedy, below.reference)
    seen = {"dmarc": (grave.found("grave"), RULES["dmarc-unreadable"].found("mild"))}
    assert [item.rule.code for item in prioritise(seen)] == [below.code, "dmarc-unreadable"]


def test_findings_of_one_rule_are_one_item_over_all_probes() -> None:
    rule = RULES["dns-unanswered"]
    seen = {"mx": (rule.found("MX"),), "spf": (rule.found("TXT"), rule.found("TXT"))}
    (item,) = prioritise(seen)
    assert [finding.detail for finding in item.findings] == ["MX", "TXT"]


def test_nothing_found_is_nothing_to_mend() -> None:
    assert prioritise({"mx": ()}) == ()
