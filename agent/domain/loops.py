"""Does the way of a message go round in a circle?

A loop shows in the Received fields before a server counts them and gives up: Exchange Online after
20 rounds, others at a hundred fields (RFC 5321 section 6.3). A way back through an add-on service
or servers of one's own looks like the first round of a loop, so each sign says how often it was
seen; it is for the reader, who knows which ways are meant, to judge a single one.
"""

import enum
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.domain.knowledge.microsoft_hosts import HostClass
from agent.domain.owners import Owner

MOST_HOPS = 25  # a healthy way from tenant to tenant has 4 to 8


class LoopKind(enum.StrEnum):
    """How a loop shows: a closed set."""

    HOST = "the same host took the message again after another one"
    OWNER = "the message came back to an owner after it had left"
    HOPS = "the message has more hops than a way without a loop"


@dataclass(frozen=True, slots=True)
class LoopSign:
    """A sign of a loop: what came back, and how often it was there, or how many hops there are."""

    kind: LoopKind
    subject: str
    times: int


@dataclass(frozen=True, slots=True)
class Stop:
    """A place on the way, for finding loops: who took the message there."""

    host: str
    owner: Owner
    host_class: HostClass | None = None


def find_loops(stops: Sequence[Stop], count: int) -> tuple[LoopSign, ...]:
    """Return the signs of a loop.

    *stops* are the hosts that took the message from another host, oldest first; *count* is the
    number of all Received fields.
    """
    signs = [
        LoopSign(LoopKind.HOST, host, times)
        for host, times in _returns(stop.host for stop in stops if stop.host)
    ]
    signs += [
        LoopSign(LoopKind.OWNER, owner, times)
        for owner, times in _returns(_side(stop) for stop in stops)
        if owner
    ]
    if count > MOST_HOPS:
        signs.append(LoopSign(LoopKind.HOPS, "", count))
    return tuple(signs)


def _side(stop: Stop) -> str:
    """Return the owner as far as coming back to it tells something; empty for anybody else.

    Between two tenants mail goes from mailbox servers to mailbox servers through whatever lies
    between, so that of Microsoft's hosts only those count that take mail from outside.
    """
    if stop.owner is Owner.MICROSOFT:
        return f"{stop.owner} {stop.host_class}" if stop.host_class is HostClass.EDGE else ""
    return "" if stop.owner is Owner.UNKNOWN else str(stop.owner)


def _returns(names: Iterable[str]) -> list[tuple[str, int]]:
    """Return the names that come again after another, and how often each was come to."""
    visits: Counter[str] = Counter()
    before: str | None = None
    for name in names:
        if name != before:
            visits[name] += 1
        before = name
    return [(name, times) for name, times in visits.items() if times > 1]
