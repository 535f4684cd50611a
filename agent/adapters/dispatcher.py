"""Which server is asked, how often, and what if it does not answer?

A flight is one question under way, however many wait for its answer. It lives in callbacks and has
no task of its own, which is most of what a query would cost. A server that fails is passed over for
the next one; one that stays silent is asked again, others first; one that was silent too often is
left alone for a while. One coarse timer serves all flights, and tells them the time.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine

from agent.adapters.answer_cache import AnswerCache, Entry, Result
from agent.adapters.dns_flight import STRIKES, Flight, Server, Waiter, choose
from agent.adapters.dns_question import OFF_LOOP, refuses_edns
from agent.adapters.dns_tcp import TcpFailure, ask_by_tcp
from agent.adapters.dns_wire import read_reply
from agent.adapters.resolver_stats import ResolverStats
from agent.adapters.udp_pool import Ask, UdpPool
from agent.domain.lookup import Silence, Unanswered

_TICK = 0.1  # seconds, or a quarter of the time-out if that is less
_PLAIN_FOR = 600.0  # seconds without EDNS for a server that refused it
_PAUSE = 0.25  # seconds before a server that nobody listens at is tried again
_TRUNCATED = 2  # the TC bit in a message's third octet
_FOREVER = float("inf")
_NO_SERVER = Unanswered(Silence.UNREACHABLE, "no server to ask")
_NO_WAY = Unanswered(Silence.UNREACHABLE, "no way to the server")
_NOBODY = Unanswered(Silence.UNREACHABLE, "nobody listens at the server's port")
_SILENT = Unanswered(Silence.TIMEOUT, "no server answered in time")
_CLOSED = Unanswered(Silence.UNREACHABLE, "the resolver was closed")


class Dispatcher:
    """Sends questions to servers until there is an answer or nothing left to try."""

    def __init__(  # noqa: PLR0913  wired in one place
        self,
        addresses: tuple[tuple[str, int], ...],
        cache: AnswerCache,
        stats: ResolverStats,
        *,
        timeout: float,
        attempts: int,
        limit: int,
    ) -> None:
        self._cache = cache
        self._stats = stats
        self._timeout = timeout
        self._tick_every = min(_TICK, timeout / 4)
        self._tries = max(attempts, len(addresses))
        self._limit = limit
        self._flying: set[Flight] = set()
        self._waiting: deque[Flight] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._now = 0.0  # the loop's time, at most a tick old while anything is under way
        self._starting = False
        self._servers = tuple(
            Server(address, known, UdpPool(address, stats, known, self._received, self._lost))
            for address, known in zip(addresses, stats.servers, strict=True)
        )

    def launch(self, entry: Entry, question: bytes, waiter: Waiter) -> None:
        """Put the *question* of *entry* on its way, and tell *waiter* what comes of it."""
        flight = entry.flight = Flight(entry, question, [waiter])
        if len(self._flying) >= self._limit:
            self._waiting.append(flight)
            self._stats.waiting += 1
        else:
            self._start(flight)

    async def close(self) -> None:
        """Give up all flights and close all sockets."""
        waiting, self._waiting = self._waiting, deque()
        self._stats.waiting = 0
        for flight in (*waiting, *self._flying):
            self._finish(flight, _CLOSED)
        for server in self._servers:
            server.pool.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, flight: Flight) -> None:
        self._flying.add(flight)
        self._stats.in_flight += 1
        if self._timer is None:
            self._arm(asyncio.get_running_loop())
        if self._servers and self._servers[0].strikes < STRIKES and self._ask(flight, 0):
            return
        self._try_next(flight)

    def _ask(self, flight: Flight, index: int, *, edns: bool = True) -> bool:
        """Ask one server; false if there is no way to it."""
        server = self._servers[index]
        now = self._now
        ask = Ask(flight, flight.question, edns and server.plain_until <= now, index)
        flight.tried += (index,)
        flight.deadline = now + self._timeout + self._tick_every
        flight.blamed = False
        if server.pool.send(ask, now):
            flight.asks += (ask,)
            return True
        flight.note(_NO_WAY)
        server.kept_silent(now)
        return False

    def _try_next(self, flight: Flight) -> None:
        """Ask the most promising server, or end the flight."""
        while len(flight.tried) < self._tries:
            index = choose(self._servers, flight, self._now)
            if index is None:
                break
            if self._ask(flight, index):
                return
        self._finish(flight, flight.failure or _NO_SERVER)

    def _received(self, ask: Ask, wire: bytes) -> None:
        """Judge a datagram that answers *ask*."""
        flight: Flight = ask.owner
        entry = flight.entry
        server = self._servers[ask.server]
        if server.strikes:
            server.answered()
        if wire[2] & _TRUNCATED:
            if not flight.by_tcp:
                flight.by_tcp = True
                flight.deadline = _FOREVER
                self._own(self._repeat_by_tcp(flight, ask))
        elif self._cache.recognise(entry, wire):
            self._stats.unchanged += 1
            self._note_plain(ask)
            self._finish(flight, entry.result)
        elif ask.edns and refuses_edns(wire):
            if not self._ask(flight, ask.server, edns=False):
                self._try_next(flight)
        else:
            self._stats.read += 1
            reading = read_reply(wire, entry.name, entry.kind)
            if not isinstance(reading.reply, Unanswered):
                self._note_plain(ask)
            self._judge(flight, ask.server, self._cache.learn(entry, wire, reading))

    def _note_plain(self, ask: Ask) -> None:
        """Remember of a server that understood only what was asked without EDNS."""
        server = self._servers[ask.server]
        if not ask.edns and server.plain_until <= self._now:
            server.plain_until = self._now + _PLAIN_FOR

    def _judge(self, flight: Flight, server: int, result: Result) -> None:
        """End the flight with what was learnt, or pass over the server that cannot help."""
        if isinstance(result, Unanswered):
            flight.note(result)
            flight.failed += (server,)
            self._try_next(flight)
        else:
            self._finish(flight, result)

    def _lost(self, ask: Ask) -> None:
        """Nobody listens at the server: try another at once, or this one after a pause."""
        flight: Flight = ask.owner
        if flight not in self._flying:
            return
        flight.note(_NOBODY)
        self._servers[ask.server].kept_silent(self._now)
        flight.blamed = True
        if len(set(flight.tried)) < len(self._servers):
            self._try_next(flight)
        else:
            flight.deadline = min(flight.deadline, self._now + _PAUSE)

    def _own(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _repeat_by_tcp(self, flight: Flight, ask: Ask) -> None:
        """Ask again by TCP, and judge what comes."""
        server = self._servers[ask.server]
        server.stats.tcp_queries += 1
        wire = await ask_by_tcp(server.address, ask.question, edns=ask.edns, seconds=self._timeout)
        if isinstance(wire, TcpFailure):
            result: Result = Unanswered(Silence.TRUNCATED, f"TCP: {wire.value}")
        else:
            result = await self._read_long(flight.entry, wire)
        flight.by_tcp = False
        if flight in self._flying:
            self._judge(flight, ask.server, result)

    async def _read_long(self, entry: Entry, wire: bytes) -> Result:
        if self._cache.recognise(entry, wire) and entry.result is not None:
            self._stats.unchanged += 1
            return entry.result
        self._stats.read += 1
        if len(wire) > OFF_LOOP:
            reading = await asyncio.to_thread(read_reply, wire, entry.name, entry.kind)
        else:
            reading = read_reply(wire, entry.name, entry.kind)
        return self._cache.learn(entry, wire, reading)

    def _finish(self, flight: Flight, result: Result | None) -> None:
        """Tell all who wait, and let the next questions go."""
        if isinstance(result, Unanswered):
            self._stats.failures[result.reason] += 1
            result = self._cache.fail(flight.entry, result)
        for ask in flight.asks:
            if ask.channel is not None:
                ask.forget()
        flight.asks = ()  # they refer to the flight: do not leave the circle to the collector
        flight.entry.flight = None
        if flight in self._flying:
            self._flying.discard(flight)
            self._stats.in_flight -= 1
        for waiter in flight.waiters:
            if not waiter.done() and result is not None:
                waiter.set_result(result)
        if self._waiting and not self._starting:
            self._start_waiting()

    def _start_waiting(self) -> None:
        """Start what waits, in a loop of its own: a start that fails at once ends up here again."""
        self._starting = True
        while self._waiting and len(self._flying) < self._limit:
            self._stats.waiting -= 1
            self._start(self._waiting.popleft())
        self._starting = False

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        self._now = loop.time()
        self._timer = loop.call_later(self._tick_every, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look after the flights whose time is up; stop when there are none."""
        self._timer = None
        now = self._now = loop.time()
        for flight in [flight for flight in self._flying if flight.deadline <= now]:
            if not flight.blamed:
                self._blame(flight)
            self._try_next(flight)
        if self._flying and self._timer is None:
            self._arm(loop)

    def _blame(self, flight: Flight) -> None:
        server = self._servers[flight.tried[-1]]
        server.kept_silent(self._now)
        server.stats.timeouts += 1
        if flight.failure is None:
            flight.note(_SILENT)
