"""A check that had nothing to look at is ok, and nowhere shown as if it had proven something."""

import json
from contextlib import AsyncExitStack

from agent.domain.finding import Outcome
from servers.exposed import Agent
from servers.standings import MX, NOON, SPF, check, publish

WHY = "No exchange has an address."


async def test_it_says_so_in_the_place_of_a_tick_and_makes_no_verdict_worse() -> None:
    agent = Agent()
    checks = [check("contoso", probe, "contoso.com") for probe in (SPF, MX)]
    agent.board.keep(checks, NOON)
    publish(agent.board, checks[0], Outcome())
    publish(agent.board, checks[1], Outcome(idle=WHY))
    async with AsyncExitStack() as stack:
        agent.port = await agent.server.start("127.0.0.1", 0)
        stack.push_async_callback(agent.server.close)
        page = (await agent.ask("/subjects/contoso/domain/contoso.com")).text
        first = (await agent.ask("/?show=all")).text
        path = "/api/v1/checks/contoso/domain/contoso.com/"
        idle = json.loads((await agent.ask(f"{path}mx")).text)
        busy = json.loads((await agent.ask(f"{path}spf")).text)
        metrics = (await agent.ask("/metrics")).text
    assert '<span class="kind">mx</span> <span class="badge idle">' in page
    assert '<span class="kind">spf</span> <span class="badge ok">' in page
    assert "nothing to look at</span>" in page
    assert f"<p>{WHY}" in page
    assert "1 checks are fine; 1 had nothing to look at." in page
    assert '<span class="chip idle">' in first
    assert (idle["idle"], idle["state"], idle["severity"]) == (WHY, "ok", "ok")
    assert busy["idle"] is None
    series = 'mailflow_check_severity{probe="mx",subject="contoso.com",tenant="contoso"} '
    assert float(metrics.partition(series)[2].split()[0]) == 0
