"""What do readers cost, and does a scrape come through while others attack?

The real server, pages and API over a board of 10,000 subjects with two checks each, in a process of
its own whose loop lag is sampled all the time; the attackers are this process. Gates: a scrape
under every attack within a second, the lag's p99 at most 50 ms more than at rest.

    .venv/bin/python bench/p23_http_attack.py [--subjects 10000] [--connections 5000] [--seconds 10]
"""

import argparse
import asyncio
import base64
import contextlib
import gc
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]

from agent.exposition.http.logins import make_hash  # noqa: E402 - found through the path above
from agent.runtime.dependencies import LagSampler  # noqa: E402
from servers.exposed import Agent  # noqa: E402
from servers.standings import large_board  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
LATEST, LAG = 1.0, 0.050  # seconds
PASSWORD = "benchmark"
LOGIN = "Basic " + base64.b64encode(f"bench:{PASSWORD}".encode()).decode()
PATHS = {
    "metrics": "/metrics",
    "page": "/",
    "page of one": "/subjects/tenant07/domain/domain00007.example",
    "API subjects": "/api/v1/subjects",
    "API checks, filtered": "/api/v1/checks?state=trouble&per_page=500",
    "API one check": "/api/v1/checks/tenant07/domain/domain00007.example/spf",
    "API agent": "/api/v1/agent",
    "API status, whole": "/api/v1/status",
}
Streams = list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]


async def serve(subjects: int, web_config: str) -> None:
    """Serve a board; say the lag so far, in seconds, for each line that comes in."""
    agent = Agent()
    agent.board = large_board(agent.clock, subjects)
    agent.server = agent.make(web_config=Path(web_config))
    sampler = LagSampler()
    sampler.start()
    port = await agent.server.start("127.0.0.1", 0)
    gc.collect()
    gc.freeze()  # as the agent does once it has started
    print(port, flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        lag = sampler.lag
        print(json.dumps([lag.quantile(0.5), lag.quantile(0.99), lag.maximum]), flush=True)
        lag._latest.clear()


class Target:
    """The server in its process."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process, self.port = process, port

    async def lag(self) -> list[float]:
        """Return median, p99 and maximum since the last call, in seconds."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"\n")
        lag: list[float] = json.loads(await self._process.stdout.readline())
        return lag

    def cpu(self) -> float:
        """Return the seconds of CPU that it has taken."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    async def ask(self, path: str) -> float:
        """Ask as Prometheus does; return the seconds to the last octet."""
        started = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**24)
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        writer.write(f"{head}Accept-Encoding: gzip\r\nAuthorization: {LOGIN}\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        if not answer.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(answer[:60])
        return time.monotonic() - started


def _web_config(folder: Path) -> Path:
    path = folder / "web.yml"
    path.write_text(f"basic_auth_users: {{bench: '{make_hash(PASSWORD)}'}}\n")
    return path


@asynccontextmanager
async def serving(subjects: int) -> AsyncIterator[Target]:
    """Start the server."""
    with tempfile.TemporaryDirectory() as folder:
        web = _web_config(Path(folder))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            __file__,
            "--serve",
            str(web),
            "--subjects",
            str(subjects),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        try:
            yield Target(process, int(await process.stdout.readline()))
        finally:
            process.kill()
            await process.wait()


async def hold(target: Target, count: int, say: bytes) -> None:
    """Hold *count* connections that say something and nothing more; come again when dropped."""

    async def one() -> None:
        while True:
            writer = None
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", target.port, limit=1)
                writer.write(say)
                while await reader.read(1):  # noqa: ASYNC110 - as slowly as that
                    await asyncio.sleep(0.1)  # an octet now and then
            except OSError:
                pass
            finally:
                if writer is not None:
                    writer.transport.abort()
                    writer.close()
            await asyncio.sleep(5)

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(one())
            if number % 50 == 0:
                await asyncio.sleep(0.01)


def attacks(target: Target, connections: int) -> dict[str, Callable[[], Awaitable[None]]]:
    """Return the attacks by name."""
    head = b"Host: localhost\r\nAuthorization: " + LOGIN.encode() + b"\r\n"
    wrong = b"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic eDp5\r\n\r\n"
    return {
        "idle connections": lambda: hold(target, connections, b""),
        "half a head": lambda: hold(target, connections, b"GET / HTTP/1.1\r\n" + head),
        "slow readers": lambda: hold(target, 150, b"GET /metrics HTTP/1.1\r\n" + head + b"\r\n"),
        "wrong passwords": lambda: hold(target, 100, wrong),
        "a flood of pages": lambda: hold(
            target, 100, b"GET /api/v1/subjects HTTP/1.1\r\n" + head + b"Connection: close\r\n\r\n"
        ),
    }


async def under(attack: Awaitable[None] | None, target: Target, seconds: float) -> list[float]:
    """Scrape again and again under an attack; return the times, failures as infinite."""
    task = None if attack is None else asyncio.ensure_future(attack)
    await asyncio.sleep(3 if task else 0)  # until it is in full swing
    await target.lag()
    took, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            took.append(await asyncio.wait_for(target.ask("/metrics"), 10))
        except (OSError, TimeoutError):
            took.append(float("inf"))
        await asyncio.sleep(0.5)
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return sorted(took)


async def main(subjects: int, connections: int, seconds: float) -> int:
    """Measure, print, and return the exit code."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    connections = min(connections, hard - 500)
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    del soft
    held = True
    async with serving(subjects) as target:
        print(f"{subjects} subjects, {2 * subjects} checks")
        for name, path in PATHS.items():
            took = sorted([await target.ask(path) for _ in range(7)])
            lag = await target.lag()
            print(f"{name:24} {took[3] * 1e3:8.1f} ms median {took[-1] * 1e3:8.1f} ms at most,"
                  f" lag {lag[2] * 1e3:6.1f} ms at most")  # fmt: skip
        rest = await under(None, target, seconds)
        quiet = await target.lag()
        print(
            f"\nat rest: scrape {rest[len(rest) // 2] * 1e3:.0f} ms, lag p99 {quiet[1] * 1e3:.1f}"
        )
        for name, begin in attacks(target, connections).items():
            before, started = target.cpu(), time.monotonic()
            took = await under(begin(), target, seconds)
            lag = await target.lag()
            share = (target.cpu() - before) / (time.monotonic() - started)
            is_held = took[-1] <= LATEST and lag[1] <= quiet[1] + LAG
            held = held and is_held
            print(
                f"{name:24} scrape {took[len(took) // 2] * 1e3:7.0f} ms median"
                f" {took[-1] * 1e3:7.0f} ms at most of {len(took)},"
                f" lag p99 {lag[1] * 1e3:6.1f} ms, {lag[2] * 1e3:6.1f} ms at most"
                f" {share:4.0%} of a core  {'held' if is_held else 'MISSED'}"
            )
            await asyncio.sleep(2)
    return 0 if held else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--serve", default="")
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(given.subjects, given.serve))
    else:
        sys.exit(asyncio.run(main(given.subjects, given.connections, given.seconds)))
