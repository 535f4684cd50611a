"""How is one address of a mail host walked, learning all there is to learn?

The walk makes a handshake that judges nothing, so that every fault of a certificate is seen at
once; hence it says nothing secret and sends no message.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agent.adapters.clock import Clock
from agent.adapters.dialer import Address, Dialer, Reach
from agent.adapters.egress import Egress
from agent.adapters.sightings import MAX_PRINTS, Chain, Sightings
from agent.adapters.smtp_session import Session, Target, hold
from agent.adapters.tls import TlsClient
from agent.adapters.trust import TrustStore
from agent.adapters.x509 import key_of
from agent.domain.smtp import Errand, Phase, Reason, Unreached
from agent.domain.tls import Trust
from agent.domain.tlsa import print_of
from agent.domain.walk import Walked

_SHORTEST = timedelta(milliseconds=1)
SMTP_PORT = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One address of a host to walk; ``reach`` is as the dialer has it.

    ``tls`` makes the handshake; by default it is the one that only learns.
    """

    host: str
    address: Address
    port: int = 25
    reach: Reach = "public"
    tls: TlsClient | None = None


@dataclass(frozen=True, slots=True)
class Walker:
    """Walks hosts, with what it needs of the world.

    Without ``egress`` nobody asks whether a silent server could have been reached at all; what
    ``sightings`` are given notes each certificate.
    """

    dialer: Dialer
    trust: TrustStore
    clock: Clock
    egress: Egress | None = None
    sightings: Sightings | None = None

    async def walk(self, stop: Stop, errand: Errand, deadline: timedelta) -> Walked:
        """Carry out *errand*, which has no message and no login, and return what was seen.

        Raises ValueError for an errand that must not go over a connection nobody verified.
        """
        if errand.message is not None or errand.login is not None:
            message = "nothing secret goes over a handshake that judges nothing"
            raise ValueError(message)
        if held := self.dialer.courtesy.held(stop.address):
            return _left_alone(stop, *held)
        target = Target(
            address=stop.address,
            port=stop.port,
            tls=stop.tls or self.trust.client(verify=False),
            server_name=None if str(stop.address) == stop.host else stop.host,
            reach=stop.reach,
        )
        session = await hold(
            target,
            errand,
            dialer=self.dialer,
            clock=self.clock,
            deadline=max(deadline, _SHORTEST),
        )
        return await self._weigh(self._seen(stop, session))

    async def _weigh(self, walked: Walked) -> Walked:
        """Take out what may be no fault of the server: a closed port here, our own haste."""
        address = walked.address
        assert address is not None  # noqa: S101 - a stop has one
        match walked.dialogue:
            case Unreached(phase, reason) if address.is_global and _is_no_answer(phase, reason):
                waited = sum(walked.timings.values())
                if self.egress is not None and not await self.egress.is_proven(walked.port, waited):
                    detail = f"{reason}, and nobody has greeted us at port {walked.port}"
                    return replace(walked, dialogue=Unreached(phase, Reason.NO_EGRESS, detail))
            case Unreached(reason=reason) if reason.is_ours:
                return walked  # it says nothing of what the server thinks of us
        lasting = self.dialer.courtesy.note(address, throttled=walked.is_throttled)
        return replace(walked, throttled_for=lasting)

    def _seen(self, stop: Stop, session: Session) -> Walked:
        seen = Walked(
            host=stop.host,
            port=stop.port,
            address=stop.address,
            dialogue=session.dialogue,
            recipients=session.recipients,
            greeting=session.greeting,
            clear_text=" ".join((session.greeting, *session.clear_capabilities)),
            timings=session.timings,
            transcript=session.transcript,
        )
        secured = session.secured
        if secured is None:
            return seen
        now = self.clock.now()
        presented = self.trust.present(secured.chain, now, secured.staple)
        if self.sightings is not None and presented is not None:
            leaf = presented.leaf
            self.sightings.note_certificate(
                stop.host,
                leaf.held,
                leaf.not_after,
                now,
                is_trusted=presented.trust is Trust.TRUSTED,
                chain=_chain(stop, secured.chain, now),
            )
        return replace(
            seen,
            presented=presented,
            chain=secured.chain,
            tls_version=secured.version,
            tls_cipher=secured.cipher,
            asked=secured.asked,
        )


def _chain(stop: Stop, ders: tuple[bytes, ...], now: datetime) -> Chain | None:
    """Return what TLSA records can be held against: they speak of port 25 only."""
    if stop.port != SMTP_PORT:
        return None
    try:
        prints = tuple(print_of(each, key_of(each)) for each in ders[:MAX_PRINTS])
    except ValueError:
        return None  # an authority's certificate may be one that cannot be read
    return Chain(str(stop.address), prints, now)


def _is_no_answer(phase: Phase, reason: Reason) -> bool:
    """Tell whether a session ended so as it would where something in between ends them all."""
    silent = (Reason.TIMEOUT, Reason.REFUSED, Reason.CONNECTION_LOST)
    return phase in (Phase.CONNECT, Phase.GREETING) and reason in silent


def _left_alone(stop: Stop, since: timedelta, left: timedelta) -> Walked:
    """Return the walk that is not made, because the server asked us to slow down."""
    detail = f"it asked to slow down, and is tried again in {left.total_seconds():.0f} s"
    dialogue = Unreached(Phase.CONNECT, Reason.HELD_BACK, detail)
    return Walked(
        host=stop.host,
        port=stop.port,
        address=stop.address,
        dialogue=dialogue,
        throttled_for=since,
    )
