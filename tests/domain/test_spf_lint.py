"""Does every lint of a published record fire where it should, and only there?"""

import pytest

from agent.domain.lookup import Answer, TextRecord, replay
from agent.domain.spf_lint import RULES, Intent, lint
from agent.domain.spf_survey import WILDCARD_LABEL, Bounds, survey
from agent.domain.spf_tree import draw
from servers.spf_zone import Zone, zone_of

D = "example.com"
HEALTHY = """
example.com TXT v=spf1 ip4:192.31.196.0/24 a mx include:spf.protection.outlook.com exp=w.x.com -all
example.com A 192.31.196.1
example.com MX 0 example-com.mail.protection.outlook.com
example-com.mail.protection.outlook.com A 192.52.193.1
spf.protection.outlook.com TXT v=spf1 ip4:192.52.193.0/24 -all
w.x.com TXT You are not %{d}
"""
CLOUD = Intent(frozenset({"exchange-online"}))
INCLUDED = "spf.protection.outlook.com TXT v=spf1 ip4:192.52.193.0/24 -all\n"
MICROSOFT_MX = "example.com MX 0 example-com.mail.protection.outlook.com\n"
MANY_MX = "\n".join(f"example.com MX {n} mx{n}.example.com" for n in range(11))
MANY_HOSTS = " ".join(f"a:h{n}.example.com" for n in range(11))


def codes(zone: Zone, intent: Intent = Intent(), bounds: Bounds = Bounds()) -> set[str]:  # noqa: B008 - frozen
    found = replay(survey(D), zone)
    assert draw(found.root).label
    findings = lint(found, bounds, intent)
    assert all(finding.detail.isascii() for finding in findings)
    return {finding.rule.code for finding in findings}


FIRES = [
    pytest.param("spf-missing", "example.com A 192.31.196.1", id="no record"),
    pytest.param(
        "spf-several-records", "example.com TXT v=spf1 -all\nexample.com TXT v=SPF1 ~all", id="two"
    ),
    pytest.param(
        "spf-published-twice", "example.com TXT v=spf1 -all\nexample.com TXT v=spf1 -all", id="copy"
    ),
    pytest.param("spf-syntax", "example.com TXT v=spf1 ipv4:192.31.196.1 -all", id="ipv4"),
    pytest.param("spf-typographic", "example.com TXT v=spf1 \u00a0-all", id="no-break space"),
    pytest.param("spf-typographic", 'example.com TXT v=spf1 "a" -all', id="quotes"),
    pytest.param("spf-near-miss", "example.com TXT v=spf10 -all", id="version 10"),
    pytest.param("spf-near-miss", "example.com TXT v=spf1\tmx -all", id="tab"),
    pytest.param("spf-near-miss", 'example.com TXT "v=spf1 -all"', id="quoted"),
    pytest.param("spf-near-miss", "example.com TXT \u00a0v=spf1 -all", id="leading space"),
    pytest.param("spf-near-miss", "example.com TXT v=spf1|mx -all", id="missing joint space"),
    pytest.param("spf-sender-id", "example.com TXT spf2.0/pra mx -all", id="Sender ID"),
    pytest.param("spf-type-99", "example.com SPF v=spf1 -all", id="type only"),
    pytest.param(
        "spf-type-99", "example.com TXT v=spf1 -all\nexample.com SPF v=spf1 -all", id="type as well"
    ),
    pytest.param("spf-wildcard", f"{WILDCARD_LABEL}.example.com TXT v=spf1 -all", id="wildcard"),
    pytest.param("spf-long", f"example.com TXT v=spf1 {'ip4:192.31.196.1 ' * 27}-all", id="long"),
    pytest.param("spf-split", "example.com TXT v=spf1 a:x.com|include:y.com -all", id="joint"),
    pytest.param("spf-split", "example.com TXT v=spf1 a:x.com|-all", id="joint before all"),
    pytest.param(
        "spf-string-cut", f"example.com TXT v=spf1 {'ip4:192.31.196.1 ' * 14}a:host.com", id="cut"
    ),
    pytest.param("spf-plus-all", "example.com TXT v=spf1 +all", id="plus"),
    pytest.param("spf-plus-all", "example.com TXT v=spf1 all", id="bare all"),
    pytest.param("spf-neutral-all", "example.com TXT v=spf1 ?all", id="neutral"),
    pytest.param("spf-no-all", "example.com TXT v=spf1 ip4:192.31.196.1", id="no all"),
    pytest.param("spf-after-all", "example.com TXT v=spf1 -all mx", id="after all"),
    pytest.param("spf-redirect-with-all", "example.com TXT v=spf1 -all redirect=x.com", id="both"),
    pytest.param("spf-ptr", "example.com TXT v=spf1 ptr -all", id="ptr"),
    pytest.param("spf-macro-p", "example.com TXT v=spf1 exists:%{p}.x.com -all", id="p"),
    pytest.param("spf-wide-range", "example.com TXT v=spf1 ip4:64.0.0.0/15 -all", id="ip4"),
    pytest.param("spf-wide-range", "example.com TXT v=spf1 ip6:2a00::/31 -all", id="ip6"),
    pytest.param("spf-wide-range", "example.com TXT v=spf1 mx/8 -all", id="mx"),
    pytest.param("spf-whole-internet", "example.com TXT v=spf1 ip4:1.2.3.4/0 -all", id="zero"),
    pytest.param("spf-whole-internet", "example.com TXT v=spf1 a//0 -all", id="zero of a"),
    pytest.param("spf-special-range", "example.com TXT v=spf1 ip4:10.0.0.0/24 -all", id="private"),
    pytest.param("spf-special-range", "example.com TXT v=spf1 ip6:ff00::/16 -all", id="multicast"),
    pytest.param(
        "spf-redundant-range", "example.com TXT v=spf1 ip4:1.2.3.0/24 ip4:1.2.3.4 -all", id="inside"
    ),
    pytest.param(
        "spf-redundant-range", "example.com TXT v=spf1 ip6:2a00::1 ip6:2a00::1 -all", id="equal"
    ),
    pytest.param("spf-host-bits", "example.com TXT v=spf1 ip4:1.2.3.4/24 -all", id="host bits"),
    pytest.param("spf-typo-modifier", "example.com TXT v=spf1 ip4=1.2.3.4 -all", id="equals"),
    pytest.param("spf-typo-modifier", "example.com TXT v=spf1 v=spf1 -all", id="version again"),
    pytest.param("spf-target-missing", "example.com TXT v=spf1 include:x.com -all", id="include"),
    pytest.param("spf-target-missing", "example.com TXT v=spf1 redirect=x.com", id="redirect"),
    pytest.param(
        "spf-target-broken",
        "example.com TXT v=spf1 include:x.com -all\nx.com TXT v=spf1 ip:1",
        id="broken target",
    ),
    pytest.param(
        "spf-target-broken",
        "example.com TXT v=spf1 include:x.com -all\nx.com TXT v=spf1 a\nx.com TXT v=spf1 mx",
        id="two at target",
    ),
    pytest.param(
        "spf-target-plus-all",
        "example.com TXT v=spf1 include:x.com -all\nx.com TXT v=spf1 +all",
        id="target passes all",
    ),
    pytest.param("spf-loop", "example.com TXT v=spf1 include:example.com -all", id="itself"),
    pytest.param(
        "spf-loop",
        "example.com TXT v=spf1 include:x.com -all\nx.com TXT v=spf1 redirect=example.com",
        id="through another",
    ),
    pytest.param(
        "spf-too-many-lookups", f"example.com TXT v=spf1 {MANY_HOSTS} -all", id="11 lookups"
    ),
    pytest.param(
        "spf-near-lookup-limit", f"example.com TXT v=spf1 {'a ' * 8} -all", id="8 lookups"
    ),
    pytest.param(
        "spf-too-many-voids", "example.com TXT v=spf1 a:a.x a:b.x exists:c.x -all", id="3 voids"
    ),
    pytest.param(
        "spf-near-void-limit", "example.com TXT v=spf1 a:a.x.com mx:b.x.com -all", id="2 voids"
    ),
    pytest.param(
        "spf-ipv6-voids",
        "example.com TXT v=spf1 a a a mx -all\nexample.com A 1.1.1.1\n" + MICROSOFT_MX,
        id="only IPv4",
    ),
    pytest.param("spf-empty-term", "example.com TXT v=spf1 a -all", id="a without address"),
    pytest.param("spf-empty-term", "example.com TXT v=spf1 mx -all", id="mx without MX"),
    pytest.param(
        "spf-empty-term", "example.com TXT v=spf1 mx -all\nexample.com MX 0 .", id="null MX"
    ),
    pytest.param(
        "spf-many-exchanges", f"example.com TXT v=spf1 mx -all\n{MANY_MX}", id="11 exchanges"
    ),
    pytest.param(
        "spf-duplicate-include",
        f"example.com TXT v=spf1 include:spf.protection.outlook.com"
        f" include:spf.protection.outlook.com -all\n{INCLUDED}",
        id="same include twice",
    ),
    pytest.param("spf-exp", "example.com TXT v=spf1 exp=x.example.com -all", id="no text"),
    pytest.param(
        "spf-exp",
        "example.com TXT v=spf1 exp=x.y.com -all\nx.y.com TXT a\nx.y.com TXT b",
        id="two texts",
    ),
    pytest.param(
        "spf-exp", "example.com TXT v=spf1 exp=x.y.com -all\nx.y.com TXT caf\u00e9", id="non-ASCII"
    ),
    pytest.param(
        "spf-cloud-mx-without-include",
        f"example.com TXT v=spf1 ip4:192.31.196.1 -all\n{MICROSOFT_MX}",
        id="MX without include",
    ),
    pytest.param(
        "spf-outlook-com", "example.com TXT v=spf1 include:outlook.com -all", id="outlook"
    ),
    pytest.param(
        "spf-retired-include",
        "example.com TXT v=spf1 include:sharepointonline.com -all",
        id="retired",
    ),
    pytest.param(
        "spf-several-clouds",
        "example.com TXT v=spf1 include:spf.protection.outlook.com"
        " include:spf.protection.office365.us -all",
        id="two clouds",
    ),
]
WITH_INTENT = [
    pytest.param("spf-cloud-include-missing", "example.com TXT v=spf1 -all", CLOUD, id="cloud"),
    pytest.param(
        "spf-wrong-cloud",
        "example.com TXT v=spf1 include:spf.protection.office365.us -all",
        CLOUD,
        id="wrong cloud",
    ),
    pytest.param("spf-parked", "example.com TXT v=spf1 mx -all", Intent(sends=False), id="parked"),
    pytest.param("spf-parked", "example.com TXT v=spf1", Intent(sends=False), id="parked, empty"),
]
ELSEWHERE = {
    "spf-alias",
    "spf-large-answer",
    "spf-only-at-parent",
    "spf-target-unanswered",
    "spf-ttl-high",
    "spf-ttl-low",
    "spf-verdict-differs",  # a finding about evaluations: see the probe's tests
}


@pytest.mark.parametrize(("code", "zone"), FIRES)
def test_a_lint_fires(code: str, zone: str) -> None:
    assert code in codes(zone_of(zone))


@pytest.mark.parametrize(("code", "zone", "intent"), WITH_INTENT)
def test_a_lint_about_what_the_operator_says_fires(code: str, zone: str, intent: Intent) -> None:
    assert code in codes(zone_of(zone), intent)


def test_every_rule_has_a_case_that_fires_it() -> None:
    cases = {str(case.values[0]) for case in (*FIRES, *WITH_INTENT)} | ELSEWHERE
    assert cases == {rule.code for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_healthy_domain_breaks_no_rule(rule: object) -> None:
    assert getattr(rule, "code", "") not in codes(zone_of(HEALTHY), CLOUD)


def test_a_parked_domain_that_says_so_is_healthy() -> None:
    assert codes(zone_of("example.com TXT v=spf1 -all"), Intent(sends=False)) == set()


QUIET = [
    pytest.param("spf-syntax", "v=spf1 IP4:192.31.196.1 MX:x.com -ALL", id="upper case"),
    pytest.param("spf-near-miss", "V=SPF1 -all", id="upper-case version"),
    pytest.param("spf-typo-modifier", "v=spf1 ra=postmaster rp=100 rr=all -all", id="RFC 6652"),
    pytest.param("spf-split", "v=spf1 ip4:192.31.|196.1 -all", id="split inside a term"),
    pytest.param("spf-split", "v=spf1 ip4:192.31.196.1| -all", id="split at a space"),
    pytest.param("spf-split", "v=spf1 ip4:192.31.196.1 -|all", id="split after a qualifier"),
    pytest.param("spf-whole-internet", "v=spf1 -ip4:0.0.0.0/0 ~all", id="refusing everybody"),
    pytest.param("spf-wide-range", "v=spf1 ip4:64.0.0.0/16 -all", id="a /16"),
    pytest.param(
        "spf-redundant-range", "v=spf1 -ip4:1.2.3.4 ip4:1.2.3.0/24 -all", id="an exception"
    ),
    pytest.param("spf-exp", "v=spf1 exp=%{i}.x.com -all", id="exp that depends on the client"),
    pytest.param("spf-target-missing", "v=spf1 include:%{i}.x.com -all", id="dynamic include"),
    pytest.param("spf-no-all", "v=spf1 redirect=x.com", id="redirect instead of all"),
    pytest.param("spf-cloud-mx-without-include", "v=spf1 -all", id="sends nothing"),
]


@pytest.mark.parametrize(("code", "record"), QUIET)
def test_a_lint_keeps_quiet(code: str, record: str) -> None:
    assert code not in codes(zone_of(f"example.com TXT {record}\n{MICROSOFT_MX}"))


@pytest.mark.parametrize(
    ("ttl", "size", "code"),
    [
        pytest.param(299, 100, "spf-ttl-low", id="low"),
        pytest.param(172_801, 100, "spf-ttl-high", id="high"),
        pytest.param(3600, 513, "spf-large-answer", id="large"),
    ],
)
def test_the_answer_itself_is_looked_at(ttl: int, size: int, code: str) -> None:
    assert codes(zone_of("example.com TXT v=spf1 -all", ttl=ttl, size=size)) == {code}


def test_an_unknown_time_to_live_is_no_finding() -> None:
    assert codes(zone_of("example.com TXT v=spf1 -all", ttl=None)) == set()


def test_a_record_behind_an_alias_is_found() -> None:
    answer = Answer((TextRecord((b"v=spf1 -all",)),), aliases=("spf.example.net",))
    assert codes({(D, "TXT"): answer}) == {"spf-alias"}


def test_an_include_that_dns_cannot_say_is_not_called_missing() -> None:
    zone = zone_of("example.com TXT v=spf1 include:x.com -all", silent=("x.com",))
    assert codes(zone) == {"spf-target-unanswered"}


@pytest.mark.parametrize("more", ["", "example.com TXT v=spf1 -all"], ids=["without", "with"])
def test_the_parent_of_a_subdomain_without_record_is_looked_at(more: str) -> None:
    zone = zone_of(f"www.example.com A 1.1.1.1\n{more}")
    found = replay(survey("www.example.com"), zone)
    fired = {finding.rule.code for finding in lint(found, Bounds(), Intent())}
    assert fired == {"spf-missing"} | ({"spf-only-at-parent"} if more else set())


def test_ranges_that_cover_the_cloud_are_as_good_as_its_include() -> None:
    intent = Intent(frozenset({"exchange-online"}), frozenset({"exchange-online"}))
    zone = zone_of("example.com TXT v=spf1 ip4:192.52.193.0/24 -all")
    assert codes(zone, intent) == set()


def test_an_mx_that_dns_cannot_say_is_not_called_empty() -> None:
    zone = zone_of("example.com TXT v=spf1 mx -all", silent=(D,))
    zone[D, "MX"] = zone.pop((D, "TXT"))
    zone[D, "TXT"] = Answer((TextRecord((b"v=spf1 mx -all",)),))
    assert codes(zone) == set()
