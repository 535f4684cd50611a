"""Which way did a message take, who held it, and was it encrypted?

The Received fields, oldest first. Only the newest ones are evidence: those that the reader's own
servers, their filter and Exchange Online wrote, down to the first client that is none of them. What
stands below may be forged; it is kept, and marked as a claim.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.domain.header_fields import Fields
from agent.domain.hop_times import Clock, judge
from agent.domain.knowledge.microsoft_hosts import HostClass, host_class
from agent.domain.loops import LoopSign, Stop, find_loops
from agent.domain.mail_date import read_date
from agent.domain.owners import Owner, Owners
from agent.domain.received import Received, read_address, read_received

MAX_HOPS = 100  # that are read, the newest ones; RFC 5321 section 6.3 lets servers refuse more

_BELIEVED = frozenset({Owner.US, Owner.FILTER, Owner.MICROSOFT})
_REPORT = "x-forefront-antispam-report"
_MAX_REPORT = 4096  # characters that are looked at
_CIP = re.compile(r"\bCIP:([0-9A-Fa-f.:]{2,45})")
_PTR = re.compile(r"\bPTR:([^;\s]{1,255})")


@dataclass(frozen=True, slots=True)
class Hop:
    """A Received field judged; ``owner`` runs the host that wrote it.

    ``encrypted`` is None where the message did not cross a network, or the field is broken.
    ``is_claim``: anybody could have written it. ``client`` runs the host that the message came
    from, as far as that cannot lie; ``client_name`` is the name of its address in DNS.
    """

    received: Received
    owner: Owner
    clock: Clock
    is_claim: bool = False
    client: Owner = Owner.UNKNOWN
    client_name: str = ""

    @property
    def host(self) -> str:
        """The host that wrote the field, by name or address; empty where it does not say."""
        return self.received.by_host or self.received.by_address

    @property
    def host_class(self) -> HostClass | None:
        """What the host is for, where it is Microsoft's."""
        return host_class(self.received.by_host) if self.owner is Owner.MICROSOFT else None

    @property
    def delay(self) -> timedelta | None:
        """The time since the hop before; None for the first, and where it cannot be told."""
        return self.clock.delay

    @property
    def is_corrected(self) -> bool:
        """Whether the clocks disagreed and the delay counts as nothing."""
        return self.clock.is_corrected

    @property
    def is_skewed(self) -> bool:
        """Whether the time that the hop claims cannot be."""
        return self.clock.is_skewed

    @property
    def encrypted(self) -> bool | None:
        """Whether the message came here under TLS, as the host says."""
        if self.received.is_internal or not self.received.by_host:
            return None
        return self.received.is_encrypted


@dataclass(frozen=True, slots=True)
class Trace:
    """The way of a message, oldest hop first.

    ``count`` is the number of Received fields, ``believed`` how many of the newest hops are
    evidence, ``total`` the time from the first to the last hop as they claim it.
    """

    hops: tuple[Hop, ...] = ()
    count: int = 0
    believed: int = 0
    date: datetime | None = None
    is_date_skewed: bool = False
    total: timedelta | None = None
    loops: tuple[LoopSign, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """Who had the message for a time: the hop that took it in, and how long until the next did."""

    hop: Hop
    time: timedelta

    @property
    def owner(self) -> Owner:
        """Who runs the host."""
        return self.hop.owner


def read_trace(fields: Fields, owners: Owners) -> Trace:
    """Read the Received fields of a message. Never raises."""
    values = fields.all("received")
    date = read_date(fields.first("date"))
    newest = [read_received(value) for value in values[:MAX_HOPS]]
    whose = [owners.of(each.by_host, each.by_address) for each in newest]
    clients = _clients(newest, whose, owners, fields.first(_REPORT)[:_MAX_REPORT])
    believed = _believed(newest, whose, [client for client, _ in clients], owners)
    timing = judge([each.at for each in reversed(newest)], date)
    hops = tuple(
        Hop(received, owner, clock, number > believed, *client)
        for received, owner, client, clock, number in zip(
            reversed(newest),
            reversed(whose),
            reversed(clients),
            timing.clocks,
            range(len(newest), 0, -1),
            strict=True,
        )
    )
    return Trace(
        hops=hops,
        count=len(values),
        believed=believed,
        date=date,
        is_date_skewed=timing.is_date_skewed,
        total=timing.total,
        loops=find_loops([_stop(hop) for hop in hops if not hop.received.is_internal], len(values)),
    )


def stays(trace: Trace) -> Iterator[Held]:
    """Yield who held the message, and for how long, as the hosts claim it.

    The time between two hops was spent at the first of them, in its queue.
    """
    before: Hop | None = None
    for hop in trace.hops:
        if before is not None and hop.delay is not None:
            yield Held(before, hop.delay)
        # A delay is counted from the last hop whose time is known.
        if hop.received.at is not None and not hop.is_skewed:
            before = hop


def holder(trace: Trace) -> Held | None:
    """Return who held the message longest; None where nobody is known to have held it."""
    held = (each for each in stays(trace) if each.time)
    return max(held, key=lambda each: each.time, default=None)


def _clients(
    newest: Sequence[Received], whose: Sequence[Owner], owners: Owners, report: str
) -> list[tuple[Owner, str]]:
    """Return who runs each client, and the name of its address as the writer looked it up.

    Exchange Online writes no such name into Received, but that of the first client into its report.
    """
    address, name = _CIP.search(report), _PTR.search(report)
    seen, found = read_address(address[1]) if address else "", name[1].lower() if name else ""
    clients: list[tuple[Owner, str]] = []
    for received, writer in zip(newest, whose, strict=True):
        named, at = received.from_name, received.from_address
        if writer is Owner.MICROSOFT and not named and at and at == seen:
            named = found
        if at.startswith("127.") or at == "::1":
            named = ""  # such as localhost, which says nothing
        is_looked_up = writer is not Owner.MICROSOFT or bool(named)
        owner = owners.of_client(received.from_host, named, at, is_looked_up=is_looked_up)
        clients.append((owner, named))
    return clients


def _believed(
    newest: Sequence[Received], whose: Sequence[Owner], clients: Sequence[Owner], owners: Owners
) -> int:
    """Return how many of the newest fields are evidence.

    The newest was written by whoever keeps the mailbox. Each further one must be by the owner of
    the client that the field above it names.
    """
    expected: Owner | None = None
    for number, (received, owner) in enumerate(zip(newest, whose, strict=True)):
        if expected is not None and owner is not expected:
            return number
        expected = owner
        if received.is_internal and owner is Owner.UNKNOWN and received.from_host:
            # Local delivery: its client is the mail server of the same system.
            expected = owners.of(received.from_host, received.from_address)
        if not received.is_internal:
            expected = clients[number]
            if expected not in _BELIEVED:
                return number + 1
    return len(newest)


def _stop(hop: Hop) -> Stop:
    return Stop(hop.host, hop.owner, hop.host_class)
