"""How is one mailbox looked after, for as long as the agent runs?

It is opened, looked into, and waited at, over one kept connection and for all routes that end
there. What goes wrong is kept as the trouble of the place, and it is opened anew after a pause that
grows. Nothing is deleted that does not bear a genuine token of ours.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NoReturn

from agent.adapters.clock import Clock
from agent.adapters.intray import Intray, Repeats
from agent.adapters.ledger import Ledger
from agent.adapters.mailbox import MAX_LETTERS, Mailbox, PickupError, Room, Trouble

Opener = Callable[[], Awaitable[Mailbox]]
Pause = Callable[[float], Awaitable[None]]  # seconds
Cleanup = Literal["delete", "keep", "dry-run"]

_FIRST_PAUSE = 2.0  # seconds; doubled each time
_LONGEST_PAUSE = 300.0  # seconds
_TOKEN_PAUSE = 5.0  # seconds; the provider is spared by who asks it for tokens
_MOST_REMOVED = 200  # letters deleted after one look
_ROOM_EVERY = 600.0  # seconds between two questions for the quota

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """A place of pick-up: how it is opened, how often it is looked into, and what is cleaned up."""

    open: Opener
    poll: timedelta = timedelta(seconds=5)
    cleanup: Cleanup = "delete"


@dataclass(slots=True)
class PickupState:
    """How a place of pick-up does.

    ``opened`` tells whether it was ever looked into since the start; until then nothing is sent
    there. ``trouble`` is why nobody can look now, for the last of so many ``failures`` in a row;
    ``looked_at`` is when somebody last could.
    """

    home: str
    opened: bool = False
    looked_at: datetime | None = None
    trouble: PickupError | None = None
    since: datetime | None = None
    failures: int = 0
    looks: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    letters: Counter[str] = field(default_factory=Counter)
    removed: int = 0
    would_remove: int = 0
    room: Room = field(default_factory=Room)

    @property
    def cause(self) -> str:
        """Why nobody can look, in a sentence; empty where somebody can."""
        if self.trouble is None:
            return "" if self.opened else "it has not been opened yet"
        fix = f" {self.trouble.fix}" if self.trouble.fix else ""
        return f"{self.trouble.trouble}: {self.trouble.detail.removesuffix('.')}.{fix}"


class Pickup:
    """Looks after one place of pick-up; :meth:`run` goes on until it is cancelled."""

    def __init__(  # noqa: PLR0913 - whom it tells, and how it waits
        self,
        home: str,
        place: Place,
        *,
        intray: Intray,
        ledger: Ledger,
        clock: Clock,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self.state = PickupState(home)
        self.known = asyncio.Event()  # whether it can be looked into
        self.place = place
        self._intray, self._ledger, self._clock = intray, ledger, clock
        self._pause = pause
        self._looked: float | None = None  # monotonic seconds
        self._asked_room: float | None = None
        self._failures = 0  # that make the pause longer
        self._resting: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Open, look and wait, again and again."""
        while True:
            try:
                mailbox = await self.place.open()
                try:
                    await self._look_after(mailbox)
                finally:
                    await mailbox.close()
            except PickupError as error:
                await self._rest(self._fail(error))

    def hurry(self) -> None:
        """Try at once if it rests: what kept everybody from looking may be over."""
        self._failures = 0
        if self._resting is not None:
            self._resting.cancel()

    async def _rest(self, seconds: float) -> None:
        """Wait before the next try, unless somebody hurries it."""
        self._resting = asyncio.ensure_future(self._pause(seconds))
        try:
            await asyncio.wait({self._resting})
            if not self._resting.cancelled():
                self._resting.result()
        finally:
            self._resting.cancel()
            self._resting = None

    def crashed(self, error: BaseException | None) -> None:
        """Take in that :meth:`run` has ended by a bug of ours: nobody looks until it runs again."""
        detail = f"the agent itself failed in looking: {type(error).__name__}"
        fix = "See the log."
        self._fail(PickupError(Trouble.UNAVAILABLE, detail, fix=fix))

    async def _look_after(self, mailbox: Mailbox) -> NoReturn:
        """Look and wait until something goes wrong."""
        await self._round(mailbox, Repeats())
        while True:
            await mailbox.wait(self.place.poll)
            await self._round(mailbox)

    def _fail(self, error: PickupError) -> float:
        """Take in that nobody can look; return the seconds until the next try."""
        state = self.state
        if state.trouble is None:
            state.since = self._clock.now()
            _log.warning(
                "a mailbox cannot be looked into",
                extra={"home": state.home, "reason": error.trouble.value, "detail": error.detail},
            )
        state.trouble = error
        state.failures += 1
        self.known.set()
        state.errors[error.trouble.value] += 1
        longest = _TOKEN_PAUSE if error.trouble is Trouble.TOKEN else _LONGEST_PAUSE
        pause = min(_FIRST_PAUSE * 2.0**self._failures, longest)
        self._failures = min(self._failures + 1, 10)
        asked = error.retry_after.total_seconds() if error.retry_after else 0.0
        return max(pause, min(asked, _LONGEST_PAUSE))

    async def _round(self, mailbox: Mailbox, repeats: Repeats | None = None) -> None:
        """Look until all that is there has been seen, and clean up."""
        more = True
        while more:
            began = self._clock.monotonic()
            letters = await mailbox.look()
            batch = await self._intray.take(
                letters, home=self.state.home, looked_before=self._looked, repeats=repeats
            )
            self.state.letters.update(batch.kinds)
            await self._clean(mailbox, batch.ours)
            more = len(letters) >= MAX_LETTERS
        self._succeed(began)
        await self._ask_for_room(mailbox)

    def _succeed(self, began: float) -> None:
        """Take in that all was seen that lay there when the last look began."""
        state = self.state
        if state.trouble is not None:
            _log.warning("a mailbox can be looked into again", extra={"home": state.home})
        self._looked = began
        self._ledger.looked(state.home, began)
        state.trouble, state.since, state.opened = None, None, True
        state.looked_at = self._clock.now()
        state.looks += 1
        state.failures = 0
        self.known.set()
        self._failures = 0

    async def _clean(self, mailbox: Mailbox, ours: tuple[str, ...]) -> None:
        """Delete what bears a genuine token of ours, so that the mailbox never fills up."""
        if self.place.cleanup == "delete":
            for start in range(0, min(len(ours), _MOST_REMOVED), MAX_LETTERS):
                keys = ours[start : start + MAX_LETTERS]
                await mailbox.remove(keys)
                self.state.removed += len(keys)
        elif self.place.cleanup == "dry-run":
            self.state.would_remove += len(ours)

    async def _ask_for_room(self, mailbox: Mailbox) -> None:
        now = self._clock.monotonic()
        if self._asked_room is None or now - self._asked_room > _ROOM_EVERY:
            self._asked_room = now
            self.state.room = await mailbox.room()
