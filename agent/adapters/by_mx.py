"""Where does mail go for a domain by MX, and what do the domain's policies demand?"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from agent.adapters.as_exchange import Leg
from agent.adapters.plans import drive
from agent.adapters.policies import Found, Policies
from agent.adapters.resolver import Resolver
from agent.adapters.walk import Stop
from agent.domain.connector import Promise
from agent.domain.delivery import Route, Zone, examine_policy, find_route, raised
from agent.domain.finding import Finding
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText
from agent.domain.together import together


@dataclass(frozen=True, slots=True)
class Demands:
    """Which policies count: MtaStsMode and SmtpDaneMode of the connector."""

    with_policy: bool = True
    with_dane: bool = True


@dataclass(frozen=True, slots=True)
class Way:
    """The way to one domain: what DNS says, and the policy."""

    route: Route
    policy: Found

    def legs(self, promise: Promise, recipients: tuple[str, ...]) -> Iterator[Leg]:
        """Yield a leg for each address of each exchange, with what is asked of it."""
        to = tuple(each for each in recipients if each.endswith(f"@{self.route.domain}"))
        for target in self.route.survey.routes:
            zone = self.route.zones.get(target.exchange)
            asked = raised(promise, target.exchange, self.policy.policy, zone or Zone())
            for address in target.addresses:
                stop = Stop(host=str(PeerText(target.exchange, MAX_NAME)), address=address)
                yield Leg(stop=stop, promise=asked, recipients=to, zone=zone)

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong with the policy, or with the exchanges by it."""
        found = self.policy
        yield from examine_policy(self.route, found.policy, found.trouble, is_ours=found.is_ours)

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yield a row for each exchange: domain, exchange, policy, TLSA records."""
        policy = self.policy.policy
        for target in self.route.survey.routes:
            zone = self.route.zones.get(target.exchange, Zone())
            covered = "" if policy is None else "yes" if policy.covers(target.exchange) else "no"
            proven = "" if zone.is_authentic or not zone.records else ", not proven"
            yield (
                self.route.domain,
                str(PeerText(target.exchange, MAX_NAME)),
                f"{policy.mode}, covered: {covered}" if policy else self.policy.trouble or "none",
                ", ".join(map(str, zone.records)) + proven or zone.silence or "none",
            )


async def find_ways(
    domains: tuple[str, ...],
    demands: Demands,
    *,
    resolver: Resolver,
    policies: Policies | None,
    within: timedelta,
) -> tuple[Way, ...]:
    """Find the ways to *domains*, all at once."""
    plans = [
        find_route(
            domain,
            with_policy=demands.with_policy,
            with_dane=demands.with_dane,
            is_believed=resolver.is_believed,
        )
        for domain in domains
    ]
    routes = await drive(together(plans, {}), resolver)

    async def policy_of(route: Route) -> Found:
        said = route.announced
        if said.silence:
            return Found(trouble=f"_mta-sts.{route.domain}: {said.silence}", is_ours=True)
        if not said.version or policies is None:
            return Found()
        return await policies.of(route.domain, said.version, within)

    found = await asyncio.gather(*map(policy_of, routes))
    return tuple(Way(route, policy) for route, policy in zip(routes, found, strict=True))
