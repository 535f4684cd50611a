"""What is known of one tenant, and of the world around it?

A tenancy is one tenant as its export and the configuration have it. The surroundings are what DNS
and other probes saw.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType

from agent.domain.lookup import Silence
from agent.domain.tenancy.objects import Export, Network

Address = IPv4Address | IPv6Address
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenancy:
    """One tenant. ``topologies`` gives that of each domain for which the configuration has one.

    ``gateways`` are the hosts, as patterns, that relay mail for customers: the tenant of a provider
    names them. ``presents`` are the names in the certificate that they show to Exchange Online.
    """

    name: str
    export: Export
    topologies: Mapping[str, str] = field(default_factory=lambda: _NONE)
    gateways: tuple[str, ...] = ()
    presents: tuple[str, ...] = ()
    tenant_id: str = ""


@dataclass(frozen=True, slots=True)
class Exchanges:
    """The MX hosts of a domain, those of the lowest preference first; empty for none at all."""

    hosts: tuple[str, ...] = ()
    is_null: bool = False  # a null MX, RFC 7505


@dataclass(slots=True)
class Surroundings:
    """What DNS and the probes saw; what is missing is not known.

    ``exchanges`` by domain, ``addresses`` by host, ``certificates`` the names that a host showed,
    ``ranges`` the networks that a provider publishes, by what people call it. ``unanswered`` the
    names that DNS would not speak of when it was last asked, with the reason. ``aliases`` are all
    steps that a name leads by, ``texts`` the TXT records of a name, for those that a tenant's
    export says something of.
    """

    exchanges: dict[str, Exchanges] = field(default_factory=dict)
    addresses: dict[str, tuple[Address, ...]] = field(default_factory=dict)
    certificates: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: dict[str, tuple[Network, ...]] = field(default_factory=dict)
    unanswered: dict[str, Silence] = field(default_factory=dict)
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    texts: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
