"""Does each rule about a record's text and its publication fire where it should, and only there?"""

import re

import pytest

from agent.domain import spf_rules as rules
from agent.domain.finding import Rule
from agent.domain.lookup import Answer, TextRecord
from agent.domain.spf_lint import Intent
from agent.domain.spf_mending import begun
from agent.domain.spf_survey import WILDCARD_LABEL
from proof import Proves, fires, named, quiet
from servers.spf_case import PARKED, UNTOLD, Case, D

NO = "v=spf1 -all"
NAMELESS = "v=spf1 include:<name from Proofpoint> ip4:192.0.2.25 ~all"
ADDRESS = "ip4:192.31.196.1 "  # 17 octets
FULL = f"v=spf1 {ADDRESS * 14}"  # 245 octets


def aliased(text: bytes) -> Case:
    answer = Answer((TextRecord((text,)),), aliases=("spf.example.net",))
    return Case(replies={(D, "TXT"): answer})


def below(record: str, parent: str) -> Case:
    """A subdomain and its parent, with records or without."""
    lines = {"www.example.com": record, D: parent}
    more = "\n".join(f"{name} TXT {text}" for name, text in lines.items() if text)
    return Case(more=f"www.example.com A 192.31.196.1\n{more}", domain="www.example.com")


CASES = [
    (fires, rules.MISSING, "no record", Case(more="example.com A 192.31.196.1")),
    (fires, rules.MISSING, "another TXT record", Case("MS=ms1")),
    (quiet, rules.MISSING, "a record in upper case", Case("V=SPF1 -ALL")),
    (quiet, rules.MISSING, "DNS could not say", Case(silent=(D,))),
    (fires, rules.ONLY_AT_PARENT, "above only", below("", NO)),
    (quiet, rules.ONLY_AT_PARENT, "nor above", below("", "MS=ms1")),
    (quiet, rules.ONLY_AT_PARENT, "here as well", below(NO, NO)),
    (fires, rules.SEVERAL, "two", Case(NO, "example.com TXT v=SPF1 ~all")),
    (quiet, rules.SEVERAL, "a copy", Case(NO, f"example.com TXT {NO}")),
    (quiet, rules.SEVERAL, "one that nearly is one", Case(NO, "example.com TXT v=spf10 ~all")),
    (fires, rules.TWICE, "a copy", Case(NO, f"example.com TXT {NO}")),
    (quiet, rules.TWICE, "two that differ", Case(NO, "example.com TXT v=spf1 ~all")),
    (quiet, rules.TWICE, "a token twice", Case(NO, "example.com TXT a\nexample.com TXT a")),
    (fires, rules.SYNTAX, "ipv4", Case("v=spf1 ipv4:192.31.196.1 -all")),
    (quiet, rules.SYNTAX, "upper case", Case("v=spf1 IP4:192.31.196.1 MX:x.com -ALL")),
    (fires, rules.TYPOGRAPHIC, "no-break space", Case("v=spf1 \u00a0-all")),
    (fires, rules.TYPOGRAPHIC, "quotes", Case('v=spf1 "a" -all')),
    (quiet, rules.TYPOGRAPHIC, "plainly wrong", Case("v=spf1 ipv4:192.31.196.1 -all")),
    (quiet, rules.TYPOGRAPHIC, "legal apostrophe", Case("v=spf1 exists:%{i}.it's.x.com -all")),
    (fires, rules.NEAR_MISS, "version 10", Case("v=spf10 -all")),
    (fires, rules.NEAR_MISS, "tab", Case("v=spf1\tmx -all")),
    (fires, rules.NEAR_MISS, "quoted", Case('"v=spf1 -all"')),
    (fires, rules.NEAR_MISS, "leading space", Case("\u00a0v=spf1 -all")),
    (fires, rules.NEAR_MISS, "missing joint space", Case("v=spf1|mx -all")),
    (quiet, rules.NEAR_MISS, "upper-case version", Case("V=SPF1 -all")),
    (quiet, rules.NEAR_MISS, "joint with its space", Case("v=spf1| mx -all")),
    (quiet, rules.NEAR_MISS, "a word that begins alike", Case(NO, "example.com TXT spf1st=1")),
    (fires, rules.SENDER_ID, "Sender ID", Case("spf2.0/pra mx -all")),
    (quiet, rules.SENDER_ID, "another version", Case("spf2.1/pra mx -all")),
    (fires, rules.TYPE_99, "type only", Case(more=f"example.com SPF {NO}")),
    (fires, rules.TYPE_99, "type as well", Case(NO, f"example.com SPF {NO}")),
    (quiet, rules.TYPE_99, "below only", Case(NO, f"www.example.com SPF {NO}")),
    (fires, rules.ALIAS, "alias", aliased(NO.encode())),
    (quiet, rules.ALIAS, "alias without a record", aliased(b"MS=ms1")),
    (fires, rules.WILDCARD, "wildcard", Case(NO, f"{WILDCARD_LABEL}.example.com TXT {NO}")),
    (quiet, rules.WILDCARD, "of tokens", Case(NO, f"{WILDCARD_LABEL}.example.com TXT MS=ms1")),
    (fires, rules.TTL_LOW, "just below", Case(NO, ttl=299)),
    (quiet, rules.TTL_LOW, "at the limit", Case(NO, ttl=300)),
    (quiet, rules.TTL_LOW, "unknown", Case(NO, ttl=None)),
    (quiet, rules.TTL_LOW, "of tokens", Case("MS=ms1", ttl=299)),
    (fires, rules.TTL_HIGH, "just above", Case(NO, ttl=172_801)),
    (quiet, rules.TTL_HIGH, "at the limit", Case(NO, ttl=172_800)),
    (fires, rules.LONG, "451 octets", Case(f"v=spf1 {ADDRESS * 25}a:h.example.co -all")),
    (quiet, rules.LONG, "450 octets", Case(f"v=spf1 {ADDRESS * 25}a:h.example.c -all")),
    (fires, rules.LARGE_ANSWER, "just above", Case(NO, size=513)),
    (quiet, rules.LARGE_ANSWER, "at the limit", Case(NO, size=512)),
    (fires, rules.SPLIT, "at an include", Case("v=spf1 a:x.com|include:y.com -all")),
    (fires, rules.SPLIT, "before all", Case("v=spf1 a:x.com|-all")),
    (quiet, rules.SPLIT, "inside a term", Case("v=spf1 ip4:192.31.|196.1 -all")),
    (quiet, rules.SPLIT, "inside a name", Case("v=spf1 include:x|-a.example.com -all")),
    (quiet, rules.SPLIT, "at a space", Case("v=spf1 ip4:192.31.196.1| -all")),
    (quiet, rules.SPLIT, "after a qualifier", Case("v=spf1 ip4:192.31.196.1 -|all")),
    (fires, rules.STRING_CUT, "255 octets", Case(f"{FULL}a:host.com")),
    (quiet, rules.STRING_CUT, "254 octets", Case(f"{FULL}a:hos.com")),
    (quiet, rules.STRING_CUT, "255 octets with an end", Case(f"{FULL}a:x.y -all")),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_the_rule_is_told_from_what_is_near(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.findings())


def test_the_lengths_at_the_limits_are_what_they_say() -> None:
    lengths = {name: len(case.record) for _, _, name, case in CASES if name[-6:] == "octets"}
    assert lengths == {f"{number} octets": number for number in (451, 450, 255, 254)}


@pytest.mark.parametrize(
    ("intent", "record"),
    [
        (UNTOLD, ""),  # nobody knows who sends
        (PARKED, "v=spf1 -all"),
        (
            Intent(senders=("exchange-online", "192.0.2.25", "2001:db8::25", "192.0.2.64/28")),
            (
                "v=spf1 include:spf.protection.outlook.com ip4:192.0.2.25 ip6:2001:db8::25"
                " ip4:192.0.2.64/28 ~all"
            ),
        ),
        (Intent(senders=("proofpoint", "192.0.2.25", "nonsense")), NAMELESS),
    ],
)
def test_the_record_that_is_proposed_lets_all_senders_pass(intent: Intent, record: str) -> None:
    found = fires(rules.MISSING, Case("", f"{D} A 192.31.196.1", intent).findings())
    assert found.fix == (f'{D}. 3600 IN TXT "{record}"' if record else "")


def test_a_long_record_is_proposed_in_several_strings() -> None:
    fix = begun((f"192.0.2.{n}" for n in range(20)), sends=True).line(D)
    strings = re.findall(r'"([^"]*)"', fix)
    assert [len(one) <= 255 for one in strings] == [True, True]
    assert "".join(strings).split()[1:-1] == [f"ip4:192.0.2.{n}" for n in range(20)]
