"""What is the latest that is known of every check?

The board holds one standing per check: its last run, since when and for how many runs in a row each
rule was found, and when its severity last changed. It lives in memory only; metrics, pages and the
command line read it. A check keeps its standing over reloads by its identity. Of what was before
the start it is told only which rules were found: their counts go on with the first run, and until
then nothing of it is shown.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from agent.domain import streak
from agent.domain.finding import Outcome, Severity
from agent.domain.streak import Streaks
from agent.probes.base import Check

_log = logging.getLogger(__name__)
_NONE_FOUND: Mapping[str, int] = MappingProxyType({})
CHANGES_KEPT = 500


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a check. ``started_at`` is UTC wall time; ``duration`` is monotonic."""

    check: Check[Any, Any]
    started_at: datetime
    duration: timedelta
    outcome: Outcome

    @property
    def finished_at(self) -> datetime:
        """When it ended, as the start plus the measured duration."""
        return self.started_at + self.duration


@dataclass(frozen=True, slots=True)
class Change:
    """The severity of a check became another; ``before`` is None for its first run."""

    at: datetime
    check: Check[Any, Any]
    before: Severity | None
    after: Severity


@dataclass(slots=True, eq=False)
class Standing:
    """What is known of one check. Only the board writes it; others read it between two awaits.

    ``known_since`` is when this process came to know the check. ``consecutive`` counts, by code
    of the rule, the runs in a row that found it, the last one included; what was not found in the
    last run is absent. ``streaks`` say since when, over restarts and over runs that could not tell;
    they also have what was found before either. ``critical_runs`` counts the runs in a row that
    ended critical, by whatever rule. ``changed_at`` is when ``severity`` became what it is.
    ``same`` is true while the last run's outcome is the very object of the run before: nothing
    needs drawing again but times and counts. ``runs`` counts the runs of this process.
    """

    check: Check[Any, Any]
    known_since: datetime
    run: Run | None = None
    severity: Severity | None = None
    changed_at: datetime | None = None
    consecutive: Mapping[str, int] = field(default_factory=lambda: _NONE_FOUND)
    streaks: Streaks = field(default_factory=lambda: streak.NONE)
    critical_runs: int = 0
    same: bool = False
    runs: int = 0

    @property
    def last_run_at(self) -> datetime:
        """When it last ended; before the first run, since when the check is known.

        So staleness counts from the start of the process, and a check that never runs is noticed.
        """
        return self.known_since if self.run is None else self.run.finished_at


Published = Callable[[Standing], None]


class Board:
    """The standings of all configured checks, in the order of the configuration."""

    def __init__(self) -> None:
        self._standings: dict[str, Standing] = {}
        self._ordered: tuple[Standing, ...] = ()
        self._published: list[Published] = []
        self._kept: list[Callable[[], None]] = []
        self._changes: deque[Change] = deque(maxlen=CHANGES_KEPT)
        self._before: dict[str, Streaks] = {}

    def remember(self, found: Mapping[str, Streaks]) -> None:
        """Let the checks that are new from now on go on with what was *found*, by identity."""
        self._before = dict(found)

    def keep(self, checks: Iterable[Check[Any, Any]], now: datetime) -> None:
        """Make *checks* the set of checks; those known by their identity keep their standing."""
        standings: dict[str, Standing] = {}
        for check in checks:
            identity = check.identity
            standing = self._standings.get(identity)
            if standing is None:
                before = self._before.pop(identity, streak.NONE)
                standing = Standing(check, now, streaks=before)
            standing.check = check
            standings[identity] = standing
        self._standings = standings
        self._ordered = tuple(standings.values())
        for kept in self._kept:
            kept()

    def subscribe(self, published: Published, *, kept: Callable[[], None] | None = None) -> None:
        """Have *published* called after each run, and *kept* after the set of checks changed.

        Both are called in the event loop and must be quick; they must not raise.
        """
        self._published.append(published)
        if kept is not None:
            self._kept.append(kept)

    def publish(self, run: Run) -> None:
        """Take in a run. One of a check that a reload has removed is dropped."""
        standing = self._standings.get(run.check.identity)
        if standing is None:
            return
        before = standing.run
        standing.same = before is not None and before.outcome is run.outcome
        standing.run = run
        standing.runs += 1
        is_critical = run.outcome.severity is Severity.CRITICAL
        standing.critical_runs = standing.critical_runs + 1 if is_critical else 0
        if not standing.same:
            self._note_severity(standing, run)
        if run.outcome.findings or standing.streaks:
            interval = run.check.settings.interval
            streaks = streak.after(standing.streaks, run.outcome, run.finished_at, interval)
            # In this order: who reads the counts in a thread finds since when.
            standing.streaks, standing.consecutive = streaks, streak.in_a_row(streaks)
        for published in self._published:
            published(standing)

    def _note_severity(self, standing: Standing, run: Run) -> None:
        """Keep severity, and when it changed; a change is logged, the rest is counted."""
        before, after = standing.severity, run.outcome.severity
        if before is after:
            return
        standing.severity = after
        standing.changed_at = run.finished_at
        self._changes.append(Change(run.finished_at, standing.check, before, after))
        if before is not None or after is not Severity.OK:
            _log.info(
                "severity changed",
                extra={
                    "check": standing.check.identity,
                    "before": None if before is None else before.word,
                    "after": after.word,
                },
            )

    def standing(self, identity: str) -> Standing | None:
        """Return the standing of the check with *identity*, None where there is no such check."""
        return self._standings.get(identity)

    def runs(self) -> tuple[Standing, ...]:
        """Return all standings; the tuple stays whole when a reload comes between."""
        return self._ordered

    def changes(self) -> tuple[Change, ...]:
        """Return the latest changes of severity, newest first, at most ``CHANGES_KEPT``."""
        return tuple(reversed(self._changes))
