"""A loop is found before any mail flows, once, at everybody whom it concerns."""

from dataclasses import dataclass, field, replace

import pytest
from routing import (
    CENTRAL,
    EXCHANGE,
    FILTER,
    FROM_OWN,
    FROM_SERVICE,
    LOCK,
    SERVER,
    SIGN,
    TO_OWN,
    TO_SERVICE,
    tenant,
)
from tenancies import land, own, partner, surroundings

from agent.domain.finding import Finding, Rule, Severity
from agent.domain.tenancy import loop_rules as rules
from agent.domain.tenancy.journey import By, Loop, Step
from agent.domain.tenancy.landscape import Tenancy
from agent.domain.tenancy.loops import RULES, _fix, loops
from agent.domain.tenancy.objects import Inbound, Outbound, TransportRule
from agent.domain.tenancy.picture import routing_picture
from proof import Proves, fires, named, quiet

GATEWAY = "mx1.provider.example"
SHARED = "gw.provider.example"
PROVIDER = tenant(own(SHARED, name="from gateways"), name="provider", domain="provider.example")
CUSTOMER = tenant(partner(SHARED, name="lock"), name="customer", domain="customer.example")
BEHIND = {"customer.example": GATEWAY}
TO_FILTER = replace(TO_OWN, connector_type="partner", smart_hosts=(FILTER,))


def found(
    *tenancies: Tenancy, exchanges: dict[str, str] | None = None, at: str = ""
) -> tuple[Finding, ...]:
    """Return the findings at a tenant, the first one unless another is named."""
    around = surroundings(exchanges if exchanges is not None else {"contoso.com": EXCHANGE})
    landscape = land(*tenancies, around=around)
    return tuple(loops(landscape[at or tenancies[0].name], landscape))


@dataclass(frozen=True)
class Case:
    """Tenants, of which the first is looked at, and where DNS leads their mail."""

    tenancies: tuple[Tenancy, ...]
    exchanges: dict[str, str] = field(default_factory=lambda: {"contoso.com": EXCHANGE})

    def findings(self) -> tuple[Finding, ...]:
        return found(*self.tenancies, exchanges=self.exchanges)


def alone(*things: Inbound | Outbound | TransportRule) -> Case:
    """Return a case of one tenant whose domains are relay domains."""
    also = ("contoso.signatures.example",)
    return Case((tenant(*things, domain_type="internal-relay", also=also),))


SOUND = tenant(own("mail.provider.example"), name="provider", domain="provider.example")
CASES: list[tuple[Proves, Rule, str, Case]] = [
    (fires, rules.ATTRIBUTION, "the provider's own connector", Case((PROVIDER, CUSTOMER), BEHIND)),
    (fires, rules.ATTRIBUTION, "seen by the customer", Case((CUSTOMER, PROVIDER), BEHIND)),
    (
        quiet,
        rules.ATTRIBUTION,
        "a certificate of its own",
        Case((SOUND, CUSTOMER), BEHIND),
    ),
    (fires, rules.DNS_ROUTING, "relay domain without a connector", alone()),
    (fires, rules.DNS_ROUTING, "connector by MX", alone(replace(TO_OWN, use_mx_record=True))),
    (quiet, rules.DNS_ROUTING, "connector with a smart host", alone(TO_OWN)),
    (
        fires,
        rules.DNS_ROUTING,
        "connector by MX for remote mailboxes of an authoritative domain",
        Case((tenant(FROM_OWN, replace(TO_OWN, use_mx_record=True)),)),
    ),
    (
        quiet,
        rules.DNS_ROUTING,
        "connector by MX to a partner",
        Case((tenant(replace(TO_OWN, connector_type="partner", use_mx_record=True)),)),
    ),
    (
        quiet,
        rules.DNS_ROUTING,
        "connector by MX for everybody",
        Case((tenant(FROM_OWN, replace(TO_OWN, use_mx_record=True, recipient_domains=("*",))),)),
    ),
    (
        fires,
        rules.SMART_HOST,
        "the endpoint",
        alone(replace(TO_OWN, smart_hosts=(SERVER, EXCHANGE))),
    ),
    (quiet, rules.SMART_HOST, "the own server", alone(TO_OWN)),
    (
        fires,
        rules.RULE_UNGUARDED,
        "no exception",
        alone(TO_OWN, FROM_SERVICE, TO_SERVICE, replace(SIGN, exception_headers=())),
    ),
    (
        fires,
        rules.RULE_UNGUARDED,
        "no exception, for some messages",
        alone(
            TO_OWN,
            FROM_SERVICE,
            TO_SERVICE,
            replace(SIGN, exception_headers=(), conditions=(("FromMemberOf", "sales"),)),
        ),
    ),
    (quiet, rules.RULE_UNGUARDED, "an exception", alone(TO_OWN, FROM_SERVICE, TO_SERVICE, SIGN)),
    (
        fires,
        rules.CMT,
        "scoped",
        alone(FROM_OWN, replace(CENTRAL, recipient_domains=(), all_accepted_domains=True)),
    ),
    (fires, rules.CMT, "no way back", alone(CENTRAL)),
    (quiet, rules.CMT, "both ways", alone(FROM_OWN, CENTRAL)),
    (
        fires,
        rules.PREDICTED,
        "a relay domain's connector to the filter in front",
        Case((tenant(LOCK, TO_FILTER, domain_type="internal-relay"),), {"contoso.com": FILTER}),
    ),
    (
        quiet,
        rules.PREDICTED,
        "to the own server",
        Case((tenant(LOCK, TO_OWN, domain_type="internal-relay"),), {"contoso.com": FILTER}),
    ),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_each_rule_fires_where_it_should_and_only_there(
    proves: Proves, rule: Rule, case: Case
) -> None:
    proves(rule, case.findings())


def test_the_loop_of_the_article_is_one_finding_at_the_provider() -> None:
    (finding,) = found(PROVIDER, CUSTOMER, exchanges=BEHIND)
    assert finding.rule is rules.ATTRIBUTION
    assert finding.severity is Severity.CRITICAL
    assert finding.detail == (
        "mail for customer.example goes round through mx1.provider.example and tenant provider;"
        ' inbound connector "from gateways" of tenant provider sends it back'
    )
    assert [line[:40] for line in finding.evidence] == [
        "1. the internet: sends it to mx1.provide",
        "2. mx1.provider.example, a gateway of te",
        "3. Exchange Online, the endpoint of tena",
        "4. tenant provider: sends it to mx1.prov",
        "and again from 2: Exchange Online cuts i",
        'to change: inbound connector "from gatew',
        "the line switches the connector off, whi",
    ]
    assert "at about hop 41, with 554 5.4.14" in finding.evidence[4]
    assert finding.fix == "Set-InboundConnector -Identity 'from gateways' -Enabled $false"


def test_the_customer_is_told_too_and_given_nothing_to_type() -> None:
    (finding,) = found(PROVIDER, CUSTOMER, exchanges=BEHIND, at="customer")
    assert finding.rule is rules.ATTRIBUTION
    assert finding.fix == ""
    assert finding.evidence[-1].startswith("to type in tenant provider: Set-InboundConnector")


OFF = replace(TO_OWN, enabled=False)


@pytest.mark.parametrize(
    ("connector", "is_named"),
    [
        pytest.param(OFF, True, id="off"),
        pytest.param(replace(OFF, recipient_domains=("*",)), False, id="for everybody"),
        pytest.param(replace(OFF, connector_type="partner"), False, id="a partner's"),
        pytest.param(replace(OFF, is_transport_rule_scoped=True), False, id="for rules"),
        pytest.param(replace(OFF, smart_hosts=(EXCHANGE,)), False, id="leads back"),
        pytest.param(replace(OFF, use_mx_record=True), False, id="by MX"),
    ],
)
def test_a_connector_that_is_off_ends_the_loops_of_its_domains(
    connector: Outbound,
    is_named: bool,  # noqa: FBT001 - a column of the table
) -> None:
    both = replace(connector, recipient_domains=(*connector.recipient_domains, "contoso.net"))
    if connector.recipient_domains == ("*",):
        both = connector
    relay = tenant(both, domain_type="internal-relay", also=("contoso.net",))
    at = {"contoso.com": EXCHANGE, "contoso.net": "contoso-net.mail.protection.outlook.com"}
    findings = [each for each in found(relay, exchanges=at) if each.rule is rules.DNS_ROUTING]
    assert len(findings) == (1 if is_named else 2)
    on = "Set-OutboundConnector -Identity 'to own servers' -Enabled $true"
    assert {each.fix == on for each in findings} == {is_named}
    assert ("is switched off" in findings[0].detail) is is_named


def test_all_customers_of_one_connector_are_one_finding() -> None:
    names = ("c1", "c2", "c3")
    lock = partner(SHARED, name="lock")
    customers = [tenant(lock, name=name, domain=f"{name}.example") for name in names]
    exchanges = {f"{name}.example": GATEWAY for name in names}
    presenting = replace(PROVIDER, gateways=("*.provider.example",), presents=(SHARED,))
    (finding,) = found(presenting, *customers, exchanges=exchanges)
    assert finding.evidence[-2] == "so does mail for c2.example, c3.example"


@pytest.mark.parametrize(
    ("case", "fix"),
    [
        pytest.param(
            alone(),
            "Set-AcceptedDomain -Identity 'contoso.com' -DomainType 'Authoritative'",
            id="relay domain",
        ),
        pytest.param(
            alone(replace(TO_OWN, use_mx_record=True, guid="1", name="to\\x41")),
            "Set-OutboundConnector -Identity '1' -UseMXRecord $false -SmartHosts '<own server>'",
            id="connector by MX",
        ),
        pytest.param(
            alone(TO_OWN, FROM_SERVICE, TO_SERVICE, replace(SIGN, exception_headers=())),
            "Set-TransportRule -Identity 'sign' -ExceptIfHeaderContainsMessageHeader"
            " '<header that the service writes>' -ExceptIfHeaderContainsWords '<its value>'",
            id="rule",
        ),
        pytest.param(
            alone(FROM_OWN, replace(CENTRAL, recipient_domains=(), all_accepted_domains=True)),
            "Set-OutboundConnector -Identity 'central' -RecipientDomains '*' -AllAcceptedDomains"
            " $false",
            id="centralised, scoped",
        ),
        pytest.param(
            alone(CENTRAL),
            "New-InboundConnector -Name 'From own servers' -ConnectorType 'OnPremises'"
            " -SenderDomains '*' -TlsSenderCertificateName '<name in the certificate of your"
            " servers>' -CloudServicesMailEnabled $true",
            id="centralised, no way back",
        ),
    ],
)
def test_the_line_to_type_changes_the_object_to_blame(case: Case, fix: str) -> None:
    assert fix in [finding.fix for finding in case.findings()]


def test_every_rule_is_of_loops_and_critical() -> None:
    assert all(rule.code.startswith("loop-") for rule in RULES)
    assert len({rule.code for rule in RULES}) == len(RULES)


def test_an_mx_is_no_object_of_a_tenant() -> None:
    edge = Step(place="", action="", why="", by=By("MX", "contoso.com"), spot="tenant")
    assert _fix(edge, Loop((edge,), edge, 20), land()) == ""


def test_who_has_no_mx_that_is_known_is_no_finding() -> None:
    assert not found(PROVIDER, CUSTOMER, exchanges={})


def test_a_shared_certificate_takes_a_neighbours_mail_by_its_sender() -> None:
    """Two customers of one service, both with an on-premises connector for its certificate."""
    vendor = "relay.vendor.example"
    one = tenant(own(vendor, name="from vendor"), name="one", domain="one.example")
    two = tenant(own(vendor, name="from vendor"), name="two", domain="two.example")
    exchanges = {"one.example": "mx.vendor.example", "two.example": "mx.vendor.example"}
    both = found(one, two, exchanges=exchanges)
    assert [finding.rule for finding in both] == [rules.ATTRIBUTION] * 2
    assert [bool(finding.fix) for finding in both] == [True, False]
    assert not found(one, two, exchanges=dict.fromkeys(exchanges, EXCHANGE))


def test_a_partner_with_a_connector_for_the_domain_sends_the_loop_on_its_way() -> None:
    to_contoso = replace(
        TO_OWN, name="to contoso", connector_type="partner", smart_hosts=(EXCHANGE,)
    )
    fabrikam = tenant(to_contoso, name="fabrikam", domain="fabrikam.com")
    assert not found(tenant(), fabrikam)
    relaying = tenant(domain_type="internal-relay")
    (finding,) = found(relaying, fabrikam)
    assert finding.rule is rules.DNS_ROUTING


def test_loops_that_pass_a_tenant_by_are_not_its_findings() -> None:
    to_customer = replace(
        TO_OWN,
        connector_type="partner",
        recipient_domains=("customer.example",),
        smart_hosts=(GATEWAY,),
    )
    sender = tenant(to_customer)
    exchanges = BEHIND | {"contoso.com": EXCHANGE}
    assert not found(sender, PROVIDER, CUSTOMER, exchanges=exchanges)
    landscape = land(sender, PROVIDER, CUSTOMER, around=surroundings(exchanges))
    assert {road.mood for road in routing_picture(sender, landscape).roads} == {"plain"}
