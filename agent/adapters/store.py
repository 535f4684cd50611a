"""Where is that kept which must survive a restart?

In one SQLite file, written by one thread of its own, so that a slow disk never stops the event
loop. There are two ways to write: behind, gathered and flushed each second, for what may be lost
with the power; and durably, for what must be on the disk before the next step is taken. When the
disk is full or broken, what was to be written stays in memory under its key, the latest per key,
until it can be; durable writes then fail at once, so that nothing is done that cannot be recorded.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.adapters.clock import SystemClock
from agent.adapters.store_file import FILE_NAME, Folder, StoreError, move_aside
from agent.adapters.store_schema import APPLICATION_ID, SCHEMA_VERSION, script
from agent.adapters.store_values import Change, Statement, StoreStats, Value

__all__ = ["Change", "Store", "StoreError", "StoreStats"]

FLUSH_SECONDS = 1.0
MAX_PENDING = 100_000  # keys that wait for a disk that does not take them

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Durable:
    changes: tuple[Change, ...]
    done: "Future[None]"


@dataclass(frozen=True, slots=True)
class _Read:
    statement: Statement
    done: "Future[list[tuple[Any, ...]]]"


class _Stop:
    """The last thing in the queue."""


class Store:
    """One SQLite file in *folder*, or in memory without one.

    *max_bytes* bounds the file: beyond it the store behaves as on a full disk.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        flush_seconds: float = FLUSH_SECONDS,
        max_bytes: int | None = None,
    ) -> None:
        self.stats = StoreStats()
        self._folder = Folder(folder) if folder is not None else None
        self._flush_seconds = flush_seconds
        self._max_bytes = max_bytes
        self._queue: queue.SimpleQueue[Change | _Durable | _Read | _Stop] = queue.SimpleQueue()
        self._pending: dict[str, Change] = {}
        self._thread: threading.Thread | None = None
        self._monotonic = SystemClock().monotonic
        self._due = 0.0

    async def open(self) -> None:
        """Take the lock, check the file and start the writer.

        Raises StoreError, in words for the operator, where that cannot be.
        """
        opened: Future[None] = Future()
        opened.set_running_or_notify_cancel()
        self._thread = threading.Thread(
            target=self._work, args=(opened,), name="mailflow-store", daemon=True
        )
        self._thread.start()
        await asyncio.wrap_future(opened)

    async def close(self) -> None:
        """Write what waits, close the file and give the lock back."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(_Stop())
            await asyncio.to_thread(thread.join)

    def write(self, change: Change) -> None:
        """Write behind; returns at once."""
        self._queue.put(change)

    async def commit(self, *changes: Change) -> None:
        """Write, together, and return when it is on the disk.

        Raises StoreError where it cannot be written; then nothing of it ever is.
        """
        done: Future[None] = Future()
        self._queue.put(_Durable(changes, done))
        await asyncio.wrap_future(done)

    async def flush(self) -> None:
        """Return when all that was written outlives this process, or has to wait for the disk."""
        with suppress(StoreError):
            await self.read("SELECT 1")

    async def read(self, sql: str, *values: Value) -> list[tuple[Any, ...]]:
        """Return the rows of a query, after all that was written before it.

        Raises StoreError where the file cannot be read.
        """
        done: Future[list[tuple[Any, ...]]] = Future()
        self._queue.put(_Read((sql, values), done))
        return await asyncio.wrap_future(done)

    def _work(self, opened: "Future[None]") -> None:
        """Be the writer thread, from opening to closing."""
        try:
            connection = self._connect()
        except (StoreError, sqlite3.Error, OSError) as error:
            self._release()
            is_told = isinstance(error, StoreError)
            opened.set_exception(
                error if is_told else StoreError(f"cannot open the state: {error}")
            )
            return
        opened.set_result(None)
        try:
            while self._step(connection):
                pass
            self._flush(connection)
        finally:
            connection.close()
            self._release()

    def _release(self) -> None:
        if self._folder is not None:
            self._folder.release()

    def _step(self, connection: sqlite3.Connection) -> bool:
        """Gather what comes until the next flush is due; return false at the end."""
        left = self._due - self._monotonic()
        try:
            item = self._queue.get(timeout=max(left, 0.0) if self._pending else None)
        except queue.Empty:
            self._flush(connection)
            self._due = self._monotonic() + self._flush_seconds
            return True
        if isinstance(item, Change):
            self._gather(item)
        elif isinstance(item, _Durable):
            self._commit(connection, item)
        elif isinstance(item, _Read):
            self._read(connection, item)
        return not isinstance(item, _Stop)

    def _gather(self, change: Change) -> None:
        if not self._pending:
            self._due = self._monotonic() + self._flush_seconds
        self._pending.pop(change.key, None)
        self._pending[change.key] = change
        if len(self._pending) > MAX_PENDING:
            del self._pending[next(iter(self._pending))]
            self.stats.dropped += 1
        self.stats.pending = len(self._pending)

    def _flush(self, connection: sqlite3.Connection) -> None:
        """Write what waits; what cannot be written goes on waiting."""
        if self._pending:
            with suppress(StoreError):
                self._transact(connection, tuple(self._pending.values()), "NORMAL")
                self._pending.clear()
                self.stats.pending = 0

    def _commit(self, connection: sqlite3.Connection, item: _Durable) -> None:
        if not item.done.set_running_or_notify_cancel():
            return
        # What waits goes with it: it may be an earlier state of the same message.
        changes = (*self._pending.values(), *item.changes)
        try:
            self._transact(connection, changes, "FULL")
        except StoreError as error:
            item.done.set_exception(error)
        else:
            self._pending.clear()
            self.stats.pending = 0
            item.done.set_result(None)

    def _read(self, connection: sqlite3.Connection, item: _Read) -> None:
        self._flush(connection)
        if not item.done.set_running_or_notify_cancel():
            return
        try:
            item.done.set_result(connection.execute(*item.statement).fetchall())
        except sqlite3.Error as error:
            item.done.set_exception(StoreError(f"cannot read the state: {error}"))

    def _transact(
        self, connection: sqlite3.Connection, changes: tuple[Change, ...], synchronous: str
    ) -> None:
        """Write *changes* in one transaction, or nothing and raise StoreError."""
        try:
            connection.execute(f"PRAGMA synchronous={synchronous}")
            connection.execute("BEGIN IMMEDIATE")
            for change in changes:
                for statement in change.statements:
                    connection.execute(*statement)
            connection.execute("COMMIT")
        # A value that SQLite cannot bind is a bug of ours, which must show and not end the thread.
        except (sqlite3.Error, ValueError, OverflowError) as error:
            if connection.in_transaction:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
            self._note_failure(str(error))
            message = f"cannot write the state: {error}"
            raise StoreError(message) from None
        if self.stats.degraded:
            _log.warning("the state can be written again")
            self.stats.degraded = ""

    def _note_failure(self, reason: str) -> None:
        self.stats.write_errors += 1
        if not self.stats.degraded:
            _log.error("the state cannot be written", extra={"reason": reason})
        self.stats.degraded = reason

    def _connect(self) -> sqlite3.Connection:
        """Return a connection to a sound file of our schema, a fresh one where need be."""
        if self._folder is None:
            return self._prepared(":memory:")
        path = self._folder.claim() / FILE_NAME
        damage = _damage(path)
        if damage:
            aside = move_aside(path)
            self.stats.moved_aside += 1
            _log.error(
                "the state was damaged and is moved aside; what it knew is forgotten",
                extra={"reason": damage, "moved_to": str(aside)},
            )
        path.touch(mode=0o600)
        path.chmod(0o600)
        return self._prepared(str(path))

    def _prepared(self, name: str) -> sqlite3.Connection:
        """Open *name* and give it our schema where it has none, or that of an older version."""
        # Only the writer thread uses the connection; isolation is spelt out in _transact.
        connection = sqlite3.connect(name, isolation_level=None, timeout=1.0)
        connection.execute("PRAGMA journal_mode=WAL")
        if self._max_bytes is not None:
            pages = self._max_bytes // _ask(connection, "page_size")
            connection.execute(f"PRAGMA max_page_count={max(pages, 1)}")
        version = _ask(connection, "user_version")
        if version < SCHEMA_VERSION:
            connection.executescript(script(version))
        return connection


def _damage(path: Path) -> str:
    """Return what is wrong with the file, or nothing; raise StoreError for a newer schema."""
    if not path.exists():
        return ""
    if not path.stat().st_size:
        return "it is empty"
    connection = sqlite3.connect(path, timeout=1.0)
    try:
        if _ask(connection, "application_id") != APPLICATION_ID:
            return "it was not written by mailflow-agent"
        version = _ask(connection, "user_version")
        if version > SCHEMA_VERSION:
            message = (
                f"{path} was written by a newer mailflow-agent (schema {version}, this one reads"
                f" {SCHEMA_VERSION}); install that version again, or choose another state folder"
            )
            raise StoreError(message)
        verdict: str = _ask(connection, "quick_check(1)")
    except sqlite3.OperationalError as error:
        # A full disk, or somebody who holds the file: that says nothing of what is in it.
        message = (
            f"cannot open the state: {error}; see that the disk has room, and that {path} is"
            " ours and held by nobody else"
        )
        raise StoreError(message) from None
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        connection.close()
    return "" if verdict == "ok" else verdict


def _ask(connection: sqlite3.Connection, pragma: str) -> Any:
    return connection.execute(f"PRAGMA {pragma}").fetchone()[0]
