"""What does Exchange Online export of a tenant?

The objects of its cmdlets with the properties that decide where mail goes, in Exchange's own words.
What an export does not say is None and never false: the shapes differ by cmdlet, version and how
they were written. Texts and lists are empty then; ``unsaid`` names the fields for which the file
has no property at all. All text has been through the gate. Source: the pages of the ``Get-``
cmdlets, read in 2026.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Literal, TypeVar, cast

T = TypeVar("T")
Network = IPv4Network | IPv6Network
ConnectorType = Literal["on-premises", "partner"]
TlsSettings = Literal["none", "encryption-only", "certificate-validation", "domain-validation"]
DomainType = Literal["authoritative", "internal-relay", "external-relay"]


@lru_cache(maxsize=65536)
def read_network(text: str) -> Network | None:
    """Read an address or a network as Exchange writes them; None where it is neither."""
    try:
        return ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None


def read_networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Return those of *texts* that are addresses or networks."""
    found = map(read_network, texts)
    return tuple(each for each in found if each is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """An inbound connector: mail into Microsoft 365 from elsewhere. Times are UTC."""

    name: str
    guid: str = ""
    enabled: bool | None = None
    connector_type: ConnectorType | None = None
    connector_source: str = ""
    sender_domains: tuple[str, ...] = ()
    sender_ip_addresses: tuple[str, ...] = ()
    tls_sender_certificate_name: str = ""
    require_tls: bool | None = None
    restrict_domains_to_certificate: bool | None = None
    restrict_domains_to_ip_addresses: bool | None = None
    cloud_services_mail_enabled: bool | None = None
    treat_messages_as_internal: bool | None = None
    associated_accepted_domains: tuple[str, ...] = ()
    trusted_organizations: tuple[str, ...] = ()
    ef_skip_last_ip: bool | None = None
    ef_skip_ips: tuple[str, ...] = ()
    ef_users: tuple[str, ...] = ()
    created_at: datetime | None = None
    changed_at: datetime | None = None
    unsaid: tuple[str, ...] = ()

    @property
    def is_on(self) -> bool:
        """True unless the export says that it is off."""
        return self.enabled is not False

    @property
    def certificate_domain(self) -> str:
        """The domain of TlsSenderCertificateName, without a leading ``*.``; empty where none."""
        return self.tls_sender_certificate_name.removeprefix("*.")

    @property
    def networks(self) -> tuple[Network, ...]:
        """SenderIPAddresses, those that can be read."""
        return read_networks(self.sender_ip_addresses)

    @property
    def is_restricted(self) -> bool:
        """True for a partner connector that turns away who does not show what it names."""
        return self.connector_type == "partner" and bool(
            self.restrict_domains_to_certificate or self.restrict_domains_to_ip_addresses
        )

    @property
    def has_enhanced_filtering(self) -> bool:
        """True where addresses are skipped to find the true source of a message."""
        return bool(self.ef_skip_last_ip or self.ef_skip_ips)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """An outbound connector: mail out of Microsoft 365. ``last_validated_at`` is UTC."""

    name: str
    guid: str = ""
    enabled: bool | None = None
    connector_type: ConnectorType | None = None
    connector_source: str = ""
    recipient_domains: tuple[str, ...] = ()
    all_accepted_domains: bool | None = None
    is_transport_rule_scoped: bool | None = None
    use_mx_record: bool | None = None
    smart_hosts: tuple[str, ...] = ()
    tls_settings: TlsSettings | None = None
    tls_domain: str = ""
    cloud_services_mail_enabled: bool | None = None
    route_all_messages_via_on_premises: bool | None = None
    sender_rewriting_enabled: bool | None = None
    mta_sts_mode: str = ""
    smtp_dane_mode: str = ""
    test_mode: bool | None = None
    validation_recipients: tuple[str, ...] = ()
    is_validated: bool | None = None
    last_validated_at: datetime | None = None
    created_at: datetime | None = None
    changed_at: datetime | None = None
    unsaid: tuple[str, ...] = ()

    @property
    def is_on(self) -> bool:
        """True unless the export says that it is off, or in test mode."""
        return self.enabled is not False and self.test_mode is not True


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedDomain:
    """An accepted domain: one that the tenant takes mail for."""

    name: str
    domain_type: DomainType | None = None
    is_default: bool | None = None
    is_initial: bool | None = None
    match_subdomains: bool | None = None
    outbound_only: bool | None = None
    sending_from_disabled: bool | None = None
    sending_to_disabled: bool | None = None
    authentication_type: str = ""
    changed_at: datetime | None = None
    unsaid: tuple[str, ...] = ()

    @property
    def is_of_microsoft(self) -> bool:
        """True for a domain below one that Microsoft gives to tenants."""
        return self.name.endswith(MICROSOFT_DOMAINS)


MICROSOFT_DOMAINS = (
    ".onmicrosoft.com",
    ".onmicrosoft.us",
    ".onmschina.cn",
    ".partner.onmschina.cn",
    ".onmicrosoft.de",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportRule:
    """A mail flow rule, as far as it decides on the way of messages.

    ``mode`` is ``Enforce``, ``Audit`` or ``AuditAndNotify``. ``exception_headers`` are the headers
    that exempt a message; ``conditions`` are the properties that are set and limit whom it applies
    to, with their values as text.
    """

    name: str
    guid: str = ""
    enabled: bool | None = None
    mode: str = ""
    priority: int | None = None
    from_scope: str = ""
    sent_to_scope: str = ""
    route_message_outbound_connector: str = ""
    stop_rule_processing: bool | None = None
    set_scl: int | None = None
    set_header_name: str = ""
    exception_headers: tuple[str, ...] = ()
    conditions: tuple[tuple[str, str], ...] = ()
    changed_at: datetime | None = None
    unsaid: tuple[str, ...] = ()

    @property
    def is_on(self) -> bool:
        """True where it acts: enabled, and not only watched."""
        return self.enabled is not False and self.mode.lower() in ("", "enforce")


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimConfig:
    """How a domain's mail is signed. ``status`` is ``Valid``, ``CnameMissing`` or another word."""

    domain: str
    enabled: bool | None = None
    status: str = ""
    selector1_cname: str = ""
    selector2_cname: str = ""
    selector1_key_size: int | None = None
    selector2_key_size: int | None = None
    rotate_on_date: datetime | None = None
    unsaid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsRecord:
    """A record that Microsoft asks a customer to publish.

    ``record_type`` is ``Mx``, ``CName``, ``Txt``, ``Srv`` or another word, ``target`` the host that
    it leads to, ``service`` what it is for, such as ``Email``.
    """

    name: str
    record_type: str = ""
    target: str = ""
    preference: int | None = None
    text: str = ""
    service: str = ""
    is_optional: bool | None = None
    unsaid: tuple[str, ...] = ()

    @property
    def is_for_mail(self) -> bool:
        """Whether mail needs it."""
        return self.service.lower() == "email" and not self.is_optional


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """What is set for the organisation as a whole."""

    name: str = ""
    tenant_id: str = ""
    reject_direct_send: bool | None = None
    smtp_client_authentication_disabled: bool | None = None
    message_expiration: str = ""


@dataclass(frozen=True, kw_only=True)  # without slots: what is made of it once stays beside it
class Export:
    """What the files of one tenant say. A kind of object that no file holds is None, not empty.

    ``exported_at`` is when Exchange was asked: what the files say themselves, else when the oldest
    of them was written.
    """

    inbound: tuple[Inbound, ...] | None = None
    outbound: tuple[Outbound, ...] | None = None
    domains: tuple[AcceptedDomain, ...] | None = None
    rules: tuple[TransportRule, ...] | None = None
    dkim: tuple[DkimConfig, ...] | None = None
    records: tuple[DnsRecord, ...] | None = None
    organisation: Organisation | None = None
    exported_at: datetime | None = None

    @cached_property
    def domain_names(self) -> tuple[str, ...]:
        """The accepted domains, in lower case."""
        return tuple(each.name for each in self.domains or ())

    @cached_property
    def by_name(self) -> Mapping[str, AcceptedDomain]:
        """The accepted domains by their names."""
        return {each.name: each for each in self.domains or ()}

    @cached_property
    def _made(self) -> dict[Callable[["Export"], Any], Any]:
        return {}

    def once(self, make: Callable[["Export"], T]) -> T:
        """Return what *make* makes of the export: made when first asked for, and kept with it."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast("T", self._made[make])

    def accepted(self, domain: str) -> AcceptedDomain | None:
        """Return the accepted domain that takes mail for *domain*, by itself or as its parent."""
        known = self.by_name
        if domain in known:
            return known[domain]
        for parent in parents(domain):
            found = known.get(parent)
            if found is not None and found.match_subdomains:
                return found
        return None


def identity_of(thing: Inbound | Outbound | TransportRule) -> str:
    """Return what a cmdlet finds it by: its name, or its Guid where the gate changed the name."""
    return thing.guid if thing.guid and "\\x" in thing.name else thing.name


def parents(name: str) -> Iterator[str]:
    """Yield the domains above *name*, nearest first, those of one label left out."""
    _, _, rest = name.partition(".")
    while "." in rest:
        yield rest
        _, _, rest = rest.partition(".")
