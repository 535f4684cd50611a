"""How do octets get to and from one server, and when did they arrive?

A line notes the time in the callback of the event loop, because an ``await`` returns only when
other work lets it. TLS is done over memory buffers of our own: asyncio's TLS transport pins 300 KiB
for each open connection, and starting it mid-connection leaves open what happened to octets that
came too early. A peer that sends faster than it is read is paused, so it cannot fill memory.
"""

import asyncio
from collections.abc import Callable

from agent.adapters.tls import Secured, TlsClient, TlsEnd, TlsError
from agent.domain.smtp import Reason

_HIGH_WATER = 65_536  # octets that wait to be read


class Line(asyncio.Protocol):
    """One connection. Used by one task at a time."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._buffer = bytearray()
        self._is_over = False
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._closed = asyncio.get_running_loop().create_future()
        self._tls: TlsEnd | None = None
        self.arrived_at = monotonic()
        self.connect_seconds = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the transport, for asyncio."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self._transport = transport
        self.arrived_at = self._monotonic()

    def data_received(self, data: bytes) -> None:
        """Keep what arrived, and when, for asyncio."""
        self.arrived_at = self._monotonic()
        self._buffer += data
        if len(self._buffer) > _HIGH_WATER and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Note the end, for asyncio; the transport closes itself."""
        self._end()

    def connection_lost(self, _error: Exception | None) -> None:
        """Note the end, for asyncio."""
        self._end()
        if not self._closed.done():
            self._closed.set_result(None)

    def _end(self) -> None:
        self.arrived_at = self._monotonic()
        self._is_over = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    @property
    def is_quiet(self) -> bool:
        """True when nothing has arrived that was not read."""
        return not self._buffer

    async def receive(self) -> bytes:
        """Wait for octets and return all there are; nothing at the end of the connection.

        Raises TlsError where TLS ends with a reason that is worth knowing.
        """
        if self._tls is None:
            return await self._take()
        while (text := self._tls.read()) is None:
            self._flush(self._tls)
            if not await self._refill(self._tls):
                return b""
        return text

    async def _take(self) -> bytes:
        if not self._buffer and not self._is_over:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        data = bytes(self._buffer)
        self._buffer.clear()
        if self._transport is not None and not self._is_over:
            self._transport.resume_reading()
        return data

    async def _refill(self, tls: TlsEnd) -> bool:
        """Give TLS what arrived; False at the end of the connection."""
        data = await self._take()
        tls.feed(data)
        return bool(data)

    def send(self, data: bytes) -> None:
        """Send octets, through TLS once there is one. A dead connection shows when reading."""
        if self._tls is None:
            self._write(data)
            return
        self._tls.write(data)
        self._flush(self._tls)

    def _flush(self, tls: TlsEnd) -> None:
        if data := tls.take():
            self._write(data)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    async def secure(self, client: TlsClient, server_name: str | None) -> Secured:
        """Do the TLS handshake, sending *server_name* in it. Raises TlsError."""
        if not self.is_quiet:
            raise TlsError(Reason.TLS_INJECTION, "plaintext before the handshake")
        tls = client.begin(server_name)
        try:
            while (secured := tls.shake()) is None:
                self._flush(tls)
                if not await self._refill(tls):
                    detail = "the connection ended in the handshake"
                    raise TlsError(Reason.CONNECTION_LOST, detail)
        finally:
            self._flush(tls)  # an alert tells the server why
        self._tls = tls
        return secured

    async def close(self) -> None:
        """Close at once, whatever waits to be sent."""
        if self._transport is not None:
            self._transport.abort()
            await self._closed
