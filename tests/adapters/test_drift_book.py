"""What a tenant looked like, and what changed since, is known over restarts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.adapters.drift_book import FORGET_AFTER, KEEP_FOR, MAX_CHANGES, DriftBook
from agent.adapters.store import Change as Write
from agent.adapters.store import Store
from agent.domain.tenancy.objects import AcceptedDomain, Export, Inbound, Outbound

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OWN = Inbound(name="From own servers", enabled=True, connector_type="on-premises")
WHOLE = Export(inbound=(OWN,), exported_at=NOON)
OFF = Export(inbound=(replace(OWN, enabled=False),), exported_at=NOON + HOUR)


@asynccontextmanager
async def kept_in(folder: Path | None) -> AsyncIterator[tuple[DriftBook, Store]]:
    store = Store(folder)
    await store.open()
    book = DriftBook(store)
    await book.start()
    try:
        yield book, store
    finally:
        await store.close()


async def tenants(store: Store) -> list[str]:
    return [name for (name,) in await store.read("SELECT tenant FROM drift ORDER BY tenant")]


async def test_a_change_is_remembered_with_the_time_it_was_seen(tmp_path: Path) -> None:
    async with kept_in(tmp_path) as (book, _):
        assert book.note("contoso", WHOLE, NOON) == ()
        (change,) = book.note("contoso", OFF, NOON + HOUR)
        assert (change.property, change.before, change.after) == ("Enabled", "True", "False")
        assert change.seen_at == NOON + HOUR
    async with kept_in(tmp_path) as (book, _):
        assert book.recent("contoso", NOON + HOUR, DAY) == (change,)
        assert book.note("contoso", OFF, NOON + 2 * HOUR) == (change,)
        first, second = book.note("contoso", WHOLE, NOON + 3 * HOUR)
        assert first == change
        assert (second.after, second.seen_at) == ("True", NOON + 3 * HOUR)


async def test_the_same_object_comes_back_while_nothing_changes() -> None:
    async with kept_in(None) as (book, _):
        book.note("contoso", WHOLE, NOON)
        found = book.note("contoso", OFF, NOON + HOUR)
        assert book.note("contoso", replace(OFF, exported_at=NOON + DAY), NOON + DAY) is found
        # Something that makes no noise, and is known from then on.
        touched = Export(inbound=(replace(OWN, enabled=False, changed_at=NOON),))
        assert book.note("contoso", touched, NOON + DAY) is found


async def test_changes_are_recent_for_a_time() -> None:
    async with kept_in(None) as (book, _):
        book.note("contoso", WHOLE, NOON)
        found = book.note("contoso", OFF, NOON)
        assert book.recent("contoso", NOON + HOUR, HOUR) == found
        assert book.recent("contoso", NOON + HOUR + timedelta(seconds=1), HOUR) == ()
        assert book.recent("fabrikam", NOON, HOUR) == ()


async def test_what_is_missing_for_a_while_is_compared_when_it_is_back(tmp_path: Path) -> None:
    back = Outbound(name="To own servers", enabled=True)
    async with kept_in(tmp_path) as (book, _):
        book.note("contoso", replace(WHOLE, outbound=(back,)), NOON)
        assert book.note("contoso", WHOLE, NOON + HOUR) == ()
    async with kept_in(tmp_path) as (book, _):
        (change,) = book.note("contoso", replace(WHOLE, outbound=()), NOON + 2 * HOUR)
        assert (change.what, change.name) == ("removed", "To own servers")


async def test_no_more_than_so_many_changes_are_kept() -> None:
    many = tuple(AcceptedDomain(name=f"d{n}.example") for n in range(MAX_CHANGES + 5))
    async with kept_in(None) as (book, _):
        book.note("contoso", Export(domains=()), NOON)
        found = book.note("contoso", Export(domains=many), NOON)
        assert len(found) == MAX_CHANGES
        late = book.note("contoso", Export(domains=many[1:]), NOON + HOUR)
        assert len(late) == MAX_CHANGES
        assert (late[-1].what, late[-1].name) == ("removed", "d0.example")


async def test_old_changes_are_forgotten(tmp_path: Path) -> None:
    async with kept_in(tmp_path) as (book, _):
        book.note("contoso", WHOLE, NOON)
        book.note("contoso", OFF, NOON)
        late = NOON + KEEP_FOR + HOUR
        book.note("contoso", replace(OFF, exported_at=late), late)
        fresh = replace(WHOLE, exported_at=late + KEEP_FOR)
        assert [each.after for each in book.note("contoso", fresh, late)] == ["True"]
        book.keep(["contoso"], late + KEEP_FOR + HOUR)
        assert book.recent("contoso", late, 10 * KEEP_FOR) == ()
    async with kept_in(tmp_path) as (book, _):
        assert book.recent("contoso", late, 10 * KEEP_FOR) == ()


async def test_a_tenant_that_is_gone_is_forgotten_after_a_month(tmp_path: Path) -> None:
    async with kept_in(tmp_path) as (book, store):
        book.note("contoso", WHOLE, NOON)
        book.note("fabrikam", WHOLE, NOON)
        book.keep(["contoso"], NOON)
        book.keep(["contoso"], NOON + FORGET_AFTER)
        assert await tenants(store) == ["contoso", "fabrikam"]
    async with kept_in(tmp_path) as (book, store):
        book.keep(["contoso"], NOON + FORGET_AFTER + HOUR)
        assert await tenants(store) == ["contoso"]
        assert book.note("fabrikam", OFF, NOON + FORGET_AFTER + HOUR) == ()


async def test_a_mistake_in_the_configuration_costs_nothing(tmp_path: Path) -> None:
    async with kept_in(tmp_path) as (book, _):
        book.note("contoso", WHOLE, NOON)
        book.keep([], NOON)
        book.keep(["contoso"], NOON + 20 * DAY)
        book.keep([], NOON + 20 * DAY)
    async with kept_in(tmp_path) as (book, store):
        book.keep([], NOON + 49 * DAY)
        book.keep(["contoso"], NOON + 50 * DAY)
        book.keep(["contoso"], NOON + 500 * DAY)
        assert await tenants(store) == ["contoso"]
        assert len(book.note("contoso", OFF, NOON + 500 * DAY)) == 1


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("('contoso', 'no export', '', NULL)", id="no export"),
        pytest.param("('contoso', '', '', 9e99)", id="nothing"),
    ],
)
async def test_a_damaged_row_costs_one_tenant_what_is_remembered(tmp_path: Path, row: str) -> None:
    async with kept_in(tmp_path) as (book, store):
        book.note("fabrikam", WHOLE, NOON)
        await store.commit(Write("drift", ((f"INSERT INTO drift VALUES {row}", ()),)))
    async with kept_in(tmp_path) as (book, _):
        assert book.last("contoso") is None
        assert book.last("fabrikam") == WHOLE
        assert book.note("contoso", WHOLE, NOON) == ()
    async with kept_in(tmp_path) as (book, _):
        assert book.last("contoso") == WHOLE


async def test_when_it_was_exported_is_known_over_restarts_but_for_hours(tmp_path: Path) -> None:
    async with kept_in(tmp_path) as (book, _):
        for hours in range(9):
            book.note("contoso", replace(WHOLE, exported_at=NOON + hours * HOUR), NOON)
        found = book.last("contoso")
        assert found is not None
        assert found.exported_at == NOON + 8 * HOUR
        book.note("contoso", replace(WHOLE, exported_at=None), NOON)
    async with kept_in(tmp_path) as (book, _):
        found = book.last("contoso")
        assert found is not None
        assert found.exported_at == NOON + 7 * HOUR


async def test_a_name_that_stands_for_another_tenant_begins_anew(tmp_path: Path) -> None:
    async with kept_in(tmp_path) as (book, _):
        book.note("contoso", WHOLE, NOON)
        book.forget("contoso")
        book.forget("contoso")
        assert book.note("contoso", OFF, NOON) == ()


async def test_a_clock_that_was_ahead_keeps_a_change_no_longer_than_others() -> None:
    async with kept_in(None) as (book, _):
        book.note("contoso", WHOLE, NOON)
        book.note("contoso", OFF, NOON + 60 * DAY)
        book.keep(["contoso"], NOON + HOUR)
        assert len(book.recent("contoso", NOON + HOUR, DAY)) == 1
        assert book.recent("contoso", NOON + 2 * DAY, DAY) == ()


async def test_a_clock_that_is_ahead_or_behind_for_a_moment_loses_no_change() -> None:
    async with kept_in(None) as (book, _):
        book.note("contoso", WHOLE, NOON)
        (change,) = book.note("contoso", OFF, NOON + HOUR)
        book.keep(["contoso"], NOON + 4000 * DAY)
        book.keep(["contoso"], NOON - 4000 * DAY)
        assert book.recent("contoso", NOON + HOUR, DAY) == (change,)


_SINCE = ("drift", "turn", "watched", "watch", "streak")  # tables that came later


async def test_a_state_of_the_version_before_has_a_book_without_a_page(tmp_path: Path) -> None:
    async with kept_in(tmp_path) as (book, store):
        book.note("contoso", WHOLE, NOON)
        await store.commit(
            Write(
                "older",
                (
                    *((f"DROP TABLE {name}", ()) for name in _SINCE),
                    ("PRAGMA user_version=3", ()),
                ),
            )
        )
    async with kept_in(tmp_path) as (book, store):
        assert await store.read("PRAGMA user_version") == [(6,)]
        assert book.note("contoso", OFF, NOON) == ()
