"""Which addresses stand for networks that are too large to look at each of theirs?"""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def share(sizes: Collection[int], room: int) -> int:
    """Return how many addresses of each network to look at: all where there is *room* for all."""
    return max(1, room // len(sizes)) if sum(sizes) > room else room


def spread(network: Network, most: int) -> tuple[Address, ...]:
    """Return up to *most* addresses, evenly spread, the first among them."""
    count = min(most, network.num_addresses)
    return tuple(network[at * network.num_addresses // count] for at in range(count))
