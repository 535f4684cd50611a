"""Every rule about registrations fires and keeps quiet."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from agent.domain import registration_rules as rules
from agent.domain.fact import Table
from agent.domain.finding import Finding, Rule
from agent.domain.lookup import Answer, Exchange, Reply, Silence, Unanswered
from agent.domain.rdap import Registration, read_domain
from agent.domain.registration_book import Book
from agent.domain.registration_lint import Intent, Picture, lint
from agent.domain.registration_report import draw_facts, measure
from proof import Proves, fires, named, quiet
from servers.rdap_case import DAY, LOCKED, D, domain
from servers.standings import NOON

IN_DNS = Answer((f"ns1.{D}", f"NS2.{D}"))
GONE = Answer(name_exists=False)
SILENT = Unanswered(Silence.TIMEOUT)


@dataclass(frozen=True)
class Case:
    """A domain as its registry told it so many days ago."""

    status: tuple[str, ...] = LOCKED
    left: timedelta | None = 300 * DAY
    name: str = D
    autorenew: bool = False
    delegation: Reply = IN_DNS
    ago: timedelta = timedelta(hours=1)
    book: Book | None = None
    picture: Picture = field(default=Picture(D, NOON, IN_DNS))

    def read(self) -> Registration:
        expires = None if self.left is None else NOON + self.left
        return read_domain(domain(*self.status, expires=expires, name=self.name), self.name)

    def made(self) -> Picture:
        book = self.book or Book().told(NOON - self.ago, self.read())
        return replace(self.picture, domain=self.name, delegation=self.delegation, book=book)

    def findings(self) -> tuple[Finding, ...]:
        picture = self.made()
        assert draw_facts(picture)["registration"]
        assert all(each.value > 0 for each in measure(picture))  # type: ignore[operator]
        findings = lint(picture, Intent(autorenew=self.autorenew))
        assert all(each.detail.isascii() and each.detail.endswith(".") for each in findings)
        return findings


MISSING = Book().missing(NOON)
FAILED = Book().asking(NOON).failed("status 500")
CASES: list[tuple[Proves, Rule, str, Case]] = [
    (fires, rules.UNKNOWN_DOMAIN, "nowhere", Case(book=MISSING, delegation=GONE)),
    (quiet, rules.UNKNOWN_DOMAIN, "still in DNS", Case(book=MISSING)),
    (quiet, rules.UNKNOWN_DOMAIN, "no DNS", Case(book=MISSING, delegation=SILENT)),
    (quiet, rules.UNKNOWN_DOMAIN, "DNS only", Case(delegation=GONE)),
    (fires, rules.BEING_DELETED, "redemption", Case(("redemption period",))),
    (fires, rules.BEING_DELETED, "pending", Case(("pending delete",))),
    (quiet, rules.BEING_DELETED, "locked", Case()),
    (fires, rules.ON_HOLD, "by the registrar", Case(("client hold", *LOCKED))),
    (fires, rules.ON_HOLD, "by the registry", Case(("server hold", *LOCKED))),
    (quiet, rules.ON_HOLD, "locked", Case()),
    (fires, rules.EXPIRED, "now", Case(left=timedelta())),
    (fires, rules.EXPIRED, "though renewed by itself", Case(left=-DAY, autorenew=True)),
    (quiet, rules.EXPIRED, "in a second", Case(left=timedelta(seconds=1))),
    (fires, rules.EXPIRES_NOW, "in 13 days", Case(left=13 * DAY)),
    (quiet, rules.EXPIRES_NOW, "in 14 days", Case(left=14 * DAY)),
    (quiet, rules.EXPIRES_NOW, "renewed by itself", Case(left=6 * DAY, autorenew=True)),
    (fires, rules.EXPIRES_SOON, "in 59 days", Case(left=59 * DAY)),
    (quiet, rules.EXPIRES_SOON, "in 60 days", Case(left=60 * DAY)),
    (quiet, rules.EXPIRES_SOON, "not said", Case(left=None)),
    (quiet, rules.EXPIRES_SOON, "renewed by itself", Case(left=20 * DAY, autorenew=True)),
    (fires, rules.EXPIRES_SOON, "not renewed by itself", Case(left=6 * DAY, autorenew=True)),
    (fires, rules.TRANSFER, "under way", Case(("pending transfer",))),
    (quiet, rules.TRANSFER, "none", Case()),
    (fires, rules.UNLOCKED, "active only", Case(("active",))),
    (quiet, rules.UNLOCKED, "locked by the registry", Case(("server transfer prohibited",))),
    (quiet, rules.UNLOCKED, "a country", Case(("active",), name="contoso.de")),
    (quiet, rules.UNLOCKED, "a country's script", Case(("active",), name="contoso.xn--p1ai")),
    (
        fires,
        rules.NO_RDAP,
        "none",
        Case(picture=Picture(D, NOON, IN_DNS, has_no_rdap=True), book=Book()),
    ),
    (quiet, rules.NO_RDAP, "told", Case()),
    (fires, rules.NOT_TOLD, "failed", Case(book=FAILED)),
    (fires, rules.NOT_TOLD, "never asked", Case(book=Book())),
    (fires, rules.NOT_TOLD, "told too long ago", Case(ago=3 * DAY)),
    (fires, rules.NOT_TOLD, "missing, and in DNS", Case(book=MISSING)),
    (fires, rules.NOT_TOLD, "missing long ago", Case(book=Book().missing(NOON - 4 * DAY))),
    (quiet, rules.NOT_TOLD, "told two days ago", Case(ago=2 * DAY)),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_rules(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.findings())


def test_a_domain_without_statuses_is_not_called_unlocked() -> None:
    book = Book().told(NOON, replace(Case().read(), statuses=(), registrar=""))
    assert Case(book=book).findings() == ()


def test_the_finding_names_day_and_registrar() -> None:
    finding = fires(rules.EXPIRES_SOON, Case(left=20 * DAY).findings())
    assert finding.detail == (
        f"{D} expires on 2026-12-13, in 20 days. Its registrar is Example Registrar."
    )
    failed = fires(rules.NOT_TOLD, Case(book=FAILED).findings())
    assert failed.detail == f"{D}: status 500."


def test_what_the_registry_says_is_shown_beside_dns() -> None:
    facts = draw_facts(Case().made())
    table, servers = facts["registration"], facts["name servers"]
    assert isinstance(table, Table)
    rows = {row[0]: row[1] for row in table.rows}
    assert rows["registrar"] == "Example Registrar"
    assert rows["expires"] == "2027-09-19 12:00:00 UTC"
    assert rows["DNSSEC"] == "not signed"
    assert rows["asked again after"] == "2026-11-24 11:00:00 UTC"
    assert isinstance(servers, Table)
    assert servers.rows == ((f"ns1.{D}", "yes", "yes"), (f"ns2.{D}", "no", "yes"))


def test_what_is_not_said_is_shown_as_such() -> None:
    bare = Book().told(NOON, Registration(servers=(f"ns1.{D}",)))
    facts = draw_facts(Case(book=bare, delegation=SILENT).made())
    table, servers = facts["registration"], facts["name servers"]
    assert isinstance(table, Table)
    assert ("registered", "-") in table.rows
    assert isinstance(servers, Table)
    assert servers.rows == ((f"ns1.{D}", "yes", "unanswered: timeout"),)
    resting = Picture(D, NOON, Answer((Exchange(0, "x"),)), resting="it rests")
    facts = draw_facts(resting)
    assert "name servers" not in facts
    assert isinstance(facts["registration"], Table)
    assert ("trouble", "it rests") in facts["registration"].rows
    assert measure(resting) == ()
    assert len(measure(Case(left=None).made())) == 1
