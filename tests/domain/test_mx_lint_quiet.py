"""Does each rule about MX stay quiet where nothing, or something else, is wrong?"""

from dataclasses import replace

import pytest

from agent.domain import mx_rules as rules
from agent.domain.finding import Rule
from agent.domain.lookup import Answer, Exchange
from agent.domain.mx import MAX_TARGETS
from proof import quiet
from servers.mx_case import (
    CUSTOM,
    FILTER,
    FILTER2,
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

QUIET: list[tuple[Rule, str, Case]] = [
    (rules.DOMAIN_MISSING, "no data", Case(mx=VOID)),
    (rules.DOMAIN_MISSING, "a name in a zone", Case(domain="a.contoso.com", mx=GONE, zones=ZONE)),
    (rules.NAME_MISSING, "the domain itself", Case(mx=GONE)),
    (rules.MISSING, "NXDOMAIN says it", Case(mx=GONE)),
    (rules.MISSING, "an address exists", Case(records=(), apex=PUBLIC)),
    (rules.MISSING, "addresses unanswered", Case(records=(), hosts={"contoso.com": SILENT})),
    (rules.IMPLICIT, "addresses unanswered", Case(records=(), hosts={"contoso.com": SILENT})),
    (rules.NULL, "parked", PARKED),
    (rules.NULL, "one of several", Case(records=("0 ", f"10 {OWN}"))),
    (rules.NULL_BESIDE_OTHERS, "alone", Case(records=("0 ",))),
    (rules.PARKED_ACCEPTS, "null MX and an address", replace(PARKED, apex=PUBLIC)),
    (
        rules.PARKED_ACCEPTS,
        "address unanswered",
        replace(PARKED, records=(), hosts={"contoso.com": SILENT}),
    ),
    (rules.DOMAIN_ALIAS, "no alias", HEALTHY),
    (rules.LITERAL, "a name with digits", Case(records=("10 1.2.3.example",))),
    (rules.NOT_A_HOST_NAME, "an address has its own rule", Case(records=("10 192.0.2.1",))),
    (rules.NOT_A_HOST_NAME, "an underscore has its own rule", Case(records=("10 a_b.example",))),
    (rules.UNDERSCORE, "hyphen", HEALTHY),
    (rules.SINGLE_LABEL, "two labels", Case(records=("10 mail.example",))),
    (rules.ALIAS, "no alias", HEALTHY),
    (rules.DANGLING, "exists without address", Case(hosts={OWN: VOID})),
    (rules.DANGLING, "could not be asked", Case(records=("10 192.0.2.1",))),
    (rules.NO_ADDRESS, "does not exist", Case(hosts={OWN: GONE})),
    (rules.NO_ADDRESS, "unanswered", Case(hosts={OWN: SILENT})),
    (rules.NONE_REACHABLE, "unanswered", Case(hosts={OWN: SILENT})),
    (
        rules.NONE_REACHABLE,
        "too many to ask them all",
        replace(
            CUSTOM,
            records=tuple(f"10 mx{number:02}.example" for number in range(MAX_TARGETS + 1)),
            hosts={f"mx{number:02}.example": VOID for number in range(MAX_TARGETS)},
        ),
    ),
    (rules.NONE_REACHABLE, "one of two", replace(CUSTOM, hosts={"mx1.example": VOID})),
    (rules.SPECIAL_ADDRESS, "globally reachable", Case(hosts={OWN: "192.52.193.1 2600::1"})),
    (rules.IPV6_ONLY, "another has IPv4", replace(CUSTOM, hosts={"mx1.example": "2600::25"})),
    (rules.IPV6_ONLY, "no address at all", Case(hosts={OWN: VOID})),
    (rules.TARGET_UNANSWERED, "answered: none", Case(hosts={OWN: VOID})),
    (rules.DUPLICATE, "two hosts", CUSTOM),
    (rules.SAME_ADDRESSES, "two machines", CUSTOM),
    (
        rules.SAME_ADDRESSES,
        "a provider's pool",
        replace(FILTERED, hosts={FILTER: PUBLIC, FILTER2: PUBLIC}),
    ),
    (
        rules.SAME_ADDRESSES,
        "neither has one",
        replace(CUSTOM, hosts={"mx1.example": VOID, "mx2.example": VOID}),
    ),
    (rules.TOO_MANY, "ten", replace(CUSTOM, records=MANY[:10])),
    (rules.UNEXPECTED, "nothing is known of what to expect", CUSTOM),
    (rules.UNEXPECTED, "listed", replace(CUSTOM, exchanges=("*.example",))),
    (rules.UNEXPECTED, "legacy has its own rule", Case(records=("1 mail.eo.outlook.com",))),
    (
        rules.UNEXPECTED,
        "retired has its own rule",
        Case(records=("0 contoso-com.mail.protection.outlook.de",)),
    ),
    (
        rules.UNEXPECTED,
        "bypass has its own rule",
        replace(FILTERED, records=(f"10 {FILTER}", f"20 {OWN}"), exchanges=("*.pphosted.com",)),
    ),
    (rules.EXPECTED_MISSING, "a null MX has its own rule", Case(records=("0 ",))),
    (rules.EXPECTED_MISSING, "the domain has no route", Case(records=())),
    (rules.EXPECTED_MISSING, "one of the patterns", Case(records=(f"0 {SECURE}",))),
    (
        rules.EXPECTED_INCOMPLETE,
        "patterns are alternatives",
        replace(CUSTOM, exchanges=("*.example", "*.mx.microsoft")),
    ),
    (rules.PREFERENCE, "equal", Case(records=(f"10 {OWN}", "10 mail.example"))),
    (rules.LEGACY, "current", HEALTHY),
    (rules.RETIRED_CLOUD, "current", HEALTHY),
    (rules.BOTH_ENDPOINTS, "one of them", HEALTHY),
    (rules.SEVERAL_ENDPOINTS, "old and new", Case(records=(f"0 {OWN}", f"20 {SECURE}"))),
    (rules.FOREIGN_TOKEN, "own", HEALTHY),
    (
        rules.FOREIGN_TOKEN,
        "listed exactly",
        Case(
            records=("0 odd-token.mail.protection.outlook.com",),
            exchanges=("odd-token.mail.protection.outlook.com",),
        ),
    ),
    (
        rules.FOREIGN_TOKEN,
        "with an addition",
        Case(domain="con-toso.com", records=("0 contoso-com01b.mail.protection.outlook.com",)),
    ),
    (rules.FOREIGN_TOKEN, "of the domain above", Case(domain="eu.contoso.com")),
    (
        rules.FOREIGN_TOKEN,
        "an initial domain",
        Case(
            domain="contoso.onmicrosoft.com",
            records=("0 contoso.mail.protection.outlook.com",),
        ),
    ),
    (
        rules.FOREIGN_TOKEN,
        "shortened",
        Case(
            domain="a-very-long-name-of-some-company-or-other.com",
            records=("0 averylongnameofsomeco0i.mail.protection.outlook.com",),
        ),
    ),
    (rules.FILTER_BYPASS, "no filter", HEALTHY),
    (
        rules.FILTER_BYPASS,
        "declared so",
        replace(FILTERED, records=(f"10 {FILTER}", f"20 {OWN}"), exchanges=(FILTER, OWN)),
    ),
    (rules.WILDCARD, "a null MX below", replace(HEALTHY, wildcard=("0 ",))),
    (rules.TTL_LOW, "at the limit", Case(mx=Answer((Exchange(0, OWN),), ttl=300))),
    (rules.TTL_LOW, "unknown", Case(mx=Answer((Exchange(0, OWN),)))),
    (rules.TTL_HIGH, "at the limit", Case(mx=Answer((Exchange(0, OWN),), ttl=172_800))),
]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(HEALTHY, id="Exchange Online"),
        pytest.param(Case(records=(f"0 {SECURE}",)), id="Exchange Online with DNSSEC"),
        pytest.param(CUSTOM, id="custom"),
        pytest.param(FILTERED, id="filter"),
        pytest.param(PARKED, id="parked with a null MX"),
        pytest.param(replace(PARKED, records=()), id="parked without anything"),
        pytest.param(
            Case(records=("0 contoso-com.mail.protection.office365.us",), senders=("gcc-high",)),
            id="GCC High, told by its sender",
        ),
        pytest.param(
            Case(
                topology="hybrid",
                records=(f"0 {OWN}",),
                senders=("exchange-online", "192.31.196.0/28"),
            ),
            id="hybrid with MX in the cloud",
        ),
        pytest.param(
            replace(FILTERED, exchanges=(FILTER, FILTER2)), id="filter with its hosts listed"
        ),
    ],
)
def test_a_healthy_domain_has_no_findings(case: Case) -> None:
    assert case.findings() == ()


@pytest.mark.parametrize(("rule", "case"), named(QUIET))
def test_the_rule_stays_quiet(rule: Rule, case: Case) -> None:
    quiet(rule, case.findings())


def test_the_table_covers_every_rule_but_the_one_about_changes() -> None:
    assert rules_of(QUIET) == set(rules.RULES) - {rules.CHANGED}
