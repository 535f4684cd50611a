"""Does the page of a rule say who is concerned, since when, and what to type?"""

import re
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from agent.domain.finding import Outcome
from agent.exposition.pages import render, rulebook
from agent.exposition.pages.view import Situation
from agent.exposition.runbooks import SECTIONS, Shelf
from agent.exposition.runbooks.markup import Listing
from agent.probes.base import DEPENDENCY_DOWN, DNS_UNANSWERED, discover
from agent.runtime.board import Board
from servers.exposed import Agent
from servers.standings import MX, NOON, SPF, TOO_MANY, check, publish

SHELF = Shelf(discover())
SITUATION = Situation(vantage="test", version="0", started_at=NOON)


def board(*, runs: int = 3) -> Board:
    """Return a board on which SPF of contoso.com and MX of fabrikam.com are broken."""
    made = Board()
    spf, mx, fine = (
        check("contoso", SPF, "contoso.com"),
        check("fabrikam", MX, "fabrikam.com"),
        check("fabrikam", SPF, "fabrikam.com"),
    )
    made.keep([spf, mx, fine], NOON - timedelta(hours=1))
    found = TOO_MANY.found("14 <b>lookups</b>", *("line",) * 30, fix="Set-This -To '<value>'")
    for turn in reversed(range(runs)):
        at = NOON - turn * timedelta(minutes=5)
        publish(made, spf, Outcome((found,) * 7), at)
        publish(made, mx, Outcome((DNS_UNANSWERED.found("silent"),)), at)
        publish(made, fine, Outcome(), at)
    return made


def page_of(name: str, *, is_told: bool = True) -> tuple[rulebook.RulePage, str]:
    book = SHELF.find(name)
    assert book is not None
    page = rulebook.page(book, board().runs(), NOON, is_told=is_told)
    return page, render.rule(page, SITUATION).decode()


def test_the_served_page_says_who_since_when_and_what_to_type() -> None:
    page, html = page_of("spf-too-many-lookups")
    (case,) = page.cases
    assert (case.subject, case.runs, case.more) == ("contoso.com", 3, 2)
    assert case.since == NOON - timedelta(minutes=10)
    assert "2026-11-23 11:50:00 UTC" in html
    assert "for 10 min; found by the last 3 runs." in html
    assert "14 &lt;b&gt;lookups&lt;/b&gt;" in html
    assert "and 18 more lines" in html
    assert "Set-This -To " in html
    assert 'href="/subjects/contoso/domain/contoso.com"' in html
    assert "mailflow-agent check contoso.com\n" in html
    assert "<mark>&lt;sender&gt;</mark>" in html
    assert html.index("contoso.com</a>") < html.index("Escalation</h2>")


@pytest.mark.parametrize("name", ["two words", "a;reboot", "$(x)", "-f", "'"])
def test_a_name_that_a_shell_could_misread_is_not_written_into_a_line(name: str) -> None:
    page, _ = page_of("spf-too-many-lookups")
    (case,) = page.cases
    line = Listing("sh", "dig <domain>")
    assert page.lines(line) == ["dig contoso.com"]
    assert replace(page, cases=(replace(case, subject=name),)).lines(line) == ["dig <domain>"]
    assert replace(page, cases=(case, case), total=2).lines(line) == ["dig <domain>"]
    connector = replace(page, cases=(replace(case, subject_kind="connector"),))
    assert connector.lines(Listing("sh", "x <connector>")) == ["x contoso.com"]
    assert connector.lines(Listing("powershell", "X '<connector>'")) == ["X 'contoso.com'"]


def test_its_headings_go_down_one_step_at_a_time() -> None:
    for name in ("spf-too-many-lookups", "cannot-tell", "route-down", "spf-missing"):
        levels = [int(level) for level in re.findall(r"<h(\d)", page_of(name)[1])]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))
        ids = re.findall(r'\bid="([^"]+)"', page_of(name)[1])
        assert len(ids) == len(set(ids))


def test_an_alert_without_a_rule_shows_the_checks_it_is_about() -> None:
    page, html = page_of("cannot-tell")
    assert [case.subject for case in page.cases] == ["fabrikam.com"]
    assert 'href="/rules/dns-unanswered"' in html
    assert "By their last runs, 1 check is now in a state that can lead to it" in html
    assert not page_of("watchdog")[0].tells


@pytest.mark.parametrize(
    "name", ["cannot-tell", "route-error-budget-burn", "route-down", "agent-absent"]
)
def test_of_an_alert_it_never_says_that_nobody_is_concerned(name: str) -> None:
    for is_told in (True, False):
        page, html = page_of(name, is_told=is_told)
        assert "Not found anywhere" not in html
        assert "This agent cannot tell whether the alert fires" in html
        alert = page.book.alerts[0]
        assert f"ALERTS{{alertname=&#34;{alert}&#34;,alertstate=&#34;firing&#34;}}" in html
        assert html.count('id="found"') == 1
    assert "cannot tell whether" not in page_of("spf-missing")[1]


def test_what_cannot_be_told_is_listed_where_a_proven_fault_hides_it() -> None:
    made, spf, mx = Board(), check("c", SPF, "c.com"), check("c", MX, "c.com")
    made.keep([spf, mx], NOON)
    silent, waits = DNS_UNANSWERED.found("silent"), DEPENDENCY_DOWN.found("resolver")
    publish(made, spf, Outcome((TOO_MANY.found("14 lookups"), silent)))
    publish(made, mx, Outcome((waits,)))
    book = SHELF.find("cannot-tell")
    assert book is not None
    assert [case.kind for case in rulebook.page(book, made.runs(), NOON).cases] == ["spf"]


def test_a_rule_that_nobody_breaks_and_a_reader_who_may_not_know() -> None:
    assert "Not found anywhere now" in page_of("spf-missing")[1]
    page, html = page_of("spf-too-many-lookups", is_told=False)
    assert page.cases == ()
    assert "contoso" not in html
    assert "those who log in" in html


def test_of_very_many_the_page_shows_some_and_counts_the_rest() -> None:
    made = Board()
    checks = [check("contoso", SPF, f"d{number:04}.example") for number in range(300)]
    made.keep(checks, NOON)
    for each in checks:
        publish(made, each, Outcome((TOO_MANY.found("14 lookups"),)))
    book = SHELF.find("spf-too-many-lookups")
    assert book is not None
    page = rulebook.page(book, made.runs(), NOON)
    assert (len(page.cases), len(page.others), page.uncounted) == (25, 200, 75)
    html = render.rule(page, SITUATION).decode()
    assert "Found now: 300 checks" in html
    assert "200 more by name, and 75 further ones" in html


def test_a_name_that_nobody_has_is_answered_in_our_words() -> None:
    html = render.no_rule("<script>", ("spf-missing",), SITUATION).decode()
    assert "&lt;script&gt;" in html
    assert 'href="/rules/spf-missing"' in html


async def test_the_agent_serves_them_and_helps_whoever_mistypes() -> None:
    agent = Agent()
    agent.board = board()
    agent.server = agent.make()
    agent.port = await agent.server.start("127.0.0.1", 0)
    try:
        for name in ("route-down", "MailflowRouteDown", "agent-absent", "run-crashed"):
            assert (await agent.ask(f"/rules/{name}")).status == 200
        its = (await agent.ask("/rules/route-down")).text
        assert "--config &#39;/srv/our agent/config.yaml&#39;\n" in its
        assert "/etc/mailflow-agent/config.yaml" not in its
        missed = await agent.ask("/rules/rout-down")
        assert missed.status == 404
        assert 'href="/rules/route-down"' in missed.text
        for hostile in ("%3Cscript%3E", "%1b%5b31m", "..%2f..%2fetc", "%ff", "x" * 4000):
            answer = await agent.ask(f"/rules/{hostile}")
            assert answer.status in {400, 404}
            assert "<script>" not in answer.text
    finally:
        await agent.server.close()


def test_every_runbook_can_be_drawn() -> None:
    for book in filter(None, map(SHELF.find, SHELF.names)):
        html = render.rule(rulebook.page(book, (), NOON), SITUATION)
        assert html.count(b"<h2") >= len(SECTIONS)
