"""Where has a message been, and who holds it?

The way of one message as a picture: the hosts that wrote themselves into its header, whose they
are, how long each step took and whether it was encrypted. Of one that has not arrived the last who
is known to have had it is shown: there somebody must look.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime

from agent.domain.entry import Entry, State, Witness
from agent.domain.fact import Mood, Path, Stop
from agent.domain.owners import Owner, Owners
from agent.domain.reading import Reading
from agent.domain.trace import Hop

AGENT = "this agent"
_ENDS: Mapping[State, Mood] = {
    State.DELIVERED: "good",
    State.JUNKED: "warning",
    State.LATE: "warning",
}
_HOLDS: Mapping[State, Mood] = {
    State.LOST: "bad",
    State.UNCERTAIN: "unknown",
}


def draw(
    entry: Entry, reading: Reading | None, *, server: str, owners: Owners, now: datetime
) -> Path:
    """Return the way of a message, as far as it is known.

    *reading* is what its header said, where it arrived; *server* is who was to take it.
    """
    stops = [Stop(AGENT, Owner.US.value, note=f"sent {_time(entry.sent_at or entry.planned_at)}")]
    hops = () if reading is None else reading.trace.hops
    if hops:
        stops += [_stop(hop) for hop in hops]
    else:
        stops.append(_first_server(entry, entry.server or server, owners, now))
    stops += _end(entry, reading)
    return Path(tuple(stops))


def times_by_owner(reading: Reading) -> dict[Owner, float]:
    """Return the seconds that a message spent with the hosts of each owner, as they claim it.

    The time between two hops was spent at the first of them.
    """
    spent: defaultdict[Owner, float] = defaultdict(float)
    before: Hop | None = None
    for hop in reading.trace.hops:
        if before is not None and hop.delay is not None:
            spent[before.owner] += hop.delay.total_seconds()
        if hop.received.at is not None and not hop.is_skewed:
            before = hop
    return dict(spent)


def visible_after(entry: Entry, reading: Reading) -> float | None:
    """Return the seconds from the last hop's claimed time until the agent saw the message."""
    times = [hop.received.at for hop in reading.trace.hops if not hop.is_skewed]
    if not times or times[-1] is None or entry.arrived_at is None:
        return None
    # A field tells whole seconds: it cannot have been there longer than it was under way.
    return min(max((entry.arrived_at - times[-1]).total_seconds(), 0.0), entry.seconds)


def _stop(hop: Hop) -> Stop:
    notes = []
    if hop.is_skewed:
        notes.append("its clock is wrong")
    elif hop.is_corrected:
        notes.append("clocks disagree")
    if hop.is_claim:
        notes.append("as somebody claims")
    return Stop(
        host=hop.host or "a host without a name",
        owner=hop.owner.value,
        seconds=None if hop.delay is None else hop.delay.total_seconds(),
        link=_link(hop),
        mood="bad" if hop.encrypted is False else "warning" if hop.is_skewed else "plain",
        note=", ".join(notes),
    )


def _link(hop: Hop) -> str:
    if hop.encrypted is None:
        return "inside"
    return f"TLS {hop.received.tls}".rstrip() if hop.encrypted else "not encrypted"


def _first_server(entry: Entry, server: str, owners: Owners, now: datetime) -> Stop:
    """Return who was to take the message, and whether it is there still, for all that is known."""
    answered = (
        None
        if entry.answered_at is None or entry.sent_at is None
        else max((entry.answered_at - entry.sent_at).total_seconds(), 0.0)
    )
    mood, note = _standing(entry, now)
    owner = owners.of(server.partition(" ")[0].lower())
    whose = "" if owner is Owner.UNKNOWN else owner.value
    return Stop(server, whose, answered, mood=mood, note=note)


def _standing(entry: Entry, now: datetime) -> tuple[Mood, str]:
    if entry.is_waiting:
        return "warning", f"put it off: {entry.detail}"
    said = f": {entry.detail}" if entry.detail else ""
    match entry.state:
        case State.REJECTED if entry.unjudged:
            return "unknown", f"was not given it{said}"
        case State.REJECTED:
            return "bad", f"did not take it{said}"
        # Where it said yes, nobody knows what came later.
        case State.UNCERTAIN if entry.witness is not Witness.SUBMISSION:
            return "unknown", f"nobody knows whether it took it{said}"
        case State.ACCEPTED | State.LOST | State.UNCERTAIN:
            at = entry.answered_at or entry.sent_at or entry.planned_at
            held = max((now - at).total_seconds(), 0.0)
            mood = _HOLDS.get(entry.state, "plain")
            return mood, f"took it {held:.0f} s ago, and is the last who is known to have it{said}"
    is_begun = entry.state in (State.PLANNED, State.SENDING)
    return "plain", "is being talked to" if is_begun else "took it"


def _end(entry: Entry, reading: Reading | None) -> Iterator[Stop]:
    """Yield where the message ended, or should have."""
    home = entry.home or "sink"
    if entry.has_arrived:
        mood = _ENDS.get(entry.state, "bad")
        # It came, but not home.
        other = {State.LOOPED: entry.origin, State.MISROUTED: "another place"}
        home = other.get(entry.state) or home
        seen = None if reading is None else visible_after(entry, reading)
        note = f"{entry.state} after {entry.seconds:.1f} s, {entry.detail}".removesuffix(", ")
        yield Stop(home, Owner.US.value, seen, "seen by the agent", mood, note)
    elif entry.state in (State.BOUNCED, State.LOOPED, State.QUARANTINED):
        yield Stop(f"({entry.state})", note=entry.detail, mood="bad")
    elif entry.state is State.LOST:
        yield Stop(home, Owner.US.value, mood="bad", note="it never came here" + _hint(entry))
    elif entry.is_in_flight and not entry.is_waiting:
        yield Stop(home, Owner.US.value, note="it is not here yet" + _hint(entry))


def _hint(entry: Entry) -> str:
    return f"; {entry.hint}" if entry.hint else ""


def _time(at: datetime) -> str:
    return at.strftime("%H:%M:%SZ")
