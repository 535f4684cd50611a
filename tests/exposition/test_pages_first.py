"""The first page says whether mail flows, whether it can be trusted, and what has changed."""

from datetime import timedelta

import pytest

from agent.adapters.chronicle import Turn
from agent.domain.finding import Outcome
from agent.domain.timeline import Mark
from agent.exposition.pages.first import (
    MANY,
    PER_PAGE,
    Query,
    flow,
    news_of,
    overview,
    trust,
)
from agent.exposition.pages.index import Index, Indexer
from agent.exposition.pages.state import State
from agent.exposition.pages.view import Situation
from agent.probes.base import DNS_UNANSWERED, Check
from agent.probes.self_check import PROBE as SELF
from agent.probes.self_check import STORE_FAILING
from agent.runtime.board import Board
from agent.settings import AgentSubject
from servers.standings import (
    CERTIFICATE,
    DANGLING,
    MX,
    NOON,
    ROUTE,
    SPF,
    HandClock,
    check,
    large_board,
    publish,
    small_board,
)

HERE = Situation("test", "0", NOON)
WELL, ILL = Outcome(), Outcome((DANGLING.found("It is gone."),))
BLIND, MEH = Outcome((DNS_UNANSWERED.found("No answer."),)), Outcome((CERTIFICATE.found("Soon."),))


def index(*outcomes: Outcome | None, own: Outcome | None = WELL) -> Index:
    """Return the index of routes with *outcomes*, None for not run yet, and of the agent."""
    board = Board()
    routes = [check("contoso", ROUTE, f"route{n}") for n in range(len(outcomes))]
    agent = Check("agent", AgentSubject(name="here"), SELF, SELF.settings())
    board.keep([*routes, agent], NOON)
    for of, outcome in zip([*routes, agent], [*outcomes, own], strict=True):
        if outcome is not None:
            publish(board, of, outcome)
    return Indexer().index(board.runs(), NOON)


@pytest.mark.parametrize(
    ("outcomes", "state", "text"),
    [
        ((), State.PENDING, "Not measured: no route is configured"),
        ((WELL,), State.OK, "Yes, on the route"),
        ((WELL, WELL), State.OK, "Yes, on all 2 routes"),
        ((ILL,), State.CRITICAL, "Not as it should on the route"),
        ((WELL, ILL, BLIND), State.CRITICAL, "Not as it should on 1 of 3 routes"),
        ((WELL, BLIND), State.UNKNOWN, "Cannot be told of 1 of 2 routes"),
        ((WELL, MEH), State.WARNING, "Yes, with remarks on 1 of 2 routes"),
        ((WELL, None), State.PENDING, "Not known yet of 1 of 2 routes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mail_flows_where_every_route_says_so(
    outcomes: tuple[Outcome | None, ...], state: State, text: str
) -> None:
    said = flow(index(*outcomes))
    assert (said.state, said.text) == (state, text)


def test_routes_in_trouble_are_named_and_the_rest_counted() -> None:
    said = flow(index(*[ILL] * 6, WELL))
    assert [line.href for line in said.lines] == [
        f"/subjects/contoso/route/route{n}" for n in range(4)
    ]
    assert said.lines[0].text == "route0: An MX record names a host that does not exist"
    assert said.more == 2


def test_the_page_says_how_far_it_can_be_trusted() -> None:
    assert trust(index(WELL), HERE).state is State.OK
    assert trust(index(ILL), HERE).state is State.OK, "bad news is news"
    assert trust(index(None), HERE).state is State.PENDING
    blind = trust(index(BLIND, BLIND), HERE)
    assert (blind.state, blind.text) == (State.UNKNOWN, "Not of everything")
    assert [(x.text, x.href) for x in blind.lines] == [
        ("2 subjects that it could not tell about", "/?show=unknown")
    ]
    full = trust(index(WELL, own=Outcome((STORE_FAILING.found("Disk full."),))), HERE)
    assert (full.state, full.text) == (State.CRITICAL, "Not as it should be")
    assert full.lines[0].text == "here: The agent cannot write its state"
    old = trust(index(WELL), Situation("test", "0", NOON, ("config.yaml:3: wrong",)))
    assert (old.state, old.text) == (State.WARNING, "Yes, with remarks")
    assert old.lines[0].href == "#reload"


def test_what_was_not_checked_in_time_is_not_trusted() -> None:
    board = small_board(HandClock())
    late = Indexer().index(board.runs(), NOON + timedelta(hours=1))
    said = trust(late, HERE)
    assert said.state is State.STALE
    assert said.lines[-1].href == "/?show=stale"


def test_what_changed_together_is_told_as_one() -> None:
    board = large_board(HandClock(), 30)
    names = [standing.check.identity for standing in board.runs()]
    turns = [Turn(NOON, "gone/domain/gone.example/spf", Mark.OK, Mark.CRITICAL)]
    turns += [Turn(NOON, name, Mark.OK, Mark.UNKNOWN) for name in names]
    turns += [
        Turn(NOON - timedelta(hours=n), names[0], Mark.CRITICAL, Mark.OK) for n in range(1, 9)
    ]
    told = news_of(turns, board.standing)
    assert (told[0].name, told[0].kind, told[0].others) == ("domain00000.example", "spf", 59)
    assert (told[0].before, told[0].after) == (State.OK, State.UNKNOWN)
    assert told[0].href == "/subjects/tenant00/domain/domain00000.example"
    assert len(told) == 4
    assert all(one.others == 0 for one in told[1:])


def test_a_page_has_its_part_and_tenants_their_counts() -> None:
    board = large_board(HandClock(), 450)
    given = Indexer().index(board.runs(), NOON)
    first = overview(given, Query(show="all"), HERE, (), None)
    assert (first.matching, first.pages) == (450, 5)
    shown = []
    for page in range(1, 6):
        part = overview(given, Query(show="all", page=page), HERE, (), None)
        its = [subject.name for _, subjects in part.tenants for subject in subjects]
        assert len(its) == (PER_PAGE if page < 5 else 50)
        shown += its
    assert len(set(shown)) == 450
    beyond = overview(given, Query(show="all", page=99), HERE, (), None)
    assert sum(len(subjects) for _, subjects in beyond.tenants) == 50
    assert overview(given, Query(), HERE, (), None).matching == 9, f"more than {MANY}"
    (tenant, _), *_ = first.tenants
    assert tenant.counts == {State.CRITICAL: 3, State.OK: 9}


def test_the_index_sees_each_run_each_reload_and_the_passing_of_time() -> None:
    board, indexer = Board(), Indexer()
    spf, mx = check("contoso", SPF, "contoso.com"), check("contoso", MX, "contoso.com")
    board.keep([spf], NOON)
    key = ("contoso", "domain", "contoso.com")

    def state(minutes: float = 0) -> State:
        return indexer.index(board.runs(), NOON + timedelta(minutes=minutes)).entries[key].state

    assert state() is State.PENDING
    publish(board, spf, WELL)
    assert state() is State.OK
    assert state(13) is State.STALE
    publish(board, spf, ILL, NOON + timedelta(minutes=13))
    assert state(13) is State.CRITICAL
    publish(board, spf, WELL, NOON + timedelta(minutes=14))
    board.keep([spf, mx], NOON + timedelta(minutes=14))
    assert state(14) is State.PENDING
    assert indexer.entry(board.runs(), key) is not None
    assert indexer.entry(board.runs(), ("contoso", "domain", "other.example")) is None
