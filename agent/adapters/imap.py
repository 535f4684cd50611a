"""How is a mailbox looked into by IMAP (RFC 9051)?

One kept connection, one thread, and a deadline for everything: the client library blocks, trusts
the server with our memory, and has no deadline of its own. Where the server offers IDLE it tells
what has come; whoever waits looks again after a while all the same, because IDLE is known to fall
silent for hours behind firewalls and at Exchange Online.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal, TypeVar

from agent.adapters.clock import Clock
from agent.adapters.dialer import Dialer
from agent.adapters.imap_connection import Connection, connect
from agent.adapters.imap_login import ImapLogin
from agent.adapters.imap_trouble import FAULTS, Circumstances, translate
from agent.adapters.imap_wire import CommandError
from agent.adapters.mailbox import Letter, PickupError, Room, Trouble
from agent.adapters.plans import Resolves
from agent.adapters.trust import TrustStore

if TYPE_CHECKING:
    from agent.adapters.imap_session import Session

T = TypeVar("T")

_RENEW = timedelta(minutes=9)  # a NAT may forget a connection that was silent for longer
_FAREWELL = 0.5  # seconds for LOGOUT


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapPlace:
    """A mailbox of an IMAP server.

    ``tls`` is from the first octet, by STARTTLS, or not at all; the last only where the host is
    this machine, or ``allow_clear`` says that the operator wants it. ``login`` is called for each
    connection and may raise PickupError. ``folders`` are looked into besides Inbox, Junk, Sent and
    Deleted. ``renew`` is after what time IDLE is begun anew. Raises ValueError for a password that
    would go over the network in the clear.
    """

    host: str
    port: int = 993
    tls: Literal["implicit", "starttls", "never"] = "implicit"
    login: Callable[[], Awaitable[ImapLogin]] = field(repr=False)
    folders: tuple[str, ...] = ()
    allow_clear: bool = False
    renew: timedelta = _RENEW

    def __post_init__(self) -> None:
        if self.tls == "never" and not self.allow_clear and not _is_here(self.host):
            message = f"no login to {self.host} without TLS"
            raise ValueError(message)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class ImapMailbox:
    """A mailbox that is open; see :class:`agent.adapters.mailbox.Mailbox`."""

    def __init__(
        self,
        connection: Connection,
        session: "Session",
        about: Circumstances,
        *,
        timeout: timedelta,
        renew: timedelta = _RENEW,
    ) -> None:
        self._connection, self._session, self._about = connection, session, about
        self._timeout = timeout.total_seconds()
        self._renew = renew.total_seconds()

    async def look(self) -> tuple[Letter, ...]:
        """Return new letters: see the protocol. Raises PickupError."""
        return await self._do(self._session.look)

    async def wait(self, most: timedelta) -> None:
        """Return when something may have come. Raises PickupError."""
        clock = asyncio.get_running_loop().time
        until = clock() + most.total_seconds()
        if self._session.more:
            return
        if not await self._do(lambda: self._session.can_idle):
            await asyncio.sleep(max(0.0, until - clock()))
            return
        came = False
        while not came and (left := until - clock()) > 0:
            came = await self._idle(min(left, self._renew), renew=left > self._renew)

    async def _idle(self, seconds: float, *, renew: bool) -> bool:
        session = self._session
        await self._do(session.begin_idle)
        came = session.more or await self._do(lambda: session.idle(seconds), seconds)
        await self._do(lambda: session.end_idle(prove=renew and not came))
        return came

    async def remove(self, keys: Collection[str]) -> None:
        """Delete letters for good: see the protocol. Raises PickupError."""
        if keys:
            await self._do(lambda: self._session.remove(keys))

    async def room(self) -> Room:
        """Return how full the mailbox is. Raises PickupError."""
        return await self._do(self._session.room)

    async def _do(self, job: Callable[[], T], longer: float = 0.0) -> T:
        return await converse(self._connection, job, self._timeout + longer, self._about)

    async def close(self) -> None:
        """Log out where that is quick, and leave. Never raises."""
        wire = self._session.wire
        if not self._connection.thread.is_cut:
            with suppress(PickupError):
                await converse(self._connection, wire.leave, _FAREWELL, self._about)
        await self._connection.close()
        wire.shutdown()


async def converse(
    connection: Connection, job: Callable[[], T], seconds: float, about: Circumstances
) -> T:
    """Do *job* in the connection's thread. Raises PickupError, after which it is of no use."""
    try:
        return await connection.thread.run(job, seconds)
    except (PickupError, CommandError, *FAULTS) as error:
        connection.thread.cut()
        raise translate(error, about) from None


async def open_imap(  # noqa: PLR0913 - the place, and the world it is in
    place: ImapPlace,
    *,
    resolver: Resolves,
    dialer: Dialer,
    trust: TrustStore,
    clock: Clock,
    timeout: timedelta,  # noqa: ASYNC109 - it is kept for all methods
) -> ImapMailbox:
    """Connect, log in and find the folders, all within *timeout*; so long may each method take too.

    Raises PickupError.
    """
    until = clock.monotonic() + timeout.total_seconds()

    def left() -> float:
        return max(0.001, until - clock.monotonic())

    plug = await connect(place.host, place.port, resolver=resolver, dialer=dialer, seconds=left())
    connection = Connection(plug)
    mailbox = None
    try:
        mailbox = await _enter(place, connection, trust, clock, left, timeout)
        return mailbox
    finally:
        if mailbox is None:
            await connection.close()


async def _enter(  # noqa: PLR0913, PLR0917 - as above
    place: ImapPlace,
    connection: Connection,
    trust: TrustStore,
    clock: Clock,
    left: Callable[[], float],
    per_method: timedelta,
) -> ImapMailbox:
    """Greet, do TLS, log in and find the folders."""

    def begin() -> "Session":
        # In the thread: it is imported only by those who need it, and takes a while.
        from agent.adapters.imap_session import Plug, Session

        tls = None if place.tls == "never" else trust.verifying
        plug = Plug(connection.plug, tls, place.tls == "implicit", place.host)
        return Session(plug, place.folders, clock)

    session = await converse(connection, begin, left(), Circumstances(place.host))
    with ExitStack() as closing:
        closing.callback(session.wire.shutdown)
        closing.callback(connection.thread.cut)
        try:
            async with asyncio.timeout(left()):
                login = await place.login()
        except TimeoutError:
            raise PickupError(Trouble.TOKEN, "nothing to log in with was had in time") from None
        about = Circumstances(place.host, login)
        await converse(connection, lambda: session.log_in(login), left(), about)
        closing.pop_all()
    return ImapMailbox(connection, session, about, timeout=per_method, renew=place.renew)
