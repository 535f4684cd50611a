"""P8 to P10: a scrape of 100,000 series, against the official client library in the same run.

Ours are labels and values behind a board's metrics, written piece by piece with turns of the loop
between; the peer's are gauges rendered by ``generate_latest``. The texts are compared byte for byte
before anything is measured. ``fresh`` has every family changed since the last scrape, ``steady``
two of ten; ``rewritten`` sets every series before each scrape and counts that, too, for both.
A ticker measures the longest stall of the loop while the scrape goes on.
"""

import asyncio
import gc
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

from harness import HERE, Goal, Variant, compare, conclude, measure
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from agent.exposition.series import Family
from agent.exposition.text_format import Format

FAMILIES = 10
EACH = 10_000
SCRAPES = 5
LABELS = ("tenant", "subject", "probe")


def _labels(number: int) -> tuple[str, str, str]:
    return (f"tenant{number % 40:02}", f"domain{number:05}.example", "spf" if number % 2 else "mx")


def _name(family: int) -> str:
    return f"mailflow_bench_{family}_seconds"


def _ours() -> list[Family]:
    families = [Family(_name(family), "A gauge.", LABELS) for family in range(FAMILIES)]
    for number in range(EACH):
        labels = _labels(number)
        for family in families:
            family.set(labels, number * 1.5)
    return families


def _peer() -> CollectorRegistry:
    registry = CollectorRegistry()
    for family in range(FAMILIES):
        gauge = Gauge(_name(family), "A gauge.", LABELS, registry=registry)
        for number in range(EACH):
            gauge.labels(*_labels(number)).set(number * 1.5)
    return registry


async def _scrape(families: list[Family]) -> list[bytes]:
    return [bytes(piece) for family in families async for piece in family.render(Format.TEXT)]


async def _longest_stall(work: Callable[[], Awaitable[object]]) -> float:
    """Return how long, at most, the loop did nothing but *work*, in seconds."""
    longest, last, done = 0.0, time.perf_counter(), False

    async def tick() -> None:
        nonlocal longest, last
        while not done:
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
            await asyncio.sleep(0)

    ticker = asyncio.create_task(tick())
    await asyncio.sleep(0)
    await work()
    await asyncio.sleep(0)
    done = True
    await ticker
    return longest


def identical() -> None:
    """Exit with an error unless both write the same bytes."""
    families = _ours()
    assert b"".join(asyncio.run(_scrape(families))) == generate_latest(_peer())


def ours(changed: str) -> None:
    families = _ours()
    gc.freeze()

    async def run() -> None:
        await _scrape(families)
        # The stall first and unmeasured: the ticker's own turns would count as ours.
        stalls = []
        for turn in range(SCRAPES):
            _change(families[: int(changed)], turn)
            stalls.append(await _longest_stall(lambda: _scrape(families)))
        with measure(SCRAPES) as extra:
            for turn in range(SCRAPES):
                _change(families[: int(changed)], SCRAPES + turn)
                await _scrape(families)
            extra["stall"] = max(stalls)

    asyncio.run(run())


def _change(families: list[Family], turn: int) -> None:
    for family in families:
        family.set(_labels(turn), -1.0 - turn)


def peer() -> None:
    registry = _peer()
    gc.freeze()
    generate_latest(registry)
    with measure(SCRAPES) as extra:
        stalls = []
        for _ in range(SCRAPES):
            before = time.perf_counter()
            generate_latest(registry)
            stalls.append(time.perf_counter() - before)
        extra["stall"] = max(stalls)


def ours_rewritten() -> None:
    families = _ours()
    # Keys kept for each check, as the agent does.
    checks = [(_labels(number), families[0].key(_labels(number))) for number in range(EACH)]
    gc.freeze()

    async def run() -> None:
        await _scrape(families)
        with measure(SCRAPES) as extra:
            for turn in range(SCRAPES):
                for number, (labels, key) in enumerate(checks):
                    for family in families:
                        family.set(labels, number * 2.5 + turn, key)
                await _scrape(families)
            extra["stall"] = 0.0

    asyncio.run(run())


def peer_rewritten() -> None:
    registry = CollectorRegistry()
    gauges = [Gauge(_name(f), "A gauge.", LABELS, registry=registry) for f in range(FAMILIES)]
    # Children kept, as its documentation advises: the cheapest way it has.
    children = [[gauge.labels(*_labels(number)) for gauge in gauges] for number in range(EACH)]
    gc.freeze()
    with measure(SCRAPES) as extra:
        for turn in range(SCRAPES):
            for number, row in enumerate(children):
                for child in row:
                    child.set(number * 2.5 + turn)
            generate_latest(registry)
        extra["stall"] = 0.0


if __name__ == "__main__":
    # In a process of its own, because a child's peak memory begins with that of its parent.
    command = (sys.executable, "-c", "import p08_exposition as it; it.identical()")
    subprocess.run(
        command, check=True, cwd=HERE, env={**os.environ, "PYTHONPATH": str(HERE.parent)}
    )
    results = compare(
        [
            Variant("fresh", "p08_exposition:ours", (str(FAMILIES),)),
            Variant("steady", "p08_exposition:ours", ("2",)),
            Variant("prometheus_client", "p08_exposition:peer"),
            Variant("rewritten", "p08_exposition:ours_rewritten"),
            Variant("peer rewritten", "p08_exposition:peer_rewritten"),
        ]
    )
    conclude(
        results,
        Goal("fresh", "prometheus_client", "cpu", gate=0.15, moonshot=0.05),
        Goal("steady", "prometheus_client", "cpu", gate=0.15, moonshot=0.05),
        Goal("rewritten", "peer rewritten", "cpu", gate=0.5, moonshot=0.15),
        Goal("fresh", "", "stall", gate=0.050, moonshot=0.005),
        Goal("fresh", "prometheus_client", "memory", gate=1.0, moonshot=0.7),
    )
