"""How does an operator describe a connector of Exchange Online?

With its own properties in snake case, so that an export can be read beside the file. Exchange's
spelling of values (``DomainValidation``, ``OnPremises``) is read as well as ours.
"""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic.functional_validators import BeforeValidator

from agent.settings.fields import (
    Domain,
    HostPattern,
    MailAddress,
    Name,
    Network,
    RecipientDomain,
    ReversePath,
    ServerPlace,
    SmartHost,
)
from agent.settings.subject import Subject

_SPELLINGS = {
    "encryptiononly": "encryption-only",
    "certificatevalidation": "certificate-validation",
    "domainvalidation": "domain-validation",
    "onpremises": "on-premises",
    "partner": "partner",
    "none": "none",
    "opportunistic": "opportunistic",
    "mandatory": "mandatory",
}


def _spelling(value: Any) -> Any:
    """Read Exchange's spelling as well as ours; what is empty there is none."""
    if value is None:
        return "none"
    return _SPELLINGS.get(value.lower(), value) if isinstance(value, str) else value


TlsSettings = Annotated[
    Literal["none", "encryption-only", "certificate-validation", "domain-validation"],
    BeforeValidator(_spelling),
]
ConnectorType = Annotated[Literal["partner", "on-premises"], BeforeValidator(_spelling)]

MtaStsMode = Annotated[Literal["opportunistic", "none"], BeforeValidator(_spelling)]
SmtpDaneMode = Annotated[Literal["opportunistic", "mandatory", "none"], BeforeValidator(_spelling)]

_OUTBOUND_ONLY = (
    "smart_hosts",
    "use_mx_record",
    "mta_sts_mode",
    "smtp_dane_mode",
    "recipient_domains",
    "tls_settings",
    "tls_domain",
    "validation_recipients",
)
_INBOUND_ONLY = (
    "endpoint",
    "connector_type",
    "tls_sender_certificate_name",
    "sender_ip_addresses",
    "credential",
    "recipient",
    "accepted_domains",
    "relays",
)


class ConnectorSubject(Subject):
    """A connector of Exchange Online, described with its own properties in snake case."""

    kind: ClassVar[str] = "connector"

    name: Name = Field(description="The name of the connector.")
    direction: Literal["outbound", "inbound"] = Field(
        default="outbound",
        description="As Exchange Online sees it. Outbound: from it to the smart hosts; inbound: to"
        " it, from your servers or a partner's.",
    )
    smart_hosts: tuple[SmartHost, ...] = Field(
        default=(),
        description="SmartHosts: names, addresses or ranges (`203.0.113.0/29`), with `:port` where"
        " it is not 25; every address is walked. Outbound.",
    )
    use_mx_record: bool = Field(
        default=False,
        description="UseMXRecord: mail goes to the exchanges of each recipient domain instead of"
        " smart hosts. The domains are those of `recipient_domains` and `validation_recipients`."
        " Outbound.",
    )
    mta_sts_mode: MtaStsMode = Field(
        default="opportunistic",
        description="MtaStsMode: whether the policies of recipient domains are obeyed; with"
        " `use_mx_record`. Outbound.",
    )
    smtp_dane_mode: SmtpDaneMode = Field(
        default="opportunistic",
        description="SmtpDaneMode: whether TLSA records are obeyed, or demanded; with"
        " `use_mx_record`. Outbound.",
    )
    recipient_domains: tuple[RecipientDomain, ...] = Field(
        default=(),
        description="RecipientDomains: `*`, or domains with an optional leading `*.`. Outbound.",
    )
    tls_settings: TlsSettings = Field(
        default="none",
        description="TlsSettings: `none` is opportunistic TLS; Exchange's spelling"
        " (`DomainValidation`) is read too. Outbound.",
    )
    tls_domain: HostPattern | None = Field(
        default=None,
        description="TlsDomain: the name that the certificate must have; only with"
        " `domain-validation`. Outbound.",
    )
    validation_recipients: tuple[MailAddress, ...] = Field(
        default=(),
        description="ValidationRecipients: addresses that the smart hosts must accept. No message"
        " is sent to them. Outbound.",
    )
    endpoint: ServerPlace | None = Field(
        default=None,
        description="The tenant's endpoint, such as `contoso-com.mail.protection.outlook.com`."
        " Inbound.",
    )
    connector_type: ConnectorType = Field(
        default="on-premises",
        description="ConnectorType: `on-premises` for servers of your own, `partner` for others."
        " Inbound.",
    )
    tls_sender_certificate_name: HostPattern | None = Field(
        default=None,
        description="TlsSenderCertificateName: the name in the sending server's certificate."
        " Inbound.",
    )
    sender_ip_addresses: tuple[Network, ...] = Field(
        default=(),
        description="SenderIPAddresses: from where the mail comes. Inbound.",
    )
    credential: Name | None = Field(
        default=None,
        description="Name of the `client-certificate` credential to show, as the sending server"
        " does. Inbound.",
    )
    recipient: MailAddress | None = Field(
        default=None,
        description="A live mailbox of the tenant, which must be accepted. No message is sent."
        " Inbound.",
    )
    accepted_domains: tuple[Domain, ...] = Field(
        default=(),
        description="Accepted domains of the tenant; by default the domains of the tenant in this"
        " file. Inbound.",
    )
    relays: bool = Field(
        default=False,
        description="Whether mail to foreign recipients must be relayed through this connector."
        " Inbound.",
    )
    foreign_recipient: MailAddress = Field(
        default="relay-test@example.org",
        description="An address of a domain that is not yours, to see who relays. No message is"
        " sent to it.",
    )
    helo: Domain | None = Field(
        default=None,
        description="Name given in EHLO; by default the domain of `mail_from`, else the host's.",
    )
    mail_from: ReversePath = Field(
        default="", description="Sender of the envelope; `<>` is the null sender."
    )

    @property
    def domains(self) -> tuple[str, ...]:
        """The recipient domains that mail can be delivered to, those of patterns left out."""
        named = (each for each in self.recipient_domains if "*" not in each)
        valid = (each.rpartition("@")[2] for each in self.validation_recipients)
        return tuple(dict.fromkeys((*named, *valid)))

    def within(self, domains: tuple[str, ...]) -> Self:
        """Take the domains of its tenant for accepted ones, where it names none itself."""
        if self.direction == "outbound" or self.accepted_domains:
            return self
        return self.model_copy(update={"accepted_domains": domains})

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if mistakes := (*self._strays(), *self._gaps()):
            raise ValueError("; ".join(mistakes))
        return self

    def _strays(self) -> tuple[str, ...]:
        """Return what is said that has no meaning in this direction."""
        other = _INBOUND_ONLY if self.direction == "outbound" else _OUTBOUND_ONLY
        opposite = "inbound" if self.direction == "outbound" else "outbound"
        defaults = type(self).model_fields
        strays = [name for name in other if getattr(self, name) != defaults[name].default]
        return tuple(f"{name} is only for {opposite} connectors" for name in strays)

    def _gaps(self) -> tuple[str, ...]:
        return _gaps_outbound(self) if self.direction == "outbound" else _gaps_inbound(self)


def _gaps_outbound(connector: ConnectorSubject) -> tuple[str, ...]:
    """Return what is missing in an outbound connector, or does not fit."""
    needs_name = connector.tls_settings == "domain-validation"
    by_mx = connector.use_mx_record
    wrong = {
        "an outbound connector needs smart_hosts, or use_mx_record": not by_mx
        and not connector.smart_hosts,
        "smart_hosts are not used with use_mx_record": by_mx and bool(connector.smart_hosts),
        "use_mx_record needs a domain in recipient_domains or validation_recipients": by_mx
        and not connector.domains,
        "tls_settings domain-validation needs a tls_domain": needs_name
        and connector.tls_domain is None,
        "tls_domain is only used with tls_settings domain-validation": not needs_name
        and connector.tls_domain is not None,
    }
    return tuple(message for message, is_so in wrong.items() if is_so)


def _gaps_inbound(connector: ConnectorSubject) -> tuple[str, ...]:
    """Return what is missing in an inbound connector, or does not fit."""
    is_partner = connector.connector_type == "partner"
    wrong = {
        "an inbound connector needs the endpoint of the tenant": connector.endpoint is None,
        "relays is only for connector_type on-premises": connector.relays and is_partner,
    }
    return tuple(message for message, is_so in wrong.items() if is_so)
