"""A mailbox is looked after for as long as the agent runs, whatever becomes of it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from agent.adapters.mailbox import MAX_LETTERS, Folder, Letter, Mailbox, PickupError, Room, Trouble
from agent.adapters.pickup import Cleanup, Pickup, Place
from agent.adapters.pickups import Pickups
from agent.domain.entry import State
from agent.domain.message import Token
from servers.letters import BOX, WITHIN, Desk, desk, letter, message

POLL = timedelta(seconds=7)


@dataclass
class Box:
    """A mailbox that shows what a test put into it, fails as it is told to, and says when it waits.

    ``faults`` are raised once each, by the method that they are for.
    """

    looks: list[tuple[Letter, ...]] = field(default_factory=list)
    faults: dict[str, BaseException] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    waits: list[timedelta] = field(default_factory=list)
    rooms: int = 0
    closed: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    more: asyncio.Event = field(default_factory=asyncio.Event)

    def _fail(self, method: str) -> None:
        if method in self.faults:
            raise self.faults.pop(method)

    async def look(self) -> tuple[Letter, ...]:
        self._fail("look")
        return self.looks.pop(0) if self.looks else ()

    async def wait(self, most: timedelta) -> None:
        self.waits.append(most)
        self.idle.set()
        await self.more.wait()
        self.more.clear()
        self._fail("wait")

    async def remove(self, keys: Collection[str]) -> None:
        self._fail("remove")
        self.removed += keys

    async def room(self) -> Room:
        self._fail("room")
        self.rooms += 1
        return Room(4096, 8192)

    async def close(self) -> None:
        self.closed += 1

    async def rest(self) -> None:
        """Return once it is waited at."""
        async with asyncio.timeout(10):
            await self.idle.wait()
        self.idle.clear()

    async def again(self) -> None:
        """Have it looked into again, and return once it is waited at."""
        self.more.set()
        await self.rest()


@dataclass
class Opening:
    """Opens what comes next: a mailbox, or trouble; the last mailbox over and over."""

    course: list[Box | BaseException]
    opened: int = 0

    async def __call__(self) -> Mailbox:
        self.opened += 1
        following = self.course.pop(0) if len(self.course) > 1 else self.course[0]
        if isinstance(following, BaseException):
            raise following
        return following


@dataclass
class Watch:
    """A pickup that runs once it is told to, and how long it has paused."""

    desk: Desk
    pickup: Pickup
    opening: Opening
    pauses: list[float]
    begin: asyncio.Event

    async def plan(self) -> Token:
        return await self.desk.plan()

    async def start(self, box: Box) -> None:
        """Begin, and return once *box* is waited at."""
        self.begin.set()
        await box.rest()


@asynccontextmanager
async def watching(
    *course: Box | BaseException, cleanup: Cleanup = "delete"
) -> AsyncIterator[Watch]:
    opening, pauses, begin = Opening(list(course)), list[float](), asyncio.Event()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async def run() -> None:
        await begin.wait()
        await pickup.run()

    async with desk() as it:
        place = Place(opening, POLL, cleanup)
        pickup = Pickup(BOX, place, intray=it.intray, ledger=it.ledger, clock=it.clock, pause=pause)
        task = asyncio.create_task(run())
        try:
            yield Watch(it, pickup, opening, pauses, begin)
        finally:
            task.cancel()
            await asyncio.wait({task})
        assert task.cancelled()


def trouble(kind: Trouble = Trouble.UNREACHED, retry: timedelta | None = None) -> PickupError:
    return PickupError(kind, "no luck", fix="Mend it.", retry_after=retry)


def ours(token: Token, key: str = "ours") -> Letter:
    return letter(message(token), key=key)


STRANGER = letter(b"Subject: lunch?\r\n\r\n", key="stranger")


async def test_a_letter_is_told_of_and_removed_and_those_of_strangers_are_not() -> None:
    box = Box()
    async with watching(box) as it:
        token, deleted = await it.plan(), await it.plan()
        forged = Token(deleted.nonce, "a" * 26)
        sent = letter(message(deleted), Folder.SENT, "sent")
        box.looks.append((STRANGER, ours(token), ours(forged, "forged"), sent))
        await it.start(box)
        assert it.desk.entry(token).state is State.DELIVERED
        assert it.desk.entry(deleted).state is State.ACCEPTED
        assert box.removed == ["ours", "sent"]
        state = it.pickup.state
        assert (state.opened, state.trouble, state.cause) == (True, None, "")
        assert (state.looks, state.removed, state.would_remove) == (1, 2, 0)
        assert dict(state.letters) == {"stranger": 2, "message": 2}
        assert (state.looked_at, state.room) == (it.desk.clock.now(), Room(4096, 8192))
        assert box.waits == [POLL]
    assert box.closed == 1


@pytest.mark.parametrize(("cleanup", "would"), [("keep", 0), ("dry-run", 1)])
async def test_nothing_is_removed_where_the_operator_does_not_want_it(
    cleanup: Cleanup, would: int
) -> None:
    box = Box()
    async with watching(box, cleanup=cleanup) as it:
        token = await it.plan()
        box.looks.append((ours(token), STRANGER))
        await it.start(box)
        assert box.removed == []
        assert (it.pickup.state.removed, it.pickup.state.would_remove) == (0, would)
        assert it.desk.entry(token).state is State.DELIVERED


async def test_a_full_look_is_followed_by_another_at_once() -> None:
    box = Box()
    async with watching(box) as it:
        token = await it.plan()
        box.looks += [(STRANGER,) * MAX_LETTERS, (ours(token),)]
        await it.start(box)
        assert (it.pickup.state.looks, len(box.waits)) == (1, 1)
        assert it.desk.entry(token).state is State.DELIVERED


async def test_what_does_not_come_is_lost_only_after_a_look_after_its_time() -> None:
    box = Box()
    async with watching(box) as it:
        token = await it.plan()
        await it.start(box)
        it.desk.clock.advance(timedelta(minutes=20))
        it.desk.ledger.judge("r")
        assert it.desk.entry(token).state is State.ACCEPTED
        await box.again()
        it.desk.ledger.judge("r")
        assert it.desk.entry(token).state is State.LOST


async def test_the_quota_is_asked_for_every_ten_minutes() -> None:
    box = Box()
    async with watching(box) as it:
        await it.start(box)
        await box.again()
        assert box.rooms == 1
        it.desk.clock.advance(timedelta(minutes=10, seconds=1))
        await box.again()
        assert box.rooms == 2


async def test_pauses_grow_up_to_five_minutes_and_begin_anew_after_a_look() -> None:
    box = Box(faults={"wait": trouble()})
    async with watching(*[trouble() for _ in range(9)], box, trouble(), box) as it:
        await it.start(box)
        assert it.pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300]
        await box.again()
        assert it.pauses[9:] == [2, 4]
        assert it.pickup.state.errors == {"unreached": 11}


@pytest.mark.parametrize(
    ("asked", "pause"),
    [
        pytest.param(timedelta(seconds=40), 40, id="as long as the server asks"),
        pytest.param(timedelta(seconds=1), 2, id="not shorter than our own pause"),
        pytest.param(timedelta(hours=3), 300, id="not longer than five minutes"),
    ],
)
async def test_a_server_is_left_alone_for_as_long_as_it_asks(asked: timedelta, pause: int) -> None:
    box = Box()
    async with watching(trouble(Trouble.THROTTLED, asked), box) as it:
        await it.start(box)
        assert it.pauses == [pause]


async def test_trouble_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    box = Box()
    course = (trouble(Trouble.LOGIN_REFUSED), trouble(Trouble.TIMEOUT))
    async with watching(*course, box) as it:
        state = it.pickup.state
        assert state.cause == "it has not been opened yet"
        assert not it.pickup.known.is_set()
        await it.start(box)
        assert it.pickup.known.is_set()
        assert state.cause == ""
        assert [record.message for record in caplog.records] == [
            "a mailbox cannot be looked into",
            "a mailbox can be looked into again",
        ]
        assert caplog.records[0].__dict__["reason"] == "login-refused"
        assert state.errors == {"login-refused": 1, "timeout": 1}


@pytest.mark.parametrize("method", ["look", "remove", "room", "wait"])
async def test_whatever_fails_the_mailbox_is_closed_and_opened_anew(method: str) -> None:
    broken, whole = Box(faults={method: trouble(Trouble.PROTOCOL)}), Box()
    async with watching(broken, whole) as it:
        token = await it.plan()
        it.desk.clock.advance(timedelta(seconds=3))
        broken.looks.append((ours(token),))
        if method == "wait":
            broken.more.set()
        # What was not removed is found again, and is no duplicate.
        whole.looks.append((ours(token, "ours-again"),))
        await it.start(whole)
        assert (broken.closed, it.opening.opened) == (1, 2)
        assert whole.removed == ["ours-again"]
        entry = it.desk.entry(token)
        assert (entry.state, entry.duplicates, entry.seconds) == (State.DELIVERED, 0, 3.0)
        whole.looks.append((ours(token, "a second one"),))
        await whole.again()
        assert it.desk.entry(token).duplicates == 1


async def test_the_cause_names_the_missing_step() -> None:
    async with desk() as it:
        stuck = asyncio.Event()

        async def hang(_seconds: float) -> None:
            await stuck.wait()

        place = Place(Opening([PickupError(Trouble.NO_FOLDER, "no Junk\x00")]))
        pickup = Pickup(BOX, place, intray=it.intray, ledger=it.ledger, clock=it.clock, pause=hang)
        task = asyncio.create_task(pickup.run())
        await pickup.known.wait()
        assert pickup.state.cause == "no-folder: no Junk\\x00."
        assert pickup.state.since == it.clock.now()
        pickup.state.trouble = trouble()
        assert pickup.state.cause == "unreached: no luck. Mend it."
        task.cancel()
        await asyncio.wait({task})


@asynccontextmanager
async def looking_after(
    places: Iterable[tuple[str, Opening]], *, again: float = 0.01
) -> AsyncIterator[Pickups]:
    async with desk() as it:
        pickups = Pickups(it.intray, it.ledger, it.clock, again=again)
        pickups.replace({home: Place(opening) for home, opening in places})
        before = asyncio.all_tasks() - {asyncio.current_task()}
        try:
            yield pickups
        finally:
            await pickups.close()
        assert all(task.done() for task in before)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert pickups.states == ()


async def test_one_that_crashes_is_counted_and_started_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    box = Box()
    opening = Opening([ZeroDivisionError("a bug"), box])
    async with looking_after([("one", opening)]) as pickups:
        await box.rest()
        assert (pickups.crashes, opening.opened) == (1, 2)
        record = caplog.records[0]
        assert (record.message, record.__dict__["home"]) == ("a pick-up crashed", "one")
        assert record.exc_info is not None


async def test_nobody_looks_where_a_pick_up_has_crashed_and_that_is_told() -> None:
    crashing = Box(faults={"wait": ZeroDivisionError("a bug")})
    async with looking_after([("one", Opening([crashing]))], again=60) as pickups:
        await crashing.rest()
        state = pickups.state("one")
        assert state is not None
        assert state.cause == ""
        crashing.more.set()
        await asyncio.wait(set(pickups._tasks.values()))
        await asyncio.sleep(0)
        assert state.cause.startswith("unavailable: the agent itself failed")
        assert state.cause.endswith("ZeroDivisionError. See the log.")
        assert state.errors == {"unavailable": 1}


async def test_one_that_crashed_and_is_no_longer_wanted_stays_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    opening = Opening([ZeroDivisionError("a bug")])
    async with looking_after([("one", opening)]) as pickups:
        (task,) = pickups._tasks.values()
        await asyncio.wait({task})
        assert pickups.crashes == 1
        pickups.replace({})
        pickups._start_again("one", task)
        assert opening.opened == 1
        assert pickups.state("one") is None
    crashes = [record for record in caplog.records if record.message == "a pick-up crashed"]
    assert len(crashes) == 1


async def test_a_reload_keeps_connections_and_leaves_what_is_gone() -> None:
    kept, gone, new = Box(), Box(), Box()
    opening = Opening([kept])
    async with looking_after([("kept", opening), ("gone", Opening([gone]))]) as pickups:
        await kept.rest()
        await gone.rest()
        pickups.replace({"kept": Place(opening, POLL), "new": Place(Opening([new]))})
        await new.rest()
        assert [state.home for state in pickups.states] == ["kept", "new"]
        assert (kept.closed, gone.closed, opening.opened) == (0, 1, 1)
        await kept.again()
        assert kept.waits[-1] == POLL
        assert pickups.state("gone") is None
        state = pickups.state("kept")
        assert state is not None
        assert state.looks == 2


async def test_what_leads_there_has_changed_so_it_is_opened_anew() -> None:
    old, new = Box(), Box()
    opening = Opening([old, new])
    async with looking_after([("one", opening)]) as pickups:
        await old.rest()
        state = pickups.state("one")
        pickups.replace({"one": Place(opening)}, anew={"one"})
        await new.rest()
        assert (old.closed, new.closed) == (1, 0)
        assert pickups.state("one") is state


async def test_one_may_wait_until_it_is_known_how_a_place_does() -> None:
    box = Box()
    async with looking_after([("one", Opening([box]))]) as pickups:
        await pickups.known("one")
        state = pickups.state("one")
        assert state is not None
        assert state.opened
        await pickups.known("nobody looks there")


async def test_a_connection_that_is_slow_to_close_is_waited_for() -> None:
    closing = asyncio.Event()

    class Slow(Box):
        async def close(self) -> None:
            await closing.wait()
            await super().close()

    box = Slow()
    async with looking_after([("one", Opening([box]))]) as pickups:
        await box.rest()
        pickups.replace({})
        close = asyncio.create_task(pickups.close())
        done, _ = await asyncio.wait({close}, timeout=0.01)
        assert not done
        closing.set()
        await close
        assert box.closed == 1


async def test_a_message_is_waited_for_while_its_mailbox_is_looked_after() -> None:
    box = Box()
    async with watching(box) as it:
        token = await it.plan()
        waiting = asyncio.create_task(it.desk.ledger.wait(token, WITHIN))
        await it.start(box)
        box.looks.append((ours(token),))
        await box.again()
        assert (await waiting).state is State.DELIVERED
