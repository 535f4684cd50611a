"""A rule is found since it was found first, and in a row only where no run is missing between."""

from datetime import timedelta

from agent.domain.finding import Outcome
from agent.domain.streak import NONE, Streak, Streaks, after, in_a_row
from agent.probes.base import DNS_UNANSWERED
from servers.standings import DANGLING, NOON, TOO_MANY

INTERVAL = timedelta(minutes=5)
BAD = Outcome((TOO_MANY.found("14 lookups."), TOO_MANY.found("again."), DANGLING.found("x.")))
WORSE, BETTER, FINE = Outcome((TOO_MANY.found("15."),)), Outcome((DANGLING.found("x."),)), Outcome()
BLIND = Outcome((DNS_UNANSWERED.found("silent."),))


def run(*steps: tuple[float, Outcome]) -> Streaks:
    """Return the streaks after some runs, each so many minutes after the first."""
    streaks = NONE
    for minutes, outcome in steps:
        streaks = after(streaks, outcome, NOON + timedelta(minutes=minutes), INTERVAL)
    return streaks


def at(minutes: float) -> Streak:
    moment = NOON + timedelta(minutes=minutes)
    return Streak(1, moment, moment)


def test_it_grows_by_each_run_that_finds_the_rule_and_ends_with_one_that_does_not() -> None:
    streaks = run((0, BAD), (5, BAD), (10, WORSE))
    assert streaks == {TOO_MANY.code: Streak(3, NOON, NOON + 2 * INTERVAL)}
    assert run((0, BAD), (5, BETTER), (10, BAD))[TOO_MANY.code] == at(10)
    assert run((0, BAD), (5, FINE)) == {}
    assert in_a_row(streaks) == {TOO_MANY.code: 3}


def test_a_run_that_could_not_tell_ends_nothing() -> None:
    blind = run((0, WORSE), (5, WORSE), (10, BLIND), (15, BLIND))
    assert blind[TOO_MANY.code] == Streak(2, NOON, NOON + 3 * INTERVAL, is_found=False)
    assert in_a_row(blind) == {DNS_UNANSWERED.code: 2}
    again = run((0, WORSE), (5, WORSE), (10, BLIND), (15, WORSE))
    assert again == {TOO_MANY.code: Streak(3, NOON, NOON + 3 * INTERVAL)}
    mended = run((0, WORSE), (5, BLIND), (10, FINE), (15, WORSE))
    assert mended == {TOO_MANY.code: at(15)}


def test_a_row_that_had_only_begun_is_counted_anew_after_a_run_that_could_not_tell() -> None:
    again = run((0, WORSE), (5, BLIND), (10, WORSE))
    assert again == {TOO_MANY.code: Streak(1, NOON, NOON + 2 * INTERVAL)}


def test_runs_too_far_apart_are_not_in_a_row() -> None:
    assert run((0, WORSE), (22.5, WORSE))[TOO_MANY.code].runs == 2
    late = run((0, WORSE), (23, WORSE))[TOO_MANY.code]
    assert (late.runs, late.since) == (1, NOON)


def test_after_a_week_unseen_it_is_another_fault() -> None:
    week = 7 * 24 * 60
    assert run((0, WORSE), (week, WORSE))[TOO_MANY.code] == at(week)
    assert TOO_MANY.code not in run((0, WORSE), (5, BLIND), (week + 5, BLIND))


def test_a_clock_that_was_ahead_leaves_no_time_that_is_yet_to_come() -> None:
    assert run((60, WORSE), (0, WORSE))[TOO_MANY.code] == Streak(2, NOON, NOON)
