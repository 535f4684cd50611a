"""What has become of every synthetic message?

A pure state machine over time passed in. Each message is in exactly one state. What was counted
once stays counted: a message that was lost and comes in after all becomes late, and remains one
of the messages that failed, so that counters never fall, and are the same when they are added up
again after a restart.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from agent.domain.entry import (
    FAILURES,
    INTERRUPTED,
    UNJUDGED,
    UNSEEN,
    Entry,
    Place,
    State,
    Witness,
)

__all__ = ["FAILURES", "INTERRUPTED", "UNJUDGED", "UNSEEN", "Entry", "Place", "State", "Witness"]

BLIND = timedelta(days=1)  # after which a message that nobody could look for is given up
_ARRIVED = {
    Place.JUNK: State.JUNKED,
    Place.QUARANTINE: State.QUARANTINED,
    Place.ORIGIN: State.LOOPED,
    Place.ELSEWHERE: State.MISROUTED,
}


def sending(entry: Entry, at: datetime) -> Entry:
    """Mark that the next thing to happen is its first octet; to be stored before that."""
    _expect(entry, State.PLANNED)
    return replace(
        entry,
        state=State.SENDING,
        sent_at=at,
        first_sent_at=entry.first_sent_at or at,
        answered_at=None,
        retry_at=None,
        witness=Witness.NOBODY,
        detail="",
    )


def withdrawn(entry: Entry, at: datetime, reason: str, detail: str = "") -> Entry:
    """Mark that it was certainly not sent, for a reason of ours (one of UNJUDGED).

    Of a message that is sent again, somebody may have told the fate meanwhile: that stands.
    """
    if entry.judged_at is not None:
        return entry
    _expect(entry, State.PLANNED, State.SENDING)
    return _unjudged(replace(entry, state=State.REJECTED, detail=detail), at, reason)


def accepted(entry: Entry, at: datetime, detail: str = "", server: str = "") -> Entry:
    """Mark that *server* took it; a message may arrive before its sender has the reply."""
    if entry.state is not State.SENDING:
        return replace(entry, answered_at=at, server=server)
    return replace(
        entry,
        state=State.ACCEPTED,
        answered_at=at,
        detail=detail,
        server=server,
        witness=Witness.SUBMISSION,
    )


def deferred(entry: Entry, at: datetime, wait: timedelta, detail: str = "") -> Entry:
    """Mark that the server said "not now" before it took anything: to be sent again after *wait*.

    RFC 5321 section 4.5.4.1. Only a message that was certainly not taken may take this step.
    """
    if entry.state is not State.SENDING:
        return replace(entry, answered_at=at)
    return replace(
        entry,
        state=State.PLANNED,
        attempts=entry.attempts + 1,
        retry_at=at + wait,
        answered_at=at,
        witness=Witness.SUBMISSION,
        detail=detail,
    )


def rejected(entry: Entry, at: datetime, failure: str, detail: str = "") -> Entry:
    """Mark that the server did not take it: ``refused``, ``deferred`` or ``unreached``."""
    if entry.state is not State.SENDING:
        return replace(entry, answered_at=at)
    changed = replace(
        entry, state=State.REJECTED, answered_at=at, detail=detail, witness=Witness.SUBMISSION
    )
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
    witness: Witness = Witness.SINK,
    folder: str = "",
) -> Entry:
    """Mark that *witness* saw it at *place*, *duration* after it was sent."""
    if entry.has_arrived:
        return replace(entry, duplicates=entry.duplicates + 1, damaged=entry.damaged or damaged)
    state = _ARRIVED.get(place, State.DELIVERED)
    is_late = duration > entry.within or entry.failure == "lost"
    if state is State.DELIVERED and is_late:
        state = State.LATE
    seen = replace(
        entry,
        state=state,
        arrived_at=at,
        duration=duration,
        damaged=entry.damaged or damaged,
        detail=detail,
        witness=witness,
        folder=folder,
    )
    if state is State.JUNKED and is_late:
        return _failed(seen, at, "late")
    good = state in (State.DELIVERED, State.JUNKED)
    return _judged(seen, at) if good else _failed(seen, at, state.value)


def bounced(
    entry: Entry,
    at: datetime,
    detail: str = "",
    *,
    witness: Witness = Witness.REPORT,
    is_loop: bool = False,
) -> Entry:
    """Mark that it failed on its way, as *witness* says; an arrival that was seen weighs more.

    *is_loop*: it went round until somebody cut that (5.4.6, 5.4.14).
    """
    if entry.has_arrived:
        return replace(entry, hint=detail)
    state = State.LOOPED if is_loop else State.BOUNCED
    return _failed(replace(entry, state=state, detail=detail, witness=witness), at, state.value)


def quarantined(entry: Entry, at: datetime, detail: str = "") -> Entry:
    """Mark that the message trace says that it is in quarantine."""
    if entry.has_arrived:
        return replace(entry, hint=detail)
    held = replace(entry, state=State.QUARANTINED, detail=detail, witness=Witness.TRACE)
    return _failed(held, at, "quarantined")


def hinted(entry: Entry, hint: str) -> Entry:
    """Note what a witness said that decides nothing, such as a delay or a trace that is pending."""
    return replace(entry, hint=hint)


def judged(entry: Entry, at: datetime, age: timedelta, looked: timedelta | None = None) -> Entry:
    """Give a message up that is older than its ``lost_after``.

    *looked* is how old it was when its home was last looked into; None where whatever comes there
    is seen at once. Nobody calls a message lost without a look after its time. One that was perhaps
    never taken, or could not come in while the agent was away, is not called lost: it is uncertain,
    and is counted so.
    """
    if not entry.is_in_flight:
        return entry
    if entry.is_waiting:
        return _given_up(entry, at)
    if age < entry.lost_after:
        return entry
    if entry.state is State.PLANNED:
        return withdrawn(entry, at, "not-sent")
    if looked is None or looked >= entry.lost_after:
        return _missed(entry, at)
    is_blind = age >= entry.lost_after + BLIND
    return _unjudged(replace(entry, state=State.UNCERTAIN), at, UNSEEN) if is_blind else entry


def _missed(entry: Entry, at: datetime) -> Entry:
    """Judge a message that was looked for after its time, and is not there."""
    if entry.state is State.ACCEPTED and not entry.unjudged:
        return _failed(replace(entry, state=State.LOST, witness=Witness.CLOCK), at, "lost")
    return _unjudged(replace(entry, state=State.UNCERTAIN), at, "uncertain")


def _given_up(entry: Entry, at: datetime) -> Entry:
    """Send a message no more that was put off for longer than it may take to arrive."""
    if at - (entry.first_sent_at or entry.planned_at) < entry.lost_after:
        return entry
    return _failed(replace(entry, state=State.REJECTED), at, "deferred")


def recovered(entry: Entry, at: datetime) -> Entry:
    """Return what is known of a message after the process that sent it has died.

    It may have been anywhere in its sending, so it becomes uncertain, and is never sent again. One
    that was under way could not come in while nobody was there to take it: from now on it is no
    fault of the route where it is late or does not come at all. A mailbox keeps it meanwhile. What
    a server has put off was not taken, and may still be sent again.
    """
    if entry.is_waiting:
        return entry
    if entry.state is State.PLANNED:
        return withdrawn(entry, at, INTERRUPTED)
    return away(uncertain(entry, at, "the agent stopped while it was sending"))


def away(entry: Entry) -> Entry:
    """Mark that nobody was there for a while to take a message that is under way."""
    is_missed = entry.is_in_flight and not entry.is_waiting and not entry.is_kept
    return replace(entry, unjudged=INTERRUPTED) if is_missed else entry


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
