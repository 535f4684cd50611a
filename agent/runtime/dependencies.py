"""Can the agent see at all: what is down that checks depend on, and are its own tasks alive?

When the resolver is down, a thousand domains are not broken: nothing is known of them. The `self`
check finds that out, and the runner asks here before it runs what could tell nothing.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.adapters.clock import Clock
from agent.domain.finding import Outcome
from agent.probes.base import DEPENDENCY_DOWN
from agent.probes.self_check import DEPENDENCY_OF_RULE, KIND, RESOLVER, UPLINK
from agent.runtime.board import Standing
from agent.runtime.recent import Recent

_SAMPLE_EVERY = 0.05  # seconds
_SAMPLES = 1200  # a minute of them


class Dependencies:
    """The state of everything that checks depend on; what is not known to be down is up."""

    def __init__(self, names: Iterable[str] = (RESOLVER, UPLINK)) -> None:
        self._up = dict.fromkeys(names, True)
        self._down: dict[str, Outcome] = {}

    def note(self, name: str, cause: str = "") -> None:
        """Take in that *name* is down because of *cause*, a sentence; without a cause it is up."""
        self._up[name] = not cause
        if not cause:
            self._down.pop(name, None)
        elif name not in self._down:
            # One object for as long as it is down, so that showing it ten thousand times is cheap.
            finding = DEPENDENCY_DOWN.found(f"The {name} is down.", cause)
            self._down[name] = Outcome((finding,), failure="dependency-down")

    def note_all(self, kind: str, causes: Mapping[str, str]) -> None:
        """Take in the state of all things of a *kind*, such as ``mailbox``, by name.

        Those of that kind that are not among them are forgotten: a reload has removed them.
        """
        named = {f"{kind} {name}": cause for name, cause in causes.items()}
        for gone in [each for each in self._up if each.startswith(f"{kind} ")]:
            if gone not in named:
                del self._up[gone]
                self._down.pop(gone, None)
        for name, cause in named.items():
            self.note(name, cause)

    def follow(self, standing: Standing) -> None:
        """Take in what the `self` check has found; runs of other checks say nothing here."""
        if standing.check.probe.kind != KIND or standing.run is None:
            return
        found = {finding.rule.code: finding for finding in standing.run.outcome.findings}
        for code, name in DEPENDENCY_OF_RULE.items():
            if code in found or name in self._up:  # not every agent needs an identity provider
                self.note(name, found[code].detail if code in found else "")

    def outcome_without(self, names: tuple[str, ...]) -> Outcome | None:
        """Return what a check shows that needs a dependency that is down; None: all are up."""
        if not self._down:
            return None
        for name in names:
            if name in self._down:
                return self._down[name]
        return None

    @property
    def down(self) -> frozenset[str]:
        """The names of those that are down."""
        return frozenset(self._down)

    @property
    def up(self) -> Mapping[str, bool]:
        """Whether each is up, by name."""
        return self._up


@dataclass(slots=True)
class Beat:
    """A sign of life: when, on both clocks, and after how many seconds of silence to worry."""

    patience: float
    at: datetime
    monotonic: float


class Heartbeats:
    """The last sign of life of each long-lived task."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._beats: dict[str, Beat] = {}

    def expect(self, task: str, patience: float) -> None:
        """From now on *task* is overdue when it is silent for *patience* seconds."""
        self._beats[task] = Beat(patience, self._clock.now(), self._clock.monotonic())

    def beat(self, task: str) -> None:
        """Note that *task* is alive; one that is not expected is not noted."""
        beat = self._beats.get(task)
        if beat is not None:
            beat.at = self._clock.now()
            beat.monotonic = self._clock.monotonic()

    def forget(self, task: str) -> None:
        """Expect nothing more of *task*, because it was ended on purpose."""
        self._beats.pop(task, None)

    @property
    def beats(self) -> Mapping[str, datetime]:
        """When each task was last seen, by name."""
        return {task: beat.at for task, beat in self._beats.items()}

    def overdue(self) -> tuple[str, ...]:
        """Return the tasks that have been silent for too long."""
        now = self._clock.monotonic()
        return tuple(t for t, beat in self._beats.items() if now - beat.monotonic > beat.patience)


class LagSampler:
    """How late the event loop calls back, measured all the time.

    A timer is armed at a fixed pace; how late it fires is the lag. A loop that was blocked for a
    second is seen as one sample of up to a second. ``lag`` holds the last minute, in seconds;
    *observe* is called with each sample.
    """

    def __init__(self, observe: Callable[[timedelta], None] = lambda _: None) -> None:
        self.lag = Recent(_SAMPLES)
        self._observe = observe
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to sample in the running loop."""
        loop = asyncio.get_running_loop()
        self._arm(loop, loop.time() + _SAMPLE_EVERY)

    def stop(self) -> None:
        """End sampling."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self._timer = loop.call_at(due, self._sample, loop, due)

    def _sample(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        now = loop.time()
        lag = max(0.0, now - due)
        self.lag.add(lag)
        self._observe(timedelta(seconds=lag))
        self._arm(loop, now + _SAMPLE_EVERY)


class ProcessVitals:
    """What the `self` check reads of the process; *store_trouble* says what ails the store."""

    def __init__(
        self,
        sampler: LagSampler,
        heartbeats: Heartbeats,
        store_trouble: Callable[[], str] = lambda: "",
    ) -> None:
        self._sampler = sampler
        self._heartbeats = heartbeats
        self._store_trouble = store_trouble

    def loop_lag(self) -> timedelta:
        """Return the largest lag of the event loop in the last minute."""
        return timedelta(seconds=self._sampler.lag.maximum)

    def overdue_tasks(self) -> tuple[str, ...]:
        """Return the names of tasks of the agent that show no sign of life."""
        return self._heartbeats.overdue()

    def store_trouble(self) -> str:
        """Say in a sentence why the store does not take what it should; empty when it does."""
        return self._store_trouble()
