"""What goes, comes and stays, and what is broken in another way."""

from agent.domain.comparison import Altered, Difference, compare
from agent.domain.mx_rules import TTL_LOW
from agent.domain.spf_rules import MISSING, TTL_HIGH


def test_findings_are_told_apart_by_rule_and_detail() -> None:
    gone, new, kept = MISSING.found("none"), TTL_HIGH.found("9 s"), TTL_LOW.found("1 s", "old line")
    again = TTL_LOW.found("1 s", "new line")
    found = compare((gone, kept, gone), (again, new))
    assert found == Difference(goes=(gone,), comes=(new,), stays=(again,))


def test_a_rule_that_stays_broken_in_other_words_is_altered() -> None:
    before, after, more = TTL_LOW.found("1 s"), TTL_LOW.found("2 s"), TTL_LOW.found("3 s")
    assert compare((before,), (after, more)) == Difference(
        comes=(more,), altered=(Altered(before, after),)
    )
    assert compare((), ()) == Difference()
