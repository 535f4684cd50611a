"""Where does the MX of a domain lead, as far as the tenant and the world tell?

A host is told by its name or its addresses: Microsoft's, a known filter's, one of the tenant's own,
or that of a server that has a connector. What is left is a stranger's.
"""

import enum
from collections.abc import Iterable, Iterator

from agent.domain.knowledge.filter_hosts import filter_title
from agent.domain.mx import matches_any, owner_of
from agent.domain.public_suffix import zone_of
from agent.domain.tenancy.hosts import as_address, is_endpoint, lies_in
from agent.domain.tenancy.landscape import Surroundings, Tenancy
from agent.domain.tenancy.objects import Inbound, Network, Outbound, parents


class Way(enum.Enum):
    """Where an exchange of a domain is."""

    MICROSOFT = enum.auto()
    FILTER = enum.auto()
    OWN = enum.auto()
    ELSEWHERE = enum.auto()  # another provider of mailboxes
    STRANGE = enum.auto()


class Places:
    """The hosts that one tenant knows, in a form in which many are looked up."""

    def __init__(
        self,
        tenancy: Tenancy,
        surroundings: Surroundings,
        inbound: Iterable[Inbound],
        outbound: Iterable[Outbound],
    ) -> None:
        self._tenancy = tenancy
        self._surroundings = surroundings
        self._own = frozenset(tenancy.export.domain_names)
        # Servers of one's own come first: they may be restricted by a partner connector as well.
        self._served: dict[Way, _Served] = {Way.OWN: _Served(), Way.FILTER: _Served()}
        self._is_fronted = False
        for each in inbound:
            self._is_fronted = self._is_fronted or (
                each.is_on and each.connector_type == "partner" and "*" in each.sender_domains
            )
            self._served[_side(each)].add([each.certificate_domain], each.networks)
        for connector in outbound:
            self._served[_side(connector)].add(connector.smart_hosts, ())

    def ways(self, domain: str) -> frozenset[Way]:
        """Return where the exchanges of *domain*, which must be known, are."""
        topology = self._tenancy.topologies.get(domain, "")
        hosts = self._surroundings.exchanges[domain].hosts
        return frozenset(self._way(host, topology) for host in hosts)

    def _way(self, host: str, topology: str) -> Way:
        if is_endpoint(host, self._surroundings.addresses.get(host, ())):
            return Way.MICROSOFT
        if filter_title(host) or topology == "third-party-filter":
            return Way.FILTER
        found = next(self._told_by_tenant(host), None)
        if found is not None:
            return found
        if topology in ("hybrid", "on-premises"):
            return Way.OWN
        if owner_of(host) is not None:
            return Way.ELSEWHERE
        # Whom a partner connector for all is for, locked or not, delivers all mail, and may do so
        # from other hosts than MX names.
        return Way.FILTER if self._is_fronted else Way.STRANGE

    def _told_by_tenant(self, host: str) -> Iterator[Way]:
        if matches_any(self._tenancy.gateways, host) or not self._own.isdisjoint(
            (host, *parents(host))
        ):
            yield Way.OWN
        addresses = self._surroundings.addresses.get(host, ())
        for way, served in self._served.items():
            if zone_of(host) in served.zones or any(
                lies_in(address, served.networks) for address in addresses
            ):
                yield way


class _Served:
    """Servers that have connectors: the domains they are in, and their addresses."""

    def __init__(self) -> None:
        self.zones: set[str] = set()
        self.networks: list[Network] = []

    def add(self, hosts: Iterable[str], networks: Iterable[Network]) -> None:
        names = (host.lower() for host in hosts if as_address(host) is None)
        self.zones |= {zone for name in names if (zone := zone_of(name))}
        self.networks += networks


def _side(connector: Inbound | Outbound) -> Way:
    return Way.FILTER if connector.connector_type == "partner" else Way.OWN
