"""In which state is a check, for somebody who looks at a page?

No data yet is not "fine", and an old result is not a result: both are states of their own.
"""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from agent.domain.finding import Severity
from agent.domain.timeline import Mark
from agent.runtime.board import Run, Standing
from agent.runtime.recorder import STALE_AFTER


class State(enum.IntEnum):
    """What a page shows of a check, in falling order of urgency."""

    CRITICAL = 0
    UNKNOWN = 1
    STALE = 2
    WARNING = 3
    PENDING = 4
    OK = 5

    @property
    def key(self) -> str:
        """The word in addresses and class names."""
        return self.name.lower()

    @property
    def word(self) -> str:
        """The word that a reader sees."""
        return _WORDS[self]

    @property
    def sign(self) -> str:
        """A sign of its own shape, because colour alone says nothing to some."""
        return _SIGNS[self]


@dataclass(frozen=True, slots=True)
class Sign:
    """How something is shown that is no state: ``key`` is its class, the others are read."""

    key: str
    word: str
    sign: str


IDLE = Sign("idle", "nothing to look at", "\N{EN DASH}")
"""Of a check that is ok because it had nothing to look at, which proves nothing."""


_WORDS = {
    State.CRITICAL: "critical",
    State.UNKNOWN: "unknown",
    State.STALE: "stale",
    State.WARNING: "warning",
    State.PENDING: "no data yet",
    State.OK: "ok",
}
_SIGNS = {
    State.CRITICAL: "\N{MULTIPLICATION X}",
    State.UNKNOWN: "?",
    State.STALE: "\N{WHITE CIRCLE}",
    State.WARNING: "!",
    State.PENDING: "\N{HORIZONTAL ELLIPSIS}",
    State.OK: "\N{CHECK MARK}",
}
_OF_SEVERITY = {
    Severity.CRITICAL: State.CRITICAL,
    Severity.UNKNOWN: State.UNKNOWN,
    Severity.WARNING: State.WARNING,
    Severity.OK: State.OK,
}
_OF_MARK = {
    Mark.OK: State.OK,
    Mark.WARNING: State.WARNING,
    Mark.UNKNOWN: State.UNKNOWN,
    Mark.CRITICAL: State.CRITICAL,
    Mark.STALE: State.STALE,
}


def of_mark(mark: Mark) -> State:
    """Return the state that is shown like what is written of a check."""
    return _OF_MARK.get(mark, State.PENDING)


def stale_at(standing: Standing, run: Run | None) -> datetime:
    """Return when a check is too old to be believed whose last run is *run*."""
    at = standing.known_since if run is None else run.finished_at
    return at + _patience(standing.check.settings.interval)


@lru_cache(maxsize=256)
def _patience(interval: timedelta) -> timedelta:
    return STALE_AFTER * interval


def state_of(standing: Standing, now: datetime) -> State:
    """Return the state of a check at *now*."""
    # Read once: a run may come in while a page is rendered in its thread.
    return state_after(standing, standing.run, now)


def state_after(standing: Standing, run: Run | None, now: datetime) -> State:
    """Return the state at *now* of a check whose last run is *run*."""
    if now > stale_at(standing, run):
        return State.STALE
    if run is None:
        return State.PENDING
    return _OF_SEVERITY[run.outcome.severity] if run.outcome.findings else State.OK
