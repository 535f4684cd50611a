"""How is a synthetic message handed over, on each of the ways that lead out?

Whatever the way, what comes back says one of five things: taken, refused for good, put off before
anything was taken, not reached, or nobody can tell. Only the third may be tried again.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from agent.adapters.clock import Clock
from agent.adapters.dialer import Dialer
from agent.adapters.egress import Egress
from agent.adapters.graph import Graph
from agent.adapters.graph_send import Declined, NotSent, Sent, Submission, Uncertain, send_mail
from agent.adapters.keyring import Keyring, KeyringError
from agent.adapters.mailbox import Trouble
from agent.adapters.mx_delivery import Domain, deliver
from agent.adapters.plans import Resolves
from agent.adapters.smtp import Destination, Expectation, submit
from agent.adapters.smtp_session import Session
from agent.adapters.trust import TrustStore
from agent.adapters.wallet import Wallet, WalletError
from agent.domain.handover import Fate, Handed, judge
from agent.domain.message import Message
from agent.domain.payload import Kind
from agent.domain.peer_text import PeerText
from agent.domain.smtp import Errand, Login, Reason, Tls, Unreached

Demand = Literal["opportunistic", "required", "verified"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToServer:
    """To one SMTP server; *credential* and *certificate* are names of the configuration."""

    host: str
    port: int
    tls: Expectation
    helo: str
    credential: str | None = None
    mailbox: str = ""
    certificate: str | None = None


@dataclass(frozen=True, slots=True)
class ByExchanges:
    """To the exchanges of the recipient's domain."""

    tls: Demand
    helo: str


@dataclass(frozen=True, slots=True)
class ByGraph:
    """By Microsoft Graph, from a mailbox."""

    credential: str
    mailbox: str


Way = ToServer | ByExchanges | ByGraph


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends to whom; the empty ``mail_from`` is the null sender."""

    mail_from: str
    rcpt_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """Hands messages over."""

    resolver: Resolves
    dialer: Dialer
    trust: TrustStore
    clock: Clock
    keyring: Keyring
    wallet: Wallet
    graph: Callable[[str], Graph]
    egress: Egress | None = None

    async def send(
        self,
        way: Way,
        envelope: Envelope,
        message: Message,
        deadline: timedelta,
        *,
        signed_by: str | None = None,
    ) -> Handed:
        """Hand *message* over once, and say what came of it, at the latest after *deadline*.

        *signed_by* names the DKIM key to sign it with.
        """
        try:
            octets = await self._encoded(message, signed_by)
            match way:
                case ToServer():
                    return await self._to_server(way, envelope, octets, deadline)
                case ByExchanges():
                    seed = message.sent_at.microsecond
                    return await self._by_exchanges(way, envelope, octets, deadline, seed)
                case ByGraph():
                    return await self._by_graph(way, octets, deadline)
        except (KeyringError, WalletError) as error:
            fix = f". {error.fix}" if isinstance(error, KeyringError) and error.fix else ""
            return Handed(Fate.OURS, f"{error}{fix}", reason="credential")

    async def knock(
        self, way: ToServer | ByExchanges, envelope: Envelope, within: timedelta
    ) -> Handed:
        """Go as far as the recipient, and send nothing; ACCEPTED means that it would be taken."""
        try:
            if isinstance(way, ToServer):
                return await self._to_server(way, envelope, None, within)
            return await self._by_exchanges(way, envelope, None, within, 0)
        except (KeyringError, WalletError) as error:
            fix = f". {error.fix}" if isinstance(error, KeyringError) and error.fix else ""
            return Handed(Fate.OURS, f"{error}{fix}", reason="credential")

    async def _encoded(self, message: Message, signed_by: str | None) -> bytes:
        """Return the octets of a message; a large one is made in a thread."""
        is_large = message.payload.kind is Kind.ATTACHMENT
        octets = await asyncio.to_thread(message.encode) if is_large else message.encode()
        return octets if signed_by is None else await self.keyring.sign(signed_by, octets)

    async def _to_server(
        self, way: ToServer, envelope: Envelope, message: bytes | None, deadline: timedelta
    ) -> Handed:
        began = self.clock.monotonic()
        pair = None if way.certificate is None else await self.wallet.pair(way.certificate)
        login: Login | None = None
        if way.credential is not None:
            login = await self.keyring.smtp_login(way.credential, way.mailbox)
        left = deadline - timedelta(seconds=self.clock.monotonic() - began)
        session = await submit(
            Destination(host=way.host, port=way.port, tls=way.tls, pair=pair),
            _errand(way.helo, envelope, message, login),
            resolver=self.resolver,
            dialer=self.dialer,
            trust=self.trust,
            clock=self.clock,
            deadline=max(left, timedelta(milliseconds=1)),
        )
        return await self._weighed(session)

    async def _weighed(self, session: Session) -> Handed:
        """Judge a session with one server, unless nothing of the world can be connected to."""
        match session.dialogue:
            case Unreached(phase, reason, is_uncertain=False) if reason in _CUT_OFF:
                waited = sum(session.timings.values())
                if self.egress is not None and await self.egress.is_cut_off(waited):
                    detail = f"{reason}, and nobody else can be connected to either"
                    cut_off = Unreached(phase, Reason.NO_EGRESS, detail)
                    return judge(cut_off, session.timings, session.transcript)
        return judge(session.dialogue, session.timings, session.transcript)

    async def _by_exchanges(
        self,
        way: ByExchanges,
        envelope: Envelope,
        message: bytes | None,
        deadline: timedelta,
        seed: int,
    ) -> Handed:
        domain = Domain(name=envelope.rcpt_to.rpartition("@")[2], tls=way.tls, seed=seed)
        delivery = await deliver(
            domain,
            _errand(way.helo, envelope, message),
            resolver=self.resolver,
            dialer=self.dialer,
            trust=self.trust,
            clock=self.clock,
            deadline=deadline,
            egress=self.egress,
        )
        via = "" if delivery.decisive is None else delivery.decisive.place
        return judge(delivery.dialogue, delivery.timings, delivery.transcript, via=via)

    async def _by_graph(self, way: ByGraph, message: bytes, deadline: timedelta) -> Handed:
        began = self.clock.monotonic()
        try:
            async with asyncio.timeout(deadline.total_seconds()):
                said = await send_mail(self.graph(way.credential), way.mailbox, message)
        except TimeoutError:
            timings = {"graph": self.clock.monotonic() - began}
            return Handed(Fate.UNCERTAIN, "no answer in time", "uncertain", timings=timings)
        except ValueError as error:
            return Handed(Fate.OURS, str(error), "too-large")
        return _submitted(said, {"graph": self.clock.monotonic() - began})


def _submitted(said: Submission, timings: dict[str, float]) -> Handed:
    """Return what came of giving a message to Graph."""
    match said:
        case Sent(request_id):
            return Handed(Fate.ACCEPTED, f"202, request-id {request_id}", timings=timings)
        case Declined():
            detail = PeerText(f"{said.status} {said.code}: {said.message}")
            if said.trouble in _OURS:
                words = f"{detail.removesuffix('.')}. {said.fix}"
                return Handed(Fate.OURS, words, "permission", timings=timings)
            return Handed(Fate.REFUSED, detail, timings=timings)
        case NotSent(trouble, detail, fix):
            words = f"{trouble}: {detail.removesuffix('.')}. {fix}".removesuffix(". ")
            return Handed(Fate.OURS, words, trouble.value, timings=timings)
        case Uncertain(trouble, detail):
            words = f"{trouble}: {detail}"
            return Handed(Fate.UNCERTAIN, words, "uncertain", timings=timings)


_CUT_OFF = (Reason.TIMEOUT, Reason.REFUSED, Reason.CONNECTION_LOST)  # of a server, or of us
_OURS = (Trouble.LOGIN_REFUSED, Trouble.TOKEN, Trouble.PERMISSION, Trouble.NO_MAILBOX)


def _errand(
    helo: str, envelope: Envelope, message: bytes | None, login: Login | None = None
) -> Errand:
    return Errand(
        helo=helo,
        tls=Tls.REQUIRED,  # whoever carries it out sets what the way demands
        mail_from=envelope.mail_from,
        rcpt_to=(envelope.rcpt_to,),
        message=message,
        login=login,
    )
