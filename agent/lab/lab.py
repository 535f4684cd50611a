"""How is the lab put together, and where does everything listen?"""

import asyncio
import contextlib
import socket
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Self

from agent.adapters.clock import Clock, SystemClock
from agent.adapters.smtp_server import SmtpServer
from agent.adapters.trust import TrustStore, server_context
from agent.adapters.x509_making import Authority, KeyPair
from agent.lab.control import Control
from agent.lab.dns_server import DnsServer, Role
from agent.lab.exchange_online import ExchangeOnline
from agent.lab.export_folder import ExportFolder
from agent.lab.faults import Behaviour, World
from agent.lab.mail import OLDEST, SMART_HOST_NAME, Filter, Post, SmartHost, changing_context
from agent.lab.mailbox import Maildrop
from agent.lab.onward import Onward
from agent.lab.stall import Stall
from agent.lab.world import (
    CONTOSO_ENDPOINT,
    EXCHANGE_NAME,
    EXCHANGE_ONLINE,
    FILTERS,
    NAME_SERVERS,
    REGISTRY,
    SINK,
    SMART_HOST,
)

SMTP = 25
DNS = 53
LOOPBACK = "127.0.0.1"
_VALID = timedelta(days=60)
BACK_DOOR = "old-relay.contoso.com"  # who delivers where the fault is mail-past-filter
HELD = 20.0  # seconds that the fault mail-held adds


class Lab:
    """A mail world on loopback, alive as long as its context.

    ``detours`` tells a dialer where the world's addresses really listen; ``authority`` is whom its
    certificates are to be trusted by, in PEM; ``sink_port`` is where the agent's sink must listen;
    ``gate`` is what the agent's scheduler has to pass. The mailbox and the exports of tenants are
    in *home*, by default in *folder*.
    """

    def __init__(self, folder: Path, clock: Clock | None = None, home: Path | None = None) -> None:
        self.world = World()
        self.gate = Stall(self.world)
        self._folder = folder
        self._clock = clock or SystemClock()
        # Older than all that it has signed: an expired certificate is wrong in nothing else.
        authority = Authority("mailflow-agent lab", at=self._clock.now() - OLDEST)
        self.authority: bytes = authority.pem
        self.sink_port = _free_port()
        self._dns = DnsServer(self.world)
        self._name_servers = {
            address: DnsServer(self.world, role=role)
            for address, role in (
                (REGISTRY, Role.REGISTRY),
                (NAME_SERVERS[0], Role.FIRST),
                (NAME_SERVERS[1], Role.SECOND),
            )
        }
        self._post = Post(self._clock, TrustStore(system=False).client(verify=False))
        self._maildrop = Maildrop(home or folder)
        self._exports = ExportFolder(home or folder, self.world, self._clock)
        self._onward = Onward(self.world, self._post, self._port_of)
        self._exchange = self._front_door(authority)
        # Where the agent comes from Contoso's data centre, as its connector has it.
        self._contoso = self._front_door(authority, seen_from=SMART_HOST)
        self._filters = [self._filter(authority, number) for number in range(len(FILTERS))]
        self._smart_host = SmtpServer(
            SmartHost(self.world, self._clock, self._to_exchange),
            context=changing_context(self.world, authority, self._clock),
        )
        self._ports: dict[SmtpServer, int] = {}  # of those that may fail, once they are known
        self._stack = contextlib.AsyncExitStack()

    def _front_door(self, authority: Authority, **seen: str) -> SmtpServer:
        """Return a front door of Exchange Online."""
        policy = ExchangeOnline(
            self.world,
            self._clock,
            self._to_sink,
            self._post,
            maildrop=self._maildrop,
            onward=self._onward,
            **seen,
        )
        names = ("mail.protection.outlook.com", "*.mail.protection.outlook.com", EXCHANGE_NAME)
        context = server_context(self._issue(authority, *names))
        context.load_verify_locations(cadata=authority.pem.decode("ascii"))
        context.verify_mode = ssl.CERT_OPTIONAL
        return SmtpServer(policy, context=context)

    def _filter(self, authority: Authority, number: int) -> SmtpServer:
        name = f"mx{number + 1}.filter.example"
        pair = self._issue(authority, name)
        # What it shows to Exchange Online, where Fabrikam's connector asks for that name.
        shown = TrustStore(system=False).showing(pair)

        async def hand_on(mail_from: str, rcpt_to: str, content: bytes) -> None:
            wait = HELD if self.world.behaves(Behaviour.HOLDS) else 0.0
            port = self._exchange.port
            helo = BACK_DOOR if self.world.behaves(Behaviour.SKIPS_FILTER) else name
            self._post.send(port, helo, mail_from, rcpt_to, content, tls=shown, wait=wait)

        policy = Filter(self.world, self._clock, name, hand_on)
        return SmtpServer(policy, context=server_context(pair))

    def _issue(self, authority: Authority, *names: str) -> KeyPair:
        now = self._clock.now()
        return authority.issue(*names, not_before=now - _VALID, not_after=now + _VALID)

    @property
    def resolver(self) -> tuple[str, int]:
        """Address and port of the resolver of this world."""
        return LOOPBACK, self._dns.port

    @property
    def detours(self) -> dict[tuple[str, int], tuple[str, int]]:
        """Where the world's addresses and ports really are."""
        return {
            (SMART_HOST, SMTP): (LOOPBACK, self._ports[self._smart_host]),
            (EXCHANGE_ONLINE, SMTP): (LOOPBACK, self._exchange.port),
            (CONTOSO_ENDPOINT, SMTP): (LOOPBACK, self._contoso.port),
            **{
                (address, SMTP): (LOOPBACK, self._ports[server])
                for address, server in zip(FILTERS, self._filters, strict=True)
            },
            (SINK, SMTP): (LOOPBACK, self.sink_port),
            (LOOPBACK, self._dns.port): self.resolver,
            **{
                (address, DNS): (LOOPBACK, server.port)
                for address, server in self._name_servers.items()
            },
        }

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            self._maildrop.prepare()
            for server_of_names in (self._dns, *self._name_servers.values()):
                await stack.enter_async_context(server_of_names)
            stack.push_async_callback(self._post.close)
            for server in (self._exchange, self._contoso, self._smart_host, *self._filters):
                await server.start(LOOPBACK, 0)
                stack.push_async_callback(server.close)
                self._ports[server] = server.port
            self.world.subscribe(self._follow)
            await stack.enter_async_context(Control(self.world, self._folder))
            # Not before it is known that no other lab runs in this folder.
            await asyncio.to_thread(self._exports.write)
            self._post.later(self._exports.repeat())
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._stack.aclose()

    def _follow(self) -> None:
        """Let servers listen, or not, and tenants be exported, as the faults say."""
        self._post.later(asyncio.to_thread(self._exports.write, only_changed=True))
        for server, fault in (
            (self._smart_host, Behaviour.DOWN),
            (self._filters[0], Behaviour.FILTER_DOWN),
        ):
            self._post.later(self._listen(server, wanted=not self.world.behaves(fault)))

    async def _listen(self, server: SmtpServer, *, wanted: bool) -> None:
        if wanted and not server.port:
            await server.start(LOOPBACK, self._ports[server])
        elif not wanted:
            await server.close()

    def _port_of(self, address: str) -> int:
        """Return where a mail server of the world listens; 0 where it has none at *address*."""
        return self.detours.get((address, SMTP), (LOOPBACK, 0))[1]

    async def _to_exchange(self, mail_from: str, rcpt_to: str, content: bytes) -> None:
        self._post.send(self._contoso.port, SMART_HOST_NAME, mail_from, rcpt_to, content)

    async def _to_sink(self, mail_from: str, rcpt_to: str, content: bytes) -> None:
        self._post.send(self.sink_port, EXCHANGE_NAME, mail_from, rcpt_to, content)


def _free_port() -> int:
    """Return a port of loopback that nobody uses; the agent's sink takes it a moment later."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
