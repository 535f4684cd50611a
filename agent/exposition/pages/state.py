"""In which state is a check, for somebody who looks at a page?

No data yet is not "fine", and an old result is not a result: both are states of their own.
"""

import enum
from datetime import datetime

from agent.domain.finding import Severity
from agent.runtime.board import Standing

STALE_AFTER = 2.5  # intervals, as the alert has it


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


def state_of(standing: Standing, now: datetime) -> State:
    """Return the state of a check at *now*."""
    run = standing.run  # read once: a run may come in while a page is rendered in its thread
    at = standing.known_since if run is None else run.finished_at
    if now - at > STALE_AFTER * standing.check.settings.interval:
        return State.STALE
    return State.PENDING if run is None else _OF_SEVERITY[run.outcome.severity]
