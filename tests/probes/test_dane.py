"""The dane probe asks whom it must, and no more, and says what it could not learn."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.adapters.plans import Recall
from agent.adapters.sightings import Chain, Sightings
from agent.domain import dane_rules as rules
from agent.domain.dane_survey import Controls
from agent.domain.direct import Code, DirectQuery, Heard, Said
from agent.domain.fact import Table
from agent.domain.finding import Outcome, Severity
from agent.domain.lookup import Answer, Query, Reply
from agent.domain.mta_sts_terms import Mode, Policy
from agent.probes.base import DNS_UNANSWERED, Check, Toolbox
from agent.probes.dane import PROBE, DaneSettings
from agent.settings import DomainSubject
from proof import fires, quiet
from servers.dane_case import (
    AT,
    CHAIN,
    DAY,
    LEAF,
    MOVING,
    MX,
    NEW,
    OLD,
    OTHER,
    OWN,
    PLACE,
    SERVFAIL,
    SILENT,
    Case,
    D,
    signature,
)
from servers.standings import NOON

GOOD = Case()
BOTH = f"{D} MX 0 {OLD}\n{D} MX 20 {NEW}\n{MOVING}_mta-sts.{D} TXT v=STSv1; id=1\n"


@dataclass
class World:
    """A resolver with these answers, and what it says when it is asked directly.

    *heard* are answers by name and by whether validation was wanted.
    """

    case: Case = GOOD
    heard: dict[tuple[str, bool], Heard] = field(default_factory=dict)
    servers: tuple[tuple[str, int], ...] = (("127.0.0.1", 5353), ("127.0.0.2", 53))
    asked: list[DirectQuery] = field(default_factory=list)
    sightings: Sightings | None = field(default_factory=Sightings)
    policy: Policy | None = None
    fetched: list[str] = field(default_factory=list)

    is_believed = True

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        zone: Mapping[tuple[str, str], Reply] = self.case.zone()
        return tuple(zone.get((each.name, each.type), Answer()) for each in queries)

    async def ask(self, query: DirectQuery, reach: str) -> Heard:
        assert reach == "any"  # the operator has named it
        self.asked.append(query)
        return self.heard.get((query.name, not query.unchecked), Said(Code.NOERROR))

    async def of(self, domain: str, version: str) -> Any:
        self.fetched.append(f"{domain} {version}")
        return SimpleNamespace(policy=self.policy)

    async def run(self, *, direct: bool = True, **settings: Any) -> Outcome:
        tools: Any = SimpleNamespace(
            resolver=self,
            clock=SimpleNamespace(now=lambda: NOON),
            recall=Recall(self),
            direct=self if direct else None,
            sightings=self.sightings,
            policies=self,
        )
        made = DaneSettings.model_validate(settings)
        check = Check("contoso", DomainSubject(name=D), PROBE, made)
        return await PROBE.run(check, cast("Toolbox", tools))

    def note(self, *chain: bytes, ago: timedelta = timedelta(0), address: str = PLACE) -> None:
        assert self.sightings is not None
        seen = Chain(address, chain, NOON - ago)
        self.sightings.note_certificate(OWN, (OWN,), NOON + 60 * DAY, NOON - ago, chain=seen)


async def test_what_is_signed_is_asked_for_once_more_at_the_resolver() -> None:
    world = World(heard={(D, False): Said(Code.NOERROR, signatures=(signature(DAY),))})
    outcome = await world.run()
    asked = [(each.name, each.type) for each in world.asked]
    assert asked == [(D, "MX"), (OWN, "A"), (AT, "TLSA"), ("", "NS")]
    for each in world.asked:
        assert (str(each.server), each.port) == ("127.0.0.1", 5353)
        assert each.recursive
        assert each.signed
        assert each.unchecked
    fires(rules.SIGNATURE_ENDS, outcome)
    quiet(rules.SIGNATURE_ENDS, await world.run(warn_before="1h"))


async def test_before_a_signature_counts_as_expired_the_control_tells_of_our_clock() -> None:
    late = Said(Code.NOERROR, signatures=(signature(-40 * DAY),))
    for name in ("", "signed.example"):
        settings: dict[str, Any] = {"signed_control": name or None}
        case = GOOD.but(controls=Controls(name))
        world = World(case, heard={(D, False): late, (name, False): late})
        outcome = await world.run(**settings)
        fires(rules.CLOCK_IN_DOUBT, outcome)
        quiet(rules.SIGNATURE_EXPIRED, outcome)
        assert (outcome.severity, outcome.failure) == (Severity.UNKNOWN, "clock")
        world.heard[name, False] = Said(Code.NOERROR, signatures=(signature(9 * DAY),))
        fires(rules.SIGNATURE_EXPIRED, await world.run(**settings))
    world = World(heard={(D, False): Said(Code.NOERROR, signatures=(signature(9 * DAY),))})
    assert (await world.run()).findings == ()
    assert ("", "NS") not in [(each.name, each.type) for each in world.asked]


async def test_nobody_is_asked_about_a_domain_that_is_not_signed() -> None:
    world = World(Case(MX, unsigned=(D,)))
    assert (await world.run()).findings == ()
    assert world.asked == []


async def test_a_failure_is_a_fault_of_the_domain_only_when_it_comes_back() -> None:
    world = World(GOOD.but(replies={(D, "MX"): SERVFAIL}))
    world.heard[D, True] = Said(Code.SERVFAIL)
    outcome = await world.run()
    fires(rules.BOGUS, outcome)
    quiet(DNS_UNANSWERED, outcome)
    assert [each.unchecked for each in world.asked] == [True, False]
    world.heard[D, True] = Said(Code.NOERROR)
    passed = await world.run()
    quiet(rules.BOGUS, passed)
    fires(DNS_UNANSWERED, passed)
    assert passed.failure == "servfail"
    world.heard[D, False] = SILENT
    fires(DNS_UNANSWERED, await world.run())


@pytest.mark.parametrize("kind", ["direct", "servers", "slow"])
async def test_without_a_second_look_a_failure_stays_unknown(kind: str) -> None:
    world = World(GOOD.but(replies={(D, "MX"): SERVFAIL}))
    if kind == "servers":
        world.servers = ()
    timeout = timedelta(milliseconds=100)
    if kind == "slow":
        world.heard = {}
        world.ask = _never  # type: ignore[method-assign]
    outcome = await world.run(direct=kind != "direct", timeout=timeout)
    fires(DNS_UNANSWERED, outcome)
    quiet(rules.BOGUS, outcome)


async def _never(query: DirectQuery, reach: str) -> Heard:
    del query, reach
    raise TimeoutError


async def test_a_resolver_that_proves_nothing_is_told_where_it_matters() -> None:
    outcome = await World(GOOD.but(control=Answer())).run()
    fires(rules.NOT_TRUSTED, outcome)
    assert outcome.failure == "absent"
    assert (await World(Case(MX, control=Answer())).run()).findings == ()


async def test_addresses_that_did_not_come_are_told_by_others() -> None:
    outcome = await World(GOOD.but(replies={(OWN, "AAAA"): SILENT})).run()
    assert outcome.findings == ()
    told = await World(GOOD.but(replies={(AT, "TLSA"): SILENT})).run()
    assert fires(DNS_UNANSWERED, told).detail == f"TLSA of {AT}: timeout."
    assert told.failure == "timeout"


async def test_the_certificates_that_others_saw_lately_are_compared() -> None:
    world = World()
    world.note(OTHER, ago=timedelta(hours=30))
    assert stand(await world.run()) == "not seen"
    world.note(LEAF)
    assert stand(await world.run()) == "fits"
    world.note(CHAIN[1], address="192.31.196.31")
    fires(rules.PARTLY_MISMATCH, await world.run())
    assert stand(await replace(world, sightings=None).run()) == "not seen"
    without = World()
    assert without.sightings is not None
    without.sightings.note_certificate(OWN, (OWN,), NOON, NOON)
    assert stand(await without.run()) == "not seen"


def stand(outcome: Outcome) -> str:
    table = outcome.facts["exchanges"]
    assert isinstance(table, Table)
    return table.rows[0][4]


async def test_the_policy_is_fetched_only_while_the_exchange_is_exchanged() -> None:
    world = World(Case(BOTH), policy=Policy(Mode.ENFORCE, (OLD, NEW), 604800))
    fires(rules.STS_ENFORCED, await world.run())
    assert world.fetched == [f"{D} 1"]
    await World(GOOD).run()
    quiet(rules.STS_ENFORCED, await World(Case(BOTH)).run())
