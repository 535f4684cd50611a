"""What is under way, and what is known of the servers' conduct?"""

import asyncio
from dataclasses import dataclass

from agent.adapters.answer_cache import Entry, Result
from agent.adapters.resolver_stats import ServerStats
from agent.adapters.udp_pool import Ask, UdpPool
from agent.domain.lookup import Silence, Unanswered

STRIKES = 3  # queries in a row left unanswered before a server is left alone
LEFT_ALONE = 15.0  # seconds
_VAGUE = (Silence.TIMEOUT, Silence.UNREACHABLE)
Waiter = asyncio.Future[Result]


@dataclass(slots=True, eq=False)
class Flight:
    """One question under way, its octets, those who wait for it, and what was tried.

    ``tried`` and ``failed`` are indexes of servers: those asked, in turn, and those that answered
    that they cannot. ``deadline`` is the loop's time at which patience with the last one ends;
    ``blamed`` says that its silence was already held against it.
    """

    entry: Entry
    question: bytes
    waiters: list[Waiter]
    tried: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    asks: tuple[Ask, ...] = ()
    deadline: float = 0.0
    blamed: bool = False
    failure: Unanswered | None = None
    by_tcp: bool = False

    def note(self, failure: Unanswered) -> None:
        """Keep the failure that tells most: any other one before silence."""
        if self.failure is None or self.failure.reason in _VAGUE:
            self.failure = failure


@dataclass(slots=True, eq=False)
class Server:
    """One server and what is remembered of its conduct; times are the loop's."""

    address: tuple[str, int]
    stats: ServerStats
    pool: UdpPool
    strikes: int = 0
    rest_until: float = 0.0
    plain_until: float = 0.0

    def answered(self) -> None:
        """Note that it is there."""
        self.strikes = 0
        self.stats.up = True

    def kept_silent(self, now: float) -> None:
        """Note that a query was left unanswered."""
        self.strikes += 1
        if self.strikes >= STRIKES:
            self.rest_until = now + LEFT_ALONE
            self.stats.up = False

    def at_rest(self, now: float) -> bool:
        """Tell whether it is left alone for now."""
        return self.strikes >= STRIKES and now < self.rest_until


def choose(servers: tuple[Server, ...], flight: Flight, now: float) -> int | None:
    """Return the server to ask next: those at rest last, the least tried first."""
    left = [index for index in range(len(servers)) if index not in flight.failed]
    if not left:
        return None
    tried = flight.tried
    index = min(left, key=lambda i: (servers[i].at_rest(now), tried.count(i), i))
    if servers[index].strikes >= STRIKES:
        servers[index].rest_until = now + LEFT_ALONE  # one flight finds out for all
    return index
