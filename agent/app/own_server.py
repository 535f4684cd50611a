"""When does the agent's own SMTP server listen, and which certificate does it show?

It listens from when a route first ends there until the agent stops. Without a certificate of the
operator's it shows one that it made for itself: senders that take any encrypt to it, too.
"""

import asyncio
import ssl
from collections.abc import Callable, Collection
from datetime import timedelta

from agent.adapters import smtp_policy
from agent.adapters.clock import Clock
from agent.adapters.intray import Intray
from agent.adapters.sink import Sink
from agent.adapters.trust import server_context
from agent.adapters.x509_making import Authority
from agent.app.options import read_pair
from agent.config import Config
from agent.exposition.server import ListenError

_TICK = 1.0  # seconds
_UNNAMED = "localhost.localdomain"
_DAY = timedelta(days=1)
_VALID = 730 * _DAY


class OwnServer:
    """The sink, once it listens. *recipients* returns whom it takes mail for, in lower case.

    *alive* is called every second while it does.
    """

    def __init__(
        self,
        intray: Intray,
        clock: Clock,
        recipients: Callable[[], Collection[str]],
        alive: Callable[[], object],
    ) -> None:
        self._intray, self._clock, self._recipients = intray, clock, recipients
        self._alive = alive
        self._living: asyncio.Task[None] | None = None
        self._sink: Sink | None = None

    async def open(self, config: Config, listen: tuple[str, int] | None = None) -> None:
        """Listen at *listen*, or where the file says; where it does, read its certificate anew.

        Raises ListenError where the address or the certificate cannot be had.
        """
        if self._sink is not None:
            if config.sink.certificate is not None:
                self._sink.secure(await self._context(config))
            return
        section = config.sink
        host, port = listen or (section.listen.host, section.listen.port)
        sink = Sink(
            self._intray,
            self._recipients,
            name=section.hostname or _UNNAMED,
            limits=smtp_policy.Limits(size=section.max_size, connections=section.max_connections),
            context=await self._context(config),
            clock=self._clock,
        )
        try:
            await sink.start(host, port)
        except OSError as error:
            message = f"sink.listen {host}:{port} cannot be listened on: {error.strerror or error}"
            raise ListenError(message) from error
        self._sink = sink
        self._living = asyncio.get_running_loop().create_task(self._live())

    async def _live(self) -> None:
        """Say again and again that the sink is open."""
        while True:
            self._alive()
            await asyncio.sleep(_TICK)

    async def close(self) -> None:
        """Stop listening."""
        if self._living is not None:
            self._living.cancel()
            await asyncio.gather(self._living, return_exceptions=True)
        if self._sink is not None:
            await self._sink.close()

    async def _context(self, config: Config) -> ssl.SSLContext:
        return await asyncio.to_thread(self._make, config)

    def _make(self, config: Config) -> ssl.SSLContext:
        """Return what STARTTLS is offered with. Raises ListenError; to be called in a thread."""
        name, now = config.sink.certificate, self._clock.now()
        if name is None:
            authority = Authority("mailflow-agent", at=now)
            host = config.sink.hostname or _UNNAMED
            pair = authority.issue(host, not_before=now - _DAY, not_after=now + _VALID)
            return server_context(pair)
        try:
            return server_context(read_pair(config.credentials[name]))
        except (ValueError, OSError) as error:
            message = f"sink.certificate {name} cannot be shown: {error}"
            raise ListenError(message) from None
