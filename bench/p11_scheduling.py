"""P11: what does it cost to start 50,000 checks a minute?

Ours: the real scheduler and runner with a probe that does nothing, so deadline, limits, overlap
guard, clock readings and the making of a run are all in it. The peer: APScheduler as people use it,
a job for each check, whose coroutine does nothing; its phases are spread, which is kind to it.
Making the checks and jobs is not counted. CPU time is for one run.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from harness import Goal, Variant, compare, conclude, measure

from agent.adapters.clock import SystemClock
from agent.domain.finding import Outcome
from agent.probes.base import Check, Probe, Toolbox
from agent.runtime.dependencies import Dependencies, Heartbeats
from agent.runtime.runner import Runner
from agent.runtime.scheduler import Scheduler
from agent.settings import CheckSettings, DomainSubject

TARGETS = 50_000
INTERVAL = timedelta(seconds=60)
SECONDS = 15
FINE = Outcome()


async def nothing(_check: Check[Any, Any], _tools: Toolbox) -> Outcome:
    return FINE


def checks(count: int, interval: timedelta = INTERVAL) -> list[Check[Any, Any]]:
    probe = Probe("spf", DomainSubject, CheckSettings, nothing, ())
    settings = CheckSettings(interval=interval)
    return [
        Check("contoso", DomainSubject(name=f"domain{number}.example"), probe, settings)
        for number in range(count)
    ]


def tools(clock: SystemClock) -> Toolbox:
    missing: Any = None
    return Toolbox(missing, clock, missing, missing, missing, missing, missing)


async def _ours() -> None:
    clock = SystemClock()
    ran = 0

    def publish(_: object) -> None:
        nonlocal ran
        ran += 1

    runner = Runner(tools(clock), publish, Dependencies())
    scheduler = Scheduler(runner, clock, Heartbeats(clock))
    scheduler.replace(checks(TARGETS))
    scheduler._timetable._first.clear()  # the steady state is what is measured
    scheduler.start()
    await asyncio.sleep(1)
    expected = int(TARGETS * SECONDS / INTERVAL.total_seconds())
    ran = 0
    with measure(expected) as extra:
        await asyncio.sleep(SECONDS)
        extra["late_p99_ms"] = runner.lateness.quantile(0.99) * 1000
        extra["done"] = ran / expected
        extra["load_%"] = 0.0
    scheduler.pause()
    await runner.drain(timedelta(seconds=5))
    await scheduler.stop()


async def _peer() -> None:
    ran = 0

    async def job() -> None:
        nonlocal ran
        ran += 1

    scheduler = AsyncIOScheduler(timezone=UTC)
    begin = datetime.now(UTC) + timedelta(seconds=30)
    for number in range(TARGETS):
        phase = timedelta(seconds=INTERVAL.total_seconds() * number / TARGETS)
        scheduler.add_job(
            job, "interval", seconds=INTERVAL.total_seconds(), start_date=begin + phase - INTERVAL
        )
    scheduler.start()
    await asyncio.sleep(2)
    expected = int(TARGETS * SECONDS / INTERVAL.total_seconds())
    ran = 0
    with measure(expected) as extra:
        await asyncio.sleep(SECONDS)
        extra["done"] = ran / expected
    scheduler.shutdown(wait=False)
    await asyncio.sleep(0)


def ours() -> None:
    asyncio.run(_ours())


def peer() -> None:
    asyncio.run(_peer())


if __name__ == "__main__":
    results = compare(
        [Variant("ours", "p11_scheduling:ours"), Variant("apscheduler", "p11_scheduling:peer")]
    )
    for runs in results.runs.values():
        for run in runs:
            run.extra["load_%"] = 100 * run.cpu / run.wall
    conclude(
        results,
        Goal("ours", "apscheduler", "cpu", gate=0.2, moonshot=0.1),
        Goal("ours", "", "load_%", gate=2.0, moonshot=1.0),
    )
