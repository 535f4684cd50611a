"""Is a record compared with what the operator says, and is a healthy one left in peace?"""

import pytest

from agent.domain import spf_rules_tree as rules
from agent.domain.finding import MAX_ALIKE, Rule
from agent.domain.spf_lint import Intent
from proof import Proves, fires, named, quiet
from servers.spf_case import CLOUD, PARKED, Case

OWN = "spf.protection.outlook.com"
OTHER = "spf.protection.office365.us"
RETIRED = "spf.protection.outlook.de"
IN_CLOUD = "example.com MX 0 example-com.mail.protection.outlook.com"
COVERED = Intent(frozenset({"exchange-online"}), frozenset({"exchange-online"}))

CASES = [
    (fires, rules.CLOUD_MISSING, "nothing is sent", Case("v=spf1 -all", intent=CLOUD)),
    (
        fires,
        rules.CLOUD_MISSING,
        "another cloud",
        Case(f"v=spf1 include:{OTHER} -all", intent=CLOUD),
    ),
    (quiet, rules.CLOUD_MISSING, "included", Case(f"v=spf1 include:{OWN} -all", intent=CLOUD)),
    (
        quiet,
        rules.CLOUD_MISSING,
        "its ranges pass",
        Case("v=spf1 ip4:40.92.0.0/16 -all", intent=COVERED),
    ),
    (
        quiet,
        rules.CLOUD_MISSING,
        "included by another",
        Case("v=spf1 include:x.com -all", f"x.com TXT v=spf1 include:{OWN} -all", intent=CLOUD),
    ),
    (fires, rules.CLOUD_UNMENTIONED, "MX only", Case("v=spf1 mx -all", IN_CLOUD)),
    (quiet, rules.CLOUD_UNMENTIONED, "sends nothing", Case("v=spf1 -all", IN_CLOUD)),
    (quiet, rules.CLOUD_UNMENTIONED, "included", Case(f"v=spf1 include:{OWN} -all", IN_CLOUD)),
    (
        quiet,
        rules.CLOUD_UNMENTIONED,
        "known to be missing",
        Case("v=spf1 mx -all", IN_CLOUD, CLOUD),
    ),
    (
        quiet,
        rules.CLOUD_UNMENTIONED,
        "a name that ends alike",
        Case("v=spf1 mx -all", "example.com MX 0 mx.notmail.protection.outlook.com"),
    ),
    (fires, rules.WRONG_CLOUD, "another", Case(f"v=spf1 include:{OTHER} -all", intent=CLOUD)),
    (quiet, rules.WRONG_CLOUD, "nobody named one", Case(f"v=spf1 include:{OTHER} -all")),
    (
        quiet,
        rules.WRONG_CLOUD,
        "a retired one",
        Case(f"v=spf1 include:{RETIRED} -all", intent=CLOUD),
    ),
    (quiet, rules.WRONG_CLOUD, "the right one", Case(f"v=spf1 include:{OWN} -all", intent=CLOUD)),
    (fires, rules.OUTLOOK_COM, "included", Case("v=spf1 include:outlook.com -all")),
    (quiet, rules.OUTLOOK_COM, "a name below", Case(f"v=spf1 include:{OWN} -all")),
    (quiet, rules.OUTLOOK_COM, "its addresses", Case("v=spf1 a:outlook.com -all")),
    (fires, rules.RETIRED_INCLUDE, "included", Case("v=spf1 include:sharepointonline.com -all")),
    (quiet, rules.RETIRED_INCLUDE, "its addresses", Case("v=spf1 a:sharepointonline.com -all")),
    (fires, rules.SEVERAL_CLOUDS, "two", Case(f"v=spf1 include:{OWN} include:{OTHER} -all")),
    (quiet, rules.SEVERAL_CLOUDS, "one twice", Case(f"v=spf1 include:{OWN} include:{OWN} -all")),
    (fires, rules.PARKED, "sends", Case("v=spf1 mx -all", intent=PARKED)),
    (fires, rules.PARKED, "says nothing", Case("v=spf1", intent=PARKED)),
    (fires, rules.PARKED, "only doubts", Case("v=spf1 ~all", intent=PARKED)),
    (quiet, rules.PARKED, "says so", Case("v=spf1 -all", intent=PARKED)),
    (quiet, rules.PARKED, "not parked", Case("v=spf1 mx -all")),
    (quiet, rules.PARKED, "no record has its own rule", Case("MS=ms1", intent=PARKED)),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_the_rule_is_told_from_what_is_near(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.findings())


HEALTHY = """
example.com A 192.31.196.1
example.com MX 0 example-com.mail.protection.outlook.com
example-com.mail.protection.outlook.com A 192.52.193.1
spf.protection.outlook.com TXT v=spf1 ip4:192.52.193.0/24 -all
w.x.com TXT You are not %{d}
""".strip()


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            Case(f"v=spf1 ip4:192.31.196.0/24 a mx include:{OWN} exp=w.x.com -all", HEALTHY, CLOUD),
            id="in the cloud",
        ),
        pytest.param(Case("v=spf1 ip4:192.52.193.0/24 -all", intent=COVERED), id="flattened"),
        pytest.param(Case("v=spf1 -all", intent=PARKED), id="parked"),
        pytest.param(Case("v=spf1 -all", ttl=None), id="of unknown time to live"),
    ],
)
def test_a_healthy_domain_breaks_no_rule(case: Case) -> None:
    assert case.codes() == set()


def test_a_thousand_faults_of_a_kind_are_a_few_findings() -> None:
    findings = Case(f"v=spf1 {'nonsense ' * 1000}-all").findings()
    assert len(findings) < 4 * MAX_ALIKE
    assert any("more like this" in line for each in findings for line in each.evidence)
