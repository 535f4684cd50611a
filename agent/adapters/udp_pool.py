"""How does a query get to a server over UDP, and the genuine reply back?

Each server has a few connected sockets, so the kernel drops what comes from elsewhere, and ICMP
errors are heard. They are replaced every few minutes: with the random port of each socket and the
random id of each query, a forger has to guess some thirty bits (RFC 5452). A packet that fits no
query under way is counted and ignored, and waiting goes on.

Round trips end with the kernel's stamp on the packet, not when the loop gets around to it: with
hundreds of replies at once the latter would be tens of milliseconds too late.
"""

import asyncio
import os
import random
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from agent.adapters.clock import kernel_nanoseconds
from agent.adapters.dns_question import echoes, encode_query
from agent.adapters.resolver_stats import ResolverStats, ServerStats

SOCKETS = 4  # for each server
RENEW_AFTER = 180.0  # seconds
_RECEIVE = 4096  # octets; more than any server may send to our EDNS size
_BATCH = 64  # datagrams read before other work of the loop has its turn
_BUFFER = 1 << 20
_SO_TIMESTAMPNS: Final = getattr(socket, "SO_TIMESTAMPNS", 35)  # Linux; not named before 3.14
_STAMP: Final = struct.Struct("@qq")
_ANCILLARY: Final = socket.CMSG_SPACE(_STAMP.size)


@dataclass(slots=True, eq=False)
class Ask:
    """One query sent to one server, for *owner*."""

    owner: Any
    question: bytes
    edns: bool
    server: int
    ident: bytes = b""
    sent: int = 0
    channel: "Channel | None" = None

    def forget(self) -> None:
        """Expect no reply any more."""
        channel = self.channel
        if channel is not None:
            self.channel = None
            del channel.pending[self.ident]
            channel.close_if_retired()


Received = Callable[[Ask, bytes], None]
Lost = Callable[[Ask], None]


class UdpPool:
    """Sockets connected to one server; *received* and *lost* are called from the loop."""

    def __init__(
        self,
        address: tuple[str, int],
        stats: ResolverStats,
        server: ServerStats,
        received: Received,
        lost: Lost,
    ) -> None:
        self._address = address
        self._channels: list[Channel] = []
        self._renew_at = 0.0
        self.stats = stats
        self.server = server
        self.received = received
        self.lost = lost
        self.retired: set[Channel] = set()

    def send(self, ask: Ask, now: float) -> bool:
        """Send a query; false if the server cannot be reached from here."""
        if now >= self._renew_at:
            self._renew(now)
        if not self._channels:
            return False
        self.server.udp_queries += 1
        # Which socket need not be unguessable: its port and the query's id are.
        return self._channels[int(random.random() * len(self._channels))].send(ask)  # noqa: S311

    def close(self) -> None:
        """Close all sockets."""
        for channel in (*self._channels, *self.retired):
            channel.close()
        self._channels = []
        self._renew_at = 0.0

    def _renew(self, now: float) -> None:
        for channel in self._channels:
            channel.retire()
        self._channels = []
        for _ in range(SOCKETS):
            try:
                self._channels.append(Channel(self, _connect(self._address)))
            except (OSError, UnicodeError):
                break  # an unusable address, or no way there
        self._renew_at = now + (RENEW_AFTER if self._channels else 1.0)


def _connect(address: tuple[str, int]) -> socket.socket:
    family, _, _, _, target = socket.getaddrinfo(
        *address, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
    )[0]
    connection = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        connection.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        connection.connect(target)
    except OSError:
        connection.close()
        raise
    return connection


class Channel:
    """One connected socket and the queries that wait for their replies on it."""

    __slots__ = ("_idents", "_loop", "_pool", "_retired", "_socket", "pending")

    def __init__(self, pool: UdpPool, connection: socket.socket) -> None:
        self._pool = pool
        self._socket = connection
        self._retired = False
        self._idents = b""
        self._loop = asyncio.get_running_loop()
        self.pending: dict[bytes, Ask] = {}
        self._loop.add_reader(connection.fileno(), self._readable)

    def send(self, ask: Ask) -> bool:
        """Send a query under an id that no other one here has."""
        pending = self.pending
        ident = self._draw()
        while ident in pending:
            ident = self._draw()
        ask.ident = ident
        ask.channel = self
        pending[ident] = ask
        query = encode_query(ident, ask.question, edns=ask.edns)
        ask.sent = kernel_nanoseconds()
        try:
            try:
                self._socket.send(query)
            except ConnectionRefusedError:
                self._socket.send(query)  # the error was an earlier query's; this one is unsent
        except BlockingIOError:
            pass  # the buffer is full: as good as lost on the way
        except OSError:
            ask.forget()
            return False
        return True

    def _draw(self) -> bytes:
        idents = self._idents or os.urandom(1024)
        self._idents = idents[2:]
        return idents[:2]

    def _readable(self) -> None:
        pending = self.pending
        for _ in range(_BATCH):
            try:
                wire, ancillary, _, _ = self._socket.recvmsg(_RECEIVE, _ANCILLARY)
            except BlockingIOError:
                return
            except OSError:
                self._refused()
                return
            ask = pending.get(wire[:2])
            if ask is None or not echoes(wire, ask.question):
                self._pool.stats.ignored += 1
                continue
            del pending[ask.ident]
            ask.channel = None
            if ancillary:
                self._time(ask, ancillary)
            self._pool.received(ask, wire)
            if not pending:
                break
        self.close_if_retired()

    def _time(self, ask: Ask, ancillary: list[tuple[int, int, bytes]]) -> None:
        seconds, nanoseconds = _STAMP.unpack_from(ancillary[0][2])
        taken = (seconds * 1_000_000_000 + nanoseconds - ask.sent) / 1e9
        if taken >= 0:  # else the wall clock was stepped meanwhile
            server = self._pool.server
            server.round_trips += 1
            server.round_trip_sum += taken
            server.round_trip_last = taken

    def _refused(self) -> None:
        """Give up all that wait here: the server's host says that nobody listens."""
        waiting = tuple(self.pending.values())
        self.pending.clear()
        for ask in waiting:
            ask.channel = None
        for ask in waiting:
            self._pool.lost(ask)
        self.close_if_retired()

    def retire(self) -> None:
        """Take no new queries; close when the last reply is in or no longer expected."""
        self._retired = True
        self._pool.retired.add(self)
        self.close_if_retired()

    def close_if_retired(self) -> None:
        """Close, unless something may still come."""
        if self._retired and not self.pending:
            self.close()

    def close(self) -> None:
        """Close the socket."""
        self._pool.retired.discard(self)
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
