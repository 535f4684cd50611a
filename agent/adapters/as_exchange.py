"""How does Exchange Online walk a server it delivers to, with all the turns that it takes?

One session does not always settle it: a server may agree with us on a cipher that Exchange does not
offer, and where TLS is not demanded Exchange delivers in the clear if TLS fails.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from agent.adapters.clock import Clock
from agent.adapters.trust import TrustStore
from agent.adapters.walk import Stop, Walker
from agent.adapters.x509 import key_of
from agent.domain.connector import Again, Promise, failure_of_tls, joined, looks_again
from agent.domain.dane import Shown
from agent.domain.delivery import Zone
from agent.domain.smtp import Accepted, Errand, Phase, Refused, Tls
from agent.domain.walk import Walked


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One address to walk, what is asked of it, and whom to name there.

    ``zone`` is what DNS says of its certificate, None where that does not count; ``foreign`` a
    recipient that the server must refuse, None where that is not tried.
    """

    stop: Stop
    promise: Promise
    recipients: tuple[str, ...] = ()
    zone: Zone | None = None
    foreign: str | None = None


@dataclass(frozen=True, slots=True)
class Went:
    """What was seen on a leg, and of the session with the foreign recipient, if there was one."""

    leg: Leg
    walked: Walked
    foreign: Walked | None = None

    @property
    def shown(self) -> tuple[Shown, ...]:
        """The certificates that the server showed, as DANE looks at them."""
        try:
            return tuple(Shown(each, key_of(each)) for each in self.walked.chain)
        except ValueError:
            return ()  # what cannot be read is told by the session


def within_reach(went: list[Went]) -> list[Went]:
    """Leave out IPv6 where this machine has none, as long as something could be tried."""
    return [each for each in went if not each.walked.is_out_of_reach] or went


class AsExchange:
    """Walks legs until *until*, on the monotonic clock, under one name and one sender."""

    def __init__(  # noqa: PLR0913 - the world, and who we are in it
        self,
        walker: Walker,
        trust: TrustStore,
        clock: Clock,
        *,
        helo: str,
        mail_from: str,
        until: float,
    ) -> None:
        self._walker, self._trust, self._clock = walker, trust, clock
        self._helo, self._mail_from, self._until = helo, mail_from, until

    async def walk(self, leg: Leg) -> Went:
        """Walk one address as Exchange Online would, and see that it relays for nobody."""
        walked = await self._as_often(leg)
        dialogue = walked.dialogue
        is_open = isinstance(dialogue, Accepted) or (
            isinstance(dialogue, Refused) and dialogue.phase is Phase.RCPT
        )
        if leg.foreign is None or not is_open:
            return Went(leg, walked)
        return Went(leg, walked, await self._go(leg, leg.stop, (leg.foreign,)))

    async def _as_often(self, leg: Leg) -> Walked:
        """Walk as often as it takes to know what Exchange Online would come to."""
        walked = await self._go(leg, leg.stop, leg.recipients)
        if looks_again(walked, leg.promise) is Again.AS_EXCHANGE:
            offering = replace(leg.stop, tls=self._trust.as_exchange())
            walked = joined(walked, await self._go(leg, offering, leg.recipients))
        if looks_again(walked, leg.promise) is Again.IN_THE_CLEAR:
            again = await self._go(leg, leg.stop, leg.recipients, tls=Tls.NEVER)
            failure = failure_of_tls(walked)
            return replace(again, presented=walked.presented, tls_failure=failure)
        return walked

    async def _go(
        self, leg: Leg, stop: Stop, recipients: tuple[str, ...], tls: Tls | None = None
    ) -> Walked:
        demanded = Tls.IF_OFFERED if leg.promise.tls_settings == "none" else Tls.REQUIRED
        errand = Errand(
            helo=self._helo, tls=tls or demanded, mail_from=self._mail_from, rcpt_to=recipients
        )
        left = timedelta(seconds=self._until - self._clock.monotonic())
        return await self._walker.walk(stop, errand, left)
