"""What has become of every synthetic message?

A pure state machine over time passed in. Each message is in exactly one state. What was counted
once stays counted: a message that was lost and comes in after all becomes late, and remains one
of the messages that failed, so that counters never fall, and are the same when they are added up
again after a restart.
"""

import enum
from dataclasses import dataclass, replace
from datetime import datetime, timedelta


class State(enum.StrEnum):
    """Where a message is, as far as we know."""

    PLANNED = "planned"
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
    JUNK = "junk"
    QUARANTINE = "quarantine"
    ORIGIN = "origin"  # it came back to where it was sent from
    ELSEWHERE = "elsewhere"


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
UNJUDGED = ("uncertain", INTERRUPTED, "not-sent")

_ARRIVED = {
    Place.JUNK: State.JUNKED,
    Place.QUARANTINE: State.QUARANTINED,
    Place.ORIGIN: State.LOOPED,
    Place.ELSEWHERE: State.MISROUTED,
}
_OPEN = frozenset({State.PLANNED, State.SENDING, State.ACCEPTED, State.UNCERTAIN})
# States that an arrival decides; a second arrival is a duplicate. What is in quarantine has not
# arrived: somebody may release it.
_DELIVERED = frozenset({State.DELIVERED, State.LATE, State.JUNKED})
_HERE = _DELIVERED | {State.LOOPED, State.MISROUTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One synthetic message and all that is known of its fate.

    ``within`` is when it is late and ``lost_after`` when it is given up, both counted from
    ``sent_at``. ``judged_at`` is when it was first counted, under ``failure`` (one of FAILURES),
    under ``unjudged`` (one of UNJUDGED), or under neither, which is well. INTERRUPTED there is set
    before, and holds unless the message comes in time or something else is the matter with it.
    ``detail`` is what the deciding witness said; ``duration`` is from sending to arrival.
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

    @property
    def is_in_flight(self) -> bool:
        """Whether its fate is still open."""
        return self.state in _OPEN and self.judged_at is None

    @property
    def is_interrupted(self) -> bool:
        """Whether the agent was away while it was under way, so that lateness says nothing."""
        return self.unjudged == INTERRUPTED

    @property
    def has_arrived(self) -> bool:
        """Whether it was seen anywhere."""
        return self.state in _HERE

    @property
    def is_delivered(self) -> bool:
        """Whether it reached the mailbox it was meant for, be it late or in the junk folder."""
        return self.state in _DELIVERED

    @property
    def seconds(self) -> float:
        """Seconds from sending to arrival; 0 where it has not arrived."""
        return (self.duration or timedelta()).total_seconds()


def sending(entry: Entry, at: datetime) -> Entry:
    """Mark that the next thing to happen is its first octet; to be stored before that."""
    _expect(entry, State.PLANNED)
    return replace(entry, state=State.SENDING, sent_at=at)


def withdrawn(entry: Entry, at: datetime, reason: str, detail: str = "") -> Entry:
    """Mark that it was certainly not sent, for a reason of ours (one of UNJUDGED)."""
    _expect(entry, State.PLANNED, State.SENDING)
    return _unjudged(replace(entry, state=State.REJECTED, detail=detail), at, reason)


def accepted(entry: Entry, at: datetime, detail: str = "") -> Entry:
    """Mark that the server took it; a message may arrive before its sender has the reply."""
    if entry.state is not State.SENDING:
        return replace(entry, answered_at=at)
    return replace(entry, state=State.ACCEPTED, answered_at=at, detail=detail)


def rejected(entry: Entry, at: datetime, failure: str, detail: str = "") -> Entry:
    """Mark that the server did not take it: ``refused``, ``deferred`` or ``unreached``."""
    if entry.state is not State.SENDING:
        return replace(entry, answered_at=at)
    changed = replace(entry, state=State.REJECTED, answered_at=at, detail=detail)
    return _failed(changed, at, failure)


def uncertain(entry: Entry, at: datetime, detail: str = "") -> Entry:
    """Mark that nobody knows whether the server took it; it is never sent again."""
    if entry.state is not State.SENDING:
        return entry
    return replace(entry, state=State.UNCERTAIN, answered_at=at, detail=detail)


def arrived(  # noqa: PLR0913 - the facts of an arrival, by keyword
    entry: Entry,
    at: datetime,
    *,
    duration: timedelta,
    place: Place = Place.INBOX,
    damaged: bool = False,
    detail: str = "",
) -> Entry:
    """Mark that it was seen at *place*, *duration* after it was sent."""
    if entry.has_arrived:
        return replace(entry, duplicates=entry.duplicates + 1, damaged=entry.damaged or damaged)
    state = _ARRIVED.get(place, State.DELIVERED)
    if state is State.DELIVERED and (duration > entry.within or entry.failure == "lost"):
        state = State.LATE
    seen = replace(
        entry,
        state=state,
        arrived_at=at,
        duration=duration,
        damaged=entry.damaged or damaged,
        detail=detail,
    )
    good = state in (State.DELIVERED, State.JUNKED)
    return _judged(seen, at) if good else _failed(seen, at, state.value)


def bounced(entry: Entry, at: datetime, detail: str = "") -> Entry:
    """Mark that a non-delivery report came back; an arrival that was seen weighs more."""
    if entry.has_arrived:
        return entry
    return _failed(replace(entry, state=State.BOUNCED, detail=detail), at, "bounced")


def judged(entry: Entry, at: datetime, age: timedelta) -> Entry:
    """Give a message up that is older than its ``lost_after``.

    One that was perhaps never taken, or could not come in while the agent was away, is not called
    lost: it is uncertain, and is counted so.
    """
    if not entry.is_in_flight or age < entry.lost_after:
        return entry
    if entry.state is State.ACCEPTED and not entry.unjudged:
        return _failed(replace(entry, state=State.LOST), at, "lost")
    if entry.state is State.PLANNED:
        return withdrawn(entry, at, "not-sent")
    return _unjudged(replace(entry, state=State.UNCERTAIN), at, "uncertain")


def recovered(entry: Entry, at: datetime) -> Entry:
    """Return what is known of a message after the process that sent it has died.

    It may have been anywhere in its sending, so it becomes uncertain, and is never sent again. One
    that was under way could not come in while nobody was there to take it: from now on it is no
    fault of the route where it is late or does not come at all.
    """
    if entry.state is State.PLANNED:
        return withdrawn(entry, at, INTERRUPTED)
    found = uncertain(entry, at, "the agent stopped while it was sending")
    return replace(found, unjudged=INTERRUPTED) if found.is_in_flight else found


def _expect(entry: Entry, *states: State) -> None:
    """Raise ValueError for a step that the caller must not take: a bug of ours."""
    if entry.state not in states:
        message = f"a message that is {entry.state} cannot take this step"
        raise ValueError(message)


def _judged(entry: Entry, at: datetime) -> Entry:
    return entry if entry.judged_at else replace(entry, judged_at=at, unjudged="")


def _failed(entry: Entry, at: datetime, failure: str) -> Entry:
    if failure == "late" and entry.unjudged:
        return _unjudged(entry, at, entry.unjudged)
    return entry if entry.judged_at else replace(entry, judged_at=at, failure=failure, unjudged="")


def _unjudged(entry: Entry, at: datetime, reason: str) -> Entry:
    return (
        entry
        if entry.judged_at
        else replace(entry, judged_at=at, unjudged=entry.unjudged or reason)
    )
