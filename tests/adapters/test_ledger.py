"""The ledger knows every message, over restarts, crashes and full disks."""

import asyncio
import contextlib
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.adapters.clock import Clock, SystemClock
from agent.adapters.ledger import RETENTION, Held, Ledger
from agent.adapters.ledger_shelf import Shelf
from agent.adapters.store import Store, StoreError
from agent.domain.budget import Allowance, Budget
from agent.domain.ledger import FAILURES, UNJUDGED, Entry, Place, State
from agent.domain.message import Token, find_tokens
from servers import crash
from servers.standings import HandClock

WITHIN = timedelta(seconds=60)
LOST = timedelta(minutes=15)
WIDE = Budget(
    route=Allowance(1000, timedelta(minutes=1)),
    minute=Allowance(1000, timedelta(minutes=1)),
    day=Allowance(10_000, timedelta(days=1)),
)


@asynccontextmanager
async def opened(
    folder: Path | None = None, *, clock: Clock | None = None, budget: Budget = WIDE
) -> AsyncIterator[Ledger]:
    store = Store(folder)
    await store.open()
    ledger = Ledger(store, clock or HandClock(), budget=budget)
    await ledger.start()
    try:
        yield ledger
    finally:
        await store.close()


async def plan(ledger: Ledger, route: str = "r") -> Token:
    token = await ledger.plan(route, within=WITHIN, lost_after=LOST)
    assert isinstance(token, Token)
    return token


def only(ledger: Ledger, route: str = "r") -> Entry:
    (entry,) = ledger.recent(route)
    return entry


def conserve(ledger: Ledger, route: str, sent: int) -> None:
    """Assert that every message is counted in one class."""
    tally = ledger.tally(route)
    unjudged = sum(tally.counts[f"unjudged {reason}"] for reason in UNJUDGED)
    assert tally.counts["messages"] + unjudged + tally.in_flight == sent
    assert sum(tally.counts[f"failed {name}"] for name in FAILURES) <= tally.counts["messages"]


async def test_a_message_is_on_the_disk_before_its_token_is_known(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        token = await plan(ledger)
        rows = await ledger._store.read("SELECT nonce, entry FROM message")
        assert [nonce for nonce, _ in rows] == [token.nonce]
        assert '"sending"' in rows[0][1]


async def test_a_delivery_is_measured_by_the_clock_that_does_not_step() -> None:
    clock = HandClock()
    async with opened(clock=clock) as ledger:
        token = await plan(ledger)
        ledger.accepted(token, "250 ok")
        clock.elapsed += 5
        clock.at += timedelta(days=1)
        entry = ledger.arrived(token, detail="sink")
        assert entry is not None
        assert (entry.state, entry.seconds) == (State.DELIVERED, 5.0)
        conserve(ledger, "r", 1)


async def test_a_clock_set_back_over_a_restart_gives_no_negative_time(tmp_path: Path) -> None:
    clock = HandClock()
    async with opened(tmp_path, clock=clock) as ledger:
        token = await plan(ledger)
        ledger.accepted(token)
    clock.at -= timedelta(hours=1)
    async with opened(tmp_path, clock=clock) as ledger:
        entry = ledger.arrived(token)
        assert entry is not None
        assert entry.seconds == 0.0


@pytest.mark.parametrize(
    ("forge", "counter"),
    [
        pytest.param(lambda t: Token(t.nonce, "a" * 26), "forged", id="wrong code"),
        pytest.param(lambda t: Token("a" * 26, t.code), "foreign", id="unknown message"),
    ],
)
async def test_tokens_that_are_not_genuine_are_ignored_and_counted(
    forge: object, counter: str
) -> None:
    assert callable(forge)
    async with opened() as ledger:
        token = await plan(ledger)
        assert ledger.arrived(forge(token)) is None
        assert getattr(ledger.stats, counter) == 1
        assert only(ledger).state is State.SENDING


async def test_another_installation_does_not_know_our_tokens(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as one, opened(tmp_path / "b") as other:
        token = await plan(one)
        await plan(other)
        assert other.arrived(token) is None


async def test_waiting_ends_with_the_arrival() -> None:
    async with opened() as ledger:
        token = await plan(ledger)
        ledger.accepted(token)
        async with asyncio.TaskGroup() as group:
            waits = [group.create_task(ledger.wait(token, WITHIN)) for _ in range(2)]
            given_up = group.create_task(ledger.wait(token, timedelta(milliseconds=1)))
            while not given_up.done():
                await asyncio.wait((given_up,))
            ledger.arrived(token)
        assert given_up.result().state is State.ACCEPTED
        assert [wait.result().state for wait in waits] == [State.DELIVERED] * 2
        assert (await ledger.wait(token, WITHIN)).state is State.DELIVERED
        assert not ledger._waiters


async def test_waiting_in_vain_leaves_nothing_behind() -> None:
    async with opened() as ledger:
        token = await plan(ledger)
        entry = await ledger.wait(token, timedelta(milliseconds=1))
        assert entry.state is State.SENDING
        assert not ledger._waiters


async def test_what_is_too_old_is_lost_and_late_when_it_comes() -> None:
    clock = HandClock()
    async with opened(clock=clock) as ledger:
        token = await plan(ledger)
        ledger.accepted(token)
        clock.advance(2 * WITHIN)
        ledger.judge("r")
        assert [entry.nonce for entry in ledger.overdue("r")] == [token.nonce]
        assert ledger.news("r") == ()
        clock.advance(LOST)
        ledger.judge("r")
        ledger.judge("r")
        assert [entry.state for entry in ledger.news("r")] == [State.LOST]
        assert ledger.overdue("r") == ()
        ledger.arrived(token)
        assert [entry.state for entry in ledger.news("r")] == [State.LATE]
        counts = ledger.tally("r").counts
        assert (counts["messages"], counts["failed lost"], counts["late"]) == (1, 1, 1)


async def test_the_servers_no_and_our_own_no_are_counted_apart() -> None:
    async with opened() as ledger:
        ledger.rejected(await plan(ledger), "refused", "550 no")
        ledger.withdrawn(await plan(ledger), "dns")
        ledger.uncertain(await plan(ledger))
        counts = ledger.tally("r").counts
        assert counts["failed refused"] == counts["unjudged not-sent"] == 1
        assert ledger.tally("r").in_flight == 1
        conserve(ledger, "r", 3)


async def test_nothing_is_sent_above_the_budget_even_after_a_restart(tmp_path: Path) -> None:
    clock = HandClock()
    for _ in range(3):
        async with opened(tmp_path, clock=clock, budget=Budget()) as ledger:
            await plan(ledger)
        async with opened(tmp_path, clock=clock, budget=Budget()) as ledger:
            held = await ledger.plan("r", within=WITHIN, lost_after=LOST)
            assert isinstance(held, Held)
            assert held.reason == "over-budget"
            assert "2 messages in 0:01:00 for this route; the next may go in 30 s" in held.detail
        clock.advance(timedelta(seconds=30))


async def test_all_routes_share_a_budget() -> None:
    budget = Budget(minute=Allowance(4, timedelta(minutes=1)))
    async with opened(budget=budget) as ledger:
        await plan(ledger, "a")
        held = await ledger.plan("b", within=WITHIN, lost_after=LOST)
        assert isinstance(held, Held)
        assert "for all routes" in held.detail


async def test_a_route_may_have_an_allowance_of_its_own() -> None:
    async with opened(budget=Budget()) as ledger:
        wide = Allowance(8, timedelta(minutes=1))
        for allowance in (None, wide):
            token = await ledger.plan("r", within=WITHIN, lost_after=LOST, allowance=allowance)
            if allowance is None:
                assert isinstance(token, Token)
        assert isinstance(token, Held)  # a wider allowance does not fill the bucket


async def test_nothing_is_sent_that_cannot_be_recorded() -> None:
    async with opened() as ledger:
        await ledger._store.read("PRAGMA query_only=1")
        held = await ledger.plan("r", within=WITHIN, lost_after=LOST)
        assert isinstance(held, Held)
        assert held.reason == "unrecorded"
        assert ledger.recent("r") == ()
        await ledger._store.read("PRAGMA query_only=0")
        await plan(ledger)
        conserve(ledger, "r", 1)


async def test_a_plan_that_is_given_up_counts_as_not_sent() -> None:
    async with opened() as ledger:
        task = asyncio.create_task(plan(ledger))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert only(ledger).unjudged == "not-sent"
        conserve(ledger, "r", 1)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param("UPDATE message SET entry = '{'", id="half a message"),
        pytest.param("UPDATE message SET entry = '{}'", id="an empty message"),
        pytest.param("UPDATE message SET entry = x'ff'", id="a message of octets"),
        pytest.param("UPDATE budget SET at = 9e99", id="a time far away"),
        pytest.param("UPDATE budget SET level = 'much'", id="a level in words"),
        pytest.param("INSERT INTO settled VALUES ('r', 1, '[]')", id="a list for a tally"),
        pytest.param("UPDATE meta SET value = x'ff' WHERE key = 'instance'", id="no name"),
        pytest.param("DELETE FROM meta WHERE key = 'instance'", id="half an identity"),
        pytest.param("DROP TABLE message", id="no table"),
    ],
)
async def test_a_state_that_no_agent_wrote_stops_the_start_in_words(
    spoil: str, tmp_path: Path
) -> None:
    async with opened(tmp_path) as ledger:
        await plan(ledger)
    with contextlib.closing(sqlite3.connect(tmp_path / "mailflow.db")) as other:
        other.execute(spoil)
        other.commit()
    store = Store(tmp_path)
    await store.open()
    with pytest.raises(StoreError, match="the state"):
        await Ledger(store, HandClock()).start()
    await store.close()


async def test_an_identity_that_cannot_be_kept_stops_the_start() -> None:
    store = Store()
    await store.open()
    await store.read("PRAGMA query_only=1")
    with pytest.raises(StoreError):
        await Ledger(store, HandClock()).start()
    await store.close()


async def test_tallies_are_the_same_after_a_restart(tmp_path: Path) -> None:
    clock = HandClock()
    async with opened(tmp_path, clock=clock) as ledger:
        for place in Place:
            token = await plan(ledger)
            ledger.accepted(token)
            clock.advance(timedelta(seconds=2))
            ledger.arrived(token, place=place, damaged=place is Place.JUNK)
        ledger.arrived(token)
        ledger.rejected(await plan(ledger), "deferred")
        ledger.uncertain(await plan(ledger))
        before = ledger.tally("r")
    async with opened(tmp_path, clock=clock) as ledger:
        assert ledger.tally("r") == before
        assert (await plan(ledger)) is not None
        assert ledger.recent("r")[0].sequence == 8


async def test_what_a_start_judges_is_on_the_disk_before_it_is_shown(tmp_path: Path) -> None:
    clock = HandClock()
    async with opened(tmp_path, clock=clock) as ledger:
        ledger.accepted(await plan(ledger))
    clock.advance(RETENTION * 2)
    store = Store(tmp_path, flush_seconds=3600)
    await store.open()
    ledger = Ledger(store, clock, budget=WIDE)
    await ledger.start()
    assert ledger.tally("r").counts["unjudged interrupted"] == 1
    with contextlib.closing(sqlite3.connect(tmp_path / "mailflow.db")) as other:
        assert len(other.execute("SELECT * FROM settled").fetchall()) == 1
    await store.close()


async def test_a_message_that_was_under_way_while_we_were_away_accuses_nobody(
    tmp_path: Path,
) -> None:
    clock = HandClock()
    async with opened(tmp_path, clock=clock) as ledger:
        ledger.accepted(await plan(ledger))
    clock.advance(2 * WITHIN)
    async with opened(tmp_path, clock=clock) as ledger:
        ledger.accepted(await plan(ledger))
        clock.advance(2 * WITHIN)
        assert [entry.sequence for entry in ledger.overdue("r")] == [2]
        clock.advance(LOST)
        ledger.judge("r")
        counts = ledger.tally("r").counts
        assert (counts["unjudged interrupted"], counts["failed lost"]) == (1, 1)
        conserve(ledger, "r", 2)


async def test_old_messages_are_forgotten_but_not_what_they_add_up_to(tmp_path: Path) -> None:
    clock = HandClock()
    async with opened(tmp_path, clock=clock) as ledger:
        done, open_one = await plan(ledger), await plan(ledger)
        ledger.accepted(done)
        ledger.arrived(done)
        ledger.accepted(open_one)
        clock.advance(timedelta(days=4))
        latest = await plan(ledger)
        assert [entry.nonce for entry in ledger.recent("r")] == [latest.nonce]
        assert ledger.tally("r").counts["failed lost"] == 1
        conserve(ledger, "r", 3)
        before = ledger.tally("r")
    async with opened(tmp_path, clock=clock) as ledger:
        # What was being sent is uncertain now; all else is as it was.
        assert ledger.tally("r") == before
        assert only(ledger).state is State.UNCERTAIN
        assert (await plan(ledger), ledger.recent("r")[0].sequence)[1] == 4
        assert ledger.arrived(done) is None


async def test_news_of_a_message_that_is_forgotten_is_no_news() -> None:
    store = Store()
    await store.open()
    shelf = Shelf(store)
    entry = Entry(
        nonce="n",
        route="r",
        sequence=1,
        within=WITHIN,
        lost_after=LOST,
        planned_at=datetime(2026, 1, 1, tzinfo=UTC),
        judged_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    shelf.save(None, entry)
    shelf.forget(["n"])
    assert shelf.news("r") == shelf.recent("r") == ()
    await store.close()


@pytest.mark.parametrize(
    ("step", "state", "in_flight"),
    [
        pytest.param("planned", State.UNCERTAIN, 1, id="before the first octet"),
        pytest.param("accepted", State.UNCERTAIN, 1, id="the yes was not flushed"),
        pytest.param("flushed", State.ACCEPTED, 1, id="the yes was flushed"),
        pytest.param("arrived", State.DELIVERED, 0, id="arrived"),
    ],
)
async def test_a_killed_process_loses_no_message_and_sends_none_again(
    tmp_path: Path, step: str, state: State, in_flight: int
) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        crash.__file__,
        str(tmp_path),
        step,
        stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert child.stdout is not None
    (token,) = find_tokens(await child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    await child.wait()
    async with opened(tmp_path, clock=SystemClock()) as ledger:
        assert only(ledger).state is state
        assert ledger.tally("r").in_flight == in_flight
        conserve(ledger, "r", 1)
        # It comes in after all, and is counted once.
        ledger.arrived(token)
        assert only(ledger).state is State.DELIVERED
        conserve(ledger, "r", 1)
        assert ledger.tally("r").counts["duplicates"] == (step == "arrived")


async def test_a_process_killed_before_it_planned_leaves_nothing(tmp_path: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        crash.__file__,
        str(tmp_path),
        "opened",
        stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"\n"
    child.send_signal(signal.SIGKILL)
    await child.wait()
    async with opened(tmp_path) as ledger:
        assert ledger.recent("r") == ()


async def test_an_arrival_is_on_the_disk_before_its_bringer_is_thanked(tmp_path: Path) -> None:
    store = Store(tmp_path, flush_seconds=3600)
    await store.open()
    ledger = Ledger(store, HandClock(), budget=WIDE)
    await ledger.start()
    token = await plan(ledger)
    ledger.accepted(token, "250 ok")
    assert await ledger.admit(token) is not None
    with contextlib.closing(sqlite3.connect(tmp_path / "mailflow.db")) as other:
        ((entry,),) = other.execute("SELECT entry FROM message").fetchall()
    assert '"delivered"' in entry
    await store.close()


async def test_an_arrival_counts_while_the_disk_is_full() -> None:
    async with opened() as ledger:
        token = await plan(ledger)
        ledger.accepted(token, "250 ok")
        await ledger._store.read("PRAGMA query_only=1")
        assert await ledger.admit(token) is not None
        assert only(ledger).state is State.DELIVERED
        await ledger._store.read("PRAGMA query_only=0")


async def test_a_stranger_is_not_admitted() -> None:
    async with opened() as ledger, opened() as other:
        assert await ledger.admit(await plan(other)) is None
