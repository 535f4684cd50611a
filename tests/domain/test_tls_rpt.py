"""Records for TLS reports: the grammar, and each rule firing and keeping quiet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain import tls_rpt_rules as rules
from agent.domain.finding import Finding, Rule
from agent.domain.lookup import Answer, Exchange, Reply, replay
from agent.domain.mta_sts_terms import describe
from agent.domain.tls_rpt import lint, survey
from agent.domain.tls_rpt_record import MAX_DESTINATIONS, is_nearly, is_record, parse
from proof import Proves, fires, named, quiet
from servers.sts_case import OWN, SILENT, D, texts

NAME = f"_smtp._tls.{D}"
GOOD = f"v=TLSRPTv1; rua=mailto:tlsrpt@{D}"
STS = (f"_mta-sts.{D}", "TXT")
TLSA = (f"_25._tcp.{OWN}", "TLSA")
Zone = dict[tuple[str, str], Reply]


def zone(record: str | tuple[str, ...] = GOOD, **more: Reply) -> Zone:
    """Make a domain with MTA-STS, with the record at its place, and *more* by types."""
    found: Zone = {
        (D, "MX"): Answer((Exchange(0, OWN),)),
        STS: texts("v=STSv1; id=1"),
    }
    records = (record,) if isinstance(record, str) else record
    if any(records):
        found[NAME, "TXT"] = texts(*records)
    return {**found, **{(D, kind): reply for kind, reply in more.items()}}


def without(found: Zone, *keys: tuple[str, str]) -> Zone:
    return {key: reply for key, reply in found.items() if key not in keys}


def findings(found: Zone) -> tuple[Finding, ...]:
    return lint(replay(survey(D), found))


BARE = without(zone(""), STS)
NULL = Answer((Exchange(0, ""),))
ELSEWHERE = zone("v=TLSRPTv1; rua=mailto:a@reports.example")
ADDRESS = Answer(("192.0.2.1",))

CASES = [
    (fires, rules.MISSING, "MTA-STS", zone("")),
    (fires, rules.MISSING, "DANE", {**BARE, TLSA: Answer(("3 1 1 00",))}),
    (
        fires,
        rules.MISSING,
        "DANE without MX",
        {(f"_25._tcp.{D}", "TLSA"): ADDRESS, (D, "A"): ADDRESS},
    ),
    (quiet, rules.MISSING, "neither", BARE),
    (quiet, rules.MISSING, "nobody can say", {**BARE, STS: SILENT, TLSA: SILENT}),
    (quiet, rules.MISSING, "MX unanswered", {**BARE, (D, "MX"): SILENT}),
    (quiet, rules.MISSING, "it is there", zone()),
    (quiet, rules.MISSING, "silence", {**zone(""), (NAME, "TXT"): SILENT}),
    (quiet, rules.MISSING, "a null MX", {**BARE, (D, "MX"): NULL}),
    (fires, rules.SEVERAL_RECORDS, "two", zone((GOOD, GOOD))),
    (quiet, rules.SEVERAL_RECORDS, "one beside another text", zone((GOOD, "v=spf1 -all"))),
    (fires, rules.MALFORMED, "no rua", zone("v=TLSRPTv1;")),
    (fires, rules.MALFORMED, "no URI", zone("v=TLSRPTv1; rua=a@contoso.com")),
    (fires, rules.MALFORMED, "lower case", zone("v=tlsrptv1; rua=mailto:a@contoso.com")),
    (quiet, rules.MALFORMED, "right", zone()),
    (quiet, rules.MALFORMED, "another text", zone("v=spf1 -all")),
    (fires, rules.UNTIDY, "a blank before ;", zone(GOOD.replace(";", " ;"))),
    (quiet, rules.UNTIDY, "an extension", zone(f"{GOOD}; more=yes;")),
    (fires, rules.MISPLACED, "at the domain", zone("", TXT=texts(GOOD))),
    (fires, rules.MISPLACED, "with quotes", zone("", TXT=texts('v=TLSRPTv1; rua="x"'))),
    (quiet, rules.MISPLACED, "a right one too", zone(TXT=texts(GOOD))),
    (fires, rules.DESTINATION_DEAD, "no such domain", ELSEWHERE),
    (fires, rules.DESTINATION_DEAD, "a null MX", {**ELSEWHERE, ("reports.example", "MX"): NULL}),
    (fires, rules.DESTINATION_DEAD, "no web server", zone("v=TLSRPTv1; rua=https://r.example/t")),
    (quiet, rules.DESTINATION_DEAD, "by MX", zone()),
    (quiet, rules.DESTINATION_DEAD, "by A", {**ELSEWHERE, ("reports.example", "A"): ADDRESS}),
    (quiet, rules.DESTINATION_DEAD, "MX silent", {**ELSEWHERE, ("reports.example", "MX"): SILENT}),
    (quiet, rules.DESTINATION_DEAD, "A silent", {**ELSEWHERE, ("reports.example", "A"): SILENT}),
    (quiet, rules.DESTINATION_DEAD, "an address", zone("v=TLSRPTv1; rua=https://192.0.2.1/")),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_rule(proves: Proves, rule: Rule, case: Zone) -> None:
    found = findings(case)
    assert all(each.detail.endswith(".") for each in found)
    proves(rule, found)


def test_what_is_wrong_comes_with_the_record_to_publish() -> None:
    missing = fires(rules.MISSING, findings(zone("")))
    assert missing.evidence == (f"MTA-STS is announced at _mta-sts.{D}",)
    assert missing.fix == f'{NAME}. 3600 IN TXT "v=TLSRPTv1; rua=mailto:tlsrpt@{D}"'
    moved = fires(rules.MISPLACED, findings(zone("", TXT=texts(GOOD))))
    assert moved.fix == f'{NAME}. 3600 IN TXT "{GOOD}"'
    quoted = fires(rules.MISPLACED, findings(zone("", TXT=texts('v=TLSRPTv1; rua="x"'))))
    assert quoted.fix == ""
    wrong = fires(rules.MALFORMED, findings(zone("v=TLSRPTv1; rua=a@b.c,mailto:x; y")))
    assert wrong.detail == "Character 17 (a@b.c) is no URI."
    assert wrong.evidence[0] == "Write `mailto:` before the address."


@pytest.mark.parametrize(
    ("text", "count", "said"),
    [
        (GOOD, 1, ()),
        ("v=TLSRPTv1;rua=mailto:a@b.com , https://b.com/r?x=y;", 2, ()),
        ("v=TLSRPTv1; rua=mailto:a@b.com; rua=MAILTO:c@d.com", 2, ()),
        ("v=TLSRPTv1; rua=mailto:a%21b@b.com", 1, ()),
        ("v=TLSRPTv1; rua=https://[2001:db8::1]/r", 1, ()),
        ("v=TLSRPTv1; rua=https://192.0.2.1/r", 1, ()),
        ("v=TLSRPTv1; rua=mailto:a@b.com,", 1, ("character 32 is empty",)),
        ("v=TLSRPTv1; rua=", 0, ("character 17 is empty",)),
        ("v=TLSRPTv1; rua=nobody", 0, ("character 17 (nobody) is no URI",)),
        ("v=TLSRPTv1; rua=http://b.com", 0, ("character 17 (http://b.com) is neither",)),
        ("v=TLSRPTv1; rua=mailto:a@b.com!10m", 0, ("character 17 (mailto:a@b.com!10m) holds",)),
        ("v=TLSRPTv1; rua=mailto:b.com", 0, ("character 17 (mailto:b.com) is no mail address",)),
        ("v=TLSRPTv1; rua=mailto://a@b.com", 0, ("character 17 (mailto://a@b.com) has slashes",)),
        ("v=TLSRPTv1; rua=mailto:a@b", 0, ("character 17 (mailto:a@b) has a domain that",)),
        ("v=TLSRPTv1; rua=https:///r", 0, ("character 17 (https:///r) names no host",)),
        ("v=TLSRPTv1; rua=https://[::::]/", 0, ("character 17 (https://[::::]/) ",)),
        ("v=TLSRPTv1; rua=https://[/", 0, ("character 17 (https://[/) names no host",)),
        ("v=TLSRPTv1; RUA=mailto:a@b.com", 0, ("character 13 (RUA=m", "it has no `rua`")),
        ("v=TLSRPTv1; ruf=mailto:a@b.com; rua=mailto:a@b.com", 1, ("character 13 (ruf=m",)),
        ("v=TLSRPTv1; x=a b; rua=mailto:a@b.com", 1, ("character 13 (x=a b) has a value",)),
        (
            "v=TLSRPTv1; rua=" + ",".join(["mailto:a@b.com"] * 21),
            MAX_DESTINATIONS,
            ("it lists more than 20 destinations",),
        ),
    ],
)
def test_a_record_is_read_and_its_faults_have_a_place(
    text: str, count: int, said: tuple[str, ...]
) -> None:
    read = parse(text.encode())
    assert len(read.destinations) == count
    told = [describe(each, "character") for each in read.faults]
    assert len(told) == len(said), told
    assert all(one.startswith(other) for one, other in zip(told, said, strict=True)), told


@pytest.mark.parametrize(
    ("text", "is_one", "nearly"),
    [
        (b"v=TLSRPTv1; rua=x", True, False),
        (b"v=TLSRPTv1", True, False),
        (b"v=TLSRPTv2; rua=x", False, True),
        (b"TLSRPTv1", False, True),
        (b"v=TLS-RPTv1", False, True),
        (b"v=DMARC1", False, False),
    ],
)
def test_what_is_a_record_and_what_was_meant_to_be(
    text: bytes, *, is_one: bool, nearly: bool
) -> None:
    assert is_record(text) is is_one
    assert is_nearly(text) is nearly


@given(st.binary(max_size=200))
def test_a_record_of_any_octets_is_read_without_raising(text: bytes) -> None:
    read = parse(b"v=TLSRPTv1;" + text)
    assert read.faults or read.destinations
    for each in read.faults:
        assert 0 <= each.at <= len(text) + 12
        assert describe(each, "character").isprintable()
