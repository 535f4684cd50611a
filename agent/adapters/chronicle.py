"""How did every check fare in the last month, over restarts and crashes?

A row for each time that a check became something else, written behind, and a row for each stretch
in which the agent ran, with a sign of life in it: whoever reads them knows what was known when, and
where nobody looked. Rows are few: a check that stays as it is has one for each start of the agent.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agent.adapters.store import Change, Store, StoreError
from agent.adapters.store_file import legible
from agent.adapters.store_values import Statement
from agent.domain.timeline import Mark, Note, Watch

KEEP_FOR = timedelta(days=31)
MAX_ROWS = 1000  # of one check; the latest are kept
MAX_WATCHES = 2000
MAX_RECENT = 500
BEAT = timedelta(seconds=20)  # between two signs of life
LAPSE = timedelta(seconds=90)  # without one: the machine slept, or its clock was set
MOST_WAITING = 20_000
PATIENCE = 2.0

_KNOW = "INSERT OR IGNORE INTO watched (identity) VALUES (?)"
_ID = "(SELECT id FROM watched WHERE identity = ?)"
_SAVE = "INSERT OR REPLACE INTO turn SELECT id, ?, ?, ?, ? FROM watched WHERE identity = ?"
# A clock that was ahead has left rows that are yet to come.
_UNDO = f"DELETE FROM turn WHERE watched = {_ID} AND at > ?"  # noqa: S608 - a constant
_OLD = (
    f"DELETE FROM turn WHERE watched = {_ID} AND at < max("  # noqa: S608 - a constant
    f"coalesce((SELECT max(at) FROM turn WHERE watched = {_ID} AND at <= ?), 0),"
    f"coalesce((SELECT at FROM turn WHERE watched = {_ID} ORDER BY at DESC LIMIT 1 OFFSET ?), 0))"
)
_LAST = (
    "SELECT identity, max(at), mark, since FROM turn JOIN watched ON id = watched GROUP BY watched"
)
_RECENT = (
    "SELECT at, identity, was, mark FROM turn JOIN watched ON id = watched"
    " WHERE since = at AND was IS NOT NULL ORDER BY at DESC LIMIT ?"
)
_NOTES = "SELECT at, mark FROM turn JOIN watched ON id = watched WHERE identity = ? ORDER BY at"
_GONE = (
    "DELETE FROM turn WHERE watched IN (SELECT watched FROM"
    " (SELECT watched, max(at) AS last, mark FROM turn GROUP BY watched)"
    " WHERE last < ? AND mark = ?)"
)
_NAMES = "DELETE FROM watched WHERE id NOT IN (SELECT watched FROM turn)"
_BEAT = "INSERT OR REPLACE INTO watch VALUES (?, ?)"
_OLD_WATCHES = (
    "DELETE FROM watch WHERE seen < ? OR began <"
    " coalesce((SELECT began FROM watch ORDER BY began DESC LIMIT 1 OFFSET ?), 0)"
)


@dataclass(frozen=True, slots=True)
class Turn:
    """A check became something else."""

    at: datetime
    identity: str
    before: Mark
    after: Mark


@dataclass(frozen=True, slots=True)
class Record:
    """What is written of some checks up to *at*, oldest first, and when the agent ran."""

    at: datetime
    notes: dict[str, tuple[Note, ...]]
    watches: tuple[Watch, ...]


@dataclass(slots=True)
class _Last:
    """How a check was last known to be, and since when."""

    mark: Mark
    since: datetime


class Chronicle:
    """The marks of all checks, and the watches of the agent.

    *patience* is how many seconds a reader waits; *most_waiting* how many rows may wait for a disk
    that does not take them.
    """

    def __init__(
        self, store: Store, *, patience: float = PATIENCE, most_waiting: int = MOST_WAITING
    ) -> None:
        self._store = store
        self._patience, self._most_waiting = patience, most_waiting
        self._last: dict[str, _Last] = {}
        self._noted: dict[str, Mark] = {}  # in this watch
        self._recent: deque[Turn] = deque(maxlen=MAX_RECENT)
        self._watches: list[Watch] = []  # those that are over
        self._watch: Watch | None = None
        self._beaten: datetime | None = None
        self._waiting = 0

    async def start(self, now: datetime) -> None:
        """Read what is known, let go of what is old, and begin a watch.

        Raises StoreError where the store cannot be read.
        """
        old = (now - KEEP_FOR).timestamp()
        gone, watches = (_GONE, (old, Mark.NO_DATA)), (_OLD_WATCHES, (old, MAX_WATCHES - 1))
        self._store.write(Change("chronicle", (gone, (_NAMES, ()), watches)))
        with legible():
            for identity, _, mark, since in await self._store.read(_LAST):
                self._last[identity] = _Last(Mark(mark), _moment(since))
            for at, identity, was, mark in reversed(await self._store.read(_RECENT, MAX_RECENT)):
                self._recent.append(Turn(_moment(at), identity, Mark(was), Mark(mark)))
            rows = await self._store.read("SELECT began, seen FROM watch ORDER BY began")
            self._watches = [Watch(_moment(began), _moment(seen)) for began, seen in rows]
        self._begin(now)

    def beat(self, now: datetime) -> None:
        """Note that the agent runs; to be called often. After a lapse a new watch begins."""
        if self._watch is None:
            if not self._store.stats.degraded:
                self._begin(now)
        elif self._beaten is None or not timedelta() <= now - self._beaten <= LAPSE:
            self._begin(now)
        elif now - self._watch.seen >= BEAT:
            self._see(now)
        self._beaten = now

    def end(self, now: datetime) -> None:
        """Note until when the agent ran."""
        if self._watch is not None:
            self._see(max(now, self._watch.seen))
            self._watches.append(self._watch)
            self._watch = None

    def note(self, identity: str, mark: Mark, at: datetime) -> None:
        """Note how a check is from *at* on; cheap where that is as before."""
        if self._noted.get(identity) is mark or self._watch is None:
            return
        if self._is_full():
            self.end(at)
            return
        at = max(at, self._watch.began)  # a run of the watch before says nothing of its time
        self._noted[identity] = mark
        known = self._last.get(identity)
        if known is not None and known.mark is mark:
            self._write(identity, at, known, None)
            return
        self._last[identity] = new = _Last(mark, at)
        before = Mark.NO_DATA if known is None else known.mark
        is_news = _is_news(before, mark)
        if is_news:
            self._recent.append(Turn(at, identity, before, mark))
        self._write(identity, at, new, before if is_news else None)

    def noted(self, identity: str) -> Mark | None:
        """Return what was noted of a check since this watch began."""
        return self._noted.get(identity)

    def since(self, identity: str, mark: Mark) -> datetime | None:
        """Return since when a check is *mark*, over restarts; None where it is something else."""
        known = self._last.get(identity)
        return known.since if known is not None and known.mark is mark else None

    @property
    def seen_before(self) -> datetime | None:
        """Until when the agent ran before this watch, as far as is known."""
        return max((watch.seen for watch in self._watches), default=None)

    @property
    def known(self) -> tuple[str, ...]:
        """The checks that were something when last heard of."""
        return tuple(x for x, last in self._last.items() if last.mark is not Mark.NO_DATA)

    def recent(self) -> tuple[Turn, ...]:
        """Return what has changed lately, newest first."""
        return tuple(reversed(self._recent))

    async def read(self, identities: Iterable[str], now: datetime) -> Record:
        """Return what is written of some checks. Raises StoreError, also where it takes long."""
        try:
            async with asyncio.timeout(self._patience):
                notes = {each: await self._notes(each) for each in identities}
        except TimeoutError:
            message = "the store has not answered in time"
            raise StoreError(message) from None
        watches = tuple(self._watches)
        if self._watch is not None:
            watches = (*watches, Watch(self._watch.began, max(now, self._watch.seen)))
        return Record(now, notes, watches)

    async def _notes(self, identity: str) -> tuple[Note, ...]:
        rows = await self._store.read(_NOTES, identity)
        with legible():
            return tuple(Note(_moment(at), Mark(mark)) for at, mark in rows)

    def _begin(self, now: datetime) -> None:
        """Begin a watch, in which nothing is known until it is noted."""
        if self._watch is not None:
            self._watches.append(self._watch)
        self._watches = [each for each in self._watches if each.began < now][-MAX_WATCHES:]
        self._noted.clear()
        self._watch, self._beaten = Watch(now, now), now
        # A clock that was ahead has left what is yet to come.
        undo = ("DELETE FROM watch WHERE began > ?", (now.timestamp(),))
        self._store.write(Change(f"before watch {now.timestamp()}", (undo,)))
        self._see(now)

    def _see(self, now: datetime) -> None:
        if self._watch is not None:
            self._watch = Watch(self._watch.began, now)
            began = self._watch.began.timestamp()
            # A key for each watch: none takes the place of another that waits.
            self._store.write(Change(f"watch {began}", ((_BEAT, (began, now.timestamp())),)))

    def _is_full(self) -> bool:
        """Tell whether so much waits for the disk that more would push out what matters more."""
        self._waiting = self._waiting + 1 if self._store.stats.degraded else 0
        return self._waiting > self._most_waiting

    def _write(self, identity: str, at: datetime, last: _Last, was: Mark | None) -> None:
        stamp = at.timestamp()
        row = (stamp, last.mark, last.since.timestamp(), was, identity)
        old = stamp - KEEP_FOR.total_seconds()
        statements: tuple[Statement, ...] = (
            (_KNOW, (identity,)),
            (_UNDO, (identity, stamp)),
            (_SAVE, row),
            (_OLD, (identity, identity, old, identity, MAX_ROWS - 1)),
        )
        self._store.write(Change(f"turn {identity} {stamp}", statements))


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _is_news(before: Mark, after: Mark) -> bool:
    """Tell whether a change is worth telling: a check that is new and well is none."""
    return after is not Mark.NO_DATA and (before, after) != (Mark.NO_DATA, Mark.OK)
