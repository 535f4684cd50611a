"""Does a restart of the agent tell anybody that a fault is over?

The real agent with one domain, started twice on one state, and a real Prometheus and Alertmanager
with what is shipped; only times are shortened. Since when it is so, everybody says alike.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from agent.app import Agent, serve
from agent.exposition import alerts
from agent.probes.base import discover
from servers import shortened
from servers.alertmanager import Call, Calls, alertmanager, receiving
from servers.dns import DnsServer
from servers.free_ports import free_port
from servers.program import ROOT
from servers.prometheus import prometheus
from servers.running import eventually

pytestmark = pytest.mark.integration

NOTICES = (ROOT / "deploy" / "alertmanager.yml").read_text(encoding="utf-8")
CODE, NAME = "spf-syntax", "MailflowSpfSyntax"
FOUND = f'mailflow_finding{{rule="{CODE}"}}'
ACTIVE = f'ALERTS_FOR_STATE{{alertname="{NAME}"}}'
OTHERS = [each.kind for each in discover() if each.one_off is not None and each.kind != "spf"]
BROKEN, SOUND = "v=spf1 ipv4:192.0.2.1 -all", "v=spf1 ip4:192.0.2.1 -all"


def write(folder: Path, resolver: tuple[str, int]) -> int:
    """Write a configuration, and return the port on which its agent listens."""
    port, (host, asked) = free_port(), resolver
    (folder / "config.yaml").write_text(
        f"""\
agent: {{listen: "127.0.0.1:{port}", state: {folder / "state"}}}
resolvers: ["{host}:{asked}"]
checks:
  self: {{interval: 1s, control_names: [contoso.com]}}
  spf: {{interval: 1s, timeout: 900ms}}
  {"".join(f"{kind}: off{chr(10)}  " for kind in OTHERS)}
tenants:
  - {{name: contoso, domains: [{{name: contoso.com, topology: custom}}]}}
""",
        encoding="utf-8",
    )
    return port


@asynccontextmanager
async def agent(folder: Path) -> AsyncIterator[Agent]:
    """Run the agent, and end it as a service manager does."""
    started: asyncio.Future[Agent] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(folder / "config.yaml", started=started.set_result))
    task.add_done_callback(lambda _: started.done() or started.cancel())
    await asyncio.wait({started})
    if task.done():
        await task
    yield started.result()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await task == 0


async def told(calls: Calls, status: str) -> Call:
    """Return the first call of the pager about the alert that says *status*."""

    async def those() -> list[Call]:
        return [each for each in calls.by_receiver["pager"] if (each.name, each.status) == wanted]

    wanted = (NAME, status)
    return (await eventually(those, bool))[0]


async def said(url: str) -> list[str]:
    """Return what the pages of the subject and of the rule say, and the API."""
    paths = ("subjects/contoso/domain/contoso.com", f"rules/{CODE}", f"api/v1/checks?rule={CODE}")
    async with aiohttp.ClientSession() as session:
        texts = []
        for path in paths:
            async with session.get(url + path) as reply:
                texts.append(await reply.text())
        return texts


async def test_a_page_outlives_a_restart_and_all_agree_since_when_it_is(tmp_path: Path) -> None:
    async with (
        DnsServer({("contoso.com", "TXT"): BROKEN}) as dns,
        receiving() as calls,
        alertmanager(shortened.alertmanager(NOTICES, calls.addresses()), tmp_path) as manager,
        prometheus(
            f"http://127.0.0.1:{write(tmp_path, dns.address)}/",
            tmp_path,
            rules_text=shortened.rules(alerts.render(discover())),
            alertmanager_url=manager.url,
        ) as watcher,
    ):
        async with agent(tmp_path):
            page = await told(calls, "firing")
            active = await watcher.query(ACTIVE)
        await eventually(lambda: watcher.query("up == 0"), bool)
        async with agent(tmp_path) as it:
            await eventually(lambda: watcher.query(f"{FOUND} and on () up == 1"), bool)
            assert [*(await watcher.query(f"resets({FOUND}[1m])")).values()] == [0]
            assert await watcher.query(ACTIVE) == active, "Prometheus never thought it was over"
            (standing,) = (each for each in it.board.runs() if CODE in each.streaks)
            assert standing.consecutive[CODE] > standing.runs
            since = f"{standing.streaks[CODE].since:%Y-%m-%d %H:%M:%S}"
            for text in (*await said(it.url), page.alerts[0]["annotations"]["description"]):
                assert since in text.replace("T", " "), text
            dns.zone["contoso.com", "TXT"] = SOUND
            await told(calls, "resolved")
    statuses = [each.status for each in calls.by_receiver["pager"] if each.name == NAME]
    assert statuses == ["firing", "resolved"]
