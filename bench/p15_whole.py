"""What does the whole agent cost: 10,000 domains, SPF and MX of each every five minutes?

The real program runs as a process with a real configuration, against an authority in a process of
its own, and is scraped with gzip every fifteen seconds. After a warm-up of one interval, in which
every check runs for the first time, there are two windows of ``--seconds`` each. In the first the
CPU time is taken from the kernel. In the second an outside probe asks ``/-/healthy`` every 50 ms,
which shows what the agent's own histograms may not know: how long the event loop does not come
round. The agent's own figures are taken over both. ``--profile`` runs it under cProfile and keeps
the profile; its CPU time then means nothing.

Goals: CPU 10 % of a core (moonshot 5), lag p99 20 ms and at most 100 ms, lateness p99 250 ms, peak
resident set 200 MiB (moonshot 128).
"""

import asyncio
import math
import re
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import many_domains

SCRAPE_EVERY = 15.0
PROBE_EVERY = 0.05
_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


class Scrapes:
    """Fetches the metrics, now and then, and keeps what they said."""

    def __init__(self, agent: many_domains.Process) -> None:
        self._agent = agent
        self.taken: list[float] = []
        self.series = 0
        self.size = 0

    async def until(self, end: float) -> None:
        while time.monotonic() < end:
            start = time.monotonic()
            await self.once()
            await asyncio.sleep(max(0.0, min(start + SCRAPE_EVERY, end) - time.monotonic()))

    async def once(self) -> dict[str, float]:
        """Return the agent's own samples by name and labels."""
        body, taken = await asyncio.to_thread(self._agent.scrape)
        self.taken.append(taken)
        self.size = len(body)
        self.series = body.count(b"\n") - body.count(b"\n#")
        marks = (b"mailflow_event_loop", b"mailflow_scheduler", b"mailflow_dns", b"mailflow_runs_")
        own = b"\n".join(line for line in body.splitlines() if line.startswith(marks))
        found = _SAMPLE.findall(own.decode())
        return {f"{name}{{{labels}}}": float(value) for name, labels, value in found}


class Delta:
    """What happened between two readings of the agent's own metrics."""

    def __init__(self, before: dict[str, float], after: dict[str, float]) -> None:
        self._change = {key: value - before.get(key, 0) for key, value in after.items()}

    def sum(self, name: str) -> float:
        return sum(change for key, change in self._change.items() if key.startswith(name + "{"))

    def histogram(self, name: str) -> tuple[float, float, float]:
        """Return p50, p99 and the upper bound of the largest, in seconds, as Prometheus would."""
        counts = sorted(
            (float(re.search(r'le="([^"]+)"', key)[1]), change)  # type: ignore[index]
            for key, change in self._change.items()
            if key.startswith(f"{name}_bucket")
        )
        most = min(bound for bound, count in counts if count == counts[-1][1])
        return _quantile(counts, 0.5), _quantile(counts, 0.99), most


def _quantile(counts: list[tuple[float, float]], share: float) -> float:
    wanted, below, under = counts[-1][1] * share, 0.0, 0.0
    for bound, count in counts:
        if count >= wanted:
            if math.isinf(bound) or count == below:
                return under
            return under + (bound - under) * (wanted - below) / (count - below)
        below, under = count, bound
    return under


async def probe(url: str, end: float) -> list[float]:
    """Ask whether the agent is healthy every 50 ms, by one connection; return how long it took."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    request = f"GET /-/healthy HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode()
    taken = []
    due = time.monotonic()
    while due < end:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        start = time.monotonic()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])  # type: ignore[index]
        await reader.readexactly(length)
        taken.append(time.monotonic() - start)
        due = max(due + PROBE_EVERY, time.monotonic())
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return sorted(taken)


async def measure(agent: many_domains.Process, warm_up: float, seconds: float) -> bool:
    """Watch the agent, print what was seen, and say whether every gate held."""
    say: Callable[[str], None] = print
    scrapes = Scrapes(agent)
    first = agent.read()
    await scrapes.until(time.monotonic() + warm_up)
    before, zero = agent.read(), await scrapes.once()
    warm_cpu = (before.cpu - first.cpu) / (before.at - first.at)
    await scrapes.until(time.monotonic() + seconds)
    after = agent.read()
    cpu = (after.cpu - before.cpu) / (after.at - before.at) * 100
    end = time.monotonic() + seconds
    taken, _ = await asyncio.gather(probe(agent.url, end), scrapes.until(end))
    delta = Delta(zero, await scrapes.once())
    peak = agent.read().peak / 2**20
    runs = delta.sum("mailflow_runs_total")
    lag = delta.histogram("mailflow_event_loop_lag_seconds")
    late = delta.histogram("mailflow_scheduler_lateness_seconds")
    outside = [taken[len(taken) // 2], taken[int(len(taken) * 0.99)], taken[-1]]
    say(f"CPU {cpu:.1f} % of a core; while warming up {warm_cpu * 100:.1f} %")
    say(f"runs {runs:.0f}, skipped {delta.sum('mailflow_runs_skipped_total'):.0f}")
    say(f"queries per run {delta.sum('mailflow_dns_queries_total') / max(1, runs):.2f}")
    say(
        f"series {scrapes.series}, {scrapes.size / 1e6:.1f} MB, a scrape takes"
        f" {statistics.median(scrapes.taken) * 1e3:.0f} ms, at most {max(scrapes.taken) * 1e3:.0f}"
    )
    say(
        f"lag by itself, ms: p50 {lag[0] * 1e3:.1f}, p99 {lag[1] * 1e3:.1f},"
        f" all below {lag[2] * 1e3:.0f}"
    )
    say(
        f"/-/healthy, ms: p50 {outside[0] * 1e3:.1f}, p99 {outside[1] * 1e3:.1f},"
        f" max {outside[2] * 1e3:.1f}, {len(taken)} times"
    )
    say(f"resident {agent.read().resident / 2**20:.0f} MiB, at most {peak:.0f}")
    goals = (
        ("CPU, % of a core", cpu, 10, 5),
        ("lag p99, ms", outside[1] * 1e3, 20, 5),
        ("lag max, ms", outside[2] * 1e3, 100, 50),
        ("lateness p99, ms", late[1] * 1e3, 250, 50),
        ("peak resident set, MiB", peak, 200, 128),
    )
    for what, value, gate, moonshot in goals:
        word = "gate held" if value <= gate else "gate MISSED"
        word = "moonshot reached" if value <= moonshot else word
        say(f"{what}: {value:.4g} (gate {gate}, moonshot {moonshot}): {word}")
    return all(value <= gate for _, value, gate, _ in goals)


async def main() -> int:
    parser = many_domains.options("The whole agent.", seconds=75)
    parser.add_argument("--warm-up", type=float, default=305, help="seconds, one interval at least")
    parser.add_argument("--profile", type=Path, help="keep a profile of the agent here")
    given = parser.parse_args()
    with many_domains.folder() as folder:
        async with many_domains.resolver(with_unbound=given.unbound) as port:
            config = many_domains.configure(
                folder,
                port,
                domains=given.domains,
                interval=given.interval,
                posture=given.posture,
            )
            with many_domains.agent(config, profile="profiled.py" * bool(given.profile)) as agent:
                await asyncio.to_thread(agent.wait_until_healthy)
                held = await measure(agent, given.warm_up, given.seconds)
            log = agent.log.read_text()
        if given.profile:
            shutil.copy(f"{config}.profile", given.profile)
    if noise := [line for line in log.splitlines() if "level=" in line]:
        print(f"logged {len(noise)} lines, the first:", noise[0])
    return int(not held)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
