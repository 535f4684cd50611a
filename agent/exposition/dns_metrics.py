"""How is the resolver?

Turns the resolver's counters into measurements when a scrape comes. A server is named by its
address as configured; reasons are a closed set.
"""

from collections.abc import Callable, Iterator

from agent.adapters.resolver_stats import ResolverStats
from agent.domain.finding import Measurement, Signal

_SERVER = ("server",)
QUERIES = Signal(
    "mailflow_dns_queries_total",
    "Queries sent to a DNS server, retries included.",
    labels=("server", "transport"),
    kind="counter",
)
TIMEOUTS = Signal(
    "mailflow_dns_timeouts_total",
    "Queries that a DNS server left unanswered.",
    labels=_SERVER,
    kind="counter",
)
ROUND_TRIPS = Signal(
    "mailflow_dns_round_trips_total",
    "Replies of a DNS server over UDP whose time was taken.",
    labels=_SERVER,
    kind="counter",
)
ROUND_TRIP_TIME = Signal(
    "mailflow_dns_round_trip_seconds_total",
    "Time of all round trips to a DNS server over UDP; by the replies, the mean.",
    labels=_SERVER,
    kind="counter",
)
LAST_ROUND_TRIP = Signal(
    "mailflow_dns_last_round_trip_seconds",
    "Time of the last round trip to a DNS server over UDP.",
    labels=_SERVER,
)
UP = Signal(
    "mailflow_dns_server_up",
    "1 while a DNS server is used, 0 while it is passed over.",
    labels=_SERVER,
)
FAILURES = Signal(
    "mailflow_dns_failures_total",
    "Questions that DNS could not answer, by reason.",
    labels=("reason",),
    kind="counter",
)
CACHE_HITS = Signal(
    "mailflow_dns_cache_hits_total", "Questions answered from the cache.", kind="counter"
)
CACHE_MISSES = Signal(
    "mailflow_dns_cache_misses_total", "Questions that had to be asked.", kind="counter"
)
COALESCED = Signal(
    "mailflow_dns_coalesced_total",
    "Questions that shared a query already under way.",
    kind="counter",
)
UNCHANGED = Signal(
    "mailflow_dns_answers_unchanged_total",
    "Answers recognised as those of last time and not read again.",
    kind="counter",
)
READ = Signal("mailflow_dns_answers_read_total", "Answers read in full.", kind="counter")
IGNORED = Signal(
    "mailflow_dns_packets_ignored_total",
    "Packets that matched no query under way: late, misdirected or forged.",
    kind="counter",
)
IN_FLIGHT = Signal("mailflow_dns_queries_in_flight", "Queries under way.")
WAITING = Signal("mailflow_dns_queries_waiting", "Queries that wait for their turn.")
ENTRIES = Signal("mailflow_dns_cache_entries", "Answers in the cache.")

DNS_SIGNALS = (
    QUERIES,
    TIMEOUTS,
    ROUND_TRIPS,
    ROUND_TRIP_TIME,
    LAST_ROUND_TRIP,
    UP,
    FAILURES,
    CACHE_HITS,
    CACHE_MISSES,
    COALESCED,
    UNCHANGED,
    READ,
    IGNORED,
    IN_FLIGHT,
    WAITING,
    ENTRIES,
)


def read(stats: Callable[[], ResolverStats]) -> Callable[[], Iterator[Measurement]]:
    """Return what reads the counters of the resolver of the moment, for ``OwnMetrics.watch``."""
    return lambda: _measure(stats())


def _measure(stats: ResolverStats) -> Iterator[Measurement]:
    for server in stats.servers:
        yield QUERIES.at(server.udp_queries, server.address, "udp")
        yield QUERIES.at(server.tcp_queries, server.address, "tcp")
        yield TIMEOUTS.at(server.timeouts, server.address)
        yield ROUND_TRIPS.at(server.round_trips, server.address)
        yield ROUND_TRIP_TIME.at(server.round_trip_sum, server.address)
        yield LAST_ROUND_TRIP.at(server.round_trip_last, server.address)
        yield UP.at(server.up, server.address)
    for reason, count in stats.failures.items():
        yield FAILURES.at(count, reason.value)
    yield CACHE_HITS.at(stats.cache_hits)
    yield CACHE_MISSES.at(stats.cache_misses)
    yield COALESCED.at(stats.coalesced)
    yield UNCHANGED.at(stats.unchanged)
    yield READ.at(stats.read)
    yield IGNORED.at(stats.ignored)
    yield IN_FLIGHT.at(stats.in_flight)
    yield WAITING.at(stats.waiting)
    yield ENTRIES.at(stats.entries)
