"""The page of a subject says who can mend it, and how it fared."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.adapters.store import Store
from agent.domain.control import RESOLVER_DOWN
from agent.domain.fact import Chain, Fact, Link, Path, Phase, Stop, Walk
from agent.domain.finding import Finding, Outcome
from agent.domain.timeline import Mark
from agent.exposition.pages.band import HEIGHTS, history
from agent.exposition.pages.drawing import Drawing
from agent.exposition.pages.holder import KEEPERS, Holder, Typing, holder_of
from agent.exposition.pages.render import _validities
from agent.exposition.pages.view import Situation, dashboard_of, view_subject
from agent.probes.base import DEPENDENCY_DOWN, discover
from agent.probes.self_check import LOOP_LAG
from agent.runtime.board import Board
from servers.exposed import Agent
from servers.histories import MX, SPF, a_month, exposed_with_history
from servers.standings import DANGLING, NOON, HandClock, check, publish, small_board

DOMAIN = "/subjects/contoso/domain/contoso.com"
WALK = Walk((Phase("connect", 0.1, "good"), Phase("rcpt", 0.1, "bad", "rcpt: 550 5.7.1 No")))
BAD = (DANGLING.found("x"),)


def test_every_kind_of_check_has_somebody_who_can_mend_it() -> None:
    assert {probe.kind for probe in discover()} <= set(KEEPERS)


@pytest.mark.parametrize(
    ("kind", "found", "facts", "holder"),
    [
        pytest.param("mx", (), {}, None, id="nothing is wrong"),
        pytest.param(
            "mx",
            (DEPENDENCY_DOWN.found("The resolver is down."),),
            {},
            Holder("Whoever runs this agent", "What it depends on is down."),
            id="the agent itself",
        ),
        pytest.param(
            "connector",
            BAD,
            {"Path": Path((Stop("this agent", "us"),)), "Walk of a [192.0.2.1]": WALK},
            Holder("Whoever runs a [192.0.2.1]", "The session ended at rcpt: 550 5.7.1 No."),
            id="the server that was talked to",
        ),
        pytest.param(
            "inbound",
            BAD,
            {"Walk of relay": WALK},
            Holder("Whoever administers the connector in Exchange Online"),
            id="whoever keeps it, where a walk is called by what was tried",
        ),
        pytest.param(
            "self",
            (LOOP_LAG.found("x"), RESOLVER_DOWN.found("x")),
            {},
            Holder("The DNS team: whoever runs the resolver that the agent asks"),
            id="the resolver, which is not the agent's",
        ),
        pytest.param(
            "exchange",
            BAD,
            {"Walk of a": Walk((Phase("connect", 0.1, "good"),))},
            Holder("Whoever runs the hosts that take the domain's mail"),
            id="whoever keeps what is checked",
        ),
    ],
)
def test_it_is_told_who_can_mend_it(
    kind: str, found: tuple[Finding, ...], facts: dict[str, Fact], holder: Holder | None
) -> None:
    assert holder_of(kind, Outcome(found, facts=facts)) == holder


FILTER = Stop("mx.filter.example", "filter")
UNKNOWN = "Not known yet: see the way of the message below"


@pytest.mark.parametrize(
    ("stops", "name", "note"),
    [
        pytest.param(
            (replace(FILTER, mood="warning", note="had it for 90 s"), Stop("mailbox", mood="bad")),
            "mx.filter.example, of the filter service",
            "It had the message for 90 s.",
            id="a host on the way, and not where it was seen",
        ),
        pytest.param(
            (replace(FILTER, owner="", mood="bad", note="did not take it: 550 No."), Stop("end")),
            "Whoever runs mx.filter.example",
            "It did not take the message: 550 No.",
            id="a host of nobody we know",
        ),
        pytest.param(
            (replace(FILTER, mood="warning", note="its clock is wrong"), Stop("end")),
            "mx.filter.example, of the filter service",
            "Its clock is wrong.",
            id="what a host has",
        ),
        pytest.param(
            (replace(FILTER, mood="bad", link="not encrypted", note="clocks disagree"), Stop("a")),
            "mx.filter.example, of the filter service",
            "It got the message without encryption.",
            id="in the clear",
        ),
        pytest.param(
            (FILTER, Stop("(bounced)", mood="bad", note="report of DB9PR08MB7421: 5.1.1")),
            "mx.filter.example, of the filter service",
            "It is the last that had the message, which was bounced.",
            id="the last host, where it came back",
        ),
        pytest.param(
            (Stop("(quarantined)", mood="bad"),),
            UNKNOWN,
            "The message was quarantined.",
            id="no host is known",
        ),
        pytest.param(
            (FILTER, Stop("sink", "us", mood="bad", note="delivered after 1.0 s, but x")),
            UNKNOWN,
            "The message was delivered after 1.0 s, but x.",
            id="it arrived as it should not",
        ),
        pytest.param(
            (FILTER, Stop("sink", "us", mood="bad", note="it never came here")),
            UNKNOWN,
            "It never came here.",
            id="it did not arrive",
        ),
    ],
)
def test_who_had_the_message_is_told_by_host(stops: tuple[Stop, ...], name: str, note: str) -> None:
    path = Path((Stop("this agent", "us"), *stops))
    assert holder_of("route", Outcome(BAD, facts={"Path": path})) == Holder(name, note)


def test_it_is_told_how_to_look_again() -> None:
    here = Typing("/etc/my agent/c.yaml")
    assert here.again("exchange", "contoso.com") == "mailflow-agent check --walk contoso.com"
    assert here.again("connector", "to; rm -rf x") == (
        "mailflow-agent connector 'to; rm -rf x' --config '/etc/my agent/c.yaml'"
    )
    assert Typing().again("route", "out") == "mailflow-agent doctor out"
    assert not here.again("hygiene", "contoso")
    assert not here.is_out_of_reach("hygiene")
    assert not here.is_out_of_reach("connector")


def test_in_the_lab_only_its_dns_can_be_asked() -> None:
    lab = Typing("/c.yaml", "127.0.0.1:5353")
    assert lab.again("spf", "a.b") == "mailflow-agent check a.b --resolver 127.0.0.1:5353"
    for kind in ("exchange", "connector", "inbound", "route"):
        assert not lab.again(kind, "x")
        assert lab.is_out_of_reach(kind)
    lines = ["mailflow-agent check a.b", "mailflow-agent check --walk a.b", "dig a.b"]
    assert lab.filled(lines) == [lines[0] + " --resolver 127.0.0.1:5353", *lines[1:]]


async def test_a_month_is_told_in_words_and_drawn_in_blocks() -> None:
    store = Store()
    await store.open()
    chronicle = await a_month(store, HandClock())
    record = await chronicle.read([SPF, MX], NOON)
    told = history(record, {SPF: "spf", MX: "mx"})
    await store.close()
    assert told.now == "Critical for 2 h 10 min."
    day, week, month = told.bands
    assert day.words == "ok 90.9 %, critical 9 % (2 h 10 min in 1 incident)."
    assert "Not on record: 4 h 48 min." in week.words
    assert "in 2 incidents" in month.words
    assert month.words.endswith("Not on record: 21 h 36 min.")
    for band in told.bands:
        assert all(x.x >= 0 and x.x + x.width <= 360 and x.height for x in band.blocks)
        assert len(band.blocks) <= 360
    assert [block.key for block in day.blocks] == ["ok", "critical"]
    assert {block.key for block in month.blocks} == {"ok", "critical", "warning", "no_data"}
    assert [check.kind for check in told.checks] == ["spf", "mx"]
    assert len(set(HEIGHTS.values())) == len(Mark), "each can be told by its height"


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    async with exposed_with_history() as agent:
        yield agent


async def test_the_page_has_the_history_and_since_when_over_restarts(agent: Agent) -> None:
    page = (await agent.ask(DOMAIN)).text
    assert "Critical for 2 h 10 min." in page
    assert "2026-11-23 09:50:00 UTC</time>, for 2 h 10 min" in page
    assert "mailflow-agent check contoso.com</pre>" in page
    stale = (await agent.ask("/subjects/fabrikam/domain/mail.fabrikam.de")).text
    assert "too old to be believed" in stale
    assert "Runbook check-stale" in stale
    assert page.count('<svg viewBox="0 0 360 24"') == 5
    assert "ok to <strong" in page
    first = (await agent.ask("/")).text
    assert '<span class="for">for 2 h 10 min</span>' in first
    assert "2 h 10 min ago" in first


async def test_a_page_comes_without_its_history_where_the_store_says_nothing() -> None:
    clock, store = HandClock(), Store()
    await store.open()
    chronicle = await a_month(store, clock)
    chronicle._patience = 0.0
    board = small_board(clock)
    drawing = Drawing(board, clock, lambda: Situation("test", "0", NOON), chronicle)
    key = ("contoso", "domain", "contoso.com")
    record = await drawing.record(key)
    page = await asyncio.to_thread(drawing.subject, board.runs(), key, record)
    assert page is not None
    assert b"cannot be read now: the store has not answered in time" in page
    assert b"no data yet to <strong" in page, "what this process saw"
    await store.flush()
    await store.close()


def test_a_certificate_is_drawn_as_far_as_its_time_is_spent() -> None:
    chain = Chain((Link("CN=a", "CN=b", NOON, NOON + timedelta(days=100)),), "A root", "good")

    def drawn(days: float) -> tuple[float, str, str]:
        (one,) = _validities(chain, NOON + timedelta(days=days))
        return one.spent, one.mood, one.words

    assert drawn(25) == (25.0, "good", "75 d left")
    assert drawn(90) == (90.0, "warning", "10 d left")
    assert drawn(103) == (100, "bad", "expired 3 d ago")
    assert drawn(-2) == (0, "bad", "not valid for another 2 d")


def test_a_subject_leads_to_its_dashboard_where_there_are_dashboards() -> None:
    key = ("contoso & co", "domain", "contoso.com")
    assert dashboard_of(key, "") == ""
    assert dashboard_of(key, "https://grafana.example") == (
        "https://grafana.example/d/mailflow-domain?var-tenant=contoso+%26+co"
        "&var-subject=contoso.com"
    )
    other = dashboard_of(("a", "new-kind", "b"), "https://grafana.example")
    assert other == "https://grafana.example/d/mailflow-overview"


def test_the_headline_is_what_is_to_be_mended_first() -> None:
    """As in the answer of ``check``: a cause before what follows from it, whatever the kind."""
    board, of = Board(), {probe.kind: probe for probe in discover()}
    rule = {each.code: each for probe in of.values() for each in probe.rules}
    found = {
        "mx": ("mx-preference", "mx-unexpected", "mx-none-reachable"),
        "exchange": ("exchange-unreachable",),
    }
    checks = [check("contoso", of[kind], "contoso.com") for kind in found]
    board.keep(checks, NOON)
    for one, codes in zip(checks, found.values(), strict=True):
        publish(board, one, Outcome(tuple(rule[code].found("x.") for code in codes)))
    seen = view_subject(("contoso", "domain", "contoso.com"), board.runs(), NOON)
    assert seen.finding is not None
    assert seen.finding.rule.code == "mx-none-reachable"
    assert [each.rule.code for each in seen.checks[0].findings][-1] == "mx-preference"
    assert [each.kind for each in seen.checks] == ["mx", "exchange"]
