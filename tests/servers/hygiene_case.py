"""A tenant in a few words, for the rules of hygiene, and healthy objects to break."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from agent.domain.finding import Finding
from agent.domain.tenancy.hygiene import Wishes, hygiene
from agent.domain.tenancy.landscape import Exchanges, Surroundings, Tenancy
from agent.domain.tenancy.objects import (
    AcceptedDomain,
    DkimConfig,
    DnsRecord,
    Export,
    Inbound,
    Organisation,
    Outbound,
    TransportRule,
)

NO_WISHES = Wishes()
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
CONTOSO = "contoso.example"
AT_EXCHANGE = "contoso-example.mail.protection.outlook.com"
AT_FILTER = "contoso.example.pphosted.com"
AT_HOME = "mail.contoso.example"

DOMAIN = AcceptedDomain(name=CONTOSO, domain_type="authoritative", is_default=True)
INITIAL = AcceptedDomain(
    name="contoso.onmicrosoft.com", domain_type="authoritative", is_initial=True
)
RELAY = AcceptedDomain(name=CONTOSO, domain_type="internal-relay", is_default=True)

LOCK = Inbound(
    name="From the filter",
    guid="1",
    enabled=True,
    connector_type="partner",
    connector_source="Default",
    sender_domains=("*",),
    tls_sender_certificate_name="*.pphosted.com",
    require_tls=True,
    restrict_domains_to_certificate=True,
    restrict_domains_to_ip_addresses=False,
    cloud_services_mail_enabled=False,
    treat_messages_as_internal=False,
    ef_skip_last_ip=True,
    changed_at=NOW - timedelta(days=300),
)
FROM_HOME = Inbound(
    name="Inbound from 7f",
    guid="2",
    enabled=True,
    connector_type="on-premises",
    connector_source="HybridWizard",
    sender_domains=("*",),
    tls_sender_certificate_name=AT_HOME,
    require_tls=True,
    restrict_domains_to_certificate=False,
    restrict_domains_to_ip_addresses=False,
    cloud_services_mail_enabled=True,
    treat_messages_as_internal=False,
    ef_skip_last_ip=False,
    changed_at=NOW - timedelta(days=300),
)
DEVICES = Inbound(
    name="Printers",
    guid="3",
    enabled=True,
    connector_type="on-premises",
    connector_source="AdminUI",
    sender_domains=("*",),
    sender_ip_addresses=("203.0.113.7",),
    require_tls=True,
    cloud_services_mail_enabled=False,
    ef_skip_last_ip=False,
    changed_at=NOW - timedelta(days=300),
)
TO_HOME = Outbound(
    name="Outbound to 7f",
    guid="4",
    enabled=True,
    connector_type="on-premises",
    connector_source="HybridWizard",
    recipient_domains=(CONTOSO,),
    all_accepted_domains=False,
    is_transport_rule_scoped=False,
    use_mx_record=False,
    smart_hosts=(AT_HOME,),
    tls_settings="domain-validation",
    tls_domain=AT_HOME,
    cloud_services_mail_enabled=True,
    route_all_messages_via_on_premises=False,
    sender_rewriting_enabled=False,
    mta_sts_mode="Opportunistic",
    smtp_dane_mode="Opportunistic",
    test_mode=False,
    validation_recipients=("probe@contoso.example",),
    is_validated=True,
    last_validated_at=NOW - timedelta(days=20),
    changed_at=NOW - timedelta(days=20) + timedelta(minutes=1),
)
TO_PARTNER = Outbound(
    name="To Fabrikam",
    guid="5",
    enabled=True,
    connector_type="partner",
    recipient_domains=("fabrikam.example",),
    all_accepted_domains=False,
    is_transport_rule_scoped=False,
    use_mx_record=True,
    tls_settings="certificate-validation",
    mta_sts_mode="Opportunistic",
    smtp_dane_mode="Opportunistic",
    test_mode=False,
    is_validated=True,
    last_validated_at=NOW - timedelta(days=20),
    changed_at=NOW - timedelta(days=30),
)
FROM_PARTNER = Inbound(
    name="From Fabrikam",
    guid="6",
    enabled=True,
    connector_type="partner",
    sender_domains=("fabrikam.example",),
    tls_sender_certificate_name="fabrikam.example",
    require_tls=True,
    restrict_domains_to_certificate=True,
    ef_skip_last_ip=False,
)
SERVICE = "contoso.smtp.signatures.example"  # the name that a service gave to the tenant
TO_SERVICE = Outbound(
    name="To the signatures",
    guid="8",
    enabled=True,
    connector_type="on-premises",
    is_transport_rule_scoped=True,
    use_mx_record=False,
    smart_hosts=("smtp.signatures.example",),
    tls_settings="domain-validation",
    tls_domain="*.signatures.example",
    cloud_services_mail_enabled=True,
    is_validated=True,
    last_validated_at=NOW - timedelta(days=20),
    changed_at=NOW - timedelta(days=30),
)
FROM_SERVICE = Inbound(
    name="From the signatures",
    guid="9",
    enabled=True,
    connector_type="on-premises",
    sender_domains=("*",),
    tls_sender_certificate_name=SERVICE,
    require_tls=True,
    restrict_domains_to_certificate=True,
    cloud_services_mail_enabled=True,
    ef_skip_last_ip=False,
)
TO_SIGN = TransportRule(
    name="Sign",
    guid="10",
    enabled=True,
    mode="Enforce",
    priority=0,
    from_scope="InOrganization",
    route_message_outbound_connector="To the signatures",
    stop_rule_processing=True,
    exception_headers=("X-Signed",),
)
SIGNED = DkimConfig(
    domain=CONTOSO,
    enabled=True,
    status="Valid",
    selector1_cname="selector1-contoso-example._domainkey.contoso.onmicrosoft.com",
    selector2_cname="selector2-contoso-example._domainkey.contoso.onmicrosoft.com",
    selector1_key_size=2048,
    selector2_key_size=2048,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A tenant; its exchanges as ``{domain: "host host"}``, an empty text for no MX."""

    inbound: tuple[Inbound, ...] | None = ()
    outbound: tuple[Outbound, ...] | None = ()
    domains: tuple[AcceptedDomain, ...] | None = (DOMAIN, INITIAL)
    rules: tuple[TransportRule, ...] | None = ()
    dkim: tuple[DkimConfig, ...] | None = None
    records: tuple[DnsRecord, ...] | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    organisation: Organisation | None = None
    topologies: Mapping[str, str] = field(default_factory=dict)
    mx: Mapping[str, str] = field(default_factory=dict)
    null_mx: tuple[str, ...] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)
    gateways: tuple[str, ...] = ()
    wishes: Wishes = NO_WISHES

    def seen(self) -> list[Finding]:
        """Return what the rules find."""
        export = Export(
            inbound=self.inbound,
            outbound=self.outbound,
            domains=self.domains,
            rules=self.rules,
            dkim=self.dkim,
            records=self.records,
            organisation=self.organisation,
        )
        tenancy = Tenancy(
            name="contoso", export=export, topologies=self.topologies, gateways=self.gateways
        )
        exchanges = {name: Exchanges(tuple(hosts.split())) for name, hosts in self.mx.items()}
        exchanges |= {name: Exchanges(is_null=True) for name in self.null_mx}
        addresses = {
            host: tuple(map(ip_address, texts.split())) for host, texts in self.addresses.items()
        }
        surroundings = Surroundings(
            exchanges=exchanges,
            addresses=addresses,
            aliases={name: tuple(steps.split()) for name, steps in self.aliases.items()},
            texts={name: (text.encode(),) if text else () for name, text in self.texts.items()},
        )
        return list(hygiene(tenancy, surroundings, NOW, self.wishes))


CLOUD = Case(mx={CONTOSO: AT_EXCHANGE})
FILTERED = Case(inbound=(LOCK,), mx={CONTOSO: AT_FILTER})
HYBRID = Case(inbound=(FROM_HOME,), outbound=(TO_HOME,), mx={CONTOSO: AT_EXCHANGE})
CENTRAL = replace(TO_HOME, route_all_messages_via_on_premises=True, recipient_domains=("*",))
ADD_ON = Case(
    inbound=(FROM_SERVICE,),
    outbound=(TO_SERVICE,),
    domains=(DOMAIN, INITIAL, AcceptedDomain(name=SERVICE, domain_type="authoritative")),
    rules=(TO_SIGN,),
    mx={CONTOSO: AT_EXCHANGE},
)
