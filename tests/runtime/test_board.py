"""What the board keeps of runs, and for how long."""

import logging
from datetime import timedelta

import pytest

from agent.domain.finding import Outcome, Severity
from agent.domain.streak import Streak
from agent.runtime.board import CHANGES_KEPT, Board, Standing
from servers.checks import FINE, check, many
from servers.standings import DANGLING, NEAR_LIMIT, NOON, TOO_MANY, publish

BAD = Outcome((TOO_MANY.found("14 lookups."), TOO_MANY.found("again."), NEAR_LIMIT.found("9.")))
MINUTE = timedelta(minutes=1)


def test_before_its_first_run_a_check_is_as_old_as_the_process() -> None:
    board = Board()
    of = check()
    board.keep([of], NOON)
    standing = board.standing(of.identity)
    assert standing is not None
    assert (standing.last_run_at, standing.severity, standing.run) == (NOON, None, None)
    assert board.standing("nobody") is None


def test_runs_in_a_row_are_counted_for_each_rule_that_is_found() -> None:
    board = Board()
    of = check()
    board.keep([of], NOON)
    (standing,) = board.runs()
    publish(board, of, BAD)
    publish(board, of, BAD)
    publish(board, of, Outcome((TOO_MANY.found("13 lookups."), DANGLING.found("mx."))))
    assert standing.consecutive == {TOO_MANY.code: 3, DANGLING.code: 1}
    publish(board, of, FINE)
    assert standing.consecutive == {}
    publish(board, of, BAD)
    assert standing.consecutive[TOO_MANY.code] == 1
    assert standing.runs == 5


def test_critical_runs_in_a_row_are_counted_whatever_they_find() -> None:
    board = Board()
    of = check()
    board.keep([of], NOON)
    (standing,) = board.runs()
    for outcome in (BAD, Outcome((DANGLING.found("mx."),)), BAD):
        publish(board, of, outcome)
    assert (standing.critical_runs, standing.consecutive[TOO_MANY.code]) == (3, 1)
    publish(board, of, FINE)
    assert standing.critical_runs == 0


def test_what_was_found_before_the_start_counts_from_the_first_run_on() -> None:
    board = Board()
    of = check()
    before = {TOO_MANY.code: Streak(2, NOON - 9 * MINUTE, NOON - MINUTE)}
    board.remember({of.identity: before, "gone": before})
    board.keep([of], NOON)
    (standing,) = board.runs()
    assert standing.consecutive == {}, "nobody has looked yet"
    publish(board, of, BAD)
    assert standing.consecutive == {TOO_MANY.code: 3, NEAR_LIMIT.code: 1}
    assert standing.streaks[TOO_MANY.code].since == NOON - 9 * MINUTE
    assert standing.streaks[NEAR_LIMIT.code].since == NOON


def test_an_outcome_that_is_the_same_object_is_marked() -> None:
    board = Board()
    of = check()
    board.keep([of], NOON)
    seen: list[tuple[bool, int]] = []
    board.subscribe(lambda standing: seen.append((standing.same, standing.runs)))
    for outcome in (BAD, BAD, Outcome(BAD.findings), FINE, FINE):
        publish(board, of, outcome)
    assert seen == [(False, 1), (True, 2), (False, 3), (False, 4), (True, 5)]


def test_changes_of_severity_are_kept_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    board = Board()
    of = check()
    board.keep([of], NOON)
    (standing,) = board.runs()
    for minute, outcome in enumerate((FINE, FINE, BAD, BAD, FINE)):
        publish(board, of, outcome, NOON + minute * MINUTE)
    assert [(c.before, c.after, c.at) for c in board.changes()] == [
        (Severity.CRITICAL, Severity.OK, NOON + 4 * MINUTE),
        (Severity.OK, Severity.CRITICAL, NOON + 2 * MINUTE),
        (None, Severity.OK, NOON),
    ]
    assert standing.changed_at == NOON + 4 * MINUTE
    assert [record.message for record in caplog.records] == ["severity changed"] * 2


def test_the_log_of_changes_is_bounded() -> None:
    board = Board()
    of = check()
    board.keep([of], NOON)
    for _ in range(CHANGES_KEPT):
        publish(board, of, FINE)
        publish(board, of, BAD)
    assert len(board.changes()) == CHANGES_KEPT


def test_a_reload_keeps_standings_by_identity_and_drops_the_rest() -> None:
    board = Board()
    kept: list[int] = []
    board.subscribe(lambda _: None, kept=lambda: kept.append(len(board.runs())))
    staying, going = many(2)
    board.keep([staying, going], NOON)
    publish(board, staying, BAD)
    (successor, _) = many(2)
    board.keep([successor], NOON + MINUTE)
    (standing,) = board.runs()
    assert standing.check is successor
    assert standing.consecutive[TOO_MANY.code] == 1
    assert standing.known_since == NOON
    publish(board, going, BAD)  # it ends after the reload
    assert board.standing(going.identity) is None
    publish(board, staying, BAD)
    assert standing.consecutive[TOO_MANY.code] == 2
    assert kept == [2, 1]


def test_standings_are_in_the_order_of_the_configuration() -> None:
    board = Board()
    first, second, third = many(3)
    board.keep([second, third, first], NOON)

    def subject(standing: Standing) -> str:
        return standing.check.subject

    assert [*map(subject, board.runs())] == [second.subject, third.subject, first.subject]
