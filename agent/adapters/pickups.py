"""Which mailboxes are looked after?

One task for each place of pick-up, however many routes end there. A task that ends by a bug of ours
is counted, logged with its traceback, and started again after a pause.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping

from agent.adapters.clock import Clock
from agent.adapters.intray import Intray
from agent.adapters.ledger import Ledger
from agent.adapters.pickup import Pickup, PickupState, Place

_AGAIN = 30.0  # seconds after a bug of ours

_log = logging.getLogger(__name__)


class Pickups:
    """All places of pick-up of the configuration, by the name of the place.

    *again* is the pause after a bug of ours, in seconds.
    """

    def __init__(
        self, intray: Intray, ledger: Ledger, clock: Clock, *, again: float = _AGAIN
    ) -> None:
        self._intray, self._ledger, self._clock = intray, ledger, clock
        self._again = again
        self._pickups: dict[str, Pickup] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self.crashes = 0

    def replace(self, places: Mapping[str, Place], *, anew: Collection[str] = ()) -> None:
        """Look after these from now on.

        One that was there before goes on with its connection, unless it is to be opened *anew*,
        because what leads there has changed. One that is not there any more is left.
        """
        for home in self._pickups.keys() - places.keys():
            self._leave(home)
            del self._pickups[home]
        for home, place in places.items():
            known = self._pickups.get(home)
            if known is None:
                self._pickups[home] = Pickup(
                    home, place, intray=self._intray, ledger=self._ledger, clock=self._clock
                )
                self._start(home)
                continue
            known.place = place
            if home in anew:
                self._leave(home)
                self._start(home)

    def hurry(self) -> None:
        """Have every place looked into again that could not be, without the rest of its pause."""
        for pickup in self._pickups.values():
            if pickup.state.trouble is not None:
                pickup.hurry()

    def state(self, home: str) -> PickupState | None:
        """Return how a place does; None where nobody looks after it."""
        pickup = self._pickups.get(home)
        return None if pickup is None else pickup.state

    @property
    def states(self) -> tuple[PickupState, ...]:
        """How every place does."""
        return tuple(pickup.state for pickup in self._pickups.values())

    async def known(self, home: str) -> None:
        """Return once a place was looked into, or could not be; at once where nobody looks."""
        pickup = self._pickups.get(home)
        if pickup is not None:
            await pickup.known.wait()

    def _start(self, home: str) -> None:
        task = asyncio.get_running_loop().create_task(self._pickups[home].run())
        self._tasks[home] = task
        task.add_done_callback(lambda ended: self._ended(home, ended))

    def _leave(self, home: str) -> None:
        """End a task; its connection may take a while to close."""
        task = self._tasks.pop(home)
        task.cancel()
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _ended(self, home: str, task: asyncio.Task[None]) -> None:
        """Start again what has ended by a bug of ours."""
        if task.cancelled():
            return
        self.crashes += 1
        _log.error("a pick-up crashed", exc_info=task.exception(), extra={"home": home})
        if self._tasks.get(home) is task:  # not one that was left, and failed in closing
            self._pickups[home].crashed(task.exception())
        asyncio.get_running_loop().call_later(self._again, self._start_again, home, task)

    def _start_again(self, home: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(home) is task:
            self._start(home)

    async def close(self) -> None:
        """Leave every place."""
        for home in list(self._tasks):
            self._leave(home)
        await asyncio.gather(*self._leaving, return_exceptions=True)
        self._pickups.clear()
