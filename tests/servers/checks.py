"""Checks whose runs do what a test says, and the tools they are given."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, cast

from agent.adapters.clock import Clock
from agent.adapters.resolver_stats import ResolverStats, ServerStats
from agent.domain.finding import Outcome
from agent.domain.lookup import Answer, Query, Reply
from agent.probes.base import Check, Probe, Toolbox, Vitals
from agent.runtime.board import Run
from agent.runtime.dependencies import Dependencies
from agent.runtime.lane import Limits
from agent.runtime.runner import Runner
from agent.settings import CheckSettings, DomainSubject
from servers.standings import HandClock

FINE = Outcome()
Work = Callable[[], Awaitable[Outcome]]


class DictResolver:
    """Answers from a dict; what it lacks is the apex of a zone, and has nothing but its SOA."""

    def __init__(self, zone: dict[str, Reply] | None = None) -> None:
        self.zone = zone or {}
        self.asked: list[Query] = []
        self.stats = ResolverStats((ServerStats("192.0.2.53:53"), ServerStats("192.0.2.54:53")))

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        self.asked += queries
        return tuple(self.zone.get(query.name, _else(query)) for query in queries)


def _else(query: Query) -> Answer:
    return Answer(("ns.example",)) if query.type == "SOA" else Answer()


def toolbox(
    clock: Clock | None = None, resolver: DictResolver | None = None, vitals: Vitals | None = None
) -> Toolbox:
    """Return tools of which only the clock, the resolver and the vital signs are there."""
    missing = cast("Any", None)
    return Toolbox(
        resolver=cast("Any", resolver or DictResolver()),
        clock=clock or HandClock(),
        recall=missing,
        history=missing,
        ledger=missing,
        dialer=missing,
        trust=missing,
        vitals=vitals,
    )


async def fine() -> Outcome:
    return FINE


def probe(
    work: Work = fine, *, kind: str = "spf", depends_on: tuple[str, ...] = ()
) -> Probe[DomainSubject, CheckSettings]:
    """Return a probe whose runs do *work*."""

    async def run(_check: Check[Any, Any], _tools: Toolbox) -> Outcome:
        return await work()

    return Probe(kind, DomainSubject, CheckSettings, run, (), depends_on=depends_on)


def check(
    of: Probe[Any, Any] | None = None,
    name: str = "contoso.com",
    *,
    interval: timedelta = timedelta(minutes=1),
    timeout: timedelta = timedelta(seconds=30),
) -> Check[Any, Any]:
    settings = CheckSettings(interval=interval, timeout=timeout)
    return Check("contoso", DomainSubject(name=name), of or probe(), settings)


def many(
    count: int, of: Probe[Any, Any] | None = None, interval: timedelta = timedelta(minutes=1)
) -> list[Check[Any, Any]]:
    """Return checks of different domains with the same settings."""
    of = of or probe()
    settings = CheckSettings(interval=interval)
    return [
        Check("contoso", DomainSubject(name=f"domain{number}.example"), of, settings)
        for number in range(count)
    ]


class Harvest:
    """A runner and what it has published."""

    def __init__(self, clock: Clock | None = None, limits: Limits | None = None) -> None:
        self.clock = clock or HandClock()
        self.runs: list[Run] = []
        self.lateness: list[timedelta] = []
        self.dependencies = Dependencies()
        self._published = asyncio.Event()
        self.runner = Runner(
            toolbox(self.clock),
            self.take,
            self.dependencies,
            limits or Limits(),
            observe_lateness=self.lateness.append,
        )

    def take(self, run: Run) -> None:
        self.runs.append(run)
        self._published.set()

    async def reach(self, different: int) -> None:
        """Wait until so many different checks have run."""
        async with asyncio.timeout(20):
            while len({run.check.identity for run in self.runs}) < different:
                self._published.clear()
                await self._published.wait()

    @property
    def names(self) -> list[str]:
        return [run.check.subject for run in self.runs]

    def codes(self) -> list[str]:
        return [finding.rule.code for run in self.runs for finding in run.outcome.findings]
