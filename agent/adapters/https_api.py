"""How does the agent talk to a service that answers in JSON, and what may go wrong on the way?

One client for Microsoft Graph and for the identity provider, in the manner of
:mod:`agent.adapters.https`: names are resolved by our own resolver, addresses are checked and then
connected to, certificates are verified against the same roots as all others, no redirect is
followed and no more is read than was agreed on. Connections are kept for a while. Nothing is
logged, because requests carry secrets and replies carry tokens.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from types import SimpleNamespace
from urllib.parse import urlsplit

import aiohttp

from agent.adapters.dialer import Dialer, Reach
from agent.adapters.https_names import Names, UnresolvedError
from agent.adapters.plans import Resolves
from agent.adapters.trust import TrustStore
from agent.domain.peer_text import PeerText
from agent.domain.smtp import Reason

MAX_BODY = 8 * 1024 * 1024  # octets of one reply
WITHIN = timedelta(seconds=30)  # from the name to the last octet of the reply
_KEPT = 15.0  # seconds that an idle connection is kept, less than services keep theirs
_MAX_CONNECTIONS = 8
_MAX_HEADER = 1000  # characters of a header that is kept
_HEADERS = (
    "content-type",
    "date",
    "location",
    "request-id",  # Graph's name of one request, which its support asks for
    "retry-after",
    "www-authenticate",
)


class Cause(enum.StrEnum):
    """Why there is no reply: a closed set, fit for a label value."""

    UNRESOLVED = "unresolved"
    DNS_UNANSWERED = "dns-unanswered"
    FORBIDDEN = "forbidden"  # an address that is not connected to, or plain HTTP
    UNREACHED = "unreached"
    TLS = "tls"
    TIMEOUT = "timeout"
    LOST = "lost"
    PROTOCOL = "protocol"
    TOO_MUCH = "too-much"

    @property
    def is_ours(self) -> bool:
        """True where the cause may be on this side, so that nothing is known about the service."""
        return self in (Cause.DNS_UNANSWERED, Cause.FORBIDDEN)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the service answered. ``headers`` are the few that are kept, by names in lower case.

    ``is_cut`` tells that there was more, which was not read.
    """

    status: int
    headers: Mapping[str, PeerText] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """There is no reply. ``was_sent`` tells that the service may have got the request."""

    cause: Cause
    detail: PeerText
    was_sent: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. ``most`` bounds the reply in octets: what is beyond is an error, or is cut.

    ``is_alone`` asks for a connection of its own: one that was kept may be dead, and then nobody
    knows whether the request was received.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    most: int = MAX_BODY
    cut: bool = False
    within: timedelta = WITHIN
    is_alone: bool = False


_LOST = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, OSError)
_UNRESOLVED = {Reason.DNS_UNANSWERED: Cause.DNS_UNANSWERED, None: Cause.FORBIDDEN}


class Api:
    """Sends requests to services and reads their replies.

    ``reach`` is which addresses a name may lead to: ``public``, unless the operator named the
    service. Plain HTTP goes to this machine only; with ``is_platform`` also to the link-local
    addresses at which a cloud's machines find their identity (RFC 3927).
    """

    def __init__(
        self,
        *,
        resolver: Resolves,
        dialer: Dialer,
        trust: TrustStore,
        reach: Reach = "public",
        is_platform: bool = False,
    ) -> None:
        self._names = Names(resolver, dialer, reach)
        self._dialer, self._trust = dialer, trust
        self._is_platform = is_platform
        self._kept: aiohttp.ClientSession | None = None
        self._is_closed = False

    async def request(self, request: Request) -> Reply | Failure:
        """Send a request and return the reply, whatever its status. Never raises."""
        if trouble := self._forbidden(request.url):
            return Failure(Cause.FORBIDDEN, PeerText(trouble))
        if request.is_alone or self._is_closed:
            # A thread that asks for a token does not end at once: nothing is kept for it any more.
            async with self._session(force_close=True) as session:
                return await self._exchange(session, request)
        if self._kept is None:
            self._kept = self._session(force_close=False)
        return await self._exchange(self._kept, request)

    async def close(self) -> None:
        """Close the connections that are kept. Never raises."""
        kept, self._kept, self._is_closed = self._kept, None, True
        if kept is not None:
            await kept.close()

    def _session(self, *, force_close: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=self._names,
            ssl=self._trust.verifying,
            use_dns_cache=False,
            limit=_MAX_CONNECTIONS,
            force_close=force_close,
            # The library takes no time for connections that are not kept.
            keepalive_timeout=None if force_close else _KEPT,
        )
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_note_sent)
        if force_close:
            trace.on_connection_create_start.append(_refuse_second)
        return aiohttp.ClientSession(
            connector=connector,
            trust_env=False,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[trace],
            headers={"Accept-Encoding": "identity", "User-Agent": "mailflow-agent"},
        )

    async def _exchange(self, session: aiohttp.ClientSession, request: Request) -> Reply | Failure:
        sent = SimpleNamespace(is_sent=False)
        asking = session.request(
            request.method,
            request.url,
            data=request.body,
            headers=request.headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=request.within.total_seconds()),
            trace_request_ctx=sent,
        )
        failure = await _guarded(asking, request)
        if isinstance(failure, Failure):
            return Failure(failure.cause, failure.detail, was_sent=sent.is_sent)
        return failure

    def _forbidden(self, url: str) -> str:
        """Return why nothing is sent to *url*; empty where something is."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return "it is no address of a service"
        if parts.username is not None or parts.scheme not in ("http", "https") or not host:
            return "it is no address of a service"
        address = _address(host)
        if parts.scheme == "http" and not self._is_near(address):
            return f"{host} is not asked without TLS"
        # The library does not resolve addresses, so nobody else looks at them.
        if address is not None:
            at = port or (443 if parts.scheme == "https" else 80)
            if self._dialer.detour(str(address), at) is None:
                return f"{host} is not connected to"
        return ""

    def _is_near(self, address: IPv4Address | IPv6Address | None) -> bool:
        if address is None:
            return False
        return address.is_loopback or (self._is_platform and address.is_link_local)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


async def _note_sent(
    _session: aiohttp.ClientSession,
    context: SimpleNamespace,
    _params: aiohttp.TraceRequestHeadersSentParams,
) -> None:
    context.trace_request_ctx.is_sent = True


async def _refuse_second(
    _session: aiohttp.ClientSession,
    context: SimpleNamespace,
    _params: aiohttp.TraceConnectionCreateStartParams,
) -> None:
    """End it where the library would send a request again, as it does with GET."""
    if context.trace_request_ctx.is_sent:
        raise aiohttp.ServerDisconnectedError


async def _guarded(
    asking: "aiohttp.client._RequestContextManager", request: Request
) -> Reply | Failure:
    """Send and read; the library's exceptions end here."""
    try:
        async with asking as response:
            return await _read(response, request)
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        cause, detail = _understand(error)
        return Failure(cause, PeerText(detail))


def _understand(error: Exception) -> tuple[Cause, str]:
    """Return what went wrong. Texts that may quote what was sent are left out."""
    match error:
        case TimeoutError():
            return Cause.TIMEOUT, "no answer in time"
        case aiohttp.ClientConnectorCertificateError():
            return Cause.TLS, f"certificate: {error.certificate_error}"
        case aiohttp.ClientSSLError():
            return Cause.TLS, f"TLS: {error.os_error}"
        case aiohttp.ClientConnectorError(os_error=UnresolvedError() as unresolved):
            cause = _UNRESOLVED.get(unresolved.reason, Cause.UNRESOLVED)
            return cause, str(unresolved)
        case aiohttp.ClientConnectorError():
            return Cause.UNREACHED, f"no connection: {error.os_error.strerror}"
        case _:
            is_lost = isinstance(error, _LOST)
            cause = Cause.LOST if is_lost else Cause.PROTOCOL
            return cause, f"{cause}: {type(error).__name__}"


async def _read(response: aiohttp.ClientResponse, request: Request) -> Reply | Failure:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        response.close()
        return Failure(Cause.PROTOCOL, PeerText("the reply is compressed, unasked"))
    headers = {
        name: PeerText(response.headers[name], _MAX_HEADER)
        for name in _HEADERS
        if name in response.headers
    }
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > request.most:
            response.close()  # what is left would have to be read otherwise
            if request.cut:
                return Reply(response.status, headers, bytes(body[: request.most]), is_cut=True)
            detail = f"the reply has more than {request.most} octets"
            return Failure(Cause.TOO_MUCH, PeerText(detail))
    return Reply(response.status, headers, bytes(body))
