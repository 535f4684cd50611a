"""Which web configuration is in force?

It is looked at every second, with the certificates that it names, by content: so a renewed
certificate, a new password or a link that was swapped count without a restart. What is wrong is
told, and leaves the one before in force. Only what two looks find the same is taken up, because a
file may be in the midst of being written.
"""

import asyncio
import logging
import ssl
from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

from agent.adapters.clock import Clock
from agent.config.web_config import Examined, WebConfig, examine, fingerprint
from agent.domain.finding import Measurement
from agent.exposition import http_metrics as told
from agent.exposition.http.bucket import Bucket
from agent.exposition.http.gate import Tls
from agent.exposition.http.logins import Logins

EVERY = 1.0  # seconds between two looks
_log = logging.getLogger(__name__)


class Web:
    """The web configuration at *path*; without one there is neither TLS nor a login.

    ``errors`` are the lines of what is wrong with the file as it is now.
    """

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._files: tuple[Path, ...] = () if path is None else (path,)
        self._seen = self._taken = ""
        self._succeeded_at: datetime | None = None
        self._watching: asyncio.Task[None] | None = None
        self._failed = 0  # logins under configurations before
        self.logins = Logins({})
        self.errors: tuple[str, ...] = ()
        self._use(WebConfig())

    def _use(self, config: WebConfig) -> None:
        if config.users != self.logins.users:  # or a renewed certificate would log everybody out
            self._failed += self.logins.failed
            self.logins = Logins(config.users)
        self.config = config
        seconds = config.interval.total_seconds()
        self.bucket = Bucket(seconds, config.burst, self._clock) if seconds else None
        sans = config.sans
        self.tls = (
            None if config.context is None else Tls(config.context, lambda o: _is_one(o, sans))
        )

    async def start(self) -> None:
        """Read the file, and look at it from now on; what is wrong with it is in ``errors``."""
        if self._path is None:
            return
        self._seen = await asyncio.to_thread(fingerprint, self._files)
        await self._take()
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def close(self) -> None:
        """Look no more."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await self.look()

    async def look(self) -> None:
        """Take up what changed, once it has been the same at two looks."""
        seen = await asyncio.to_thread(fingerprint, self._files)
        if seen == self._seen and seen != self._taken:
            await self._take()
        self._seen = seen

    async def _take(self) -> None:
        """Judge the files as they are now."""
        assert self._path is not None  # noqa: S101 - only what has a path is looked at
        examined: Examined = await asyncio.to_thread(examine, self._path)
        self._files = examined.files
        self._taken = self._seen = await asyncio.to_thread(fingerprint, self._files)
        is_first = self._succeeded_at is None and not self.errors
        self.errors = tuple(map(str, examined.problems))
        if examined.config is None:
            extra = {"mistakes": len(self.errors), "first": self.errors[0]}
            _log.error("web configuration rejected", extra=extra)
            return
        self._use(examined.config)
        self._succeeded_at = self._clock.now()
        if not is_first:
            _log.info("web configuration reloaded", extra={"file": str(self._path)})

    def measure(self) -> Iterator[Measurement]:
        """Yield how it stands with the file; nothing without one."""
        yield told.LOGINS_FAILED.at(self._failed + self.logins.failed)
        if self._path is not None:
            yield told.WEB_SUCCESSFUL.at(not self.errors)
            if self._succeeded_at is not None:
                yield told.WEB_SUCCESS.at(self._succeeded_at.timestamp())


def _is_one(connection: ssl.SSLObject, sans: frozenset[str]) -> bool:
    """Tell whether the certificate of a client has one of the names that are let in."""
    if not sans:
        return True
    shown = connection.getpeercert() or {}
    names: object = shown.get("subjectAltName", ())
    return any(_written(*pair) in sans for pair in names) if isinstance(names, tuple) else False


def _written(kind: str, name: str) -> str:
    """Write a name as the file has it; OpenSSL writes addresses in its own way."""
    if kind != "IP Address":
        return name
    try:
        return str(ip_address(name))
    except ValueError:
        return name
