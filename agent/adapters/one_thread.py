"""How does work that blocks get a deadline?

It has one thread of its own, so that nothing else waits behind it; the event loop keeps the time.
When a job has not ended in time, whatever it hangs at is cut off, if that can be done, and nothing
more is begun.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

from agent.adapters.mailbox import PickupError, Trouble

T = TypeVar("T")

_GRACE = 1.0  # seconds for a job to come back once it is cut off


def _nothing() -> None:
    """Leave a job alone that cannot be cut off."""


class OneThread:
    """One thread, and one job at a time in it. ``cut_off`` makes a job that hangs come back."""

    def __init__(self, name: str, cut_off: Callable[[], None] = _nothing) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._cut_off = cut_off
        self._job: asyncio.Future[object] | None = None
        self.is_cut = False

    async def run(self, job: Callable[[], T], seconds: float) -> T:
        """Do *job* in the thread. Raises what it raises, or PickupError after *seconds*."""
        if self.is_cut:
            raise PickupError(Trouble.UNREACHED, "it was given up")
        future = asyncio.get_running_loop().run_in_executor(self._executor, job)
        self._job = cast("asyncio.Future[object]", future)
        try:
            await asyncio.wait({future}, timeout=seconds)
        except asyncio.CancelledError:
            self.cut()
            raise
        if not future.done():
            self.cut()
            await self._settle()
            raise PickupError(Trouble.TIMEOUT, "no answer in time")
        return future.result()

    def cut(self) -> None:
        """Begin nothing more, and let what is under way come back."""
        self.is_cut = True
        self._cut_off()

    async def _settle(self) -> None:
        """Wait until the job has come back, and forget what it brings."""
        if self._job is not None:
            self._job.add_done_callback(_forget)
            await asyncio.wait({self._job}, timeout=_GRACE)

    async def close(self) -> None:
        """End the thread. Never raises."""
        self.cut()
        await self._settle()
        # A thread that is back ends at once, and is gone when this returns.
        self._executor.shutdown(wait=self._job is None or self._job.done())


def _forget(job: "asyncio.Future[object]") -> None:
    if not job.cancelled():
        job.exception()
