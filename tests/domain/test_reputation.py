"""Every rule about the reputation fires and keeps quiet."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

import pytest

from agent.domain import reputation_rules as rules
from agent.domain.blocklist import Asked
from agent.domain.fact import Table, Text
from agent.domain.finding import Finding, Rule
from agent.domain.knowledge.blocklists import BLOCKLISTS, Blocklist
from agent.domain.lookup import Answer, Reply, Silence, TextRecord, Unanswered, replay
from agent.domain.reputation_lint import failure, lint
from agent.domain.reputation_report import draw_facts, measure
from agent.domain.reputation_survey import MAX_ADDRESSES, Survey, own_addresses, survey
from proof import Proves, fires, named, quiet

D = "contoso.com"
RELAY = "192.31.196.25"
ZEN, DBL, COP = "zen.spamhaus.org", "dbl.spamhaus.org", "bl.spamcop.net"
SILENT = Unanswered(Silence.SERVFAIL)
Zone = Mapping[tuple[str, str], Reply]


def code(text: str) -> Answer:
    return Answer((ip_address(text),))


TESTS: Zone = {
    (f"2.0.0.127.{ZEN}", "A"): code("127.0.0.2"),
    (f"2.0.0.127.{COP}", "A"): code("127.0.0.2"),
    (f"dbltest.com.{DBL}", "A"): code("127.0.1.2"),
}
ON_ZEN = {(f"25.196.31.192.{ZEN}", "A"): code("127.0.0.3")}
ON_COP = {(f"25.196.31.192.{COP}", "A"): code("127.0.0.2")}


def asked(name: str) -> Asked:
    known = BLOCKLISTS[name]
    return Asked(known, known.zone, known.refuses, known.of)


@dataclass(frozen=True)
class Case:
    """A domain with senders, and what the lists answer."""

    zone: Zone = field(default_factory=dict)
    lists: tuple[str, ...] = ("spamhaus-zen", "spamhaus-dbl", "spamcop")
    senders: tuple[str, ...] = ("exchange-online", RELAY)
    unusable: tuple[tuple[str, str], ...] = ()
    refuses: bool | None = None

    def found(self) -> Survey:
        lists = tuple(map(asked, self.lists))
        if self.refuses is not None:
            lists = tuple(replace(each, refuses=self.refuses) for each in lists)
        return replay(survey(f"mail.{D}", self.senders, lists), {**TESTS, **self.zone})

    def findings(self) -> tuple[Finding, ...]:
        findings = lint(self.found(), self.unusable)
        assert all(each.detail.isascii() and each.detail.endswith(".") for each in findings)
        return findings


ABUSED = {(f"{D}.{DBL}", "A"): code("127.0.1.102")}
BAD = {(f"{D}.{DBL}", "A"): code("127.0.1.4")}
PUBLIC = code("127.255.255.254")
CASES: list[tuple[Proves, Rule, str, Case]] = [
    (fires, rules.REFUSED, "on ZEN", Case(ON_ZEN)),
    (quiet, rules.REFUSED, "nowhere", Case()),
    (quiet, rules.REFUSED, "on SpamCop only", Case(ON_COP)),
    (quiet, rules.REFUSED, "on ZEN, by which nobody refuses", Case(ON_ZEN, refuses=False)),
    (fires, rules.REFUSED, "on SpamCop, by which some refuse", Case(ON_COP, refuses=True)),
    (quiet, rules.REFUSED, "an address of Microsoft's", Case(ON_ZEN, senders=("40.107.1.1",))),
    (fires, rules.LISTED, "on SpamCop", Case(ON_COP)),
    (quiet, rules.LISTED, "on ZEN", Case(ON_ZEN)),
    (fires, rules.DOMAIN_REFUSED, "phishing", Case(BAD)),
    (quiet, rules.DOMAIN_REFUSED, "a decent domain that is abused", Case(ABUSED)),
    (fires, rules.DOMAIN_LISTED, "a decent domain that is abused", Case(ABUSED)),
    (quiet, rules.DOMAIN_LISTED, "phishing", Case(BAD)),
    (fires, rules.REFUSES_US, "by a public resolver", Case({(f"2.0.0.127.{ZEN}", "A"): PUBLIC})),
    (
        fires,
        rules.REFUSES_US,
        "for one entry",
        Case({(f"{D}.{DBL}", "A"): code("127.0.1.255")}),
    ),
    (quiet, rules.REFUSES_US, "listed", Case(ON_ZEN)),
    (fires, rules.SILENT, "no entry for tests", Case({(f"2.0.0.127.{COP}", "A"): Answer()})),
    (fires, rules.SILENT, "no answer for ours", Case({(f"25.196.31.192.{COP}", "A"): SILENT})),
    (quiet, rules.SILENT, "not listed", Case()),
    (fires, rules.BROKEN, "lists all", Case({(f"1.0.0.127.{COP}", "A"): code("127.0.0.2")})),
    (
        fires,
        rules.BROKEN,
        "a parked zone",
        Case({(f"1.0.0.127.{COP}", "A"): code("192.31.196.9")}),
    ),
    (
        quiet,
        rules.BROKEN,
        "an unknown code",
        Case({(f"25.196.31.192.{COP}", "A"): code("127.9.9.9")}),
    ),
    (fires, rules.NOT_ASKED, "no key", Case(unusable=(("Spamhaus ZEN", "its key is empty"),))),
    (quiet, rules.NOT_ASKED, "a key", Case()),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_rules(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.findings())


def test_a_finding_has_the_meaning_and_what_the_list_writes() -> None:
    text = Answer((TextRecord((b"https://list.example/192.31.196.25",)),))
    case = Case({**ON_ZEN, (f"25.196.31.192.{ZEN}", "TXT"): text})
    finding = fires(rules.REFUSED, case.findings())
    assert finding.detail == (
        f"{RELAY} is on Spamhaus ZEN: 127.0.0.3: source of spam, found by machine (CSS)."
    )
    assert finding.evidence[0] == "the list writes: https://list.example/192.31.196.25"
    table = draw_facts(case.found())["listed"]
    assert isinstance(table, Table)
    assert table.rows[0][:2] == (RELAY, "spamhaus-zen")


def test_a_list_that_does_not_answer_is_not_asked_about_ours() -> None:
    zone = {(f"2.0.0.127.{ZEN}", "A"): PUBLIC, **ON_ZEN}
    case = Case(zone, lists=("spamhaus-zen",))
    assert [each.rule for each in case.findings()] == [rules.REFUSES_US]
    found = case.found()
    assert found.consulted[0].told == ()
    assert failure(found) == "list-useless"
    values = {(each.signal.name, each.labels): each.value for each in measure(found)}
    assert values == {
        ("mailflow_reputation_addresses", ()): 1,
        ("mailflow_reputation_list_answers", ("spamhaus-zen",)): 0,
    }
    silent = Case({(f"25.196.31.192.{COP}", "A"): SILENT}).found()
    assert failure(silent) == "servfail"


def test_all_well_is_shown_as_such() -> None:
    found = Case().found()
    assert lint(found) == ()
    assert failure(found) == ""
    facts = draw_facts(found)
    assert facts["addresses"] == Text(RELAY)
    lists = facts["lists"]
    assert isinstance(lists, Table)
    assert lists.rows[0] == (*("spamhaus-zen", ZEN, "ipv4, ipv6", "yes", "yes", "1", "0"),)
    skipped = facts["not looked at"]
    assert isinstance(skipped, Table)
    assert "Exchange Online" in skipped.rows[0][1]


def test_without_anything_of_ours_no_list_is_asked() -> None:
    found = Case(lists=("spamcop",), senders=("exchange-online",)).found()
    assert found.consulted[0].health == ()
    assert [each.signal.name for each in measure(found)] == ["mailflow_reputation_addresses"]
    facts = draw_facts(found)
    assert facts["addresses"] == Text("none of the domain's own is known")
    assert isinstance(facts["lists"], Table)
    assert facts["lists"].rows[0][4] == "nothing to ask it for"
    assert "listed" not in facts
    mine = Case(senders=(RELAY,)).found()
    assert "not looked at" not in draw_facts(mine)


def test_both_families_are_told_apart_and_a_key_is_not_shown() -> None:
    lists = (replace(asked("spamhaus-zen"), key="verysecret", zone="zen.dq.spamhaus.net"),)
    plan = survey(D, (RELAY, "2600::25"), lists)
    found = replay(plan, {("2.0.0.127.verysecret.zen.dq.spamhaus.net", "A"): code("127.0.0.2")})
    finding = fires(rules.SILENT, lint(found))
    assert finding.detail.startswith("Spamhaus ZEN (ipv6): it does not list ::ffff:")
    facts = draw_facts(found)
    assert isinstance(facts["lists"], Table)
    assert facts["lists"].rows[0][1] == "(key).zen.dq.spamhaus.net"
    assert facts["lists"].rows[0][4].startswith("ipv4: yes; ipv6: it does not list")
    for seen in (found, facts, lint(found), measure(found)):
        assert "verysecret" not in repr(seen)


def test_a_list_that_nobody_knows_leads_to_no_page() -> None:
    known = Blocklist("bl.example", "bl.example", "bl.example", ("ipv4",))
    zone = {
        ("2.0.0.127.bl.example", "A"): code("127.0.0.2"),
        ("25.196.31.192.bl.example", "A"): code("127.0.0.9"),
    }
    found = replay(
        survey(D, (RELAY,), (Asked(known, "bl.example", refuses=False, of=("ipv4",)),)), zone
    )
    finding = fires(rules.LISTED, lint(found))
    assert finding.evidence == ()
    assert finding.detail == f"{RELAY} is on bl.example: 127.0.0.9: a code that is not known here."


@pytest.mark.parametrize(
    ("senders", "count", "words"),
    [
        (("192.31.196.0/30",), 4, ""),
        (("192.31.196.0/24", "2600::/32"), MAX_ADDRESSES, "a sample: 32 of 256"),
        (("10.0.0.1",), 0, "private"),
        (("40.92.0.0/16",), 0, "Microsoft answers"),
        (("mailchimp",), 0, "Mailchimp"),
        (("something-else",), 0, "its provider answers"),
        ((RELAY, "192.31.196.24/31"), 2, ""),
    ],
)
def test_whose_addresses_are_looked_at(senders: tuple[str, ...], count: int, words: str) -> None:
    own = own_addresses(senders)
    assert len(own.addresses) == count
    assert words in " ".join(why for _, why in own.remarks)
    assert bool(own.remarks) is bool(words)
