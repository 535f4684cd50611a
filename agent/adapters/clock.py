"""What time is it? The only module that asks."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Time as the program sees it."""

    def now(self) -> datetime:
        """Return the wall-clock time in UTC; it may step."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that never steps back, for durations."""
        ...


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> datetime:
        """Return the wall-clock time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start."""
        # Not loop.time(), which some event loops step by a millisecond.
        return time.perf_counter()


kernel_nanoseconds = time.time_ns
"""Nanoseconds of the wall clock as the kernel stamps packets with it, to be compared with those."""
