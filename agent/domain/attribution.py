"""To which tenant does Exchange Online attribute a message, and does it relay it?

The decision as Microsoft documents it (since November 2023): on-premises connectors come first, by
certificate before address; which tenant owns the message follows from the certificate's domain,
then the sender's, then the recipient's. Mail that no such connector claims is the recipient's, and
then that tenant's partner connectors may turn it away.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Literal

from agent.domain.tls import Match, match_one

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundConnector:
    """An inbound connector, with Exchange's properties.

    ``is_restricted`` is RestrictDomainsToCertificate or RestrictDomainsToIPAddresses, which count
    for partner connectors only.
    """

    name: str
    connector_type: Literal["on-premises", "partner"] = "on-premises"
    tls_sender_certificate_name: str | None = None
    sender_ip_addresses: tuple[Network, ...] = ()
    sender_domains: tuple[str, ...] = ("*",)
    is_restricted: bool = False
    is_enabled: bool = True

    def shows_certificate(self, names: Iterable[str]) -> bool:
        """Tell whether a certificate with *names* is the connector's."""
        wanted = self.tls_sender_certificate_name
        return wanted is not None and any(match_one(wanted, each) is Match.YES for each in names)

    def has_address(self, address: IPv4Address | IPv6Address) -> bool:
        """Tell whether *address* is one of SenderIPAddresses."""
        return any(address in network for network in self.sender_ip_addresses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """What of a tenant takes part in the decision."""

    name: str
    accepted_domains: tuple[str, ...]
    connectors: tuple[InboundConnector, ...] = ()
    rejects_direct_send: bool = False

    def accepts(self, domain: str) -> bool:
        """Tell whether *domain* is an accepted domain."""
        return domain.lower() in self.accepted_domains


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A session and its envelope: the names of the certificate that was shown, and the rest."""

    certificate_names: tuple[str, ...] = ()
    address: IPv4Address | IPv6Address
    mail_from: str
    rcpt_to: str


class Verdict(enum.Enum):
    """What Exchange Online does with the recipient."""

    DELIVERED = "to a mailbox of the tenant"
    RELAYED = "on behalf of the tenant"
    RELAY_DENIED = "550 5.7.64 TenantAttribution; Relay Access Denied"
    RESTRICTED = "550 5.7.51 TenantInboundAttribution; Rejecting"
    DIRECT_SEND = "550 5.7.68 TenantInboundAttribution; Direct Send not allowed"


@dataclass(frozen=True, slots=True)
class Attribution:
    """The tenant and the connector that a message is attributed to, if any, and what follows."""

    verdict: Verdict
    tenant: Tenant | None = None
    connector: InboundConnector | None = None


def attribute(arrival: Arrival, tenants: Iterable[Tenant]) -> Attribution:
    """Decide as Exchange Online does; *tenants* are all that it knows."""
    known = tuple(tenants)
    to, sender = _domain(arrival.rcpt_to), _domain(arrival.mail_from)
    claim = _claim(arrival, known)
    if claim is not None:
        tenant, connector = claim
        if tenant.accepts(to):
            return Attribution(Verdict.DELIVERED, tenant, connector)
        names = (each.removeprefix("*.").lower() for each in arrival.certificate_names)
        if tenant.accepts(sender) or any(_is_of(tenant, each) for each in names):
            return Attribution(Verdict.RELAYED, tenant, connector)
        return Attribution(Verdict.RELAY_DENIED, tenant, connector)
    owner = next((each for each in known if each.accepts(to)), None)
    if owner is None:
        return Attribution(Verdict.RELAY_DENIED)
    return _enter(arrival, owner, sender)


def _enter(arrival: Arrival, tenant: Tenant, sender: str) -> Attribution:
    """Decide on mail from outside for a tenant: partner connectors first, then Direct Send."""
    partner = next(
        (
            each
            for each in tenant.connectors
            if each.is_enabled and each.connector_type == "partner" and _covers(each, sender)
        ),
        None,
    )
    is_known = partner is not None and _identifies(arrival, partner)
    if partner is not None and partner.is_restricted and not is_known:
        return Attribution(Verdict.RESTRICTED, tenant, partner)
    if tenant.rejects_direct_send and tenant.accepts(sender) and not is_known:
        return Attribution(Verdict.DIRECT_SEND, tenant)
    return Attribution(Verdict.DELIVERED, tenant, partner)


def _claim(arrival: Arrival, tenants: tuple[Tenant, ...]) -> tuple[Tenant, InboundConnector] | None:
    """Return the on-premises connector that claims the message, and its tenant."""
    claims = [
        (tenant, connector)
        for tenant in tenants
        for connector in tenant.connectors
        if connector.is_enabled
        and connector.connector_type == "on-premises"
        and _identifies(arrival, connector)
    ]
    by_certificate = [
        pair for pair in claims if pair[1].shows_certificate(arrival.certificate_names)
    ]
    claims = by_certificate or claims
    names = [each.removeprefix("*.").lower() for each in arrival.certificate_names]
    for domains in (names, [_domain(arrival.mail_from)], [_domain(arrival.rcpt_to)]):
        for tenant, connector in claims:
            if any(_is_of(tenant, domain) for domain in domains):
                return tenant, connector
    return claims[0] if claims else None


def _identifies(arrival: Arrival, connector: InboundConnector) -> bool:
    return connector.shows_certificate(arrival.certificate_names) or connector.has_address(
        arrival.address
    )


def _is_of(tenant: Tenant, name: str) -> bool:
    """Tell whether *name* is an accepted domain of the tenant, or below one."""
    return any(name == each or name.endswith(f".{each}") for each in tenant.accepted_domains)


def _covers(connector: InboundConnector, sender: str) -> bool:
    return any(
        each in {"*", sender} or (each.startswith("*.") and sender.endswith(each[1:]))
        for each in connector.sender_domains
    )


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
