"""How is the lab put together, and where does everything listen?"""

import contextlib
import socket
from datetime import timedelta
from pathlib import Path
from typing import Self

from agent.adapters.clock import Clock, SystemClock
from agent.adapters.smtp_server import SmtpServer
from agent.adapters.trust import TrustStore, server_context
from agent.adapters.x509_making import Authority
from agent.lab.control import Control
from agent.lab.dns_server import DnsServer
from agent.lab.faults import Behaviour, World
from agent.lab.mail import (
    EXCHANGE_NAME,
    SMART_HOST_NAME,
    ExchangeOnline,
    Post,
    SmartHost,
    changing_context,
)
from agent.lab.world import EXCHANGE_ONLINE, SINK, SMART_HOST

SMTP = 25
LOOPBACK = "127.0.0.1"
_VALID = timedelta(days=60)


class Lab:
    """A mail world on loopback, alive as long as its context.

    ``detours`` tells a dialer where the world's addresses really listen; ``authority`` is whom its
    certificates are to be trusted by, in PEM; ``sink_port`` is where the agent's sink must listen.
    """

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self.world = World()
        self._folder = folder
        self._clock = clock or SystemClock()
        authority = Authority("mailflow-agent lab", at=self._clock.now())
        self.authority: bytes = authority.pem
        self.sink_port = _free_port()
        self._dns = DnsServer(self.world)
        now = self._clock.now()
        self._post = Post(self._clock, TrustStore(system=False).client(verify=False))
        self._exchange = SmtpServer(
            ExchangeOnline(self.world, self._clock, self._to_sink, self._post),
            context=server_context(
                authority.issue(
                    "mail.protection.outlook.com",
                    EXCHANGE_NAME,
                    not_before=now - _VALID,
                    not_after=now + _VALID,
                )
            ),
        )
        self._smart_host = SmtpServer(
            SmartHost(self.world, self._clock, self._to_exchange),
            context=changing_context(self.world, authority, self._clock),
        )
        self._smart_host_port = 0
        self._stack = contextlib.AsyncExitStack()

    @property
    def resolver(self) -> tuple[str, int]:
        """Address and port of the resolver of this world."""
        return LOOPBACK, self._dns.port

    @property
    def detours(self) -> dict[tuple[str, int], tuple[str, int]]:
        """Where the world's addresses and ports really are."""
        return {
            (SMART_HOST, SMTP): (LOOPBACK, self._smart_host_port),
            (EXCHANGE_ONLINE, SMTP): (LOOPBACK, self._exchange.port),
            (SINK, SMTP): (LOOPBACK, self.sink_port),
        }

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self._dns)
            stack.push_async_callback(self._post.close)
            await self._exchange.start(LOOPBACK, 0)
            stack.push_async_callback(self._exchange.close)
            await self._smart_host.start(LOOPBACK, 0)
            self._smart_host_port = self._smart_host.port
            stack.push_async_callback(self._smart_host.close)
            self.world.subscribe(self._follow)
            await stack.enter_async_context(Control(self.world, self._folder))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._stack.aclose()

    def _follow(self) -> None:
        """Let the smart host listen, or not, as the faults say."""
        self._post.later(self._listen(not self.world.behaves(Behaviour.DOWN)))

    async def _listen(self, wanted: bool) -> None:  # noqa: FBT001 - one caller, one word
        if wanted and not self._smart_host.port:
            await self._smart_host.start(LOOPBACK, self._smart_host_port)
        elif not wanted:
            await self._smart_host.close()

    async def _to_exchange(self, mail_from: str, rcpt_to: str, content: bytes) -> None:
        self._post.send(self._exchange.port, SMART_HOST_NAME, mail_from, rcpt_to, content)

    async def _to_sink(self, mail_from: str, rcpt_to: str, content: bytes) -> None:
        self._post.send(self.sink_port, EXCHANGE_NAME, mail_from, rcpt_to, content)


def _free_port() -> int:
    """Return a port of loopback that nobody uses; the agent's sink takes it a moment later."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
