"""What has the operating system asked of the process: to stop, to hurry, to reload?"""

import asyncio
import signal
from typing import Self

_STOP = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """The wishes that came as signals, while it is entered as a context in the event loop.

    SIGTERM and SIGINT set ``stop``, and when they come again ``hurry``. SIGHUP asks for a reload;
    however many came since the last one, they are one wish.
    """

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.hurry = asyncio.Event()
        self._reload = False
        self._news = asyncio.Event()

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for number in _STOP:
            loop.add_signal_handler(number, self._stopped)
        loop.add_signal_handler(signal.SIGHUP, self._reloaded)
        return self

    def __exit__(self, *exception: object) -> None:
        loop = asyncio.get_running_loop()
        for number in (*_STOP, signal.SIGHUP):
            loop.remove_signal_handler(number)

    async def wait(self, seconds: float) -> None:
        """Return when a signal comes, or after *seconds*."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()

    def take_reload(self) -> bool:
        """Tell whether a reload was asked for since the last call; none is once stopping."""
        wanted, self._reload = self._reload and not self.stop.is_set(), False
        return wanted

    def _stopped(self) -> None:
        (self.hurry if self.stop.is_set() else self.stop).set()
        self._news.set()

    def _reloaded(self) -> None:
        self._reload = True
        self._news.set()
