"""Each rule about MTA-STS fires, and keeps quiet where it must."""

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address

import pytest

from agent.domain import mta_sts_rules as rules
from agent.domain.fact import Table
from agent.domain.finding import Rule, Severity
from agent.domain.lookup import Answer, Silence, Unanswered
from agent.domain.mta_sts_picture import Change, Intent, Past
from agent.domain.mta_sts_report import draw_facts, measure
from agent.domain.mx import NO_SUCH_LABEL
from agent.domain.tls import Trust
from proof import Proves, fires, named, quiet
from servers.standings import NOON
from servers.sts_case import (
    DAY,
    DNS,
    HOST,
    OWN,
    PLACE,
    SECURE,
    SILENT,
    SOUND,
    Case,
    D,
    before,
    certificate,
    policy,
    shown,
    texts,
)

GOOD = Case()
TESTING = Case(body=policy(mode="testing"))
NONE = Case(body=policy(mode="none"))
ABSENT = Case(record="", dns=f"{D} MX 0 {OWN}")
HOSTLESS = Case(dns=f"{D} MX 0 {OWN}")
MOVED = Case(dns=DNS.replace(OWN, SECURE))
OTHER = policy(OWN, "mx.old.example")
CNAME = {
    (HOST, "A"): Answer((), aliases=("sites.example",)),
    (HOST, "AAAA"): Answer((), aliases=("sites.example",)),
}
SERVED = {(HOST, "A"): Answer((ip_address(PLACE),), aliases=("sites.example",))}
LONG_AGO = NOON - 100 * DAY
SINCE = Past(mode_since=LONG_AGO)


def updated(text: str, **more: object) -> Past:
    return Past(before(text, **more))  # type: ignore[arg-type]


CASES = [
    # coverage
    (fires, rules.UNCOVERED, "an exchange of another name", MOVED),
    (fires, rules.UNCOVERED, "one of two", Case(dns=f"{DNS}{D} MX 10 mx2.contoso.com")),
    (
        fires,
        rules.UNCOVERED,
        "a wildcard is one label",
        MOVED.but(body=policy("*.mx.microsoft")),
    ),
    (quiet, rules.UNCOVERED, "the right wildcard", MOVED.but(body=policy("*.e-v1.mx.microsoft"))),
    (quiet, rules.UNCOVERED, "covered", GOOD),
    (quiet, rules.UNCOVERED, "in testing", MOVED.but(body=policy(mode="testing"))),
    (quiet, rules.UNCOVERED, "MX unanswered", MOVED.but(replies={(D, "MX"): SILENT})),
    (quiet, rules.UNCOVERED, "a policy nobody gets", MOVED.but(trouble="status 404")),
    (fires, rules.UNCOVERED, "the domain itself", Case(dns=f"{HOST} A {PLACE}\n{D} A {PLACE}")),
    (fires, rules.WOULD_NOT_COVER, "in testing", MOVED.but(body=policy(mode="testing"))),
    (quiet, rules.WOULD_NOT_COVER, "enforced", MOVED),
    (quiet, rules.WOULD_NOT_COVER, "covered", TESTING),
    (quiet, rules.WOULD_NOT_COVER, "in none", MOVED.but(body=policy(mode="none"))),
    # certificates of the exchanges
    (
        fires,
        rules.EXCHANGE_CERTIFICATE,
        "another name",
        GOOD.but(exchanges={OWN: shown("mail.contoso.com")}),
    ),
    (
        fires,
        rules.EXCHANGE_CERTIFICATE,
        "expired",
        GOOD.but(exchanges={OWN: shown(OWN, days=-1)}),
    ),
    (
        fires,
        rules.EXCHANGE_CERTIFICATE,
        "no public root",
        GOOD.but(exchanges={OWN: shown(OWN, is_trusted=False)}),
    ),
    (
        quiet,
        rules.EXCHANGE_CERTIFICATE,
        "a wildcard for it",
        GOOD.but(exchanges={OWN: shown("*.mail.protection.outlook.com", is_trusted=None)}),
    ),
    (quiet, rules.EXCHANGE_CERTIFICATE, "not seen", GOOD),
    (
        quiet,
        rules.EXCHANGE_CERTIFICATE,
        "in testing",
        TESTING.but(exchanges={OWN: shown("x.example")}),
    ),
    (
        fires,
        rules.CERTIFICATE_WOULD_FAIL,
        "in testing",
        TESTING.but(exchanges={OWN: shown("x.example")}),
    ),
    (
        quiet,
        rules.CERTIFICATE_WOULD_FAIL,
        "in none",
        NONE.but(exchanges={OWN: shown("x.example")}),
    ),
    # the record
    (
        fires,
        rules.SEVERAL_RECORDS,
        "two",
        GOOD.but(record=("v=STSv1; id=1", "v=STSv1; id=2")),
    ),
    (quiet, rules.SEVERAL_RECORDS, "one beside SPF", GOOD.but(record=("v=STSv1; id=1", "v=spf1"))),
    (fires, rules.RECORD_MALFORMED, "no id", GOOD.but(record="v=STSv1;")),
    (fires, rules.RECORD_MALFORMED, "two faults", GOOD.but(record="v=STSv1; x; id=-")),
    (fires, rules.RECORD_MALFORMED, "lower case", GOOD.but(record="v=stsv1; id=1")),
    (quiet, rules.RECORD_MALFORMED, "right", GOOD),
    (quiet, rules.RECORD_MALFORMED, "none", ABSENT),
    (
        quiet,
        rules.RECORD_MALFORMED,
        "silence",
        GOOD.but(replies={(f"_mta-sts.{D}", "TXT"): SILENT}),
    ),
    (fires, rules.RECORD_UNTIDY, "two ids", GOOD.but(record="v=STSv1; id=1; id=2")),
    (fires, rules.RECORD_UNTIDY, "a blank before ;", GOOD.but(record="v=STSv1 ; id=1")),
    (quiet, rules.RECORD_UNTIDY, "an extension", GOOD.but(record="v=STSv1; id=1; more=yes;")),
    (quiet, rules.RECORD_UNTIDY, "worse", GOOD.but(record="v=STSv1 ; id=-")),
    (
        fires,
        rules.MISPLACED,
        "at the domain",
        ABSENT.but(replies={(D, "TXT"): texts("v=STSv1; id=1")}),
    ),
    (
        quiet,
        rules.MISPLACED,
        "a right one too",
        GOOD.but(replies={(D, "TXT"): texts("v=STSv1; id=1")}),
    ),
    (fires, rules.RECORD_MISSING, "a host without", GOOD.but(record="")),
    (quiet, rules.RECORD_MISSING, "neither", ABSENT),
    (
        quiet,
        rules.RECORD_MISSING,
        "a wildcard's address",
        GOOD.but(record="", dns=f"{DNS}{NO_SUCH_LABEL}.{D} A {PLACE}"),
    ),
    (
        quiet,
        rules.RECORD_MISSING,
        "perhaps a wildcard's",
        GOOD.but(record="", replies={(f"{NO_SUCH_LABEL}.{D}", "A"): SILENT}),
    ),
    (
        quiet,
        rules.RECORD_MISSING,
        "none is expected",
        GOOD.but(record="", intent=Intent(expected="none")),
    ),
    (fires, rules.REMOVED_EARLY, "enforced lately", ABSENT.but(past=updated(policy()))),
    (
        quiet,
        rules.REMOVED_EARLY,
        "it has ended",
        ABSENT.but(past=updated(policy(), ago=8 * DAY)),
    ),
    (quiet, rules.REMOVED_EARLY, "was in none", ABSENT.but(past=updated(policy(mode="none")))),
    (quiet, rules.REMOVED_EARLY, "was nothing", ABSENT.but(past=Past(Change(NOON, "")))),
    (quiet, rules.REMOVED_EARLY, "still there", GOOD.but(past=updated(policy()))),
    # what is expected
    (
        fires,
        rules.EXPECTED,
        "enforce, and testing",
        TESTING.but(intent=Intent(expected="enforce")),
    ),
    (fires, rules.EXPECTED, "testing, and none", ABSENT.but(intent=Intent(expected="testing"))),
    (fires, rules.EXPECTED, "none, and enforce", GOOD.but(intent=Intent(expected="none"))),
    (quiet, rules.EXPECTED, "as expected", GOOD.but(intent=Intent(expected="enforce"))),
    (quiet, rules.EXPECTED, "none, and no policy", ABSENT.but(intent=Intent(expected="none"))),
    (
        quiet,
        rules.EXPECTED,
        "a policy that could not be had",
        GOOD.but(trouble="no answer in time", body="", intent=Intent(expected="enforce")),
    ),
    # the host
    (fires, rules.HOST_MISSING, "no address", HOSTLESS),
    (quiet, rules.HOST_MISSING, "has one", GOOD),
    (quiet, rules.HOST_MISSING, "silence", HOSTLESS.but(replies={(HOST, "A"): SILENT})),
    (quiet, rules.HOST_MISSING, "an alias that dangles", HOSTLESS.but(replies=CNAME)),
    (quiet, rules.HOST_MISSING, "no policy", ABSENT),
    (fires, rules.HOST_DANGLING, "an alias to nothing", HOSTLESS.but(replies=CNAME)),
    (fires, rules.HOST_DANGLING, "and no record", ABSENT.but(replies=CNAME)),
    (
        quiet,
        rules.HOST_DANGLING,
        "one address family",
        GOOD.but(replies={(HOST, "AAAA"): Answer((), aliases=("sites.example",))}),
    ),
    (fires, rules.UNFETCHED, "missing", GOOD.but(trouble="status 404", body="")),
    (fires, rules.UNFETCHED, "a private address", Case(dns=f"{D} MX 0 {OWN}\n{HOST} A 10.0.0.1")),
    (
        fires,
        rules.UNFETCHED,
        "slow behind a handshake",
        GOOD.but(trouble="no answer in time", is_ours=True, body=""),
    ),
    (quiet, rules.UNFETCHED, "fetched", GOOD),
    (
        quiet,
        rules.UNFETCHED,
        "the certificate is told",
        GOOD.but(trouble="certificate", presented=replace(SOUND, trust=Trust.SELF_SIGNED), body=""),
    ),
    (
        fires,
        rules.NOT_LOOKED,
        "no way to it",
        GOOD.but(trouble="no answer in time", is_ours=True, presented=None, body=""),
    ),
    (
        fires,
        rules.NOT_LOOKED,
        "silence for its addresses",
        HOSTLESS.but(replies={(HOST, "A"): SILENT}),
    ),
    (quiet, rules.NOT_LOOKED, "not ours", GOOD.but(trouble="status 404", presented=None, body="")),
    (
        fires,
        rules.HOST_CERTIFICATE,
        "another name",
        GOOD.but(presented=replace(SOUND, leaf=certificate("contoso.com"))),
    ),
    (
        fires,
        rules.HOST_CERTIFICATE,
        "expired",
        GOOD.but(presented=replace(SOUND, leaf=certificate(HOST, days=-1))),
    ),
    (quiet, rules.HOST_CERTIFICATE, "sound", GOOD),
    (
        fires,
        rules.HOST_CERTIFICATE_ENDS,
        "in ten days",
        GOOD.but(presented=replace(SOUND, leaf=certificate(HOST, days=10))),
    ),
    (quiet, rules.HOST_CERTIFICATE_ENDS, "in sixty", GOOD),
    (
        fires,
        rules.HOST_CERTIFICATE_WEAK,
        "1024 bits",
        GOOD.but(presented=replace(SOUND, leaf=certificate(HOST, bits=1024))),
    ),
    (quiet, rules.HOST_CERTIFICATE_WEAK, "2048 bits", GOOD),
    (
        fires,
        rules.HOST_CHANGED,
        "other addresses",
        GOOD.but(past=Past(host=Change(NOON, "192.31.196.7"))),
    ),
    (
        fires,
        rules.HOST_CHANGED,
        "now no alias",
        GOOD.but(past=Past(host=Change(NOON, "CNAME sites.example"))),
    ),
    (
        quiet,
        rules.HOST_CHANGED,
        "one address is the same",
        GOOD.but(past=Past(host=Change(NOON, f"192.31.196.7 {PLACE}"))),
    ),
    (
        quiet,
        rules.HOST_CHANGED,
        "the same alias",
        GOOD.but(replies=SERVED, past=Past(host=Change(NOON, "CNAME sites.example"))),
    ),
    (
        quiet,
        rules.HOST_CHANGED,
        "long ago",
        GOOD.but(past=Past(host=Change(NOON - DAY, "192.31.196.7"))),
    ),
    (quiet, rules.HOST_CHANGED, "new", GOOD.but(past=Past(host=Change(NOON, "")))),
    # the file
    (fires, rules.POLICY_INVALID, "a page", GOOD.but(body="<html>")),
    (fires, rules.POLICY_INVALID, "a mode", GOOD.but(body=policy(mode="Enforce"))),
    (
        fires,
        rules.POLICY_INVALID,
        "a text of a wrong type",
        GOOD.but(body="x", trouble="it is text/html"),
    ),
    (
        quiet,
        rules.POLICY_INVALID,
        "a page as such",
        GOOD.but(body="<p>", trouble="it is text/html"),
    ),
    (fires, rules.POLICY_INVALID, "two faults", GOOD.but(body=policy(mode="x", max_age="7d"))),
    (fires, rules.POLICY_INVALID, "two without a hint", GOOD.but(body="x\ny")),
    (quiet, rules.POLICY_INVALID, "right", GOOD),
    (fires, rules.POLICY_UNTIDY, "a second mode", GOOD.but(body=policy(more="mode: none"))),
    (quiet, rules.POLICY_UNTIDY, "an extension", GOOD.but(body=policy(more="x: y"))),
    (fires, rules.MAX_AGE_SHORT, "below a day", GOOD.but(body=policy(max_age=86399))),
    (quiet, rules.MAX_AGE_SHORT, "a day", GOOD.but(body=policy(max_age=86400))),
    (quiet, rules.MAX_AGE_SHORT, "in testing", Case(body=policy(mode="testing", max_age=600))),
    (fires, rules.UNUSED_PATTERN, "an old host", GOOD.but(body=OTHER)),
    (fires, rules.UNUSED_PATTERN, "an old zone", GOOD.but(body=policy(OWN, "*.old.example"))),
    (
        quiet,
        rules.UNUSED_PATTERN,
        "one host by two patterns",
        GOOD.but(body=policy(OWN, "*.mail.protection.outlook.com")),
    ),
    (quiet, rules.UNUSED_PATTERN, "MX unanswered", Case(body=OTHER, replies={(D, "MX"): SILENT})),
    (quiet, rules.UNUSED_PATTERN, "in none", NONE.but(body=policy("mx.old.example", mode="none"))),
    # changes
    (
        fires,
        rules.OLD_POLICY_LOSES,
        "corrected under the same id",
        GOOD.but(past=updated(policy("mx.old.example"))),
    ),
    (
        fires,
        rules.OLD_POLICY_LOSES,
        "put to testing under the same id",
        MOVED.but(body=policy(mode="testing"), past=updated(policy())),
    ),
    (
        quiet,
        rules.OLD_POLICY_LOSES,
        "was in testing",
        GOOD.but(past=updated(policy("mx.old.example", mode="testing"))),
    ),
    (
        quiet,
        rules.OLD_POLICY_LOSES,
        "the new one leaves it out too",
        MOVED.but(past=updated(policy("a.example"))),
    ),
    (
        quiet,
        rules.OLD_POLICY_LOSES,
        "another id",
        GOOD.but(past=updated(policy("mx.old.example"), version="1")),
    ),
    (
        quiet,
        rules.OLD_POLICY_LOSES,
        "it has ended",
        GOOD.but(past=updated(policy("mx.old.example"), ago=8 * DAY)),
    ),
    (fires, rules.ID_UNCHANGED, "another policy", GOOD.but(past=updated(policy(max_age=86400)))),
    (fires, rules.ID_UNCHANGED, "another host", GOOD.but(past=updated(OTHER))),
    (quiet, rules.ID_UNCHANGED, "another id", GOOD.but(past=updated(OTHER, version="1"))),
    (quiet, rules.ID_UNCHANGED, "never changed", GOOD),
    (
        quiet,
        rules.ID_UNCHANGED,
        "what was before is not whole",
        GOOD.but(past=Past(Change(NOON, "id: 20261101\nversion: ST... sha256:00"))),
    ),
    (fires, rules.POLICY_UNCHANGED, "another id", GOOD.but(past=updated(policy(), version="1"))),
    (
        fires,
        rules.POLICY_UNCHANGED,
        "in another order",
        GOOD.but(body=OTHER, past=updated(policy("mx.old.example", OWN), version="1")),
    ),
    (
        fires,
        rules.POLICY_UNCHANGED,
        "an old policy",
        GOOD.but(past=replace(updated(policy(), version="1"), policy_changed_at=LONG_AGO)),
    ),
    (
        quiet,
        rules.POLICY_UNCHANGED,
        "the id follows its policy",
        GOOD.but(past=replace(updated(policy(), version="1"), policy_changed_at=NOON - DAY)),
    ),
    (
        quiet,
        rules.POLICY_UNCHANGED,
        "a while ago",
        GOOD.but(past=updated(policy(), version="1", ago=timedelta(hours=2))),
    ),
    (fires, rules.TESTING_LONG, "a hundred days", TESTING.but(past=SINCE)),
    (
        quiet,
        rules.TESTING_LONG,
        "eighty-nine",
        TESTING.but(past=Past(mode_since=NOON - 89 * DAY)),
    ),
    (
        quiet,
        rules.TESTING_LONG,
        "expected",
        TESTING.but(past=SINCE, intent=Intent(expected="testing")),
    ),
    (quiet, rules.TESTING_LONG, "enforced", GOOD.but(past=SINCE)),
    (fires, rules.NONE_LEFT_OVER, "a hundred days", NONE.but(past=SINCE)),
    (
        fires,
        rules.NONE_LEFT_OVER,
        "once the one before has ended",
        NONE.but(past=Past(before(policy(), "1", 8 * DAY), mode_since=NOON - 8 * DAY)),
    ),
    (
        quiet,
        rules.NONE_LEFT_OVER,
        "until then",
        NONE.but(past=Past(before(policy(), "1", 6 * DAY), mode_since=NOON - 6 * DAY)),
    ),
    (quiet, rules.NONE_LEFT_OVER, "thirty days", NONE.but(past=Past(mode_since=NOON - 30 * DAY))),
    (
        quiet,
        rules.NONE_LEFT_OVER,
        "expected",
        NONE.but(past=SINCE, intent=Intent(expected="none")),
    ),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_rule(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.findings())


def test_a_domain_with_all_well_or_with_nothing_has_no_finding() -> None:
    for case in (GOOD, ABSENT, TESTING, NONE):
        assert case.findings() == ()


def test_what_loses_mail_comes_first_and_says_the_line_to_add() -> None:
    case = MOVED.but(body=policy("*.mx.microsoft", OWN), record="v=STSv1 ; id=1")
    finding, *others = case.findings()
    assert finding.severity is Severity.CRITICAL
    assert finding.detail == f"No `mx` of the policy covers {SECURE}, 1 of 1 exchange."
    assert finding.fix == f"mx: {SECURE}"
    assert finding.evidence[0] == (
        f"*.mx.microsoft stands for one label and does not cover {SECURE}"
    )
    assert [each.rule for each in others] == [rules.RECORD_UNTIDY, rules.UNUSED_PATTERN]
    assert others[1].detail == f"No MX record names a host that fits {OWN}."


def test_an_id_is_made_of_the_time() -> None:
    finding = fires(rules.ID_UNCHANGED, GOOD.but(past=updated(OTHER)).findings())
    assert finding.fix == f'_mta-sts.{D}. 3600 IN TXT "v=STSv1; id=20261123120000"'
    assert finding.evidence == ("- mx: mx.old.example",)


def test_many_uncovered_exchanges_are_all_told() -> None:
    dns = DNS + "".join(f"{D} MX 10 mx{n}.contoso.com\n" for n in range(9))
    finding = fires(rules.UNCOVERED, Case(dns=dns).findings())
    assert finding.detail.endswith(", ..., 9 of 10 exchanges.")
    assert len(finding.evidence) == 9
    assert finding.fix == ""
    many = policy(*(f"old{n}.example" for n in range(9)), OWN)
    assert ", ..." in fires(rules.UNUSED_PATTERN, Case(body=many).findings()).detail


def test_the_facts_judge_each_line_and_each_exchange() -> None:
    body = policy("*.filter.example", OWN, more="x: y\n\nnonsense")
    case = MOVED.but(
        body=body.replace("STSv1", "STSv1 "),
        exchanges={OWN: shown(OWN)},
        past=Past(before(OTHER), mode_since=NOON, host=Change(NOON, "192.31.196.7")),
    )
    facts = draw_facts(case.picture())
    table = facts["policy"]
    assert isinstance(table, Table)
    assert [row[2] for row in table.rows] == [
        "as it must be",
        "senders keep mail that they cannot deliver by this policy",
        "any one label in front",
        "this host",
        "7 days",
        "passed over by senders",
        "is empty",
        "is no field, as in `mode: enforce`",
    ]
    assert "exchanges" not in facts  # there is no policy to hold them against
    whole = draw_facts(
        GOOD.but(
            body=policy("*.mail.protection.outlook.com", max_age=9),
            exchanges={OWN: shown(OWN)},
            past=case.past,
            dns=f"{DNS}{D} MX 10 mx.example",
        ).picture()
    )
    assert whole["exchanges"] == Table(
        ("exchange", "covered by", "certificate"),
        (
            (OWN, "*.mail.protection.outlook.com", "satisfies the policy"),
            ("mx.example", "none", "not seen"),
        ),
    )
    told = whole["policy host"]
    assert isinstance(told, Table)
    assert [row[0] for row in told.rows] == [
        "host",
        "addresses",
        "certificate",
        "file",
        "mode",
        "id or policy changed",
        "host changed",
    ]
    lines = whole["policy"]
    assert isinstance(lines, Table)
    assert ("4", "max_age: 9", "0:00:09, weeks are usual") in lines.rows


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (GOOD, "fetched"),
        (GOOD.but(body="<html>"), "fetched, and no policy"),
        (GOOD.but(trouble="late", is_ours=True), "late (perhaps on this side)"),
    ],
)
def test_the_facts_say_what_became_of_the_file(case: Case, words: str) -> None:
    table = draw_facts(case.picture())["policy host"]
    assert isinstance(table, Table)
    assert ("file", words) in table.rows


def test_the_facts_show_a_host_that_is_not_there() -> None:
    for replies, words in ((CNAME, "none"), ({(HOST, "A"): SILENT}, "no answer: timeout")):
        table = draw_facts(HOSTLESS.but(replies=replies).picture())["policy host"]
        assert isinstance(table, Table)
        assert ("addresses", words) in table.rows


@pytest.mark.parametrize(
    ("case", "mode"),
    [
        (GOOD, 2),
        (TESTING, 1),
        (NONE, 0),
        (ABSENT, 0),
        (GOOD.but(trouble="status 404"), None),
        (GOOD.but(replies={(f"_mta-sts.{D}", "TXT"): Unanswered(Silence.SERVFAIL)}), None),
    ],
)
def test_the_mode_is_measured_where_it_is_known(case: Case, mode: int | None) -> None:
    values = {each.signal.name: each.value for each in measure(case.picture())}
    assert values.get("mailflow_mta_sts_mode") == mode


def test_what_is_uncovered_is_measured_where_the_exchanges_are_known() -> None:
    name = "mailflow_mta_sts_exchanges_uncovered"
    for replies, count in (({}, 1), ({(D, "MX"): SILENT}, None)):
        picture = MOVED.but(replies=replies).picture()
        assert {each.signal.name: each.value for each in measure(picture)}.get(name) == count
