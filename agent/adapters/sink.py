"""Has one of our messages come in here?

The agent's own place of arrival: an SMTP server for the recipients of the configured routes. It
takes nothing for anybody else, keeps nothing, and hands nothing on: a message is looked at for a
token of ours, and what has none is refused, so that its sender learns that nobody read it.
"""

import ssl
from collections.abc import Callable, Collection
from dataclasses import dataclass

from agent.adapters.ledger import Ledger
from agent.adapters.smtp_policy import Client, Limits, Policy, Response, say
from agent.adapters.smtp_server import SmtpServer
from agent.domain.message import find_tokens, is_intact
from agent.domain.peer_text import PeerText


@dataclass(slots=True)
class SinkStats:
    """What came in: messages with a token of ours, and others."""

    taken: int = 0
    strangers: int = 0


class _Arrivals(Policy):
    """Who may bring what."""

    def __init__(
        self, name: str, ledger: Ledger, recipients: Callable[[], Collection[str]]
    ) -> None:
        self.name = name
        self.stats = SinkStats()
        self._ledger = ledger
        self._recipients = recipients

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        del client
        # RFC 5321 section 2.4: the local part may tell cases apart; nobody's does.
        if rcpt_to.lower() in self._recipients():
            return say(250, "2.1.5 recipient taken")
        return say(550, "5.7.1 not a recipient of any route; nothing is relayed here")

    async def message(self, client: Client, content: bytes) -> Response:
        way = f"{client.address} {client.helo} {client.tls or 'without TLS'}"
        found = 0
        for token in find_tokens(content):
            entry = await self._ledger.admit(
                token, damaged=not is_intact(content, token), detail=PeerText(way)
            )
            found += entry is not None
        if not found:
            self.stats.strangers += 1
            return say(550, "5.7.1 only synthetic messages of this agent are taken here")
        self.stats.taken += 1
        return say(250, "2.6.0 thank you")


class Sink:
    """The agent's own SMTP server; *recipients* returns addresses in lower case.

    It is asked each time, so that a reload of the configuration needs no restart.
    """

    def __init__(
        self,
        ledger: Ledger,
        recipients: Callable[[], Collection[str]],
        *,
        name: str = "localhost.localdomain",
        limits: Limits | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        arrivals = _Arrivals(name, ledger, recipients)
        self.stats = arrivals.stats
        self.server = SmtpServer(arrivals, limits=limits, context=context)

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises OSError where the address or the port cannot be had."""
        await self.server.start(host, port)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self.server.port

    async def close(self) -> None:
        """Stop listening and end every session."""
        await self.server.close()
