"""Whose is a host, as far as its name or its addresses tell?"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from agent.domain.knowledge.clouds import CLOUDS, LEGACY_EXCHANGES
from agent.domain.knowledge.microsoft_hosts import NETWORKS
from agent.domain.mx import matches_any
from agent.domain.public_suffix import zone_of
from agent.domain.tenancy.objects import Network, parents

_ENDPOINTS = tuple(pattern for cloud in CLOUDS.values() for pattern in cloud.exchange_patterns)


@lru_cache(maxsize=65536)
def as_address(host: str) -> IPv4Address | IPv6Address | None:
    """Read a host that is an address, or the first of a range; None for a name."""
    try:
        return ip_address(host.strip("[]").partition("/")[0])
    except ValueError:
        return None


def is_endpoint(host: str, addresses: Iterable[IPv4Address | IPv6Address] = ()) -> bool:
    """Tell whether a host is Exchange Online, by its name or by one of its addresses."""
    return matches_any(_ENDPOINTS, host) or any(is_of_microsoft(each) for each in addresses)


def is_of_microsoft(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether Exchange Online uses the address."""
    return lies_in(address, NETWORKS)


def is_legacy(host: str) -> bool:
    """Tell whether a host is one of Exchange Online's forerunners, which take no mail."""
    return matches_any(LEGACY_EXCHANGES, host)


def lies_in(address: IPv4Address | IPv6Address, networks: Iterable[Network]) -> bool:
    """Tell whether *address* is in one of the networks."""
    return any(address in network for network in networks)


def are_kin(one: str, other: str) -> bool:
    """Tell whether two names are of one domain that somebody registered."""
    zone = zone_of(one.lower().removeprefix("*."))
    return bool(zone) and zone == zone_of(other.lower().removeprefix("*."))


def with_parents(name: str) -> tuple[str, ...]:
    """Return the name and the domains above it, nearest first."""
    return (name, *parents(name))
