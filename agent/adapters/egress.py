"""May this machine connect to port 25 of the internet at all?

Many clouds, home lines and company firewalls swallow it. From there every mail server of the world
times out, refuses, or is answered for by a device in between, and none of them is at fault. So
before a server is blamed that does not greet, somebody must have greeted us at that port: any
server in the last minutes, or else one of a few that are always there.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from agent.adapters.clock import Clock
from agent.adapters.dialer import Dialer
from agent.adapters.line import Line
from agent.adapters.plans import Resolves, drive
from agent.adapters.uplink import Uplink
from agent.domain.host import locate

Control = tuple[str, int]  # a host and a port

# Front doors of two mail systems that the world delivers to all the time.
CONTROLS: Sequence[Control] = (
    ("outlook-com.olc.protection.outlook.com", 25),
    ("gmail-smtp-in.l.google.com", 25),
)

_LATELY = timedelta(minutes=15)
_PATIENCE = timedelta(seconds=2)  # for all controls together: the caller's deadline is near
_AGAIN = timedelta(minutes=1)  # after which controls that failed are tried once more


class Egress:
    """Whether connections to a port of the internet get through; none does without *uplink*."""

    def __init__(
        self,
        controls: Sequence[Control],
        *,
        resolver: Resolves,
        dialer: Dialer,
        clock: Clock,
        uplink: Uplink | None = None,
    ) -> None:
        self.uplink = uplink
        self._controls = tuple(controls)
        self._resolver, self._dialer, self._clock = resolver, dialer, clock
        self._lock = asyncio.Lock()
        self._failed: dict[int, float] = {}

    def replace(self, controls: Sequence[Control]) -> None:
        """Try these from now on."""
        self._controls, self._failed = tuple(controls), {}

    async def is_cut_off(self, seconds: float) -> bool:
        """Tell whether nothing at all could be connected to at a time in the last *seconds*."""
        return self.uplink is not None and await self.uplink.was_down(seconds)

    async def is_proven(self, port: int, seconds: float = 0.0) -> bool:
        """Tell whether somebody greeted us at *port* lately, asking the controls if need be.

        *seconds* is for how long somebody has waited in vain, who would know whom to blame.
        """
        if await self.is_cut_off(seconds):
            return False  # whoever greeted us did so before
        async with self._lock:
            if self._dialer.was_greeted(port, _LATELY):
                return True
            now, failed = self._clock.monotonic(), self._failed.get(port)
            if failed is not None and now - failed < _AGAIN.total_seconds():
                return False
            wanted = [host for host, at in self._controls if at == port]
            tries = [asyncio.create_task(self._try(host, port)) for host in wanted]
            try:
                if await _any(tries):
                    return True
            finally:
                for task in tries:
                    task.cancel()
                await asyncio.gather(*tries, return_exceptions=True)
            self._failed[port] = self._clock.monotonic()
            return False

    async def _try(self, host: str, port: int) -> bool:
        located = await drive(locate(host), self._resolver)
        for address in located.addresses:
            async with self._dialer.connect(address, port, reach="public") as line:
                if isinstance(line, Line) and (await line.receive()).startswith(b"220"):
                    self._dialer.note_greeting(address, port)
                    return True
        return False


async def _any(tries: Sequence["asyncio.Task[bool]"]) -> bool:
    """Tell whether one of *tries* succeeds in time."""
    try:
        async with asyncio.timeout(_PATIENCE.total_seconds()):
            for done in asyncio.as_completed(tries):
                if await done:
                    return True
    except TimeoutError:
        pass
    return False
