"""A real Alertmanager, and whom it calls.

async with receiving() as calls, alertmanager(configuration, folder) as manager:
    await manager.post([{"labels": {...}}])
    page = await calls.next("pager")
"""

import asyncio
import contextlib
import shutil
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from servers.free_ports import free_port
from servers.running import eventually

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
AMTOOL = shutil.which("amtool")
RECEIVERS = ("pager", "chat", "dead-man")
_TRIES = 5  # ports, should another program take the one that was free


@dataclass(frozen=True, slots=True)
class Call:
    """One notice: when it came (monotonic seconds), and what it says."""

    at: float
    content: Mapping[str, Any]

    @property
    def status(self) -> str:
        """Whether it says ``firing`` or ``resolved``, of the whole group."""
        return str(self.content["status"])

    @property
    def name(self) -> str:
        """The name of the alerts of the group."""
        return str(self.content["groupLabels"].get("alertname", ""))

    @property
    def alerts(self) -> Sequence[Mapping[str, Any]]:
        """The alerts of the group."""
        return list(self.content["alerts"])


class Calls:
    """What came in at each receiver, in order."""

    def __init__(self) -> None:
        self.url = ""
        self.by_receiver: dict[str, list[Call]] = {name: [] for name in RECEIVERS}

    def addresses(self) -> dict[str, str]:
        """Return where each receiver is called."""
        return {name: f"{self.url}/{name}" for name in RECEIVERS}

    async def handle(self, request: web.Request) -> web.Response:
        call = Call(time.monotonic(), await request.json())
        self.by_receiver[request.path.strip("/")].append(call)
        return web.Response()


@asynccontextmanager
async def receiving() -> AsyncIterator[Calls]:
    """Run a server that takes webhooks."""
    calls = Calls()
    app = web.Application()
    app.router.add_post("/{path:.*}", calls.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    calls.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield calls
    finally:
        await runner.cleanup()


class Alertmanager:
    """An Alertmanager that runs."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def post(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """Have it take in alerts, as from Prometheus."""
        async with self._session.post(f"{self.url}/api/v2/alerts", json=list(alerts)) as reply:
            assert reply.status == 200, await reply.text()

    async def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that it knows, with what inhibits them."""
        async with self._session.get(f"{self.url}/api/v2/alerts") as reply:
            found: list[dict[str, Any]] = await reply.json()
            return found


@asynccontextmanager
async def alertmanager(configuration: str, folder: Path) -> AsyncIterator[Alertmanager]:
    """Run Alertmanager on a free port, and give it once it is ready."""
    assert PROGRAM is not None, "install Debian's prometheus-alertmanager"
    file = folder / "alertmanager.yml"
    file.write_text(configuration, encoding="utf-8")
    port, process = await _start(PROGRAM, folder, file)
    try:
        async with aiohttp.ClientSession() as session:
            yield Alertmanager(f"http://127.0.0.1:{port}", session)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _start(program: str, folder: Path, file: Path) -> tuple[int, asyncio.subprocess.Process]:
    for _ in range(_TRIES):
        port = free_port()
        with (folder / "alertmanager.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                program,
                f"--config.file={file}",
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",  # nobody to gossip with
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
            )
        if await _is_ready(port, process):
            return port, process
    raise AssertionError((folder / "alertmanager.log").read_text(encoding="utf-8")[-2000:])


async def _is_ready(port: int, process: asyncio.subprocess.Process) -> bool:
    """Wait until it answers, or has ended because the port is taken."""

    async def status(session: aiohttp.ClientSession) -> int:
        with contextlib.suppress(aiohttp.ClientError):
            async with session.get(f"http://127.0.0.1:{port}/-/ready") as reply:
                return reply.status
        return 0

    async with aiohttp.ClientSession() as session:
        await eventually(
            lambda: status(session), lambda code: code == 200 or process.returncode is not None
        )
    return process.returncode is None
