"""How does a message reach a domain as any sender on the internet would send it?

The exchanges come from DNS, are tried in their order, and the message is handed over once. What a
server says to the message itself decides; who does not answer, turns us away at the door or defers
the message before it was sent leaves it to the next (:mod:`agent.domain.mx_order`). TLS is not
demanded unless it is told to be, and where it fails then, the message goes in the clear.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from agent.adapters.clock import Clock
from agent.adapters.dialer import Address, Dialer, Reach
from agent.adapters.egress import Egress
from agent.adapters.plans import Resolves, drive
from agent.adapters.smtp import client_for, follow
from agent.adapters.smtp_session import Session, Target, hold
from agent.adapters.tls import TlsClient
from agent.adapters.trust import TrustStore
from agent.adapters.x509_making import KeyPair
from agent.domain.mx import Survey, survey
from agent.domain.mx_order import (
    LEAST_SHARE,
    Candidate,
    Family,
    fell_back,
    gap_in,
    in_order,
    is_decided,
    is_deferral,
    nowhere,
    share,
    verdict,
)
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText
from agent.domain.smtp import Dialogue, Errand, Phase, Reason, Tls, Unreached

_SMTP = 25
_SHORTEST = timedelta(milliseconds=1)
_SILENT = (Reason.TIMEOUT, Reason.REFUSED, Reason.CONNECTION_LOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A domain that takes a message by its MX records.

    ``tls`` demands TLS, or a certificate with the exchange's name, or nothing; ``pair`` is the
    certificate of ours that is shown where one is asked for; ``family`` is the kind of address that
    is used; ``seed`` settles the order of exchanges with equal preference, so let it differ from
    message to message; ``reach`` is as the dialer has it.
    """

    name: str
    tls: Literal["opportunistic", "required", "verified"] = "opportunistic"
    pair: KeyPair | None = None
    family: Family = "any"
    seed: int = 0
    port: int = _SMTP
    reach: Reach = "public"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A session with one address of one exchange, the name as DNS gave it."""

    exchange: str
    preference: int
    address: Address
    session: Session

    @property
    def place(self) -> str:
        """The exchange and its address."""
        return f"{PeerText(self.exchange, MAX_NAME)} ({self.address})"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of a delivery.

    ``attempts`` are all sessions in their order, ``decisive`` the one whose ``dialogue`` counts;
    None where DNS left nobody to try, or did not tell about all. ``resolving`` is seconds.
    """

    dialogue: Dialogue
    attempts: tuple[Attempt, ...] = ()
    decisive: Attempt | None = None
    resolving: float = 0.0

    @property
    def is_deferred(self) -> bool:
        """True where it was only deferred, so that the same message may be tried again later."""
        return is_deferral(self.dialogue)

    @property
    def timings(self) -> Mapping[Phase, float]:
        """Seconds of each phase: of DNS and of the decisive session."""
        later = {} if self.decisive is None else self.decisive.session.timings
        return {Phase.RESOLVE: self.resolving, **later}

    @property
    def transcript(self) -> tuple[PeerText, ...]:
        """What was said in all sessions, each under its exchange."""
        return tuple(self._lines())

    def _lines(self) -> Iterator[PeerText]:
        for each in self.attempts:
            yield PeerText(f"= {each.place}, preference {each.preference}", MAX_NAME)
            yield from each.session.transcript
            if isinstance(each.session.dialogue, Unreached):
                lost = each.session.dialogue
                yield PeerText(f"= {lost.phase}: {lost.reason} {lost.detail}".rstrip())


async def deliver(  # noqa: PLR0913 - what to send, and the world it is sent through
    domain: Domain,
    errand: Errand,
    *,
    resolver: Resolves,
    dialer: Dialer,
    trust: TrustStore,
    clock: Clock,
    deadline: timedelta,
    egress: Egress | None = None,
    least: timedelta = LEAST_SHARE,
) -> Delivery:
    """Hand the message of *errand* to an exchange of *domain*, at the latest after *deadline*.

    ``errand.tls`` follows the domain and need not be set. Each exchange gets a fair share of the
    time, *least* at the least, so that one that swallows everything does not take it all; a session
    that is cut off by that while the final reply is awaited is uncertain. With *egress* a server
    is not blamed for silence as long as nobody has greeted us at the port, which takes two seconds
    more to find out. Raises ValueError for an errand with a login, and for a certificate that
    cannot be read.
    """
    if errand.login is not None:
        message = "nobody logs in at a domain's exchanges"
        raise ValueError(message)
    client = await client_for(domain.tls, domain.pair, trust)
    began = clock.monotonic()
    until = began + deadline.total_seconds()
    found = await _look_up(domain.name, resolver, deadline)
    resolving = clock.monotonic() - began
    candidates = () if found is None else in_order(found, seed=domain.seed, family=domain.family)
    rounds = _Rounds(domain, follow(errand, domain.tls), client, dialer, clock)
    await rounds.go(candidates, until, least)
    attempts = tuple(rounds.attempts)
    if found is None or (candidates and not attempts):
        late = Unreached(Phase.RESOLVE, Reason.DNS_UNANSWERED, "DNS took all of the time")
        return Delivery(late, resolving=resolving)
    gap = gap_in(found)
    place = verdict(tuple(each.session.dialogue for each in attempts), gap)
    if place is None:
        return Delivery(gap or nowhere(found, domain.family), attempts, None, resolving)
    decisive = attempts[place]
    dialogue = await _weigh(decisive, domain.port, egress)
    return Delivery(dialogue, attempts, decisive, resolving)


async def _look_up(name: str, resolver: Resolves, deadline: timedelta) -> Survey | None:
    try:
        async with asyncio.timeout(deadline.total_seconds()):
            return await drive(survey(name.lower()), resolver)
    except TimeoutError:
        return None


async def _weigh(attempt: Attempt, port: int, egress: Egress | None) -> Dialogue:
    """Return what came of an attempt; the silence of all the world is the fault of nobody there."""
    dialogue = attempt.session.dialogue
    if egress is None or not attempt.address.is_global:
        return dialogue
    match dialogue:
        case Unreached(Phase.CONNECT | Phase.GREETING as phase, reason) if reason in _SILENT:
            if not await egress.is_proven(port, sum(attempt.session.timings.values())):
                detail = f"{reason}, and nobody has greeted us at port {port}"
                return Unreached(phase, Reason.NO_EGRESS, detail)
    return dialogue


class _Rounds:
    """Sessions with one exchange after the other, until one decides."""

    def __init__(
        self, domain: Domain, errand: Errand, client: TlsClient, dialer: Dialer, clock: Clock
    ) -> None:
        self._domain, self._errand, self._client = domain, errand, client
        self._dialer, self._clock = dialer, clock
        self.attempts: list[Attempt] = []

    async def go(self, candidates: tuple[Candidate, ...], until: float, least: timedelta) -> None:
        """Try *candidates* in turn as long as there is time."""
        for place, candidate in enumerate(candidates):
            left = self._left(until)
            if left <= timedelta() or await self._visit(
                candidate, share(left, len(candidates) - place, least), least
            ):
                return

    async def _visit(self, candidate: Candidate, within: timedelta, least: timedelta) -> bool:
        """Try every address of an exchange in turn; tell whether one has decided."""
        until = self._clock.monotonic() + within.total_seconds()
        for place, address in enumerate(candidate.addresses):
            left = self._left(until)
            if left <= timedelta():
                return False
            turn = share(left, len(candidate.addresses) - place, least)
            if await self._try(candidate, address, turn):
                return True
        return False

    def _left(self, until: float) -> timedelta:
        return timedelta(seconds=until - self._clock.monotonic())

    async def _try(self, candidate: Candidate, address: Address, within: timedelta) -> bool:
        until = self._clock.monotonic() + within.total_seconds()
        dialogue = await self._hold(candidate, address, self._errand, within)
        if self._errand.tls is Tls.IF_OFFERED and fell_back(dialogue):
            plain = replace(self._errand, tls=Tls.NEVER)
            left = max(self._left(until), _SHORTEST)
            dialogue = await self._hold(candidate, address, plain, left)
        return is_decided(dialogue)

    async def _hold(
        self, candidate: Candidate, address: Address, errand: Errand, within: timedelta
    ) -> Dialogue:
        target = Target(
            address=address,
            port=self._domain.port,
            tls=self._client,
            server_name=candidate.exchange,
            reach=self._domain.reach,
        )
        session = await hold(
            target, errand, dialer=self._dialer, clock=self._clock, deadline=within
        )
        attempt = Attempt(candidate.exchange, candidate.preference, address, session)
        self.attempts.append(attempt)
        return session.dialogue
