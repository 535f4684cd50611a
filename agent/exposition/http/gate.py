"""Who may hold a connection, for how long, and who has to go when there are too many?

The HTTP library limits sizes, not numbers and not patience. The gate stands before it: it drops
connections that have not sent a whole request head in time, and when all places are taken, the one
that has the least claim: first who has not asked for longest, then who has been answered, then who
takes long to read an answer. So thousands of idle connections do not keep a scraper out. Where
there is TLS, the gate begins it, because a handshake that nobody ends is a connection, too. One
that does not ask costs a socket and what it has said: what answers it is made when the head of its
first request is there.
"""

import asyncio
import enum
import ssl
from collections.abc import Callable
from typing import cast

PATIENCE = 10.0  # seconds from connecting to the end of the first request's head
KEPT = 20.0  # seconds from an answer to the end of the next request's head
SLOW = 0.5  # seconds of sending, after which a reader has to go when there is no room
MOST_IDLE = 256  # connections that were answered
_HEAD = 8 * 1024  # octets after which the parser may say what is wrong, be it a head or not
_ENDS = (b"\r\n\r\n", b"\n\n")
_TURNS = 64
_UNREAD = 256 * 1024  # octets that may come with the end of a handshake

Security = Callable[[], "Tls | None"]


class Phase(enum.IntEnum):
    """What a connection is doing."""

    SILENT = 0
    TALKING = 1
    IDLE = 2
    SENDING = 3
    ASKING = 4  # its request is being answered: it is never sent away


class Tls:
    """A context, and what else a client's certificate must fulfil."""

    def __init__(
        self,
        context: ssl.SSLContext,
        admits: Callable[[ssl.SSLObject], bool] = lambda _: True,
    ) -> None:
        self.context = context
        self.admits = admits


class Gate:
    """Counts connections; ``open`` is how many there are now, ``turned_away`` how many had to go.

    *security* is asked at each connection, so that a certificate can be replaced.
    """

    def __init__(
        self, limit: int, patience: float = PATIENCE, security: Security = lambda: None
    ) -> None:
        self._limit = limit
        self._patience = patience
        self._security = security
        self._phases: dict[Phase, dict[_Guarded, float]] = {phase: {} for phase in Phase}
        self._by_transport: dict[asyncio.BaseTransport, _Guarded] = {}
        self._answering: set[asyncio.BaseTransport] = set()
        self._turn = 0
        self.turned_away = 0

    @property
    def open(self) -> int:
        """How many connections there are."""
        return sum(map(len, self._phases.values()))

    @property
    def asking(self) -> int:
        """How many requests are being answered, without those whose answer is being sent.

        Who hangs up leaves the work behind that was begun for them, and it counts until it is done.
        """
        return len(self._answering)

    def around(self, make: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """Return a factory of protocols that are those of *make*, behind the gate."""
        return lambda: _Guarded(self, make)

    def enter(self, guarded: "_Guarded") -> bool:
        """Count a connection; return False where there is no place for it."""
        if self.open >= self._limit and not self._make_room():
            self.turned_away += 1
            return False
        self._move(guarded, Phase.SILENT)
        # A thousand that came together do not all go together, which would hold up the loop.
        self._turn = (self._turn + 1) % _TURNS
        guarded.limit(self._patience * (1 + self._turn / _TURNS / 4))
        return True

    def security(self) -> "Tls | None":
        """Return what a new connection is secured with."""
        return self._security()

    def shows(self, guarded: "_Guarded", transport: asyncio.BaseTransport) -> None:
        """Note under which transport the library knows a connection."""
        if guarded.phase is not None:
            self._by_transport[transport] = guarded

    def talks(self, guarded: "_Guarded") -> None:
        """Note that a connection has sent something."""
        if guarded.phase in (Phase.SILENT, Phase.IDLE):
            self._move(guarded, Phase.TALKING)

    def leave(self, guarded: "_Guarded") -> None:
        """Note that a connection is gone."""
        guarded.limit(None)
        if guarded.phase is not None:
            del self._phases[guarded.phase][guarded]
            guarded.phase = None
        if guarded.transport is not None:
            self._by_transport.pop(guarded.transport, None)

    def request_began(self, transport: asyncio.BaseTransport | None) -> None:
        """Note that a request's head is there; who asked stays until there is an answer."""
        if transport is not None:
            self._answering.add(transport)
        self._change(transport, Phase.ASKING, None)

    def sending_began(self, transport: asyncio.BaseTransport | None) -> None:
        """Note that an answer is being sent."""
        self._is_answered(transport)
        self._change(transport, Phase.SENDING, None)

    def request_ended(self, transport: asyncio.BaseTransport | None) -> None:
        """Note that a request has been answered."""
        self._is_answered(transport)
        self._change(transport, Phase.IDLE, KEPT)
        idle = self._phases[Phase.IDLE]
        if len(idle) > MOST_IDLE:
            self.turned_away += 1
            next(iter(idle)).drop()

    def _is_answered(self, transport: asyncio.BaseTransport | None) -> None:
        if transport is not None:
            self._answering.discard(transport)

    def _change(
        self, transport: asyncio.BaseTransport | None, phase: Phase, limit: float | None
    ) -> None:
        guarded = None if transport is None else self._by_transport.get(transport)
        if guarded is not None and guarded.phase is not None:
            self._move(guarded, phase)
            guarded.limit(limit)

    def _move(self, guarded: "_Guarded", phase: Phase) -> None:
        if guarded.phase is not None:
            del self._phases[guarded.phase][guarded]
        guarded.phase = phase
        self._phases[phase][guarded] = asyncio.get_running_loop().time()

    def _make_room(self) -> bool:
        """Send one away; return False where all have a better claim than a newcomer."""
        now = asyncio.get_running_loop().time()
        for group in ((Phase.SILENT, Phase.TALKING), (Phase.IDLE,), (Phase.SENDING,)):
            longest = [next(iter(self._phases[phase].items()), None) for phase in group]
            waiting = [each for each in longest if each is not None]
            if not waiting:
                continue
            guarded, since = min(waiting, key=lambda each: each[1])
            if group == (Phase.SENDING,) and now - since < SLOW:
                return False
            self.turned_away += 1
            guarded.drop()
            return True
        return False

    def close(self) -> None:
        """Drop all that are left."""
        for members in self._phases.values():
            for guarded in tuple(members):
                guarded.drop()


class _Guarded(asyncio.Protocol):
    """Passes everything on to the protocol behind it, which is made once there is something."""

    def __init__(self, gate: Gate, make: Callable[[], asyncio.Protocol]) -> None:
        self._gate = gate
        self._make = make
        self._behind: asyncio.Protocol | None = None
        self._raw: asyncio.Transport | None = None
        self._shown: asyncio.BaseTransport | None = None  # what the protocol behind will see
        self._early: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._securing: asyncio.Task[None] | None = None
        self.phase: Phase | None = None

    @property
    def transport(self) -> asyncio.BaseTransport | None:
        """The transport that the protocol behind sees."""
        return self._shown

    def limit(self, seconds: float | None) -> None:
        """Drop the connection after *seconds* from now on, or not at all."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self.drop)

    def drop(self) -> None:
        """Give up the place, and end the connection without a word."""
        self._gate.leave(self)
        if self._securing is not None:
            self._securing.cancel()
        if self._raw is not None:
            self._raw.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._raw = cast("asyncio.Transport", transport)
        if not self._gate.enter(self):
            self._raw.abort()
            return
        tls = self._gate.security()
        if tls is None:
            self._show(transport)
            return
        self._raw.pause_reading()  # until the handshake reads
        self._securing = asyncio.get_running_loop().create_task(self._secure(self._raw, tls))

    async def _secure(self, raw: asyncio.Transport, tls: Tls) -> None:
        loop = asyncio.get_running_loop()
        try:
            secured = await loop.start_tls(
                raw, self, tls.context, server_side=True, ssl_handshake_timeout=PATIENCE
            )
        except (OSError, ssl.SSLError):
            self.drop()
            return
        # None: it ended while the handshake did.
        if secured is None or not tls.admits(secured.get_extra_info("ssl_object")):
            self.drop()
            return
        self._show(secured)

    def _show(self, transport: asyncio.BaseTransport) -> None:
        """Take what comes from now on as said to the protocol behind."""
        self._shown = transport
        self._gate.shows(self, transport)
        if self._early:
            self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gate.leave(self)
        behind, self._behind = self._behind, None
        if behind is not None:
            behind.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._gate.talks(self)
        if self.phase is None:
            return
        if self._behind is not None:
            self._behind.data_received(data)
            return
        self._early.append(data)
        if sum(map(len, self._early)) > _UNREAD:  # before the handshake has ended
            self.drop()
        elif self._shown is not None:
            self._begin()

    def _begin(self) -> None:
        """Have the protocol behind answer, once there is a head, or what will never be one."""
        said = b"".join(self._early)
        may_grow = len(said) < _HEAD and said[:1].isalpha() and not any(e in said for e in _ENDS)
        self._early = [said]
        if not may_grow and self._shown is not None:
            self._early = []
            self._behind = self._make()
            self._behind.connection_made(self._shown)
            self._behind.data_received(said)

    def eof_received(self) -> bool | None:
        return None if self._behind is None else self._behind.eof_received()

    def pause_writing(self) -> None:
        if self._behind is not None:
            self._behind.pause_writing()

    def resume_writing(self) -> None:
        if self._behind is not None:
            self._behind.resume_writing()
