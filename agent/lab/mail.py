"""Which mail servers does the lab's world have?

A smart host in the data centre that takes mail for its own domains and hands it on, and a front
door of Exchange Online that speaks as Microsoft documents it and delivers to the agent's sink, as
a connector of the tenant would. Both obey the faults that are switched on.
"""

import asyncio
import contextlib
import itertools
import ssl
from collections.abc import Awaitable, Callable
from datetime import timedelta
from email.utils import format_datetime
from ipaddress import IPv4Address

from agent.adapters.clock import Clock
from agent.adapters.dialer import Dialer
from agent.adapters.smtp_policy import Client, Policy, Response, say
from agent.adapters.smtp_session import Target, hold
from agent.adapters.tls import TlsClient
from agent.adapters.trust import server_context
from agent.adapters.x509_making import Authority
from agent.domain.smtp import Errand, Tls
from agent.lab.faults import Behaviour, World

SMART_HOST_NAME = "mail.contoso.com"
EXCHANGE_NAME = "DB5PEPF00014B8A.mail.protection.outlook.com"
OWN_DOMAINS = ("contoso.com", "monitor.contoso.com")
MONITORED = "monitor.contoso.com"
DELAY = 30.0  # seconds that the fault mail-delayed adds
_LOOPBACK = IPv4Address("127.0.0.1")
_PATIENCE = timedelta(seconds=20)
_YEAR = timedelta(days=365)

Deliver = Callable[[str, str, bytes], Awaitable[None]]


class Post:
    """Hands messages on in the background, and lets go of them when the lab ends."""

    def __init__(self, clock: Clock, tls: TlsClient) -> None:
        self._clock = clock
        self._tls = tls
        self._dialer = Dialer(clock=clock, per_host=20)
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, port: int, helo: str, mail_from: str, rcpt_to: str, content: bytes) -> None:
        """Hand a message to the server at *port* of loopback, soon, and once."""
        errand = Errand(helo, Tls.IF_OFFERED, mail_from, (rcpt_to,), content)
        target = Target(address=_LOOPBACK, port=port, tls=self._tls, reach="any")
        self.later(hold(target, errand, dialer=self._dialer, clock=self._clock, deadline=_PATIENCE))

    def later(self, work: Awaitable[object]) -> None:
        """Do something without waiting for it."""
        task = asyncio.ensure_future(_finish(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Drop what is still under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _finish(work: Awaitable[object]) -> None:
    await work


class _Host(Policy):
    """What both servers have in common: they stamp and hand on what they accept."""

    def __init__(self, world: World, clock: Clock) -> None:
        self._world = world
        self._clock = clock
        self._numbers = itertools.count(1)

    def _stamp(self, client: Client, content: bytes) -> bytes:
        """Return *content* behind a Received field (RFC 5321 section 4.4)."""
        protocol = "ESMTPS" if client.tls else "ESMTP"
        secured = f" (version={client.tls})" if client.tls else ""
        lines = (
            f"Received: from {client.helo} ([{client.address}])",
            f" by {self.name} with {protocol}{secured} id {next(self._numbers)};",
            f" {format_datetime(self._clock.now())}",
        )
        return "\r\n".join(lines).encode() + b"\r\n" + content


class SmartHost(_Host):
    """The relay in Contoso's data centre."""

    name = SMART_HOST_NAME

    def __init__(self, world: World, clock: Clock, hand_on: Deliver) -> None:
        super().__init__(world, clock)
        self._hand_on = hand_on

    async def greet(self, client: Client) -> Response:
        """Greet, unless the fault is that nobody does."""
        if self._world.behaves(Behaviour.STALLS):
            await asyncio.sleep(_YEAR.total_seconds())  # until the session's deadline
        return await super().greet(client)

    async def hello(self, client: Client, extensions: tuple[str, ...]) -> Response:
        """Answer EHLO, and keep quiet about STARTTLS where that is the fault."""
        if self._world.behaves(Behaviour.NO_STARTTLS):
            extensions = tuple(each for each in extensions if each != "STARTTLS")
        return await super().hello(client, extensions)

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        """Take recipients of its own domains only."""
        del client
        if rcpt_to.rpartition("@")[2].lower() not in OWN_DOMAINS:
            return say(554, "5.7.1 Relay access denied")
        if self._world.behaves(Behaviour.REFUSES_RECIPIENT):
            return say(550, "5.1.1 Recipient address rejected: User unknown")
        if self._world.behaves(Behaviour.GREYLISTS):
            return say(451, "4.7.1 Greylisted, please try again later")
        return say(250, "2.1.5 Ok")

    async def message(self, client: Client, content: bytes) -> Response:
        """Queue a message, and hand it on where it is for the monitored domain."""
        stamped = self._stamp(client, content)
        for rcpt_to in client.rcpt_to:
            if rcpt_to.lower().endswith("@" + MONITORED):
                await self._hand_on(client.mail_from or "", rcpt_to, stamped)
        return say(250, f"2.0.0 Ok: queued as {next(self._numbers):06X}")


class ExchangeOnline(_Host):
    """The front door of Exchange Online for the lab's domains."""

    name = EXCHANGE_NAME

    def __init__(self, world: World, clock: Clock, deliver: Deliver, post: Post) -> None:
        super().__init__(world, clock)
        self._deliver = deliver
        self._post = post

    async def greet(self, client: Client) -> Response:
        """Greet as Exchange Online does."""
        del client
        now = format_datetime(self._clock.now())
        return say(220, f"{self.name} Microsoft ESMTP MAIL Service ready at {now}")

    async def hello(self, client: Client, extensions: tuple[str, ...]) -> Response:
        """Answer EHLO with the client's address, as Exchange does."""
        return say(250, f"{self.name} Hello [{client.address}]", *extensions)

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        """Take recipients of accepted domains; the wording is Exchange Online's."""
        del client
        if rcpt_to.rpartition("@")[2].lower() not in OWN_DOMAINS:
            return say(550, "5.7.64 TenantAttribution; Relay Access Denied")
        return say(250, "2.1.5 Recipient OK")

    async def message(self, client: Client, content: bytes) -> Response:
        """Queue a message and deliver it, as often and as late as the faults say."""
        number = next(self._numbers)
        times = 2 if self._world.behaves(Behaviour.DOUBLES) else 1
        if self._world.behaves(Behaviour.DROPS):
            times = 0
        delay = DELAY if self._world.behaves(Behaviour.DELAYS) else 0.0
        stamped = self._stamp(client, content)
        for rcpt_to in client.rcpt_to * times:
            self._post.later(self._after(delay, client.mail_from or "", rcpt_to, stamped))
        return say(
            250, f"2.6.0 <{number}@{self.name}> [InternalId={number}] Queued mail for delivery"
        )

    async def _after(self, delay: float, mail_from: str, rcpt_to: str, content: bytes) -> None:
        await asyncio.sleep(delay)
        with contextlib.suppress(ConnectionError):
            await self._deliver(mail_from, rcpt_to, content)


def changing_context(world: World, authority: Authority, clock: Clock) -> ssl.SSLContext:
    """Return the smart host's TLS context, which shows another certificate under some faults."""
    now = clock.now()
    good = server_context(
        authority.issue(SMART_HOST_NAME, not_before=now - _YEAR, not_after=now + _YEAR)
    )
    expired = server_context(
        authority.issue(
            SMART_HOST_NAME, not_before=now - 2 * _YEAR, not_after=now - timedelta(days=3)
        )
    )
    other = server_context(
        authority.issue("relay.fabrikam.com", not_before=now - _YEAR, not_after=now + _YEAR)
    )

    def choose(connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        del name, context
        if world.behaves(Behaviour.EXPIRED_CERTIFICATE):
            connection.context = expired
        elif world.behaves(Behaviour.WRONG_NAME):
            connection.context = other

    good.sni_callback = choose
    return good
