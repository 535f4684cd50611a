from datetime import UTC, datetime, timedelta

from agent.domain.finding import Outcome, Rule, Severity
from agent.domain.judgement import Judgement

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
LOW = Rule("x-low", Severity.WARNING, "Low", "Raise it.", "RFC")
CHANGED = Rule("x-changed", Severity.WARNING, "Changed", "See.", "RFC")
BAD = Rule("x-bad", Severity.CRITICAL, "Bad", "Mend it.", "RFC")


def codes(outcome: Outcome) -> list[str]:
    return [finding.rule.code for finding in outcome.findings]


def test_without_conditions_the_outcome_is_shown_as_it_is() -> None:
    outcome = Outcome((BAD.found("b"),))
    assert Judgement(outcome).at(NOW) is outcome


def test_what_cannot_be_told_yet_is_held_back_until_it_can() -> None:
    outcome = Outcome((BAD.found("b"), LOW.found("l")))
    judgement = Judgement(outcome, premature=LOW, sure_from=LATER)
    assert codes(judgement.at(NOW)) == ["x-bad"]
    assert judgement.at(NOW) is judgement.at(NOW + timedelta(seconds=1))
    assert judgement.at(LATER) is outcome


def test_news_is_shown_for_a_while() -> None:
    outcome = Outcome((BAD.found("b"),))
    judgement = Judgement(outcome, CHANGED.found("c"), LATER, LOW, NOW)
    assert codes(judgement.at(NOW)) == ["x-bad", "x-changed"]
    assert judgement.at(LATER) is outcome


def test_nothing_is_held_back_where_there_is_nothing() -> None:
    outcome = Outcome((BAD.found("b"),))
    assert Judgement(outcome, premature=LOW, sure_from=LATER).at(NOW) is outcome
