"""What has the runtime done so far?

Reads the counters that the runner keeps for each kind of probe, the state of the dependencies and
the signs of life of the tasks, when a scrape comes.
"""

from collections.abc import Callable, Iterator

from agent.domain.finding import Measurement
from agent.exposition import own_signals as own
from agent.runtime.dependencies import Dependencies, Heartbeats
from agent.runtime.runner import Runner


def read(
    runner: Runner, dependencies: Dependencies, heartbeats: Heartbeats
) -> Callable[[], Iterator[Measurement]]:
    """Return what reads the runtime, for ``OwnMetrics.watch``."""
    return lambda: _measure(runner, dependencies, heartbeats)


def _measure(
    runner: Runner, dependencies: Dependencies, heartbeats: Heartbeats
) -> Iterator[Measurement]:
    for kind, tally in runner.tallies.items():
        yield own.RUNS.at(tally.runs, kind)
        yield own.RUN_CRASHES.at(tally.crashes, kind)
        for reason, count in tally.failures.items():
            yield own.RUN_FAILURES.at(count, kind, reason)
        for skip, count in tally.skipped.items():
            yield own.RUNS_SKIPPED.at(count, kind, skip.value)
    for name, up in dependencies.up.items():
        yield own.DEPENDENCY_UP.at(up, name)
    for task, at in heartbeats.beats.items():
        yield own.HEARTBEAT.at(at.timestamp(), task)
    yield own.RUNNING.at(runner.running)
    yield own.WAITING.at(runner.waiting)
