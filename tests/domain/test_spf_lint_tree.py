"""Does each rule about what a record leads to, and costs, fire where it should, and only there?"""

import pytest

from agent.domain import spf_rules_tree as rules
from agent.domain.finding import Rule
from agent.domain.lookup import Silence, Unanswered
from agent.domain.spf_tree import MAX_QUERIES
from proof import Proves, fires, named, quiet
from servers.spf_case import Case, D


def including(target: str = "", *, silent: bool = False) -> Case:
    """A record that includes x.com, which has the record *target*."""
    more = f"x.com TXT {target}" if target else ""
    return Case("v=spf1 include:x.com -all", more, silent=("x.com",) if silent else ())


def refusing(terms: str) -> Case:
    """A record that refuses whom these terms name; x.com passes everybody, and so does y.com."""
    more = "x.com TXT v=spf1 +all\ny.com TXT v=spf1 include:x.com -all"
    return Case(f"v=spf1 -include:{terms} -all", more)


def hosts(count: int, kind: str = "a") -> Case:
    """A record of so many hosts that all exist."""
    names = [f"h{number}.example.com" for number in range(count)]
    terms = " ".join(f"{kind}:{name}" for name in names)
    return Case(f"v=spf1 {terms} -all", "\n".join(f"{name} A 192.31.196.1" for name in names))


def exchanges(count: int) -> Case:
    """A record that allows so many exchanges."""
    return Case(
        "v=spf1 mx -all",
        "\n".join(f"example.com MX {number} mx{number}.example.com" for number in range(count)),
    )


def explained(text: str) -> Case:
    """A record with an explanation, which is made of these lines."""
    return Case(
        "v=spf1 exp=x.y.com -all", "\n".join(f"x.y.com TXT {line}" for line in text.split("|"))
    )


DIAMOND = """
x.com TXT v=spf1 include:z.com -all
y.com TXT v=spf1 include:z.com -all
z.com TXT v=spf1 -all
""".strip()
CASES = [
    (fires, rules.TARGET_MISSING, "include", including()),
    (fires, rules.TARGET_MISSING, "redirect", Case("v=spf1 redirect=x.com")),
    (
        quiet,
        rules.TARGET_MISSING,
        "it depends on the client",
        Case("v=spf1 include:%{i}.x.com -all"),
    ),
    (quiet, rules.TARGET_MISSING, "DNS could not say", including(silent=True)),
    (quiet, rules.TARGET_MISSING, "broken has its own rule", including("v=spf1 ip:1")),
    (fires, rules.TARGET_BROKEN, "syntax", including("v=spf1 ip:1")),
    (fires, rules.TARGET_BROKEN, "two", including("v=spf1 a\nx.com TXT v=spf1 mx")),
    (
        quiet,
        rules.TARGET_BROKEN,
        "its own fault",
        Case("v=spf1 include:x.com ip:1", "x.com TXT v=spf1 -all"),
    ),
    (
        quiet,
        rules.TARGET_BROKEN,
        "a record and a token",
        including("v=spf1 -all\nx.com TXT MS=ms1"),
    ),
    (fires, rules.TARGET_PLUS_ALL, "passes all", including("v=spf1 +all")),
    (fires, rules.TARGET_PLUS_ALL, "the second time", refusing("x.com include:x.com")),
    (quiet, rules.TARGET_PLUS_ALL, "neutral", including("v=spf1 ?all")),
    (quiet, rules.TARGET_PLUS_ALL, "refusing who passes", refusing("x.com")),
    (quiet, rules.TARGET_PLUS_ALL, "refusing by another", refusing("y.com")),
    (
        quiet,
        rules.TARGET_PLUS_ALL,
        "its own policy",
        Case("v=spf1 redirect=x.com", "x.com TXT v=spf1 +all"),
    ),
    (fires, rules.TARGET_UNANSWERED, "silence", including(silent=True)),
    (quiet, rules.TARGET_UNANSWERED, "no record", including()),
    (fires, rules.LOOP, "itself", Case("v=spf1 include:example.com -all")),
    (fires, rules.LOOP, "through another", including("v=spf1 redirect=example.com")),
    (
        quiet,
        rules.LOOP,
        "one target by two ways",
        Case("v=spf1 include:x.com include:y.com -all", DIAMOND),
    ),
    (quiet, rules.LOOP, "its own addresses", Case("v=spf1 a:example.com -all")),
    (fires, rules.TOO_MANY_LOOKUPS, "11", hosts(11)),
    (quiet, rules.TOO_MANY_LOOKUPS, "10", hosts(10)),
    (fires, rules.NEAR_LOOKUPS, "8", hosts(8)),
    (fires, rules.NEAR_LOOKUPS, "10", hosts(10)),
    (quiet, rules.NEAR_LOOKUPS, "7", hosts(7)),
    (quiet, rules.NEAR_LOOKUPS, "11", hosts(11)),
    (fires, rules.TOO_MANY_VOIDS, "3", Case("v=spf1 a:a.x a:b.x exists:c.x -all")),
    (quiet, rules.TOO_MANY_VOIDS, "2", Case("v=spf1 a:a.x.com mx:b.x.com -all")),
    (fires, rules.NEAR_VOIDS, "2", Case("v=spf1 a:a.x.com mx:b.x.com -all")),
    (quiet, rules.NEAR_VOIDS, "1", Case("v=spf1 a:a.x.com -all")),
    (quiet, rules.NEAR_VOIDS, "3", Case("v=spf1 a:a.x.com mx:b.x.com a:c.x.com -all")),
    (fires, rules.IPV6_VOIDS, "3 with IPv4 only", hosts(3)),
    (quiet, rules.IPV6_VOIDS, "2 with IPv4 only", hosts(2)),
    (quiet, rules.IPV6_VOIDS, "3 for everybody", Case("v=spf1 a:a.x a:b.x a:c.x -all")),
    (fires, rules.EMPTY_TERM, "a without address", Case("v=spf1 a -all")),
    (fires, rules.EMPTY_TERM, "mx without MX", Case("v=spf1 mx -all")),
    (fires, rules.EMPTY_TERM, "null MX", Case("v=spf1 mx -all", "example.com MX 0 .")),
    (quiet, rules.EMPTY_TERM, "IPv6 only", Case("v=spf1 a -all", "example.com AAAA 2001:470::1")),
    (
        quiet,
        rules.EMPTY_TERM,
        "one exchange of two",
        Case(
            "v=spf1 mx -all",
            "example.com MX 1 a.x.com\nexample.com MX 2 b.x.com\nb.x.com A 192.31.196.1",
        ),
    ),
    (
        quiet,
        rules.EMPTY_TERM,
        "DNS could not say",
        Case("v=spf1 mx -all", replies={(D, "MX"): Unanswered(Silence.SERVFAIL)}),
    ),
    (fires, rules.MANY_EXCHANGES, "11", exchanges(11)),
    (quiet, rules.MANY_EXCHANGES, "10", exchanges(10)),
    (
        fires,
        rules.DUPLICATE_INCLUDE,
        "twice",
        Case("v=spf1 include:x.com include:x.com -all", "x.com TXT v=spf1 -all"),
    ),
    (
        fires,
        rules.DUPLICATE_INCLUDE,
        "by two ways",
        Case("v=spf1 include:x.com include:y.com -all", DIAMOND),
    ),
    (
        quiet,
        rules.DUPLICATE_INCLUDE,
        "its addresses as well",
        Case("v=spf1 include:x.com a:x.com -all", "x.com TXT v=spf1 -all"),
    ),
    (
        quiet,
        rules.DUPLICATE_INCLUDE,
        "a loop has its own rule",
        including("v=spf1 include:x.com -all"),
    ),
    (fires, rules.EXP, "no text", Case("v=spf1 exp=x.example.com -all")),
    (fires, rules.EXP, "two texts", explained("a|b")),
    (fires, rules.EXP, "non-ASCII", explained("caf\u00e9")),
    (fires, rules.EXP, "a broken macro", explained("You are not %{d")),
    (quiet, rules.EXP, "one text with a macro", explained("You are not %{d}")),
    (quiet, rules.EXP, "it depends on the client", Case("v=spf1 exp=%{i}.x.com -all")),
    (quiet, rules.EXP, "DNS could not say", Case("v=spf1 exp=x.com -all", silent=("x.com",))),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_the_rule_is_told_from_what_is_near(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.findings())


def test_an_include_that_dns_cannot_say_breaks_nothing_else() -> None:
    assert including(silent=True).codes() == {rules.TARGET_UNANSWERED.code}


def test_what_is_left_out_of_an_endless_record_is_not_called_empty() -> None:
    names = " ".join(f"mx:h{number}.com" for number in range(600))
    found = Case(f"v=spf1 {names} -all").findings()
    assert 0 < sum(finding.rule == rules.EMPTY_TERM for finding in found) <= MAX_QUERIES


def test_an_mx_that_dns_cannot_say_breaks_nothing() -> None:
    unanswered = Unanswered(Silence.SERVFAIL)
    assert Case("v=spf1 mx -all", replies={(D, "MX"): unanswered}).codes() == set()
