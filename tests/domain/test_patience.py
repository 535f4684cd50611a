"""Messages are tried again with patience, and no more where it is no use."""

from datetime import UTC, datetime, timedelta

import pytest

from agent.domain.knowledge.reply import ReplyClass
from agent.domain.patience import REFUSALS, holds_off, is_due_later, next_try


def minutes(*numbers: int) -> list[timedelta]:
    return [timedelta(minutes=number) for number in numbers]


def test_greylisting_is_asked_soon_and_then_less_often() -> None:
    tries = [next_try(attempts, ReplyClass.OTHER) for attempts in range(1, 8)]
    assert tries == minutes(1, 2, 5, 15, 30, 60, 60)


@pytest.mark.parametrize("about", [ReplyClass.THROTTLE, ReplyClass.REPUTATION])
def test_who_slows_us_down_is_left_alone_for_a_quarter_of_an_hour(about: ReplyClass) -> None:
    assert [next_try(attempts, about) for attempts in range(1, 5)] == minutes(15, 30, 60, 60)


def test_after_some_identical_refusals_in_a_row_a_route_rests() -> None:
    rests = [holds_off(refusals) for refusals in range(REFUSALS + 3)]
    assert rests == minutes(0, 0, 0, 15, 60, 60)


@pytest.mark.parametrize(
    ("left", "waits"),
    [
        pytest.param(timedelta(seconds=1), True, id="later"),
        pytest.param(timedelta(hours=1), True, id="after the longest step"),
        pytest.param(timedelta(), False, id="now"),
        pytest.param(timedelta(days=365), False, id="noted while the clock was a year ahead"),
    ],
)
def test_a_try_that_lies_too_far_off_is_due(left: timedelta, *, waits: bool) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert is_due_later(now + left, now) is waits
