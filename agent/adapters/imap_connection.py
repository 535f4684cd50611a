"""How is an IMAP server connected to, and who ends a conversation that hangs?

The connection is made on the event loop, to an address that our own resolver gave and that is
checked as everywhere. From then on it belongs to one thread, because the client library blocks. The
loop keeps the time: when a deadline has passed it shuts the socket down, and the thread comes back
with an error whatever the server does.
"""

import asyncio
import socket
from contextlib import ExitStack, suppress

from agent.adapters.dialer import Address, Dialer, is_allowed, reason_of
from agent.adapters.mailbox import PickupError, Trouble
from agent.adapters.one_thread import OneThread
from agent.adapters.plans import Resolves, drive
from agent.adapters.smtp import reach_of
from agent.domain.host import locate


class Connection:
    """A connected socket and the one thread in which it is used; see :class:`OneThread`."""

    def __init__(self, plug: socket.socket) -> None:
        self.plug = plug
        # TLS takes the socket's descriptor away; by this one it can still be shut down.
        self._handle = plug.dup()
        self.thread = OneThread("imap", self._shut_down)

    def _shut_down(self) -> None:
        with suppress(OSError):
            self._handle.shutdown(socket.SHUT_RDWR)

    async def close(self) -> None:
        """End everything. Never raises."""
        await self.thread.close()
        self.plug.close()
        self._handle.close()


async def connect(
    host: str, port: int, *, resolver: Resolves, dialer: Dialer, seconds: float
) -> socket.socket:
    """Connect to one of the addresses of *host*. Raises PickupError after *seconds* at the latest.

    Each address gets its share of what is left of the time, so that one that swallows everything
    leaves some to the next.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    try:
        async with asyncio.timeout(seconds):
            located = await drive(locate(host), resolver)
    except TimeoutError:
        raise PickupError(Trouble.UNRESOLVED, f"{host}: DNS did not answer in time") from None
    if located.reason is not None:
        raise PickupError(Trouble.UNRESOLVED, located.detail or located.reason.value)
    why = ""
    for number, address in enumerate(located.addresses):
        share = (until - loop.time()) / (len(located.addresses) - number)
        made = await _try(host, address, port, dialer=dialer, seconds=max(share, 0.001))
        if isinstance(made, socket.socket):
            return made
        why = f"{address}, port {port}: {made}"
    raise PickupError(Trouble.UNREACHED, why)


async def _try(
    host: str, address: Address, port: int, *, dialer: Dialer, seconds: float
) -> socket.socket | str:
    """Return a connected socket, or in words why there is none."""
    place = dialer.detour(str(address), port)
    if place is None or not is_allowed(address, reach_of(host)):
        return "forbidden-address"
    family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
    with ExitStack() as closing:
        try:
            plug = closing.enter_context(socket.socket(family, socket.SOCK_STREAM))
            plug.settimeout(0)
            async with asyncio.timeout(seconds):
                # An address as host: nothing is looked up.
                await asyncio.get_running_loop().sock_connect(plug, place)
        except TimeoutError:
            return "timeout"
        except OSError as error:
            return reason_of(error).value
        plug.settimeout(None)
        closing.pop_all()
        return plug
