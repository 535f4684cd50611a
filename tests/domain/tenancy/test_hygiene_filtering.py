"""Does each rule about filters in front of a tenant fire where it should, and only there?"""

from dataclasses import replace

import pytest

from agent.domain.finding import Rule
from agent.domain.tenancy import hygiene_rules as common
from agent.domain.tenancy import hygiene_rules_inbound as rules
from agent.domain.tenancy.objects import AcceptedDomain, Inbound, TransportRule
from proof import Proves, fires, named, quiet
from servers.hygiene_case import (
    AT_EXCHANGE,
    AT_FILTER,
    CENTRAL,
    CLOUD,
    CONTOSO,
    DEVICES,
    DOMAIN,
    FILTERED,
    FROM_HOME,
    HYBRID,
    LOCK,
    TO_HOME,
    TO_PARTNER,
    Case,
)

LOOSE = replace(LOCK, restrict_domains_to_certificate=False)
OFF = replace(LOCK, enabled=False)
OTHER = AcceptedDomain(name="fourth.example", domain_type="authoritative")
UNKNOWN_FILTER = "mx1.filter.example"
PLAIN = replace(LOCK, ef_skip_last_ip=False)
BYPASS = TransportRule(name="Let it in", guid="20", enabled=True, mode="Enforce", set_scl=-1)


def through(*inbound: Inbound) -> Case:
    return replace(FILTERED, inbound=inbound)


def elsewhere(host: str, case: Case = FILTERED) -> Case:
    return replace(case, mx={CONTOSO: host})


def known_by(condition: str, case: Case = CLOUD, value: str = "x") -> Case:
    return replace(case, rules=(replace(BYPASS, conditions=((condition, value),)),))


SILENT = replace(through(LOOSE), mx={})
CASES = [
    (fires, rules.UNRESTRICTED, "DNS says nothing", SILENT),
    (quiet, rules.UNRESTRICTED, "a lock beside it", replace(SILENT, inbound=(LOOSE, LOCK))),
    (quiet, rules.UNRESTRICTED, "off", replace(SILENT, inbound=(replace(LOOSE, enabled=False),))),
    (
        quiet,
        rules.UNRESTRICTED,
        "for a partner",
        replace(SILENT, inbound=(replace(LOOSE, sender_domains=("fabrikam.example",)),)),
    ),
    (quiet, rules.UNRESTRICTED, "MX at a filter", through(LOOSE)),
    (quiet, rules.UNRESTRICTED, "MX at Exchange Online", elsewhere(AT_EXCHANGE, through(LOOSE))),
    (
        fires,
        rules.NOT_LOCKED_DOWN,
        "a filter that no name in the tenant tells of",
        elsewhere(UNKNOWN_FILTER, through(replace(LOOSE, tls_sender_certificate_name=""))),
    ),
    (fires, rules.NOT_LOCKED_DOWN, "no connector", through()),
    (fires, rules.NOT_LOCKED_DOWN, "one that is not restricted", through(LOOSE)),
    (fires, rules.NOT_LOCKED_DOWN, "one that is off", through(OFF)),
    (
        fires,
        rules.NOT_LOCKED_DOWN,
        "one of the other type",
        through(replace(LOCK, connector_type="on-premises")),
    ),
    (
        fires,
        rules.NOT_LOCKED_DOWN,
        "one for a partner",
        through(replace(LOCK, sender_domains=("fabrikam.example",))),
    ),
    (
        fires,
        rules.NOT_LOCKED_DOWN,
        "a filter that only the configuration knows",
        replace(elsewhere(UNKNOWN_FILTER, through()), topologies={CONTOSO: "third-party-filter"}),
    ),
    (
        fires,
        rules.NOT_LOCKED_DOWN,
        "a filter that only a connector knows",
        elsewhere(
            UNKNOWN_FILTER, through(replace(LOOSE, tls_sender_certificate_name="*.filter.example"))
        ),
    ),
    (
        fires,
        rules.NOT_LOCKED_DOWN,
        "a filter that is known by its address",
        replace(
            elsewhere(UNKNOWN_FILTER, through(replace(LOOSE, sender_ip_addresses=("192.31.1.9",)))),
            addresses={UNKNOWN_FILTER: "192.31.1.9"},
        ),
    ),
    (
        fires,
        rules.NOT_LOCKED_DOWN,
        "a filter that mail leaves through",
        replace(
            elsewhere(UNKNOWN_FILTER, through()),
            outbound=(replace(TO_PARTNER, smart_hosts=("out.filter.example",)),),
        ),
    ),
    (
        fires,
        rules.NOT_LOCKED_DOWN,
        "domains not exported",
        replace(through(), domains=None, topologies={CONTOSO: "custom"}),
    ),
    (quiet, rules.NOT_LOCKED_DOWN, "locked", FILTERED),
    (
        quiet,
        rules.NOT_LOCKED_DOWN,
        "locked by address",
        through(replace(LOOSE, restrict_domains_to_ip_addresses=True)),
    ),
    (quiet, rules.NOT_LOCKED_DOWN, "MX not known", replace(through(), mx={})),
    (quiet, rules.NOT_LOCKED_DOWN, "connectors not exported", replace(FILTERED, inbound=None)),
    (quiet, rules.NOT_LOCKED_DOWN, "MX at Exchange Online", elsewhere(AT_EXCHANGE, through())),
    (
        quiet,
        rules.NOT_LOCKED_DOWN,
        "MX at both",
        elsewhere(f"{AT_FILTER} {AT_EXCHANGE}", through()),
    ),
    (
        quiet,
        rules.NOT_LOCKED_DOWN,
        "a host of one's own",
        elsewhere("mx1.contoso.example", through()),
    ),
    (
        quiet,
        rules.NOT_LOCKED_DOWN,
        "gateways of one's own",
        replace(elsewhere(UNKNOWN_FILTER, through()), gateways=("*.filter.example",)),
    ),
    (
        quiet,
        rules.NOT_LOCKED_DOWN,
        "a restriction that is not said",
        through(replace(LOOSE, restrict_domains_to_ip_addresses=None)),
    ),
    (
        quiet,
        rules.NOT_LOCKED_DOWN,
        "domains of the sender not said",
        through(replace(LOCK, sender_domains=())),
    ),
    (
        fires,
        rules.LOCKED_OUT,
        "a second domain",
        replace(
            FILTERED, domains=(DOMAIN, OTHER), mx={CONTOSO: AT_FILTER, OTHER.name: AT_EXCHANGE}
        ),
    ),
    (
        quiet,
        rules.LOCKED_OUT,
        "a second domain without MX",
        replace(FILTERED, domains=(DOMAIN, OTHER), mx={CONTOSO: AT_FILTER, OTHER.name: ""}),
    ),
    (quiet, rules.LOCKED_OUT, "no lock", elsewhere(AT_EXCHANGE, through(LOOSE))),
    (
        quiet,
        rules.LOCKED_OUT,
        "a lock for some domains",
        elsewhere(AT_EXCHANGE, through(replace(LOCK, associated_accepted_domains=(CONTOSO,)))),
    ),
    (quiet, rules.LOCKED_OUT, "a lock that is off", elsewhere(AT_EXCHANGE, through(OFF))),
    (fires, rules.EF_MISSING, "off", through(PLAIN)),
    (quiet, rules.EF_MISSING, "the last hop", FILTERED),
    (quiet, rules.EF_MISSING, "hops", through(replace(PLAIN, ef_skip_ips=("203.0.113.9",)))),
    (quiet, rules.EF_MISSING, "not said", through(replace(LOCK, ef_skip_last_ip=None))),
    (quiet, rules.EF_MISSING, "no filter", elsewhere(AT_EXCHANGE, through(PLAIN))),
    (quiet, rules.EF_MISSING, "on another", through(PLAIN, replace(LOCK, name="B", guid="7"))),
    (quiet, rules.EF_MISSING, "centralised", replace(through(PLAIN), outbound=(CENTRAL,))),
    (quiet, rules.EF_MISSING, "only servers of one's own", through(FROM_HOME)),
    (
        fires,
        rules.EF_UNDER_CMT,
        "both",
        replace(HYBRID, inbound=(replace(FROM_HOME, ef_skip_last_ip=True),), outbound=(CENTRAL,)),
    ),
    (
        quiet,
        rules.EF_UNDER_CMT,
        "centralised only",
        replace(HYBRID, outbound=(CENTRAL,)),
    ),
    (
        quiet,
        rules.EF_UNDER_CMT,
        "centralised once",
        replace(FILTERED, outbound=(replace(CENTRAL, enabled=False), TO_HOME)),
    ),
    (
        fires,
        rules.EF_WITHOUT_FILTER,
        "a lone domain",
        elsewhere(AT_EXCHANGE, through(replace(LOOSE, ef_skip_last_ip=True))),
    ),
    (
        fires,
        rules.EF_WITHOUT_FILTER,
        "a host whose address is Microsoft's",
        replace(
            elsewhere("mx.contoso.example", through(LOOSE)),
            addresses={"mx.contoso.example": "52.101.9.9"},
        ),
    ),
    (quiet, rules.EF_WITHOUT_FILTER, "a filter", FILTERED),
    (
        quiet,
        rules.EF_WITHOUT_FILTER,
        "one of two behind a filter",
        replace(
            FILTERED, domains=(DOMAIN, OTHER), mx={CONTOSO: AT_FILTER, OTHER.name: AT_EXCHANGE}
        ),
    ),
    (
        quiet,
        rules.EF_WITHOUT_FILTER,
        "another domain not known",
        replace(elsewhere(AT_EXCHANGE, through(LOOSE)), domains=(DOMAIN, OTHER)),
    ),
    (quiet, rules.EF_WITHOUT_FILTER, "no MX", elsewhere("", through(LOOSE))),
    (fires, rules.EF_PILOT, "two", through(replace(LOCK, ef_users=("a@x.example", "b@x.example")))),
    (quiet, rules.EF_PILOT, "everybody", FILTERED),
    (quiet, rules.EF_PILOT, "not on", through(replace(PLAIN, ef_users=("a@x.example",)))),
    (fires, rules.SCL_BLANKET, "anybody", replace(CLOUD, rules=(BYPASS,))),
    (fires, rules.SCL_BLANKET, "own domain", known_by("SenderDomainIs", value=CONTOSO)),
    (fires, rules.SCL_BLANKET, "for some recipients", known_by("SentTo")),
    (fires, rules.SCL_BLANKET, "from all but one", known_by("ExceptIfSenderDomainIs")),
    (
        quiet,
        rules.SCL_BLANKET,
        "unless another server says no",
        replace(CLOUD, rules=(replace(BYPASS, exception_headers=("Authentication-Results",)),)),
    ),
    (
        fires,
        rules.SCL_BLANKET,
        "from outside",
        replace(CLOUD, rules=(replace(BYPASS, from_scope="NotInOrganization"),)),
    ),
    (fires, rules.SCL_BLANKET, "the filter's address", known_by("SenderIpRanges", through(PLAIN))),
    (quiet, rules.SCL_BLANKET, "an address without a filter", known_by("SenderIpRanges")),
    (
        quiet,
        rules.SCL_BLANKET,
        "what a receiver verified",
        known_by("HeaderContainsMessageHeader", value="Authentication-Results"),
    ),
    (
        quiet,
        rules.SCL_BLANKET,
        "from inside",
        replace(CLOUD, rules=(replace(BYPASS, from_scope="InOrganization"),)),
    ),
    (
        quiet,
        rules.SCL_BLANKET,
        "only watched",
        replace(CLOUD, rules=(replace(BYPASS, mode="Audit"),)),
    ),
    (quiet, rules.SCL_BLANKET, "another SCL", replace(CLOUD, rules=(replace(BYPASS, set_scl=5),))),
    (quiet, rules.SCL_BLANKET, "with enhanced filtering", known_by("SenderIpRanges", FILTERED)),
    (fires, rules.SCL_CONFLICT, "the filter's address", known_by("SenderIpRanges", FILTERED)),
    (
        quiet,
        rules.SCL_CONFLICT,
        "verified mail",
        known_by("HeaderContainsMessageHeader", FILTERED),
    ),
    (quiet, rules.SCL_CONFLICT, "without enhanced filtering", known_by("SenderIpRanges")),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_rules(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.seen())


@pytest.mark.parametrize(
    ("rule", "case", "detail", "fix"),
    [
        pytest.param(
            rules.NOT_LOCKED_DOWN,
            through(),
            "The MX of contoso.example leads to a filter, and no partner connector for `*` is"
            " restricted to it.",
            "New-InboundConnector -Name 'From the filter' -ConnectorType 'Partner'"
            " -SenderDomains '*' -RequireTls $true -RestrictDomainsToCertificate $true"
            " -TlsSenderCertificateName '<name in the certificate of the filter>'",
            id="no connector",
        ),
        pytest.param(
            rules.NOT_LOCKED_DOWN,
            through(LOOSE),
            "The MX of contoso.example leads to a filter, and inbound connector 'From the filter'"
            " takes mail from everybody.",
            "Set-InboundConnector -Identity 'From the filter' -RequireTls $true"
            " -RestrictDomainsToCertificate $true",
            id="a certificate",
        ),
        pytest.param(
            rules.NOT_LOCKED_DOWN,
            through(
                replace(LOOSE, tls_sender_certificate_name="", sender_ip_addresses=("203.0.113.9",))
            ),
            "The MX of contoso.example leads to a filter, and inbound connector 'From the filter'"
            " takes mail from everybody.",
            "Set-InboundConnector -Identity 'From the filter' -RestrictDomainsToIPAddresses $true",
            id="an address",
        ),
        pytest.param(
            rules.NOT_LOCKED_DOWN,
            through(replace(LOOSE, tls_sender_certificate_name="")),
            "The MX of contoso.example leads to a filter, and inbound connector 'From the filter'"
            " takes mail from everybody.",
            "Set-InboundConnector -Identity 'From the filter' -RequireTls $true"
            " -RestrictDomainsToCertificate $true -TlsSenderCertificateName"
            " '<name in the certificate of the filter>'",
            id="neither",
        ),
        pytest.param(
            rules.NOT_LOCKED_DOWN,
            through(OFF),
            "The MX of contoso.example leads to a filter, and inbound connector 'From the filter'"
            " that holds others off is switched off.",
            "Set-InboundConnector -Identity 'From the filter' -Enabled $true",
            id="off",
        ),
        pytest.param(
            rules.EF_MISSING,
            through(PLAIN),
            "Inbound connector 'From the filter' takes the mail of contoso.example from the filter"
            " without enhanced filtering.",
            "Set-InboundConnector -Identity 'From the filter' -EFSkipLastIP $true",
            id="enhanced filtering",
        ),
        pytest.param(
            rules.SCL_CONFLICT,
            known_by("SenderIpRanges", FILTERED),
            "Rule 'Let it in' sets SCL -1 by the address of the last server, behind a filter.",
            "Disable-TransportRule -Identity 'Let it in'",
            id="rule",
        ),
    ],
)
def test_what_is_said(rule: Rule, case: Case, detail: str, fix: str) -> None:
    found = fires(rule, case.seen())
    assert (found.detail, found.fix) == (detail, fix)


def test_no_line_locks_out_a_domain_whose_mail_comes_straight() -> None:
    mixed = replace(
        through(LOOSE),
        domains=(DOMAIN, OTHER),
        mx={CONTOSO: FILTERED.mx[CONTOSO], OTHER.name: AT_EXCHANGE},
    )
    assert fires(rules.NOT_LOCKED_DOWN, mixed.seen()).fix == ""


def test_a_lock_that_is_off_is_no_leftover() -> None:
    quiet(common.LEFTOVER, through(OFF).seen())
    fires(common.LEFTOVER, through(LOCK, replace(DEVICES, enabled=False)).seen())
