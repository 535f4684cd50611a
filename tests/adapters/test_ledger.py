"""The ledger knows every message, over restarts, crashes and full disks."""

import asyncio
import contextlib
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.adapters.clock import Clock, SystemClock
from agent.adapters.ledger import RETENTION, Held, Home, Ledger, Sighting
from agent.adapters.ledger_shelf import Shelf
from agent.adapters.mailbox import Folder
from agent.adapters.store import Store, StoreError
from agent.domain.budget import Allowance, Budget
from agent.domain.ledger import FAILURES, UNJUDGED, Entry, State
from agent.domain.message import Token, find_tokens
from servers import crash
from servers.standings import HandClock

WITHIN = timedelta(seconds=60)
LOST = timedelta(minutes=15)
BOX = "graph probe@contoso.com"
AT_SINK, IN_BOX = Home(), Home(BOX, "imap sender", is_kept=True)
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


async def plan(ledger: Ledger, route: str = "r", home: Home = AT_SINK) -> Token:
    token = await ledger.plan(route, within=WITHIN, lost_after=LOST, home=home)
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
        entry = ledger.intake.arrived(token, Sighting(detail="sink"))
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
        entry = ledger.intake.arrived(token)
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
        assert ledger.intake.arrived(forge(token)) is None
        assert getattr(ledger.stats, counter) == 1
        assert only(ledger).state is State.SENDING


async def test_another_installation_does_not_know_our_tokens(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as one, opened(tmp_path / "b") as other:
        token = await plan(one)
        await plan(other)
        assert other.intake.arrived(token) is None


async def test_waiting_ends_with_the_arrival() -> None:
    async with opened() as ledger:
        token = await plan(ledger)
        ledger.accepted(token)
        async with asyncio.TaskGroup() as group:
            waits = [group.create_task(ledger.wait(token, WITHIN)) for _ in range(2)]
            given_up = group.create_task(ledger.wait(token, timedelta(milliseconds=1)))
            while not given_up.done():
                await asyncio.wait((given_up,))
            ledger.intake.arrived(token)
        assert given_up.result().state is State.ACCEPTED
        assert [wait.result().state for wait in waits] == [State.DELIVERED] * 2
        assert (await ledger.wait(token, WITHIN)).state is State.DELIVERED
        assert not ledger.intake._waiters


async def test_waiting_in_vain_leaves_nothing_behind() -> None:
    async with opened() as ledger:
        token = await plan(ledger)
        entry = await ledger.wait(token, timedelta(milliseconds=1))
        assert entry.state is State.SENDING
        assert not ledger.intake._waiters


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
        ledger.intake.arrived(token)
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
        for folder in Folder:
            token = await plan(ledger)
            ledger.accepted(token)
            clock.advance(timedelta(seconds=2))
            ledger.intake.arrived(token, Sighting(folder=folder, damaged=folder is Folder.JUNK))
        ledger.intake.arrived(token)
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
        ledger.intake.arrived(done)
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
        assert ledger.intake.arrived(done) is None


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
        ledger.intake.arrived(token)
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
    ledger.intake.note_arrival(token, Sighting())
    await ledger.intake.settle()
    with contextlib.closing(sqlite3.connect(tmp_path / "mailflow.db")) as other:
        ((entry,),) = other.execute("SELECT entry FROM message").fetchall()
    assert '"delivered"' in entry
    await store.close()


async def test_an_arrival_counts_while_the_disk_is_full() -> None:
    async with opened() as ledger:
        token = await plan(ledger)
        ledger.accepted(token, "250 ok")
        await ledger._store.read("PRAGMA query_only=1")
        ledger.intake.note_arrival(token, Sighting())
        await ledger.intake.settle()
        assert only(ledger).state is State.DELIVERED
        await ledger._store.read("PRAGMA query_only=0")


async def test_a_stranger_is_not_admitted() -> None:
    async with opened() as ledger, opened() as other:
        ledger.intake.note_arrival(await plan(other), Sighting())
        await ledger.intake.settle()
        assert ledger.stats.foreign == 1
        assert ledger.recent("r") == ()


async def put_off(ledger: Ledger, wait: timedelta = timedelta(minutes=5)) -> Entry:
    """Plan a message that the server greylists, and return it."""
    ledger.deferred(await plan(ledger), wait, "451 4.7.1 greylisted")
    waiting = ledger.waiting("r")
    assert waiting is not None
    return waiting


async def test_what_is_put_off_is_sent_again_under_its_token_and_that_is_on_the_disk(
    tmp_path: Path,
) -> None:
    clock = HandClock()
    async with opened(tmp_path, clock=clock) as ledger:
        assert ledger.waiting("r") is None
        first = await put_off(ledger)
        assert (first.attempts, first.retry_at) == (1, clock.now() + timedelta(minutes=5))
        assert (await ledger.wait(ledger.token_of(first), WITHIN)).is_waiting  # at once
        clock.advance(timedelta(minutes=6))
    async with opened(tmp_path, clock=clock) as ledger:
        waiting = ledger.waiting("r")
        assert waiting == first  # a restart sends nothing again, and forgets nothing
        token = await ledger.plan_again(waiting)
        assert isinstance(token, Token)
        rows = await ledger._store.read("SELECT nonce, entry FROM message")
        assert [nonce for nonce, _ in rows] == [token.nonce] == [first.nonce]
        assert '"sending"' in rows[0][1]
        assert ledger.entry(token).deferral == timedelta(minutes=6)
        ledger.accepted(token)
        clock.advance(timedelta(seconds=3))
        arrived = ledger.intake.arrived(token)
        assert arrived is not None
        assert (arrived.state, arrived.seconds) == (State.DELIVERED, 3.0)
        conserve(ledger, "r", 1)


async def test_what_is_put_off_for_longer_than_it_may_take_is_given_up() -> None:
    clock = HandClock()
    async with opened(clock=clock) as ledger:
        await put_off(ledger)
        clock.advance(LOST)
        assert ledger.overdue("r") == ()
        ledger.judge("r")
        assert ledger.tally("r").counts["failed deferred"] == 1
        assert ledger.waiting("r") is None
        conserve(ledger, "r", 1)


async def test_sending_again_takes_from_the_budget_and_must_be_recorded() -> None:
    async with opened(budget=Budget(route=Allowance(1, timedelta(minutes=1)))) as ledger:
        waiting = await put_off(ledger)
        held = await ledger.plan_again(waiting)
        assert isinstance(held, Held)
        assert held.reason == "over-budget"
        assert ledger.waiting("r") == waiting
    async with opened() as ledger:
        waiting = await put_off(ledger)
        await ledger._store.read("PRAGMA query_only=1")
        held = await ledger.plan_again(waiting)
        assert isinstance(held, Held)
        assert held.reason == "unrecorded"
        assert ledger.waiting("r") == waiting
        await ledger._store.read("PRAGMA query_only=0")
        assert isinstance(await ledger.plan_again(waiting), Token)


async def test_a_second_sending_that_is_given_up_goes_on_waiting(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        waiting = await put_off(ledger)
        task = asyncio.create_task(ledger.plan_again(waiting))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert ledger.waiting("r") == waiting
    async with opened(tmp_path) as ledger:
        assert ledger.waiting("r") == waiting


async def test_nothing_is_lost_or_late_without_a_look_after_its_time() -> None:
    clock = HandClock()
    async with opened(clock=clock) as ledger:
        ledger.accepted(await plan(ledger, home=IN_BOX))
        began = clock.monotonic()
        clock.advance(2 * LOST)
        ledger.judge("r")  # nobody has ever looked
        assert ledger.overdue("r") == ()
        ledger.looked(BOX, began + WITHIN.total_seconds() + 1)
        ledger.judge("r")
        assert [entry.state for entry in ledger.overdue("r")] == [State.ACCEPTED]
        ledger.looked(BOX, began + LOST.total_seconds())
        ledger.judge("r")
        assert only(ledger).state is State.LOST
        conserve(ledger, "r", 1)


async def test_what_nobody_could_look_for_is_unseen_after_a_day() -> None:
    clock = HandClock()
    async with opened(clock=clock) as ledger:
        ledger.looked(BOX, clock.monotonic() - 5)  # before it was sent
        ledger.accepted(await plan(ledger, home=IN_BOX))
        clock.advance(LOST + timedelta(hours=23))
        ledger.judge("r")
        assert ledger.tally("r").in_flight == 1
        clock.advance(timedelta(hours=1))
        ledger.judge("r")
        assert ledger.tally("r").counts["unjudged unseen"] == 1


async def test_a_mailbox_is_looked_into_before_old_messages_are_given_up(tmp_path: Path) -> None:
    clock = HandClock()
    async with opened(tmp_path, clock=clock) as ledger:
        ledger.accepted(await plan(ledger, home=IN_BOX))
    clock.advance(RETENTION + timedelta(hours=1))
    async with opened(tmp_path, clock=clock) as ledger:
        counts = ledger.tally("r").counts
        assert (counts["unjudged unseen"], counts["failed lost"]) == (1, 0)


async def test_a_message_in_a_mailbox_waits_there_while_we_are_away(tmp_path: Path) -> None:
    clock = HandClock()
    async with opened(tmp_path, clock=clock) as ledger:
        kept, passing = await plan(ledger, home=IN_BOX), await plan(ledger)
        ledger.accepted(kept)
        ledger.accepted(passing)
    came = clock.now() + timedelta(seconds=9)
    clock.advance(timedelta(hours=1))
    async with opened(tmp_path, clock=clock) as ledger:
        assert [entry.is_interrupted for entry in ledger.recent("r")] == [True, False]
        entry = ledger.intake.arrived(kept, Sighting(home=BOX, received_at=came))
        assert entry is not None
        assert (entry.state, entry.seconds, entry.witness) == (State.DELIVERED, 9.0, "mailbox")
        assert (entry.home, entry.origin, entry.is_kept) == (BOX, "imap sender", True)


@pytest.mark.parametrize(
    ("claimed", "looked", "seconds"),
    [
        pytest.param(None, None, 40.0, id="without a claim it is when it is seen"),
        pytest.param(12.0, None, 12.0, id="a claim is believed"),
        pytest.param(12.0, 5.0, 12.0, id="a claim between two looks is believed"),
        pytest.param(3.0, 5.0, 5.0, id="not before the look that did not find it"),
        pytest.param(-90.0, None, 0.0, id="not before it was sent"),
        pytest.param(-90.0, -20.0, 0.0, id="a look before it was sent tells nothing"),
        pytest.param(500.0, 5.0, 40.0, id="not after it was seen"),
    ],
)
async def test_the_time_of_a_server_counts_only_between_two_looks(
    claimed: float | None, looked: float | None, seconds: float
) -> None:
    clock = HandClock()
    async with opened(clock=clock) as ledger:
        token = await plan(ledger, home=IN_BOX)
        sent_at, began = clock.now(), clock.monotonic()
        clock.advance(timedelta(seconds=40))
        entry = ledger.intake.arrived(
            token,
            Sighting(
                home=BOX,
                received_at=None if claimed is None else sent_at + timedelta(seconds=claimed),
                looked_before=None if looked is None else began + looked,
            ),
        )
        assert entry is not None
        assert entry.seconds == seconds


@pytest.mark.parametrize(
    ("where", "folder", "state"),
    [
        pytest.param(BOX, Folder.INBOX, State.DELIVERED, id="where it belongs"),
        pytest.param(BOX, Folder.JUNK, State.JUNKED, id="in its junk folder"),
        pytest.param("imap sender", Folder.INBOX, State.LOOPED, id="where it came from"),
        pytest.param("sink", Folder.INBOX, State.MISROUTED, id="anywhere else"),
    ],
)
async def test_an_arrival_is_judged_by_the_place(where: str, folder: Folder, state: State) -> None:
    async with opened() as ledger:
        token = await plan(ledger, home=IN_BOX)
        entry = ledger.intake.arrived(token, Sighting(home=where, folder=folder))
        assert entry is not None
        assert (entry.state, entry.folder) == (state, folder)


async def test_nothing_is_lost_at_a_sink_that_stood_still() -> None:
    clock = HandClock()
    async with opened(clock=clock) as ledger:
        ledger.intake.alive()
        token = await plan(ledger)
        ledger.accepted(token)
        clock.advance(LOST)
        ledger.judge("r")
        assert only(ledger).state is State.ACCEPTED
        assert ledger.overdue("r") == ()
        ledger.intake.alive()
        assert ledger.overdue("r") == ()
        ledger.judge("r")
        assert (only(ledger).state, only(ledger).unjudged) == (State.UNCERTAIN, "interrupted")


async def test_what_does_not_come_to_a_sink_that_is_alive_is_lost() -> None:
    clock = HandClock()
    async with opened(clock=clock) as ledger:
        token = await plan(ledger)
        ledger.accepted(token)
        for _ in range(int(LOST.total_seconds() / 4) + 1):
            ledger.intake.alive()
            clock.advance(timedelta(seconds=4))
        ledger.judge("r")
        assert only(ledger).state is State.LOST


@pytest.mark.parametrize(
    ("homes", "state"),
    [
        pytest.param({"imap new name"}, State.DELIVERED, id="its home has another name now"),
        pytest.param({"imap new name", BOX}, State.MISROUTED, id="its home is another place"),
    ],
)
async def test_a_home_that_is_renamed_under_way_is_the_same(homes: set[str], state: State) -> None:
    async with opened() as ledger:
        token = await plan(ledger, home=IN_BOX)
        ledger.intake.homes = frozenset(homes)
        entry = ledger.intake.arrived(token, Sighting(home="imap new name"))
        assert entry is not None
        assert entry.state is state


async def test_the_headers_of_the_last_messages_are_kept_over_a_restart(tmp_path: Path) -> None:
    clock = HandClock()
    async with opened(tmp_path, clock=clock) as ledger:
        for number in range(22):
            token = await plan(ledger)
            ledger.intake.arrived(token, Sighting(head=b"X-Number: %d\r\n" % number))
            ledger.intake.arrived(token, Sighting(head=b"X-Number: of a duplicate\r\n"))
            clock.advance(timedelta(seconds=1))
        heads = [ledger.head(entry) for entry in ledger.recent("r")]
        assert heads == [b"X-Number: %d\r\n" % number for number in range(21, 1, -1)]
        rows = await ledger._store.read("SELECT nonce FROM reading")
        assert {nonce for (nonce,) in rows} == {entry.nonce for entry in ledger.recent("r")}
        old = min(ledger._shelf.entries.values(), key=lambda each: each.sequence)
        assert ledger.head(old) == b""
        # A late copy of one that nobody shows any more is not kept either.
        ledger._shelf.keep_head(old, b"X-Late: yes\r\n")
        assert ledger.head(old) == b""
    async with opened(tmp_path, clock=clock) as ledger:
        assert [ledger.head(entry) for entry in ledger.recent("r")] == heads
        clock.advance(RETENTION * 2)
        await plan(ledger)
        assert await ledger._store.read("SELECT * FROM reading") == []


async def test_a_header_of_no_recent_message_is_dropped_at_the_start(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await ledger._store.read("INSERT INTO reading VALUES ('gone', x'00')")
    async with opened(tmp_path) as ledger:
        assert await ledger._store.read("SELECT * FROM reading") == []


async def test_headroom_is_what_may_be_sent_at_once() -> None:
    clock = HandClock()
    own = Allowance(60, timedelta(minutes=1))
    async with opened(clock=clock, budget=Budget()) as ledger:
        before = ledger.headroom("r")
        await plan(ledger)
        after = ledger.headroom("r")
        assert {name: before[name] - left for name, left in after.items()} == {
            "route": 1.0,
            "minute": 1.0,
            "day": 1.0,
        }
        assert ledger.headroom("other")["route"] == before["route"]
        assert ledger.headroom("new", own)["route"] == own.burst
        clock.advance(timedelta(days=1))
        assert ledger.headroom("r") == before


async def test_reports_decide_and_hints_do_not() -> None:
    async with opened() as ledger, opened() as other:
        bounced, looped, hinted, traced = [await plan(ledger) for _ in range(4)]
        for token in (bounced, looped, hinted, traced):
            ledger.accepted(token)
        ledger.intake.bounced(bounced, "550 no")
        ledger.intake.bounced(looped, "554 5.4.14 hops", is_loop=True)
        ledger.intake.hinted(hinted, "delayed")
        ledger.intake.traced(traced.nonce, lambda entry, _: replace(entry, hint="pending"))
        ledger.intake.traced("unknown", lambda *_: pytest.fail("of no message of ours"))
        states = [(entry.state, entry.hint) for entry in reversed(ledger.recent("r"))]
        assert states == [
            (State.BOUNCED, ""),
            (State.LOOPED, ""),
            (State.ACCEPTED, "delayed"),
            (State.ACCEPTED, "pending"),
        ]
        assert ledger.intake.hinted(await plan(other), "of a stranger") is None
        assert ledger.in_flight("r") == (ledger.entry(hinted), ledger.entry(traced))
