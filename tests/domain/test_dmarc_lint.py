"""Does each rule about DMARC fire when it should, and keep quiet when it is nearly broken?"""

from dataclasses import replace

import pytest

from agent.domain import dmarc_rules as rules
from agent.domain import dmarc_rules_tags as tags
from agent.domain.dmarc_lint import Intent, unanswered
from agent.domain.finding import Rule
from agent.domain.lookup import Answer
from proof import Proves, fires, named, quiet
from servers.dmarc_case import GOOD, KEY, REPORTS, SIGNED, SILENT, SPF, Case, D, text

PARKED = Intent(sends=False)
HOSTED = "contoso.dmarc.fabrikam.com"
SUB = f"news.{D}"
OTHER = "reports.fabrikam.com"
CONSENT = f"{D}._report._dmarc.{OTHER}"
EXTERNAL = f"v=DMARC1; p=reject; rua=mailto:d@{OTHER}"
MAILBOX = f"{OTHER} MX 0 mail.fabrikam.com"
AGREED = f"{MAILBOX}\n{CONSENT} TXT v=DMARC1"
WILD = f"_mailflow-agent-no-such-name.{D}"
OWN = "192.31.196.7"
EXCHANGE = ("exchange-online",)


def at_dmarc(*records: str, aliases: tuple[str, ...] = (), domain: str = D) -> Case:
    return Case(
        "", domain=domain, replies={(f"_dmarc.{domain}", "TXT"): text(*records, aliases=aliases)}
    )


def tagged(more: str) -> Case:
    return Case(f"v=DMARC1; p=reject; {REPORTS}; {more}")


PLACES: list[tuple[Proves, Rule, str, Case]] = [
    (fires, rules.MISSING, "no record", Case("")),
    (fires, rules.MISSING, "only other text", at_dmarc("v=spf1 -all")),
    (quiet, rules.MISSING, "inherited", Case("", f"_dmarc.{D} TXT {GOOD}", domain=SUB)),
    (quiet, rules.MISSING, "no answer", Case("", replies={(f"_dmarc.{D}", "TXT"): SILENT})),
    (quiet, rules.MISSING, "misplaced", Case("", f"{D} TXT {GOOD}")),
    (quiet, rules.MISSING, "several", at_dmarc(GOOD, "v=DMARC1; p=none")),
    (quiet, rules.MISSING, "alias to nothing", at_dmarc(aliases=(HOSTED,))),
    (fires, rules.NOT_APPLIED, "several, one rejects", at_dmarc(GOOD, "v=DMARC1; p=none")),
    (fires, rules.NOT_APPLIED, "a misspelt policy", Case("v=DMARC1; p=rejct")),
    (fires, rules.NOT_APPLIED, "a misspelt sp", Case("v=DMARC1; p=reject; sp=rejekt")),
    (fires, rules.NOT_APPLIED, "no p", Case("v=DMARC1; sp=reject")),
    (fires, rules.NOT_APPLIED, "small letters", at_dmarc("v=dmarc1; p=reject")),
    (fires, rules.NOT_APPLIED, "misplaced", Case("", f"{D} TXT {GOOD}")),
    (quiet, rules.NOT_APPLIED, "several, all none", at_dmarc("v=DMARC1", "v=DMARC1; p=none")),
    (quiet, rules.NOT_APPLIED, "a misspelt none", Case("v=DMARC1; p=nine")),
    (quiet, rules.NOT_APPLIED, "a fault elsewhere", Case(f"{GOOD}; adkim=relaxed")),
    (fires, rules.SEVERAL, "two", at_dmarc("v=DMARC1", "v=DMARC1; p=none")),
    (quiet, rules.SEVERAL, "one and other text", at_dmarc("v=DMARC1; p=none", "hello")),
    (fires, rules.UNREADABLE, "a blank first", at_dmarc(" v=DMARC1; p=none")),
    (quiet, rules.UNREADABLE, "SPF", at_dmarc("v=spf1 include:dmarc.contoso.com -all")),
    (fires, rules.MISPLACED, "at the domain", Case("", f"{D} TXT v=DMARC1; p=none")),
    (fires, rules.MISPLACED, "doubled", Case("", f"_dmarc._dmarc.{D} TXT v=DMARC1; p=none")),
    (fires, rules.MISPLACED, "zone added", Case("", f"_dmarc.{D}.{D} TXT v=DMARC1; p=none")),
    (fires, rules.MISPLACED, "no underscore", Case("", f"dmarc.{D} TXT DMARC1; p=none")),
    (quiet, rules.MISPLACED, "there, too", Case(more=f"{D} TXT v=DMARC1; p=none")),
    (quiet, rules.MISPLACED, "text about it", Case("", f"{D} TXT dmarc-verification=1")),
    (fires, rules.FOREIGN_TEXT, "SPF", at_dmarc("v=spf1 -all", GOOD)),
    (fires, rules.FOREIGN_TEXT, "anything", at_dmarc("hello", GOOD)),
    (quiet, rules.FOREIGN_TEXT, "alone", Case()),
    (fires, rules.WILDCARD, "the same", Case(more=f"{WILD} TXT {GOOD}")),
    (quiet, rules.WILDCARD, "another", Case(more=f"{WILD} TXT v=spf1 -all")),
    (fires, rules.ALIAS, "elsewhere", at_dmarc(GOOD, aliases=(HOSTED,))),
    (quiet, rules.ALIAS, "at home", at_dmarc(GOOD, aliases=(f"policy.{D}",))),
    (
        quiet,
        rules.ALIAS,
        "as the operator says",
        replace(at_dmarc(GOOD, aliases=(HOSTED,)), intent=Intent(hosted_by=("*.fabrikam.com",))),
    ),
    (fires, rules.ALIAS_DANGLING, "no record", at_dmarc(aliases=(HOSTED,))),
    (quiet, rules.ALIAS_DANGLING, "a record", at_dmarc(GOOD, aliases=(HOSTED,))),
    (
        fires,
        rules.DIFFERS,
        "psd=n",
        Case(
            "",
            f"_dmarc.{SUB} TXT v=DMARC1; p=none; psd=n\n_dmarc.{D} TXT {GOOD}",
            domain=f"a.{SUB}",
        ),
    ),
    (fires, rules.DIFFERS, "a registry", Case("", "_dmarc.com TXT v=DMARC1; p=reject; psd=y")),
    (quiet, rules.DIFFERS, "inherited", Case("", f"_dmarc.{D} TXT {GOOD}", domain=SUB)),
    (fires, rules.NONE, "p=none", Case(f"v=DMARC1; p=none; {REPORTS}")),
    (fires, rules.NONE, "sp=none", Case("", f"_dmarc.{D} TXT {GOOD}; sp=none", domain=SUB)),
    (fires, rules.NONE, "a misspelt none", Case("v=DMARC1; p=nine")),
    (quiet, rules.NONE, "quarantine", Case(f"v=DMARC1; p=quarantine; {REPORTS}")),
    (quiet, rules.NONE, "a policy that is lost", Case("v=DMARC1; p=rejct")),
    (quiet, rules.NONE, "no record", Case("")),
    (fires, rules.PARKED, "none", Case("v=DMARC1; p=none", intent=PARKED)),
    (fires, rules.PARKED, "quarantine", Case("v=DMARC1; p=quarantine", intent=PARKED)),
    (fires, rules.PARKED, "subdomains", Case("v=DMARC1; p=reject; sp=none", intent=PARKED)),
    (quiet, rules.PARKED, "reject", Case("v=DMARC1; p=reject", intent=PARKED)),
    (quiet, rules.PARKED, "it sends", Case("v=DMARC1; p=quarantine")),
]

TAGS: list[tuple[Proves, Rule, str, Case]] = [
    (fires, tags.SYNTAX, "a wrong value", tagged("aspf=x")),
    (fires, tags.SYNTAX, "a voiding fault of none", Case("v=DMARC1; p=nine")),
    (fires, tags.SYNTAX, "a bare record", Case("v=DMARC1")),
    (quiet, tags.SYNTAX, "a fault told elsewhere", Case("v=DMARC1; p=rejct")),
    (quiet, tags.SYNTAX, "all right", tagged("aspf=s")),
    (fires, tags.UNKNOWN_TAG, "misspelt", tagged("ruaa=mailto:x@contoso.com")),
    (fires, tags.UNKNOWN_TAG, "long", tagged(f"{'x' * 13}=1")),
    (quiet, tags.UNKNOWN_TAG, "no longer known", tagged("ri=3600; rf=afrf; pct=100")),
    (fires, tags.ORDER, "p is third", Case(f"v=DMARC1; {REPORTS}; p=reject")),
    (quiet, tags.ORDER, "p is second", Case()),
    (fires, tags.SUBDOMAINS, "sp", tagged("sp=quarantine")),
    (fires, tags.SUBDOMAINS, "np", tagged("np=none")),
    (quiet, tags.SUBDOMAINS, "as strict", tagged("sp=reject; np=reject")),
    (quiet, tags.SUBDOMAINS, "stricter", Case(f"v=DMARC1; p=none; sp=reject; {REPORTS}")),
    (fires, tags.PERCENT, "99", tagged("pct=99")),
    (fires, tags.PERCENT, "of quarantine", Case("v=DMARC1; p=quarantine; pct=0")),
    (quiet, tags.PERCENT, "100", tagged("pct=100")),
    (quiet, tags.PERCENT, "of none", Case("v=DMARC1; p=none; pct=5")),
    (fires, tags.TESTING, "t=y", tagged("t=y")),
    (quiet, tags.TESTING, "t=n", tagged("t=n")),
    (fires, tags.NO_REPORTS, "no rua", Case("v=DMARC1; p=reject")),
    (fires, tags.NO_REPORTS, "none that is valid", Case("v=DMARC1; p=reject; rua=a@b.com")),
    (quiet, tags.NO_REPORTS, "rua", Case()),
    (
        quiet,
        tags.NO_REPORTS,
        "inherited",
        Case("", f"_dmarc.{D} TXT v=DMARC1; p=reject", domain=SUB),
    ),
    (fires, tags.UNAUTHORISED, "no consent", Case(EXTERNAL, MAILBOX)),
    (fires, tags.UNAUTHORISED, "other text", Case(EXTERNAL, f"{MAILBOX}\n{CONSENT} TXT hello")),
    (quiet, tags.UNAUTHORISED, "consent", Case(EXTERNAL, AGREED)),
    (quiet, tags.UNAUTHORISED, "own subdomain", Case(f"v=DMARC1; p=reject; rua=mailto:a@{SUB}")),
    (
        quiet,
        tags.UNAUTHORISED,
        "no answer",
        Case(EXTERNAL, MAILBOX, replies={(CONSENT, "TXT"): SILENT}),
    ),
    (fires, tags.NOWHERE, "nothing", Case(EXTERNAL)),
    (fires, tags.NOWHERE, "null MX", Case(EXTERNAL, f"{OTHER} MX 0 .")),
    (quiet, tags.NOWHERE, "MX", Case(EXTERNAL, MAILBOX)),
    (quiet, tags.NOWHERE, "an address", Case(EXTERNAL, f"{OTHER} AAAA 2600::25")),
    (quiet, tags.NOWHERE, "no answer", Case(EXTERNAL, replies={(OTHER, "MX"): SILENT})),
    (quiet, tags.NOWHERE, "no address said", Case(EXTERNAL, replies={(OTHER, "A"): SILENT})),
    (fires, tags.REPORT_UNANSWERED, "MX", Case(EXTERNAL, AGREED, replies={(OTHER, "MX"): SILENT})),
    (
        fires,
        tags.REPORT_UNANSWERED,
        "consent",
        Case(EXTERNAL, MAILBOX, replies={(CONSENT, "TXT"): SILENT}),
    ),
    (quiet, tags.REPORT_UNANSWERED, "all answered", Case(EXTERNAL)),
    (fires, tags.NOT_MAIL, "only https", tagged("ruf=https://contoso.com/r")),
    (quiet, tags.NOT_MAIL, "mail beside", tagged("ruf=https://contoso.com/r,mailto:a@contoso.com")),
    (
        fires,
        tags.TOO_MANY,
        "three",
        Case(f"v=DMARC1; p=reject; rua={','.join(['mailto:a@contoso.com'] * 3)}"),
    ),
    (
        quiet,
        tags.TOO_MANY,
        "two",
        Case(f"v=DMARC1; p=reject; rua={','.join(['mailto:a@contoso.com'] * 2)}"),
    ),
    (fires, tags.LIMIT, "10m", Case(f"{GOOD}!10m")),
    (quiet, tags.LIMIT, "without", Case()),
]

NONE = f"v=DMARC1; p=none; {REPORTS}"
SENDERS: list[tuple[Proves, Rule, str, Case]] = [
    (fires, tags.SENDER_FAILS, "neither", Case(senders=EXCHANGE)),
    (
        fires,
        tags.SENDER_FAILS,
        "neither, by the registry",
        Case("", "_dmarc.com TXT v=DMARC1; p=reject; psd=y", senders=EXCHANGE),
    ),
    (quiet, tags.SENDER_FAILS, "SPF", Case(senders=EXCHANGE, more=SPF)),
    (quiet, tags.SENDER_FAILS, "DKIM", Case(senders=EXCHANGE, more=SIGNED)),
    (quiet, tags.SENDER_FAILS, "no enforcement", Case(NONE, senders=EXCHANGE)),
    (quiet, tags.SENDER_FAILS, "cannot be told", Case(senders=("sendgrid",))),
    (quiet, tags.SENDER_FAILS, "no answer", Case(senders=EXCHANGE, replies={(D, "TXT"): SILENT})),
    (fires, tags.SENDER_WOULD_FAIL, "neither", Case(NONE, senders=EXCHANGE)),
    (quiet, tags.SENDER_WOULD_FAIL, "one", Case(NONE, SPF, senders=EXCHANGE)),
    (fires, tags.SENDER_SPF_ONLY, "cloud unsigned", Case(senders=EXCHANGE, more=SPF)),
    (quiet, tags.SENDER_SPF_ONLY, "both", Case(senders=EXCHANGE, more=f"{SPF}\n{SIGNED}")),
    (quiet, tags.SENDER_SPF_ONLY, "no enforcement", Case(NONE, SPF, senders=EXCHANGE)),
    (fires, tags.SENDER_UNPROVEN, "a provider", Case(senders=("sendgrid",))),
    (
        quiet,
        tags.SENDER_UNPROVEN,
        "its key",
        Case(senders=("sendgrid",), more=f"s2._domainkey.{D} TXT {KEY}"),
    ),
    (quiet, tags.SENDER_UNPROVEN, "no enforcement", Case(NONE, senders=("sendgrid",))),
    (
        quiet,
        tags.SENDER_UNPROVEN,
        "no answer",
        Case(senders=EXCHANGE, replies={(D, "TXT"): SILENT}),
    ),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named([*PLACES, *TAGS, *SENDERS]))
def test_rules(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.findings())


def test_a_healthy_domain_has_no_findings() -> None:
    assert Case(more=f"{SPF}\n{SIGNED}", senders=EXCHANGE).findings() == ()


def test_silence_is_told_only_where_it_decides() -> None:
    assert unanswered(Case("", replies={(f"_dmarc.{D}", "TXT"): SILENT}).survey()) is SILENT
    assert unanswered(Case("", replies={("_dmarc.com", "TXT"): SILENT}).survey()) is SILENT
    assert unanswered(Case(replies={("_dmarc.com", "TXT"): SILENT}).survey()) is None
    assert unanswered(Case("").survey()) is None
    assert Case("", replies={(f"_dmarc.{D}", "TXT"): SILENT}).findings() == ()


def test_a_finding_names_the_place_and_shows_what_to_publish() -> None:
    lost = fires(rules.NOT_APPLIED, Case("v=DMARC1; p=rejct").findings())
    assert lost.detail.startswith(f"_dmarc.{D}: at character 11, p=rejct must be none or")
    assert lost.evidence[0] == "Did you mean `p=reject`?"
    assert lost.fix == f'_dmarc.{D}. 3600 IN TXT "v=DMARC1; p=reject"'
    without = fires(rules.NOT_APPLIED, Case("v=DMARC1; sp=reject").findings())
    assert without.detail.startswith(f"_dmarc.{D}: the record has no tag `p`")
    near = fires(rules.NOT_APPLIED, at_dmarc("v=DMARC1 p=reject").findings())
    assert near.detail == f"_dmarc.{D}: no semicolon follows `v=DMARC1`."
    misplaced = fires(rules.MISPLACED, Case("", f"{D} TXT v=DMARC1; p=none").findings())
    assert misplaced.fix == f'_dmarc.{D}. 3600 IN TXT "v=DMARC1; p=none"'
    none = fires(rules.NONE, Case(f"v=DMARC1;p=none;{REPORTS}").findings())
    assert none.fix == f'_dmarc.{D}. 3600 IN TXT "v=DMARC1; p=quarantine; {REPORTS}"'
    missing = fires(rules.MISSING, Case("", intent=PARKED).findings())
    assert missing.detail == f"no record at _dmarc.{D}; no record from _dmarc.{D} to the root."
    below = fires(rules.MISSING, Case("", domain=SUB).findings())
    assert below.detail.startswith(f"no record at _dmarc.{SUB} or _dmarc.{D}; ")
    assert missing.fix == f'_dmarc.{D}. 3600 IN TXT "v=DMARC1; p=reject"'
    consent = fires(tags.UNAUTHORISED, Case(EXTERNAL, MAILBOX).findings())
    assert consent.fix == f'{CONSENT}. 3600 IN TXT "v=DMARC1"'
    unknown = fires(tags.UNKNOWN_TAG, tagged("ruaa=x").findings())
    assert unknown.detail.endswith("ruaa=x. Did you mean `rua`?")
    wild = at_dmarc("v=spf1 -all")
    from_wildcard = replace(wild, replies={**wild.replies, (WILD, "TXT"): text("v=spf1 -all")})
    assert "wildcard" in fires(rules.FOREIGN_TEXT, from_wildcard.findings()).detail


def test_nobody_is_to_begin_or_enforce_a_policy_without_reports() -> None:
    mine = f"rua=mailto:dmarc-reports@{D}"
    missing = fires(rules.MISSING, Case("").findings())
    assert missing.fix == f'_dmarc.{D}. 3600 IN TXT "v=DMARC1; p=none; {mine}"'
    none = fires(rules.NONE, Case("v=DMARC1; p=none; aspf=s").findings())
    assert none.fix == f'_dmarc.{D}. 3600 IN TXT "v=DMARC1; p=quarantine; aspf=s; {mine}"'
    enforced = fires(tags.NO_REPORTS, Case("v=DMARC1; p=reject; aspf=s").findings())
    assert enforced.fix == f'_dmarc.{D}. 3600 IN TXT "v=DMARC1; p=reject; aspf=s; {mine}"'


def test_a_policy_is_proposed_only_where_one_comes_to_mind() -> None:
    for unsure in ("p=deny; sp=reject", "sp=reject", "p=none; p=reject", "p=rejct; sp=qarantine"):
        lost = fires(rules.NOT_APPLIED, Case(f"v=DMARC1; {unsure}").findings())
        assert lost.fix == "", unsure


def test_an_address_for_reports_is_proposed_in_no_record_that_wants_more_mending() -> None:
    for wanting in ("v=DMARC1; p=none", "v=DMARC1; p=reject; rua=a@b.com"):
        assert fires(tags.NO_REPORTS, Case(wanting).findings()).fix == ""


def test_what_cannot_be_typed_is_not_offered_for_typing() -> None:
    hostile = f'v=DMARC1; p=none; {REPORTS}; x="\\'
    assert fires(rules.NONE, Case(hostile).findings()).fix == ""
    long = f"v=DMARC1; p=none; x={'x' * 600}"
    assert fires(rules.NONE, Case(long).findings()).fix == ""


def test_an_authorisation_may_come_from_a_wildcard_and_name_another_address() -> None:
    replies = {(CONSENT, "TXT"): text(f"v=DMARC1; rua=mailto:b@{OTHER}")}
    case = Case(EXTERNAL, MAILBOX, replies=replies)
    (report,) = case.survey().reports
    assert report.consents == "yes"
    assert report.redirects
    assert case.findings() == ()


def test_empty_answers_and_strange_records_are_no_records() -> None:
    strange = Answer(("not a text record",))
    case = Case("", replies={(f"_dmarc.{D}", "TXT"): strange})
    fires(rules.MISSING, case.findings())
