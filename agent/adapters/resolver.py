"""What does DNS say about a name, now or as lately as its time to live allows?

The record under test is always asked for (``fresh``); everything else comes from the cache while
it may. Equal questions under way at once are asked once. While an answer does not change, the very
same object is returned, which callers use to save their own work. Nothing is ever raised for what
the network does: what could not be learnt is :class:`Unanswered`.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from typing import Final

from agent.adapters.answer_cache import AnswerCache, Entry, Result
from agent.adapters.clock import Clock
from agent.adapters.dispatcher import Dispatcher
from agent.adapters.dns_flight import Waiter
from agent.adapters.dns_question import encode_question
from agent.adapters.dns_wire import MAX_ALIASES, Dangling
from agent.adapters.resolv_conf import system_resolvers
from agent.adapters.resolver_stats import ResolverStats, ServerStats
from agent.domain.lookup import Answer, Query, Reply, Silence, Unanswered

__all__ = ["Resolver", "ResolverStats", "system_resolvers"]

_CANNOT_BE_ASKED: Final = Unanswered(Silence.MALFORMED, "not a name that DNS can carry")
_LOOP: Final = Unanswered(Silence.ALIAS_LOOP, "the aliases lead back to themselves")
_TOO_LONG: Final = Unanswered(Silence.ALIAS_LOOP, f"more than {MAX_ALIASES} aliases")
_IDLE = 6 * 3600.0  # seconds after which an answer nobody asks for is forgotten
_SWEEP_EVERY = 600.0  # seconds


class Resolver:
    """A stub resolver over one or more recursive servers, in order of preference.

    *servers* are numeric addresses with ports. Each is given *timeout* for a reply; a question is
    sent at most *attempts* times, and at least once to every server. At most *in_flight* questions
    are under way at once, the rest wait their turn. At most *entries* answers are remembered.
    ``is_believed`` is whether its word counts where it says that DNSSEC vouches for an answer: on
    this machine, or with *trust_ad*.
    """

    def __init__(  # noqa: PLR0913  options, keyword-only, with defaults
        self,
        servers: tuple[tuple[str, int], ...],
        clock: Clock,
        *,
        timeout: timedelta = timedelta(seconds=2),
        attempts: int = 3,
        in_flight: int = 256,
        entries: int = 200_000,
        trust_ad: bool = False,
    ) -> None:
        known = tuple(ServerStats(f"{host}:{port}") for host, port in servers)
        self.stats = ResolverStats(servers=known)
        self.servers = servers
        # Whoever sits between us and the resolver can set a bit (RFC 6698 section A.3).
        self.is_believed = trust_ad or all(_is_loopback(host) for host, _ in servers)
        self._clock = clock
        self._cache = AnswerCache(entries)
        self._sweep_at = 0.0
        self._dispatcher = Dispatcher(
            servers,
            self._cache,
            self.stats,
            timeout=timeout.total_seconds(),
            attempts=attempts,
            limit=in_flight,
        )

    async def start(self) -> None:
        """Be ready; sockets are opened when first needed."""
        self._sweep_at = self._clock.monotonic() + _SWEEP_EVERY

    async def close(self) -> None:
        """Close all sockets; what is under way ends unanswered."""
        await self._dispatcher.close()

    async def resolve(self, query: Query) -> Reply:
        """Answer one query."""
        found = self._look_up(query)
        if isinstance(found, asyncio.Future):
            found = await found
        return await self._follow(query, found) if isinstance(found, Dangling) else found

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        """Answer independent queries concurrently, in their order."""
        found = [self._look_up(query) for query in queries]
        replies: list[Reply] = []
        for query, result in zip(queries, found, strict=True):
            reply = await result if isinstance(result, asyncio.Future) else result
            if isinstance(reply, Dangling):
                reply = await self._follow(query, reply)
            replies.append(reply)
        return tuple(replies)

    def _look_up(self, query: Query) -> Result | Waiter:
        """Return what is known, or a future for what is being asked."""
        now = self._clock.monotonic()
        entry = self._cache.entry(query)
        entry.used = now
        known = entry.known(now, lasting=query.lasting)
        if known is not None and not query.fresh:
            self.stats.cache_hits += 1
            return known
        if now >= self._sweep_at:
            self._sweep(now)
        question = encode_question(query.name, query.type)
        return _CANNOT_BE_ASKED if question is None else self._wait_for(entry, question)

    def _wait_for(self, entry: Entry, question: bytes) -> Waiter:
        waiter: Waiter = asyncio.get_running_loop().create_future()
        flight = entry.flight
        if flight is not None:
            self.stats.coalesced += 1
            flight.waiters.append(waiter)
            return waiter
        self.stats.cache_misses += 1
        self.stats.entries = self._cache.count
        self._dispatcher.launch(entry, question, waiter)
        return waiter

    def _sweep(self, now: float) -> None:
        self._sweep_at = now + _SWEEP_EVERY
        self._cache.sweep(now - _IDLE)

    async def _follow(self, query: Query, first: Dangling) -> Reply:
        """Ask for what the server's aliases lead to, as far as they lead."""
        aliases = list(first.aliases)
        for _ in range(MAX_ALIASES - 1):  # and the one query that has been asked
            result = self._look_up(Query(aliases[-1], query.type, fresh=query.fresh))
            if isinstance(result, asyncio.Future):
                result = await result
            if isinstance(result, Unanswered):
                return result
            aliases += result.aliases
            if len({query.name, *aliases}) <= len(aliases):
                return self._count(_LOOP)
            if isinstance(result, Answer):
                return self._whole(query, replace(result, aliases=tuple(aliases)))
            if len(aliases) > MAX_ALIASES:
                break
        return self._count(_TOO_LONG)

    def _count(self, failure: Unanswered) -> Unanswered:
        self.stats.failures[failure.reason] += 1
        return failure

    def _whole(self, query: Query, answer: Answer) -> Answer:
        """Return the object that stood for the same answer before, if there was one."""
        entry = self._cache.entry(query)
        known = entry.whole
        if known is not None and known == answer and known.ttl == answer.ttl:
            return known
        entry.whole = answer
        return answer


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
