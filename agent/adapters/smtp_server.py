"""How does a server of ours take mail from clients that may mean harm?

The engine of the agent's sink and of the lab's servers. It keeps to the form: strict ends of lines
and messages, bounded sizes and numbers, one deadline for a whole session. A policy decides what
is said to a client; without one every recipient is refused, so that nothing here can relay.
"""

import asyncio
import ssl
from dataclasses import dataclass

from agent.adapters.smtp_policy import HANG_UP, Client, Limits, Policy, Response, say
from agent.adapters.smtp_visit import Visit
from agent.adapters.smtp_wire import Gone, Wire

__all__ = ["HANG_UP", "Client", "Limits", "Policy", "Response", "SmtpServer", "say"]

_BUSY = say(421, "4.3.2 too many connections").encode()
_TIME_IS_UP = say(421, "4.4.2 time is up").encode()
_BACKLOG = 512


@dataclass(slots=True)
class ServerStats:
    """Sessions since the start; the others are limits that held.

    ``parted`` are those who were idle while somebody else wanted in.
    """

    sessions: int = 0
    timed_out: int = 0
    turned_away: int = 0
    parted: int = 0


class SmtpServer:
    """A listening server; *context* is what STARTTLS is offered with."""

    def __init__(
        self,
        policy: Policy,
        *,
        limits: Limits | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.stats = ServerStats()
        self._policy = policy
        self._limits = limits or Limits()
        self._context = context
        self._server: asyncio.Server | None = None
        self._visits: dict[asyncio.Task[None], Visit] = {}
        self._parting: set[asyncio.Task[None]] = set()
        self._wires: set[Wire] = set()
        self._is_closed = True

    async def start(self, host: str, port: int) -> None:
        """Listen on an address. Raises OSError where that cannot be."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Wire(self._welcome, self._wires.discard), host, port, backlog=_BACKLOG
        )
        self._is_closed = False

    def secure(self, context: ssl.SSLContext) -> None:
        """Offer STARTTLS with *context* from the next session on."""
        self._context = context

    @property
    def port(self) -> int:
        """The port that the server listens on, chosen by the system where it was given as 0."""
        if self._server is None:
            return 0
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Stop listening, end every session, and return when all connections are over."""
        self._is_closed = True
        if self._server is not None:
            self._server.close()
            self._server = None
        for visit in self._visits:
            visit.cancel()
        await asyncio.gather(*self._visits, return_exceptions=True)
        # Who was turned away had no visit; one that was cancelled may not have begun, or was just
        # waiting for the client's end of TLS.
        for wire in self._wires:
            wire.abort()
        await asyncio.gather(*(wire.finish() for wire in self._wires))

    def _welcome(self, wire: Wire) -> None:
        """Start a visit, or turn the client away where there are too many."""
        self._wires.add(wire)
        if self._is_closed:  # accepted at the last moment
            wire.abort()
            return
        if len(self._visits) - len(self._parting) >= self._limits.connections and not self._part():
            self.stats.turned_away += 1
            wire.refuse(_BUSY)
            return
        self.stats.sessions += 1
        visit = Visit(wire, self._policy, self._limits, self._context)
        task = asyncio.get_running_loop().create_task(self._serve(wire, visit))
        self._visits[task] = visit
        task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        del self._visits[task]
        self._parting.discard(task)

    def _part(self) -> bool:
        """Part with the one who has been idle longest; return whether there was one.

        Strangers who say nothing would else keep out who brings mail until their time is up.
        """
        latest = asyncio.get_running_loop().time() - self._limits.idle.total_seconds()
        idle = {
            task: visit.idle_since
            for task, visit in self._visits.items()
            if visit.idle_since is not None and task not in self._parting
        }
        longest = min(idle, key=lambda task: idle[task], default=None)
        if longest is None or idle[longest] > latest:
            return False
        self.stats.parted += 1
        self._parting.add(longest)
        self._visits[longest].refuse(_BUSY)
        longest.cancel()
        return True

    async def _serve(self, wire: Wire, visit: Visit) -> None:
        try:
            async with asyncio.timeout(self._limits.deadline.total_seconds()):
                await visit.run()
        except Gone:
            wire.abort()
        except TimeoutError:
            self.stats.timed_out += 1
            wire.refuse(_TIME_IS_UP)
        except asyncio.CancelledError:
            if self._is_closed:  # who was parted with may still read why
                wire.abort()
            raise
        finally:
            await wire.finish()
