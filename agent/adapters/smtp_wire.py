"""How are octets taken from an SMTP client that may mean harm?

One buffer of bounded size, which nothing but this module reads. Lines end with CRLF and in no
other way, and so does the message (RFC 5321 section 2.3.8): a server that is generous here lets a
client smuggle a second message past the one before it. What was sent before TLS must not be read
after it (RFC 3207 section 4.2), so the buffer has to be empty when TLS starts.
"""

import asyncio
import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import cast

_HIGH_WATER = 64 * 1024  # octets that may wait before the client is held back
_PATIENCE = 1.0  # seconds for what was written to leave
_END = b"\r\n.\r\n"
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")


class Gone(Exception):  # noqa: N818 - an event, not an error
    """The client has left."""


class Garbled(Exception):  # noqa: N818 - the client's fault
    """The client does not keep to the form of lines; the message is what to tell it."""


class Wire(asyncio.Protocol):
    """One connection from a client.

    *on_connect* is called with it as soon as it stands, *on_lost* once it is over.
    """

    def __init__(
        self,
        on_connect: "Callable[[Wire], object]",
        on_lost: "Callable[[Wire], object]" = lambda _: None,
    ) -> None:
        self._on_connect = on_connect
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._is_over = False
        self._is_held = False
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._is_full = False
        self._closed = asyncio.Event()
        self.is_tls = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take up the connection."""
        self._transport = cast("asyncio.Transport", transport)
        self._on_connect(self)

    def data_received(self, data: bytes) -> None:
        """Keep octets, and hold the client back where they are too many."""
        self._buffer += data
        if len(self._buffer) > _HIGH_WATER and not self._is_held:
            self._is_held = True
            self._live.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> bool:
        """Go on answering one who has said all: without TLS that is possible."""
        self._is_over = True
        _wake(self._reader)
        return not self.is_tls

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Wake whoever waits for it."""
        self._is_over = True
        self._transport = None
        self._closed.set()
        _wake(self._reader)
        _wake(self._writer)
        self._on_lost(self)

    def pause_writing(self) -> None:
        """Note that the client does not take what we say."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Note that it does again."""
        self._is_full = False
        _wake(self._writer)

    @property
    def has_input(self) -> bool:
        """Whether the client has sent more than was read."""
        return bool(self._buffer)

    def info(self, name: str) -> object:
        """Return what asyncio knows of the connection: ``peername``, ``ssl_object``."""
        return self._transport.get_extra_info(name) if self._transport else None

    async def read_line(self, limit: int) -> bytes:
        """Return a line without its end.

        Raises Garbled for one that is longer than *limit* octets or has a bare CR or LF, and Gone.
        """
        while (end := self._buffer.find(b"\n", 0, limit + 2)) < 0:
            if len(self._buffer) > limit + 1:
                message = "5.5.2 line too long"
                raise Garbled(message)
            await self._more()
        line = self._take(end + 1)
        if _BARE.search(line):
            message = "5.5.2 lines end with CR LF"
            raise Garbled(message)
        return line[:-2]

    async def read_message(self, limit: int) -> bytes:
        """Return what comes up to the line with the single dot, with the stuffing undone.

        Raises Garbled for more than *limit* octets, or where a CR or LF stands alone, and Gone.
        """
        content = bytearray(b"\r\n")  # so that a dot at the very start is found as any other
        while True:
            start = max(len(content) - len(_END), 0)
            content += self._take(len(self._buffer))
            end = content.find(_END, start)
            if end >= 0:
                break
            if len(content) > limit + len(_END):
                message = "5.3.4 message too big"
                raise Garbled(message)
            await self._more()
        self._buffer[:0] = content[end + len(_END) :]
        message_octets = bytes(content[: end + 2])
        if len(message_octets) > limit:
            message = "5.3.4 message too big"
            raise Garbled(message)
        if _BARE.search(message_octets):
            message = "5.6.11 a CR or LF stands alone"
            raise Garbled(message)
        return message_octets.replace(b"\r\n.", b"\r\n")[2:]

    async def send(self, octets: bytes) -> None:
        """Write, and wait while the client does not read. Raises Gone."""
        self._live.write(octets)
        while self._is_full:
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer
            if self._transport is None:
                raise Gone

    async def start_tls(self, ready: bytes, context: ssl.SSLContext) -> None:
        """Write *ready* and go over to TLS.

        Raises Garbled where the client has sent more already, and Gone where there is no TLS.
        """
        transport = self._live
        transport.pause_reading()
        if self._buffer:
            message = "5.5.1 nothing may follow STARTTLS"
            raise Garbled(message)
        transport.write(ready)
        loop = asyncio.get_running_loop()
        self.is_tls = True
        try:
            self._transport = await loop.start_tls(transport, self, context, server_side=True)
        except OSError:  # ssl.SSLError is one
            raise Gone from None

    def refuse(self, octets: bytes) -> None:
        """Write without waiting, and close."""
        if self._transport is not None:
            self._transport.write(octets)
            self._transport.close()

    async def finish(self) -> None:
        """Close, and return when the connection is over.

        One who does not read what was written, or does not end TLS, would keep it for ever.
        """
        if self._transport is not None:
            self._transport.close()
        for _ in range(2):
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    await self._closed.wait()
            self.abort()

    def abort(self) -> None:
        """Close at once, whatever waits to be sent."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def _live(self) -> asyncio.Transport:
        if self._transport is None or self._transport.is_closing():
            raise Gone
        return self._transport

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    async def _more(self) -> None:
        """Wait for octets; raise Gone where none will come."""
        if self._is_over:
            raise Gone
        if self._is_held:
            self._is_held = False
            self._live.resume_reading()
        before = len(self._buffer)
        self._reader = asyncio.get_running_loop().create_future()
        await self._reader
        if self._is_over and len(self._buffer) == before:
            raise Gone


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
