"""What has the resolver done so far?

Plain integers, counted where the work happens; the exposition turns them into metrics.
"""

from dataclasses import dataclass, field

from agent.domain.lookup import Silence


@dataclass(slots=True)
class ServerStats:
    """What one configured server was asked, and how it did.

    Queries are counted as sent, retries included. Round trips are those of UDP, in seconds, from
    the moment of sending to the kernel's stamp on the reply. ``up`` is false while the server is
    passed over because it has left too many queries in a row unanswered.
    """

    address: str
    udp_queries: int = 0
    tcp_queries: int = 0
    timeouts: int = 0
    round_trips: int = 0
    round_trip_sum: float = 0.0
    round_trip_last: float = 0.0
    up: bool = True


@dataclass(slots=True)
class ResolverStats:
    """Counters since the start, but ``in_flight``, ``waiting`` and ``entries``, which are now.

    ``unchanged`` answers were recognised without being read, ``read`` ones were read in full.
    ``coalesced`` queries shared one already under way. ``ignored`` packets matched no query that
    was under way: late, misdirected or forged.
    """

    servers: tuple[ServerStats, ...] = ()
    failures: dict[Silence, int] = field(default_factory=lambda: dict.fromkeys(Silence, 0))
    cache_hits: int = 0
    cache_misses: int = 0
    coalesced: int = 0
    unchanged: int = 0
    read: int = 0
    ignored: int = 0
    in_flight: int = 0
    waiting: int = 0
    entries: int = 0
