"""Which addresses do we connect to, and how many connections does a host see from us?

Names never come here: whoever calls has resolved them, so the address that is checked is the one
that is connected to. Mail data of strangers (an MX record) must not steer the agent into its own
network, at a metadata service, or at itself. A host that many checks share sees few connections at
a time.
"""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Final, Literal

from agent.adapters.clock import Clock
from agent.adapters.courtesy import Courtesy
from agent.adapters.line import Line
from agent.domain.knowledge.addresses import special_use
from agent.domain.smtp import Reason

Address = IPv4Address | IPv6Address
Reach = Literal["public", "private", "any"]

_WITH_IPV4: Final = (  # whose last 32 bits are an address of IPv4
    IPv6Network("64:ff9b::/96"),  # NAT64, RFC 6052 section 2.1
    IPv6Network("64:ff9b:1::/48"),  # of a network's own, RFC 8215
    IPv6Network("::ffff:0:0:0/96"),  # RFC 2765 section 2.1
    IPv6Network("::/96"),  # RFC 4291 section 2.5.5.1
)
_METADATA = frozenset(
    {IPv4Address("169.254.169.254"), IPv6Address("fd00:ec2::254"), IPv4Address("100.100.100.200")}
)
EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def is_allowed(address: Address, reach: Reach) -> bool:
    """Tell whether an address may be connected to.

    ``public`` is for addresses found in public data, ``private`` for names that the operator wrote
    (their own networks count), ``any`` for addresses that the operator wrote.
    """
    if reach == "any":
        return True
    for each in _faces(address):
        if each in _METADATA or _is_never_a_host(each):
            return False
        if reach == "public" and (not each.is_global or special_use(each) is not None):
            return False
    return True


def _is_never_a_host(address: Address) -> bool:
    return (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address == IPv4Address("255.255.255.255")
    )


def _faces(address: Address) -> tuple[Address, ...]:
    """Return the addresses that connecting to *address* may end up at."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address, address.sixtofour)
    if any(address in network for network in _WITH_IPV4):
        inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        return (inner,) if special_use(address) is None else (address, inner)
    return (address,)


@dataclass(slots=True)
class _Slots:
    """The connections that one host may see, and how many want one."""

    semaphore: asyncio.Semaphore
    users: int = field(default=0)


class Dialer:
    """Makes every connection to a mail server.

    ``per_host`` is how many connections one address sees at a time, ``spacing`` the least time
    between the starts of two. ``detours`` sends what is meant for an address and port somewhere
    else; with ``detours_only`` nothing else is reached. Both are for the lab, whose mail world has
    public addresses and lives on loopback. ``courtesy`` keeps who asked us to slow down.
    ``is_in_doubt`` tells whether the last try to connect to a public address did not succeed.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        per_host: int = 3,
        spacing: timedelta = timedelta(),
        detours: Mapping[tuple[str, int], tuple[str, int]] | None = None,
        detours_only: bool = False,
    ) -> None:
        self._clock = clock
        self._per_host = per_host
        self.detours = dict(detours or {})
        self._detours_only = detours_only
        self._slots: dict[Address, _Slots] = {}
        self._greeted: dict[int, float] = {}  # a port, and when a public server last spoke there
        self.is_in_doubt = False  # whether the last connection to a public address failed
        self.courtesy = Courtesy(clock, spacing)

    def note_greeting(self, address: Address, port: int) -> None:
        """Take in that a server has spoken; what only connects may be a device in between."""
        if address.is_global:
            self._greeted[port] = self._clock.monotonic()

    def was_greeted(self, port: int, within: timedelta) -> bool:
        """Tell whether a server with a public address has spoken at *port* that lately."""
        at = self._greeted.get(port)
        return at is not None and self._clock.monotonic() - at <= within.total_seconds()

    @property
    def hosts_in_use(self) -> int:
        """How many addresses have connections, or wait for one."""
        return len(self._slots)

    def detour(self, address: str, port: int) -> tuple[str, int] | None:
        """Return where *address* and *port* really are; None where nobody goes there."""
        return self.detours.get((address, port)) or (
            None if self._detours_only else (address, port)
        )

    @asynccontextmanager
    async def connect(
        self, address: Address, port: int, *, reach: Reach, patience: timedelta | None = None
    ) -> AsyncIterator[Line | Reason]:
        """Connect, giving the line or the reason why there is none, and close it afterwards.

        *patience* is how long to wait until other sessions leave room at the host, which is no
        fault of its. There is no deadline otherwise: the caller's ends it.
        """
        place = self.detour(str(address), port)
        if not is_allowed(address, reach) or place is None:
            yield Reason.FORBIDDEN_ADDRESS
            return
        async with self._slot(address, patience) as is_free:
            line = await self._note(address, place) if is_free else Reason.BUSY
            try:
                yield line
            finally:
                if isinstance(line, Line):
                    await line.close()

    @asynccontextmanager
    async def _slot(self, address: Address, patience: timedelta | None) -> AsyncIterator[bool]:
        """Wait for one of the host's connections; hosts without users are forgotten."""
        slots = self._slots.get(address)
        if slots is None:
            slots = self._slots[address] = _Slots(asyncio.Semaphore(self._per_host))
        slots.users += 1
        is_free = False
        try:
            is_free = await _wait_for(self._turn(slots.semaphore, address), patience)
            yield is_free
        finally:
            if is_free:
                slots.semaphore.release()
            slots.users -= 1
            if not slots.users:
                del self._slots[address]

    async def _turn(self, semaphore: asyncio.Semaphore, address: Address) -> None:
        """Wait for a connection to be free, and for the time between two to be over."""
        await semaphore.acquire()
        try:
            await asyncio.sleep(self.courtesy.wait_for(address))
        except asyncio.CancelledError:
            semaphore.release()
            raise

    async def _note(self, address: Address, place: tuple[str, int]) -> Line | Reason:
        """Connect, and remember whether the internet could be reached."""
        line: Line | Reason | None = None
        try:
            line = await self._open(place)
        finally:
            # A try that was cut off by its deadline has not succeeded either.
            if address.is_global and line is not Reason.EXHAUSTED:
                self.is_in_doubt = not isinstance(line, Line)
        return line

    async def _open(self, place: tuple[str, int]) -> Line | Reason:
        host, port = place
        monotonic = self._clock.monotonic
        began = monotonic()
        try:
            # An address as host: asyncio looks nothing up.
            _, line = await asyncio.get_running_loop().create_connection(
                lambda: Line(monotonic), host, port, flags=socket.AI_NUMERICHOST
            )
        except OSError as error:
            return reason_of(error)
        line.connect_seconds = line.arrived_at - began
        return line


async def _wait_for(turn: Awaitable[None], patience: timedelta | None) -> bool:
    try:
        async with asyncio.timeout(None if patience is None else patience.total_seconds()):
            await turn
    except TimeoutError:
        return False
    return True


def reason_of(error: OSError) -> Reason:
    """Return why a connection could not be made, in a word of ours."""
    match error.errno:
        case errno.ECONNREFUSED:
            return Reason.REFUSED
        case errno.ETIMEDOUT | errno.EHOSTUNREACH:
            return Reason.TIMEOUT  # a router's word that the host does not answer
        case errno.ECONNRESET | errno.ECONNABORTED | errno.EPIPE:
            return Reason.CONNECTION_LOST
        case number if number in EXHAUSTED:
            return Reason.EXHAUSTED
        case _:
            return Reason.NO_ROUTE  # no network, no such address family, forbidden by a policy
