"""A web server that serves MTA-STS policies over real TLS, and does so in every wrong way.

What it answers and which certificate it shows can be changed while it runs.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from aiohttp import web

from servers.tls import Authorities

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PATH = "/.well-known/mta-sts.txt"


class PolicyHost:
    """One server on a free port of loopback; ``asked`` has the paths and names asked for."""

    def __init__(self, authorities: Authorities, name: str) -> None:
        self.context = authorities.server(name)
        self.answer: Handler = missing
        self.asked: list[tuple[str, str]] = []
        self.port = 0
        # The certificate is chosen at each handshake, so that tests can change it.
        self._front = authorities.server(name)
        self._front.sni_callback = self._choose

    def _choose(self, shaking: ssl.SSLObject | ssl.SSLSocket, *_: object) -> None:
        shaking.context = self.context

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._front).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((str(request.rel_url), request.host))
        return await self.answer(request)


def text(body: str, kind: str = "text/plain") -> Handler:
    """Serve *body*."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=body, content_type=kind)

    return answer


async def missing(_request: web.Request) -> web.Response:
    """Serve nothing."""
    raise web.HTTPNotFound


async def redirect(_request: web.Request) -> web.Response:
    """Lead to another host."""
    where = "https://www.contoso.com/mta-sts.txt"
    raise web.HTTPMovedPermanently(where)


async def silence(_request: web.Request) -> web.Response:
    """Take the request and say nothing more."""
    await asyncio.Event().wait()
    return web.Response()


async def endless(request: web.Request) -> web.StreamResponse:
    """Serve ten megabytes of text."""
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    for _ in range(160):
        await response.write(b"x" * 65_536)
    return response


async def close_early(request: web.Request) -> web.StreamResponse:
    """Begin with an answer and end the connection within it."""
    response = web.StreamResponse(headers={"Content-Type": "text/plain", "Content-Length": "100"})
    await response.prepare(request)
    await response.write(b"version: STSv1\n")
    assert request.transport is not None
    request.transport.close()
    return response


async def hang_up(request: web.Request) -> web.StreamResponse:
    """End the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
