"""The agent with fast routes through a real relay, killed at marked steps and at random points.

    judgement = await crash(folder, [Kill("planned"), Kill(after=1.3)])
    assert not judgement.violations, judgement.table()

Each life is a process of its own on the same state; the last one runs every route once more, and is
stopped as it should be. That one, and those that die while they start, have an interpreter of their
own; in the long form all have. Routes lead to the agent's own server, and to two Maildirs, of which
one is cleaned up.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from servers.budget import untraced
from servers.crash_judge import (
    START,
    Judgement,
    Life,
    busiest_minute,
    entries_in,
    judge,
    lateness,
    miscounted,
)
from servers.dying import STEPS
from servers.free_ports import free_port
from servers.onward import TO_KEPT, TO_MAILDIR, TO_SINK, Onward, onward
from servers.program import ROOT, Process, launch, mailflow_agent
from servers.running import Seen, eventually

_TICKS = os.sysconf("SC_CLK_TCK")
_PROGRAM = ("agent", "run", "--config")
_DYING = "servers.dying"
LOST_AFTER = 12  # seconds
BUDGET = 600  # messages in any minute
_PATIENCE = 25.0  # seconds in which a marked step must be reached
_SETTLED = LOST_AFTER + 10.0  # seconds after which the fate of every message is known
_INTERVAL = "9s"  # the shortest that Exchange Online's limits allow for one sender
_ROUTES = {"sink": 36, "box": 12, "kept": 12}


@dataclass(frozen=True, slots=True)
class Kill:
    """How a life ends: when a step is passed for the time after *passes*, or *after* seconds.

    *after* counts from when the agent says that it is ready; a negative one from its exec.
    """

    step: str = ""
    passes: int = 0
    after: float = 0.0

    @property
    def name(self) -> str:
        """What the tally calls it."""
        return f"at: {self.step}" if self.step else "at a random point"


async def crash(
    folder: Path,
    kills: Sequence[Kill],
    *,
    is_patient: bool = False,
    tell: Callable[[str], object] = lambda _: None,
) -> Judgement:
    """Let the agent live and die as *kills* say, then live on, and judge what became of all.

    Who *is_patient* waits until what was never taken is given up as well, and judges how soon the
    agent was back.
    """
    sink = free_port()
    async with onward(sink) as relay:
        await mailflow_agent("--version")  # whoever forks has compiled it all
        configure(folder, relay, sink)
        lives = []
        for number, kill in enumerate(kills):
            life = await _live(folder, kill, is_fresh=is_patient)
            lives.append(life)
            tell(f"{number + 1}/{len(kills)} {life.end}, ready after {life.start}")
        if is_patient:
            lives.append(await _settle(folder))
        # No run is cut short or ends before its message is in: its counters would be of before.
        configure(folder, relay, sink, interval="12h", timeout="30s", within="28s", lost_after=40)
        # What lies in the relay since a kill may come after the run of its route: a life for that.
        for is_fresh in (is_patient, True):
            async with _agent(folder, is_fresh=is_fresh) as agent:
                await _all_run(agent)
                await _emptied(relay)
                counters = await _counted(folder, agent)
                assert await agent.stop() == 0
            lives.append(_ended("stopped", agent))
        judgement = judge(folder / "state", relay, lives, counters)
        busiest = busiest_minute(relay)
        if is_patient:
            judgement.hold("without an end", [e for e in judgement.entries if e.is_in_flight])
            # One start beside other tests, which take the CPU's caches, would say little.
            judgement.hold(f"not back within {START:.0f} s", lateness(lives))
        judgement.hold(f"more than {BUDGET} messages in a minute", max(0, busiest - BUDGET))
    return judgement


def configure(
    folder: Path,
    relay: Onward,
    sink: int,
    *,
    interval: str = _INTERVAL,
    timeout: str = "4s",
    within: str = "5s",
    lost_after: int = LOST_AFTER,
) -> None:
    """Write the configuration of the agent that is killed."""
    lines = [
        "agent:",
        "  listen: 127.0.0.1:0",
        "  state: state",
        "  log: {level: warning}",
        "  limits: {spacing_per_host: 0s, connections_per_host: 6}",
        f"sink: {{listen: '127.0.0.1:{sink}', hostname: sink.contoso.com}}",
        "checks:",
        "  self: off",
        f"  route: {{interval: {interval}, timeout: {timeout}, messages_per_minute: 30}}",
        f"budget: {{messages_per_minute: {BUDGET}, messages_per_day: 1000000}}",
        "tenants:",
        "  - name: contoso",
        "    routes:",
    ]
    places = {
        "sink": (TO_SINK, "sink: {}"),
        "box": (TO_MAILDIR, f"maildir: {{path: {relay.maildir}}}, poll: 500ms"),
        "kept": (TO_KEPT, f"maildir: {{path: {relay.kept}}}, poll: 500ms, cleanup: keep"),
    }
    for kind, count in _ROUTES.items():
        rcpt_to, place = places[kind]
        for number in range(count):
            lines += [
                f"      - name: {kind}{number}",
                "        send:",
                f"          smtp: {{host: 127.0.0.1, port: {relay.port}}}",
                f"          mail_from: {kind}{number}@contoso.com",
                f"          rcpt_to: {rcpt_to.replace('@', f'+{number}@')}",
                f"        receive: {{{place}}}",
                f"        expect: {{within: {within}, lost_after: {lost_after}s}}",
            ]
    (folder / "config.yaml").write_text("\n".join([*lines, ""]))


class _Agent:
    """A life under way. ``start`` and ``cpu`` are seconds and CPU seconds until it was ready."""

    def __init__(self, process: Process, began: float, path: Path, *, is_fresh: bool) -> None:
        self.process = process
        self.is_fresh = is_fresh
        self.start: float | None = None
        self.cpu = 0.0
        self.url = ""
        self._began, self._path = began, path

    @property
    def log(self) -> str:
        return self._path.read_text(errors="replace")

    async def ready(self) -> bool:
        """Wait until it says where its page is; False where it ends before."""
        while not self.url and self.process.returncode is None:
            await asyncio.sleep(0.01)  # between two looks at what it wrote
            for line in self.log.splitlines():
                if line.startswith("Page "):
                    self.url, self.start = line.split()[1], time.monotonic() - self._began
                    self.cpu = _cpu(self.process.pid)
        return bool(self.url)

    async def get(self, path: str) -> str:
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as reply:
            return await reply.text()

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            return await self.process.wait()


@asynccontextmanager
async def _start(folder: Path, *command: str, is_fresh: bool) -> AsyncIterator[_Agent]:
    log = folder / "agent.log"
    with log.open("wb") as output:
        process = await launch(
            *command,
            cwd=ROOT,
            environment={**untraced(), "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
            stdout=output.fileno(),
            stderr=output.fileno(),
            is_fresh=is_fresh,
        )
    agent = _Agent(process, time.monotonic(), log, is_fresh=is_fresh)
    try:
        yield agent
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@asynccontextmanager
async def _agent(folder: Path, *, is_fresh: bool) -> AsyncIterator[_Agent]:
    """Run the program as everybody does, and wait until it is ready."""
    config = str(folder / "config.yaml")
    async with _start(folder, *_PROGRAM, config, is_fresh=is_fresh) as agent:
        async with asyncio.timeout(40):
            assert await agent.ready(), agent.log
        yield agent


async def _live(folder: Path, kill: Kill, *, is_fresh: bool) -> Life:
    """Live one life, and return how it ended."""
    config = str(folder / "config.yaml")
    if not kill.step:
        is_fresh = is_fresh or kill.after < 0
        async with _start(folder, *_PROGRAM, config, is_fresh=is_fresh) as agent:
            ready = asyncio.create_task(agent.ready())
            if kill.after >= 0:
                assert await ready, agent.log
            await asyncio.sleep(abs(kill.after))
            agent.process.kill()
            await agent.process.wait()
            await ready
        return _ended(kill.name, agent)
    assert kill.step in STEPS, kill.step
    arguments = (config, kill.step, str(kill.passes))
    async with _start(folder, _DYING, *arguments, is_fresh=is_fresh) as agent:
        async with asyncio.timeout(_PATIENCE):
            await agent.ready()
            ended = await agent.process.wait()
    assert ended == -signal.SIGKILL, agent.log
    return _ended(kill.name, agent)


def _ended(end: str, agent: _Agent) -> Life:
    return Life(end, agent.start, agent.cpu, agent.log, agent.is_fresh)


async def _settle(folder: Path) -> Life:
    """Live on until every message has found its end, and stop as one should."""
    async with _agent(folder, is_fresh=True) as agent:
        await asyncio.sleep(_SETTLED)  # what is lost is called so by a run after that time
        code = await agent.stop()
        assert code == 0, agent.log
    return _ended("stopped", agent)


def _cpu(pid: int) -> float:
    """Return the CPU seconds of a process; it may have died by now."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    return 0.0


async def _all_run(agent: _Agent) -> None:
    """Wait until as many runs as there are routes have ended in this life."""

    async def runs() -> float:
        return Seen(await agent.get("metrics")).value("mailflow_runs_total", probe="route") or 0

    await eventually(runs, lambda count: count >= sum(_ROUTES.values()), 60)


async def _counted(folder: Path, agent: _Agent) -> Seen:
    """Return a scrape that agrees with the ledger, or the last one where none ever does.

    A route that failed runs again soon, and may be counted while another has not run yet.
    """
    seen = Seen("")

    async def look() -> list[str]:
        nonlocal seen
        seen = Seen(await agent.get("metrics"))
        return miscounted(entries_in(folder / "state", []), seen)

    with contextlib.suppress(AssertionError):
        await eventually(look, lambda wrong: not wrong, 20)
    return seen


async def _emptied(relay: Onward) -> None:
    """Wait until the relay has handed on all that it took; what it keeps is for the judge."""

    async def kept() -> int:
        await relay.flush()
        return sum("sent" not in each.statuses for each in relay.taken())

    with contextlib.suppress(AssertionError):
        await eventually(kept, lambda count: not count, 20)
