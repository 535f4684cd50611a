"""What became of a check is known over restarts and crashes, and so is when nobody looked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.adapters.chronicle import KEEP_FOR, LAPSE, MAX_ROWS, Chronicle, Turn
from agent.adapters.store import Change, Store, StoreError
from agent.domain.timeline import Mark, Watch, spans

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SPF, MX = "contoso/domain/contoso.com/spf", "contoso/domain/contoso.com/mx"


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


@asynccontextmanager
async def opened(
    folder: Path | None = None, minutes: float = 0, **limits: Any
) -> AsyncIterator[tuple[Chronicle, Store]]:
    store = Store(folder)
    await store.open()
    chronicle = Chronicle(store, **limits)
    await chronicle.start(at(minutes))
    yield chronicle, store
    await store.close()


async def told(chronicle: Chronicle, minutes: float, check: str = SPF) -> list[tuple[float, Mark]]:
    """Return how a check was since noon: where each span ends, in minutes."""
    record = await chronicle.read([check], at(minutes))
    line = spans(record.notes[check], record.watches, at(0), at(minutes))
    return [((span.end - NOON).total_seconds() / 60, span.mark) for span in line]


async def test_a_restart_leaves_a_hole_and_what_was_known_stays(tmp_path: Path) -> None:
    async with opened(tmp_path) as (chronicle, _):
        chronicle.note(SPF, Mark.OK, at(1))
        chronicle.note(SPF, Mark.OK, at(2))
        chronicle.note(SPF, Mark.CRITICAL, at(3))
        chronicle.end(at(10))
    async with opened(tmp_path, minutes=20) as (chronicle, _):
        assert chronicle.since(SPF, Mark.CRITICAL) == at(3)
        chronicle.note(SPF, Mark.CRITICAL, at(21))
        assert chronicle.since(SPF, Mark.CRITICAL) == at(3)
        assert chronicle.since(SPF, Mark.OK) is None
        assert await told(chronicle, 30) == [
            (1, Mark.AWAY),
            (3, Mark.OK),
            (10, Mark.CRITICAL),
            (20, Mark.AWAY),
            (21, Mark.NO_DATA),
            (30, Mark.CRITICAL),
        ]
        assert chronicle.recent() == (Turn(at(3), SPF, Mark.OK, Mark.CRITICAL),)


async def test_a_crash_leaves_a_hole_from_the_last_sign_of_life(tmp_path: Path) -> None:
    async with opened(tmp_path) as (chronicle, store):
        chronicle.note(SPF, Mark.OK, at(0))
        for seconds in range(300):
            chronicle.beat(at(seconds / 60))
        assert len(await store.read("SELECT * FROM watch")) == 1
    async with opened(tmp_path, minutes=20) as (chronicle, _):
        ends = await told(chronicle, 30)
    assert ends[0][1] is Mark.OK
    assert 4.6 <= ends[0][0] <= 5
    assert ends[1:] == [(20, Mark.AWAY), (30, Mark.NO_DATA)]


@pytest.mark.parametrize("back", [LAPSE * 2, -timedelta(hours=3)], ids=["slept", "clock set back"])
async def test_after_a_lapse_nothing_is_known_until_it_is_noted_again(back: timedelta) -> None:
    async with opened() as (chronicle, store):
        chronicle.note(SPF, Mark.OK, at(1))
        chronicle.beat(at(1))
        chronicle.beat(at(1) + back)
        assert chronicle.noted(SPF) is None
        chronicle.note(SPF, Mark.OK, at(2) + back)
        record = await chronicle.read([SPF], at(3) + back)
        assert record.watches[-1] == Watch(at(1) + back, at(3) + back)
        line = spans(record.notes[SPF], record.watches, at(1) + back, at(3) + back)
        assert [span.mark for span in line][-1] is Mark.OK
        ((count,),) = await store.read("SELECT count(*) FROM watch WHERE began > 0")
        assert count == (2 if back > timedelta() else 1)


async def test_a_run_that_ended_before_the_watch_began_is_noted_from_its_beginning() -> None:
    async with opened() as (chronicle, _):
        chronicle.note(SPF, Mark.OK, at(-5))
        assert await told(chronicle, 10) == [(10, Mark.OK)]


async def test_what_is_new_and_well_is_no_news_and_what_is_bad_is() -> None:
    async with opened() as (chronicle, _):
        chronicle.note(SPF, Mark.OK, at(1))
        chronicle.note(MX, Mark.CRITICAL, at(2))
        chronicle.note(SPF, Mark.NO_DATA, at(3))
        assert chronicle.known == (MX,)
        chronicle.note(SPF, Mark.OK, at(4))
        assert chronicle.recent() == (Turn(at(2), MX, Mark.NO_DATA, Mark.CRITICAL),)


async def test_rows_of_one_check_are_bounded_by_number_and_by_age(tmp_path: Path) -> None:
    async with opened(tmp_path) as (chronicle, store):
        for minute in range(MAX_ROWS + 50):
            chronicle.note(SPF, Mark.CRITICAL if minute % 2 else Mark.OK, at(minute))
        chronicle.note(MX, Mark.OK, at(0))
        chronicle.note(MX, Mark.CRITICAL, at(5))
        rows = "SELECT count(*), min(at) FROM turn JOIN watched ON id = watched WHERE identity = ?"
        assert await store.read(rows, SPF) == [(MAX_ROWS, at(50).timestamp())]
        days = KEEP_FOR / timedelta(minutes=1)
        chronicle.note(MX, Mark.OK, at(days + 10))
        assert await store.read(rows, MX) == [(2, at(5).timestamp())], "what was before stays"
        chronicle.note(SPF, Mark.NO_DATA, at(MAX_ROWS + 60))
        chronicle.end(at(days + 10))
    async with opened(tmp_path, minutes=days * 2 + 60) as (chronicle, store):
        assert await store.read("SELECT identity FROM watched") == [(MX,)]
        assert len(await store.read("SELECT * FROM watch")) == 1


async def test_a_disk_that_takes_nothing_leaves_a_hole_and_not_an_old_green() -> None:
    async with opened(most_waiting=3) as (chronicle, store):
        chronicle.note(SPF, Mark.OK, at(1))
        await store.flush()
        store.stats.degraded = "disk full"
        for minute in range(2, 9):
            chronicle.note(SPF, Mark.CRITICAL if minute % 2 else Mark.OK, at(minute))
            chronicle.beat(at(minute))
        assert chronicle.noted(SPF) is not None
        store.stats.degraded = ""
        chronicle.beat(at(9))
        chronicle.note(SPF, Mark.OK, at(10))
        ends = await told(chronicle, 12)
        assert ends[-3:] == [(9, Mark.AWAY), (10, Mark.NO_DATA), (12, Mark.OK)]
        assert (5, Mark.OK) in ends


async def test_a_store_that_does_not_answer_is_not_waited_for() -> None:
    async with opened(patience=0.0) as (chronicle, store):
        with pytest.raises(StoreError, match="not answered in time"):
            await chronicle.read([SPF], at(1))
        await store.flush()


async def test_a_mark_that_nobody_wrote_stops_the_start_in_words() -> None:
    store = Store()
    await store.open()
    odd = (
        ("INSERT INTO watched VALUES (1, 'a')", ()),
        ("INSERT INTO turn VALUES (1, 1, 99, 1, NULL)", ()),
    )
    await store.commit(Change("odd", odd))
    with pytest.raises(StoreError, match="holds what no mailflow-agent wrote"):
        await Chronicle(store).start(NOON)
    await store.close()
