"""Dependencies, signs of life, and the lag of the loop."""

import asyncio
import time
from datetime import timedelta

from agent.domain.control import RESOLVER_DOWN
from agent.domain.finding import Outcome
from agent.probes import self_check
from agent.probes.base import DEPENDENCY_DOWN, Check
from agent.runtime.board import Run, Standing
from agent.runtime.dependencies import Dependencies, Heartbeats, LagSampler, ProcessVitals
from agent.settings import AgentSubject
from proof import fires
from servers.checks import check, probe, toolbox
from servers.standings import NOON, HandClock

DOWN = Outcome((RESOLVER_DOWN.found("None of 2 control names was answered."),))


def own(outcome: Outcome | None) -> Standing:
    agent = AgentSubject(name="frankfurt")
    of = Check("agent", agent, self_check.PROBE, self_check.SelfSettings())
    run = None if outcome is None else Run(of, NOON, timedelta(), outcome)
    return Standing(of, NOON, run)


def test_what_is_not_known_to_be_down_is_up() -> None:
    dependencies = Dependencies()
    assert dependencies.up == {"resolver": True, "uplink": True}
    assert dependencies.outcome_without(("resolver", "uplink")) is None


def test_the_agents_own_check_says_what_is_down() -> None:
    dependencies = Dependencies()
    dependencies.follow(own(DOWN))
    assert dependencies.up == {"resolver": False, "uplink": True}
    down = dependencies.outcome_without(("uplink", "resolver"))
    assert down is not None
    assert fires(DEPENDENCY_DOWN, down).evidence == ("None of 2 control names was answered.",)
    assert dependencies.outcome_without(("uplink",)) is None
    dependencies.follow(own(DOWN))
    assert dependencies.outcome_without(("resolver",)) is down
    dependencies.follow(own(Outcome()))
    assert dependencies.outcome_without(("resolver",)) is None


def test_other_checks_say_nothing_about_dependencies() -> None:
    dependencies = Dependencies()
    other = check(probe())
    dependencies.follow(Standing(other, NOON, Run(other, NOON, timedelta(), DOWN)))
    dependencies.follow(own(None))
    assert dependencies.up == {"resolver": True, "uplink": True}


def test_a_task_is_overdue_when_it_is_silent_for_longer_than_expected() -> None:
    clock = HandClock()
    heartbeats = Heartbeats(clock)
    heartbeats.expect("scheduler", 15.0)
    heartbeats.beat("unheard of")
    clock.advance(timedelta(seconds=14))
    assert heartbeats.overdue() == ()
    heartbeats.beat("scheduler")
    assert heartbeats.beats == {"scheduler": clock.now()}
    clock.advance(timedelta(seconds=16))
    assert heartbeats.overdue() == ("scheduler",)
    heartbeats.forget("scheduler")
    heartbeats.forget("unheard of")
    assert heartbeats.overdue() == ()


async def test_a_blocked_loop_is_seen_as_lag() -> None:
    seen: list[timedelta] = []
    enough = asyncio.Event()

    def observe(lag: timedelta) -> None:
        seen.append(lag)
        enough.set()

    sampler = LagSampler(observe)
    sampler.stop()  # before its start, too
    sampler.start()
    time.sleep(0.2)  # noqa: ASYNC251 - blocks the loop on purpose
    await enough.wait()
    sampler.stop()
    assert sampler.lag.maximum >= 0.1
    assert max(seen) >= timedelta(seconds=0.1)
    assert sampler.lag.quantile(0.99) == sampler.lag.maximum


async def test_the_vital_signs_are_those_of_the_process() -> None:
    clock = HandClock()
    heartbeats, sampler = Heartbeats(clock), LagSampler()
    assert sampler.lag.quantile(0.5) == 0.0
    heartbeats.expect("writer", 1.0)
    sampler.lag.add(2.5)
    vitals = ProcessVitals(sampler, heartbeats, lambda: "The disk is full.")
    clock.advance(timedelta(seconds=2))
    outcome = await self_check.run(own(None).check, toolbox(clock, vitals=vitals))
    assert [finding.rule.code for finding in outcome.findings] == [
        "self-loop-lag",
        "self-task-overdue",
        "self-store-failing",
    ]
    assert ProcessVitals(sampler, heartbeats).store_trouble() == ""
