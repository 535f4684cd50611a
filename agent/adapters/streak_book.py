"""What was found in the last runs before the agent was started?

A row for each rule that a check has found, written behind and only when something begins, ends or
has been found often enough to alert; a check that is well has none. Counts are written in full when
the agent ends, and else no higher than an alert asks for.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from agent.adapters.store import Change, Store
from agent.adapters.store_file import legible
from agent.adapters.store_values import Statement
from agent.domain.streak import ENOUGH, NONE, Streak, Streaks

_CLEAR = "DELETE FROM streak WHERE identity = ?"
_SAVE = "INSERT OR REPLACE INTO streak VALUES (?, ?, ?, ?, ?)"
_ALL = "SELECT identity, rule, runs, since, last FROM streak"

_Told = dict[str, tuple[int, datetime]]


class StreakBook:
    """The streaks of all checks, as they are kept over a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._told: dict[str, _Told] = {}  # what is written, as far as it matters

    async def read(self, seen: datetime | None) -> dict[str, Streaks]:
        """Return what was found, by the identity of the check.

        *seen* is until when the agent ran: what was found in the last run was found until then,
        within an interval. Raises StoreError where the store cannot be read.
        """
        found: dict[str, dict[str, Streak]] = {}
        with legible():
            for identity, rule, runs, since, last in await self._store.read(_ALL):
                streak = Streak(int(runs), _moment(since), _moment(last))
                if runs and seen is not None:
                    streak = replace(streak, last=max(streak.last, seen))
                found.setdefault(identity, {})[rule] = streak
        self._told = {identity: _told(streaks) for identity, streaks in found.items()}
        return dict(found)

    def note(self, identity: str, streaks: Streaks) -> None:
        """Note what a run has found; cheap where it is as before."""
        if not streaks and identity not in self._told:
            return
        told = _told(streaks)
        if self._told.get(identity, {}) != told:
            self._told[identity] = told
            self._write(identity, streaks, ENOUGH)
        if not told:
            del self._told[identity]

    def keep(self, identities: Iterable[str]) -> None:
        """Let go of the checks that are not among *identities*."""
        for identity in self._told.keys() - set(identities):
            self.note(identity, NONE)

    def end(self, found: Iterable[tuple[str, Streaks]]) -> None:
        """Write everything as it is, before the agent ends."""
        for identity, streaks in found:
            if streaks:
                self._write(identity, streaks, None)

    def _write(self, identity: str, streaks: Streaks, most: int | None) -> None:
        rows: tuple[Statement, ...] = tuple(
            (_SAVE, (identity, rule, _capped(streak.runs, most), *_stamps(streak)))
            for rule, streak in streaks.items()
        )
        self._store.write(Change(f"streak {identity}", ((_CLEAR, (identity,)), *rows)))


def _told(streaks: Streaks) -> _Told:
    return {rule: (_capped(each.runs, ENOUGH), each.since) for rule, each in streaks.items()}


def _capped(runs: int, most: int | None) -> int:
    return runs if most is None else min(runs, most)


def _stamps(streak: Streak) -> tuple[float, float]:
    return streak.since.timestamp(), streak.last.timestamp()


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
