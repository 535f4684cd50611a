"""Planned answers come first, and only the rest is asked of the world."""

import pytest

from agent.domain.lookup import (
    Answer,
    Exchange,
    Plan,
    Query,
    Reply,
    Silence,
    TextRecord,
    Unanswered,
    ask_all,
    replay,
)
from agent.domain.overlay import Alias, overlay

MX, TXT = Query("d.example", "MX"), Query("d.example", "TXT")
PLANNED = Answer((Exchange(5, "new.example"),))
LIVE = Answer((TextRecord((b"as it is",)),))
ZONE: dict[tuple[str, str], Reply] = {
    ("d.example", "MX"): Answer((Exchange(10, "old.example"),)),
    ("d.example", "TXT"): LIVE,
    ("target.example", "TXT"): Answer((TextRecord((b"key",)),), aliases=("end.example",)),
}


def both() -> Plan[tuple[Reply, ...]]:
    return (yield from ask_all((MX, TXT)))


def test_what_is_planned_is_not_asked_and_the_order_stays() -> None:
    assert replay(overlay(both(), {MX: PLANNED}), ZONE) == (PLANNED, LIVE)


def test_a_plan_of_which_all_is_planned_asks_nothing() -> None:
    with pytest.raises(StopIteration) as ended:
        next(overlay(both(), {MX: PLANNED, TXT: PLANNED}))
    assert ended.value.value == (PLANNED, PLANNED)


def test_without_changes_the_plan_is_as_it_was() -> None:
    assert replay(overlay(both(), {}), ZONE) == replay(both(), ZONE)


def test_a_planned_alias_leads_to_what_stands_at_its_target() -> None:
    mx, found = replay(overlay(both(), {TXT: Alias("target.example")}), ZONE)
    assert mx == ZONE["d.example", "MX"]
    assert found == Answer((TextRecord((b"key",)),), aliases=("target.example", "end.example"))


def test_a_target_that_does_not_answer_stays_without_answer() -> None:
    silent = Unanswered(Silence.TIMEOUT)
    _, found = replay(
        overlay(both(), {TXT: Alias("target.example")}), ZONE | {("target.example", "TXT"): silent}
    )
    assert found is silent
