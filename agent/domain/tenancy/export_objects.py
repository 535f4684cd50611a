"""Which properties of an exported object are read, and what do they become?

Declared once for each cmdlet, so that what the reader reads and what ``deploy/export-tenant.ps1``
selects can be compared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from types import MappingProxyType
from typing import Any, Final, Literal

from agent.domain.peer_text import PeerText
from agent.domain.tenancy.export_hosts import (
    address_spaces,
    addresses,
    certificate_name,
    domain,
    mail_domain_text,
    smart_hosts,
)
from agent.domain.tenancy.export_trouble import Notes, Place
from agent.domain.tenancy.export_values import (
    Cell,
    Reader,
    flag,
    guid,
    hint_of_word,
    moment,
    name_of_word,
    names,
    number,
    plain,
    span,
    text,
    texts,
    word,
    zoned_moment,
)
from agent.domain.tenancy.rule_conditions import CONDITIONS, EXCEPTIONS, GUARDS, HEADERS

Kind = Literal["inbound", "outbound", "domains", "rules", "dkim", "records", "org", "transport"]
_LONGEST_CONDITION = 10_000  # characters
SOMETHING: Final = "something"
_NAMES_OF_CONDITIONS: Final = {each.lower(): each for each in (*CONDITIONS, *EXCEPTIONS)}
_TYPES: Mapping[str | int, str] = {
    "OnPremises": "on-premises",
    "Partner": "partner",
    1: "on-premises",
    2: "partner",
}
_TLS: Mapping[str | int, str] = {
    "EncryptionOnly": "encryption-only",
    "CertificateValidation": "certificate-validation",
    "DomainValidation": "domain-validation",
    1: "encryption-only",
    2: "certificate-validation",
    3: "domain-validation",
}
_DOMAIN_TYPES: Mapping[str | int, str] = {
    "Authoritative": "authoritative",
    "ExternalRelay": "external-relay",
    "InternalRelay": "internal-relay",
    0: "authoritative",
    1: "external-relay",
    2: "internal-relay",
}
_STATES: Mapping[str | int, bool] = {"Enabled": True, "Disabled": False}


@dataclass(frozen=True, slots=True)
class Field:
    """One property: what it is with us, what Exchange calls it, and how it is read."""

    field: str
    name: str
    read: Reader


_CHANGED = (
    Field("changed_at", "WhenChangedUTC", moment),
    Field("changed_at", "WhenChanged", zoned_moment),
)
_CREATED = Field("created_at", "WhenCreatedUTC", moment)
_CONNECTOR = (
    Field("guid", "Guid", guid),
    Field("enabled", "Enabled", flag),
    Field("connector_type", "ConnectorType", word(_TYPES)),
    Field("connector_source", "ConnectorSource", hint_of_word),
    Field("cloud_services_mail_enabled", "CloudServicesMailEnabled", flag),
    _CREATED,
    *_CHANGED,
)
FIELDS: Final[Mapping[Kind, tuple[Field, ...]]] = MappingProxyType(
    {
        "inbound": (
            *_CONNECTOR,
            Field("sender_domains", "SenderDomains", address_spaces),
            Field("sender_ip_addresses", "SenderIPAddresses", addresses),
            Field("tls_sender_certificate_name", "TlsSenderCertificateName", certificate_name),
            Field("require_tls", "RequireTls", flag),
            Field("restrict_domains_to_certificate", "RestrictDomainsToCertificate", flag),
            Field("restrict_domains_to_ip_addresses", "RestrictDomainsToIPAddresses", flag),
            Field("treat_messages_as_internal", "TreatMessagesAsInternal", flag),
            Field("associated_accepted_domains", "AssociatedAcceptedDomains", address_spaces),
            Field("trusted_organizations", "TrustedOrganizations", names),
            Field("ef_skip_last_ip", "EFSkipLastIP", flag),
            Field("ef_skip_ips", "EFSkipIPs", addresses),
            Field("ef_users", "EFUsers", texts),
        ),
        "outbound": (
            *_CONNECTOR,
            Field("recipient_domains", "RecipientDomains", address_spaces),
            Field("all_accepted_domains", "AllAcceptedDomains", flag),
            Field("is_transport_rule_scoped", "IsTransportRuleScoped", flag),
            Field("use_mx_record", "UseMXRecord", flag),
            Field("smart_hosts", "SmartHosts", smart_hosts),
            Field("tls_settings", "TlsSettings", word(_TLS, nothing="none")),
            Field("tls_domain", "TlsDomain", domain),
            Field("route_all_messages_via_on_premises", "RouteAllMessagesViaOnPremises", flag),
            Field("sender_rewriting_enabled", "SenderRewritingEnabled", flag),
            Field("mta_sts_mode", "MtaStsMode", name_of_word),
            Field("smtp_dane_mode", "SmtpDaneMode", name_of_word),
            Field("test_mode", "TestMode", flag),
            Field("validation_recipients", "ValidationRecipients", texts),
            Field("is_validated", "IsValidated", flag),
            Field("last_validated_at", "LastValidationTimestamp", moment),
        ),
        "domains": (
            Field("domain_type", "DomainType", word(_DOMAIN_TYPES)),
            Field("is_default", "Default", flag),
            Field("is_initial", "InitialDomain", flag),
            Field("match_subdomains", "MatchSubDomains", flag),
            Field("outbound_only", "OutboundOnly", flag),
            Field("sending_from_disabled", "SendingFromDomainDisabled", flag),
            Field("sending_to_disabled", "SendingToDomainDisabled", flag),
            Field("authentication_type", "AuthenticationType", name_of_word),
            *_CHANGED,
        ),
        "rules": (
            Field("guid", "Guid", guid),
            Field("enabled", "State", word(_STATES)),
            Field("enabled", "Enabled", flag),
            Field("mode", "Mode", name_of_word),
            Field("priority", "Priority", number),
            Field("from_scope", "FromScope", name_of_word),
            Field("sent_to_scope", "SentToScope", name_of_word),
            Field("route_message_outbound_connector", "RouteMessageOutboundConnector", text),
            Field("stop_rule_processing", "StopRuleProcessing", flag),
            Field("set_scl", "SetSCL", number),
            Field("set_header_name", "SetHeaderName", text),
            *_CHANGED,
        ),
        "dkim": (
            Field("enabled", "Enabled", flag),
            Field("status", "Status", name_of_word),
            Field("selector1_cname", "Selector1CNAME", mail_domain_text),
            Field("selector2_cname", "Selector2CNAME", mail_domain_text),
            Field("selector1_key_size", "Selector1KeySize", number),
            Field("selector2_key_size", "Selector2KeySize", number),
            Field("rotate_on_date", "RotateOnDate", moment),
        ),
        "records": (
            Field("record_type", "RecordType", name_of_word),
            Field("target", "MailExchange", mail_domain_text),
            Field("target", "CanonicalName", mail_domain_text),
            Field("target", "NameTarget", mail_domain_text),
            Field("preference", "Preference", number),
            Field("text", "Text", text),
            Field("service", "SupportedService", name_of_word),
            Field("is_optional", "IsOptional", flag),
        ),
        "org": (Field("reject_direct_send", "RejectDirectSend", flag),),
        "transport": (
            Field("smtp_client_authentication_disabled", "SmtpClientAuthenticationDisabled", flag),
            Field("message_expiration", "MessageExpiration", span),
        ),
    }
)
NAMED_BY: Final[Mapping[Kind, tuple[str, ...]]] = MappingProxyType(
    {
        "inbound": ("Name", "Identity", "Guid"),
        "outbound": ("Name", "Identity", "Guid"),
        "domains": ("DomainName", "Name", "Identity"),
        "rules": ("Name", "Identity", "Guid"),
        "dkim": ("Domain", "Name", "Identity"),
        "records": ("Label",),
        "org": ("Name", "Identity"),
        "transport": (),
    }
)
TENANT_IDS: Final = ("ExternalDirectoryOrganizationId", "OrganizationId", "Guid")


def properties_of(kind: Kind) -> tuple[str, ...]:
    """Return the names of all properties that are read of a kind of object."""
    found = [*NAMED_BY[kind], *(each.name for each in FIELDS[kind]), "OrganizationId"]
    if kind == "rules":
        found += [*CONDITIONS, *GUARDS, *EXCEPTIONS]
    return tuple(dict.fromkeys((*found, *(TENANT_IDS if kind == "org" else ()))))


@dataclass(frozen=True, slots=True)
class Properties:
    """The properties of one object, by their names in lower case."""

    values: Mapping[str, Any]
    place: Place
    notes: Notes

    @classmethod
    def of(cls, thing: Mapping[str, Any], place: Place, notes: Notes) -> "Properties":
        """Return those of *thing*, a JSON object; annotations with ``@`` are none."""
        values = {key.lower(): each for key, each in thing.items() if "@" not in key}
        return cls(values, place, notes)

    def __contains__(self, name: str) -> bool:
        """Tell whether there is such a property, be it null."""
        return name.lower() in self.values

    @property
    def quietly(self) -> "Properties":
        """The same, without anything being noted."""
        return Properties(self.values, self.place, Notes())

    def cell(self, name: str) -> Cell:
        """Return the value of a property with its place."""
        return Cell(self.values.get(name.lower()), self.place.key(name), self.notes)


def read_fields(kind: Kind, properties: Properties) -> dict[str, Any]:
    """Return what the properties of an object say; those that it does not have are left out."""
    found: dict[str, Any] = {}
    for each in FIELDS[kind]:
        if each.name in properties and found.get(each.field) is None:
            found[each.field] = each.read(properties.cell(each.name))
    if kind == "rules":
        found["exception_headers"] = tuple(dict.fromkeys(_guards(properties)))
        found["conditions"] = tuple(sorted(_conditions(properties)))
    return found


def unsaid_of(kind: Kind, properties: Properties) -> tuple[str, ...]:
    """Return the fields of an object for which it has no property, in the order of their names.

    The conditions of a rule are unsaid where it has none of their properties.
    """
    said = {each.field for each in FIELDS[kind] if each.name in properties}
    unsaid = {each.field for each in FIELDS[kind]} - said
    if kind == "rules" and not properties.values.keys() & _NAMES_OF_CONDITIONS.keys():
        unsaid |= {"conditions"}
    if kind == "rules" and not any(name in properties for name in HEADERS):
        unsaid |= {"exception_headers"}
    return tuple(sorted(unsaid))


def _guards(properties: Properties) -> Iterator[str]:
    """Yield the headers that exempt a message from a rule."""
    for name in HEADERS:
        yield from filter(None, (text(properties.cell(name)),))


def _conditions(properties: Properties) -> Iterator[tuple[str, str]]:
    """Yield what limits whom a rule applies to, exceptions among it, with the values as text."""
    for key, value in properties.values.items():
        if _is_set(value) and key in _NAMES_OF_CONDITIONS:
            name = _NAMES_OF_CONDITIONS[key]
            written = _condition(properties.cell(name))
            if written:
                yield name, written


def _condition(cell: Cell) -> str:
    """Write a condition as text; empty where it is not set.

    Some are objects: that they are there counts, not what is in them.
    """
    value = plain(cell.value)
    each = value if isinstance(value, list) else [value]
    kept = takewhile(lambda _: cell.notes.spend(cell.place), each)
    found = (
        SOMETHING if isinstance(one, dict | list) else str(one) for one in kept if _is_set(one)
    )
    return PeerText(", ".join(found), _LONGEST_CONDITION)


def _is_set(value: object) -> bool:
    return value is not None and value is not False and value != ""
