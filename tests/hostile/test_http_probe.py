"""Nothing that is written where a check is to be named makes the agent send a packet."""

import asyncio
from typing import Any
from urllib.parse import quote

from agent.adapters.clock import SystemClock
from agent.adapters.resolver import Resolver
from agent.domain.finding import Outcome
from agent.domain.lookup import Query
from agent.probes.base import Check, Probe, Toolbox
from agent.runtime.dependencies import Dependencies
from agent.runtime.runner import Runner
from agent.settings import CheckSettings, DomainSubject
from servers.checks import toolbox
from servers.dns import DnsServer
from servers.exposed import Agent
from servers.http_targets import KNOWN, queries, targets
from servers.standings import check


async def test_two_hundred_hostile_targets_are_refused_without_a_packet() -> None:
    connected: list[str] = []
    heard = asyncio.Event()

    async def trap(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.append(str(writer.get_extra_info("peername")))
        heard.set()
        writer.close()

    listener = await asyncio.start_server(trap, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    async with DnsServer() as dns:
        resolver = Resolver((dns.address,), SystemClock())
        await resolver.start()
        agent = Agent()

        async def run(of: Check[Any, Any], tools: Toolbox) -> Outcome:
            await tools.resolver.resolve_all((Query(of.subject, "TXT", fresh=True),))
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return Outcome()

        probe = Probe("spf", DomainSubject, CheckSettings, run, ())
        agent.board.keep([check("contoso", probe, "contoso.com")], agent.clock.now())
        tools = toolbox(agent.clock, resolver)  # type: ignore[arg-type] # a real one
        runner = Runner(tools, agent.board.publish, Dependencies())
        server = agent.make(run=runner.run)
        agent.port = await server.start("127.0.0.1", 0)
        wanted = targets(port)
        assert len(wanted) >= 200
        for target in wanted:
            for method in ("GET", "POST"):
                answer = await agent.ask(f"/probe?check={quote(target, safe='')}", method)
                assert answer.status == 404, target
        for query in queries(port):
            assert (await agent.ask(f"/probe?{query}")).status in (400, 404), query
        assert (dns.datagrams, dns.connections, connected) == (0, 0, [])
        # The traps work: what is configured does reach them.
        assert (await agent.ask(f"/probe?check={quote(KNOWN)}")).status == 200
        await heard.wait()
        assert dns.asked["contoso.com", "TXT"] == 1
        await server.close()
        await resolver.close()
    listener.close()
