"""When is which check due?

Checks of one kind and interval form a group, and the interval is divided into slots. The slot of a
check is a hash of its identity, so load is flat, and a check keeps its phase over reloads and
restarts. What is due follows from the clock alone and never from a counter that a missed tick could
shift: the period is exact, however late a tick comes. After a stall everything that was due in it
runs once, and what would have run more often is counted as skipped.
"""

import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from agent.probes.base import Check

AnyCheck = Check[Any, Any]

COARSE = timedelta(milliseconds=250)
FINE = timedelta(milliseconds=50)
_SHORT = timedelta(seconds=5)  # intervals below this have fine slots
_FIRST_RUNS = timedelta(milliseconds=1500)  # within which a handful of new checks runs
_FIRST_RATE = 50.0  # new checks a second beyond that
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Due:
    """Checks that fell due at one moment of the timetable's clock, in seconds."""

    at: float
    checks: tuple[AnyCheck, ...]


@dataclass(frozen=True, slots=True)
class Missed:
    """How many runs of one kind a stall of more than an interval has cost."""

    kind: str
    count: int


@dataclass(slots=True, eq=False)
class _Group:
    """Checks of one kind and interval. ``turn`` is the last slot served, counted from time 0."""

    kind: str
    interval: int  # microseconds
    slots: int
    turn: int
    table: dict[int, tuple[AnyCheck, ...]] = field(default_factory=dict)
    size: int = 0

    def turn_at(self, now: float) -> int:
        """Return the number of the slot that *now* is in."""
        # In whole numbers, because a slot need not be a whole number of microseconds.
        return int(now * 1e6) * self.slots // self.interval

    def starts_at(self, turn: int) -> float:
        """Return the second at which slot number *turn* begins."""
        return turn * self.interval / self.slots / 1e6

    def advance(self, now: float) -> Iterator[Due | Missed]:
        """Yield what has fallen due since the last call, at most one interval's worth."""
        before, turn = self.turn, self.turn_at(now)
        if turn <= before:
            return
        self.turn = turn
        lost = max(0, turn - before - self.slots)
        if lost:
            yield Missed(self.kind, self._count(before, lost))
        for number in range(before + lost + 1, turn + 1):
            checks = self.table.get(number % self.slots)
            if checks:
                yield Due(self.starts_at(number), checks)

    def _count(self, after: int, turns: int) -> int:
        """Count the runs in *turns* slots after slot number *after*."""
        rounds, rest = divmod(turns, self.slots)
        numbers = range(after + 1, after + 1 + rest)
        return rounds * self.size + sum(
            len(self.table.get(number % self.slots, ())) for number in numbers
        )


class Timetable:
    """All checks, and when each is due; time is passed in, in seconds on one steady clock."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, timedelta], _Group] = {}
        self._known: frozenset[AnyCheck] = frozenset()
        self._first: deque[tuple[float, AnyCheck]] = deque()
        self._ran_first: dict[AnyCheck, float] = {}  # until its first regular turn

    @property
    def pulses(self) -> frozenset[timedelta]:
        """How often :meth:`due` has to be called: for which lengths of slots."""
        return frozenset({COARSE, *(_pulse(interval) for _, interval in self._groups)})

    def __contains__(self, check: AnyCheck) -> bool:
        return check in self._known

    def replace(self, checks: Iterable[AnyCheck], now: float) -> None:
        """Make *checks* the timetable.

        Checks that stay, as the same objects, keep their turn. New ones have a first run soon:
        a handful within a second or two, ten thousand spread over their interval. A regular turn
        that comes within half an interval of the first run is left out, because a route that
        sends has a budget.
        """
        wanted = tuple(checks)
        sorted_in: dict[tuple[str, timedelta], dict[int, list[AnyCheck]]] = {}
        groups: dict[tuple[str, timedelta], _Group] = {}
        for check in wanted:
            key = (check.probe.kind, check.settings.interval)
            if key not in groups:
                groups[key] = self._groups.get(key) or _group(*key, now)
            slot = _hash(check) % groups[key].slots
            sorted_in.setdefault(key, {}).setdefault(slot, []).append(check)
        for key, group in groups.items():
            group.table = {slot: tuple(some) for slot, some in sorted_in[key].items()}
            group.size = sum(map(len, group.table.values()))
        self._groups = groups
        before, self._known = self._known, frozenset(wanted)
        self._ran_first = {
            check: at for check, at in self._ran_first.items() if check in self._known
        }
        self._plan_first_runs([check for check in wanted if check not in before], now)

    def _plan_first_runs(self, fresh: list[AnyCheck], now: float) -> None:
        """Give each new check a run before its first regular one, where that is far."""
        first = [(at, check) for at, check in self._first if check in self._known]
        for check in fresh:
            group = self._groups[check.probe.kind, check.settings.interval]
            interval = check.settings.interval.total_seconds()
            window = min(interval, _FIRST_RUNS.total_seconds() + len(fresh) / _FIRST_RATE)
            hashed = _hash(check)
            at = now + window * (hashed & 0xFFFF) / 0x10000
            turns = (hashed % group.slots - group.turn - 1) % group.slots + 1
            if at < group.starts_at(group.turn + turns):
                first.append((at, check))
        first.sort(key=lambda pair: pair[0])
        self._first = deque(first)

    def due(self, now: float, pulse: timedelta | None = None) -> Iterator[Due | Missed]:
        """Yield what has fallen due since the last call and has not been yielded.

        *pulse* restricts this to groups whose slots have that length; first runs belong to the
        coarse one.
        """
        if pulse in {None, COARSE}:
            while self._first and self._first[0][0] <= now:
                at, check = self._first.popleft()
                self._ran_first[check] = at
                yield Due(at, (check,))
        for (_, interval), group in tuple(self._groups.items()):
            if pulse in {None, _pulse(interval)}:
                for due in group.advance(now):
                    yield self._thinned(due) if self._ran_first and isinstance(due, Due) else due

    def _thinned(self, due: Due) -> Due:
        """Return *due* without the checks whose first run was only just now."""
        checks = []
        for check in due.checks:
            first = self._ran_first.pop(check, None)
            half = check.settings.interval.total_seconds() / 2
            if first is None or due.at - first >= half:
                checks.append(check)
        return Due(due.at, tuple(checks))


def _hash(check: AnyCheck) -> int:
    """Return the same number for the same identity in every process; Python's hash does not."""
    return zlib.crc32(check.identity.encode())


def _pulse(interval: timedelta) -> timedelta:
    return FINE if interval < _SHORT else COARSE


def _group(kind: str, interval: timedelta, now: float) -> _Group:
    group = _Group(kind, interval // _MICROSECOND, max(1, interval // _pulse(interval)), 0)
    group.turn = group.turn_at(now)
    return group
