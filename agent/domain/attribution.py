"""To which tenant does Exchange Online attribute a message, and does it relay it?

The decision as Microsoft documents it (since November 2023): on-premises connectors come first, by
certificate before address; which tenant owns the message follows from the certificate's domain,
then the sender's, then the recipient's. Mail that no such connector claims is the recipient's, and
then that tenant's partner connectors may turn it away. Sources: "Office 365 Message Attribution"
(Exchange Team, 2019), message center post MC1226222 (February 2026), and the requirements of SMTP
relay (learn.microsoft.com). ``tests/domain/tenancy/test_attribution_table.py`` has them row by row.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Literal

Network = IPv4Network | IPv6Network
Restriction = Literal["certificate", "address", "both", "either"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundConnector:
    """An inbound connector, with Exchange's properties.

    ``is_restricted`` is RestrictDomainsToCertificate or RestrictDomainsToIPAddresses, which count
    for partner connectors only; ``restricted_by`` says which of the two. ``sender_domains`` scope
    partner connectors only. ``associated_accepted_domains``, if any, are the only senders of an
    on-premises connector.
    """

    name: str
    connector_type: Literal["on-premises", "partner"] = "on-premises"
    tls_sender_certificate_name: str | None = None
    sender_ip_addresses: tuple[Network, ...] = ()
    sender_domains: tuple[str, ...] = ("*",)
    associated_accepted_domains: tuple[str, ...] = ()
    is_restricted: bool = False
    restricted_by: Restriction = "either"
    is_enabled: bool = True

    def shows_certificate(self, names: Iterable[str]) -> bool:
        """Tell whether a certificate with *names* is the connector's."""
        wanted = self.tls_sender_certificate_name
        return wanted is not None and _names_of(tuple(names)).have(wanted)

    def has_address(self, address: IPv4Address | IPv6Address) -> bool:
        """Tell whether *address* is one of SenderIPAddresses."""
        return any(address in network for network in self.sender_ip_addresses)


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of a certificate, ready to be asked for; as :func:`agent.domain.tls.match_one`.

    Beside the names themselves ``below`` has what lies behind the first label of plain ones, and
    ``wild`` what lies behind the star of the others.
    """

    exact: frozenset[str]
    below: frozenset[str]
    wild: frozenset[str]

    def have(self, wanted: str) -> bool:
        """Tell whether the certificate surely has the name *wanted*."""
        wanted = wanted.lower().removesuffix(".")
        if wanted in self.exact:
            return True
        label, _, behind = wanted.partition(".")
        return behind in (self.below if label == "*" else self.wild)


@lru_cache(maxsize=4096)
def _names_of(names: tuple[str, ...]) -> _Names:
    folded = [each.lower().removesuffix(".") for each in names]
    folded = [each for each in folded if "*" not in each.removeprefix("*.")]
    parts = [each.partition(".")[::2] for each in folded]
    return _Names(
        frozenset(folded),
        frozenset(behind for label, behind in parts if behind and label != "*"),
        frozenset(behind for label, behind in parts if behind and label == "*"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """What of a tenant takes part in the decision.

    ``with_subdomains`` are those of its accepted domains that have MatchSubDomains.
    """

    name: str
    accepted_domains: tuple[str, ...]
    connectors: tuple[InboundConnector, ...] = ()
    rejects_direct_send: bool = False
    with_subdomains: tuple[str, ...] = ()

    def accepts(self, domain: str) -> bool:
        """Tell whether the tenant takes mail for *domain*."""
        folded = domain.lower()
        if folded in self.accepted_domains:
            return True
        return bool(self.with_subdomains) and _closest(folded, self.with_subdomains) > 0


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


class Step(enum.StrEnum):
    """What decided which tenant it is, in the order in which Exchange Online asks."""

    CERTIFICATE = "certificate domain"
    MAIL_FROM = "MAIL FROM domain"
    RCPT_TO = "RCPT TO domain"


@dataclass(frozen=True, slots=True)
class Attribution:
    """The tenant and the connector that a message is attributed to, if any, and what follows.

    ``step`` is what decided on the tenant; None where no tenant has to do with it.
    """

    verdict: Verdict
    tenant: Tenant | None = None
    connector: InboundConnector | None = None
    step: Step | None = None


@dataclass(frozen=True, slots=True)
class _Claim:
    """An on-premises connector that matches, and its tenant."""

    tenant: Tenant
    connector: InboundConnector


def attribute(arrival: Arrival, tenants: Iterable[Tenant]) -> Attribution:
    """Decide as Exchange Online does; *tenants* are all that it knows."""
    known = tuple(tenants)
    to, sender = _domain(arrival.rcpt_to), _domain(arrival.mail_from)
    claims = _claims(arrival, known)
    claim = _by_certificate(arrival.certificate_names, claims)
    step = Step.CERTIFICATE
    if claim is None:
        claim, step = _accepting(sender, claims), Step.MAIL_FROM
    if claim is not None:
        # One of the two domains is the tenant's: all that relaying asks for beside the connector.
        verdict = Verdict.DELIVERED if claim.tenant.accepts(to) else Verdict.RELAYED
        return Attribution(verdict, claim.tenant, claim.connector, step)
    if claim := _accepting(to, claims):
        return Attribution(Verdict.DELIVERED, claim.tenant, claim.connector, Step.RCPT_TO)
    owner = next((each for each in known if each.accepts(to)), None)
    if owner is not None:
        return _enter(arrival, owner, sender)
    if claims:
        return Attribution(Verdict.RELAY_DENIED, claims[0].tenant, claims[0].connector)
    return Attribution(Verdict.RELAY_DENIED)


def closeness(name: str, accepted_domains: Iterable[str]) -> int:
    """Say how closely *name*, of a certificate, is covered by accepted domains, itself or above it.

    It is the length of the longest such domain, 0 for none: of two tenants, the one that accepts
    the name itself is nearer to it than the one that accepts a parent.
    """
    return _closest(name.lower().removesuffix(".").removeprefix("*."), accepted_domains)


def _closest(name: str, domains: Iterable[str]) -> int:
    found = (len(each) for each in domains if name == each or name.endswith(f".{each}"))
    return max(found, default=0)


def _claims(arrival: Arrival, tenants: tuple[Tenant, ...]) -> tuple[_Claim, ...]:
    """Return the on-premises connectors that match: by certificate, else by address."""
    sender = _domain(arrival.mail_from)
    own = [
        _Claim(tenant, connector)
        for tenant in tenants
        for connector in tenant.connectors
        if connector.is_enabled
        and connector.connector_type == "on-premises"
        and (not (only := connector.associated_accepted_domains) or sender in only)
    ]
    shown = arrival.certificate_names
    by_certificate = tuple(each for each in own if each.connector.shows_certificate(shown))
    return by_certificate or tuple(
        each for each in own if each.connector.has_address(arrival.address)
    )


def _by_certificate(names: tuple[str, ...], claims: tuple[_Claim, ...]) -> _Claim | None:
    """Return the claim of the tenant that accepts a name of the certificate most closely."""
    best, found = 0, None
    for claim in claims:
        nearest = max((closeness(each, claim.tenant.accepted_domains) for each in names), default=0)
        if nearest > best:
            best, found = nearest, claim
    return found


def _accepting(domain: str, claims: tuple[_Claim, ...]) -> _Claim | None:
    return next((each for each in claims if each.tenant.accepts(domain)), None)


def _enter(arrival: Arrival, tenant: Tenant, sender: str) -> Attribution:
    """Decide on mail from outside for a tenant: partner connectors first, then Direct Send."""
    partner = _partner(tenant, sender)
    if partner is not None and partner.is_restricted and not _satisfies(arrival, partner):
        return Attribution(Verdict.RESTRICTED, tenant, partner, Step.RCPT_TO)
    is_known = partner is not None and _identifies(arrival, partner)
    if tenant.rejects_direct_send and tenant.accepts(sender) and not is_known:
        return Attribution(Verdict.DIRECT_SEND, tenant, step=Step.RCPT_TO)
    return Attribution(Verdict.DELIVERED, tenant, partner, Step.RCPT_TO)


def _partner(tenant: Tenant, sender: str) -> InboundConnector | None:
    """Return the partner connector for a sender.

    One that restricts goes before one that only names the sender's domain; of equal ones the
    domain itself goes before ``*.`` and that before ``*``, which is an inference of ours.
    """
    fitting = [
        (not each.is_restricted, width, each)
        for each in tenant.connectors
        if each.is_enabled
        and each.connector_type == "partner"
        and (width := _width(each, sender)) is not None
    ]
    return min(fitting, key=lambda one: one[:2])[2] if fitting else None


def _satisfies(arrival: Arrival, partner: InboundConnector) -> bool:
    """Tell whether a session shows what a partner connector restricts its senders to."""
    shown = partner.shows_certificate(arrival.certificate_names)
    known = partner.has_address(arrival.address)
    match partner.restricted_by:
        case "certificate":
            return shown
        case "address":
            return known
        case "both":
            return shown and known
        case _:
            return shown or known


def _identifies(arrival: Arrival, connector: InboundConnector) -> bool:
    return connector.shows_certificate(arrival.certificate_names) or connector.has_address(
        arrival.address
    )


def _width(connector: InboundConnector, sender: str) -> int | None:
    """Return 0 where SenderDomains name *sender*, 1 for ``*.`` above it, 2 for ``*``, else None."""
    widths = [
        0 if each == sender else 2 if each == "*" else 1
        for each in connector.sender_domains
        if each in {"*", sender} or (each.startswith("*.") and sender.endswith(each[1:]))
    ]
    return min(widths, default=None)


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
