"""How is one certain DNS server asked, past every cache?

Each question has a socket and a deadline of its own, over UDP and, where the reply was cut, over
TCP. The addresses come out of strangers' DNS: only public ones are asked, few questions at a time,
and fewer of one server, so that nobody feels attacked. Nothing is raised for what a server does.
"""

import asyncio
import errno
import os
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from functools import partial
from typing import Final

from agent.adapters.clock import Clock
from agent.adapters.dialer import EXHAUSTED, Reach, is_allowed
from agent.adapters.dns_question import (
    OFF_LOOP,
    UDP_SIZE,
    echoes,
    encode_question,
    is_truncated,
    refuses_edns,
)
from agent.adapters.dns_said import read_said
from agent.domain.direct import Address, DirectQuery, Heard
from agent.domain.lookup import Silence, Unanswered

_RD, _AD, _CD, _DO = 0x0100, 0x0020, 0x0010, 0x8000
_OPT: Final = 41
_LONGEST: Final = 65535  # octets of a datagram
_NOT_A_NAME: Final = Unanswered(Silence.MALFORMED, "not a name that DNS can carry")
_NOT_PUBLIC: Final = Unanswered(Silence.UNREACHABLE, "the address is not one of the internet")
_OURS: Final = (*EXHAUSTED, errno.EPERM, errno.EACCES)  # a firewall on this machine
_TIMEOUT: Final = Unanswered(Silence.TIMEOUT, "no reply in time")

Place = tuple[str, int]


class Direct:
    """Asks servers of DNS directly.

    A server has *timeout* for the reply, and again for one over TCP; a lost datagram is sent once
    more after half of it. At most *at_once* questions are under way, *per_server* of them to one
    server of a stranger. *detours* sends questions elsewhere, and with *detours_only* nowhere else,
    for a world on loopback.
    """

    def __init__(  # noqa: PLR0913  options, keyword-only, with defaults
        self,
        clock: Clock,
        *,
        timeout: timedelta = timedelta(seconds=3),
        at_once: int = 64,
        per_server: int = 4,
        detours: Mapping[Place, Place] | None = None,
        detours_only: bool = False,
    ) -> None:
        self._clock = clock
        self._seconds = timeout.total_seconds()
        self._all = asyncio.Semaphore(at_once)
        self._per_server = per_server
        self._turns: dict[Place, tuple[asyncio.Semaphore, list[None]]] = {}
        self._detours = detours or {}
        self._detours_only = detours_only

    async def ask(self, query: DirectQuery, reach: Reach = "public") -> Heard:
        """Ask one question. *reach* is ``any`` for a server that the operator has named."""
        question = encode_question(query.name, query.type)
        if question is None:
            return _NOT_A_NAME
        place = self._place(query.server, query.port, reach)
        if place is None:
            return _NOT_PUBLIC
        # Whoever has named a server may ask it as much as he likes.
        turn = nullcontext() if reach == "any" else self._turn((str(query.server), query.port))
        async with turn, self._all:
            began = self._clock.monotonic()
            reply = await self._exchange(place, query, question)
            if isinstance(reply, Unanswered):
                return reply
            wire, by_tcp = reply
            seconds = self._clock.monotonic() - began
            read = partial(read_said, wire, query, seconds=seconds, by_tcp=by_tcp)
            return read() if len(wire) <= OFF_LOOP else await asyncio.to_thread(read)

    async def ask_all(
        self, queries: tuple[DirectQuery, ...], reach: Reach = "public"
    ) -> tuple[Heard, ...]:
        """Ask independent questions, as many at once as may be; the answers in their order."""
        return tuple(await asyncio.gather(*(self.ask(query, reach) for query in queries)))

    def _place(self, server: Address, port: int, reach: Reach) -> Place | None:
        place = (str(server), port)
        if place in self._detours:
            return self._detours[place]
        return None if self._detours_only or not is_allowed(server, reach) else place

    @asynccontextmanager
    async def _turn(self, place: Place) -> AsyncIterator[None]:
        semaphore, users = self._turns.setdefault(place, (asyncio.Semaphore(self._per_server), []))
        users.append(None)
        try:
            async with semaphore:
                yield
        finally:
            users.pop()
            if not users:
                self._turns.pop(place, None)

    async def _exchange(
        self, place: Place, query: DirectQuery, question: bytes
    ) -> tuple[bytes, bool] | Unanswered:
        """Return the reply, and whether it came over TCP."""
        ident = os.urandom(2)
        wire = _write(ident, query, question)
        by_tcp = query.by_tcp
        if not by_tcp:
            try:
                reply = await _by_datagram(place, wire, question, self._seconds)
                if refuses_edns(reply) and not query.signed:  # RFC 6891 section 7
                    wire = _write(ident, query, question, edns=False)
                    reply = await _by_datagram(place, wire, question, self._seconds)
            except OSError as error:
                return _failed(error)
            by_tcp = is_truncated(reply)
        if by_tcp:
            try:
                reply = await _by_connection(place, wire, self._seconds)
            except (OSError, asyncio.IncompleteReadError) as error:  # a timeout among them
                return _failed_over_tcp(error)
        if reply[:2] != ident or not echoes(reply, question):
            return Unanswered(Silence.MALFORMED, "a reply to another question")
        if is_truncated(reply):
            return Unanswered(Silence.TRUNCATED, "cut over TCP as well")
        return reply, by_tcp


def _failed(error: OSError) -> Unanswered:
    if isinstance(error, TimeoutError):
        return _TIMEOUT
    is_ours = error.errno in _OURS
    return Unanswered(Silence.UNREACHABLE, type(error).__name__, is_ours=is_ours)


def _failed_over_tcp(error: OSError | asyncio.IncompleteReadError) -> Unanswered:
    is_ours = isinstance(error, OSError) and error.errno in _OURS
    return Unanswered(Silence.TRUNCATED, f"and over TCP: {type(error).__name__}", is_ours=is_ours)


def _write(ident: bytes, query: DirectQuery, question: bytes, *, edns: bool = True) -> bytes:
    flags = (
        (_RD if query.recursive else 0)
        | (_AD if query.recursive else 0)
        | (_CD if query.unchecked else 0)
    )
    opt = struct.pack("!BHHIH", 0, _OPT, UDP_SIZE, _DO if query.signed else 0, 0)
    head = ident + struct.pack("!HHHHH", flags, 1, 0, 0, int(edns))
    return head + question + (opt if edns else b"")


class _Ear:
    """Sends one question, and waits for the reply; what answers something else is passed over.

    A lost datagram is sent once more when *patience*, in seconds, is over. Raises OSError, also out
    of *reply*, where the server cannot be reached or does not reply.
    """

    def __init__(self, place: Place, wire: bytes, question: bytes, patience: float) -> None:
        self._loop = asyncio.get_running_loop()
        self.reply: asyncio.Future[bytes] = self._loop.create_future()
        self._wire, self._question, self._patience = wire, question, patience
        family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        # A transport of asyncio's would take several times as long for a single packet.
        self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._socket.connect(place)
        except OSError:
            self._socket.close()
            raise
        self._loop.add_reader(self._socket.fileno(), self._readable)
        self._timer = self._loop.call_later(patience, self._send_again)
        self._send()

    def _send(self) -> None:
        try:
            self._socket.send(self._wire)
        except BlockingIOError:
            pass  # the buffer is full: as good as lost on the way
        except OSError as error:
            self._fail(error)

    def _send_again(self) -> None:
        self._timer = self._loop.call_later(self._patience, self._fail, TimeoutError())
        self._send()

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_LONGEST)
        except BlockingIOError:
            return
        except OSError as error:  # nobody is there
            self._fail(error)
            return
        fits = data[:2] == self._wire[:2] and echoes(data, self._question)
        if fits and not self.reply.done():
            self.reply.set_result(data)

    def _fail(self, error: OSError) -> None:
        if not self.reply.done():
            self.reply.set_exception(error)

    def close(self) -> None:
        """Listen no more."""
        self._timer.cancel()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()


async def _by_datagram(place: Place, wire: bytes, question: bytes, seconds: float) -> bytes:
    ear = _Ear(place, wire, question, seconds / 2)
    try:
        return await ear.reply
    finally:
        ear.close()


async def _by_connection(place: Place, wire: bytes, seconds: float) -> bytes:
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(*place)
        try:
            writer.write(len(wire).to_bytes(2, "big") + wire)
            length = int.from_bytes(await reader.readexactly(2), "big")
            return await reader.readexactly(length)
        finally:
            writer.transport.abort()
