"""A content filter between the two relays of the mail world: it rewrites as gateways do."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import aiosmtplib
from aiosmtpd.smtp import SMTP, Envelope, Session

Change = Callable[[bytes], bytes]
"""Takes a message with CRLF line ends, gives it as it goes on."""


@dataclass
class Filter:
    """Takes messages at ``port``, changes them and hands them to the relay at ``onward``."""

    onward: int
    change: Change = bytes
    port: int = 0

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        await aiosmtplib.send(
            self.change(content),
            sender=envelope.mail_from or "",
            recipients=envelope.rcpt_tos,
            hostname="127.0.0.1",
            port=self.onward,
            start_tls=False,
        )
        return "250 2.0.0 Passed on"


@asynccontextmanager
async def content_filter(onward: int) -> AsyncIterator[Filter]:
    """Run a filter in front of the relay at *onward*."""
    one = Filter(onward)
    make = partial(SMTP, one, hostname="filter.contoso.com", enable_SMTPUTF8=True)
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
