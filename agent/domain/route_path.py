"""Where has a message been, and who holds it?

The way of one message as a picture: the hosts that wrote themselves into its header, whose they
are, how long each step took and whether it was encrypted. Of one that has not arrived the last who
is known to have had it is shown: there somebody must look.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from agent.domain.entry import Entry, State, Witness
from agent.domain.fact import Mood, Path, Stop
from agent.domain.owners import Owner, Owners
from agent.domain.reading import Reading
from agent.domain.received import Received
from agent.domain.route_report import said_of
from agent.domain.trace import Held, Hop, holder, stays

AGENT = "this agent"
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.[a-z][a-z0-9-]+")
_ENDS: Mapping[State, Mood] = {
    State.DELIVERED: "good",
    State.JUNKED: "warning",
    State.LATE: "warning",
}
_HOLDS: Mapping[State, Mood] = {
    # Who had it last need not be who lost it.
    State.LOST: "warning",
    State.UNCERTAIN: "unknown",
}


@dataclass(frozen=True, slots=True)
class Leaving:
    """Who was to take the messages of a route, and by which name the agent called itself there."""

    server: str
    helo: str = ""


def draw(
    entry: Entry, reading: Reading | None, *, leaving: Leaving, owners: Owners, wrong: str = ""
) -> Path:
    """Return the way of a message, as far as it is known.

    *reading* is what its header said, where it arrived. *wrong* is what is wrong with a message
    that arrived, in words.
    """
    server = entry.server or leaving.server
    stops = [Stop(AGENT, Owner.US.value, note=f"sent {_time(entry.sent_at or entry.planned_at)}")]
    hops = () if reading is None else reading.trace.hops
    if hops:
        if not hops[0].is_claim:
            stops += _strangers(hops[0].received, server, leaving.helo, owners)
        slow = holder(reading.trace) if reading and entry.state is State.LATE else None
        stops += [_stop(hop, slow) for hop in hops]
    else:
        stops.append(_first_server(entry, server, owners))
    if hops and entry.witness is Witness.SINK:
        stops.pop()  # the agent's own server: it is where the way ends
    stops += _end(entry, reading, wrong)
    return Path(tuple(stops))


def times_by_owner(reading: Reading) -> dict[Owner, float]:
    """Return the seconds that a message spent with the hosts of each owner, as they claim it."""
    spent: defaultdict[Owner, float] = defaultdict(float)
    for stay in stays(reading.trace):
        spent[stay.owner] += stay.time.total_seconds()
    return dict(spent)


def visible_after(entry: Entry, reading: Reading) -> float | None:
    """Return the seconds from the last hop's claimed time until the agent saw the message."""
    times = [hop.received.at for hop in reading.trace.hops if not hop.is_skewed]
    if not times or times[-1] is None or entry.arrived_at is None:
        return None
    # A field tells whole seconds: it cannot have been there longer than it was under way.
    return min(max((entry.arrived_at - times[-1]).total_seconds(), 0.0), entry.seconds)


def _strangers(first: Received, server: str, helo: str, owners: Owners) -> Iterator[Stop]:
    """Yield who had the message before the first host that wrote itself into its header.

    Where that host is not the one that we gave it to, somebody else brought it there.
    """
    host = server.partition(" ")[0].lower()
    client = first.from_name or first.from_host
    named = (first.by_host, first.from_host, first.from_name)
    # An address tells nothing, nor does a client without a name; our own name is no stranger's.
    if host in named or helo.lower() in named or not (_NAME.fullmatch(host) and "." in client):
        return
    yield Stop(host, _whose(owners, host), note="took it, as far as the agent saw")
    owner = owners.of_client(first.from_host, first.from_name, first.from_address)
    note = f"brought it to {first.by_host}, though it was given to {host}"
    yield Stop(client, owner.value, link="unknown", mood="warning", note=note)


def _whose(owners: Owners, host: str) -> str:
    owner = owners.of(host)
    return "" if owner is Owner.UNKNOWN else owner.value


def _stop(hop: Hop, slow: Held | None) -> Stop:
    is_slow = slow is not None and slow.hop is hop
    notes = [f"had it for {slow.time.total_seconds():.0f} s"] if slow and is_slow else []
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
        mood=_mood(hop, is_slow=is_slow),
        note=", ".join(notes),
    )


def _mood(hop: Hop, *, is_slow: bool) -> Mood:
    if hop.encrypted is False:
        return "bad"
    return "warning" if hop.is_skewed or is_slow else "plain"


def _link(hop: Hop) -> str:
    if hop.encrypted is None:
        return "inside"
    return f"TLS {hop.received.tls}".rstrip() if hop.encrypted else "not encrypted"


def _first_server(entry: Entry, server: str, owners: Owners) -> Stop:
    """Return who was to take the message, and whether it is there still, for all that is known."""
    answered = (
        None
        if entry.answered_at is None or entry.sent_at is None
        else max((entry.answered_at - entry.sent_at).total_seconds(), 0.0)
    )
    mood, note = _standing(entry)
    whose = _whose(owners, server.partition(" ")[0].lower())
    return Stop(server, whose, answered, mood=mood, note=note)


def _standing(entry: Entry) -> tuple[Mood, str]:
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
            mood = _HOLDS.get(entry.state, "plain")
            return mood, f"took it at {_time(at)}, and is the last who is known to have it{said}"
    is_begun = entry.state in (State.PLANNED, State.SENDING)
    return "plain", "is being talked to" if is_begun else "took it"


def _end(entry: Entry, reading: Reading | None, wrong: str) -> Iterator[Stop]:
    """Yield where the message ended, or should have."""
    home = entry.home or "sink"
    if entry.has_arrived:
        mood = "bad" if wrong else _ENDS.get(entry.state, "bad")
        # It came, but not home.
        other = {State.LOOPED: entry.origin, State.MISROUTED: "another place"}
        home = other.get(entry.state) or home
        seen = None if reading is None else visible_after(entry, reading)
        note = f"{entry.state} after {entry.seconds:.1f} s, {entry.detail}".removesuffix(", ")
        note += f", but {wrong}" if wrong else ""
        link = "seen by the agent"
        if reading is not None and reading.trace.hops and entry.witness is Witness.SINK:
            link = _link(reading.trace.hops[-1])
        yield Stop(home, Owner.US.value, seen, link, mood, note)
    elif entry.state in (State.BOUNCED, State.LOOPED, State.QUARANTINED):
        yield Stop(f"({entry.state})", note=said_of(entry), mood="bad")
    elif entry.state is State.LOST:
        yield Stop(home, Owner.US.value, mood="bad", note="it never came here" + _hint(entry))
    elif entry.is_in_flight and not entry.is_waiting:
        yield Stop(home, Owner.US.value, note="it is not here yet" + _hint(entry))


def _hint(entry: Entry) -> str:
    return f"; {entry.hint}" if entry.hint else ""


def _time(at: datetime) -> str:
    return at.strftime("%H:%M:%SZ")
