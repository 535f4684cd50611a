"""Does the event loop still come round, and who says so when it does not?

All that the agent does, and all that it says of itself, goes through one event loop. One call that
never returns silences everything, the alerts about the silence included. So a thread of its own
asks the loop for a sign of life again and again. It names the place where the loop is stuck once,
and where nothing changes for a minute it ends the process, because whatever supervises it can start
another, and nothing can free this one. What must survive is on the disk by then.

Patience is counted in rounds of the thread and not on a clock: a process that was stopped, or whose
machine was, finds the thread as late as the loop, and nobody to blame.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
import traceback
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn, Self

EXIT = 70  # EX_SOFTWARE of sysexits.h
_FRAMES = 15  # innermost ones that are logged; a log line is bounded
_GRACE = 5.0  # seconds for the last words

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait: ``pace`` seconds a round, so many rounds to tell it and to give up."""

    pace: float = 1.0
    tell: int = 5
    give_up: int = 60


class Watchdog:
    """Watches the running event loop while it is entered as a context."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._over = threading.Event()
        self._came_round = False

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._watched = threading.get_ident()
        self._thread = threading.Thread(target=self._watch, name="mailflow-watchdog", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        silent = 0
        self._ask()
        while not self._over.wait(self._patience.pace):
            if self._came_round:
                if silent >= self._patience.tell:
                    self._goes_on(silent)
                silent = 0
                self._ask()
                continue
            silent += 1
            if silent == self._patience.tell:
                self._is_stuck()
            if silent >= self._patience.give_up:
                self._give_up()
        if silent >= self._patience.tell:
            self._goes_on(silent)  # it came round and ended before the thread did

    def _ask(self) -> None:
        self._came_round = False
        self._loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        self._came_round = True

    def _is_stuck(self) -> None:
        """Say where, and make sure that the end comes even if nothing can be said."""
        # The loop may be stuck in writing the log, and the thread with it from here on. The kernel
        # needs neither, and ends a process that does not handle its alarm.
        left = (self._patience.give_up - self._patience.tell) * self._patience.pace
        signal.setitimer(signal.ITIMER_REAL, left + _GRACE)
        frame = sys._current_frames().get(self._watched)  # noqa: SLF001 - documented, so named
        _log.error(
            "event loop is stuck",
            extra={"seconds": self._seconds(self._patience.tell), "stack": _stack(frame)},
        )

    def _goes_on(self, silent: int) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        _log.warning("event loop goes on", extra={"seconds": self._seconds(silent)})

    def _give_up(self) -> NoReturn:
        _log.critical(
            "event loop stays stuck, giving up",
            extra={"seconds": self._seconds(self._patience.give_up), "exit": EXIT},
        )
        os._exit(EXIT)  # nothing in this process can be asked to end any more

    def _seconds(self, rounds: int) -> float:
        return round(rounds * self._patience.pace, 3)


def _stack(frame: FrameType | None) -> str:
    """Write the innermost calls, the innermost last."""
    return "".join(traceback.format_stack(frame)[-_FRAMES:])
