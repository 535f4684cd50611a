"""How is a small file fetched from a stranger's web server? The only user of aiohttp's client.

The address is checked and then connected to, as everywhere: a policy host must not lead into our
own network. No redirect is followed, no more is read than was agreed on, and the certificate is
verified against the same roots as all others.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from agent.adapters.dialer import Dialer, is_allowed, reason_of
from agent.adapters.plans import Resolves, drive
from agent.adapters.trust import TrustStore
from agent.domain.host import locate
from agent.domain.peer_text import PeerText
from agent.domain.smtp import Reason

PORT = 443
_OK = 200
_LATELY = timedelta(days=1)
_SHOWN = 120  # characters of where a redirect leads


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file, or in ``trouble`` why there is none. ``is_ours``: the cause may be on this side.

    Of a text under a wrong name (a page, say) there is both.
    """

    body: bytes = b""
    trouble: str = ""
    is_ours: bool = False


class _UnresolvedError(OSError):
    """A name leads nowhere that we go."""


class _Names(AbstractResolver):
    """Resolves by our own resolver, for the client library."""

    def __init__(
        self, resolver: Resolves, detour: Callable[[str, int], tuple[str, int] | None]
    ) -> None:
        self._resolver, self._detour = resolver, detour

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of *host* that may be connected to; raises OSError without any."""
        del family
        located = await drive(locate(host), self._resolver)
        found = []
        for address in located.addresses:
            place = self._detour(str(address), port)
            if place is None or not is_allowed(address, "public"):
                continue
            found.append(
                ResolveResult(
                    hostname=host,
                    host=place[0],
                    port=place[1],
                    family=socket.AF_INET6 if ":" in place[0] else socket.AF_INET,
                    proto=0,
                    flags=socket.AI_NUMERICHOST,
                )
            )
        if not found:
            message = located.detail or f"{host} has no address that is connected to"
            raise _UnresolvedError(message)
        return found

    async def close(self) -> None:
        """Nothing is to be closed."""


class Https:
    """Fetches files over HTTPS."""

    def __init__(self, *, resolver: Resolves, dialer: Dialer, trust: TrustStore) -> None:
        self._names = _Names(resolver, dialer.detour)
        self._dialer, self._trust = dialer, trust

    async def fetch(self, url: str, *, most: int, within: timedelta) -> Fetched:
        """Fetch *url*, at most so many octets of text, without following anywhere."""
        timeout = aiohttp.ClientTimeout(total=within.total_seconds())
        connector = aiohttp.TCPConnector(
            resolver=self._names, ssl=self._trust.verifying, use_dns_cache=False
        )
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector, timeout=timeout, trust_env=False, auto_decompress=False
                ) as session,
                session.get(url, allow_redirects=False) as response,
            ):
                return await _read(response, most)
        except TimeoutError:
            return Fetched(trouble="no answer in time", is_ours=True)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return self._failed(error)

    def _failed(self, error: Exception) -> Fetched:
        """Say what went wrong, and on whose side."""
        match error:
            case aiohttp.ClientConnectorCertificateError():
                return Fetched(trouble=f"certificate: {PeerText(str(error.certificate_error))}")
            case aiohttp.ClientConnectorDNSError():
                return Fetched(trouble=str(PeerText(str(error.os_error))), is_ours=True)
            case aiohttp.ClientConnectorSSLError():
                return Fetched(trouble=f"TLS: {PeerText(str(error.os_error))}")
            case aiohttp.ClientConnectorError():
                return self._unreached(reason_of(error.os_error))
        return Fetched(trouble=f"{type(error).__name__}: {PeerText(str(error))}")

    def _unreached(self, reason: Reason) -> Fetched:
        """Say why there is no connection; a firewall on this side refuses as a server does."""
        is_ours = reason is not Reason.REFUSED or not self._dialer.was_greeted(PORT, _LATELY)
        detail = ", and nobody was reached at that port from here lately" if is_ours else ""
        return Fetched(trouble=f"no connection: {reason}{detail}", is_ours=is_ours)


async def _read(response: aiohttp.ClientResponse, most: int) -> Fetched:
    if response.status != _OK:
        where = PeerText(response.headers.get("Location", ""), _SHOWN)
        leads = f", which leads to {where} and is not followed" if where else ""
        return Fetched(trouble=f"status {response.status}{leads}")
    trouble = ""
    if response.content_type != "text/plain":
        trouble = f"it is {PeerText(response.content_type)}, not text/plain"
    if response.headers.get("Content-Encoding", "identity") != "identity":
        return Fetched(trouble="it is compressed")
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most:
            return Fetched(trouble=f"it has more than {most} octets")
    return Fetched(bytes(body), trouble)
