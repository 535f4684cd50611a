"""What the runner makes of probes that end well, late, badly or never."""

import asyncio
import logging
from datetime import timedelta

import pytest

from agent.adapters.clock import SystemClock
from agent.domain.finding import Outcome, Severity
from agent.probes.base import CRASHED, DEPENDENCY_DOWN, TIMED_OUT
from agent.runtime.board import Run
from agent.runtime.lane import Limits, Skip
from proof import fires, quiet
from servers.checks import FINE, Harvest, check, many, probe

LONG = timedelta(seconds=30)


class Gate:
    """Work that goes on until it is let go."""

    def __init__(self) -> None:
        self.entered = 0
        self.most = 0
        self.inside = 0
        self.open = asyncio.Event()
        self.arrived = asyncio.Event()

    async def work(self) -> Outcome:
        self.entered += 1
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.arrived.set()
        try:
            await self.open.wait()
        finally:
            self.inside -= 1
        return FINE


async def test_a_run_is_published_with_its_start_and_its_duration() -> None:
    harvest = Harvest()
    of = check()
    run = await harvest.runner.run(of)
    assert harvest.runs == [run]
    assert run.check is of
    assert run.started_at == harvest.clock.now()
    assert run.outcome is FINE
    assert harvest.runner.tallies["spf"].runs == 1


async def test_a_run_that_does_not_end_is_ended_at_its_deadline() -> None:
    harvest = Harvest(SystemClock())
    gate = Gate()
    run = await harvest.runner.run(check(probe(gate.work), timeout=timedelta(milliseconds=100)))
    assert harvest.codes() == ["run-timed-out"]
    fires(TIMED_OUT, run.outcome)
    assert run.outcome.severity is Severity.UNKNOWN
    quiet(CRASHED, run.outcome)  # the TimeoutError of the deadline is none of the probe's
    assert gate.inside == 0
    assert harvest.runner.tallies["spf"].failures == {"timeout": 1}
    again = await harvest.runner.run(check(probe(gate.work), timeout=timedelta(milliseconds=100)))
    assert again.outcome is run.outcome


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ValueError("bad \x1b[31m value"), id="an error"),
        pytest.param(TimeoutError(), id="a timeout that is not the deadline"),
        pytest.param(RecursionError(), id="recursion"),
        pytest.param(ExceptionGroup("two", [ValueError(), OSError()]), id="several at once"),
        pytest.param(asyncio.CancelledError(), id="a cancellation that nobody asked for"),
    ],
)
async def test_a_crash_is_counted_logged_and_shown_as_unknown(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    async def crash() -> Outcome:
        raise error

    harvest = Harvest()
    run = await harvest.runner.run(check(probe(crash)))
    assert harvest.codes() == ["run-crashed"]
    assert run.outcome.severity is Severity.UNKNOWN
    assert "\x1b" not in fires(CRASHED, run.outcome).detail
    quiet(TIMED_OUT, run.outcome)
    tally = harvest.runner.tallies["spf"]
    assert (tally.runs, tally.crashes, tally.failures) == (1, 1, {})
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert await harvest.runner.run(check()) is harvest.runs[-1]  # and life goes on


async def test_a_check_does_not_overlap_itself() -> None:
    harvest = Harvest()
    gate = Gate()
    of = check(probe(gate.work))
    harvest.runner.submit(of, 0.0)
    await gate.arrived.wait()
    harvest.runner.submit(of, 1.0)
    assert harvest.runner.tallies["spf"].skipped[Skip.OVERLAP] == 1
    gate.open.set()
    await harvest.runner.run(of)
    assert gate.entered == 1
    await harvest.runner.run(of)
    assert gate.entered == 2


async def test_whoever_asks_for_a_check_joins_the_run_that_goes_on() -> None:
    harvest = Harvest()
    gate = Gate()
    of = check(probe(gate.work))
    first = asyncio.create_task(harvest.runner.run(of))
    second = asyncio.create_task(harvest.runner.run(of))
    await gate.arrived.wait()
    first.cancel()  # who goes away does not end the run
    gate.open.set()
    assert await second is harvest.runs[0]
    assert gate.entered == 1


async def test_no_more_than_the_limits_run_at_once_and_none_is_lost() -> None:
    harvest = Harvest(limits=Limits(runs=5, runs_per_kind=3, by_kind={"mx": 4}))
    spf, mx = Gate(), Gate()
    for of in many(20, probe(spf.work)) + many(20, probe(mx.work, kind="mx")):
        harvest.runner.submit(of, 0.0)
    await asyncio.gather(spf.arrived.wait(), mx.arrived.wait())
    assert harvest.runner.running == 5
    assert harvest.runner.waiting == 35
    assert spf.inside == 3
    spf.open.set()
    await harvest.runner.run(many(20, probe(spf.work))[19])
    assert mx.inside == 4
    mx.open.set()
    assert await harvest.runner.drain(LONG) == 0
    assert (spf.most, mx.most) == (3, 4)


async def test_a_check_that_still_waits_when_it_is_due_again_is_overloaded() -> None:
    harvest = Harvest(limits=Limits(runs=1))
    gate = Gate()
    first, second = many(2, probe(gate.work))
    harvest.runner.submit(first, 0.0)
    harvest.runner.submit(second, 0.0)
    await gate.arrived.wait()
    harvest.runner.submit(second, 60.0)
    assert harvest.runner.tallies["spf"].skipped[Skip.OVERLOADED] == 1
    gate.open.set()
    await harvest.runner.run(second)
    assert len(harvest.runs) == 2


async def test_lateness_is_measured_from_falling_due() -> None:
    harvest = Harvest()
    of = check()
    harvest.runner.submit(of, harvest.clock.monotonic() - 2.5)
    await harvest.runner.run(of)
    assert harvest.runner.lateness.maximum == 2.5
    assert harvest.lateness == [timedelta(seconds=2.5)]


async def test_a_check_is_not_run_in_vain_while_what_it_needs_is_down() -> None:
    harvest = Harvest()
    gate = Gate()
    needy = check(probe(gate.work, depends_on=("resolver",)))
    harvest.dependencies.note("resolver", "None of 2 control names was answered.")
    harvest.runner.submit(needy, 0.0)
    harvest.runner.submit(needy, 1.0)
    assert harvest.codes() == ["dependency-down"] * 2
    finding = fires(DEPENDENCY_DOWN, harvest.runs[0].outcome)
    assert "resolver" in finding.detail
    assert finding.evidence == ("None of 2 control names was answered.",)
    assert harvest.runs[0].outcome is harvest.runs[1].outcome
    tally = harvest.runner.tallies["spf"]
    assert (tally.runs, tally.skipped[Skip.DEPENDENCY_DOWN]) == (0, 2)
    assert (await harvest.runner.run(needy)).outcome is harvest.runs[0].outcome
    assert gate.entered == 0
    needless = await harvest.runner.run(check(probe(depends_on=("uplink",))))
    quiet(DEPENDENCY_DOWN, needless.outcome)  # what needs something else runs
    harvest.dependencies.note("resolver")
    gate.open.set()
    assert (await harvest.runner.run(needy)).outcome is FINE


async def test_what_waits_is_not_run_in_vain_once_what_it_needs_is_down() -> None:
    harvest = Harvest(limits=Limits(runs=1))
    gate = Gate()
    first, second = many(2, probe(gate.work, depends_on=("resolver",)))
    harvest.runner.submit(first, 0.0)
    waiting = asyncio.create_task(harvest.runner.run(second))
    await gate.arrived.wait()
    harvest.dependencies.note("resolver", "None of 2 control names was answered.")
    gate.open.set()
    fires(DEPENDENCY_DOWN, (await waiting).outcome)
    tally = harvest.runner.tallies["spf"]
    assert (tally.runs, tally.skipped[Skip.DEPENDENCY_DOWN], gate.entered) == (1, 1, 1)


async def test_draining_waits_for_what_runs_and_starts_nothing_more() -> None:
    harvest = Harvest(limits=Limits(runs=1))
    gate = Gate()
    first, second, third = many(3, probe(gate.work))
    harvest.runner.submit(first, 0.0)
    waiting = asyncio.create_task(harvest.runner.run(second))
    await gate.arrived.wait()
    drain = asyncio.create_task(harvest.runner.drain(LONG))
    stopped = await waiting
    assert stopped.outcome.failure == "draining"
    harvest.runner.submit(third, 0.0)
    assert (await harvest.runner.run(third)).outcome.failure == "draining"
    gate.open.set()
    assert await drain == 0
    assert harvest.names == [first.subject]
    assert harvest.runner.tallies["spf"].skipped[Skip.DRAINING] == 2


async def test_what_does_not_end_within_the_grace_is_cancelled() -> None:
    harvest = Harvest(SystemClock())
    gate = Gate()
    asked = asyncio.create_task(harvest.runner.run(check(probe(gate.work))))
    await gate.arrived.wait()
    assert await harvest.runner.drain(timedelta(milliseconds=10)) == 1
    assert (await asked).outcome.failure == "draining"
    assert harvest.runs == []
    assert gate.inside == 0


async def test_an_idle_runner_drains_at_once() -> None:
    assert await Harvest().runner.drain(LONG) == 0


async def test_a_burst_of_ready_checks_leaves_the_loop_to_others() -> None:
    harvest = Harvest(limits=Limits(runs=1))
    turns = 0

    def turn() -> None:
        nonlocal turns
        turns += 1
        asyncio.get_running_loop().call_soon(turn)

    for of in many(1000):
        harvest.runner.submit(of, 0.0)
    last = many(1000)[-1]
    turn()
    await harvest.runner.run(last)
    assert len(harvest.runs) == 1000
    assert turns >= 1000 // 16


async def test_a_fault_in_publishing_does_not_stop_the_rest(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Stumbling(Harvest):
        stumbled = False

        def take(self, run: Run) -> None:
            if not self.stumbled:
                self.stumbled = True
                raise RuntimeError(run)
            super().take(run)

    harvest = Stumbling(limits=Limits(runs=1))
    first, second = many(2)
    one, other = asyncio.create_task(harvest.runner.run(first)), harvest.runner.run(second)
    await asyncio.gather(one, other)
    assert harvest.names == [second.subject]
    assert "worker crashed" in caplog.text


async def test_failures_that_probes_tell_are_counted_by_reason() -> None:
    async def fail() -> Outcome:
        return Outcome(failure="servfail")

    harvest = Harvest()
    harvest.runner.introduce("spf")
    assert harvest.runner.tallies["spf"].failures == {}
    await harvest.runner.run(check(probe(fail)))
    assert harvest.runner.tallies["spf"].failures == {"servfail": 1}
    harvest.runner.skip("spf", Skip.STALLED, 7)
    assert harvest.runner.tallies["spf"].skipped[Skip.STALLED] == 7
