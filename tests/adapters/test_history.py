"""A record's first and last change are known, over restarts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.adapters.history import MAX_TEXT, History, Seen
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
    far = ("INSERT INTO history VALUES ('k', 'text', 9e99, NULL, NULL)", ())
    await store.commit(Change("history k", (far,)))
    with pytest.raises(StoreError, match="holds what no mailflow-agent wrote"):
        await History(store).start()
    await store.close()
