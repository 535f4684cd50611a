"""Which mail servers does the lab's world have, besides Exchange Online?

A smart host in the data centre that takes mail for its own domains and hands it on, and a
third-party filter. They obey the faults that are switched on.
"""

import asyncio
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
from agent.domain.smtp import Dialogue, Errand, Tls
from agent.lab.faults import Behaviour, World
from agent.lab.world import FILTERS, OUTBOUND, OUTBOUND_NAME, SMART_HOST

SMART_HOST_NAME = "mail.contoso.com"
OWN_DOMAINS = ("contoso.com", "monitor.contoso.com")
MONITORED = "monitor.contoso.com"
FILTERED = "fabrikam.com"
AGENT = "192.31.196.200"  # what the agent's address is in the world
ADDRESSES = {
    SMART_HOST_NAME: SMART_HOST,
    OUTBOUND_NAME: OUTBOUND,
    **{f"mx{number}.filter.example": each for number, each in enumerate(FILTERS, 1)},
}
_LOOPBACK = IPv4Address("127.0.0.1")
_PATIENCE = timedelta(seconds=20)
_YEAR = timedelta(days=365)
OLDEST = 2 * _YEAR  # the age of the certificate that has expired

Deliver = Callable[[str, str, bytes], Awaitable[None]]


class Post:
    """Hands messages on in the background, and lets go of them when the lab ends."""

    def __init__(self, clock: Clock, tls: TlsClient) -> None:
        self._clock = clock
        self._tls = tls
        self._dialer = Dialer(clock=clock, per_host=20)
        self._tasks: set[asyncio.Task[None]] = set()

    def send(  # noqa: PLR0913 - an envelope, and where it goes
        self,
        port: int,
        helo: str,
        mail_from: str,
        rcpt_to: str,
        content: bytes,
        *,
        tls: TlsClient | None = None,
        wait: float = 0.0,
    ) -> None:
        """Hand a message to the server at *port* of loopback, once, after *wait* seconds.

        *tls* shows a certificate where the server asks for one.
        """
        errand = Errand(helo, Tls.IF_OFFERED, mail_from, (rcpt_to,), content)
        self.later(self._send(port, errand, tls, wait))

    async def _send(self, port: int, errand: Errand, tls: TlsClient | None, wait: float) -> None:
        await asyncio.sleep(wait)
        await self.hand_over(port, errand, tls=tls)

    async def hand_over(
        self, port: int, errand: Errand, *, tls: TlsClient | None = None
    ) -> Dialogue:
        """Carry out an errand at the server at *port* of loopback, once, and say how it ended."""
        target = Target(address=_LOOPBACK, port=port, tls=tls or self._tls, reach="any")
        session = await hold(
            target, errand, dialer=self._dialer, clock=self._clock, deadline=_PATIENCE
        )
        return session.dialogue

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


class Host(Policy):
    """What both servers have in common: they stamp and hand on what they accept."""

    def __init__(self, world: World, clock: Clock) -> None:
        self.world = world
        self.clock = clock
        self.numbers = itertools.count(1)

    def stamp(self, client: Client, content: bytes) -> bytes:
        """Return *content* behind a Received field (RFC 5321 section 4.4).

        All clients come from loopback; written down is the address that they have in the world.
        """
        address = ADDRESSES.get(client.helo, AGENT)
        protocol = "ESMTPS" if client.tls else "ESMTP"
        secured = f" (version={client.tls})" if client.tls else ""
        lines = (
            f"Received: from {client.helo} ({client.helo} [{address}])",
            f" by {self.name} with {protocol}{secured} id {next(self.numbers)};",
            f" {format_datetime(self.clock.now())}",
        )
        return "\r\n".join(lines).encode() + b"\r\n" + content


class SmartHost(Host):
    """The relay in Contoso's data centre."""

    name = SMART_HOST_NAME

    def __init__(self, world: World, clock: Clock, hand_on: Deliver) -> None:
        super().__init__(world, clock)
        self._hand_on = hand_on

    async def greet(self, client: Client) -> Response:
        """Greet, unless the fault is that nobody does."""
        if self.world.behaves(Behaviour.STALLS):
            await asyncio.sleep(_YEAR.total_seconds())  # until the session's deadline
        return await super().greet(client)

    async def hello(self, client: Client, extensions: tuple[str, ...]) -> Response:
        """Answer EHLO, and keep quiet about STARTTLS where that is the fault."""
        if self.world.behaves(Behaviour.NO_STARTTLS):
            extensions = tuple(each for each in extensions if each != "STARTTLS")
        return await super().hello(client, extensions)

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        """Take recipients of its own domains only."""
        del client
        if rcpt_to.rpartition("@")[2].lower() not in OWN_DOMAINS:
            return say(554, "5.7.1 Relay access denied")
        if self.world.behaves(Behaviour.REFUSES_RECIPIENT):
            return say(550, "5.1.1 Recipient address rejected: User unknown")
        if self.world.behaves(Behaviour.GREYLISTS):
            return say(451, "4.7.1 Greylisted, please try again later")
        return say(250, "2.1.5 Ok")

    async def message(self, client: Client, content: bytes) -> Response:
        """Queue a message, and hand it on where it is for the monitored domain."""
        stamped = self.stamp(client, content)
        for rcpt_to in client.rcpt_to:
            if rcpt_to.lower().endswith("@" + MONITORED):
                await self._hand_on(client.mail_from or "", rcpt_to, stamped)
        return say(250, f"2.0.0 Ok: queued as {next(self.numbers):06X}")


class Filter(Host):
    """A host of the third-party filter, which takes Fabrikam's mail and hands it on."""

    def __init__(self, world: World, clock: Clock, name: str, hand_on: Deliver) -> None:
        super().__init__(world, clock)
        self.name = name
        self._hand_on = hand_on

    async def hello(self, client: Client, extensions: tuple[str, ...]) -> Response:
        """Answer EHLO, and keep quiet about STARTTLS where that is the fault."""
        if self.world.behaves(Behaviour.FILTER_IN_THE_CLEAR):
            extensions = tuple(each for each in extensions if each != "STARTTLS")
        return await super().hello(client, extensions)

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        """Take recipients of the filtered domain only."""
        del client
        if rcpt_to.rpartition("@")[2].lower() != FILTERED:
            return say(550, "5.7.1 Relaying denied")
        return say(250, "2.1.5 Ok")

    async def message(self, client: Client, content: bytes) -> Response:
        """Take a message, look at it for a while, and hand it on to Exchange Online."""
        if self.world.behaves(Behaviour.SKIPS_FILTER):
            stamped = content  # somebody else had it, and left no trace of the filter
        else:
            stamped = self.stamp(client, content)
        for rcpt_to in client.rcpt_to:
            await self._hand_on(client.mail_from or "", rcpt_to, stamped)
        return say(250, f"2.0.0 Ok: {next(self.numbers)} queued for delivery")


def changing_context(world: World, authority: Authority, clock: Clock) -> ssl.SSLContext:
    """Return the smart host's TLS context, which shows another certificate under some faults."""
    now = clock.now()
    good = server_context(
        authority.issue(SMART_HOST_NAME, not_before=now - _YEAR, not_after=now + _YEAR)
    )
    expired = server_context(
        authority.issue(SMART_HOST_NAME, not_before=now - OLDEST, not_after=now - timedelta(days=3))
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
