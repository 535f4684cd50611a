"""Does any connection leave this machine, or is it we who are cut off?

When a firewall, a line or a router fails, every server of the world is silent at the same moment,
and none of them is at fault. As long as connections open and last nobody asks; after one that did
not, a few hosts that are always there are connected to, without a word. One that opens is enough.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from agent.adapters.clock import Clock
from agent.adapters.dialer import Dialer
from agent.adapters.line import Line
from agent.adapters.plans import Resolves, drive
from agent.domain.host import locate
from agent.domain.smtp import Reason

Control = tuple[str, int]  # a host and a port

# Two operators; both are reached by whoever reaches anything. Port 25 has controls of its own.
UPLINK_CONTROLS: Sequence[Control] = (
    ("login.microsoftonline.com", 443),
    ("www.google.com", 443),
)

_PATIENCE = timedelta(seconds=2)  # for all controls together
_RECENTLY = 10.0  # seconds for which it is believed to be down without asking again


class Uplink:
    """Whether the internet can be connected to, as far as the *controls* show it.

    Without controls, or where none of them has an address that may be connected to, nothing is
    known and the uplink counts as up: that names do not resolve is the resolver's matter.
    """

    def __init__(
        self, controls: Sequence[Control], *, resolver: Resolves, dialer: Dialer, clock: Clock
    ) -> None:
        self._controls = tuple(controls)
        self._resolver, self._dialer, self._clock = resolver, dialer, clock
        self._lock = asyncio.Lock()
        self._asked_at = float("-inf")  # monotonic seconds
        self._down_at = float("-inf")  # when it was last found down
        self._was_up = True

    @property
    def controls(self) -> tuple[str, ...]:
        """The hosts that are tried, as people write them."""
        return tuple(f"{host}:{port}" for host, port in self._controls)

    async def is_up(self) -> bool:
        """Tell whether connections open, asking the controls if the last one did not."""
        came = self._clock.monotonic()
        async with self._lock:
            if not self._dialer.is_in_doubt:
                return True
            if self._asked_at < came:  # else somebody has asked while we waited for the lock
                self._was_up = await self._ask()
                self._asked_at = self._clock.monotonic()
                self._down_at = self._down_at if self._was_up else self._asked_at
            return self._was_up

    async def was_down(self, seconds: float = 0.0) -> bool:
        """Tell whether it is down, or was within the last *seconds*, or a few more.

        Asked by whoever has waited for an answer for so long, or lost a connection: that may have
        been the reason, and is one to look.
        """
        self._dialer.is_in_doubt = True
        if self._clock.monotonic() - self._down_at <= _RECENTLY + seconds:
            return True
        return not await self.is_up()

    async def _ask(self) -> bool:
        tries = [asyncio.create_task(self._try(host, port)) for host, port in self._controls]
        if not tries:
            return True
        try:
            done, late = await asyncio.wait(tries, timeout=_PATIENCE.total_seconds())
        finally:
            for task in tries:
                task.cancel()
            await asyncio.gather(*tries, return_exceptions=True)
        told = [task.result() for task in done]
        # Looking up a name is bounded by less than that: what is late was connecting.
        return True in told or not (late or False in told)

    async def _try(self, host: str, port: int) -> bool | None:
        """Tell whether a control can be connected to; None where nothing can be told by it."""
        try:
            async with asyncio.timeout(_PATIENCE.total_seconds() / 2):
                located = await drive(locate(host), self._resolver)
        except TimeoutError:
            return None
        reached = None
        for address in located.addresses:
            async with self._dialer.connect(address, port, reach="public") as line:
                if isinstance(line, Line):
                    return True
                if line not in (Reason.FORBIDDEN_ADDRESS, Reason.EXHAUSTED, Reason.BUSY):
                    reached = False
        return reached
