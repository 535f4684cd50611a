"""Is the SPF record that a finding proposes one that works, and is none proposed that would not?"""

import pytest

from agent.domain import spf_rules as rules
from agent.domain import spf_rules_tree as tree_rules
from agent.domain.finding import Rule
from proof import fires
from servers.spf_case import CLOUD, PARKED, Case, D

MANY = " ".join(f"a:h{number}.x.com" for number in range(6))
LONG = " ".join(f"ip4:192.31.{number}.0/24" for number in range(100, 115))
CLOUD_NAME = "spf.protection.outlook.com"
TARGETS = "a.x.com TXT v=spf1 ip4:192.31.196.1 -all\nb.x.com TXT v=spf1 ip4:192.31.196.2 -all"


def several(one: str, other: str, more: str = "") -> Case:
    return Case(one, f"{D} TXT {other}\n{more}")


def line(text: str) -> str:
    return f'{D}. 3600 IN TXT "{text}"'


@pytest.mark.parametrize(
    ("one", "other", "merged"),
    [
        ("v=spf1 mx -all", "v=spf1 mx ~all", "v=spf1 mx -all"),
        ("v=spf1 ip4:192.31.196.1 ~all", "v=spf1 mx ?all", "v=spf1 ip4:192.31.196.1 mx ~all"),
        ("v=spf1 +MX a", "v=spf1 mx all", "v=spf1 MX a ~all"),
        ("v=spf1 mx -all ip4:192.31.196.1", "v=spf1 mx exp=e.x.com", "v=spf1 mx -all exp=e.x.com"),
        ("v=spf1 mx -all exp=d.x.com", "v=spf1 a exp=e.x.com", "v=spf1 a mx -all"),
        ("v=spf1 exists:%{i}.x.com", "v=spf1 exists:%{I}.x.com mx ~all",
         "v=spf1 exists:%{I}.x.com mx exists:%{i}.x.com ~all"),
        ("v=spf1 redirect=a.x.com", "v=spf1 mx redirect=a.x.com", "v=spf1 mx redirect=a.x.com"),
        ("v=spf1 redirect=a.x.com", "v=spf1 redirect=b.x.com",
         "v=spf1 include:a.x.com include:b.x.com ~all"),
        ("v=spf1 redirect=a.x.com", "v=spf1 mx -all", "v=spf1 mx include:a.x.com -all"),
    ],
)  # fmt: skip
def test_several_records_become_one(one: str, other: str, merged: str) -> None:
    finding = fires(rules.SEVERAL, several(one, other, TARGETS).findings())
    assert finding.fix == line(merged)


@pytest.mark.parametrize(
    ("case", "problem"),
    [
        (several(f"v=spf1 {MANY} -all", f"v=spf1 {MANY.replace('h', 'g')} -all"), "12 lookups"),
        (several(f"v=spf1 {LONG} -all", f"v=spf1 {LONG.replace('192', '193')} -all"), "octets"),
        (several("v=spf1 ipv4:192.31.196.1 -all", "v=spf1 mx -all"), "correct the syntax of each"),
        (several("v=spf1 -ip4:192.31.196.1 mx -all", "v=spf1 mx -all"), "depends on their order"),
        (several("v=spf1 include:no.x.com -all", "v=spf1 mx -all"), "no.x.com, where there is: no"),
        (several('v=spf1 exists:%{i}".x.com -all', "v=spf1 mx -all"), "must not be typed"),
    ],
)  # fmt: skip
def test_no_record_is_proposed_that_would_be_broken(case: Case, problem: str) -> None:
    finding = fires(rules.SEVERAL, case.findings())
    assert finding.fix == ""
    assert problem in finding.evidence[-1]


def test_a_long_record_is_written_as_several_strings() -> None:
    text = f"v=spf1 {LONG} ~all"
    finding = fires(rules.PLUS_ALL, Case(f"v=spf1 {LONG} +all").findings())
    assert finding.fix == f'{D}. 3600 IN TXT "{text[:255]}" "{text[255:]}"'


@pytest.mark.parametrize(
    ("rule", "case", "fix"),
    [
        (rules.PLUS_ALL, Case("v=spf1 mx +all a redirect=x.com"), line("v=spf1 mx ~all")),
        (rules.NEUTRAL_ALL, Case("v=spf1 mx ?all exp=x.com"), line("v=spf1 mx ~all exp=x.com")),
        (rules.NO_ALL, Case("v=spf1 mx"), line("v=spf1 mx ~all")),
        (rules.PLUS_ALL, Case("v=spf1 all"), ""),
        (rules.PLUS_ALL, Case("v=spf1 redirect=x.com", "x.com TXT v=spf1 mx +all"), ""),
        (rules.MISSING, Case("MS=ms1", intent=PARKED), line("v=spf1 -all")),
        (rules.MISSING, Case("MS=ms1"), ""),
        (rules.MISSING, Case("MS=ms1", intent=CLOUD), line(f"v=spf1 include:{CLOUD_NAME} ~all")),
        (tree_rules.PARKED, Case("v=spf1 mx -all", intent=PARKED), line("v=spf1 -all")),
    ],
)
def test_a_bad_end_is_mended(rule: Rule, case: Case, fix: str) -> None:
    finding = fires(rule, case.findings())
    assert finding.fix == fix
    assert bool(finding.evidence) == (case.record == "v=spf1 all")


def test_a_parked_domain_with_several_records_keeps_none_of_them() -> None:
    case = Case("v=spf1 mx -all", f"{D} TXT v=spf1 a -all", intent=PARKED)
    assert fires(rules.SEVERAL, case.findings()).fix == line("v=spf1 -all")
