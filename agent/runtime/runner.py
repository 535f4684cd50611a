"""How does a check run: when it may, once at a time, within its deadline, whatever its probe does?

The runner is the one place that catches every exception: a probe that crashes is counted, logged
with its traceback and shown as unknown, and nothing else suffers. Checks that are due wait in
lanes, one for each kind of probe, and are taken by a bounded number of workers; a burst therefore
costs a queue and not a task for each check, and the event loop stays free.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from agent.adapters.clock import Clock
from agent.domain.finding import Outcome
from agent.domain.peer_text import PeerText
from agent.probes.base import CRASHED, DEPENDENCY_DOWN, TIMED_OUT, Check, Toolbox
from agent.runtime.board import Run
from agent.runtime.dependencies import Dependencies
from agent.runtime.lane import DEFAULT_LIMITS, Due, Lane, Limits, Skip, Tally
from agent.runtime.recent import Recent
from agent.settings import write_duration

_log = logging.getLogger(__name__)
_TURN = 16  # runs that a worker does before it lets others have the loop, awaiting or not
_RESERVE = 4  # workers called before it is known whether those before them have time
_LATEST = 4096


class Runner:
    """Runs checks, and hands each run to *publish*."""

    def __init__(
        self,
        tools: Toolbox,
        publish: Callable[[Run], None],
        dependencies: Dependencies,
        limits: Limits = DEFAULT_LIMITS,
        *,
        observe_lateness: Callable[[timedelta], None] | None = None,
    ) -> None:
        self._observe_lateness = observe_lateness
        self.lateness = Recent(_LATEST)  # seconds from falling due to starting
        self._tools = tools
        self._clock: Clock = tools.clock
        self._publish = publish
        self._dependencies = dependencies
        self._limits = limits
        self._lanes: dict[str, Lane] = {}
        self._order: deque[Lane] = deque()
        self._due: dict[str, Due] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._hired = 0  # workers that have not begun
        self._draining = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def tallies(self) -> Mapping[str, Tally]:
        """Counters by kind of probe."""
        return {kind: lane.tally for kind, lane in self._lanes.items()}

    @property
    def waiting(self) -> int:
        """Checks that are due and have not started."""
        return sum(len(lane.waiting) for lane in self._lanes.values())

    @property
    def running(self) -> int:
        """Runs that are going on."""
        return sum(lane.running for lane in self._lanes.values())

    def introduce(self, kind: str) -> None:
        """Make the counters of *kind* exist at 0, before its first run."""
        self._lane(kind)

    def skip(self, kind: str, reason: Skip, count: int = 1) -> None:
        """Count checks that were due and did not run."""
        self._lane(kind).tally.skipped[reason] += count

    def submit(self, check: Check[Any, Any], due: float) -> None:
        """Run *check* as soon as there is room. *due* is on the monotonic clock.

        It does not run, and is counted as skipped, while its last run goes on, while something it
        depends on is down, be it only when there is room, and once the runner drains.
        """
        identity = check.identity
        earlier = self._due.get(identity)
        if earlier is not None:
            reason = Skip.OVERLAP if earlier.started else Skip.OVERLOADED
            earlier.lane.tally.skipped[reason] += 1
            return
        lane = self._lanes.get(check.probe.kind) or self._lane(check.probe.kind)
        if self._draining:
            lane.tally.skipped[Skip.DRAINING] += 1
            return
        down = self._dependencies.outcome_without(check.probe.depends_on)
        if down is not None:
            lane.tally.skipped[Skip.DEPENDENCY_DOWN] += 1
            self._publish(Run(check, self._clock.now(), timedelta(), down))
            return
        self._enqueue(identity, Due(check, lane, due))

    async def run(self, check: Check[Any, Any]) -> Run:
        """Run *check* now, or join the run that goes on, and return it when it has ended.

        The run is the same as a scheduled one, and is published. It goes on when the caller is
        cancelled. While the runner drains, and where a dependency is down, it is not run, and what
        comes back says so.
        """
        due = self._due.get(check.identity)
        if due is None:
            down = self._dependencies.outcome_without(check.probe.depends_on)
            if self._draining or down is not None:
                return Run(check, self._clock.now(), timedelta(), down or _stopping())
            due = Due(check, self._lane(check.probe.kind), self._clock.monotonic())
            self._enqueue(check.identity, due)
        if due.asked is None:
            due.asked = asyncio.get_running_loop().create_future()
        return await asyncio.shield(due.asked)

    async def drain(self, grace: timedelta) -> int:
        """Start nothing more and wait up to *grace* for the runs that go on.

        Return how many had to be cancelled. Those that were waiting are counted as skipped.
        """
        self._draining = True
        for lane in self._lanes.values():
            lane.tally.skipped[Skip.DRAINING] += len(lane.waiting)
            for due in lane.waiting:
                self._end(due, None)
            lane.waiting.clear()
        try:
            async with asyncio.timeout(grace.total_seconds()):
                await self._idle.wait()
        except TimeoutError:
            cut = self.running
            for worker in self._workers:
                worker.cancel()
            await asyncio.gather(*self._workers, return_exceptions=True)
            return cut
        return 0

    def _lane(self, kind: str) -> Lane:
        lane = self._lanes.get(kind)
        if lane is None:
            limit = self._limits.by_kind.get(kind, self._limits.runs_per_kind)
            lane = self._lanes[kind] = Lane(limit)
            self._order.append(lane)
        return lane

    def _enqueue(self, identity: str, due: Due) -> None:
        self._due[identity] = due
        due.lane.waiting.append(due)
        if self._hired < _RESERVE and due.lane.running < due.lane.limit:
            self._employ()

    def _employ(self) -> None:
        """Have one more worker, where the limit allows it."""
        if len(self._workers) < self._limits.runs:
            self._hired += 1
            worker = asyncio.get_running_loop().create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._worker_ended)
            self._idle.clear()

    def _worker_ended(self, worker: asyncio.Task[None]) -> None:
        """Replace a worker that ended before its work did, which only a bug of ours can cause."""
        self._workers.discard(worker)
        if not worker.cancelled() and worker.exception() is not None:
            _log.error("a worker crashed", exc_info=worker.exception())
        if self.waiting and not self._workers:
            self._employ()
        elif not self._workers:
            self._idle.set()

    async def _work(self) -> None:
        """Run what waits, until nothing does that may run."""
        self._hired -= 1
        done = 0
        while (due := self._take()) is not None:
            if due.lane.waiting and self._hired < _RESERVE:
                self._employ()  # this worker may be busy for long
            try:
                await self._run(due)
            finally:
                due.lane.running -= 1
            done += 1
            if done % _TURN == 0:
                await asyncio.sleep(0)

    def _take(self) -> Due | None:
        """Return the next check that may start; the lanes take turns."""
        for _ in range(len(self._order)):
            lane = self._order[0]
            self._order.rotate(-1)
            if lane.waiting and lane.running < lane.limit:
                lane.running += 1
                return lane.waiting.popleft()
        return None

    async def _run(self, due: Due) -> None:
        run = None
        try:
            due.started = True
            started_at = self._clock.now()
            started = self._clock.monotonic()
            self._note_lateness(max(0.0, started - due.at))
            outcome = await self._attempt(due)
            duration = timedelta(seconds=self._clock.monotonic() - started)
            run = Run(due.check, started_at, duration, outcome)
            self._publish(run)
        finally:
            self._end(due, run)

    def _note_lateness(self, seconds: float) -> None:
        self.lateness.add(seconds)
        if self._observe_lateness is not None:
            self._observe_lateness(timedelta(seconds=seconds))

    def _end(self, due: Due, run: Run | None) -> None:
        """Forget that *due* is due, and answer those who asked for it; None: it was cut short."""
        del self._due[due.check.identity]
        if due.asked is not None and not due.asked.done():
            stopped = run or Run(due.check, self._clock.now(), timedelta(), _stopping())
            due.asked.set_result(stopped)

    async def _attempt(self, due: Due) -> Outcome:
        """Run the probe once. Whatever it raises becomes an outcome, except that we stop."""
        check, tally = due.check, due.lane.tally
        down = self._dependencies.outcome_without(check.probe.depends_on)
        if down is not None:  # it went down while the check was waiting
            tally.skipped[Skip.DEPENDENCY_DOWN] += 1
            return down
        timeout = check.settings.timeout
        deadline = asyncio.timeout(timeout.total_seconds())
        tally.runs += 1
        try:
            async with deadline:
                outcome = await check.probe.run(check, self._tools)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return _crashed(check, tally, error)  # the probe was cancelled by its own doing
        except Exception as error:  # noqa: BLE001 - the one place that survives a probe's bug
            if not (deadline.expired() and isinstance(error, TimeoutError)):
                return _crashed(check, tally, error)
            outcome = _timed_out(timeout)
        if outcome.failure:
            tally.failures[outcome.failure] = tally.failures.get(outcome.failure, 0) + 1
        return outcome


def _crashed(check: Check[Any, Any], tally: Tally, error: BaseException) -> Outcome:
    tally.crashes += 1
    _log.error(
        "probe crashed",
        exc_info=error,
        extra={"check": check.identity, "probe": check.probe.kind},
    )
    return Outcome((CRASHED.found(PeerText(repr(error))),))


@cache
def _timed_out(timeout: timedelta) -> Outcome:
    # The same object each time: what shows it need not draw it again.
    finding = TIMED_OUT.found(f"There was no result within {write_duration(timeout)}.")
    return Outcome((finding,), failure="timeout")


@cache
def _stopping() -> Outcome:
    finding = DEPENDENCY_DOWN.found("The agent is stopping and starts nothing more.")
    return Outcome((finding,), failure="draining")
