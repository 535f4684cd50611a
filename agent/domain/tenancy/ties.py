"""What can a tenant claim of other tenants' mail, and what can they claim of its?

A tenant claims by its on-premises inbound connectors: by the certificate that they name and by the
addresses that they list. It is exposed by what is shown to Exchange Online when its mail arrives:
the certificates and addresses of its own servers, of the filters in front of it, of its gateways.
Keys make the two sides meet: whose claims have a key in common with what another one shows can have
a say in the other's mail, and nobody else can.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network
from typing import Literal

from agent.domain.knowledge.addresses import Use, special_use
from agent.domain.knowledge.microsoft_hosts import host_class
from agent.domain.mx import matches_any
from agent.domain.public_suffix import zone_of
from agent.domain.tenancy.objects import Inbound, Network
from agent.domain.tenancy.tenancies import Address, Surroundings, Tenancy

Source = Literal["on-premises", "partner", "exchange", "gateway"]
_LEVELS = {4: (24, 16, 8), 6: (48, 32)}  # lengths at which networks meet, and 0
_INSIDE = {Use.PRIVATE, Use.SHARED, Use.LOOPBACK, Use.LINK_LOCAL}  # Exchange Online never sees them


@dataclass(frozen=True, slots=True)
class Shown:
    """A name in a certificate, or an address, that is shown when a tenant's mail arrives.

    ``source`` is whose it is and ``by`` says so in words. ``is_pattern`` is true for a name that a
    connector allows, which a certificate need not have.
    """

    source: Source
    by: str
    name: str = ""
    network: Network | None = None
    is_pattern: bool = False


@dataclass(frozen=True, slots=True)
class Ties:
    """What ties a tenant to others: its claimants, what is shown for it, and the keys of both.

    ``around`` is all that was seen of the hosts that its mail goes through.
    """

    claimants: tuple[Inbound, ...]
    shown: tuple[Shown, ...]
    claims: frozenset[str]
    shows: frozenset[str]
    around: tuple[object, ...]


def ties_of(tenancy: Tenancy, surroundings: Surroundings) -> Ties:
    """Return what ties *tenancy* to others."""
    claimants = tuple(each for each in tenancy.export.inbound or () if claims_by(each))
    shown = tuple(dict.fromkeys(_shown(tenancy, surroundings)))
    return Ties(
        claimants,
        shown,
        frozenset(_claimed_keys(tenancy, claimants)),
        frozenset(_shown_keys(tenancy, shown, surroundings)),
        tuple(_around(tenancy, surroundings)),
    )


def claims_by(connector: Inbound) -> bool:
    """Tell whether a connector claims mail: on, on-premises, and not for named organisations."""
    return (
        connector.is_on
        and connector.connector_type == "on-premises"
        and not connector.trusted_organizations
    )


def name_of(connector: Inbound) -> str:
    """Return TlsSenderCertificateName, folded; empty where it has none."""
    return connector.tls_sender_certificate_name.lower().removesuffix(".")


def public_networks(connector: Inbound) -> Iterator[Network]:
    """Yield those of SenderIPAddresses that Exchange Online can ever see."""
    for network in connector.networks:
        use = special_use(network)
        if use is None or use.use not in _INSIDE:
            yield network


def exchange_hosts(domain: str, surroundings: Surroundings) -> tuple[str, ...]:
    """Return the MX hosts of a domain that are not Microsoft's."""
    found = surroundings.exchanges.get(domain)
    return tuple(host for host in found.hosts if host_class(host) is None) if found else ()


def gateway_hosts(tenancy: Tenancy, surroundings: Surroundings) -> Iterator[str]:
    """Yield the hosts, by name, that are among a tenant's gateways."""
    if tenancy.gateways:
        yield from (each for each in tenancy.gateways if not each.startswith("*."))
        for host in sorted({*surroundings.addresses, *surroundings.certificates}):
            if host not in tenancy.gateways and matches_any(tenancy.gateways, host):
                yield host


def _shown(tenancy: Tenancy, surroundings: Surroundings) -> Iterator[Shown]:
    """Yield what is shown: by connectors, by MX hosts, and by the gateways of a provider."""
    for connector in tenancy.export.inbound or ():
        yield from _of_connector(connector)
    for host, domain in _exchanges(tenancy, surroundings).items():
        said = f"{host}, an MX host of {domain}"
        yield from _of_host(host, "exchange", said, surroundings)
    yield from _of_gateways(tenancy, surroundings)


def _exchanges(tenancy: Tenancy, surroundings: Surroundings) -> dict[str, str]:
    """Return the MX hosts that are not Microsoft's, with the first domain of each."""
    found: dict[str, str] = {}
    for domain in tenancy.export.domain_names:
        for host in exchange_hosts(domain, surroundings):
            found.setdefault(host, domain)
    return found


def _of_gateways(tenancy: Tenancy, surroundings: Surroundings) -> Iterator[Shown]:
    """Yield what gateways show: the names that are known, else what can be guessed of them."""
    for name in tenancy.presents:
        yield Shown("gateway", f"its gateways show {name}", name.lower())
    for host in gateway_hosts(tenancy, surroundings):
        said = f"{host}, one of its gateways"
        found = _of_host(host, "gateway", said, surroundings)
        yield from (each for each in found if each.network or not tenancy.presents)
    if not tenancy.presents:
        for pattern in tenancy.gateways:
            if pattern.startswith("*."):
                said = f"its gateways are {pattern}"
                yield Shown("gateway", said, pattern.lower(), is_pattern=True)


def _of_connector(connector: Inbound) -> Iterator[Shown]:
    if not connector.is_on or connector.connector_type is None or connector.trusted_organizations:
        return
    kind = connector.connector_type
    name = name_of(connector)
    if name:
        said = f"its {kind} connector '{connector.name}' names {name}"
        yield Shown(kind, said, name, is_pattern=name.startswith("*."))
    if kind == "on-premises" or connector.restrict_domains_to_ip_addresses:
        for network in public_networks(connector):
            said = f"its {kind} connector '{connector.name}' lists {written(network)}"
            yield Shown(kind, said, network=network)


def _of_host(host: str, source: Source, said: str, surroundings: Surroundings) -> Iterator[Shown]:
    """Yield the names that a host showed, or its own as the best guess, and its addresses."""
    names = surroundings.certificates.get(host)
    for name in names or ():
        yield Shown(source, f"{said}, shows {name}", name.lower())
    if names is None:
        yield Shown(source, said, host, is_pattern=True)
    for address in surroundings.addresses.get(host, ()):
        yield Shown(source, f"{said}, has {address}", network=_alone(address))


@lru_cache(maxsize=65536)
def _alone(address: Address) -> Network:
    return ip_network(address)


def written(network: Network) -> str:
    """Write a network as people do: a single address without its length."""
    is_single = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if is_single else str(network)


def _claimed_keys(tenancy: Tenancy, claimants: Iterable[Inbound]) -> Iterator[str]:
    for connector in claimants:
        if zone := zone_of(name_of(connector).removeprefix("*.")):
            yield f"zone:{zone}"
        for network in public_networks(connector):
            own, *above = _blocks(network)
            yield f"at:{own}"
            yield from (f"above:{each}" for each in above)
    # Not of attribution: whom it sends to, and whose ways lead through its gateways.
    for outbound in tenancy.export.outbound or ():
        yield from (f"domain:{each.removeprefix('*.')}" for each in outbound.recipient_domains)
    yield from (f"gateway:{zone_of(each.removeprefix('*.'))}" for each in tenancy.gateways)


def _shown_keys(
    tenancy: Tenancy, shown: Iterable[Shown], surroundings: Surroundings
) -> Iterator[str]:
    for each in shown:
        if each.network is not None:
            blocks = _blocks(each.network)
            yield f"above:{blocks[0]}"
            yield from (f"at:{block}" for block in blocks)
        elif zone := zone_of(each.name.removeprefix("*.")):
            yield f"zone:{zone}"
    yield from (f"domain:{name}" for name in tenancy.export.domain_names)
    for outbound in tenancy.export.outbound or ():
        yield from (f"gateway:{zone_of(host.lower())}" for host in outbound.smart_hosts)
    yield from (f"gateway:{zone_of(host)}" for host in _exchanges(tenancy, surroundings))


@lru_cache(maxsize=65536)
def _blocks(network: Network) -> tuple[str, ...]:
    """Return the block that a network is looked for at, and those above it.

    Of two networks that overlap one holds the other, so that they have a block in common, or that
    of the wider one is above that of the other.
    """
    lengths = [each for each in (*_LEVELS[network.version], 0) if each <= network.prefixlen]
    start, width = int(network.network_address), network.max_prefixlen
    return tuple(f"{network.version}/{each}/{start >> (width - each)}" for each in lengths)


def _around(tenancy: Tenancy, surroundings: Surroundings) -> Iterator[object]:
    for domain in tenancy.export.domain_names:
        found = surroundings.exchanges.get(domain)
        yield found
        for host in found.hosts if found else ():
            yield surroundings.addresses.get(host)
            yield surroundings.certificates.get(host)
