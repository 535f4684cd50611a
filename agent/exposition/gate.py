"""Who may hold a connection, and for how long without asking anything?

The HTTP library limits sizes, not numbers and not patience before the first request. The gate
stands before it: it turns away connections above a number, and drops those that have not sent a
whole request head in time.
"""

import asyncio
from collections.abc import Callable
from typing import cast

PATIENCE = 10.0  # seconds from connecting to the end of the first request's head


class Gate:
    """Counts connections; ``open`` is how many there are now."""

    def __init__(self, limit: int, patience: float = PATIENCE) -> None:
        self._limit = limit
        self._patience = patience
        self._waiting: dict[asyncio.BaseTransport, asyncio.TimerHandle] = {}
        self.open = 0

    def around(self, make: Callable[[], asyncio.BaseProtocol]) -> Callable[[], asyncio.Protocol]:
        """Return a factory of protocols that are those of *make*, behind the gate."""
        return lambda: _Guarded(self, cast("asyncio.Protocol", make()))

    def enter(self, transport: asyncio.BaseTransport) -> bool:
        """Count a connection; return False where there are too many."""
        self.open += 1
        if self.open > self._limit:
            return False
        loop = asyncio.get_running_loop()
        self._waiting[transport] = loop.call_later(self._patience, self._drop, transport)
        return True

    def leave(self, transport: asyncio.BaseTransport | None) -> None:
        """Note that a connection is gone."""
        self.open -= 1
        self.request_began(transport)

    def request_began(self, transport: asyncio.BaseTransport | None) -> None:
        """Note that a connection has sent a request's head; the library watches it from now on."""
        if transport is not None:
            timer = self._waiting.pop(transport, None)
            if timer is not None:
                timer.cancel()

    def _drop(self, transport: asyncio.BaseTransport) -> None:
        del self._waiting[transport]
        cast("asyncio.Transport", transport).abort()

    def close(self) -> None:
        """Drop all that have not asked for anything."""
        for transport in tuple(self._waiting):
            self._waiting[transport].cancel()
            self._drop(transport)


class _Guarded(asyncio.Protocol):
    """Passes everything on to the protocol behind it, once the gate has let it in."""

    def __init__(self, gate: Gate, behind: asyncio.Protocol) -> None:
        self._gate = gate
        self._behind = behind
        self._transport: asyncio.BaseTransport | None = None
        self._admitted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._admitted = self._gate.enter(transport)
        if self._admitted:
            self._behind.connection_made(transport)
        else:
            cast("asyncio.Transport", transport).abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gate.leave(self._transport)
        if self._admitted:
            self._behind.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._admitted:
            self._behind.data_received(data)

    def eof_received(self) -> bool | None:
        return self._behind.eof_received() if self._admitted else None

    def pause_writing(self) -> None:
        self._behind.pause_writing()

    def resume_writing(self) -> None:
        self._behind.resume_writing()
