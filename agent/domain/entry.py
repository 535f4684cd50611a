"""What is known of one synthetic message?"""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta


class State(enum.StrEnum):
    """Where a message is, as far as we know."""

    PLANNED = "planned"  # or waiting to be sent again, because the server said "not now"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNCERTAIN = "uncertain"  # the final reply was lost: it may have been taken
    DELIVERED = "delivered"
    LATE = "late"
    JUNKED = "junked"
    QUARANTINED = "quarantined"
    BOUNCED = "bounced"
    LOOPED = "looped"
    MISROUTED = "misrouted"
    LOST = "lost"


class Place(enum.StrEnum):
    """Where a message was seen to arrive."""

    INBOX = "inbox"
    FOLDER = "folder"  # another folder of the same mailbox, named by the operator
    JUNK = "junk"
    QUARANTINE = "quarantine"
    ORIGIN = "origin"  # it came back to where it was sent from
    ELSEWHERE = "elsewhere"


class Witness(enum.StrEnum):
    """Who told the fate of a message: a closed set."""

    NOBODY = ""
    SUBMISSION = "submission"  # the server that was to take it
    SINK = "sink"
    MAILBOX = "mailbox"
    REPORT = "report"  # a non-delivery report
    TRACE = "trace"  # Exchange Online's message trace
    CLOCK = "clock"  # nobody has seen it, and its time is over


FAILURES = (
    "refused",
    "deferred",
    "unreached",
    "late",
    "lost",
    "bounced",
    "quarantined",
    "looped",
    "misrouted",
)
INTERRUPTED = "interrupted"
UNSEEN = "unseen"
UNJUDGED = ("uncertain", INTERRUPTED, "not-sent", UNSEEN)

OPEN = frozenset({State.PLANNED, State.SENDING, State.ACCEPTED, State.UNCERTAIN})
# States that an arrival decides; a second arrival is a duplicate. What is in quarantine has not
# arrived: somebody may release it.
DELIVERED = frozenset({State.DELIVERED, State.LATE, State.JUNKED})
HERE = DELIVERED | {State.LOOPED, State.MISROUTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One synthetic message and all that is known of its fate.

    ``within`` is when it is late and ``lost_after`` when it is given up, both counted from
    ``sent_at``, the start of its last sending. ``judged_at`` is when it was first counted, under
    ``failure`` (one of FAILURES), under ``unjudged`` (one of UNJUDGED), or under neither, which is
    well. INTERRUPTED there is set before, and holds unless the message comes in time or something
    else is the matter with it. ``detail`` is what the deciding ``witness`` said, ``hint`` what
    another one said beside it; ``server`` is who took it, where there was a choice; ``duration`` is
    from sending to arrival.

    ``home`` is where it must arrive and ``origin`` where what comes back to its sender arrives, as
    the places of pick-up are named; ``is_kept``: a message waits at its home while the agent is
    away. A server that said "not now" ``attempts`` times may be tried again at ``retry_at``.
    """

    nonce: str
    route: str
    sequence: int
    within: timedelta
    lost_after: timedelta
    planned_at: datetime
    state: State = State.PLANNED
    sent_at: datetime | None = None
    answered_at: datetime | None = None
    arrived_at: datetime | None = None
    judged_at: datetime | None = None
    duration: timedelta | None = None
    failure: str = ""
    unjudged: str = ""
    detail: str = ""
    duplicates: int = 0
    damaged: bool = False
    witness: Witness = Witness.NOBODY
    hint: str = ""
    server: str = ""
    home: str = ""
    origin: str = ""
    is_kept: bool = False
    folder: str = ""
    attempts: int = 0
    first_sent_at: datetime | None = None
    retry_at: datetime | None = None

    @property
    def is_in_flight(self) -> bool:
        """Whether its fate is still open."""
        return self.state in OPEN and self.judged_at is None

    @property
    def is_waiting(self) -> bool:
        """Whether a server asked for it to be sent again later."""
        return self.state is State.PLANNED and self.attempts > 0 and self.judged_at is None

    @property
    def is_interrupted(self) -> bool:
        """Whether the agent was away while it was under way, so that lateness says nothing."""
        return self.unjudged == INTERRUPTED

    @property
    def has_arrived(self) -> bool:
        """Whether it was seen anywhere."""
        return self.state in HERE and self.arrived_at is not None

    @property
    def is_delivered(self) -> bool:
        """Whether it reached the mailbox it was meant for, be it late or in the junk folder."""
        return self.state in DELIVERED

    @property
    def seconds(self) -> float:
        """Seconds from sending to arrival; 0 where it has not arrived."""
        return (self.duration or timedelta()).total_seconds()

    @property
    def deferral(self) -> timedelta:
        """The time from its first sending to its last, which greylisting costs."""
        if self.sent_at is None or self.first_sent_at is None:
            return timedelta()
        return max(self.sent_at - self.first_sent_at, timedelta())
