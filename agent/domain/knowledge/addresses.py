"""Which addresses are never those of a mail server on the Internet?

Python's own ``is_private`` and ``is_global`` have changed their minds between versions, so the
table is ours. Source: the IANA special-purpose address registries for IPv4 and IPv6, state of
November 2026 (RFC 6890 and its updates), the multicast blocks of RFC 5771 and RFC 4291, and the
fixed metadata addresses that cloud providers document. What the registries call globally reachable
(AS112, AMT, 192.31.196.0/24, 192.52.193.0/24) counts as public.
"""

import enum
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Use(enum.StrEnum):
    """What a range is for: a closed set, fit for sentences and label values."""

    THIS_NETWORK = "this-network"
    PRIVATE = "private"
    SHARED = "shared"
    LOOPBACK = "loopback"
    LINK_LOCAL = "link-local"
    METADATA = "metadata"
    DOCUMENTATION = "documentation"
    BENCHMARK = "benchmark"
    MULTICAST = "multicast"
    RESERVED = "reserved"
    TRANSITION = "transition"


@dataclass(frozen=True, slots=True)
class SpecialUse:
    """A range with a use of its own; ``reference`` is the document that set it aside."""

    use: Use
    network: Network
    reference: str

    def __str__(self) -> str:
        return f"{self.use} ({self.network}, {self.reference})"


_SPECIAL: tuple[tuple[str, Use, str], ...] = (
    ("0.0.0.0/8", Use.THIS_NETWORK, "RFC 791"),
    ("10.0.0.0/8", Use.PRIVATE, "RFC 1918"),
    ("100.64.0.0/10", Use.SHARED, "RFC 6598"),
    ("127.0.0.0/8", Use.LOOPBACK, "RFC 1122"),
    ("169.254.0.0/16", Use.LINK_LOCAL, "RFC 3927"),
    ("172.16.0.0/12", Use.PRIVATE, "RFC 1918"),
    ("192.0.0.0/24", Use.RESERVED, "RFC 6890"),
    ("192.0.2.0/24", Use.DOCUMENTATION, "RFC 5737"),
    ("192.88.99.0/24", Use.TRANSITION, "RFC 7526"),
    ("192.168.0.0/16", Use.PRIVATE, "RFC 1918"),
    ("198.18.0.0/15", Use.BENCHMARK, "RFC 2544"),
    ("198.51.100.0/24", Use.DOCUMENTATION, "RFC 5737"),
    ("203.0.113.0/24", Use.DOCUMENTATION, "RFC 5737"),
    ("224.0.0.0/4", Use.MULTICAST, "RFC 5771"),
    ("240.0.0.0/4", Use.RESERVED, "RFC 1112"),
    ("255.255.255.255/32", Use.RESERVED, "RFC 8190"),
    ("::/128", Use.THIS_NETWORK, "RFC 4291"),
    ("::1/128", Use.LOOPBACK, "RFC 4291"),
    ("::ffff:0:0/96", Use.TRANSITION, "RFC 4291"),
    ("64:ff9b:1::/48", Use.PRIVATE, "RFC 8215"),
    ("100::/64", Use.RESERVED, "RFC 6666"),
    ("100:0:0:1::/64", Use.RESERVED, "RFC 9780"),
    ("2001::/23", Use.RESERVED, "RFC 2928"),
    ("2001::/32", Use.TRANSITION, "RFC 4380"),
    ("2001:2::/48", Use.BENCHMARK, "RFC 5180"),
    ("2001:10::/28", Use.RESERVED, "RFC 4843"),
    ("2001:db8::/32", Use.DOCUMENTATION, "RFC 3849"),
    ("2002::/16", Use.TRANSITION, "RFC 3056"),
    ("3fff::/20", Use.DOCUMENTATION, "RFC 9637"),
    ("5f00::/16", Use.RESERVED, "RFC 9602"),
    ("fc00::/7", Use.PRIVATE, "RFC 4193"),
    ("fe80::/10", Use.LINK_LOCAL, "RFC 4291"),
    ("fec0::/10", Use.PRIVATE, "RFC 3879"),
    ("ff00::/8", Use.MULTICAST, "RFC 4291"),
    # Instance metadata: a probe that connects there hands out its machine's identity.
    ("100.100.100.200/32", Use.METADATA, "Alibaba Cloud ECS documentation"),
    ("168.63.129.16/32", Use.METADATA, "Azure virtual network documentation"),
    ("169.254.169.254/32", Use.METADATA, "AWS, Azure and Google Cloud documentation"),
    ("fd00:ec2::254/128", Use.METADATA, "AWS EC2 documentation"),
)

# Inside the ranges above, but globally reachable according to the registries.
_PUBLIC: tuple[str, ...] = (
    "192.0.0.9/32",
    "192.0.0.10/32",
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:1::3/128",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:20::/28",
    "2001:30::/28",
)

TABLE: tuple[SpecialUse, ...] = tuple(
    SpecialUse(use, ip_network(network), reference) for network, use, reference in _SPECIAL
)
"""Every range with a use of its own, for documentation and tests."""


def _by_length(version: int) -> tuple[tuple[int, int, SpecialUse | None], ...]:
    """Mask, network and meaning, the most specific first."""
    entries = [(entry.network, entry) for entry in TABLE]
    public: list[tuple[Network, SpecialUse | None]] = [(ip_network(text), None) for text in _PUBLIC]
    chosen = [item for item in (*entries, *public) if item[0].version == version]
    chosen.sort(key=lambda item: item[0].prefixlen, reverse=True)
    return tuple(
        (int(network.netmask), int(network.network_address), entry) for network, entry in chosen
    )


_RANGES = {4: _by_length(4), 6: _by_length(6)}


def special_use(place: Address | Network) -> SpecialUse | None:
    """Return the range that all of *place* lies in, or ``None`` where it is (partly) public.

    The most specific range wins. A network wider than a special range is not in it: whether
    ``0.0.0.0/0`` is too wide is another question.
    """
    if isinstance(place, IPv4Network | IPv6Network):
        first, length = int(place.network_address), int(place.netmask)
    else:
        first, length = int(place), (1 << place.max_prefixlen) - 1
    for mask, network, entry in _RANGES[place.version]:
        if first & mask == network and length & mask == mask:
            return entry
    return None
