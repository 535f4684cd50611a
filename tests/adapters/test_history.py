"""A record's first and last change are known, over restarts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.adapters.history import FORGET_AFTER, MAX_TEXT, History, Seen
from agent.adapters.store import Change, Store, StoreError

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


async def test_a_change_is_remembered_with_what_was_before(tmp_path: Path) -> None:
    store = Store(tmp_path)
    await store.open()
    history = History(store)
    await history.start()
    first = history.note("a#record", "v=spf1 -all", NOON)
    assert first == Seen(NOON, None, None)
    assert history.note("a#record", "v=spf1 -all", LATER) is first
    changed = history.note("a#record", "v=spf1 ~all", LATER)
    assert changed == Seen(NOON, LATER, "v=spf1 -all")
    history.note("b#record", "other", NOON)
    await store.close()

    await store.open()
    again = History(store)
    await again.start()
    assert again.note("a#record", "v=spf1 ~all", LATER) == changed
    assert again.note("b#record", "other", LATER) == Seen(NOON, None, None)
    await store.close()


def test_what_stood_before_a_series_of_changes_is_known_until_it_settles() -> None:
    history, hour = History(None), timedelta(hours=1)
    history.note("a", "one", NOON, hour)
    assert history.stood("a") is None
    for minutes, text, stood in (
        (10, "two", "one"),
        (20, "three", "one"),
        (30, "one", None),
        (80, "four", "one"),
        (200, "one", "four"),
    ):
        history.note("a", text, NOON + timedelta(minutes=minutes), hour)
        assert history.stood("a") == stood
    history.note("b", "one", NOON)
    history.note("b", "two", LATER)  # as an earlier version wrote it
    assert history.stood("b") == "one"


async def test_texts_that_are_long_or_odd_are_kept_bounded_and_told_apart() -> None:
    store = Store()
    await store.open()
    history = History(store)
    history.note("a", "x" * 100_000, NOON)
    changed = history.note("a", "x" * 100_000 + "y", LATER)
    assert changed.changed_at == LATER
    assert changed.previous is not None
    assert len(changed.previous) <= MAX_TEXT
    history.note("a", "\udcff", LATER)
    rows = await store.read("SELECT text FROM history")
    assert rows == [("\\udcff",)]
    await store.close()


async def test_a_time_that_nobody_wrote_stops_the_start_in_words(tmp_path: Path) -> None:
    store = Store(tmp_path)
    await store.open()
    far = ("INSERT INTO history VALUES ('k', 'text', 9e99, NULL, NULL, NULL)", ())
    await store.commit(Change("history k", (far,)))
    with pytest.raises(StoreError, match="holds what no mailflow-agent wrote"):
        await History(store).start()
    await store.close()


@asynccontextmanager
async def kept_in(folder: Path) -> AsyncIterator[tuple[History, Store]]:
    store = Store(folder)
    await store.open()
    history = History(store)
    await history.start()
    yield history, store
    await store.close()


async def keys(store: Store) -> list[str]:
    return [key for (key,) in await store.read("SELECT key FROM history ORDER BY key")]


async def test_what_no_check_wants_is_forgotten_after_a_month_here_and_in_the_store(
    tmp_path: Path,
) -> None:
    async with kept_in(tmp_path) as (history, store):
        for key in ("a#record", "b#record", "b#other"):
            history.note(key, "old", NOON)
        history.keep(["a"], NOON)
        history.keep(["a"], NOON + FORGET_AFTER)
        assert await keys(store) == ["a#record", "b#other", "b#record"]
    async with kept_in(tmp_path) as (history, store):
        late = NOON + FORGET_AFTER + timedelta(seconds=1)
        history.keep(["a"], late)
        assert await keys(store) == ["a#record"]
        assert history.note("b#record", "new", late) == Seen(late, None, None)
        assert history.note("a#record", "new", late) == Seen(NOON, late, "old")


async def test_it_is_forgotten_without_another_reload_too(tmp_path: Path) -> None:
    async with kept_in(tmp_path) as (history, store):
        for key in ("a#record", "b#record"):
            history.note(key, "old", NOON)
        history.keep(["a"], NOON)
        history.note("a#record", "old", NOON + FORGET_AFTER)
        assert await keys(store) == ["a#record", "b#record"]
        history.note("a#record", "old", NOON + FORGET_AFTER + timedelta(seconds=1))
        assert await keys(store) == ["a#record"]


async def test_a_mistake_in_the_configuration_costs_nothing_however_often_it_is_made(
    tmp_path: Path,
) -> None:
    day = timedelta(days=1)
    async with kept_in(tmp_path) as (history, _):
        seen = history.note("a#record", "old", NOON)
        history.keep([], NOON)
        history.keep(["a"], NOON + 20 * day)
        history.keep([], NOON + 20 * day)
        assert history.note("a#record", "old", NOON + 20 * day) is seen
    async with kept_in(tmp_path) as (history, store):
        history.keep([], NOON + 49 * day)
        history.keep(["a"], NOON + 50 * day)
        history.keep(["a"], NOON + 500 * day)
        assert await keys(store) == ["a#record"]
        assert history.note("a#record", "old", NOON + 500 * day) == seen


async def test_an_agent_that_was_switched_off_for_long_forgets_nothing(tmp_path: Path) -> None:
    async with kept_in(tmp_path) as (history, _):
        history.keep(["a"], NOON)
        history.note("a#record", "old", NOON)
    async with kept_in(tmp_path) as (history, _):
        history.keep(["a"], NOON + timedelta(days=400))
        assert history.note("a#record", "old", NOON + timedelta(days=400)).first_seen == NOON


async def test_without_a_store_it_is_known_until_the_end() -> None:
    history = History(None)
    await history.start()
    first = history.note("a#record", "v=spf1 -all", NOON)
    assert history.note("a#record", "v=spf1 -all", NOON) is first
    assert history.note("a#record", "v=spf1 ~all", NOON).previous == "v=spf1 -all"
    assert await history.note_durably("b#record", "x", NOON)
    history.keep([], NOON)
    history.keep([], NOON + FORGET_AFTER + timedelta(seconds=1))
    assert history.note("a#record", "v=spf1 -all", NOON).previous is None
