"""Which step is missing until a route works?

The steps that a message takes, tried one by one and without a message: the secrets, the token, the
server that takes it, the mailbox where it arrives. Each that fails says what to do, in the words
of the place where it is done; those that do not need it are tried all the same.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from shlex import quote
from typing import Any, Literal

from agent.adapters.keyring import KeyringError
from agent.adapters.mailbox import LOOK_BACK, MAX_LETTERS, PickupError, Trouble
from agent.adapters.outbox import ByExchanges, ByGraph, Envelope, ToServer
from agent.adapters.token_trouble import TokenError
from agent.adapters.wallet import WalletError
from agent.app.mail_places import Opening
from agent.app.mailroom import Mailroom, ends
from agent.config import Config
from agent.domain.handover import Fate, Handed
from agent.probes.base import Check, Toolbox
from agent.settings import Receive, RouteSubject, Send
from agent.settings.route_plan import envelope, way_of

Verdict = Literal["good", "bad", "unknown"]
_PATIENCE = timedelta(seconds=30)
_ADVICE = "Put the secret where the configuration reads it."
_FIXES = {  # for those that the place itself has no better words for
    Trouble.UNRESOLVED: "Correct the name of the server in the route, or see why DNS lacks it.",
    Trouble.UNREACHED: "See that the server listens on this port (IMAP: 993 under TLS, 143 without)"
    " and that no firewall is in the way.",
    Trouble.TLS: "See that the server speaks TLS on this port as `tls` of the route says.",
    Trouble.PROTOCOL: "See that the host and the port of the route are those of a mail server.",
    Trouble.LOGIN_REFUSED: "Check the user name and the password.",
    Trouble.TOKEN: _ADVICE,
}
_LATER = "Try again later; if it stays so, the log of the server says more."


@dataclass(frozen=True, slots=True)
class Step:
    """One step, how it went, what was seen, and what to do where it did not go well."""

    name: str
    verdict: Verdict
    detail: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Doctor:
    """Walks the steps of one route."""

    config: Config
    check: Check[RouteSubject, Any]
    tools: Toolbox
    mailroom: Mailroom

    async def examine(self) -> AsyncIterator[Step]:
        """Yield each step as it ends; steps that do not depend on one that failed go on."""
        route = self.check.target
        for name, is_for_graph in _credentials(route):
            yield await self._credential(name, is_for_graph=is_for_graph)
        yield await self._sending(route.send)
        for receive in ends(route):
            async for step in self._place(receive):
                yield step

    async def _credential(self, name: str, *, is_for_graph: bool) -> Step:
        """Read the secret of a credential, and where it is one of Entra get a token with it."""
        title, keyring = f"credential {name}", self.mailroom.keyring
        credential = self.config.credentials[name]
        try:
            if credential.kind == "client-certificate":
                assert self.tools.wallet is not None  # noqa: S101 - who runs this lends one
                await self.tools.wallet.pair(name)
            elif credential.kind == "dkim-key":
                await keyring.sign(name, b"From: <a@example.com>\r\n\r\n")
            elif credential.kind == "password":
                await asyncio.to_thread(credential.secret.reveal)
            else:
                room = self.mailroom
                scope = room.graph_scope(name) if is_for_graph else keyring.scope(name)
                return await self._token(title, name, scope)
        except (WalletError, KeyringError, ValueError) as error:
            return Step(title, "bad", str(error), _ADVICE)
        # Whether a server takes it shows at the steps below.
        place = "variable" if credential.secret.path is None else "file"
        return Step(title, "good", f"{credential.kind}: its {place} can be read")

    async def _token(self, title: str, name: str, scope: str) -> Step:
        tokens = self.mailroom.keyring.tokens
        assert tokens is not None  # noqa: S101 - there is a credential of Entra
        try:
            token = await tokens.get(name, scope)
        except TokenError as error:
            return Step(title, "bad", str(error), error.fix)
        return Step(
            title, "good", f"Entra gives a token for {scope}, valid until {token.expires_at}"
        )

    async def _sending(self, send: Send) -> Step:
        """Go as far with the server as one can without a message."""
        leaving, title = way_of(self.check.target), "hand over"
        if isinstance(leaving.way, ByGraph):
            return Step(
                title,
                "unknown",
                "whether Graph sends shows only with a message",
                "Try again with --send; it needs the permission Mail.Send.",
            )
        way = leaving.way
        server = _address(way) if isinstance(way, ToServer) else leaving.drawn.server
        handed = await self.mailroom.outbox.knock(way, envelope(send), _PATIENCE)
        return _of_handed(f"{title} to {server}", handed, envelope(send), way)

    async def _place(self, receive: Receive) -> AsyncIterator[Step]:
        """Open a place of pick-up, and look into it."""
        if receive.home == "sink":
            listen = self.config.sink.listen
            yield Step(
                "pick-up sink",
                "unknown",
                f"the agent itself takes the message at {listen} while it runs",
                "See that the MX or smart host of the recipient's domain leads there.",
            )
            return
        title = f"pick-up {receive.home}"
        opening = Opening(self.config, self.tools, self.mailroom.keyring, self.mailroom.graph)
        try:
            mailbox = await opening.open(receive)
            try:
                letters = await mailbox.look()
                room = await mailbox.room()
            finally:
                await mailbox.close()
        except PickupError as error:
            fix = error.fix or _FIXES.get(error.trouble, _LATER)
            yield Step(title, "bad", f"{error.trouble}: {error.detail}", fix)
            return
        # Only now: a Maildir opens whether it is there or not.
        yield Step(title, "good", "it opens, with Inbox and Junk")
        held = "" if room.used is None else f", {room.used / 2**20:.1f} MiB are used"
        limit = "" if room.limit is None else f" of {room.limit / 2**20:.0f}"
        yield Step(f"{title}, reading", "good", f"{_counted(len(letters))}{held}{limit}")


def _counted(messages: int) -> str:
    """Say how many messages a first look saw; it is bounded."""
    number = f"at least {messages}" if messages >= MAX_LETTERS else str(messages)
    return f"{number} message{'' if messages == 1 else 's'} of the last {LOOK_BACK.days} days"


def _address(way: ToServer) -> str:
    """Return a server as the command `smtp` takes it."""
    return f"[{way.host}]:{way.port}" if ":" in way.host else f"{way.host}:{way.port}"


def _of_handed(title: str, handed: Handed, who: Envelope, way: ToServer | ByExchanges) -> Step:
    if handed.fate is Fate.ACCEPTED:
        return Step(title, "good", f"it takes {who.rcpt_to} from {who.mail_from or '<>'}")
    verdict: Verdict = "unknown" if handed.silence or handed.fate is Fate.DEFERRED else "bad"
    advice = handed.diagnosis.advice
    fix = advice[-1].partition(": ")[2] if advice else ""
    detail = handed.detail.partition(" (Meaning:")[0]
    return Step(title, verdict, detail, fix or _next(handed, who, way))


def _next(handed: Handed, who: Envelope, way: ToServer | ByExchanges) -> str:
    """Return what to do where nothing is known of the server's reply."""
    if handed.reason == "credential":
        return "See to the credential first."
    # An exchange that decided is told with its address, as "mx.example.com (192.0.2.1)".
    server = _address(way) if isinstance(way, ToServer) else handed.via.partition(" ")[0]
    if not server:
        domain = who.rcpt_to.rpartition("@")[2]
        return f"`mailflow-agent check {quote(domain)}` shows what DNS says of its exchanges."
    wrong = "Correct the host of the route. " if handed.detail.startswith("at resolve") else ""
    return f"{wrong}`mailflow-agent smtp {quote(server)}` shows the whole session."


def _credentials(route: RouteSubject) -> Iterator[tuple[str, bool]]:
    """Yield the names of the credentials that a route uses, and whether it does so at Graph."""
    send = route.send
    others, at_graph = [send.dkim], [None if route.trace is None else route.trace.credential]
    if send.smtp is not None:
        others += [send.smtp.credential, send.smtp.client_certificate]
    if send.graph is not None:
        at_graph.append(send.graph.credential)
    for receive in ends(route):
        others.append(None if receive.imap is None else receive.imap.credential)
        at_graph.append(None if receive.graph is None else receive.graph.credential)
    for names, is_for_graph in ((others, False), (at_graph, True)):
        yield from ((name, is_for_graph) for name in dict.fromkeys(names) if name is not None)


def alone(config: Config, check: Check[RouteSubject, Any]) -> Config:
    """Return the configuration as if there were this route only."""
    return replace(config, checks=(check,))
