"""Which part of Exchange Online is that host?

Source: the names and addresses in Received fields that Exchange Online wrote, 2018 to 2026, and
Microsoft's list of endpoints for Exchange Online (number 10), read in 2026. Microsoft documents
only the names of the clouds' endpoints; the others are observed.
"""

import enum
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from types import MappingProxyType

from agent.domain.knowledge.clouds import CLOUDS


class HostClass(enum.StrEnum):
    """What a host of Microsoft is for: a closed set, fit for a label value."""

    EDGE = "edge"
    OUTBOUND = "outbound"
    MAILBOX = "mailbox"


SUFFIXES: Mapping[str, HostClass] = MappingProxyType(
    {
        **{
            pattern.removeprefix("*"): HostClass.EDGE
            for cloud in CLOUDS.values()
            for pattern in cloud.exchange_patterns
        },
        ".prod.protection.outlook.com": HostClass.EDGE,
        ".prod.protection.office365.us": HostClass.EDGE,
        ".prod.protection.partner.outlook.cn": HostClass.EDGE,
        ".outbound.protection.outlook.com": HostClass.OUTBOUND,
        ".outbound.protection.office365.us": HostClass.OUTBOUND,
        ".outbound.protection.partner.outlook.cn": HostClass.OUTBOUND,
        ".outbound.protection.outlook.de": HostClass.OUTBOUND,
        ".prod.outlook.com": HostClass.MAILBOX,
        ".prod.office365.us": HostClass.MAILBOX,
        ".prod.partner.outlook.cn": HostClass.MAILBOX,
        ".outlook.office365.com": HostClass.MAILBOX,
        ".outlook.office.com": HostClass.MAILBOX,
        ".exchangelabs.com": HostClass.MAILBOX,
    }
)
"""Hosts below these names, in lower case; no name is below another of another class."""

NETWORKS: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(text)
    for text in (
        "40.92.0.0/15",
        "40.107.0.0/16",
        "52.100.0.0/14",
        "104.47.0.0/17",
        "2a01:111::/32",  # holds the published f400::/48 and f403::/48, and inner hosts
        "2603:1000::/24",  # inner hosts
    )
)
"""Addresses from which Exchange Online sends, and those that its hosts use among themselves."""

_ALL = tuple(SUFFIXES)


def host_class(host: str) -> HostClass | None:
    """Return what *host*, in lower case, is for; None for a host that is not Microsoft's."""
    if not host.endswith(_ALL):
        return None
    return next(found for suffix, found in SUFFIXES.items() if host.endswith(suffix))
