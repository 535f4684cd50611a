"""What makes the checks run when they are due?

APScheduler is the engine that fires. It costs a fixed amount for each job and wake-up, which is
too much for a job per check; so it fires one job per length of slots, and the job hands what the
timetable says is due to the runner. Its own limits are switched off: it neither drops what is late
nor runs anything twice, and deadlines, overlaps and errors are the runner's.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from agent.adapters.clock import Clock
from agent.probes.base import Check
from agent.runtime.dependencies import Heartbeats
from agent.runtime.lane import Skip
from agent.runtime.runner import Runner
from agent.runtime.timetable import COARSE, Missed, Timetable

TASK = "scheduler"  # the name of its heartbeat
_PATIENCE = 15.0  # seconds without a tick until the heartbeat is overdue
_OVERSLEPT = 2.0  # seconds without a tick until the engine is woken
_TURN = 256  # checks handed over between two turns of the event loop
_BARELY = 0.001  # seconds added, so that a timer that is early by its resolution is not

_log = logging.getLogger(__name__)


class _EverySlot(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """Fires at the beginning of each slot of the steady clock, whatever the wall clock does.

    The interval trigger of the library follows the wall clock, and would list every fire time that
    a suspended machine has missed.
    """

    def __init__(self, slot: timedelta, scheduler: "Scheduler") -> None:
        self._slot = slot.total_seconds()
        self._scheduler = scheduler

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
        """Return the wall-clock time of the next beginning of a slot."""
        at = self._scheduler.now()
        ahead = (math.floor(at / self._slot) + 1) * self._slot - at
        return now + timedelta(seconds=ahead + _BARELY)


class Scheduler:
    """Hands checks to the runner when they are due.

    Each tick awaits *gate* first: whoever holds it up has the scheduler stand still while all else
    goes on, which is what its heartbeat is for.
    """

    def __init__(
        self,
        runner: Runner,
        clock: Clock,
        heartbeats: Heartbeats,
        *,
        gate: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._gate = gate
        self.woken = 0  # times that the engine had to be woken, because the wall clock stepped back
        self._runner = runner
        self._clock = clock
        self._heartbeats = heartbeats
        self._timetable = Timetable()
        # Wall time fixes the phases over restarts; from here on only the steady clock counts.
        self._offset = clock.now().timestamp() - clock.monotonic()
        self._ticked = clock.monotonic()
        self._paused = False
        self._jobs: dict[timedelta, Any] = {}
        self._engine = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        # It logs each fire twice at level INFO.
        logging.getLogger("apscheduler").setLevel(logging.WARNING)

    def now(self) -> float:
        """Return seconds on the timetable's clock: wall time at the start, and steady since."""
        return self._clock.monotonic() + self._offset

    def replace(self, checks: Iterable[Check[Any, Any]]) -> None:
        """Schedule *checks* and no others; those that stay, as the same objects, stay in phase."""
        self._timetable.replace(checks, self.now())
        pulses = self._timetable.pulses
        for pulse in self._jobs.keys() - pulses:
            self._jobs.pop(pulse).remove()
        for pulse in pulses - self._jobs.keys():
            self._jobs[pulse] = self._engine.add_job(
                self._tick, _EverySlot(pulse, self), args=(pulse,), id=str(pulse)
            )

    def start(self) -> None:
        """Begin to fire, in the running event loop."""
        self._engine.start()
        self._ticked = self._clock.monotonic()
        self._heartbeats.expect(TASK, _PATIENCE)

    def pause(self) -> None:
        """Fire no more; what has been handed over goes on."""
        self._paused = True
        self._heartbeats.forget(TASK)
        self._engine.pause()

    async def stop(self) -> None:
        """End the engine, after it was paused and the runner drained."""
        # It would cancel what runs instead of waiting for it, whatever it is told.
        self._engine.shutdown(wait=False)
        await asyncio.sleep(0)  # it shuts down in the loop's next turn

    def watch(self) -> None:
        """Wake the engine if it has overslept; to be called about every second.

        It sleeps until a time of the wall clock. When that steps back by an hour, nothing would
        fire for an hour.
        """
        if self._paused or self._clock.monotonic() - self._ticked < _OVERSLEPT:
            return
        self.woken += 1
        _log.warning("scheduler overslept, waking it", extra={"times": self.woken})
        self._ticked = self._clock.monotonic()
        for job in self._jobs.values():
            job.modify(next_run_time=datetime.now(UTC))

    async def _tick(self, pulse: timedelta) -> None:
        """Hand over what is due, in portions, so that a burst does not hold up the event loop."""
        if self._gate is not None:
            await self._gate()
        if pulse == COARSE:
            self._ticked = self._clock.monotonic()
            self._heartbeats.beat(TASK)
        handed = 0
        for due in self._timetable.due(self.now(), pulse):
            if isinstance(due, Missed):
                self._runner.skip(due.kind, Skip.STALLED, due.count)
                _log.warning("runs missed", extra={"probe": due.kind, "count": due.count})
                continue
            for check in due.checks:
                handed += 1
                if handed % _TURN == 0:
                    await asyncio.sleep(0)
                # A reload may have come between; then its successor has a run of its own.
                if check in self._timetable:
                    self._runner.submit(check, due.at - self._offset)
