"""What do scrapers see of the world that the agent watches?

Fed by the board, run by run. A result is shown while it is younger than three intervals and then
goes away, because an old green is worse than a gap; when a check ran last, and how often it should,
is always shown, so that staleness is visible. A finding exists only while it is found. Counters
and histograms stay, or their rates would lie. The series of a removed check go with it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from agent.adapters.clock import Clock
from agent.domain.finding import Measurement, Outcome, Signal
from agent.exposition.series import Family
from agent.exposition.text_format import Format
from agent.probes.base import Check, Probe
from agent.runtime.board import Board, Standing

SEVERITY = Signal(
    "mailflow_check_severity",
    "Worst finding of the last run: 0 ok, 1 warning, 2 unknown, 3 critical;"
    " absent when older than three intervals.",
)
LAST_RUN = Signal(
    "mailflow_check_last_run_timestamp_seconds",
    "When the check last ended; before its first run, since when it has been configured.",
)
INTERVAL = Signal("mailflow_check_interval_seconds", "Configured time between two runs.")
DURATION = Signal("mailflow_check_duration_seconds", "How long the last run took.")
FINDING = Signal(
    "mailflow_finding",
    "Runs in a row that found the rule broken; present only while it is.",
    labels=("rule", "severity"),
)
CHECK_LABELS = ("tenant", "subject", "probe")
CHECK_SIGNALS = (SEVERITY, LAST_RUN, INTERVAL, DURATION, FINDING)

LIFETIME = 3  # intervals for which a result is shown
_BATCH = 256  # checks taken in or given up between two turns of the loop
_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Entry:
    """What is exported of one check; ``gauges`` and ``found`` are what an expiry takes away."""

    identity: str
    labels: tuple[str, str, str]
    check: Check[Any, Any] | None = None
    fresh: bool = False
    interval: float = 0.0
    found: dict[str, str] = field(default_factory=dict)
    gauges: tuple[tuple[Family, Hashable], ...] = ()
    lasting: dict[tuple[Family, Hashable], None] = field(default_factory=dict)


class Metrics:
    """All series about checks, kept in step with a board.

    *initial* gives the measurements of a check that has not run yet. *failed* is called for each
    measurement that does not fit its declaration, which is a bug of a probe: it loses that series
    and nothing else.
    """

    def __init__(
        self,
        board: Board,
        probes: Iterable[Probe[Any, Any]],
        clock: Clock,
        *,
        initial: Callable[[Check[Any, Any]], tuple[Measurement, ...]] = lambda _: (),
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self._board = board
        self._initial = initial
        self._clock = clock
        self._failed = failed
        self._families = families(probes)
        self._entries: dict[str, _Entry] = {}
        # One queue per interval: in it, entries expire in the order in which they were published.
        self._expiries: dict[float, dict[_Entry, float]] = {}
        self._unseen: deque[Standing] = deque()
        self._removed: dict[str, _Entry] = {}
        board.subscribe(self.publish, kept=self.keep)
        self.keep()

    def keep(self) -> None:
        """Note a new set of checks; the next scrape takes it in, in batches."""
        standings = self._board.runs()
        identities = {standing.check.identity for standing in standings}
        for identity in [known for known in self._entries if known not in identities]:
            self._removed[identity] = self._entries.pop(identity)
        self._unseen = deque(standings)

    def publish(self, standing: Standing) -> None:
        """Take in the run that *standing* has just got."""
        run = standing.run
        if run is None:
            return
        entry = self._take_in(standing)
        if not (standing.same and entry.fresh):
            self._place(entry, run.outcome)
        self._set(LAST_RUN, entry, standing.last_run_at.timestamp())
        self._set(DURATION, entry, run.duration.total_seconds())
        finding = self._families[FINDING.name]
        for code, count in standing.consecutive.items():
            values = (*entry.labels, code, entry.found[code])
            finding.set((entry.identity, code), values, count)
        self._renew(entry)

    def _take_in(self, standing: Standing) -> _Entry:
        """Return the entry of a check, made or brought up to date where necessary."""
        check = standing.check
        identity = check.identity
        entry = self._entries.get(identity)
        if entry is None:
            # Removed and configured again before a scrape came by: its lines are still there.
            entry = self._removed.pop(identity, None)
            if entry is None:
                entry = _Entry(identity, (check.tenant, check.subject, check.probe.kind))
            entry.check = None
            self._entries[identity] = entry
            self._set(LAST_RUN, entry, standing.last_run_at.timestamp())
        if entry.check is not check:
            entry.check = check
            self._expiries.get(entry.interval, {}).pop(entry, None)
            entry.interval = check.settings.interval.total_seconds()
            self._set(INTERVAL, entry, entry.interval)
            if standing.run is None:
                self._measure(entry, self._initial(check))
            if entry.fresh:
                self._renew(entry)
        return entry

    def _place(self, entry: _Entry, outcome: Outcome) -> None:
        """Show *outcome* in place of what was shown before."""
        self._set(SEVERITY, entry, outcome.severity)
        found = {finding.rule.code: finding.severity.word for finding in outcome.findings}
        for code in entry.found.keys() - found.keys():
            self._families[FINDING.name].remove((entry.identity, code))
        entry.found = found
        before = entry.gauges
        entry.gauges = self._measure(entry, outcome.measurements)
        kept = set(entry.gauges)
        for series in before:
            if series not in kept:
                series[0].remove(series[1])

    def _measure(
        self, entry: _Entry, measurements: tuple[Measurement, ...]
    ) -> tuple[tuple[Family, Hashable], ...]:
        """Set the series of *measurements*; return those of them that may expire."""
        gauges = []
        for measurement in measurements:
            signal = measurement.signal
            key = (entry.identity, *measurement.labels)
            try:
                family = self._families[signal.name]
                family.set(key, (*entry.labels, *measurement.labels), measurement.value)
            except (KeyError, ValueError):
                self._failed()
                _log.exception("measurement lost", extra={"signal": signal.name})
                continue
            if signal.kind == "gauge":
                gauges.append((family, key))
            else:
                entry.lasting[family, key] = None
        return tuple(gauges)

    def _set(self, signal: Signal, entry: _Entry, value: float) -> None:
        self._families[signal.name].set(entry.identity, entry.labels, value)

    def _renew(self, entry: _Entry) -> None:
        """Let the entry live for its lifetime from now on."""
        entry.fresh = True
        queue = self._expiries.setdefault(entry.interval, {})
        queue.pop(entry, None)
        queue[entry] = self._clock.monotonic() + LIFETIME * entry.interval

    def _expire(self, entry: _Entry) -> None:
        """Take away what must not be seen when it is old."""
        entry.fresh = False
        self._families[SEVERITY.name].remove(entry.identity)
        for code in entry.found:
            self._families[FINDING.name].remove((entry.identity, code))
        for family, key in entry.gauges:
            family.remove(key)
        entry.found, entry.gauges = {}, ()

    def _forget(self, entry: _Entry) -> None:
        """Take away everything of a check that is no longer configured."""
        self._expire(entry)
        self._expiries.get(entry.interval, {}).pop(entry, None)
        for family, key in entry.lasting:
            family.remove(key)
        for signal in (LAST_RUN, INTERVAL, DURATION):
            self._families[signal.name].remove(entry.identity)

    async def settle(self) -> None:
        """Take in changes of the configuration, and drop what has grown old."""
        while self._removed or self._unseen:
            for _ in range(min(_BATCH, len(self._removed))):
                self._forget(self._removed.popitem()[1])
            for _ in range(min(_BATCH, len(self._unseen))):
                self._take_in(self._unseen.popleft())
            await asyncio.sleep(0)
        for queue in tuple(self._expiries.values()):
            more = True
            while more:
                more = self._expire_some(queue)
                await asyncio.sleep(0)

    def _expire_some(self, queue: dict[_Entry, float]) -> bool:
        """Expire a batch of what is due; say whether there may be more."""
        now = self._clock.monotonic()
        due: list[_Entry] = []
        for entry, deadline in queue.items():
            if deadline > now or len(due) == _BATCH:
                break
            due.append(entry)
        for entry in due:
            del queue[entry]
            self._expire(entry)
        return len(due) == _BATCH

    async def render(self, into: Format) -> AsyncIterator[bytes]:
        """Yield the exposition in pieces, without the end that OpenMetrics demands."""
        await self.settle()
        for family in self._families.values():
            async for piece in family.render(into):
                yield piece


def families(probes: Iterable[Probe[Any, Any]]) -> dict[str, Family]:
    """Return a family for every declared signal, by name.

    Raises TypeError when two probes declare different signals under one name.
    """
    declared: dict[str, Signal] = {}
    for signal in (*CHECK_SIGNALS, *(signal for probe in probes for signal in probe.signals)):
        if declared.setdefault(signal.name, signal) != signal:
            message = f"{signal.name} is declared twice, and differently"
            raise TypeError(message)
    return {
        name: Family(
            name,
            signal.help,
            (*CHECK_LABELS, *signal.labels),
            kind=signal.kind,
            buckets=signal.buckets,
        )
        for name, signal in declared.items()
    }
