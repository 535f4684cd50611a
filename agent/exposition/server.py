"""How is the agent reached over HTTP?

A small server with narrow limits: read-only but for one switch that is off unless asked for, bound
to loopback unless told otherwise, and there deaf to foreign Host headers, so that a web page cannot
read it through a browser. No answer allows a script.
"""

import asyncio
import errno
import ipaddress
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from agent.exposition.answers import PLAIN, Answers, Content
from agent.exposition.gate import Gate
from agent.exposition.pages.render import STYLE

LINE = 8 * 1024  # octets of a request line, and of one header field
HEADERS = 32  # header fields
BODY = 1024  # octets
CONNECTIONS = 100
SENDING = 30.0  # seconds until a reader that does not read is left
_KEEPALIVE = 20.0  # seconds
_LINGERING = 1.0  # seconds spent on the body of a refused request

POLICY = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:;"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Server": "mailflow-agent",
    }
)
_NO_MORE: Mapping[str, str] = MappingProxyType({})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_log = logging.getLogger(__name__)

Reload = Callable[[], Awaitable[tuple[str, ...]]]


class ListenError(Exception):
    """The port cannot be listened on; the text says why and what to do."""


class _Quiet(logging.Filter):
    """Drops complaints about malformed requests, which quote what the peer sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = None if record.exc_info is None else record.exc_info[1]
        return not isinstance(error, HttpProcessingError | web.RequestPayloadError)


_library_log = logging.getLogger(f"{__name__}.library")
_library_log.addFilter(_Quiet())


class Server:
    """The HTTP server of the agent.

    *ready* says whether checks are being run, *overdue* which tasks of ours show no sign of life.
    *reload* loads the configuration again and returns the errors; without it ``/-/reload`` does not
    exist. *hosts* are names that a Host header may have besides those of loopback, where it is
    loopback that is listened on.
    """

    def __init__(
        self,
        answers: Answers,
        *,
        ready: Callable[[], bool],
        overdue: Callable[[], tuple[str, ...]] = tuple,
        reload: Reload | None = None,
        hosts: Iterable[str] = (),
    ) -> None:
        self._answers = answers
        self._ready = ready
        self._overdue = overdue
        self._reload = reload
        self._hosts = frozenset(host.lower() for host in hosts) | _LOOPBACK
        self._guard_host = True
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None
        self._gate = Gate(CONNECTIONS)

    async def start(self, host: str, port: int) -> int:
        """Listen on an address and return the port, a free one for port 0.

        Raises ListenError where that cannot be.
        """
        self._guard_host = _is_loopback(host)
        runner = web.AppRunner(
            self._application(),
            access_log=None,
            logger=_library_log,
            max_line_size=LINE,
            max_field_size=LINE,
            max_headers=HEADERS,
            keepalive_timeout=_KEEPALIVE,
            lingering_time=_LINGERING,
            shutdown_timeout=2.0,
        )
        await runner.setup()
        loop = asyncio.get_running_loop()
        assert runner.server is not None  # noqa: S101 - setup() has made it
        try:
            self._listener = await loop.create_server(self._gate.around(runner.server), host, port)
        except OSError as error:
            await runner.cleanup()
            raise ListenError(_explain(error, host, port)) from error
        self._runner = runner
        bound: int = self._listener.sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        """Stop listening, let requests under way end, and close what is left."""
        if self._listener is not None:
            self._listener.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self._gate.close()

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[self._admit], client_max_size=BODY)
        router = application.router
        router.add_get("/", self._overview)
        router.add_get("/metrics", self._metrics)
        router.add_get("/subjects/{tenant}/{kind}/{name}", self._subject)
        router.add_get("/rules/{code}", self._rule)
        router.add_get("/api/v1/status", self._status)
        router.add_get("/static/style.css", self._style)
        router.add_get("/-/healthy", self._healthy)
        router.add_get("/-/ready", self._is_ready)
        if self._reload is not None:
            router.add_post("/-/reload", self._reloaded)
        return application

    @web.middleware
    async def _admit(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Refuse what should not have come; answer errors in our own words."""
        self._gate.request_began(request.transport)
        if self._guard_host and not self._is_ours(request.headers.get("Host")):
            return await self._refuse(request, 403, "Forbidden", "This host name is not served.")
        if (request.content_length or 0) > BODY:
            return await self._refuse(request, 413, "Too large", "The request has too much in it.")
        try:
            return await handler(request)
        except web.HTTPMethodNotAllowed as error:
            allowed = ", ".join(sorted(error.allowed_methods))
            text = f"Allowed here: {allowed}."
            return await self._refuse(request, 405, "Method not allowed", text, allow=allowed)
        except web.HTTPException as error:
            return await self._refuse(
                request, error.status, error.reason, "See / for what there is."
            )

    def _is_ours(self, host: str | None) -> bool:
        if host is None:  # only programs leave it out; browsers, who could be misled, do not
            return True
        try:
            return (urlsplit(f"//{host}").hostname or "") in self._hosts
        except ValueError:
            return False

    async def _refuse(
        self, request: web.Request, status: int, title: str, text: str, *, allow: str = ""
    ) -> web.StreamResponse:
        html = "text/html" in request.headers.get("Accept", "")
        content = self._answers.refusal(status, title, text, html=html)
        return await _send(request, content, {"Allow": allow} if allow else {})

    async def _overview(self, request: web.Request) -> web.StreamResponse:
        return await _send(request, await self._answers.overview(request.query))

    async def _subject(self, request: web.Request) -> web.StreamResponse:
        given = request.match_info
        content = await self._answers.subject(given["tenant"], given["kind"], given["name"])
        return await _send(request, content)

    async def _rule(self, request: web.Request) -> web.StreamResponse:
        return await _send(request, await self._answers.rule(request.match_info["code"]))

    async def _status(self, request: web.Request) -> web.StreamResponse:
        return await _send(request, await self._answers.status())

    async def _metrics(self, request: web.Request) -> web.StreamResponse:
        accept = request.headers.get("Accept", "")
        content = await self._answers.metrics(accept, gzip=_takes_gzip(request))
        return await _send(request, content)

    async def _style(self, request: web.Request) -> web.StreamResponse:
        return await _send(request, Content("text/css; charset=utf-8", (STYLE,)))

    async def _healthy(self, request: web.Request) -> web.StreamResponse:
        overdue = ", ".join(self._overdue())
        if overdue:
            body = f"unhealthy: no sign of life of {overdue}\n".encode()
            return await _send(request, Content(PLAIN, (body,), 503))
        return await _send(request, Content(PLAIN, (b"healthy\n",)))

    async def _is_ready(self, request: web.Request) -> web.StreamResponse:
        if self._ready():
            return await _send(request, Content(PLAIN, (b"ready\n",)))
        return await _send(request, Content(PLAIN, (b"not ready\n",), 503))

    async def _reloaded(self, request: web.Request) -> web.StreamResponse:
        if not _comes_from_here(request.headers):
            return await self._refuse(request, 403, "Forbidden", "Another site may not do this.")
        assert self._reload is not None  # noqa: S101 - the route exists only with it
        errors = await self._reload()
        if errors:
            body = "\n".join(("The configuration was rejected:", *errors, "")).encode()
            return await _send(request, Content(PLAIN, (body,), 500))
        return await _send(request, Content(PLAIN, (b"reloaded\n",)))


def _comes_from_here(headers: Mapping[str, str]) -> bool:
    """Tell whether a page of ours asks, or a program; browsers say which site it is that asks."""
    origin = headers.get("Origin")
    try:
        return origin is None or urlsplit(origin).netloc == headers.get("Host")
    except ValueError:
        return False


async def _send(
    request: web.Request, content: Content, headers: Mapping[str, str] = _NO_MORE
) -> web.StreamResponse:
    """Send pieces one after the other, without a copy of the whole."""
    response = web.StreamResponse(status=content.status, headers={**POLICY, **headers})
    response.headers["Content-Type"] = content.type
    response.headers["Vary"] = "Accept, Accept-Encoding"
    response.content_length = content.length
    if content.encoding:
        response.headers["Content-Encoding"] = content.encoding
    try:
        async with asyncio.timeout(SENDING):
            await response.prepare(request)
            if request.method != "HEAD":
                for piece in content.pieces:
                    await response.write(bytes(piece))
            await response.write_eof()
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
    return response


def _takes_gzip(request: web.Request) -> bool:
    for entry in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _, weight = entry.replace(" ", "").partition(";q=")
        if name == "gzip":
            return weight.rstrip("0") not in ("0.", "") if weight else True
    return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _explain(error: OSError, host: str, port: int) -> str:
    """Say what is wrong with listening there, and what to do."""
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"{host}:{port} is in use by another program, perhaps another agent."
                " Stop it, or set `listen` under `agent` to another port."
            )
        case errno.EACCES:
            return f"{host}:{port} may not be listened on. Set `listen` to a port above 1023."
        case errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine. Set `listen` under `agent` to one."
        case _:
            return f"{host}:{port} cannot be listened on: {error.strerror or error}."
