from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from agent.domain.timeline import (
    Account,
    Mark,
    Note,
    Span,
    Watch,
    account,
    slots,
    spans,
    spoken,
    together,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
OK, WARNING, UNKNOWN, CRITICAL, STALE, NO_DATA, AWAY = Mark


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def drawn(line: tuple[Span, ...]) -> list[tuple[float, Mark]]:
    """Return where each span ends, in minutes after noon."""
    assert all(one.end == other.start for one, other in pairwise(line))
    return [((span.end - NOON).total_seconds() / 60, span.mark) for span in line]


def line(*ends: tuple[float, Mark]) -> tuple[Span, ...]:
    made, last = [], 0.0
    for end, mark in ends:
        made.append(Span(at(last), at(end), mark))
        last = end
    return tuple(made)


@pytest.mark.parametrize(
    ("notes", "watches", "wanted"),
    [
        pytest.param([], [], [(60, AWAY)], id="nothing is known"),
        pytest.param([(0, OK)], [(0, 60)], [(60, OK)], id="well all the time"),
        pytest.param([(-90, OK)], [(-100, 60)], [(60, OK)], id="since before the stretch"),
        pytest.param(
            [(0, OK), (10, CRITICAL), (20, OK)],
            [(0, 60)],
            [(10, OK), (20, CRITICAL), (60, OK)],
            id="an incident",
        ),
        pytest.param(
            [(0, OK), (32, OK)],
            [(0, 20), (30, 60)],
            [(20, OK), (30, AWAY), (32, NO_DATA), (60, OK)],
            id="a restart is a hole, and then nothing is known until the first run",
        ),
        pytest.param(
            [(0, OK), (25, CRITICAL)],
            [(0, 20), (30, 60)],
            [(25, OK), (30, AWAY), (60, NO_DATA)],
            id="a crash after the last sign of life",
        ),
        pytest.param(
            [(15, OK)], [(0, 60)], [(15, AWAY), (60, OK)], id="a check that is newly configured"
        ),
        pytest.param([(0, OK)], [(0, 20)], [(20, OK), (60, AWAY)], id="a watch that ended"),
        pytest.param(
            [(0, OK)],
            [(0, 50), (30, 60)],
            [(30, OK), (60, NO_DATA)],
            id="a clock that stepped back",
        ),
        pytest.param([(0, OK)], [(0, 90)], [(60, OK)], id="a watch that goes on"),
    ],
)
def test_what_nobody_saw_is_not_drawn_as_well(
    notes: list[tuple[float, Mark]],
    watches: list[tuple[float, float]],
    wanted: list[tuple[float, Mark]],
) -> None:
    told = spans(
        [Note(at(when), mark) for when, mark in notes],
        [Watch(at(began), at(seen)) for began, seen in watches],
        at(0),
        at(60),
    )
    assert drawn(told) == wanted


def test_the_worst_of_several_checks_is_shown_at_each_time() -> None:
    one = line((10, OK), (30, WARNING), (60, OK))
    two = line((20, AWAY), (40, CRITICAL), (60, NO_DATA))
    assert drawn(together([one, two])) == [
        (10, OK),
        (20, WARNING),
        (40, CRITICAL),
        (60, NO_DATA),
    ]
    assert together([one]) == one
    assert together([]) == ()


def test_a_picture_shows_what_is_urgent_however_short_and_hides_no_hole() -> None:
    told = line((10, OK), (10.01, CRITICAL), (30, OK), (42, AWAY), (60, OK))
    assert slots(told, 6) == (
        (0, 1, OK),
        (1, 1, CRITICAL),
        (2, 1, OK),
        (3, 1, AWAY),
        (4, 2, OK),
    )
    assert slots(line((60, UNKNOWN)), 4) == ((0, 4, UNKNOWN),)
    assert slots((), 4) == ()


def test_a_stretch_adds_up() -> None:
    told = account(line((20, OK), (26, CRITICAL), (28, UNKNOWN), (30, CRITICAL), (45, AWAY)))
    assert told == Account(
        {
            OK: timedelta(minutes=20),
            CRITICAL: timedelta(minutes=8),
            UNKNOWN: timedelta(minutes=2),
            AWAY: timedelta(minutes=15),
        },
        incidents=1,
        mark=AWAY,
        since=at(30),
    )
    assert told.recorded == timedelta(minutes=30)
    assert [told.share(x) for x in (OK, CRITICAL, WARNING)] == ["66.6 %", "26.6 %", "0 %"]
    again = account(line((1, CRITICAL), (2, WARNING), (3, CRITICAL), (4, STALE)))
    assert again.incidents == 2
    assert account(()).mark is AWAY


def test_a_share_is_neither_all_nor_nothing_unless_it_is() -> None:
    nearly = account(line((1, CRITICAL), (100_000, OK)))
    assert (nearly.share(OK), nearly.share(CRITICAL)) == ("99.9 %", "0.1 %")
    assert account(line((60, OK))).share(OK) == "100 %"
    assert account(line((60, AWAY))).share(OK) == "0 %"


def test_it_is_known_since_when_and_a_restart_in_between_does_not_end_it() -> None:
    told = line((10, OK), (20, CRITICAL), (25, AWAY), (26, NO_DATA), (60, CRITICAL))
    assert account(told).since == at(10)
    assert account(line((20, AWAY), (60, CRITICAL))).since is None, "it may have begun earlier"
    assert account(line((10, CRITICAL), (20, STALE), (60, CRITICAL))).since == at(20)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=-3), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(minutes=5, seconds=7), "5 min 7 s"),
        (timedelta(hours=2, minutes=10, seconds=50), "2 h 10 min"),
        (timedelta(days=30), "30 d"),
        (timedelta(days=3, hours=23), "3 d 23 h"),
    ],
    ids=str,
)
def test_lengths_have_two_units(length: timedelta, words: str) -> None:
    assert spoken(length) == words


def test_marks_have_words_and_say_whether_anything_is_known() -> None:
    assert [mark.word for mark in Mark] == [
        "ok",
        "warning",
        "unknown",
        "critical",
        "stale",
        "no data",
        "not on record",
    ]
    assert [mark for mark in Mark if mark.is_known] == [OK, WARNING, UNKNOWN, CRITICAL]
