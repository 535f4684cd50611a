"""What does `/probe` run, how often, and what does it say?"""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent.domain.fact import Table, Text
from agent.domain.finding import Outcome, Signal
from agent.exposition.http.prober import Prober
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.runtime.dependencies import Dependencies
from agent.runtime.runner import Runner
from agent.settings import CheckSettings, DomainSubject
from servers.checks import toolbox
from servers.exposed import Agent, Answered
from servers.standings import NEAR_LIMIT, TOO_MANY, RouteLike, check

IDENTITY = "contoso/domain/contoso.com/spf"
LOOKUPS = Signal("mailflow_spf_lookups", "Lookups.")
COUNTED = Signal("mailflow_spf_runs_total", "Runs.", kind="counter")
TIMEOUT = "X-Prometheus-Scrape-Timeout-Seconds"


class Bench:
    """A real runner behind the endpoint, whose one probe does what a test says."""

    def __init__(self) -> None:
        self.agent = Agent()
        self.prober: Prober
        self.outcome = Outcome(measurements=(LOOKUPS.at(3), COUNTED.at(1)))
        self.runs = 0
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.probe = Probe(
            "spf", DomainSubject, CheckSettings, self._run, (TOO_MANY,), (LOOKUPS, COUNTED)
        )
        self.route = Probe("route", RouteLike, CheckSettings, self._run, ())
        board, clock = self.agent.board, self.agent.clock
        self.dependencies = Dependencies()
        self.runner = Runner(toolbox(clock), board.publish, self.dependencies)
        names = [check("contoso", self.probe, f"domain{n}.example") for n in range(40)]
        known = [check("contoso", self.probe, "contoso.com"), check("contoso", self.route, "r")]
        board.keep([*known, *names], clock.now())

    async def _run(self, _check: Check[Any, Any], _tools: Toolbox) -> Outcome:
        self.runs += 1
        self.began.set()
        await self.may_end.wait()
        return self.outcome

    async def ask(self, query: str, method: str = "GET", **headers: str) -> Answered:
        return await self.agent.ask(f"/probe?{query}", method, **headers)

    async def values(self, query: str = f"check={IDENTITY}", **headers: str) -> dict[str, float]:
        answer = await self.ask(query, **headers)
        assert answer.status == 200, answer.text
        return {
            sample.name: sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    server = bench.agent.make(run=bench.runner.run)
    bench.agent.port = await server.start("127.0.0.1", 0)
    assert server._site._parts.prober is not None
    bench.prober = server._site._parts.prober
    yield bench
    await bench.runner.drain(timedelta())
    await server.close()


async def test_a_run_is_a_scheduled_one_and_says_what_it_measured(bench: Bench) -> None:
    values = await bench.values()
    assert values["probe_success"] == 1
    assert values["probe_unknown"] == 0
    assert values["probe_timeout_seconds"] == 31
    assert "probe_duration_seconds" in values
    assert values["mailflow_spf_lookups"] == 3
    assert values["mailflow_check_severity"] == 0
    standing = bench.agent.board.standing(IDENTITY)
    assert standing is not None
    assert standing.runs == 1, "it is on the board"
    opened = await bench.ask(f"check={IDENTITY}", Accept="application/openmetrics-text")
    assert opened.text.endswith("# EOF\n")
    assert '{probe="spf",subject="contoso.com",tenant="contoso"} 3.0' in opened.text


async def test_a_failed_check_is_an_answer_and_one_that_cannot_tell_another(bench: Bench) -> None:
    for outcome, success, unknown in (
        (Outcome((TOO_MANY.found("14"),)), 0, 0),
        (Outcome((NEAR_LIMIT.found("9"),)), 1, 0),
        (Outcome((DNS_UNANSWERED.found("timeout"),), failure="timeout"), 0, 1),
    ):
        bench.outcome = outcome
        bench.agent.clock.advance(timedelta(minutes=1))
        values = await bench.values()
        assert (values["probe_success"], values["probe_unknown"]) == (success, unknown)
    bench.outcome = Outcome((TOO_MANY.found("14"),))
    bench.agent.clock.advance(timedelta(minutes=1))
    await bench.values()
    assert (await bench.values())["mailflow_finding"] == 2, "runs in a row"


async def test_what_it_depends_on_is_down(bench: Bench) -> None:
    bench.dependencies.note("resolver", "no answer")
    probe = Probe("mx", DomainSubject, CheckSettings, bench._run, (), depends_on=("resolver",))
    bench.agent.board.keep([check("contoso", probe, "a.example")], bench.agent.clock.now())
    values = await bench.values("check=contoso/domain/a.example/mx")
    assert (values["probe_success"], values["probe_unknown"], bench.runs) == (0, 1, 0)


async def test_the_words_for_a_person_have_facts_evidence_and_remedy(bench: Bench) -> None:
    bench.outcome = Outcome(
        (TOO_MANY.found("It takes 14.", "include:x takes 8", fix="v=spf1 -all"),),
        facts={"Record": Text("v=spf1 <b>"), "Hosts": Table(("name",), (("a.example",),))},
        failure="over-limit",
    )
    answer = await bench.ask(f"check={IDENTITY}&debug=true")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    for part in (
        f"Check {IDENTITY}",
        "result critical",
        "Could not tell: over-limit",
        "critical spf-too-many-lookups: The SPF record",
        "  - include:x takes 8",
        "Type: v=spf1 -all",
        "Remedy: Remove includes",
        "Record:\n  v=spf1 <b>",
        "name: a.example",
        "probe_success 0.0",
    ):
        assert part in answer.text, part


async def test_those_who_ask_together_share_one_run(bench: Bench) -> None:
    bench.may_end.clear()
    asking = [asyncio.create_task(bench.values()) for _ in range(10)]
    await bench.began.wait()
    for _ in itertools.takewhile(lambda _: bench.prober.waiting < 10, itertools.count()):
        await asyncio.sleep(0)
    bench.may_end.set()
    answers = await asyncio.gather(*asking)
    assert {each["probe_success"] for each in answers} == {1.0}
    assert bench.runs == 1


async def test_a_run_that_takes_longer_than_the_scraper_waits_goes_on(bench: Bench) -> None:
    bench.may_end.clear()
    values = await bench.values(**{TIMEOUT: "0.1"})
    assert (values["probe_success"], values["probe_unknown"]) == (0, 1)
    assert values["probe_timeout_seconds"] == pytest.approx(0.05)
    late = await bench.ask(f"check={IDENTITY}&debug=true", **{TIMEOUT: "0.1"})
    assert "had not ended by then" in late.text
    bench.may_end.set()
    assert (await bench.values(**{TIMEOUT: "10"}))["probe_timeout_seconds"] == 9.5
    assert bench.runs <= 2


@pytest.mark.parametrize("given", ["x", "-1", "0", "nan", "inf", "1e999", ""])
async def test_a_timeout_that_is_none_is_refused(bench: Bench, given: str) -> None:
    assert (await bench.ask(f"check={IDENTITY}", **{TIMEOUT: given})).status == 400
    assert bench.runs == 0


async def test_a_check_that_sends_is_run_by_post_only(bench: Bench) -> None:
    refused = await bench.ask("check=contoso/route/r/route")
    assert (refused.status, refused.headers["Allow"]) == (405, "POST")
    assert "sends a message" in refused.text
    assert (await bench.ask("check=contoso/route/r/route", "HEAD")).status == 405
    assert bench.runs == 0
    foreign = {"Origin": "http://evil.example"}
    assert (await bench.ask("check=contoso/route/r/route", "POST", **foreign)).status == 403
    assert (await bench.ask("check=contoso/route/r/route", "POST")).status == 200
    assert bench.runs == 1


async def test_a_flood_is_told_when_to_come_again(bench: Bench) -> None:
    for _ in range(3):
        assert (await bench.ask(f"check={IDENTITY}")).status == 200
    limited = await bench.ask(f"check={IDENTITY}")
    assert (limited.status, limited.headers["Retry-After"]) == (429, "5")
    others = [f"check=contoso/domain/domain{n}.example/spf" for n in range(40)]
    answers = [await bench.ask(each) for each in others]
    assert [each.status for each in answers].count(200) == 17
    assert bench.runs == 20
    bench.agent.clock.advance(timedelta(seconds=5))
    assert (await bench.ask(f"check={IDENTITY}")).status == 200


async def test_without_being_asked_for_it_is_not_there() -> None:
    agent = Agent()
    agent.port = await agent.server.start("127.0.0.1", 0)
    assert (await agent.ask(f"/probe?check={IDENTITY}")).status == 404
    assert "/probe" not in json.dumps((await agent.ask("/api/v1/openapi.json")).text)
    await agent.server.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_page_of_another_site_has_anything_looked_at(bench: Bench, method: str) -> None:
    foreign = {"Origin": "https://stranger.example", "Sec-Fetch-Site": "cross-site"}
    answer = await bench.ask(f"check={IDENTITY}", method, **foreign)
    assert (answer.status, bench.runs) == (403, 0)
