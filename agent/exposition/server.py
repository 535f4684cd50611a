"""How is the agent reached over HTTP?

A small server with narrow limits: read-only but for what is off unless asked for, bound to loopback
unless told otherwise. What is answered where is in :mod:`agent.exposition.http.site`, and who may
read it in :mod:`agent.exposition.http.door`.
"""

import asyncio
import errno
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from agent.adapters.clock import Clock
from agent.config.web_config import is_loopback
from agent.domain.finding import Measurement
from agent.exposition import http_metrics
from agent.exposition.http import policy
from agent.exposition.http.door import Door
from agent.exposition.http.gate import Gate
from agent.exposition.http.handler import Handler
from agent.exposition.http.policy import POLICY
from agent.exposition.http.sending import Sender
from agent.exposition.http.site import Parts, Site
from agent.exposition.http.web import Web

__all__ = ["POLICY", "ListenError", "Parts", "Server"]


class ListenError(Exception):
    """The port cannot be listened on; the text says why and what to do."""


class _Quiet(logging.Filter):
    """Drops complaints about malformed requests, which quote what the peer sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = None if record.exc_info is None else record.exc_info[1]
        return not isinstance(error, HttpProcessingError | web.RequestPayloadError)


_library_log = logging.getLogger(f"{__name__}.library")
_library_log.addFilter(_Quiet())
_LIMITS: dict[str, Any] = {
    "access_log": None,
    "logger": _library_log,
    "max_line_size": policy.LINE,
    "max_field_size": policy.LINE,
    "max_headers": policy.HEADERS,
    "keepalive_timeout": policy.KEEPALIVE,
    "lingering_time": policy.LINGERING,
}


class Server:
    """The HTTP server of the agent.

    *parts* are what is answered. *hosts* are names that a Host header may have besides those of
    loopback, where it is loopback that is listened on. *web_config* is the file that says how TLS
    is spoken and who may log in.
    """

    def __init__(
        self,
        parts: Parts,
        clock: Clock,
        *,
        hosts: Iterable[str] = (),
        web_config: Path | None = None,
    ) -> None:
        self._web = Web(web_config, clock)
        self._door = Door(self._web, hosts)
        self._gate = Gate(policy.places(), security=lambda: self._web.tls)
        self._site = Site(
            parts, self._door, self._gate, Sender(parts.answers, self._gate, self._web)
        )
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen on an address and return the port, a free one for port 0.

        Raises ListenError where that cannot be, or where the web configuration is wrong.
        """
        self._door.is_local = is_loopback(host)
        await self._web.start()
        if self._web.errors:  # never without the login that was wanted
            await self._web.close()
            raise ListenError("\n".join(self._web.errors))
        runner = web.AppRunner(self._site.application(), shutdown_timeout=2.0)
        await runner.setup()
        loop = asyncio.get_running_loop()
        server = runner.server
        assert server is not None  # noqa: S101 - setup() has made it
        make = self._gate.around(lambda: Handler(server, loop=loop, **_LIMITS))
        try:
            self._listener = await loop.create_server(make, host, port, backlog=policy.ACCEPTED)
        except OSError as error:
            await runner.cleanup()
            await self._web.close()
            raise ListenError(_explain(error, host, port)) from error
        for each in self._listener.sockets:
            # For the loop one number is both; a burst must fit into the one and not the other.
            with each.dup() as same:
                same.listen(policy.BACKLOG)
        self._runner = runner
        bound: int = self._listener.sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        """Stop listening, let requests under way end, and close what is left."""
        if self._listener is not None:
            self._listener.close()
        await self._web.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self._gate.close()

    @property
    def is_secured(self) -> bool:
        """Whether TLS is spoken."""
        return self._web.tls is not None

    @property
    def web_errors(self) -> tuple[str, ...]:
        """What is wrong with the web configuration as it is now, a line each."""
        return self._web.errors

    def measure(self) -> Iterator[Measurement]:
        """Yield how the server fares, for ``OwnMetrics.watch``."""
        yield http_metrics.CONNECTIONS.at(self._gate.open)
        yield http_metrics.TURNED_AWAY.at(self._gate.turned_away)
        yield from self._web.measure()


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
