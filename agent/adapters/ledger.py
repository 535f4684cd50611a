"""Which synthetic messages are under way, and what has become of the others?

The durable side of :mod:`agent.domain.ledger`: a message is on the disk, with what it takes from
the budget, before its first octet is sent. All that is kept is in memory too, so that counters and
waiting need no disk; they are added up again from the store at start.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from agent.adapters.clock import Clock
from agent.adapters.entry_codec import decode_entry
from agent.adapters.ledger_desk import SINK, Desk
from agent.adapters.ledger_intake import Intake, LedgerStats, Sighting
from agent.adapters.ledger_shelf import saved
from agent.adapters.purse import Purse
from agent.adapters.store import Store, StoreError
from agent.adapters.store_file import legible
from agent.domain import ledger as book
from agent.domain.budget import Allowance, Budget
from agent.domain.entry import Entry
from agent.domain.message import Token
from agent.domain.tally import Tally

__all__ = ["SINK", "Held", "Home", "Ledger", "LedgerStats", "Sighting"]

RETENTION = timedelta(days=3)  # a duplicate may come a day later
_PRUNE_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Held:
    """No message may be sent now; ``reason`` is a closed set."""

    reason: Literal["over-budget", "unrecorded"]
    detail: str


@dataclass(frozen=True, slots=True)
class Home:
    """Where a message must arrive, and where what comes back to its sender does.

    ``is_kept``: it waits there while the agent is away.
    """

    home: str = SINK
    origin: str = ""
    is_kept: bool = False


_AT_SINK = Home()


class Ledger:
    """The record of every synthetic message of this installation.

    ``intake`` is the side that takes in what others tell of the messages.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        budget: Budget | None = None,
        retention: timedelta = RETENTION,
    ) -> None:
        self._desk = Desk(store, clock)
        self.intake = Intake(self._desk)
        self._store = store
        self._clock = clock
        self._retention = retention
        self._purse = Purse(budget or Budget())
        self._shelf = self._desk.shelf
        self._pruned_at = datetime.min.replace(tzinfo=UTC)

    @property
    def stats(self) -> LedgerStats:
        """Tokens that came in and were ignored."""
        return self.intake.stats

    async def start(self) -> None:
        """Read what is known; what was being sent when the last process ended is uncertain.

        Raises StoreError where the store cannot be read, or cannot keep our identity.
        """
        settled = await self._store.read("SELECT * FROM settled")
        spent = await self._store.read("SELECT name, level, at FROM budget")
        rows = await self._store.read("SELECT entry FROM message")
        heads = await self._store.read("SELECT nonce, head FROM reading")
        with legible():
            await self._desk.identify()
            now = self._clock.now()
            for route, sequence, text in settled:
                self._shelf.restore(route, sequence, text)
            for name, level, at in spent:
                self._purse.restore(name, float(level), datetime.fromtimestamp(at, UTC))
            entries = [decode_entry(text) for (text,) in rows]
            for entry in sorted(entries, key=lambda each: (each.planned_at, each.sequence)):
                self._shelf.put(None, entry)
                self._shelf.step(entry, book.recovered(entry, now))
            self._shelf.restore_heads(heads)
        self._prune(now)
        await self.keep()

    async def plan(
        self,
        route: str,
        *,
        within: timedelta,
        lost_after: timedelta,
        allowance: Allowance | None = None,
        home: Home = _AT_SINK,
    ) -> Token | Held:
        """Return the token of a message that may be sent now: it is on the disk when this returns.

        *allowance* is what this route may send, where it is not the budget's. The caller must
        say what came of it: accepted, rejected, deferred, uncertain or withdrawn.
        """
        now = self._clock.now()
        self._prune(now)
        wait = self._purse.spend(route, now, allowance)
        if wait:
            return Held("over-budget", wait)
        sequence = self._shelf.next_sequence(route)
        token = self._desk.draw(route, sequence)
        entry = Entry(
            nonce=token.nonce,
            route=route,
            sequence=sequence,
            within=within,
            lost_after=lost_after,
            planned_at=now,
            home=home.home,
            origin=home.origin,
            is_kept=home.is_kept,
        )
        sending = book.sending(entry, now)
        try:
            await self._store.commit(saved(sending), *self._purse.changes(route))
        except StoreError as error:
            return Held("unrecorded", str(error))
        except asyncio.CancelledError:
            self._shelf.save(None, book.withdrawn(sending, now, "not-sent"))
            raise
        self._shelf.put(None, sending)
        self._desk.begin(token.nonce)
        return token

    def waiting(self, route: str) -> Entry | None:
        """Return the message of a route that a server has put off, if there is one."""
        return next((each for each in self._shelf.in_flight(route) if each.is_waiting), None)

    async def plan_again(self, entry: Entry, allowance: Allowance | None = None) -> Token | Held:
        """Return the token of a message that is *waiting* and may be sent again now."""
        now = self._clock.now()
        wait = self._purse.spend(entry.route, now, allowance)
        if wait:
            return Held("over-budget", wait)
        sending = book.sending(entry, now)
        # First here: what is told of it while the disk works must find it as it is.
        self._shelf.put(entry, sending)
        self._desk.begin(entry.nonce)
        try:
            await self._store.commit(saved(sending), *self._purse.changes(entry.route))
        except StoreError as error:
            self._put_back(sending, entry)
            return Held("unrecorded", str(error))
        except asyncio.CancelledError:
            # It may be on the disk as being sent, while nothing was: what is noted next wins.
            self._put_back(sending, entry)
            raise
        return self._desk.token_of(entry)

    def _put_back(self, sending: Entry, waiting: Entry) -> None:
        """Have a message wait again that was not sent, unless its fate was told meanwhile."""
        if self._shelf.entries[waiting.nonce] is sending:
            self._shelf.save(sending, waiting)

    def accepted(self, token: Token, detail: str = "", server: str = "") -> None:
        """Note that *server* took the message; *detail* is its reply, made printable."""
        self._note(token, lambda entry, now: book.accepted(entry, now, detail, server))

    def rejected(self, token: Token, failure: str, detail: str = "") -> None:
        """Note that it did not: *failure* is ``refused``, ``deferred`` or ``unreached``."""
        self._note(token, lambda entry, now: book.rejected(entry, now, failure, detail))

    def deferred(self, token: Token, wait: timedelta, detail: str = "") -> None:
        """Note that the server put it off before taking anything; it may go again after *wait*."""
        self._note(token, lambda entry, now: book.deferred(entry, now, wait, detail))

    def uncertain(self, token: Token, detail: str = "") -> None:
        """Note that nobody knows whether the server took it."""
        self._note(token, lambda entry, now: book.uncertain(entry, now, detail))

    def withdrawn(self, token: Token, detail: str = "") -> None:
        """Note that it was certainly not sent, for a reason on our side."""
        self._note(token, lambda entry, now: book.withdrawn(entry, now, "not-sent", detail))

    async def wait(self, token: Token, timeout: timedelta) -> Entry:  # noqa: ASYNC109 - for mail
        """Return the message as soon as its fate is told, or as it is after *timeout*."""
        return await self.intake.wait(token, timeout.total_seconds())

    def looked(self, home: str, at: float) -> None:
        """Note that all was seen that lay in *home* at a time, in monotonic seconds."""
        self._desk.looks[home] = at

    def judge(self, route: str) -> None:
        """Give up the messages of a route that are too old to come."""
        now = self._clock.now()
        for entry in self._shelf.in_flight(route):
            self._judge(entry, now)

    def _judge(self, entry: Entry, now: datetime) -> None:
        age, looked = self._desk.age(entry, now), self._desk.looked(entry, now)
        self._shelf.step(entry, book.judged(entry, now, age, looked))

    async def keep(self) -> None:
        """Return when all that was noted outlives this process, as far as the disk takes it.

        To be awaited before a tally is shown: a counter that falls back after a kill is read as a
        reset, and everything it ever counted as having happened just now.
        """
        await self._store.flush()

    def news(self, route: str) -> tuple[Entry, ...]:
        """Return the messages whose fate has changed since the last call, and forget the list."""
        return self._shelf.news(route)

    def recent(self, route: str) -> tuple[Entry, ...]:
        """Return the last messages of a route, the newest first."""
        return self._shelf.recent(route)

    def entry(self, token: Token) -> Entry:
        """Return what is known of a message that was planned here."""
        return self._shelf.entries[token.nonce]

    def token_of(self, entry: Entry) -> Token:
        """Return the token that a message was given."""
        return self._desk.token_of(entry)

    def head(self, entry: Entry) -> bytes:
        """Return the header of a recent message as it arrived; empty where it is not known."""
        return self._shelf.head(entry.nonce)

    def in_flight(self, route: str) -> tuple[Entry, ...]:
        """Return the messages of a route whose fate is open."""
        return self._shelf.in_flight(route)

    def homes_in_flight(self) -> set[str]:
        """Return where messages whose fate is open may arrive, or come back to."""
        flying = [each for each in self._shelf.entries.values() if each.is_in_flight]
        return {place for each in flying for place in (each.home, each.origin) if place}

    def overdue(self, route: str) -> tuple[Entry, ...]:
        """Return the messages in flight that are late already, as a look after their time showed.

        One that could not come in, or be seen, because of us, is not called late.
        """
        now, desk = self._clock.now(), self._desk
        found = []
        for entry in self._shelf.in_flight(route):
            looked = desk.looked(entry, now)
            known_for = desk.age(entry, now) if looked is None else looked
            if known_for > entry.within and not entry.is_interrupted and not entry.is_waiting:
                found.append(entry)
        return tuple(found)

    def tally(self, route: str) -> Tally:
        """Return what all messages of a route add up to, as a live value; not to be changed."""
        return self._shelf.tally(route)

    def headroom(self, route: str, allowance: Allowance | None = None) -> dict[str, float]:
        """Return how many messages could be sent at once, by budget: route, minute, day."""
        return self._purse.left(route, self._clock.now(), allowance)

    def _note(self, token: Token, change: Callable[[Entry, datetime], Entry]) -> None:
        entry = self._shelf.entries[token.nonce]
        self._shelf.step(entry, change(entry, self._clock.now()))

    def _prune(self, now: datetime) -> None:
        """Forget old messages, but not what they add up to."""
        if now - self._pruned_at < _PRUNE_EVERY:
            return
        self._pruned_at = now
        old = [e for e in self._shelf.entries.values() if now - e.planned_at > self._retention]
        for entry in old:
            # A route that was removed has nobody else to judge its messages.
            self._judge(entry, now)
            self._desk.forget(entry.nonce)
        self._shelf.forget([entry.nonce for entry in old])
