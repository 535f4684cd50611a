"""Which of a tenant's connectors is for a host?

Connectors name certificates and addresses. A tenant may have hundreds of them, and many hosts are
asked for, so that they stand by domain and by network.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from operator import attrgetter

from agent.domain.public_suffix import zone_of
from agent.domain.tenancy.objects import Export, Inbound, Network

_Address = IPv4Address | IPv6Address


class Networks:
    """Networks, each with the place of what has it; the first of those that hold an address."""

    def __init__(self, networks: Iterable[tuple[Network, int]]) -> None:
        self._places: dict[tuple[int, int], dict[int, set[int]]] = {}
        for network, place in networks:
            width = network.max_prefixlen - network.prefixlen
            block = int(network.network_address) >> width
            known = self._places.setdefault((network.version, width), {})
            known.setdefault(block, set()).add(place)

    def all(self, address: _Address) -> set[int]:
        """Return the places of the networks that hold an address."""
        found: set[int] = set()
        for (version, width), known in self._places.items():
            if version == address.version:
                found |= known.get(int(address) >> width, set())
        return found

    def first(self, addresses: Iterable[_Address]) -> int | None:
        """Return the lowest place of a network that holds one of *addresses*; None for none."""
        return min((place for each in addresses for place in self.all(each)), default=None)


class Addresses:
    """Addresses, each with the place of what has it; the first of those in a network."""

    def __init__(self, addresses: Iterable[tuple[_Address, int]]) -> None:
        self._sorted = sorted((each.version, int(each), place) for each, place in addresses)

    def first(self, networks: Iterable[Network]) -> int | None:
        """Return the lowest place of an address in one of *networks*; None for none."""
        return min((place for each in networks for place in self._within(each)), default=None)

    def _within(self, network: Network) -> Iterator[int]:
        start, end = int(network.network_address), int(network.broadcast_address)
        for at in range(bisect_left(self._sorted, (network.version, start)), len(self._sorted)):
            version, address, place = self._sorted[at]
            if (version, address) > (network.version, end):
                return
            yield place


class Served:
    """Some inbound connectors, by name, and whom they are for."""

    def __init__(self, connectors: Iterable[Inbound]) -> None:
        self.connectors = sorted(connectors, key=attrgetter("name"))
        self._zones: dict[str, int] = {}
        for place, each in enumerate(self.connectors):
            self._zones.setdefault(_zone(each.certificate_domain), place)
        self._networks = Networks(
            (network, place)
            for place, each in enumerate(self.connectors)
            for network in each.networks
        )

    def by_name(self, *names: str) -> Inbound | None:
        """Return the first connector for a certificate of the domain of one of *names*."""
        return self._at(self._named(names))

    def find(self, names: Iterable[str], addresses: Iterable[_Address]) -> Inbound | None:
        """Return the first connector that is for what has these names or addresses."""
        numbered = self._networks.first(addresses)
        return self._at([*self._named(names), *([] if numbered is None else [numbered])])

    def has_address(self, addresses: Iterable[_Address]) -> bool:
        """Tell whether a connector lists one of *addresses*."""
        return self._networks.first(addresses) is not None

    def _named(self, names: Iterable[str]) -> list[int]:
        zones = (_zone(name) for name in names)
        return [self._zones[zone] for zone in zones if zone and zone in self._zones]

    def _at(self, places: list[int]) -> Inbound | None:
        return self.connectors[min(places)] if places else None


def own(export: Export) -> Served:
    """Return the on-premises connectors of a tenant that are on."""
    return export.once(_own)


def _own(export: Export) -> Served:
    return Served(
        each for each in export.inbound or () if each.is_on and each.connector_type == "on-premises"
    )


def _zone(name: str) -> str:
    return zone_of(name.lower().removeprefix("*."))
