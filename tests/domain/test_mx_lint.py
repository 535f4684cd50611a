"""Does each rule about MX fire when it should?"""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from agent.domain import mx_rules as rules
from agent.domain.finding import MAX_ALIKE, Rule
from agent.domain.lookup import Answer, Exchange, Reply, replay
from agent.domain.mx import survey
from agent.domain.mx_lint import expect, lint
from proof import fires
from servers.mx_case import (
    CUSTOM,
    FILTER,
    FILTERED,
    GONE,
    HEALTHY,
    MANY,
    OWN,
    PARKED,
    PUBLIC,
    SECURE,
    SILENT,
    VOID,
    ZONE,
    Case,
    named,
    rules_of,
)

FIRES: list[tuple[Rule, str, Case]] = [
    (rules.DOMAIN_MISSING, "NXDOMAIN", Case(mx=GONE)),
    (rules.DOMAIN_MISSING, "nor anything above", Case(domain="a.b.contoso.com", mx=GONE)),
    (rules.NAME_MISSING, "a zone above", Case(domain="a.b.contoso.com", mx=GONE, zones=ZONE)),
    (rules.MISSING, "no MX and no address", Case(records=())),
    (rules.IMPLICIT, "an address without MX", Case(records=(), apex=PUBLIC)),
    (rules.NULL, "null MX", Case(records=("0 ",))),
    (rules.NULL_BESIDE_OTHERS, "null MX and another", Case(records=("0 ", f"10 {OWN}"))),
    (rules.PARKED_ACCEPTS, "parked with MX", replace(PARKED, records=(f"0 {OWN}",))),
    (rules.PARKED_ACCEPTS, "parked with address", replace(PARKED, records=(), apex=PUBLIC)),
    (
        rules.DOMAIN_ALIAS,
        "CNAME at the domain",
        Case(mx=Answer((Exchange(0, OWN),), aliases=("other.example",))),
    ),
    (rules.LITERAL, "an address as exchange", Case(records=("10 192.31.196.10",))),
    (rules.NOT_A_HOST_NAME, "trailing blank", Case(records=("10 mail.example.com ",))),
    (rules.UNDERSCORE, "underscore", Case(records=("10 mail_1.example.com",))),
    (rules.SINGLE_LABEL, "localhost", Case(records=("10 localhost",))),
    (
        rules.ALIAS,
        "CNAME as exchange",
        Case(hosts={OWN: Answer((ip_address(PUBLIC),), aliases=("host.example",))}),
    ),
    (rules.DANGLING, "host does not exist", Case(hosts={OWN: GONE})),
    (rules.NO_ADDRESS, "host without address", Case(hosts={OWN: VOID})),
    (rules.NONE_REACHABLE, "no host has an address", Case(hosts={OWN: VOID})),
    (rules.NONE_REACHABLE, "only a literal", Case(records=("10 192.31.196.10",))),
    (rules.SPECIAL_ADDRESS, "private", Case(hosts={OWN: "10.0.0.25"})),
    (rules.SPECIAL_ADDRESS, "loopback beside public", Case(hosts={OWN: f"{PUBLIC} ::1"})),
    (rules.SPECIAL_ADDRESS, "metadata", Case(hosts={OWN: "169.254.169.254"})),
    (rules.SPECIAL_ADDRESS, "implicit", Case(records=(), apex="192.0.2.1")),
    (rules.IPV6_ONLY, "AAAA only", Case(hosts={OWN: "2600::25"})),
    (rules.TARGET_UNANSWERED, "timeout", Case(hosts={OWN: SILENT})),
    (
        rules.DUPLICATE,
        "one host twice",
        replace(CUSTOM, records=("10 mx1.example", "20 mx1.example")),
    ),
    (
        rules.SAME_ADDRESSES,
        "two names, one machine",
        replace(CUSTOM, hosts={"mx1.example": PUBLIC, "mx2.example": PUBLIC}),
    ),
    (rules.TOO_MANY, "eleven", replace(CUSTOM, records=MANY)),
    (rules.UNEXPECTED, "a filter", Case(records=(f"0 {OWN}", f"10 {FILTER}"))),
    (rules.UNEXPECTED, "an unknown host", Case(records=(f"0 {OWN}", "10 mail.example"))),
    (
        rules.UNEXPECTED,
        "the wrong cloud",
        Case(records=("0 contoso-com.mail.protection.office365.us",)),
    ),
    (rules.EXPECTED_MISSING, "another host only", Case(records=("10 mail.example",))),
    (rules.EXPECTED_MISSING, "implicit", Case(records=(), apex=PUBLIC)),
    (
        rules.EXPECTED_INCOMPLETE,
        "one of two",
        replace(CUSTOM, records=("10 mx1.example",), exchanges=("mx1.example", "mx2.example")),
    ),
    (rules.PREFERENCE, "expected is second", Case(records=("0 mail.example", f"10 {OWN}"))),
    (rules.LEGACY, "frontbridge", Case(records=("10 mail.global.frontbridge.com",))),
    (
        rules.RETIRED_CLOUD,
        "Germany",
        Case(records=("0 contoso-com.mail.protection.outlook.de",)),
    ),
    (rules.BOTH_ENDPOINTS, "classic and DNSSEC", Case(records=(f"0 {OWN}", f"20 {SECURE}"))),
    (
        rules.SEVERAL_ENDPOINTS,
        "two classic",
        Case(records=(f"0 {OWN}", "10 contoso-com01b.mail.protection.outlook.com")),
    ),
    (
        rules.FOREIGN_TOKEN,
        "another domain",
        Case(records=("0 fabrikam-com.mail.protection.outlook.com",)),
    ),
    (
        rules.FOREIGN_TOKEN,
        "the same beginning",
        Case(records=("0 contoso-com-example.mail.protection.outlook.com",)),
    ),
    (
        rules.FILTER_BYPASS,
        "beside the filter",
        replace(FILTERED, records=(f"10 {FILTER}", f"20 {OWN}")),
    ),
    (rules.FILTER_BYPASS, "instead of it", replace(FILTERED, records=(f"0 {OWN}",))),
    (
        rules.FILTER_BYPASS,
        "a filter nobody declared",
        replace(CUSTOM, records=(f"10 {FILTER}", f"20 {OWN}")),
    ),
    (rules.WILDCARD, "wildcard", replace(HEALTHY, wildcard=(f"0 {OWN}",))),
    (rules.TTL_LOW, "30 s", Case(mx=Answer((Exchange(0, OWN),), ttl=30))),
    (rules.TTL_HIGH, "a week", Case(mx=Answer((Exchange(0, OWN),), ttl=604_800))),
]


@pytest.mark.parametrize(("rule", "case"), named(FIRES))
def test_the_rule_fires(rule: Rule, case: Case) -> None:
    finding = fires(rule, case.findings())
    assert finding.detail.endswith(".")


def test_text_of_a_peer_is_shown_escaped_and_bounded() -> None:
    nasty = "\x1b[31m<script>\n" + "\xff" * 300
    (finding, *_) = [
        one
        for one in Case(records=(f"10 {nasty}",)).findings()
        if one.rule is rules.NOT_A_HOST_NAME
    ]
    assert finding.detail.isprintable()
    assert finding.detail.startswith("`\\x1b[31m<script>\\x0a")
    assert len(finding.detail) < 350


def test_a_thousand_wrong_exchanges_are_a_few_findings() -> None:
    wrong = tuple(Exchange(1, f"bad name {number}.example") for number in range(1000))
    found = replay(survey("example.com"), {("example.com", "MX"): Answer(wrong)})
    findings = lint(found, expect("custom"))
    assert len(findings) < 4 * MAX_ALIKE
    assert any("more like this" in line for each in findings for line in each.evidence)


def test_no_limit_of_ttl_is_no_finding() -> None:
    expected = expect("exchange-online")
    for ttl in (0, 10**9):
        zone: dict[tuple[str, str], Reply] = {
            ("contoso.com", "MX"): Answer((Exchange(0, OWN),), ttl=ttl),
            (OWN, "A"): Answer((ip_address(PUBLIC),)),
        }
        assert lint(replay(survey("contoso.com"), zone), expected) == ()


def test_the_table_covers_every_rule_but_the_one_about_changes() -> None:
    assert rules_of(FIRES) == set(rules.RULES) - {rules.CHANGED}


def test_a_name_that_does_not_exist_is_told_with_the_zone_that_lacks_it() -> None:
    (found,) = Case(domain="a.b.contoso.com", mx=GONE, zones=ZONE).findings()
    assert found.detail == "a.b.contoso.com does not exist in the zone contoso.com."
    nearer = Case(domain="a.b.contoso.com", mx=GONE, zones=(*ZONE, "b.contoso.com"))
    assert nearer.findings()[0].detail.endswith("in the zone b.contoso.com.")
