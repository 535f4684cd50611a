"""Which synthetic messages are under way, and what has become of the others?

The durable side of :mod:`agent.domain.ledger`: a message is on the disk, with what it takes from
the budget, before its first octet is sent. All that is kept is in memory too, so that counters and
waiting need no disk; they are added up again from the store at start.
"""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from agent.adapters.clock import Clock
from agent.adapters.entry_codec import decode_entry
from agent.adapters.ledger_shelf import Shelf, saved
from agent.adapters.purse import Purse
from agent.adapters.store import Change, Store, StoreError
from agent.adapters.store_file import legible
from agent.domain import ledger as book
from agent.domain.budget import Allowance, Budget
from agent.domain.ledger import Entry, Place
from agent.domain.message import Token
from agent.domain.tally import Tally

RETENTION = timedelta(days=3)  # a duplicate may come a day later
_PRUNE_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Held:
    """No message may be sent now; ``reason`` is a closed set."""

    reason: Literal["over-budget", "unrecorded"]
    detail: str


@dataclass(slots=True)
class LedgerStats:
    """Tokens that came in and were ignored."""

    forged: int = 0  # of a message of ours, with the wrong code
    foreign: int = 0  # of no message that we know


class Ledger:
    """The record of every synthetic message of this installation."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        budget: Budget | None = None,
        retention: timedelta = RETENTION,
    ) -> None:
        self.stats = LedgerStats()
        self._store = store
        self._clock = clock
        self._retention = retention
        self._purse = Purse(budget or Budget())
        self._shelf = Shelf(store)
        self._started: dict[str, float] = {}
        self._waiters: dict[str, list[asyncio.Future[None]]] = {}
        self._instance = ""
        self._key = b""
        self._pruned_at = datetime.min.replace(tzinfo=UTC)

    async def start(self) -> None:
        """Read what is known; what was being sent when the last process ended is uncertain.

        Raises StoreError where the store cannot be read, or cannot keep our identity.
        """
        settled = await self._store.read("SELECT * FROM settled")
        spent = await self._store.read("SELECT name, level, at FROM budget")
        rows = await self._store.read("SELECT entry FROM message ORDER BY planned_at")
        with legible():
            await self._identify()
            now = self._clock.now()
            for route, sequence, text in settled:
                self._shelf.restore(route, sequence, text)
            for name, level, at in spent:
                self._purse.restore(name, float(level), datetime.fromtimestamp(at, UTC))
            for entry in (decode_entry(text) for (text,) in rows):
                self._shelf.put(None, entry)
                self._shelf.step(entry, book.recovered(entry, now))
        self._prune(now)
        await self.keep()

    async def _identify(self) -> None:
        """Take the installation's name and key from the store, drawing them the first time."""
        known = dict(await self._store.read("SELECT key, value FROM meta"))
        if "key" not in known:
            known = {
                "instance": secrets.token_hex(8).encode("ascii"),
                "key": secrets.token_bytes(32),
            }
            sql = "INSERT INTO meta VALUES (?, ?)"
            await self._store.commit(Change("meta", tuple((sql, pair) for pair in known.items())))
        self._instance, self._key = known["instance"].decode("ascii"), known["key"]

    async def plan(
        self,
        route: str,
        *,
        within: timedelta,
        lost_after: timedelta,
        allowance: Allowance | None = None,
    ) -> Token | Held:
        """Return the token of a message that may be sent now: it is on the disk when this returns.

        *allowance* is what this route may send, where it is not the budget's. The caller must
        say what came of it: accepted, rejected, uncertain or withdrawn.
        """
        now = self._clock.now()
        self._prune(now)
        wait = self._purse.spend(route, now, allowance)
        if wait:
            return Held("over-budget", wait)
        sequence = self._shelf.next_sequence(route)
        token = Token.make(
            secrets.token_bytes(16),
            key=self._key,
            route=route,
            sequence=sequence,
            instance=self._instance,
        )
        entry = Entry(
            nonce=token.nonce,
            route=route,
            sequence=sequence,
            within=within,
            lost_after=lost_after,
            planned_at=now,
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
        self._started[token.nonce] = self._clock.monotonic()
        return token

    def accepted(self, token: Token, detail: str = "") -> None:
        """Note that the server took the message; *detail* is its reply, made printable."""
        self._note(token, lambda entry, now: book.accepted(entry, now, detail))

    def rejected(self, token: Token, failure: str, detail: str = "") -> None:
        """Note that it did not: *failure* is ``refused``, ``deferred`` or ``unreached``."""
        self._note(token, lambda entry, now: book.rejected(entry, now, failure, detail))

    def uncertain(self, token: Token, detail: str = "") -> None:
        """Note that nobody knows whether the server took it."""
        self._note(token, lambda entry, now: book.uncertain(entry, now, detail))

    def withdrawn(self, token: Token, detail: str = "") -> None:
        """Note that it was certainly not sent, for a reason on our side."""
        self._note(token, lambda entry, now: book.withdrawn(entry, now, "not-sent", detail))

    def arrived(
        self, token: Token, *, place: Place = Place.INBOX, damaged: bool = False, detail: str = ""
    ) -> Entry | None:
        """Note that a token came in; return its message, or None where it is none of ours."""
        after = self._arrive(token, place=place, damaged=damaged, detail=detail)
        self._wake(token)
        return after

    async def admit(self, token: Token, *, damaged: bool = False, detail: str = "") -> Entry | None:
        """Note an arrival as :meth:`arrived` does, and have it on disk before anybody is told.

        Whoever brought the message may forget it then; were we killed before, it brings it again.
        While the store cannot be written, memory has to do.
        """
        after = self._arrive(token, place=Place.INBOX, damaged=damaged, detail=detail)
        try:
            if after is not None:
                with suppress(StoreError):
                    await self._store.commit()
        finally:
            self._wake(token)
        return after

    def _wake(self, token: Token) -> None:
        for waiter in self._waiters.pop(token.nonce, ()):
            if not waiter.done():
                waiter.set_result(None)

    def _arrive(self, token: Token, *, place: Place, damaged: bool, detail: str) -> Entry | None:
        entry = self._shelf.entries.get(token.nonce)
        if entry is None:
            self.stats.foreign += 1
            return None
        if not token.is_genuine(
            key=self._key, route=entry.route, sequence=entry.sequence, instance=self._instance
        ):
            self.stats.forged += 1
            return None
        now = self._clock.now()
        after = book.arrived(
            entry,
            now,
            duration=self._age(entry, now),
            place=place,
            damaged=damaged,
            detail=detail,
        )
        self._shelf.step(entry, after)
        return after

    async def wait(self, token: Token, timeout: timedelta) -> Entry:  # noqa: ASYNC109 - a wait for mail
        """Return the message as soon as it has arrived, or as it is after *timeout*.

        One whose fate is known already is not waited for.
        """
        if self._shelf.entries[token.nonce].is_in_flight:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            waiters = self._waiters.setdefault(token.nonce, [])
            waiters.append(waiter)
            try:
                await asyncio.wait((waiter,), timeout=timeout.total_seconds())
            finally:
                waiters.remove(waiter)
                if not waiters and self._waiters.get(token.nonce) is waiters:
                    del self._waiters[token.nonce]
        return self._shelf.entries[token.nonce]

    def judge(self, route: str) -> None:
        """Give up the messages of a route that are too old to come."""
        now = self._clock.now()
        for entry in self._shelf.in_flight(route):
            self._shelf.step(entry, book.judged(entry, now, self._age(entry, now)))

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

    def overdue(self, route: str) -> tuple[Entry, ...]:
        """Return the messages in flight that are late already, and not because we were away."""
        now = self._clock.now()
        entries = (e for e in self._shelf.in_flight(route) if not e.is_interrupted)
        return tuple(entry for entry in entries if self._age(entry, now) > entry.within)

    def tally(self, route: str) -> Tally:
        """Return what all messages of a route add up to, as a live value; not to be changed."""
        return self._shelf.tally(route)

    def _age(self, entry: Entry, now: datetime) -> timedelta:
        """Return the time since sending, by the clock that does not step where we have it."""
        started = self._started.get(entry.nonce)
        if started is not None:
            return timedelta(seconds=self._clock.monotonic() - started)
        return max(now - (entry.sent_at or entry.planned_at), timedelta())

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
            self._shelf.step(entry, book.judged(entry, now, self._age(entry, now)))
            self._started.pop(entry.nonce, None)
        self._shelf.forget([entry.nonce for entry in old])
