"""Which properties of an object in Exchange are worth a word when they change?

One row for each, with the name that Exchange gives it. What changes by itself is not here: times of
change and of validation, what a validation leaves behind, and the day on which a DKIM key rotates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from agent.domain.tenancy.objects import (
    AcceptedDomain,
    DkimConfig,
    Inbound,
    Network,
    Organisation,
    Outbound,
    TransportRule,
    read_network,
)

Kind = Literal[
    "inbound connector",
    "outbound connector",
    "accepted domain",
    "mail flow rule",
    "DKIM configuration",
    "organisation",
]
Thing = Inbound | Outbound | AcceptedDomain | TransportRule | DkimConfig | Organisation
_MAX_TEXT = 200  # characters of a value that are kept
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "on-premises": "OnPremises",
        "partner": "Partner",
        "encryption-only": "EncryptionOnly",
        "certificate-validation": "CertificateValidation",
        "domain-validation": "DomainValidation",
        "authoritative": "Authoritative",
        "internal-relay": "InternalRelay",
        "external-relay": "ExternalRelay",
    }
)


@dataclass(frozen=True, slots=True)
class Property:
    """A property: ``field`` is ours, ``name`` is Exchange's.

    ``is_unordered``: the order of a list says nothing. ``is_network``: a list of addresses and
    networks, each of which may be written in several ways. ``is_always_set``: empty means that the
    export does not say. ``has_none``: None means that nothing is set, and not that nobody says.
    ``parameter`` is what a Set- cmdlet calls it, ``None`` where it takes none;
    ``group`` holds those together that Exchange only takes at once. ``default`` is what a New-
    cmdlet takes by itself.
    """

    field: str
    name: str
    is_unordered: bool = False
    is_network: bool = False
    is_always_set: bool = False
    has_none: bool = False
    parameter: str | None = ""
    group: str = ""
    default: Any = None

    @property
    def key(self) -> str:
        """What it is restored together with."""
        return self.group or self.name

    def value_of(self, thing: Thing) -> Any:
        """Return the value that *thing* has."""
        return getattr(thing, self.field)

    def differs(self, before: Any, after: Any) -> bool:
        """Tell whether two values differ; what an export does not say differs from nothing."""
        if not self.has_none and (before is None or after is None):
            return False
        if self.is_always_set and not (before and after):
            return False
        if self.is_network:
            return frozenset(map(_network, before)) != frozenset(map(_network, after))
        if self.field == "guid":
            return bool(before.lower() != after.lower())
        if self.is_unordered:
            return frozenset(before) != frozenset(after)
        return bool(before != after)


def _list(field: str, name: str, group: str = "") -> Property:
    return Property(field, name, is_unordered=True, group=group)


def _networks(field: str, name: str, group: str = "") -> Property:
    return Property(field, name, is_network=True, group=group)


def _network(text: str) -> Network | str:
    return read_network(text) or text


def _name(field: str, name: str, parameter: str | None = None) -> Property:
    return Property(field, name, is_always_set=True, parameter=parameter)


# Another Guid under the same name is another object: somebody has made it anew.
_GUID = _name("guid", "Guid")
_CONNECTOR = (
    Property("name", "Name", is_always_set=True),
    _GUID,
    Property("enabled", "Enabled", default=True),
    Property("connector_type", "ConnectorType"),
    _name("connector_source", "ConnectorSource"),
    Property("cloud_services_mail_enabled", "CloudServicesMailEnabled", default=False),
)
_CERTIFICATE, _ADDRESSES = "certificate", "addresses"
INBOUND = (
    *_CONNECTOR,
    _list("sender_domains", "SenderDomains"),
    _networks("sender_ip_addresses", "SenderIPAddresses", _ADDRESSES),
    Property("tls_sender_certificate_name", "TlsSenderCertificateName", group=_CERTIFICATE),
    Property("require_tls", "RequireTls", default=True),
    Property(
        "restrict_domains_to_certificate",
        "RestrictDomainsToCertificate",
        group=_CERTIFICATE,
        default=False,
    ),
    Property(
        "restrict_domains_to_ip_addresses",
        "RestrictDomainsToIPAddresses",
        group=_ADDRESSES,
        default=False,
    ),
    Property("treat_messages_as_internal", "TreatMessagesAsInternal", default=False),
    _list("associated_accepted_domains", "AssociatedAcceptedDomains"),
    _list("trusted_organizations", "TrustedOrganizations"),
    Property("ef_skip_last_ip", "EFSkipLastIP", default=False),
    _networks("ef_skip_ips", "EFSkipIPs"),
    _list("ef_users", "EFUsers"),
)
_ROUTING, _TLS = "routing", "tls"
OUTBOUND = (
    *_CONNECTOR,
    _list("recipient_domains", "RecipientDomains"),
    Property("all_accepted_domains", "AllAcceptedDomains", default=False),
    Property("is_transport_rule_scoped", "IsTransportRuleScoped", default=False),
    Property("use_mx_record", "UseMXRecord", group=_ROUTING, default=True),
    _list("smart_hosts", "SmartHosts", _ROUTING),
    Property("tls_settings", "TlsSettings", group=_TLS, default="none"),
    Property("tls_domain", "TlsDomain", group=_TLS),
    Property("route_all_messages_via_on_premises", "RouteAllMessagesViaOnPremises", default=False),
    Property("sender_rewriting_enabled", "SenderRewritingEnabled", default=False),
    Property("mta_sts_mode", "MtaStsMode", is_always_set=True),
    Property("smtp_dane_mode", "SmtpDaneMode", is_always_set=True),
    Property("test_mode", "TestMode", default=False),
)
DOMAIN = (
    _name("name", "DomainName"),
    Property("domain_type", "DomainType", group="type"),
    Property("match_subdomains", "MatchSubDomains", group="type"),
    Property("is_default", "Default", parameter=None),
    Property("is_initial", "InitialDomain", parameter=None),
    Property("outbound_only", "OutboundOnly"),
    Property("sending_from_disabled", "SendingFromDomainDisabled"),
    Property("sending_to_disabled", "SendingToDomainDisabled"),
    _name("authentication_type", "AuthenticationType"),
)
# The priority of a rule is compared by its place among the others, and its conditions one by one.
RULE = (
    _name("name", "Name", ""),
    _GUID,
    Property("enabled", "State"),
    _name("mode", "Mode", ""),
    Property("from_scope", "FromScope"),
    Property("sent_to_scope", "SentToScope"),
    Property("route_message_outbound_connector", "RouteMessageOutboundConnector"),
    Property("stop_rule_processing", "StopRuleProcessing"),
    Property("set_scl", "SetSCL", has_none=True),
    Property("set_header_name", "SetHeaderName", parameter=None),
    Property(
        "exception_headers",
        "ExceptIfHeaderContainsMessageHeader",
        is_unordered=True,
        parameter=None,
    ),
)
PRIORITY = Property("priority", "Priority")
DKIM = (
    Property("enabled", "Enabled"),
    _name("status", "Status"),
    _name("selector1_cname", "Selector1CNAME"),
    _name("selector2_cname", "Selector2CNAME"),
    Property("selector1_key_size", "Selector1KeySize", parameter=None),
    Property("selector2_key_size", "Selector2KeySize", parameter=None),
)
ORGANISATION = (
    _name("name", "Name"),
    _name("tenant_id", "ExternalDirectoryOrganizationId"),
    Property("reject_direct_send", "RejectDirectSend"),
    Property("smtp_client_authentication_disabled", "SmtpClientAuthenticationDisabled"),
    _name("message_expiration", "MessageExpiration", ""),
)
PROPERTIES: Mapping[Kind, tuple[Property, ...]] = MappingProxyType(
    {
        "inbound connector": INBOUND,
        "outbound connector": OUTBOUND,
        "accepted domain": DOMAIN,
        "mail flow rule": RULE,
        "DKIM configuration": DKIM,
        "organisation": ORGANISATION,
    }
)


def name_of(thing: Thing) -> str:
    """Return what people call an object."""
    return thing.domain if isinstance(thing, DkimConfig) else thing.name


def in_exchanges_words(value: Any) -> Any:
    """Return a value as Exchange takes it; lists and truth values stay what they are."""
    return _WORDS.get(value, value) if isinstance(value, str) else value


def written(spec: Property, value: Any, other: Any) -> str:
    """Write *value* in few words, with what tells it from *other*; nothing for an empty one."""
    if spec.name == "State":
        return "Enabled" if value else "Disabled"
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, tuple):
        return _listed(value, other)
    return shortened(str(in_exchanges_words(value)))


def shortened(text: str) -> str:
    """Cut a text that is too long to be read in a sentence."""
    return text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 3]}..."


def _listed(values: tuple[str, ...], others: tuple[str, ...]) -> str:
    text = ", ".join(values)
    if len(text) <= _MAX_TEXT:
        return text
    rest = frozenset(others)
    own = [value for value in values if value not in rest]
    stay = len(values) - len(own)
    parts = ([shortened(", ".join(own))] if own else []) + ([f"{stay} that stay"] if stay else [])
    return " and ".join(parts)
