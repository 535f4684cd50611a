from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.hop_times import Clock, judge

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
LIES = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC))


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def seconds(number: int) -> timedelta:
    return timedelta(seconds=number)


def test_a_delay_is_the_time_since_the_hop_before() -> None:
    timing = judge((at(0), at(2), at(50)), NOON)
    assert [clock.delay for clock in timing.clocks] == [None, seconds(2), seconds(48)]
    assert timing.total == seconds(50)


def test_a_negative_delay_counts_as_nothing_and_is_marked() -> None:
    # As seen inside of Exchange Online.
    timing = judge((at(98), at(122), at(99)), None)
    assert timing.clocks[2] == Clock(seconds(0), is_corrected=True)
    assert timing.total == seconds(1)


@pytest.mark.parametrize("lie", LIES)
def test_a_clock_that_lies_gives_no_delay_and_spoils_no_other(lie: datetime) -> None:
    timing = judge((at(0), lie, at(3)), NOON)
    assert timing.clocks == (Clock(), Clock(is_skewed=True), Clock(seconds(3)))
    assert timing.total == seconds(3)


@pytest.mark.parametrize("lie", LIES)
def test_the_first_clock_may_lie_as_well(lie: datetime) -> None:
    timing = judge((lie, at(1), at(3)), NOON)
    assert timing.clocks == (Clock(is_skewed=True), Clock(), Clock(seconds(2)))


def test_two_neighbours_that_contradict_each_other_by_days_are_both_doubted() -> None:
    timing = judge((at(0), at(2 * 86400), at(5)), None)
    assert [clock.is_skewed for clock in timing.clocks] == [False, True, True]
    assert timing.total == seconds(0)


def test_a_message_may_wait_for_days() -> None:
    timing = judge((at(0), at(2 * 86400), at(2 * 86400 + 5)), NOON)
    assert timing.clocks[1].delay == timedelta(days=2)


def test_a_hop_long_before_the_date_cannot_be() -> None:
    timing = judge((at(-7200), at(0), at(2)), NOON)
    assert timing.clocks[0].is_skewed
    assert not timing.is_date_skewed


@pytest.mark.parametrize("date", [*LIES, at(4000)])
def test_a_date_that_no_hop_confirms_is_doubted(date: datetime) -> None:
    timing = judge((at(0), at(1), at(2)), date)
    assert timing.is_date_skewed
    assert timing.total == seconds(2)


def test_hops_without_a_time_are_passed_over() -> None:
    timing = judge((None, at(0), None, at(4)), None)
    assert timing.clocks == (Clock(), Clock(), Clock(), Clock(seconds(4)))
    nothing = judge((None, None), NOON)
    assert (nothing.clocks, nothing.total) == ((Clock(), Clock()), None)


def test_where_all_contradict_each_other_nothing_is_known() -> None:
    timing = judge((at(2 * 86400), at(0)), at(86400))
    assert [clock.is_skewed for clock in timing.clocks] == [True, True]
    assert timing.total is None
    assert not timing.is_date_skewed


TIMES = st.one_of(st.none(), st.datetimes(timezones=st.just(UTC)))


@given(st.lists(TIMES, max_size=12), TIMES)
def test_whatever_clocks_say_no_delay_is_negative(
    times: list[datetime | None], date: datetime | None
) -> None:
    timing = judge(times, date)
    assert len(timing.clocks) == len(times)
    assert all(clock.delay is None or clock.delay >= seconds(0) for clock in timing.clocks)
    assert timing.total is None or timing.total >= seconds(0)
