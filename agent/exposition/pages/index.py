"""Which subjects are there, in which state is each, and which does a reader want to see?

Ten thousand subjects are looked over for every page, so this does little for each: what the checks
of a subject say is looked at again only after a severity changed, or when one may be too old. What
is urgent is found by the state, and not by sorting.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from agent.domain.finding import Severity
from agent.exposition.pages.state import State, stale_at, state_after
from agent.runtime.board import Standing

Key = tuple[str, str, str]  # tenant, kind and name of a subject


@dataclass(slots=True, eq=False)
class Entry:
    """One subject: its standings, and the state that they add up to."""

    key: Key
    standings: tuple[Standing, ...]
    name: str = ""  # in lower case
    state: State = State.PENDING
    severities: tuple[Severity | None, ...] = ()
    good_until: datetime | None = None  # no check is too old before; a further run only adds to it

    @property
    def identities(self) -> tuple[str, ...]:
        """Which checks look at it."""
        return tuple(standing.check.identity for standing in self.standings)

    def look(self, now: datetime) -> State:
        """Return the state at *now*."""
        if self.good_until is None or now > self.good_until:
            return self._look_closely(now)
        for place, standing in enumerate(self.standings):
            if standing.severity is not self.severities[place]:
                return self._look_closely(now)
        return self.state

    def _look_closely(self, now: datetime) -> State:
        # A run may come in meanwhile: then the severity is another one the next time.
        self.severities = tuple(standing.severity for standing in self.standings)
        seen = [(standing, standing.run) for standing in self.standings]
        self.state = min(state_after(standing, run, now) for standing, run in seen)
        self.good_until = min(stale_at(standing, run) for standing, run in seen)
        return self.state


@dataclass(frozen=True, slots=True)
class Tenant:
    """The subjects of one tenant by state, each list in the order of their names."""

    name: str
    entries: Mapping[State, list[Entry]]

    @property
    def counts(self) -> dict[State, int]:
        """How many subjects are in each state, the most urgent first."""
        return {state: len(self.entries[state]) for state in State if self.entries.get(state)}

    @property
    def worst(self) -> State:
        """The most urgent state of its subjects."""
        return min(self.entries)


@dataclass(frozen=True, slots=True)
class Index:
    """All subjects at a time; ``tenants`` has the one with the most urgent subject first."""

    now: datetime
    entries: Mapping[Key, Entry]
    tenants: tuple[Tenant, ...]
    tally: Mapping[State, int]
    kinds: Mapping[str, list[Entry]]

    def of_kind(self, kind: str) -> dict[State, int]:
        """Return how many subjects of a kind are in each state that any is in."""
        counts = Counter(entry.state for entry in self.kinds.get(kind, ()))
        return {state: counts[state] for state in State if counts[state]}


def key_of(standing: Standing) -> Key:
    """Return which subject a standing is about."""
    check = standing.check
    return check.tenant, check.target.kind, check.subject


class Indexer:
    """Makes the index, and keeps what stays the same from one time to the next.

    It is used by the threads that draw.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._standings: tuple[Standing, ...] | None = None
        self._entries: dict[Key, Entry] = {}
        self._tenants: dict[str, list[Entry]] = {}
        self._kinds: dict[str, list[Entry]] = {}

    def index(self, standings: tuple[Standing, ...], now: datetime) -> Index:
        """Return all subjects as they are at *now*."""
        with self._lock:
            self._take(standings)
            made = [_tenant(name, entries, now) for name, entries in self._tenants.items()]
            made.sort(key=lambda tenant: (tenant.worst, tenant.name))
            tally = {state: sum(len(x.entries.get(state, ())) for x in made) for state in State}
            return Index(now, self._entries, tuple(made), tally, self._kinds)

    def entry(self, standings: tuple[Standing, ...], key: Key) -> Entry | None:
        """Return one subject; None where there is no such subject."""
        with self._lock:
            self._take(standings)
            return self._entries.get(key)

    def _take(self, standings: tuple[Standing, ...]) -> None:
        if standings is self._standings:  # the board makes a new one when checks change
            return
        self._standings = standings
        self._entries = _entries(standings)
        self._tenants, self._kinds = {}, {}
        for entry in self._entries.values():
            self._tenants.setdefault(entry.key[0], []).append(entry)
            self._kinds.setdefault(entry.key[1], []).append(entry)


def _entries(standings: Iterable[Standing]) -> dict[Key, Entry]:
    grouped: dict[Key, list[Standing]] = {}
    for standing in standings:
        grouped.setdefault(key_of(standing), []).append(standing)
    return {
        key: Entry(key, tuple(its), key[2].lower())
        for key, its in sorted(grouped.items(), key=lambda item: item[0])
    }


def _tenant(name: str, entries: Iterable[Entry], now: datetime) -> Tenant:
    lists: list[list[Entry]] = [[] for _ in State]
    for entry in entries:
        lists[entry.look(now)].append(entry)
    return Tenant(name, {state: lists[state] for state in State if lists[state]})


def chosen(index: Index, show: str, tenant: str, text: str) -> Iterator[tuple[Tenant, list[Entry]]]:
    """Yield the subjects that a reader asks for by tenant, the most urgent first in each."""
    for each in index.tenants:
        if tenant and each.name != tenant:
            continue
        its = [
            entry
            for state in State
            if _is_shown(state, show)
            for entry in each.entries.get(state, ())
            if text in entry.name
        ]
        if its:
            yield each, its


def _is_shown(state: State, show: str) -> bool:
    return show in ("all", state.key) or (show == "trouble" and state is not State.OK)
