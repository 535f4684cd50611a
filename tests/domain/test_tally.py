"""What a message adds to its route is counted once, grows, and can be read off a histogram."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain import ledger
from agent.domain.ledger import BLIND, Entry, Place
from agent.domain.tally import BUCKETS, Tally, tally

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WITHIN, LOST = 45 * SECOND, 900 * SECOND
PLANNED = Entry(nonce="n", route="r", sequence=1, within=WITHIN, lost_after=LOST, planned_at=NOON)
SENDING = ledger.sending(PLANNED, NOON)
ACCEPTED = ledger.accepted(SENDING, NOON + SECOND, "250 ok")
AWAY = ledger.recovered(ACCEPTED, NOON)


def arrive(seconds: float, place: Place = Place.INBOX, entry: Entry = ACCEPTED) -> Entry:
    duration = timedelta(seconds=seconds)
    return ledger.arrived(entry, NOON + duration, duration=duration, place=place)


def judge(entry: Entry, looked: timedelta | None = None) -> Entry:
    return ledger.judged(entry, NOON + LOST + BLIND, LOST + BLIND, looked)


def test_a_tally_says_when_the_last_messages_went_and_came() -> None:
    total = tally((SENDING, arrive(5), arrive(90)))
    assert total.last_sent == NOON
    assert total.last_delivered == NOON + 90 * SECOND
    assert total.in_flight == 1
    assert total.cumulative[-1] == 2
    assert total.duration_sum == 95.0
    assert total.cumulative[:4] == (0, 0, 0, 1)
    assert SENDING.seconds == 0.0


def test_an_older_message_that_comes_later_does_not_set_the_times_back() -> None:
    later = replace(ledger.sending(PLANNED, NOON + LOST), nonce="m")
    total = tally((later, SENDING))
    assert total.last_sent == NOON + LOST


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param(SENDING, {}, id="in flight"),
        pytest.param(arrive(5), {"messages": 1, "in time": 1}, id="in time"),
        pytest.param(arrive(45), {"messages": 1, "in time": 1}, id="at the deadline"),
        pytest.param(arrive(46), {"messages": 1, "late": 1, "failed late": 1}, id="late"),
        pytest.param(
            arrive(5, Place.JUNK), {"messages": 1, "in time": 1, "junk": 1}, id="in time in Junk"
        ),
        pytest.param(
            arrive(46, Place.JUNK),
            {"messages": 1, "junk": 1, "failed late": 1},
            id="later, in Junk",
        ),
        pytest.param(
            arrive(5, Place.ELSEWHERE), {"messages": 1, "failed misrouted": 1}, id="elsewhere"
        ),
        pytest.param(
            arrive(5, entry=arrive(5)), {"messages": 1, "in time": 1, "duplicates": 1}, id="twice"
        ),
        pytest.param(
            replace(arrive(5), damaged=True),
            {"messages": 1, "in time": 1, "damaged": 1},
            id="damaged",
        ),
        pytest.param(judge(ACCEPTED), {"messages": 1, "failed lost": 1}, id="lost"),
        pytest.param(
            arrive(5, entry=judge(ACCEPTED)),
            {"messages": 1, "failed lost": 1, "late": 1, "in time": 1},
            id="lost, though it came in time by the clock of the server",
        ),
        pytest.param(judge(ACCEPTED, SECOND), {"unjudged unseen": 1}, id="unseen"),
        pytest.param(
            arrive(46, entry=judge(AWAY)), {"unjudged interrupted": 1}, id="late while away"
        ),
        pytest.param(
            arrive(46, entry=judge(ACCEPTED, SECOND)),
            {"unjudged unseen": 1, "late": 1},
            id="unseen, and late as the server says",
        ),
    ],
)
def test_a_message_is_counted_under_what_became_of_it(
    entry: Entry, expected: dict[str, int]
) -> None:
    assert dict(+tally((entry,)).counts) == expected


def test_each_step_adds_only_what_is_new() -> None:
    lost = judge(ACCEPTED)
    last = arrive(50, entry=lost)
    total = Tally()
    total.change(None, PLANNED)
    for before, after in pairwise((PLANNED, SENDING, ACCEPTED, lost, last, last)):
        total.change(before, after)
    assert +total.counts == +tally((last,)).counts
    assert total.in_flight == 0
    assert total.cumulative[-1] == 1


def test_a_bound_that_is_a_bucket_changes_nothing() -> None:
    total = tally((arrive(5), arrive(90)))
    assert total.with_bound(60.0) == (BUCKETS, total.cumulative)


@pytest.mark.parametrize(
    ("bound", "place", "count"),
    [
        pytest.param(0.25, 0, 0, id="below all buckets"),
        pytest.param(45.0, 6, 2, id="between two"),
        pytest.param(7200.0, len(BUCKETS), 3, id="above all buckets"),
    ],
)
def test_what_was_in_time_can_be_read_off_the_histogram(
    bound: float, place: int, count: int
) -> None:
    within = timedelta(seconds=bound)
    entries = [
        ledger.arrived(replace(ACCEPTED, within=within), NOON, duration=seconds * SECOND)
        for seconds in (5, 44, 60)
    ]
    bounds, held = tally(entries).with_bound(bound)
    assert bounds == (*BUCKETS[:place], bound, *BUCKETS[place:])
    assert (bounds[place], held[place]) == (bound, count)
    assert len(held) == len(bounds) + 1


def test_what_was_in_time_by_another_bound_bends_no_histogram() -> None:
    """The deadline was an hour, and is 45 seconds now; or was half a second."""
    for old in (3600 * SECOND, SECOND / 2):
        entries = [
            ledger.arrived(replace(ACCEPTED, within=old), NOON, duration=seconds * SECOND)
            for seconds in (5, 50, 300)
        ]
        _, held = tally(entries).with_bound(45.0)
        assert held == tuple(sorted(held))
        assert held[-1] == 3


@given(
    bound=st.floats(0.01, 10_000),
    seconds=st.lists(st.floats(0, 20_000), max_size=30),
    other=st.floats(0.01, 10_000),
)
def test_a_histogram_never_falls_from_bucket_to_bucket_nor_in_time(
    bound: float, seconds: list[float], other: float
) -> None:
    total = Tally()
    before = total.with_bound(bound)[1]
    for number, each in enumerate(seconds):
        within = timedelta(seconds=other if number % 2 else bound)
        total.change(
            None,
            ledger.arrived(
                replace(ACCEPTED, within=within), NOON, duration=timedelta(seconds=each)
            ),
        )
        bounds, held = total.with_bound(bound)
        assert bounds == tuple(sorted(bounds))
        assert held == tuple(sorted(held))
        assert held[-1] == number + 1
        assert all(new >= old for new, old in zip(held, before, strict=True))
        before = held
