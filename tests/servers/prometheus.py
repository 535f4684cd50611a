"""A real Prometheus that scrapes one target each second, with the project's alert rules."""

import asyncio
import contextlib
import shutil
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from servers.free_ports import free_port
from servers.program import ROOT
from servers.running import eventually

PROGRAM = shutil.which("prometheus")
PROMTOOL = shutil.which("promtool")
ALERTS = ROOT / "grafana" / "alerts"
_TRIES = 5  # ports, should another program take the one that was free
_CONFIGURATION = """\
global: {{scrape_interval: {pace}s, scrape_timeout: {pace}s, evaluation_interval: 1s}}
rule_files: ["{folder}/rules/*"]
alerting: {{alertmanagers: [{{static_configs: [{{targets: [{alertmanager}]}}]}}]}}
scrape_configs:
  - job_name: mailflow
    static_configs: [{{targets: ["{target}"]}}]
"""


class Prometheus:
    """A Prometheus that runs."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def ask(self, path: str, **parameters: str) -> Any:
        """Ask its API and return the data of the answer."""
        url = f"{self.url}/api/v1/{path}"
        async with self._session.get(url, params=parameters) as reply:
            answer = await reply.json()
        assert answer["status"] == "success", answer
        return answer["data"]

    async def query(self, expression: str) -> dict[str, float]:
        """Evaluate an expression now, and return values by ``subject/probe``, or by what it has."""
        result = (await self.ask("query", query=expression))["result"]
        return {_key(series["metric"]): float(series["value"][1]) for series in result}

    async def now(self) -> float:
        """Return its time."""
        value = (await self.ask("query", query="time()"))["result"][1]
        return float(value)

    async def highest(self, selector: str, since: float) -> float:
        """Return the highest sample of all series of a selector since a time."""
        window = max(1, round(await self.now() - since))
        values = await self.query(f"max(max_over_time({selector}[{window}s]))")
        return values[""]


def _key(labels: dict[str, str]) -> str:
    wanted = ("subject", "probe", "dependency", "alertname")
    return "/".join(labels[name] for name in wanted if name in labels)


@asynccontextmanager
async def prometheus(
    target_url: str,
    folder: Path,
    *,
    rules_text: str = "",
    alertmanager_url: str = "",
    pace: int = 1,
) -> AsyncIterator[Prometheus]:
    """Run Prometheus on a free port, and give it once it is ready.

    It has the project's rules, or those of *rules_text*, and tells an Alertmanager where there is
    one. *pace* is the seconds between two scrapes.
    """
    assert PROGRAM is not None, "install Debian's prometheus"
    target = urlsplit(target_url).netloc
    rules = folder / "rules"
    rules.mkdir()
    text = rules_text or (ALERTS / "mailflow.yaml").read_text(encoding="utf-8")
    (rules / "rules.yaml").write_text(text, encoding="utf-8")
    configuration = folder / "prometheus.yml"
    manager = f'"{urlsplit(alertmanager_url).netloc}"' if alertmanager_url else ""
    text = _CONFIGURATION.format(folder=folder, target=target, alertmanager=manager, pace=pace)
    configuration.write_text(text, encoding="utf-8")
    port, process = await _start(PROGRAM, folder, configuration)
    try:
        async with aiohttp.ClientSession() as session:
            yield Prometheus(f"http://127.0.0.1:{port}", session)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _start(
    program: str, folder: Path, configuration: Path
) -> tuple[int, asyncio.subprocess.Process]:
    for _ in range(_TRIES):
        port = free_port()
        with (folder / "prometheus.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                program,
                f"--config.file={configuration}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
            )
        if await _is_ready(port, process):
            return port, process
    message = (folder / "prometheus.log").read_text(encoding="utf-8")[-2000:]
    raise AssertionError(message)


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
