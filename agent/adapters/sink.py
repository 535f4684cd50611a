"""Has one of our messages come in here?

The agent's own place of arrival: an SMTP server for the recipients of the configured routes. It
takes nothing for anybody else, keeps nothing, and hands nothing on: a message is looked at for a
token of ours, and what has none is refused, so that its sender learns that nobody read it.
"""

import re
import ssl
from collections.abc import Callable, Collection
from dataclasses import dataclass
from email.utils import format_datetime

from agent.adapters.clock import Clock, SystemClock
from agent.adapters.intray import Intray
from agent.adapters.mailbox import Folder, Letter
from agent.adapters.smtp_policy import Client, Limits, Policy, Response, say
from agent.adapters.smtp_server import SmtpServer
from agent.domain.peer_text import PeerText

_UNNAMED = "localhost.localdomain"
# A field by a local name reads as a hop inside of one system, and would not be asked for TLS.
_STAMP_UNNAMED = "mailflow-agent.invalid"
_NOT_IN_HELO = re.compile(r"[^A-Za-z0-9.:\[\]_-]")
_MAX_HELO = 255  # RFC 5321 section 4.5.3.1.2


@dataclass(slots=True)
class SinkStats:
    """What came in: messages with a token of ours, and others."""

    taken: int = 0
    strangers: int = 0


class _Arrivals(Policy):
    """Who may bring what."""

    def __init__(
        self, name: str, intray: Intray, recipients: Callable[[], Collection[str]], clock: Clock
    ) -> None:
        self.name = name
        self._clock = clock
        self.stats = SinkStats()
        self._intray = intray
        self._recipients = recipients

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        del client
        # RFC 5321 section 2.4: the local part may tell cases apart; nobody's does.
        if rcpt_to.lower() in self._recipients():
            return say(250, "2.1.5 recipient taken")
        return say(550, "5.7.1 not a recipient of any route; nothing is relayed here")

    async def message(self, client: Client, content: bytes) -> Response:
        way = f"{client.address} {client.helo} {client.tls or 'without TLS'}"
        stamped = self._stamp(client) + content
        letter = Letter("", Folder.INBOX, stamped, is_whole=True, size=len(content))
        # A yes is given when it is on the disk: whoever brings a message forgets it then.
        batch = await self._intray.take(
            [letter], way=PeerText(way), recipients=tuple(client.rcpt_to)
        )
        # What only quotes a token is taken as well: to refuse it would bounce to whoever wrote it.
        if not batch.known:
            self.stats.strangers += 1
            return say(550, "5.7.1 only synthetic messages of this agent are taken here")
        self.stats.taken += 1
        return say(250, "2.6.0 thank you")

    def _stamp(self, client: Client) -> bytes:
        """Return our own Received field (RFC 5321 section 4.4), so that the last hop is known.

        What the client calls itself must not read as a comment: those are ours, and believed.
        """
        helo = _NOT_IN_HELO.sub("?", client.helo[:_MAX_HELO]) or "?"
        name = _STAMP_UNNAMED if self.name in ("localhost", _UNNAMED) else self.name
        protocol = "ESMTPS" if client.tls else "ESMTP"
        secured = f" (version={client.tls})" if client.tls else ""
        lines = (
            f"Received: from {helo} ([{client.address}])",
            f" by {name} with {protocol}{secured};",
            f" {format_datetime(self._clock.now())}",
        )
        return "\r\n".join(lines).encode() + b"\r\n"


class Sink:
    """The agent's own SMTP server; *recipients* returns addresses in lower case.

    It is asked each time, so that a reload of the configuration needs no restart.
    """

    def __init__(  # noqa: PLR0913 - whom it listens for, and how
        self,
        intray: Intray,
        recipients: Callable[[], Collection[str]],
        *,
        name: str = _UNNAMED,
        limits: Limits | None = None,
        context: ssl.SSLContext | None = None,
        clock: Clock | None = None,
    ) -> None:
        arrivals = _Arrivals(name, intray, recipients, clock or SystemClock())
        self.stats = arrivals.stats
        self.server = SmtpServer(arrivals, limits=limits, context=context)

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises OSError where the address or the port cannot be had."""
        await self.server.start(host, port)

    def secure(self, context: ssl.SSLContext) -> None:
        """Offer STARTTLS with *context* from the next session on."""
        self.server.secure(context)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self.server.port

    async def close(self) -> None:
        """Stop listening and end every session."""
        await self.server.close()
