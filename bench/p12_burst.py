"""P12: what is lost when 50,000 checks fall due at once, as after a stall or a suspend?

The clock is put forward by an interval, so everything is due now. Counted is what has not run one
interval later or, earlier, once all has run; measured is the longest time for which the event loop
did not come round. The peer is APScheduler with its defaults and a job for each check.
"""

import asyncio
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from harness import Goal, Variant, compare, conclude, measure
from p11_scheduling import INTERVAL, TARGETS, checks, tools

from agent.adapters.clock import SystemClock
from agent.runtime.board import Run
from agent.runtime.dependencies import Dependencies, Heartbeats
from agent.runtime.runner import Runner
from agent.runtime.scheduler import Scheduler


class MovedClock(SystemClock):
    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


class Stalls:
    """The longest time between two turns of the loop."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time()
        self._turn()

    def _turn(self) -> None:
        now = self._loop.time()
        self.longest = max(self.longest, now - self._due)
        self._due = now + 0.001
        self._loop.call_at(self._due, self._turn)


async def _ours() -> None:
    clock = MovedClock()
    ran: set[str] = set()
    everything = asyncio.Event()

    def publish(run: Run) -> None:
        ran.add(run.check.identity)
        if len(ran) == TARGETS:
            everything.set()

    runner = Runner(tools(clock), publish, Dependencies())
    scheduler = Scheduler(runner, clock, Heartbeats(clock))
    scheduler.replace(checks(TARGETS))
    scheduler._timetable._first.clear()
    scheduler.start()
    await asyncio.sleep(1)
    ran.clear()
    with measure(TARGETS) as extra:
        stalls = Stalls()
        clock.ahead = INTERVAL.total_seconds()
        try:
            async with asyncio.timeout(INTERVAL.total_seconds()):
                await everything.wait()
        except TimeoutError:
            pass
        extra["lost"] = TARGETS - len(ran)
        extra["stall_ms"] = stalls.longest * 1000
    scheduler.pause()
    await runner.drain(timedelta(seconds=5))
    await scheduler.stop()


async def _peer() -> None:
    ran = 0

    async def job() -> None:
        nonlocal ran
        ran += 1

    scheduler = AsyncIOScheduler(timezone=UTC)
    begin = datetime.now(UTC) + timedelta(seconds=15)
    for _ in range(TARGETS):
        scheduler.add_job(job, "interval", seconds=INTERVAL.total_seconds(), start_date=begin)
    scheduler.start()
    with measure(TARGETS) as extra:
        await asyncio.sleep(max(0.0, (begin - datetime.now(UTC)).total_seconds() - 1))
        stalls = Stalls()
        await asyncio.sleep(10)
        extra["lost"] = TARGETS - ran
        extra["stall_ms"] = stalls.longest * 1000
    scheduler.shutdown(wait=False)
    await asyncio.sleep(0)


def ours() -> None:
    asyncio.run(_ours())


def peer() -> None:
    asyncio.run(_peer())


if __name__ == "__main__":
    results = compare([Variant("ours", "p12_burst:ours"), Variant("apscheduler", "p12_burst:peer")])
    conclude(
        results,
        Goal("ours", "", "lost", gate=0.0, moonshot=0.0),
        Goal("ours", "", "stall_ms", gate=100.0, moonshot=100.0),
    )
