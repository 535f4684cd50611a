"""Does each rule about MX fire when it should, and only then?"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

import pytest
from proof import fires, quiet

from agent.domain import mx_rules as rules
from agent.domain.finding import Finding, Rule
from agent.domain.lookup import Answer, Exchange, Reply, Silence, Unanswered, replay
from agent.domain.mx import MAX_TARGETS, NO_SUCH_LABEL, survey
from agent.domain.mx_lint import expect, lint

OWN = "contoso-com.mail.protection.outlook.com"
SECURE = "contoso-com.e-v1.mx.microsoft"
FILTER = "mx0a-00000001.pphosted.com"
FILTER2 = "mx0b-00000001.pphosted.com"
PUBLIC = "192.31.196.10"
PUBLIC2 = "192.31.196.11"


@dataclass(frozen=True)
class Case:
    """A domain with its records, as they are written down; and what is expected of it."""

    records: tuple[str, ...] = (f"0 {OWN}",)
    topology: str = "exchange-online"
    domain: str = "contoso.com"
    exchanges: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    hosts: dict[str, str | Reply] = field(default_factory=dict)
    mx: Reply | None = None
    wildcard: tuple[str, ...] = ()
    apex: str = ""

    def findings(self) -> tuple[Finding, ...]:
        zone: dict[tuple[str, str], Reply] = {
            (self.domain, "MX"): self.mx or Answer(_exchanges(self.records), ttl=3600),
            (f"{NO_SUCH_LABEL}.{self.domain}", "MX"): Answer(_exchanges(self.wildcard)),
        }
        if self.apex:
            zone[self.domain, "A"] = Answer((ip_address(self.apex),))
        for number, record in enumerate(self.records):
            name = record.partition(" ")[2]
            zone.setdefault((name, "A"), Answer((ip_address(f"192.31.196.{10 + number}"),)))
        for name, content in self.hosts.items():
            zone.pop((name, "A"), None)
            if isinstance(content, str):
                addresses = tuple(ip_address(text) for text in content.split())
                for kind, version in (("A", 4), ("AAAA", 6)):
                    zone[name, kind] = Answer(
                        tuple(one for one in addresses if one.version == version)
                    )
            else:
                zone[name, "A"] = zone[name, "AAAA"] = content
        expected = expect(
            self.topology,
            exchanges=self.exchanges,
            senders=self.senders,
            min_ttl=300,
            max_ttl=172_800,
        )
        return lint(replay(survey(self.domain), zone), expected)


def _exchanges(records: tuple[str, ...]) -> tuple[Exchange, ...]:
    split = (record.partition(" ") for record in records)
    return tuple(Exchange(int(preference), name) for preference, _, name in split)


HEALTHY = Case()
CUSTOM = Case(topology="custom", records=("10 mx1.example", "20 mx2.example"))
FILTERED = Case(topology="third-party-filter", records=(f"10 {FILTER}", f"20 {FILTER2}"))
PARKED = Case(topology="parked", records=("0 ",))
GONE = Answer(name_exists=False)
VOID = Answer()
SILENT = Unanswered(Silence.TIMEOUT)
MANY = tuple(f"10 mx{number}.example" for number in range(11))


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


FIRES: list[tuple[Rule, str, Case]] = [
    (rules.DOMAIN_MISSING, "NXDOMAIN", Case(mx=GONE)),
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
QUIET: list[tuple[Rule, str, Case]] = [
    (rules.DOMAIN_MISSING, "no data", Case(mx=VOID)),
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


def _named(table: list[tuple[Rule, str, Case]]) -> list[object]:
    return [pytest.param(rule, case, id=f"{rule.code}: {name}") for rule, name, case in table]


@pytest.mark.parametrize(("rule", "case"), _named(FIRES))
def test_the_rule_fires(rule: Rule, case: Case) -> None:
    finding = fires(rule, case.findings())
    assert finding.detail.endswith(".")


@pytest.mark.parametrize(("rule", "case"), _named(QUIET))
def test_the_rule_stays_quiet(rule: Rule, case: Case) -> None:
    quiet(rule, case.findings())


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


def test_no_limit_of_ttl_is_no_finding() -> None:
    expected = expect("exchange-online")
    for ttl in (0, 10**9):
        zone: dict[tuple[str, str], Reply] = {
            ("contoso.com", "MX"): Answer((Exchange(0, OWN),), ttl=ttl),
            (OWN, "A"): Answer((ip_address(PUBLIC),)),
        }
        assert lint(replay(survey("contoso.com"), zone), expected) == ()


def test_the_table_covers_every_rule_but_the_one_about_changes() -> None:
    names: Callable[[list[tuple[Rule, str, Case]]], set[str]] = lambda table: {  # noqa: E731
        rule.code for rule, _, _ in table
    }
    declared = {rule.code for rule in rules.RULES} - {rules.CHANGED.code}
    assert names(FIRES) == declared
    assert names(QUIET) == declared
