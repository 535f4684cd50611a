"""The engine really fires here, on the clock of the machine and at intervals of one second."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from agent.adapters.clock import SystemClock
from agent.domain.finding import Outcome
from agent.probes.base import Check
from agent.runtime.dependencies import Heartbeats
from agent.runtime.lane import Skip
from agent.runtime.scheduler import TASK, Scheduler
from agent.runtime.timetable import COARSE
from servers.checks import FINE, Harvest, check, many, probe

SECOND = timedelta(seconds=1)
GRACE = timedelta(seconds=5)


class MovedClock(SystemClock):
    """The clock of the machine, which a test can put forward."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


class Counted:
    """Counts runs, and tells when there were enough."""

    def __init__(self) -> None:
        self.count = 0
        self.changed = asyncio.Condition()

    async def work(self) -> Outcome:
        async with self.changed:
            self.count += 1
            self.changed.notify_all()
        return FINE

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(lambda: self.count >= count)


@asynccontextmanager
async def scheduled(
    checks: list[Check[Any, Any]], clock: SystemClock | None = None
) -> AsyncIterator[tuple[Scheduler, Harvest]]:
    harvest = Harvest(clock or SystemClock())
    scheduler = Scheduler(harvest.runner, harvest.clock, Heartbeats(harvest.clock))
    scheduler.replace(checks)
    scheduler.start()
    yield scheduler, harvest
    scheduler.pause()
    await harvest.runner.drain(GRACE)
    await scheduler.stop()


async def test_a_check_runs_once_per_interval_on_its_phase() -> None:
    counted = Counted()
    async with scheduled([check(probe(counted.work), interval=SECOND)]) as (_, harvest):
        await counted.reach(4)
    starts = [run.started_at for run in harvest.runs]
    regular = [(b - a).total_seconds() for a, b in itertools.pairwise(starts[1:])]
    assert regular == pytest.approx([1.0] * len(regular), abs=0.5)


async def test_after_a_stall_every_check_runs_and_what_was_missed_is_counted() -> None:
    clock = MovedClock()
    checks = many(600, probe(), timedelta(hours=1))
    async with scheduled(checks, clock) as (scheduler, harvest):
        clock.ahead = 2.5 * 3600
        scheduler.watch()
        await harvest.reach(600)
        assert scheduler.woken == 1
    skipped = harvest.runner.tallies["spf"].skipped
    assert skipped[Skip.STALLED] >= 600
    assert skipped[Skip.OVERLAP] == 0


async def test_a_wall_clock_that_steps_back_does_not_stop_the_schedule() -> None:
    clock = MovedClock()
    counted = Counted()
    async with scheduled([check(probe(counted.work), interval=SECOND)], clock) as (scheduler, _):
        await counted.reach(1)
        for job in scheduler._jobs.values():  # what such a step amounts to
            job.modify(next_run_time=job.next_run_time + timedelta(hours=1))
        before = counted.count
        clock.ahead = 3.0
        scheduler.watch()
        await counted.reach(before + 3)
        assert scheduler.woken == 1


async def test_the_engine_is_left_alone_while_it_ticks_and_once_it_is_paused() -> None:
    clock = MovedClock()
    async with scheduled([], clock) as (scheduler, _):
        scheduler.watch()
        scheduler.pause()
        clock.ahead = 60.0
        scheduler.watch()
        assert scheduler.woken == 0


async def test_a_reload_changes_what_runs_without_new_jobs_for_ordinary_intervals() -> None:
    old, new = Counted(), Counted()
    async with scheduled([check(probe(old.work))]) as (scheduler, harvest):
        await old.reach(1)
        jobs = dict(scheduler._jobs)
        scheduler.replace([check(probe(new.work, kind="mx"))])
        assert scheduler._jobs == jobs
        await new.reach(1)
        assert [run.check.probe.kind for run in harvest.runs] == ["spf", "mx"]
        scheduler.replace([check(probe(new.work), interval=SECOND)])
        assert len(scheduler._jobs) == 2
        scheduler.replace([])
        assert scheduler._jobs.keys() == {COARSE}


async def test_a_check_that_a_reload_replaces_during_a_burst_is_not_run_any_more() -> None:
    clock = MovedClock()
    checks = many(600, probe(), timedelta(hours=1))
    async with scheduled(checks, clock) as (scheduler, harvest):
        clock.ahead = 3600.0
        tick = asyncio.create_task(scheduler._tick(COARSE))
        await asyncio.sleep(0)  # the first portion is handed over
        scheduler.replace([])
        await tick
        assert 0 < len(harvest.runs) < 600


async def test_draining_ends_what_runs_and_starts_nothing_more() -> None:
    release, entered = asyncio.Event(), asyncio.Event()

    async def work() -> Outcome:
        entered.set()
        await release.wait()
        return FINE

    async with scheduled([check(probe(work), interval=SECOND)]) as (scheduler, harvest):
        await entered.wait()
        scheduler.pause()
        drain = asyncio.create_task(harvest.runner.drain(GRACE))
        release.set()
        assert await drain == 0
    assert len(harvest.runs) == 1


async def test_ticks_are_a_sign_of_life() -> None:
    harvest = Harvest(SystemClock())
    heartbeats = Heartbeats(harvest.clock)
    counted = Counted()
    scheduler = Scheduler(harvest.runner, harvest.clock, heartbeats)
    scheduler.replace([check(probe(counted.work))])
    scheduler.start()
    first: datetime = heartbeats.beats[TASK]
    await counted.reach(1)
    assert heartbeats.beats[TASK] > first
    scheduler.pause()
    assert TASK not in heartbeats.beats
    await scheduler.stop()
