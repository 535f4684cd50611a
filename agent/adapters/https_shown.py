"""Which certificate does a web server show, whatever may be wrong with it?

The client that fetches a file stops at the first fault of a certificate and says little. This one
makes a handshake that judges nothing and says nothing over it, so that all faults are told at once.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from agent.adapters.clock import Clock
from agent.adapters.dialer import Address, Dialer
from agent.adapters.https import PORT
from agent.adapters.line import Line
from agent.adapters.plans import Resolves, drive
from agent.adapters.tls import TlsError
from agent.adapters.trust import TrustStore
from agent.domain.host import locate
from agent.domain.tls import Presented, Trust

_MOST_ADDRESSES = 4  # of a host, that are tried one after the other


@dataclass(frozen=True, slots=True)
class WebGlance:
    """Looks at what web servers show."""

    dialer: Dialer
    trust: TrustStore
    clock: Clock

    async def at(
        self, host: str, addresses: Iterable[Address], within: timedelta
    ) -> Presented | None:
        """Return what the first of *addresses* that can be reached shows; None where none does."""
        try:
            async with asyncio.timeout(within.total_seconds()):
                for address in tuple(addresses)[:_MOST_ADDRESSES]:
                    async with self.dialer.connect(address, PORT, reach="public") as line:
                        if isinstance(line, Line):
                            return await self._look(line, host, address)
        except (TimeoutError, TlsError):
            pass
        return None

    async def who_stands_between(
        self, shown: Presented, controls: Iterable[str], resolver: Resolves, within: timedelta
    ) -> str:
        """Return the control that shows a certificate of the same strange authority; empty if none.

        *controls* are hosts that are always there and show certificates that everybody trusts. Who
        signs for them and is trusted by nobody stands between them and us, as a proxy does that
        looks into connections; what *shown* came from is then not to blame.
        """
        if shown.trust is Trust.TRUSTED:
            return ""
        for host in controls:
            try:
                async with asyncio.timeout(within.total_seconds()):
                    located = await drive(locate(host), resolver)
            except TimeoutError:
                continue
            seen = await self.at(host, located.addresses, within)
            if seen is None or seen.trust is Trust.TRUSTED:
                continue
            if seen.leaf.issuer == shown.leaf.issuer:
                return host
        return ""

    async def _look(self, line: Line, host: str, address: Address) -> Presented | None:
        secured = await line.secure(self.trust.client(verify=False), host)
        self.dialer.note_greeting(address, PORT)
        return self.trust.present(secured.chain, self.clock.now(), secured.staple)
