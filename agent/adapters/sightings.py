"""Which certificates did the probes see lately, and what on messages: tenants and signatures?

Probes that walk through a session note what they were shown, routes which tenant Exchange stamped
and by which DKIM key a message was signed; other checks read it. Kept in memory only: after a
restart the next runs see it all again.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from agent.domain.dkim_signature import selectors_for
from agent.domain.expectations import tenant_stamps
from agent.domain.reading import Reading

MAX_HOSTS = 10_000  # those that nobody has seen for longest go first
MAX_NAMES = 100  # of one certificate
MAX_CHAINS = 16  # of one host
MAX_PRINTS = 5  # certificates of one chain
_LATELY = timedelta(days=1)  # an address that nobody has met since has perhaps gone


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain that one address of a host showed, the server's own certificate first.

    ``prints`` are as :func:`agent.domain.tlsa.print_of` makes them.
    """

    address: str
    prints: tuple[bytes, ...]
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """The certificate that a host showed: its names, its end, and when it was shown. UTC.

    ``is_trusted`` tells whether it leads to a root of the trust store; None where nobody said.
    ``chains`` are those of its addresses that were lately shown at port 25.
    """

    names: tuple[str, ...]
    not_after: datetime
    seen_at: datetime
    is_trusted: bool | None = None
    chains: tuple[Chain, ...] = ()


class Sightings:
    """The certificate last seen at each host, and the tenants last stamped for each domain.

    ``changed`` counts how often the names that hosts show have become other ones.
    """

    def __init__(self) -> None:
        self._certificates: OrderedDict[str, Seen] = OrderedDict()
        self._tenants: dict[str, tuple[str, ...]] = {}
        self._selectors: dict[str, dict[str, tuple[str, ...]]] = {}
        self._signed: dict[str, tuple[str, ...]] = {}
        self.changed = 0

    def note_certificate(  # noqa: PLR0913 - what was shown, where and when
        self,
        host: str,
        names: tuple[str, ...],
        not_after: datetime,
        now: datetime,
        *,
        is_trusted: bool | None = None,
        chain: Chain | None = None,
    ) -> None:
        """Note the certificate that *host* shows; texts must be safe to show.

        Where the addresses of a host show different ones, the last that was noted counts; *chain*
        is kept beside those of the other addresses.
        """
        host = host.lower().rstrip(".")
        before = self._certificates.get(host)
        chains = _joined(before.chains if before else (), chain, now)
        seen = Seen(names[:MAX_NAMES], not_after, now, is_trusted, chains)
        self._certificates[host] = seen
        self.changed += before is None or before.names != seen.names
        self._certificates.move_to_end(host)
        if len(self._certificates) > MAX_HOSTS:
            self._certificates.popitem(last=False)

    def note_message(self, reading: Reading, domain: str, author: str, route: str) -> None:
        """Note what the last message on *route* shows, which *author* wrote to *domain*."""
        self.note_tenants(domain, tenant_stamps(reading).values())
        ours = author.rpartition("@")[2]
        self.note_selectors(ours, route, selectors_for(reading.signers, ours))

    def note_tenants(self, domain: str, ids: Iterable[str]) -> None:
        """Note the tenants that Exchange stamped on the last message to *domain*, one of ours."""
        found = tuple(ids)
        if found:
            self._tenants[domain.lower()] = found

    def tenants(self, domains: Iterable[str]) -> tuple[str, ...]:
        """Return the ids that were stamped on the last messages to *domains*."""
        return tuple(
            dict.fromkeys(each for domain in domains for each in self._tenants.get(domain, ()))
        )

    def note_selectors(self, domain: str, route: str, selectors: tuple[str, ...]) -> None:
        """Note under which *selectors* the last message by *route* was signed for *domain*.

        Both are names of the configuration, so that there are no more of them than that has.
        """
        by_route = self._selectors.setdefault(domain.lower(), {})
        if by_route.get(route, ()) != selectors:
            by_route[route] = selectors
            every = dict.fromkeys(one for each in by_route.values() for one in each)
            self._signed[domain.lower()] = tuple(sorted(every))

    def selectors(self, domain: str) -> tuple[str, ...]:
        """Return the selectors of the last messages of *domain*, the same object as last time."""
        return self._signed.get(domain.lower(), ())

    def certificates(self) -> Mapping[str, Seen]:
        """Return what is known by host, those seen longest ago first; it cannot be changed."""
        return MappingProxyType(self._certificates)

    def forget(self, before: datetime) -> None:
        """Forget what nobody has seen since *before*: the host may be gone."""
        while self._certificates:
            host, seen = next(iter(self._certificates.items()))
            if seen.seen_at >= before:
                return
            del self._certificates[host]
            self.changed += 1


def _joined(known: tuple[Chain, ...], chain: Chain | None, now: datetime) -> tuple[Chain, ...]:
    """Put *chain* beside those of other addresses; what is the same is kept once in memory."""
    lately = tuple(each for each in known if now - each.seen_at <= _LATELY)
    if chain is None:
        return lately
    prints = chain.prints[:MAX_PRINTS]
    prints = next((each.prints for each in lately if each.prints == prints), prints)
    others = tuple(each for each in lately if each.address != chain.address)
    return (*others[-MAX_CHAINS + 1 :], replace(chain, prints=prints))
