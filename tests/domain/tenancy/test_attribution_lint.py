"""Whose mail a tenant claims: the article's case first, then every rule broken and whole."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tenancies import findings, land, own, partner, surroundings, tenant

from agent.domain.finding import Rule, Severity
from agent.domain.tenancy import attribution_rules as rules
from agent.domain.tenancy.attribution_lint import RULES, claims, foreign_stamp
from agent.domain.tenancy.landscape import Surroundings, Tenancy
from agent.domain.tenancy.objects import Inbound, Organisation, read_networks
from proof import Proves, fires, named, quiet

BEHIND_FILTER = surroundings(
    {"customer.com": "mx1.provider.example"}, {"mx1.provider.example": "203.0.113.9"}
)
CUSTOMER = tenant("customer", "customer.com", partner("gw.provider.example"))
SECOND = tenant("second", "second.com", partner("gw.provider.example"))


@pytest.mark.parametrize("name", ["gw.provider.example", "*.provider.example"])
def test_a_provider_with_its_customers_certificate_claims_their_mail(name: str) -> None:
    provider = tenant("provider", "provider.example", own(name, name="From our servers"))
    found = findings(land(provider, CUSTOMER, around=BEHIND_FILTER))
    (at_provider,) = found["provider"]
    assert at_provider.rule == rules.CLAIMS_OTHERS
    assert at_provider.severity is Severity.CRITICAL
    assert at_provider.detail == (
        "provider claims mail for customer by certificate: its on-premises connector"
        f" 'From our servers' names {name}, and the certificate domain decides: provider.example is"
        " accepted there, whoever sends; it is sent out again to the recipient's MX and"
        " loops until 554 5.4.14"
    )
    assert at_provider.evidence == (
        "customer: its partner connector 'from filter' names gw.provider.example",
    )
    assert at_provider.fix == (
        "Set-InboundConnector -Identity 'From our servers' -TlsSenderCertificateName"
        " '<a name that only your own servers show>'"
    )
    (at_customer,) = found["customer"]
    assert at_customer.rule == rules.CLAIMED
    assert "'From our servers' of provider" in at_customer.detail


def test_the_documented_way_out_is_whole() -> None:
    provider = tenant(
        "provider",
        "provider.example own.provider.example",
        own("own.provider.example"),
        gateways=("*.provider.example",),
        presents=("gw.provider.example",),
    )
    assert not any(findings(land(provider, CUSTOMER, SECOND, around=BEHIND_FILTER)).values())


@dataclass(frozen=True)
class Case:
    """Tenants, of which the first is looked at, and what is around them."""

    tenants: tuple[Tenancy, ...]
    around: Surroundings = field(default_factory=Surroundings)


def case(*tenants: Tenancy, around: Surroundings | None = None) -> Case:
    return Case(tenants, around or Surroundings())


def provider_with(*inbound: Inbound, domains: str = "provider.example", **more: Any) -> Tenancy:
    return tenant("provider", domains, *inbound, **more)


def with_subdomains(tenancy: Tenancy) -> Tenancy:
    domains = tuple(replace(each, match_subdomains=True) for each in tenancy.export.domains or ())
    return replace(tenancy, export=replace(tenancy.export, domains=domains))


RANGES = Surroundings(ranges={"Provider": read_networks(("203.0.113.0/28",))})
OWN_CUSTOMERS = surroundings(certificates={"gw1.provider.example": "*.gw.provider.example"})
SEEN = surroundings(
    {"customer.com": "mx1.provider.example"},
    certificates={"mx1.provider.example": "mail.provider.example"},
)
FILTERED = surroundings(
    {"contoso.com": "mx0.pphosted.com contoso-com.mail.protection.outlook.com"},
    {"mx0.pphosted.com": "198.51.100.25"},
    {"mx0.pphosted.com": "*.pphosted.com"},
)
PARTNERLESS = tenant("customer", "customer.com")

CASES: list[tuple[Proves, Rule, str, Case]] = [
    (
        fires,
        rules.CLAIMS_OTHERS,
        "its own gateways show it",
        case(provider_with(own("gw.provider.example"), presents=("GW.provider.example",))),
    ),
    (
        fires,
        rules.CLAIMS_OTHERS,
        "a gateway was seen to show it",
        case(
            provider_with(own("a.gw.provider.example"), gateways=("*.provider.example",)),
            around=OWN_CUSTOMERS,
        ),
    ),
    (
        fires,
        rules.CLAIMS_OTHERS,
        "an MX host of another is covered",
        case(provider_with(own("*.provider.example")), PARTNERLESS, around=BEHIND_FILTER),
    ),
    (
        fires,
        rules.CLAIMS_OTHERS,
        "an MX host of another shows it",
        case(provider_with(own("mail.provider.example")), PARTNERLESS, around=SEEN),
    ),
    (
        fires,
        rules.CLAIMS_OTHERS,
        "another provider's gateways show it",
        case(
            provider_with(own("*.provider.example")),
            tenant("sister", "sister.example", presents=("gw.provider.example",)),
        ),
    ),
    (
        quiet,
        rules.CLAIMS_OTHERS,
        "an MX host says nothing where a partner connector has the certificate's name",
        case(provider_with(own("mx1.provider.example")), CUSTOMER, around=BEHIND_FILTER),
    ),
    (
        quiet,
        rules.CLAIMS_OTHERS,
        "a connector that is off",
        case(provider_with(own("gw.provider.example", enabled=False)), CUSTOMER),
    ),
    (
        quiet,
        rules.CLAIMS_OTHERS,
        "a connector for named organisations",
        case(provider_with(own("gw.provider.example", trusted_organizations=("x.com",))), CUSTOMER),
    ),
    (
        quiet,
        rules.CLAIMS_OTHERS,
        "a shared filter in partner connectors only",
        case(SECOND, CUSTOMER, around=BEHIND_FILTER),
    ),
    (
        quiet,
        rules.CLAIMS_OTHERS,
        "a partner connector that is off",
        case(
            provider_with(own("gw.provider.example")),
            tenant("customer", "customer.com", partner("gw.provider.example", enabled=False)),
        ),
    ),
    (
        quiet,
        rules.CLAIMS_OTHERS,
        "strangers under one public suffix",
        case(
            tenant("one", "one.co.uk", own("mail.one.co.uk")),
            tenant("two", "two.co.uk", partner("gw.two.co.uk")),
        ),
    ),
    (
        quiet,
        rules.CLAIMS_OTHERS,
        "the other's own connector is nearer to the certificate",
        case(
            tenant("group", "contoso.com", own("*.contoso.com")),
            tenant(
                "unit",
                "unit.contoso.com",
                own("mail.unit.contoso.com"),
                partner("mail.unit.contoso.com"),
            ),
        ),
    ),
    (
        fires,
        rules.CLAIMS_OTHERS,
        "the other is nearer, but has no such connector",
        case(
            tenant("group", "contoso.com", own("*.contoso.com")),
            tenant("unit", "unit.contoso.com", partner("mail.unit.contoso.com")),
        ),
    ),
    (
        fires,
        rules.CLAIMED,
        "by two at once",
        case(
            CUSTOMER,
            provider_with(own("gw.provider.example")),
            tenant("other", "other.example", own("*.provider.example")),
        ),
    ),
    (
        quiet,
        rules.CLAIMED,
        "another certificate of the provider's",
        case(CUSTOMER, provider_with(own("own.provider.example")), around=BEHIND_FILTER),
    ),
    (
        fires,
        rules.SHARED_CERTIFICATE,
        "the same name, accepted in the first",
        case(
            tenant("contoso", "contoso.com", own("mail.contoso.com")),
            tenant("fabrikam", "fabrikam.com", own("mail.contoso.com")),
        ),
    ),
    (
        fires,
        rules.SHARED_CERTIFICATE,
        "the same name, accepted in the other",
        case(
            tenant("fabrikam", "fabrikam.com", own("mail.contoso.com")),
            tenant("contoso", "contoso.com", own("mail.contoso.com")),
        ),
    ),
    (
        fires,
        rules.SHARED_CERTIFICATE,
        "the same name, accepted in neither",
        case(
            tenant("fabrikam", "fabrikam.com", own("gw.signature.example")),
            tenant("contoso", "contoso.com", own("gw.signature.example")),
        ),
    ),
    (
        fires,
        rules.SHARED_CERTIFICATE,
        "mine covers theirs, and they do not accept it",
        case(
            tenant("contoso", "contoso.com", own("*.contoso.com")),
            tenant("fabrikam", "fabrikam.com", own("mail.contoso.com")),
        ),
    ),
    (
        fires,
        rules.SHARED_CERTIFICATE,
        "theirs covers mine, and I do not accept it",
        case(
            tenant("fabrikam", "fabrikam.com", own("mail.contoso.com")),
            tenant("contoso", "contoso.com", own("*.contoso.com")),
        ),
    ),
    (
        quiet,
        rules.SHARED_CERTIFICATE,
        "theirs covers mine, which only I accept",
        case(
            tenant("contoso", "contoso.com", own("mail.contoso.com")),
            tenant("fabrikam", "fabrikam.com", own("*.contoso.com")),
        ),
    ),
    (
        fires,
        rules.SHARED_CERTIFICATE,
        "the same name, and accepted domains that were not exported",
        case(
            tenant("contoso", None, own("mail.contoso.com")),
            tenant("fabrikam", "fabrikam.com", own("mail.contoso.com")),
        ),
    ),
    (
        quiet,
        rules.SHARED_CERTIFICATE,
        "theirs covers mine, and nobody knows who accepts it",
        case(
            tenant("contoso", None, own("mail.contoso.com")),
            tenant("fabrikam", "fabrikam.com", own("*.contoso.com")),
        ),
    ),
    (
        quiet,
        rules.SHARED_CERTIFICATE,
        "a name for each tenant below the provider's",
        case(
            tenant("contoso", "contoso.com c1.signature.example", own("c1.signature.example")),
            tenant("fabrikam", "fabrikam.com c2.signature.example", own("c2.signature.example")),
        ),
    ),
    (
        fires,
        rules.WILDCARD,
        "over the certificate of a tenant that accepts it",
        case(
            tenant("fabrikam", "fabrikam.com", own("*.contoso.com")),
            tenant("contoso", "contoso.com", own("mail.contoso.com")),
        ),
    ),
    (
        quiet,
        rules.WILDCARD,
        "over nobody's",
        case(
            tenant("fabrikam", "fabrikam.com", own("*.fabrikam.com")),
            tenant("contoso", "contoso.com", own("mail.contoso.com")),
        ),
    ),
    (
        fires,
        rules.WITHIN_WILDCARD,
        "a customer takes any name of the provider",
        case(
            provider_with(own("own.provider.example"), domains="own.provider.example"),
            tenant("customer", "customer.com", partner("*.provider.example")),
        ),
    ),
    (
        fires,
        rules.WITHIN_WILDCARD,
        "its gateways may show it",
        case(
            provider_with(own("gw1.provider.example", name="x"), gateways=("*.provider.example",))
        ),
    ),
    (
        quiet,
        rules.WITHIN_WILDCARD,
        "the gateways' names are known",
        case(
            provider_with(
                own("own.provider.example"),
                gateways=("*.provider.example",),
                presents=("gw.provider.example",),
            ),
            tenant("customer", "customer.com", partner("*.provider.example")),
        ),
    ),
    (
        quiet,
        rules.WITHIN_WILDCARD,
        "another domain's wildcard",
        case(
            provider_with(own("own.provider.example")),
            tenant("customer", "customer.com", partner("*.eu.provider.example")),
        ),
    ),
    (
        fires,
        rules.SHARED_ADDRESS,
        "with another's own servers",
        case(
            tenant("contoso", "contoso.com", own("", "203.0.113.0/28")),
            tenant("fabrikam", "fabrikam.com", own("mail.fabrikam.com", "203.0.113.8")),
        ),
    ),
    (
        fires,
        rules.SHARED_ADDRESS,
        "wider than /24, with another's filter, beside a certificate",
        case(
            tenant("contoso", "contoso.com", own("mail.contoso.com", "203.0.0.0/16")),
            tenant("fabrikam", "fabrikam.com", partner("", "203.0.113.8")),
        ),
    ),
    (
        fires,
        rules.SHARED_ADDRESS,
        "within another's wide range",
        case(
            tenant("contoso", "contoso.com", own("", "203.0.113.0/28")),
            tenant("fabrikam", "fabrikam.com", partner("", "203.0.0.0/12")),
        ),
    ),
    (
        fires,
        rules.SHARED_ADDRESS,
        "with an MX host of another",
        case(
            tenant("contoso", "contoso.com", own("", "203.0.113.0/28")),
            PARTNERLESS,
            around=BEHIND_FILTER,
        ),
    ),
    (
        fires,
        rules.SHARED_ADDRESS,
        "with its own gateways",
        case(
            provider_with(own("", "203.0.113.0/28"), gateways=("*.provider.example",)),
            around=BEHIND_FILTER,
        ),
    ),
    (
        fires,
        rules.SHARED_ADDRESS,
        "with the filter in front, which has a partner connector too",
        case(
            tenant("contoso", "contoso.com", own("", "198.51.100.0/24"), partner("*.pphosted.com")),
            around=FILTERED,
        ),
    ),
    (
        fires,
        rules.SHARED_ADDRESS,
        "with what a provider publishes",
        case(tenant("contoso", "contoso.com", own("", "203.0.113.8")), around=RANGES),
    ),
    (
        quiet,
        rules.SHARED_ADDRESS,
        "private addresses, which anybody may have",
        case(
            tenant("contoso", "contoso.com", own("", "10.0.0.0/24")),
            tenant("fabrikam", "fabrikam.com", own("", "10.0.0.0/24")),
        ),
    ),
    (
        quiet,
        rules.SHARED_ADDRESS,
        "partners' alone, next to published ones",
        case(
            tenant("contoso", "contoso.com", own("", "203.0.113.16/28", "2001:db8::/48")),
            tenant("fabrikam", "fabrikam.com", partner("", "203.0.113.0/28")),
            around=RANGES,
        ),
    ),
    (
        quiet,
        rules.SHARED_ADDRESS,
        "a certificate restricts the partner, whose addresses then do not act",
        case(
            tenant("contoso", "contoso.com", own("", "203.0.113.0/28")),
            tenant(
                "fabrikam",
                "fabrikam.com",
                replace(
                    partner("gw.filter.example", "203.0.113.8"),
                    restrict_domains_to_ip_addresses=False,
                ),
            ),
        ),
    ),
    (
        quiet,
        rules.SHARED_ADDRESS,
        "its own MX host, which is no filter",
        case(tenant("customer", "customer.com", own("", "203.0.113.0/24")), around=BEHIND_FILTER),
    ),
    (
        fires,
        rules.PARTNER_MISSING,
        "a known filter by certificate",
        case(tenant("contoso", "contoso.com", own("*.pphosted.com")), around=FILTERED),
    ),
    (
        fires,
        rules.PARTNER_MISSING,
        "a known filter by address",
        case(tenant("contoso", "contoso.com", own("", "198.51.100.25")), around=FILTERED),
    ),
    (
        fires,
        rules.PARTNER_MISSING,
        "a filter that the topology says is one",
        case(
            tenant(
                "customer",
                "customer.com",
                own("gw.provider.example"),
                topologies={"customer.com": "third-party-filter"},
            ),
            around=BEHIND_FILTER,
        ),
    ),
    (
        fires,
        rules.PARTNER_MISSING,
        "a certificate that the filter was seen to show",
        case(
            tenant("contoso", "contoso.com", own("mx.shared.example")),
            around=surroundings(
                {"contoso.com": "mx0.pphosted.com"},
                certificates={"mx0.pphosted.com": "mx.shared.example"},
            ),
        ),
    ),
    (
        quiet,
        rules.PARTNER_MISSING,
        "the filter has a partner connector",
        case(
            tenant(
                "contoso", "contoso.com", own("*.pphosted.com", name="x"), partner("*.pphosted.com")
            ),
            around=FILTERED,
        ),
    ),
    (
        quiet,
        rules.PARTNER_MISSING,
        "own servers beside the filter",
        case(
            tenant("contoso", "contoso.com", own("mail.contoso.com", "192.0.2.1")), around=FILTERED
        ),
    ),
    (
        quiet,
        rules.PARTNER_MISSING,
        "a name of its own below the filter's",
        case(
            tenant("contoso", "contoso.com c1.pphosted.com", own("c1.pphosted.com")),
            around=FILTERED,
        ),
    ),
    (
        fires,
        rules.OWN_AS_PARTNER,
        "for mail of the own domain",
        case(
            tenant(
                "contoso",
                "contoso.com",
                partner("mail.contoso.com", sender_domains=("contoso.com",)),
                own("mail2.contoso.com"),
            )
        ),
    ),
    (
        fires,
        rules.OWN_AS_PARTNER,
        "without a restriction",
        case(
            tenant(
                "contoso",
                "contoso.com",
                replace(partner("mail.contoso.com"), restrict_domains_to_certificate=False),
            )
        ),
    ),
    (
        quiet,
        rules.OWN_AS_PARTNER,
        "a lock in front of the tenant",
        case(tenant("contoso", "contoso.com", partner("mail.contoso.com"))),
    ),
    (
        quiet,
        rules.OWN_AS_PARTNER,
        "beside an on-premises connector",
        case(
            tenant(
                "contoso",
                "contoso.com",
                partner("mail.contoso.com", sender_domains=("contoso.com",)),
                own("*.contoso.com"),
            )
        ),
    ),
    (
        quiet,
        rules.OWN_AS_PARTNER,
        "a partner's certificate",
        case(
            tenant("contoso", "contoso.com", partner("mail.x.com", sender_domains=("contoso.com",)))
        ),
    ),
    (
        fires,
        rules.PROVIDER_CERTIFICATE,
        "a filter's",
        case(tenant("contoso", "contoso.com", own("*.mimecast.com"))),
    ),
    (
        fires,
        rules.PROVIDER_CERTIFICATE,
        "a signature service's",
        case(tenant("contoso", "contoso.com", own("*.crossware.co.nz"))),
    ),
    (
        quiet,
        rules.PROVIDER_CERTIFICATE,
        "a name of its own there",
        case(tenant("contoso", "contoso.com c1.smtp.excl.cloud", own("c1.smtp.excl.cloud"))),
    ),
    (
        fires,
        rules.NOT_ACCEPTED,
        "another domain",
        case(tenant("contoso", "contoso.com", own("mail.contoso.net"))),
    ),
    (
        fires,
        rules.NOT_ACCEPTED,
        "a public suffix is no parent",
        case(tenant("contoso", "co.uk", own("mail.contoso.co.uk"))),
    ),
    (
        quiet,
        rules.NOT_ACCEPTED,
        "nobody knows the accepted domains",
        case(tenant("contoso", None, own("mail.contoso.net"))),
    ),
    (
        quiet,
        rules.NOT_ACCEPTED,
        "told by addresses",
        case(tenant("contoso", "contoso.com", own("", "192.0.2.1"))),
    ),
    (
        fires,
        rules.PARENT_ONLY,
        "a host",
        case(with_subdomains(tenant("contoso", "contoso.com", own("mail.eu.contoso.com")))),
    ),
    (
        fires,
        rules.PARENT_ONLY,
        "without MatchSubDomains",
        case(tenant("contoso", "contoso.com", own("mail.contoso.com"))),
    ),
    (
        quiet,
        rules.PARENT_ONLY,
        "the domain with a star",
        case(tenant("contoso", "contoso.com", own("*.Contoso.com."))),
    ),
]


@pytest.mark.parametrize(("proves", "rule", "shown"), named(CASES))
def test_rules(proves: Proves, rule: Rule, shown: Case) -> None:
    landscape = land(*shown.tenants, around=shown.around)
    proves(rule, tuple(claims(shown.tenants[0], landscape)))


OURS = "0f8fad5b-d9cb-469f-a165-70867728950e"
THEIRS = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def test_a_stamp_of_another_tenant_is_one_finding() -> None:
    ours = tenant("contoso", "contoso.com", tenant_id=OURS)
    found = fires(rules.FOREIGN_STAMP, foreign_stamp(ours, [OURS, THEIRS.upper(), THEIRS, ""]))
    assert found.evidence == (THEIRS,)
    quiet(rules.FOREIGN_STAMP, foreign_stamp(ours, [OURS.upper()]))


def test_the_tenants_own_id_may_be_in_its_export() -> None:
    unknown = tenant("contoso", "contoso.com")
    quiet(rules.FOREIGN_STAMP, foreign_stamp(unknown, [THEIRS]))
    export = replace(unknown.export, organisation=Organisation(tenant_id=OURS))
    fires(rules.FOREIGN_STAMP, foreign_stamp(replace(unknown, export=export), [THEIRS]))


def test_a_fault_is_told_once() -> None:
    """The rules that say what is wrong with the name alone give way to the one that says why."""
    seen = findings(
        land(
            tenant("contoso", "contoso.com", own("*.pphosted.com")),
            tenant("fabrikam", "fabrikam.com", partner("gw.pphosted.com")),
            around=FILTERED,
        )
    )
    (only,) = seen["contoso"]
    assert only.rule == rules.CLAIMS_OTHERS
    assert "the MAIL FROM domain decides" in only.detail
    assert only.fix == (
        "Set-InboundConnector -Identity 'from own' -ConnectorType 'Partner' -RequireTls $true"
        " -RestrictDomainsToCertificate $true"
    )


def test_associated_accepted_domains_leave_only_the_senders_domain_to_decide() -> None:
    narrow = own("gw.provider.example", associated_accepted_domains=("provider.example",))
    provider = provider_with(narrow)
    (found,) = findings(land(provider, CUSTOMER))["provider"]
    assert "the MAIL FROM domain decides" in found.detail


def test_many_customers_are_counted_and_the_evidence_names_them() -> None:
    customers = [tenant(f"c{n}", f"c{n}.com", partner("gw.provider.example")) for n in range(1, 6)]
    (found,) = findings(land(provider_with(own("gw.provider.example")), *customers))["provider"]
    assert "claims mail for c1, c2, c3 and 2 more by" in found.detail
    assert len(found.evidence) == 5


@pytest.mark.parametrize(
    ("mine", "line"),
    [
        pytest.param(
            own("", "203.0.113.0/28"),
            "-SenderIPAddresses $null -TlsSenderCertificateName"
            " '<a name that only your own servers show>'",
            id="addresses alone",
        ),
        pytest.param(
            own("contoso.com", "203.0.113.0/28"), "-SenderIPAddresses $null", id="a certificate too"
        ),
    ],
)
def test_the_line_takes_shared_addresses_out(mine: Inbound, line: str) -> None:
    seen = land(tenant("contoso", "contoso.com", mine), PARTNERLESS, around=BEHIND_FILTER)
    (found,) = findings(seen)["contoso"]
    assert found.fix == f"Set-InboundConnector -Identity 'from own' {line}"
    assert found.evidence == (
        "customer: mx1.provider.example, an MX host of customer.com, has 203.0.113.9",
    )


def test_a_filter_that_is_known_by_address_is_restricted_by_address() -> None:
    seen = land(tenant("contoso", "contoso.com", own("", "198.51.100.25")), around=FILTERED)
    (found,) = findings(seen)["contoso"]
    assert found.fix.endswith("-RequireTls $true -RestrictDomainsToIPAddresses $true")


def test_every_rule_is_listed() -> None:
    assert set(RULES) >= {rule for _, rule, _, _ in CASES}


def test_a_tenant_without_an_export_of_connectors_has_no_findings() -> None:
    empty = tenant("contoso", None)
    blank = replace(empty, export=replace(empty.export, inbound=None))
    assert findings(land(blank)) == {"contoso": ()}


@pytest.mark.parametrize(
    ("exchanges", "fix"),
    [
        pytest.param(
            {"contoso.com": "eu-smtp-inbound-1.mimecast.com"},
            "-ConnectorType 'Partner' -RequireTls $true -RestrictDomainsToCertificate $true",
            id="all mail comes by it",
        ),
        pytest.param({"contoso.com": "mx0.pphosted.com"}, "-Enabled $false", id="another filter"),
        pytest.param({}, "-Enabled $false", id="DNS says nothing"),
    ],
)
def test_a_filters_connector_locks_nobody_out(exchanges: dict[str, str], fix: str) -> None:
    landscape = land(
        tenant("contoso", "contoso.com", own("*.mimecast.com")), around=surroundings(exchanges)
    )
    (finding,) = findings(landscape)["contoso"]
    assert finding.fix.endswith(fix)
    assert any("then not relayed" in each for each in finding.evidence) is ("-Enabled" in fix)


def test_the_wizard_leaves_it_at_a_parent() -> None:
    made = own("mail.contoso.com", connector_source="HybridWizard")
    landscape = land(tenant("contoso", "contoso.com", made), around=surroundings({}))
    quiet(rules.PARENT_ONLY, findings(landscape)["contoso"])
