"""At which addresses does the HTTP client find a service?

By our own resolver, and only where we connect to: the client library resolves nothing itself.
"""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from agent.adapters.dialer import Dialer, Reach, is_allowed
from agent.adapters.plans import Resolves, drive
from agent.domain.host import locate
from agent.domain.smtp import Reason


class UnresolvedError(OSError):
    """A name leads nowhere that we go; without a reason, its addresses are not connected to."""

    def __init__(self, message: str, reason: Reason | None) -> None:
        super().__init__(message)
        self.reason = reason


class Names(AbstractResolver):
    """Resolves by our own resolver, for the client library."""

    def __init__(self, resolver: Resolves, dialer: Dialer, reach: Reach) -> None:
        self._resolver, self._dialer, self._reach = resolver, dialer, reach

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of *host* that may be connected to; raises OSError without any."""
        del family
        located = await drive(locate(host), self._resolver)
        places = [
            place
            for address in located.addresses
            if is_allowed(address, self._reach)
            and (place := self._dialer.detour(str(address), port)) is not None
        ]
        if not places:
            message = located.detail or f"{host} has no address that is connected to"
            raise UnresolvedError(message, located.reason)
        return [_result(host, *place) for place in places]

    async def close(self) -> None:
        """Nothing is to be closed."""


def _result(name: str, host: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return ResolveResult(
        hostname=name, host=host, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
    )
