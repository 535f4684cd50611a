"""What comes in of our messages, and what do others tell of them?

Arrivals, reports and traces, each tied to a message by its token, whose code only we can make. Who
passes something on may forget it once :meth:`Intake.settle` has returned.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from agent.adapters.ledger_desk import SINK, STILL, Desk
from agent.adapters.mailbox import Folder
from agent.adapters.store import StoreError
from agent.domain import ledger as book
from agent.domain.entry import Entry, Place, Witness
from agent.domain.message import Token

_PLACES = {Folder.INBOX: Place.INBOX, Folder.JUNK: Place.JUNK, Folder.OTHER: Place.FOLDER}


@dataclass(slots=True)
class LedgerStats:
    """Tokens that came in and were ignored."""

    forged: int = 0  # of a message of ours, with the wrong code
    foreign: int = 0  # of no message that we know


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A message of ours as it was found.

    ``home`` names the place of pick-up; ``received_at`` is when that place says that it came, and
    ``looked_before`` when it was looked into before (monotonic seconds). ``head`` are its header
    fields, of which the ledger keeps the last few. ``astray`` is where its envelope says that it
    went, in a place of pick-up that takes in the mail of many addresses.
    """

    home: str = SINK
    folder: Folder = Folder.INBOX
    damaged: bool = False
    detail: str = ""
    received_at: datetime | None = None
    looked_before: float | None = None
    head: bytes = field(default=b"", repr=False)
    astray: Place | None = None

    def place(self, entry: Entry) -> Place:
        """Tell whether that is where the message belongs."""
        if entry.home in ("", self.home):
            return self.astray or _PLACES.get(self.folder, Place.FOLDER)
        return Place.ORIGIN if entry.origin == self.home else Place.ELSEWHERE


class Intake:
    """The side of the ledger that takes in what others tell."""

    def __init__(self, desk: Desk) -> None:
        self.stats = LedgerStats()
        self.homes: frozenset[str] | None = None  # that are configured now; None for any
        self._desk = desk
        self._waiters: dict[str, list[asyncio.Future[None]]] = {}
        self._told: list[Token] = []

    def find(self, token: Token) -> Entry | None:
        """Return the message that a token belongs to; None where it is none of ours: counted."""
        entry = self._desk.shelf.entries.get(token.nonce)
        if entry is None:
            self.stats.foreign += 1
            return None
        if not self._desk.is_genuine(token, entry):
            self.stats.forged += 1
            return None
        return entry

    def peek(self, token: Token) -> Entry | None:
        """Return the message that a token claims to belong to, be it genuine or not."""
        return self._desk.shelf.entries.get(token.nonce)

    def arrived(self, token: Token, sighting: Sighting | None = None) -> Entry | None:
        """Note that a message came in; return it, or None where it is none of ours."""
        after = self._arrive(token, sighting or Sighting())
        self._wake(token)
        return after

    def note_arrival(self, token: Token, sighting: Sighting) -> None:
        """Note that a message came in, and tell nobody before :meth:`settle` has returned."""
        if self._arrive(token, sighting) is not None:
            self._told.append(token)

    async def settle(self) -> None:
        """Return when what was noted is on the disk, and tell those who wait for it.

        Whoever brought a message may forget it then; were we killed before, it brings it again.
        While the store cannot be written, memory has to do.
        """
        told, self._told = self._told, []
        try:
            with suppress(StoreError):
                await self._desk.store.commit()
        finally:
            for token in told:
                self._wake(token)

    def _arrive(self, token: Token, sighting: Sighting) -> Entry | None:
        entry = self.find(token)
        if entry is None:
            return None
        desk, now = self._desk, self._desk.clock.now()
        duration = desk.spent_on_the_way(entry, now, sighting.received_at, sighting.looked_before)
        after = book.arrived(
            entry,
            now,
            duration=duration,
            place=self._place(entry, sighting),
            damaged=sighting.damaged,
            detail=sighting.detail,
            witness=Witness.SINK if sighting.home == SINK else Witness.MAILBOX,
            folder=sighting.folder.value,
        )
        desk.shelf.step(entry, after)
        if sighting.head and not entry.has_arrived:
            desk.shelf.keep_head(after, sighting.head)
        return after

    def _place(self, entry: Entry, sighting: Sighting) -> Place:
        """Tell where it was seen, as its route sees that now.

        A home that is named otherwise after a reload is the same mailbox, most likely: what was
        under way then is not called misrouted.
        """
        place = sighting.place(entry)
        if place is Place.ELSEWHERE and self.homes is not None and entry.home not in self.homes:
            return replace(sighting, home=entry.home).place(entry)
        return place

    def alive(self) -> None:
        """Note that the sink is open: to be called every second.

        What was under way while the process stood still could not come in: that is no fault of
        its route.
        """
        desk, now = self._desk, self._desk.clock.monotonic()
        before = desk.looks.get(SINK, now)
        desk.looks[SINK] = now
        if now - before >= STILL.total_seconds():
            for entry in [each for each in desk.shelf.entries.values() if each.is_in_flight]:
                desk.shelf.step(entry, book.away(entry))

    def bounced(self, token: Token, detail: str, *, is_loop: bool = False) -> Entry | None:
        """Note that a report came in that says that a message failed."""
        return self._tell(token, lambda e, at: book.bounced(e, at, detail, is_loop=is_loop))

    def hinted(self, token: Token, hint: str) -> Entry | None:
        """Note what decides nothing, such as a report of a delay."""
        return self._tell(token, lambda entry, _: book.hinted(entry, hint))

    def traced(self, nonce: str, step: Callable[[Entry, datetime], Entry]) -> None:
        """Note what the message trace says of the message with this nonce."""
        entry = self._desk.shelf.entries.get(nonce)
        if entry is not None:
            self._desk.shelf.step(entry, step(entry, self._desk.clock.now()))

    def _tell(self, token: Token, step: Callable[[Entry, datetime], Entry]) -> Entry | None:
        entry = self.find(token)
        if entry is None:
            return None
        after = step(entry, self._desk.clock.now())
        self._desk.shelf.step(entry, after)
        self._wake(token)
        return after

    def _wake(self, token: Token) -> None:
        for waiter in self._waiters.pop(token.nonce, ()):
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, token: Token, seconds: float) -> Entry:
        """Return the message as soon as something is told of it, or as it is after *seconds*.

        One whose fate is known already, or that has to be sent again, is not waited for.
        """
        entries = self._desk.shelf.entries
        entry = entries[token.nonce]
        if entry.is_in_flight and not entry.is_waiting:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            waiters = self._waiters.setdefault(token.nonce, [])
            waiters.append(waiter)
            try:
                await asyncio.wait((waiter,), timeout=seconds)
            finally:
                waiters.remove(waiter)
                if not waiters and self._waiters.get(token.nonce) is waiters:
                    del self._waiters[token.nonce]
        return entries[token.nonce]
