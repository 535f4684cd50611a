"""Which step is missing until a route works?

The steps that a message takes, tried one by one and without a message: the secrets, the token, the
server that takes it, the mailbox where it arrives. The first that fails says what to do, in the
words of the place where it is done.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from agent.adapters.keyring import KeyringError
from agent.adapters.mailbox import PickupError
from agent.adapters.outbox import ByGraph, Envelope
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
            return Step(
                title, "bad", str(error), "Put the secret where the configuration reads it."
            )
        return Step(title, "good", f"{credential.kind}: it can be read")

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
        handed = await self.mailroom.outbox.knock(leaving.way, envelope(send), _PATIENCE)
        return _of_handed(f"{title} to {leaving.server}", handed, envelope(send))

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
                yield Step(title, "good", "it opens, with Inbox and Junk")
                letters = await mailbox.look()
                room = await mailbox.room()
            finally:
                await mailbox.close()
        except PickupError as error:
            yield Step(title, "bad", f"{error.trouble}: {error.detail}", error.fix)
            return
        held = "" if room.used is None else f", {room.used / 2**20:.1f} MiB are used"
        limit = "" if room.limit is None else f" of {room.limit / 2**20:.0f}"
        yield Step(f"{title}, reading", "good", f"{len(letters)} letters of late{held}{limit}")


def _of_handed(title: str, handed: Handed, who: Envelope) -> Step:
    if handed.fate is Fate.ACCEPTED:
        return Step(title, "good", f"it takes {who.rcpt_to} from {who.mail_from or '<>'}")
    verdict: Verdict = "unknown" if handed.silence or handed.fate is Fate.DEFERRED else "bad"
    advice = handed.diagnosis.advice
    fix = advice[-1].partition(": ")[2] if advice else ""
    detail = handed.detail.partition(" (Meaning:")[0]
    return Step(
        title, verdict, detail, fix or "`mailflow-agent smtp HOST` shows the whole session."
    )


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
