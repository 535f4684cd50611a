"""What was found is known after a restart and a crash, and little is written for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from agent.adapters.store import Change, Store, StoreError
from agent.adapters.streak_book import StreakBook
from agent.domain.streak import Streak, Streaks
from servers.standings import NOON

SPF, MX = "contoso/domain/contoso.com/spf", "contoso/domain/contoso.com/mx"
MINUTE = timedelta(minutes=1)


class Counting(Store):
    """Counts what it is handed."""

    written = 0

    def write(self, change: Change) -> None:
        self.written += 1
        super().write(change)


@asynccontextmanager
async def opened(
    folder: Path | None = None, *, seen: int | None = None
) -> AsyncIterator[tuple[StreakBook, dict[str, Streaks], Counting]]:
    store = Counting(folder)
    await store.open()
    book = StreakBook(store)
    try:
        yield book, await book.read(None if seen is None else NOON + seen * MINUTE), store
    finally:
        await store.close()


def streak(runs: int, last: int = 0, *, code: str = "spf-syntax") -> Streaks:
    return {code: Streak(runs, NOON, NOON + last * MINUTE)}


async def test_only_what_an_alert_could_tell_apart_is_written() -> None:
    async with opened() as (book, _, store):
        for turn in range(1, 9):
            book.note(SPF, streak(turn, turn))
            book.note(MX, {})
        assert store.written == 2, "it began, and it was found twice"
        book.note(SPF, streak(0, 8))
        book.note(SPF, streak(0, 8))
        assert store.written == 3, "it could not be told"
        book.note(SPF, {})
        book.note(SPF, {})
        assert store.written == 4, "it ended"
        assert await store.read("SELECT * FROM streak") == []


async def test_what_was_found_is_known_after_an_end_and_after_a_crash(tmp_path: Path) -> None:
    async with opened(tmp_path) as (book, found, _):
        assert found == {}
        for turn in range(1, 9):
            book.note(SPF, streak(turn, turn))
        book.note(MX, streak(0, 3, code="mx-null"))
    # What is in a row was found until the agent ended; what is not, when it was found last.
    before = {SPF: streak(2, 9), MX: streak(0, 3, code="mx-null")}
    async with opened(tmp_path, seen=9) as (book, found, store):
        assert found == before
        book.note(SPF, streak(3, 9))
        assert store.written == 0, "nothing is new"
        book.end([(SPF, streak(3, 9)), (MX, {})])
    async with opened(tmp_path) as (book, found, _):
        assert found[SPF] == streak(3, 9)
        book.keep([MX])
    async with opened(tmp_path) as (_, found, _):
        assert found.keys() == {MX}


async def test_what_no_agent_wrote_is_said_to_be_so() -> None:
    async with opened() as (book, _, store):
        await store.commit(Change("x", (("INSERT INTO streak VALUES ('a', 'b', 'c', 1, 1)", ()),)))
        with pytest.raises(StoreError, match="no mailflow-agent wrote"):
            await book.read(None)
