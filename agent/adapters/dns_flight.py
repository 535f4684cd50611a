"""Which server is asked, how often, and what if it does not answer?

A flight is one question under way, however many wait for its answer. It lives in callbacks and has
no task of its own, which is most of what a query costs. A server that fails is passed over for the
next one; one that stays silent is asked again, others first; one that was silent too often is left
alone for a while. One coarse timer serves all flights.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

from agent.adapters.answer_cache import AnswerCache, Entry, Result
from agent.adapters.clock import Clock
from agent.adapters.dns_question import is_truncated, refuses_edns
from agent.adapters.dns_tcp import TcpFailure, ask_by_tcp
from agent.adapters.dns_wire import read_reply
from agent.adapters.resolver_stats import ResolverStats, ServerStats
from agent.adapters.udp_pool import Ask, UdpPool
from agent.domain.lookup import Silence, Unanswered

_STRIKES = 3  # queries in a row left unanswered before a server is left alone
_LEFT_ALONE = 15.0  # seconds
_PLAIN_FOR = 600.0  # seconds without EDNS for a server that refused it
_PAUSE = 0.25  # seconds before a server that nobody listens at is tried again
_OFF_LOOP = 4096  # octets; longer messages are read in a thread
_VAGUE = (Silence.TIMEOUT, Silence.UNREACHABLE)
Waiter = asyncio.Future[Result]


@dataclass(slots=True, eq=False)
class Flight:
    """One question under way, those who wait for it, and what was tried."""

    entry: Entry
    waiters: list[Waiter]
    tried: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    asks: tuple[Ask, ...] = ()
    deadline: float = 0.0
    counted: bool = True
    failure: Unanswered | None = None
    tcp: "asyncio.Task[None] | None" = None

    def note(self, failure: Unanswered) -> None:
        """Keep the failure that tells most: any other one before silence."""
        if self.failure is None or self.failure.reason in _VAGUE:
            self.failure = failure


@dataclass(slots=True, eq=False)
class _Server:
    """One server and what is remembered of its conduct; times are the loop's."""

    address: tuple[str, int]
    stats: ServerStats
    pool: UdpPool
    strikes: int = 0
    rest_until: float = 0.0
    plain_until: float = 0.0

    def answered(self) -> None:
        """Note that it is there."""
        if self.strikes:
            self.strikes = 0
            self.stats.up = True

    def kept_silent(self, now: float) -> None:
        """Note that a query was left unanswered."""
        self.strikes += 1
        if self.strikes >= _STRIKES:
            self.rest_until = now + _LEFT_ALONE
            self.stats.up = False


class Dispatcher:
    """Sends questions to servers until there is an answer or nothing left to try."""

    def __init__(  # noqa: PLR0913  wired in one place
        self,
        addresses: tuple[tuple[str, int], ...],
        cache: AnswerCache,
        clock: Clock,
        stats: ResolverStats,
        *,
        timeout: float,
        attempts: int,
        limit: int,
    ) -> None:
        self._cache = cache
        self._clock = clock
        self._stats = stats
        self._timeout = timeout
        self._tries = max(attempts, len(addresses))
        self._limit = limit
        self._flying: set[Flight] = set()
        self._waiting: deque[Flight] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._servers = tuple(
            _Server(address, known, UdpPool(address, stats, known, self._received, self._lost))
            for address, known in zip(addresses, stats.servers, strict=True)
        )

    def launch(self, entry: Entry, waiter: Waiter) -> None:
        """Put the question of *entry* on its way, and tell *waiter* what comes of it."""
        flight = entry.flight = Flight(entry, [waiter])
        if len(self._flying) >= self._limit:
            self._waiting.append(flight)
            self._stats.waiting += 1
        else:
            self._start(flight)

    async def close(self) -> None:
        """Give up all flights and close all sockets."""
        gone = Unanswered(Silence.UNREACHABLE, "the resolver was closed")
        tasks = [flight.tcp for flight in self._flying if flight.tcp is not None]
        while self._waiting:
            self._finish(self._waiting.popleft(), gone)
        for flight in tuple(self._flying):
            self._finish(flight, gone)
        for server in self._servers:
            server.pool.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, flight: Flight) -> None:
        self._flying.add(flight)
        self._stats.in_flight += 1
        if self._timer is None:
            self._arm(asyncio.get_running_loop())
        self._try_next(flight)

    def _try_next(self, flight: Flight) -> None:
        """Ask the most promising server, or end the flight."""
        now = asyncio.get_running_loop().time()
        while True:
            index = self._choose(flight, now)
            if index is None:
                nothing = Unanswered(Silence.UNREACHABLE, "no server to ask")
                self._finish(flight, flight.failure or nothing)
                return
            flight.tried = (*flight.tried, index)
            if self._ask(flight, index, now, edns=self._servers[index].plain_until <= now):
                return
            flight.note(Unanswered(Silence.UNREACHABLE, "no way to the server"))
            self._servers[index].kept_silent(now)

    def _choose(self, flight: Flight, now: float) -> int | None:
        """Return the server to ask next: those at rest last, the least tried first."""
        if not flight.tried and self._servers and self._servers[0].strikes < _STRIKES:
            return 0
        if len(flight.tried) >= self._tries:
            return None
        left = [index for index in range(len(self._servers)) if index not in flight.failed]
        if not left:
            return None
        index = min(left, key=lambda i: (self._at_rest(i, now), flight.tried.count(i), i))
        server = self._servers[index]
        if server.strikes >= _STRIKES:
            server.rest_until = now + _LEFT_ALONE  # one flight finds out for all
        return index

    def _at_rest(self, index: int, now: float) -> bool:
        server = self._servers[index]
        return server.strikes >= _STRIKES and now < server.rest_until

    def _ask(self, flight: Flight, index: int, now: float, *, edns: bool) -> bool:
        question = flight.entry.question
        if question is None:
            return False
        ask = Ask(flight, question, edns, index)
        if not self._servers[index].pool.send(ask, now):
            return False
        flight.asks = (*flight.asks, ask)
        flight.deadline = now + self._timeout
        flight.counted = False
        return True

    def _received(self, ask: Ask, wire: bytes) -> None:
        """Judge a datagram that answers *ask*."""
        flight: Flight = ask.owner
        server = self._servers[ask.server]
        server.answered()
        now = self._clock.monotonic()
        if is_truncated(wire):
            self._by_tcp(flight, ask)
        elif self._cache.recognise(flight.entry, wire, now):
            self._stats.unchanged += 1
            self._finish(flight, flight.entry.result)
        elif ask.edns and refuses_edns(wire):
            time = asyncio.get_running_loop().time()
            server.plain_until = time + _PLAIN_FOR
            if not self._ask(flight, ask.server, time, edns=False):
                self._fail(flight, ask.server, Unanswered(Silence.UNREACHABLE))
        else:
            self._stats.read += 1
            reading = read_reply(wire, flight.entry.name, flight.entry.kind)
            self._judge(flight, ask.server, self._cache.learn(flight.entry, wire, reading, now))

    def _judge(self, flight: Flight, server: int, result: Result) -> None:
        if isinstance(result, Unanswered):
            self._fail(flight, server, result)
        else:
            self._finish(flight, result)

    def _fail(self, flight: Flight, server: int, failure: Unanswered) -> None:
        """Note that *server* cannot help with this question, and go on to the next."""
        flight.note(failure)
        flight.failed = (*flight.failed, server)
        self._try_next(flight)

    def _lost(self, ask: Ask) -> None:
        """Nobody listens at the server: try another at once, or this one after a pause."""
        flight: Flight = ask.owner
        now = asyncio.get_running_loop().time()
        flight.note(Unanswered(Silence.UNREACHABLE, "nobody listens at the server's port"))
        self._servers[ask.server].kept_silent(now)
        flight.counted = True
        if len(set(flight.tried)) < len(self._servers):
            self._try_next(flight)
        else:
            flight.deadline = min(flight.deadline, now + _PAUSE)

    def _by_tcp(self, flight: Flight, ask: Ask) -> None:
        if flight.tcp is None:
            loop = asyncio.get_running_loop()
            flight.deadline = float("inf")
            flight.tcp = loop.create_task(self._repeat_by_tcp(flight, ask))

    async def _repeat_by_tcp(self, flight: Flight, ask: Ask) -> None:
        """Ask again by TCP, and judge what comes."""
        server = self._servers[ask.server]
        server.stats.tcp_queries += 1
        wire = await ask_by_tcp(server.address, ask.question, edns=ask.edns, seconds=self._timeout)
        if isinstance(wire, TcpFailure):
            result: Result = Unanswered(Silence.TRUNCATED, f"TCP: {wire.value}")
        else:
            result = await self._read_long(flight.entry, wire)
        flight.tcp = None
        if flight in self._flying:
            self._judge(flight, ask.server, result)

    async def _read_long(self, entry: Entry, wire: bytes) -> Result:
        if self._cache.recognise(entry, wire, self._clock.monotonic()) and entry.result:
            self._stats.unchanged += 1
            return entry.result
        self._stats.read += 1
        if len(wire) > _OFF_LOOP:
            reading = await asyncio.to_thread(read_reply, wire, entry.name, entry.kind)
        else:
            reading = read_reply(wire, entry.name, entry.kind)
        return self._cache.learn(entry, wire, reading, self._clock.monotonic())

    def _finish(self, flight: Flight, result: Result | None) -> None:
        """Tell all who wait, and let the next question go."""
        if result is None or isinstance(result, Unanswered):
            result = result or Unanswered(Silence.TIMEOUT)
            self._stats.failures[result.reason] += 1
            result = self._cache.fail(flight.entry, result, self._clock.monotonic())
        for ask in flight.asks:
            ask.forget()
        flight.entry.flight = None
        if flight in self._flying:
            self._flying.discard(flight)
            self._stats.in_flight -= 1
        for waiter in flight.waiters:
            if not waiter.done():
                waiter.set_result(result)
        if self._waiting and len(self._flying) < self._limit:
            self._stats.waiting -= 1
            self._start(self._waiting.popleft())

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(min(0.1, self._timeout / 4), self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look after the flights whose time is up; stop when there are none."""
        self._timer = None
        now = loop.time()
        for flight in [flight for flight in self._flying if flight.deadline <= now]:
            self._expire(flight, now)
        if self._flying and self._timer is None:
            self._arm(loop)

    def _expire(self, flight: Flight, now: float) -> None:
        if not flight.counted:
            server = self._servers[flight.tried[-1]]
            server.kept_silent(now)
            server.stats.timeouts += 1
            if flight.failure is None:
                flight.note(Unanswered(Silence.TIMEOUT, "no server answered in time"))
        self._try_next(flight)
