"""What do scrapers see of the world that the agent watches?

Fed by the board, run by run. A result is shown while it is younger than three intervals and then
goes away, because an old green is worse than a gap; when a check ran last, and how often it should,
is always shown, so that staleness is visible. A finding exists only while it is found. Counters
and histograms stay, or their rates would lie. The series of a removed check go with it.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from agent.adapters.clock import Clock
from agent.domain.finding import Measurement, Outcome, Signal
from agent.exposition.check_signals import (
    CHECK_LABELS,
    CRITICAL_RUNS,
    DURATION,
    FINDING,
    INTERVAL,
    LAST_RUN,
    SEVERITY,
    SINCE,
    families,
)
from agent.exposition.piece import Piece
from agent.exposition.series import Family
from agent.exposition.text_format import Format
from agent.probes.base import Check, Probe
from agent.runtime.board import Board, Standing

_OF_FINDINGS = (FINDING.name, SINCE.name)

LIFETIME = 3  # intervals for which a result is shown
_BATCH = 256  # checks taken in or given up between two turns of the loop
_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Entry:
    """What is exported of one check; ``shown`` and ``found`` are what an expiry takes away.

    ``key`` stands for its labels in all families that have no others; ``found`` gives the key of
    each rule that is broken, by its code.
    """

    identity: str
    labels: tuple[str, str, str]
    key: str
    check: Check[Any, Any] | None = None
    fresh: bool = False
    interval: float = 0.0
    found: dict[str, str] = field(default_factory=dict)
    shown: tuple[Measurement, ...] = ()
    lasting: tuple[Measurement, ...] = ()


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
        if standing.critical_runs:
            self._set(CRITICAL_RUNS, entry, standing.critical_runs)
        else:
            self._families[CRITICAL_RUNS.name].remove(entry.key)
        finding, since = self._families[FINDING.name], self._families[SINCE.name]
        for code, count in standing.consecutive.items():
            finding.set((), count, entry.found[code])
            since.set((), standing.streaks[code].since.timestamp(), entry.found[code])
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
                labels = (check.tenant, check.subject, check.probe.kind)
                entry = _Entry(identity, labels, self._families[SEVERITY.name].key(labels))
            entry.check = None
            self._entries[identity] = entry
            self._set(LAST_RUN, entry, standing.last_run_at.timestamp())
        if entry.check is not check:
            entry.check = check
            self._expiries.get(entry.interval, {}).pop(entry, None)
            entry.interval = check.settings.interval.total_seconds()
            self._set(INTERVAL, entry, entry.interval)
            if standing.run is None:
                self._measure(entry, self._initial(check), {})
            if entry.fresh:
                self._renew(entry)
        return entry

    def _place(self, entry: _Entry, outcome: Outcome) -> None:
        """Show *outcome* in place of what was shown before."""
        self._set(SEVERITY, entry, outcome.severity)
        key_of = self._families[FINDING.name].key
        found = {
            each.rule.code: key_of((*entry.labels, each.rule.code, each.severity.word))
            for each in outcome.findings
        }
        for code in entry.found.keys() - found.keys():
            self._lose(entry.found[code])
        entry.found = found
        before = self._keys(entry, entry.shown)
        entry.shown = outcome.measurements
        self._measure(entry, outcome.measurements, before)
        for name, key in before:
            self._families[name].remove(key)

    def _measure(
        self,
        entry: _Entry,
        measurements: tuple[Measurement, ...],
        before: dict[tuple[str, str], None],
    ) -> None:
        """Set the series of *measurements*, and take them off those that were shown *before*."""
        lasting = [each for each in measurements if each.signal.kind != "gauge"]
        for measurement in measurements:
            signal = measurement.signal
            try:
                family = self._families[signal.name]
                key = self._key(family, entry, measurement)
                family.set((*entry.labels, *measurement.labels), measurement.value, key)
            except (KeyError, ValueError):
                self._failed()
                _log.exception("measurement lost", extra={"signal": signal.name})
                continue
            before.pop((signal.name, key), None)
        if lasting:
            last = {(each.signal.name, each.labels): each for each in (*entry.lasting, *lasting)}
            entry.lasting = tuple(last.values())

    def _keys(
        self, entry: _Entry, measurements: tuple[Measurement, ...]
    ) -> dict[tuple[str, str], None]:
        """Return family and key of those of *measurements* that may expire, in a set with order."""
        keys: dict[tuple[str, str], None] = {}
        for measurement in measurements:
            family = self._families.get(measurement.signal.name)
            if family is not None and family.kind == "gauge":
                with contextlib.suppress(ValueError):  # it was never shown
                    keys[family.name, self._key(family, entry, measurement)] = None
        return keys

    def _key(self, family: Family, entry: _Entry, measurement: Measurement) -> str:
        if not measurement.labels and family.labels == CHECK_LABELS:
            return entry.key
        return family.key((*entry.labels, *measurement.labels))

    def _set(self, signal: Signal, entry: _Entry, value: float) -> None:
        self._families[signal.name].set(entry.labels, value, entry.key)

    def _lose(self, key: str) -> None:
        """Take away the series of a finding."""
        for name in _OF_FINDINGS:
            self._families[name].remove(key)

    def _renew(self, entry: _Entry) -> None:
        """Let the entry live for its lifetime from now on."""
        entry.fresh = True
        queue = self._expiries.setdefault(entry.interval, {})
        queue.pop(entry, None)
        queue[entry] = self._clock.monotonic() + LIFETIME * entry.interval

    def _expire(self, entry: _Entry) -> None:
        """Take away what must not be seen when it is old."""
        entry.fresh = False
        for signal in (SEVERITY, CRITICAL_RUNS):
            self._families[signal.name].remove(entry.key)
        for key in entry.found.values():
            self._lose(key)
        for name, key in self._keys(entry, entry.shown):
            self._families[name].remove(key)
        entry.found, entry.shown = {}, ()

    def _forget(self, entry: _Entry) -> None:
        """Take away everything of a check that is no longer configured."""
        self._expire(entry)
        self._expiries.get(entry.interval, {}).pop(entry, None)
        for measurement in entry.lasting:
            family = self._families.get(measurement.signal.name)
            if family is not None:
                family.remove(self._key(family, entry, measurement))
        for signal in (LAST_RUN, INTERVAL, DURATION):
            self._families[signal.name].remove(entry.key)

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

    async def render(self, into: Format) -> AsyncIterator[Piece]:
        """Yield the exposition in pieces, without the end that OpenMetrics demands."""
        await self.settle()
        for family in self._families.values():
            async for piece in family.render(into):
                yield piece
