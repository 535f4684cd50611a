"""The whole way from a fault to a person: the agent, Prometheus, Alertmanager, and who is called.

async with night(folder) as it:          # all is well
    await it.world.smart_host.cut()
    await it.until_called(lambda calls: calls)
"""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from servers import shortened
from servers.alertmanager import Alertmanager, Call, Calls, alertmanager, receiving
from servers.budget import untraced
from servers.paging_world import PagingWorld, paging_world
from servers.program import ROOT, Process, launch
from servers.prometheus import ALERTS, Prometheus, prometheus
from servers.running import POLL, eventually

CONFIGURATION = ROOT / "deploy" / "alertmanager.yml"
PATIENCE = 60.0  # seconds for a page, far more than it takes
WELL = "count(mailflow_check_severity < 2) == count(mailflow_check_interval_seconds)"


class Watched:
    """The agent as a process that is ended and started again."""

    def __init__(self, world: PagingWorld, session: aiohttp.ClientSession) -> None:
        self._world, self._session = world, session
        self._process: Process | None = None

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        environment = {**untraced(), "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
        with (self._world.folder / "agent.log").open("ab") as log:
            self._process = await launch(
                *("servers.paging_agent", str(self._world.folder)),
                cwd=ROOT,
                environment=environment,
                stdout=log.fileno(),
                stderr=log.fileno(),
            )
        await eventually(self._answers, bool, PATIENCE)

    async def _answers(self) -> bool:
        url = f"http://127.0.0.1:{self._world.agent_port}/-/ready"
        with contextlib.suppress(aiohttp.ClientError):
            async with self._session.get(url) as reply:
                return reply.status == 200
        return False

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    async def end(self) -> None:
        """Kill it, whatever it does."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@dataclass
class Night:
    """A person on call, and everything that may wake them."""

    world: PagingWorld
    agent: Watched
    watcher: Prometheus
    manager: Alertmanager
    calls: Calls

    async def until(self, expression: str, seconds: float = PATIENCE) -> None:
        """Wait until Prometheus says that an expression has a value.

        It is asked and not the agent: reading a whole scrape would hold up the world, which lives
        in the loop of the test.
        """
        try:
            await eventually(lambda: self.watcher.query(expression), bool, seconds)
        except AssertionError:
            bad = await self.watcher.query("mailflow_finding >= 1")
            message = f"never {expression}; findings: {bad}; firing: {await self.firing()}"
            raise AssertionError(message) from None

    async def until_well(self, seconds: float = PATIENCE) -> None:
        """Wait until every check has run and none is worse than a warning, and nothing pages."""
        await self.until(f"{WELL} and on () up == 1", seconds)
        await eventually(self.firing, lambda names: not names, seconds)

    async def firing(self) -> set[str]:
        """Return the names of the alerts that Prometheus has firing, of those that page."""
        found = await self.watcher.query(
            'count by (alertname) (ALERTS{alertstate="firing", severity="critical"})'
        )
        return set(found)

    async def until_called(self, name: str, status: str, since: int) -> Call:
        """Wait for a call of the pager about an alert, after so many calls, and return it."""
        calls = self.calls.by_receiver["pager"]
        end = time.monotonic() + PATIENCE
        while True:
            for call in calls[since:]:
                if (call.name, call.status) == (name, status):
                    return call
            said = [(call.name, call.status) for call in calls[since:]]
            assert time.monotonic() < end, f"called: {said}; firing: {await self.firing()}"
            await asyncio.sleep(POLL)


@asynccontextmanager
async def night(folder: Path) -> AsyncIterator[Night]:
    """Run everything, and give it once all is well."""
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(paging_world(folder))
        calls = await stack.enter_async_context(receiving())
        notices = shortened.alertmanager(CONFIGURATION.read_text(), calls.addresses())
        manager = await stack.enter_async_context(alertmanager(notices, folder))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        agent = Watched(world, session)
        stack.push_async_callback(agent.end)
        await agent.start()
        watcher = await stack.enter_async_context(
            prometheus(
                f"http://127.0.0.1:{world.agent_port}/",
                folder,
                rules_text=shortened.rules((ALERTS / "mailflow.yaml").read_text()),
                alertmanager_url=manager.url,
                pace=2,  # a busy machine may take a second to answer
            )
        )
        it = Night(world, agent, watcher, manager, calls)
        await it.until_well()
        try:
            yield it
        finally:
            said = [call.content for call in calls.by_receiver["pager"]]
            (folder / "pages.json").write_text(json.dumps(said, indent=1), encoding="utf-8")
