"""What so few messages can show of an objective is said before anybody relies on it."""

from datetime import timedelta

import pytest

from agent.domain.objective import highest_objective, longest_interval, misfit

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("minutes", "objective", "says"),
    [
        (1, 0.99, ""),
        (1, 0.998, ""),
        (5, 0.99, ""),
        (5, 0.995, "of 12 messages in an hour 0.005 may fail, which is 0.06 of one"),
        (10, 0.99, "of 6 messages in an hour 0.01 may fail, which is 0.06 of one"),
        (1, 0.9999, "a single loss is 167 times that, and the alert waits for 2 instead"),
        (16, 0.5, "windows of 15 minutes and more, and many of those would hold no message"),
    ],
)
def test_interval_and_objective_fit_or_it_is_said_why(
    minutes: int, objective: float, says: str
) -> None:
    said = misfit(minutes * MINUTE, objective)
    assert says in said
    assert bool(said) == bool(says)


@pytest.mark.parametrize("objective", [0.5, 0.9, 0.99, 0.995, 0.999, 0.9999])
def test_what_is_advised_fits(objective: float) -> None:
    assert not misfit(longest_interval(objective), objective)
    assert misfit(longest_interval(objective) + timedelta(milliseconds=1), objective)


@pytest.mark.parametrize("minutes", [1, 2, 5, 10, 15])
def test_the_objective_that_is_advised_fits_and_is_not_too_low(minutes: int) -> None:
    highest = highest_objective(minutes * MINUTE)
    assert not misfit(minutes * MINUTE, highest)
    assert misfit(minutes * MINUTE, highest + 0.0011)


def test_messages_that_are_days_apart_show_no_objective() -> None:
    assert highest_objective(timedelta(days=2)) == 0
