"""SMTP servers: a real one, and some that misbehave. All in the test's loop, on free ports."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Mailbox:
    """What a real server took; ``recipients`` are those that it knows."""

    recipients: tuple[str, ...] = ("probe@example.net",)
    messages: list[bytes] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        if address not in self.recipients:
            return "550 5.1.1 No such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self.messages.append(content)
        return "250 2.0.0 Queued"


@asynccontextmanager
async def real_server(mailbox: Mailbox, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A standard server that offers STARTTLS with *tls*; gives its port."""
    make = partial(SMTP, mailbox, hostname="mx.example.net", tls_context=tls)
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@dataclass
class Wire:
    """One connection as a misbehaving server sees it; ``heard`` is everything it was sent."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: bytearray

    async def say(self, data: bytes) -> None:
        if self.writer.is_closing():  # inside of TLS writing on would never end
            raise ConnectionResetError
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self) -> bytes:
        line = await self.reader.readline()
        self.heard += line
        return line

    async def hear_message(self) -> None:
        while await self.hear() not in (b".\r\n", b""):
            pass

    async def hang(self) -> None:
        """Say nothing more until the client goes away."""
        while data := await self.reader.read(65536):
            self.heard += data

    def reset(self) -> None:
        self.writer.transport.abort()


Behaviour = Callable[[Wire], Awaitable[None]]


@asynccontextmanager
async def rude_server(behave: Behaviour) -> AsyncIterator[tuple[int, bytearray]]:
    """A server that does exactly what *behave* says; gives its port and what it hears."""
    heard = bytearray()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(ConnectionError, asyncio.CancelledError):
            await behave(Wire(reader, writer, heard))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**20)
    try:
        yield server.sockets[0].getsockname()[1], heard
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def swallowing() -> Iterator[int]:
    """A port at which attempts to connect get no answer at all; gives the port.

    The kernel drops what wants to enter a queue that is full and that nobody empties.
    """
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port: int = server.getsockname()[1]
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(("127.0.0.1", port))
        yield port


def dripping(piece: bytes) -> Behaviour:
    """A server that says *piece* fifty times a second, for ever."""

    async def behave(wire: Wire) -> None:
        while True:
            await wire.say(piece)
            await asyncio.sleep(0.02)  # its pace, and nothing that a test waits for

    return behave


def scripted(*replies: bytes, reset: bool = False) -> Behaviour:
    """A server that greets with the first reply and answers each line with the next.

    After the last it hangs, or resets the connection. A message counts as one line.
    """

    async def behave(wire: Wire) -> None:
        await wire.say(replies[0])
        for before, reply in pairwise(replies):
            if before.startswith(b"354"):
                await wire.hear_message()
            elif not await wire.hear():
                return
            await wire.say(reply)
        if reset:
            await (wire.hear_message() if replies[-1].startswith(b"354") else wire.hear())
            wire.reset()
        else:
            await wire.hang()

    return behave
