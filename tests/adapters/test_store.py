"""What is committed is on the disk; what cannot be written waits; nobody else gets in."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.adapters.store import MAX_PENDING, Change, Store, StoreError
from agent.adapters.store_file import FILE_NAME


def put(key: str, value: str = "v") -> Change:
    sql = "INSERT OR REPLACE INTO meta VALUES (?, ?)"
    return Change(key, ((sql, (key, value)),))


async def all_of(store: Store) -> dict[str, str]:
    return dict(await store.read("SELECT key, value FROM meta"))


@asynccontextmanager
async def opened(
    folder: Path | None, *, flush_seconds: float = 1.0, max_bytes: int | None = None
) -> AsyncIterator[Store]:
    store = Store(folder, flush_seconds=flush_seconds, max_bytes=max_bytes)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@pytest.mark.parametrize("is_on_disk", [True, False], ids=["on disk", "in memory"])
async def test_what_is_written_is_read(tmp_path: Path, *, is_on_disk: bool) -> None:
    async with opened(tmp_path if is_on_disk else None) as store:
        store.write(put("behind"))
        await store.commit(put("durable"))
        assert await all_of(store) == {"behind": "v", "durable": "v"}


async def test_what_was_written_behind_is_there_after_closing(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        store.write(put("a", "1"))
        store.write(put("a", "2"))
    async with opened(tmp_path) as store:
        assert await all_of(store) == {"a": "2"}


async def test_what_is_written_behind_is_flushed_by_itself(tmp_path: Path) -> None:
    async with opened(tmp_path, flush_seconds=0.01) as store:
        store.write(put("a"))
        with sqlite3.connect(tmp_path / FILE_NAME) as other:
            # Another process's write, to which there is no event to wait for.
            while not other.execute("SELECT * FROM meta").fetchall():  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        other.close()
        assert store.stats.pending == 0


async def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    async with opened(tmp_path / "new") as store:
        await store.commit(put("a"))
        for file in (tmp_path / "new").iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


async def test_a_second_process_is_refused_with_the_first_ones_number(tmp_path: Path) -> None:
    async with opened(tmp_path):
        with pytest.raises(StoreError, match=f"another mailflow-agent \\(process {os.getpid()}\\)"):
            await Store(tmp_path).open()
    async with opened(tmp_path):
        pass


async def test_the_lock_of_a_killed_process_is_taken_over(tmp_path: Path) -> None:
    program = (
        "import asyncio, pathlib, sys\n"
        "from agent.adapters.store import Store\n"
        "async def main():\n"
        "    await Store(pathlib.Path(sys.argv[1])).open()\n"
        "    print('open', flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"open\n"
    with pytest.raises(StoreError, match=f"process {child.pid}"):
        await Store(tmp_path).open()
    child.send_signal(signal.SIGKILL)
    await child.wait()
    async with opened(tmp_path) as store:
        await store.commit(put("a"))


async def test_a_folder_that_cannot_be_used_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be used: Not a directory; make it writable"):
        await Store(tmp_path / "file" / "state").open()


async def test_a_file_that_cannot_be_opened_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(StoreError, match="cannot open the state"):
        await Store(tmp_path).open()


def _foreign(path: Path) -> None:
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (a)")
    other.close()


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _flipped(path: Path) -> None:
    octets = bytearray(path.read_bytes())
    octets[4096:8192] = bytes(4096)
    path.write_bytes(octets)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.write_bytes(b"x" * 8192), id="noise"),
        pytest.param(lambda path: path.write_bytes(b"SQLite format 3\0"), id="only a beginning"),
        pytest.param(_truncated, id="truncated"),
        pytest.param(_flipped, id="a page of zeros"),
        pytest.param(_foreign, id="somebody else's"),
    ],
)
async def test_a_damaged_file_is_moved_aside_and_a_fresh_one_begun(
    tmp_path: Path, damage: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(damage)
    path = tmp_path / FILE_NAME
    if damage is not _foreign:
        async with opened(tmp_path) as store:
            await store.commit(*(put(f"k{n}", "v" * 200) for n in range(200)))
    damage(path)
    kept = path.read_bytes()
    async with opened(tmp_path) as store:
        assert store.stats.moved_aside == 1
        assert await all_of(store) == {}
        await store.commit(put("a"))
    assert (tmp_path / f"{FILE_NAME}.damaged-1").read_bytes() == kept
    assert "moved aside" in caplog.text
    damage(path)
    async with opened(tmp_path):
        assert (tmp_path / f"{FILE_NAME}.damaged-2").exists()


async def test_a_file_that_somebody_holds_is_refused_and_left_alone(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.commit(put("a"))
    with contextlib.closing(sqlite3.connect(tmp_path / FILE_NAME)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="cannot open the state: database is locked"):
            await Store(tmp_path).open()
    async with opened(tmp_path) as store:
        assert store.stats.moved_aside == 0
        assert set(await all_of(store)) == {"a"}


VERSION_1 = """
PRAGMA application_id=0x4D464C41; PRAGMA user_version=1;
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE history (key TEXT PRIMARY KEY, text TEXT NOT NULL, first_seen REAL NOT NULL,
    changed_at REAL, previous TEXT) WITHOUT ROWID;
INSERT INTO meta VALUES ('a', '1');
INSERT INTO history VALUES ('k#record', 'text', 1.5, 2.5, 'before');
"""


async def test_a_file_of_an_older_version_is_taken_over_with_all_that_it_knows(
    tmp_path: Path,
) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / FILE_NAME)) as other:
        other.executescript(VERSION_1)
    for _ in ("the first time", "from then on"):
        async with opened(tmp_path) as store:
            assert await all_of(store) == {"a": "1"}
            rows = await store.read("SELECT * FROM history")
            assert rows == [("k#record", "text", 1.5, 2.5, "before", None)]
            assert store.stats.moved_aside == 0
            assert await store.read("PRAGMA user_version") == [(6,)]


async def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.commit(put("a"))
    with sqlite3.connect(tmp_path / FILE_NAME) as other:
        other.execute("PRAGMA user_version=99")
    other.close()
    with pytest.raises(StoreError, match="newer mailflow-agent \\(schema 99, this one reads 6\\)"):
        await Store(tmp_path).open()
    assert (tmp_path / FILE_NAME).exists()
    assert not (tmp_path / f"{FILE_NAME}.damaged-1").exists()


async def test_on_a_full_disk_durable_writes_fail_and_the_others_wait(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path, flush_seconds=0.01, max_bytes=100_000) as store:
        await store.commit(put("before", "x" * 40_000))
        with pytest.raises(StoreError, match="cannot write the state: database or disk is full"):
            await store.commit(put("refused", "x" * 100_000))
        store.write(put("waits", "x" * 60_000))
        assert "refused" not in await all_of(store)
        assert "disk is full" in store.stats.degraded
        assert store.stats.pending == 1
        assert store.stats.write_errors >= 2
        # Room comes back: what waited is written.
        await store.read("PRAGMA max_page_count=1000")
        assert set(await all_of(store)) == {"before", "waits"}
    assert "the state cannot be written" in caplog.text
    assert "the state can be written again" in caplog.text


async def test_a_waiting_change_is_replaced_by_a_later_one_of_its_key(tmp_path: Path) -> None:
    async with opened(tmp_path, max_bytes=60_000) as store:
        for n in range(50):
            store.write(put("same", "x" * (100_000 - n)))
        await store.read("SELECT 1")
        assert store.stats.pending == 1


async def test_what_waits_is_bounded(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for n in range(MAX_PENDING + 3):
        store._gather(Change(str(n), ()))
    assert store.stats.dropped == 3
    assert store.stats.pending == MAX_PENDING


async def test_a_value_that_cannot_be_stored_shows_and_does_not_end_the_writer() -> None:
    async with opened(None) as store:
        with pytest.raises(StoreError):
            await store.commit(put("a", "\ud800"))
        await store.commit(put("b"))


async def test_a_query_that_fails_is_an_error_in_words() -> None:
    async with opened(None) as store:
        with pytest.raises(StoreError, match="cannot read the state: no such column: absent"):
            await store.read("SELECT absent")


async def test_a_caller_that_gives_up_before_its_turn_writes_nothing() -> None:
    async with opened(None) as store:
        gate = asyncio.create_task(store.read("SELECT 1"))
        commit = asyncio.create_task(store.commit(put("a")))
        read = asyncio.create_task(store.read("SELECT 1"))
        commit.cancel()
        read.cancel()
        await asyncio.gather(gate, commit, read, return_exceptions=True)
        assert await all_of(store) == {}


async def test_a_store_that_was_never_opened_can_be_closed(tmp_path: Path) -> None:
    await Store(tmp_path).close()
