from dataclasses import replace
from datetime import timedelta

import pytest

from agent.domain.fact import Table
from agent.domain.finding import Outcome, Rule, Severity
from agent.exposition.pages import render, view
from agent.exposition.pages.first import Overview, Query, overview
from agent.exposition.pages.index import Indexer
from agent.exposition.pages.state import State
from agent.exposition.pages.subject import SubjectPage
from agent.exposition.pages.view import Situation, brief
from agent.probes.base import DEPENDENCY_DOWN
from agent.runtime.board import Board, Standing
from servers.standings import NOON, SPF, HandClock, check, large_board, publish, small_board

BAD = Rule("x-bad", Severity.CRITICAL, "It is bad", "Make it good.", "RFC 1 section 2")
UNSURE = Rule("x-unsure", Severity.UNKNOWN, "It is not known", "Look.", "RFC 1 section 4")
HERE = Situation(vantage="test", version="0", started_at=NOON)
MEH = Rule("x-meh", Severity.WARNING, "It is meh", "Make it better.", "RFC 1 section 3")


@pytest.mark.parametrize(
    ("ago", "state"),
    [
        pytest.param(timedelta(minutes=12), State.OK, id="young"),
        pytest.param(timedelta(minutes=13), State.STALE, id="older than 2.5 intervals"),
    ],
)
def test_an_old_green_is_not_green(ago: timedelta, state: State) -> None:
    board = Board()
    spf = check("contoso", SPF, "contoso.com")
    board.keep([spf], NOON - ago)
    publish(board, spf, Outcome(), NOON - ago)
    assert view.view_check(board.runs()[0], NOON).state is state


def test_a_check_that_should_have_run_by_now_is_stale_and_one_that_should_not_is_pending() -> None:
    board = Board()
    board.keep([check("contoso", SPF, "contoso.com")], NOON)
    (standing,) = board.runs()
    assert view.view_check(standing, NOON).state is State.PENDING
    assert view.view_check(standing, NOON + timedelta(hours=1)).state is State.STALE


def test_a_clock_that_stepped_back_makes_no_negative_age() -> None:
    board = Board()
    board.keep([check("contoso", SPF, "contoso.com")], NOON)
    assert view.view_check(board.runs()[0], NOON - timedelta(hours=1)).age == timedelta()


def first(standings: tuple[Standing, ...], query: Query) -> Overview:
    return overview(Indexer().index(standings, NOON), query, HERE, (), None)


def test_the_worst_tenant_and_subject_come_first() -> None:
    clock = HandClock()
    page = first(small_board(clock).runs(), Query())
    assert [tenant.name for tenant, _ in page.tenants] == ["contoso", "fabrikam"]
    assert [subject.state for _, subjects in page.tenants for subject in subjects] == [
        State.CRITICAL,
        State.WARNING,
        State.OK,
        State.OK,
        State.UNKNOWN,
        State.STALE,
        State.PENDING,
        State.OK,
    ]


def test_all_fine_is_said_when_all_is_fine() -> None:
    clock = HandClock()
    board = large_board(clock, 3)
    for standing in board.runs():
        publish(board, standing.check, Outcome())
    page = first(board.runs(), Query(show="ok"))
    assert page.verdict == "All 3 subjects are fine"
    assert page.matching == 3
    alone = first(board.runs()[:2], Query())
    assert alone.verdict == "All is fine"


def test_links_keep_what_was_asked_for() -> None:
    query = Query.read({"show": "critical", "tenant": "a&b", "q": "X", "page": "2"})
    assert query == Query("critical", "a&b", "x", 2)
    assert query.href(page=3) == "/?show=critical&tenant=a%26b&q=x&page=3"
    assert Query().href() == "/"


@pytest.mark.parametrize("page", ["", "-1", "0", "x", "1e3", "\u0663", "9" * 50])
def test_a_page_number_that_is_none_is_the_first(page: str) -> None:
    assert Query.read({"page": page, "show": "nonsense"}) == Query()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0004, "0.4 ms"),
        (0.034, "34 ms"),
        (119, "119 s"),
        (300, "5 min"),
        (7200, "2 h"),
        (172800, "2 d"),
    ],
    ids=str,
)
def test_lengths_of_time_are_written_as_people_say_them(seconds: float, text: str) -> None:
    assert brief(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("no code", [("no code", False)], id="no code"),
        pytest.param(
            "replace `a` by `ip4`.",
            [("replace ", False), ("a", True), (" by ", False), ("ip4", True), (".", False)],
            id="two codes",
        ),
        pytest.param("one ` alone", [("one ` alone", False)], id="a backtick alone"),
        pytest.param("`` none", [("`` none", False)], id="nothing between"),
    ],
)
def test_what_backticks_quote_is_code(text: str, pieces: list[tuple[str, bool]]) -> None:
    assert view.pieces(text) == pieces


def test_a_remedy_shows_code_as_code_and_escapes_it() -> None:
    odd = replace(BAD, remedy="Replace `<b>` by `ip4`, not by <i>.")
    _, page = _page(Outcome((odd.found("a"),)), Outcome(), Outcome(), Outcome())
    assert page.count("Replace <code>&lt;b&gt;</code> by <code>ip4</code>, not by &lt;i&gt;.") == 2


def _page(*outcomes: Outcome) -> tuple[list[str], str]:
    """Return the kinds of checks in the order of the page, and the page, of one tenant's checks."""
    board = Board()
    kinds = ("attribution", "drift", "export", "loop")
    checks = [check("contoso", replace(SPF, kind=kind), "contoso.com") for kind in kinds]
    board.keep(checks, NOON)
    for each, outcome in zip(checks, outcomes, strict=True):
        publish(board, each, outcome, NOON)
    (subject,) = view.subjects(board.runs(), NOON)
    page = SubjectPage(NOON, subject)
    html = render.subject(page, Situation("here", "1", NOON)).decode()
    return [each.kind for each in subject.checks], html


def test_what_changed_stands_behind_the_worst_of_what_may_have_come_of_it() -> None:
    bad, meh = Outcome((BAD.found("a"),)), Outcome((MEH.found("b"),))
    assert _page(bad, meh, Outcome(), bad)[0] == ["attribution", "drift", "loop", "export"]
    assert _page(bad, Outcome(), Outcome(), bad)[0] == ["attribution", "loop", "drift", "export"]
    assert _page(meh, meh, Outcome(), meh)[0] == ["attribution", "drift", "loop", "export"]


def test_what_could_not_be_looked_at_is_one_line_behind_the_reason() -> None:
    waiting = Outcome((DEPENDENCY_DOWN.found("The export of the tenant: no file"),))
    kinds, html = _page(waiting, waiting, Outcome((UNSURE.found("no file"),)), waiting)
    assert kinds == ["export", "attribution", "drift", "loop"]
    assert html.count("Not run. The export of the tenant: no file") == 3
    assert html.count("<article") == 1


def test_many_findings_of_one_rule_and_the_rest_of_a_long_table_are_folded() -> None:
    rows = tuple((f"row {number}",) for number in range(30))
    many = Outcome(
        tuple(MEH.found(f"detail {n}") for n in range(5)), facts={"Long": Table(("x",), rows)}
    )
    _, html = _page(many, Outcome(), Outcome(), Outcome())
    assert html.count("Make it better.") == 2, "above all, and where it is found"
    assert '<details class="more">\n  <summary>4 more of the same</summary>' in html
    assert "<summary>20 more rows</summary>" in html
    assert all(f"<td>row {number}</td>" in html for number in range(30))


def test_what_to_fill_in_is_marked_in_a_line_that_is_not_to_be_pasted() -> None:
    gap = Outcome((BAD.found("a", fix="Set-It -To '<name>' <b>"), MEH.found("b", fix="Mend-It")))
    _, html = _page(gap, Outcome(), Outcome(), Outcome())
    assert "Set-It -To &#39;<mark>&lt;name&gt;</mark>&#39; <mark>&lt;b&gt;</mark>" in html
    assert '<pre class="fix powershell" tabindex="0">Mend-It</pre>' in html
