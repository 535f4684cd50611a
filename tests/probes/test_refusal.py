"""Doors that must be shut, tried over real sockets at the lab's servers and at a real one."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import cast

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.plans import Recall, Resolves
from agent.adapters.resolver import Resolver
from agent.adapters.trust import TrustStore
from agent.domain import refusal_rules as rules
from agent.domain.fact import Table, Text
from agent.domain.finding import Outcome
from agent.domain.lookup import Answer, Exchange, Query, Reply, Silence, Unanswered
from agent.lab.lab import Lab
from agent.probes.base import DNS_UNANSWERED, Check, Toolbox
from agent.probes.refusal import PROBE, RefusalSettings
from agent.settings import DomainSubject
from proof import fires, quiet
from servers.smtp import Mailbox, real_server

ENDPOINT = "fabrikam-com.mail.protection.outlook.com"
AT_ENDPOINT: Mapping[str, object] = MappingProxyType(
    {"endpoint": ENDPOINT, "recipient": "postmaster@fabrikam.com", "reject_direct_send": True}
)


class Zone:
    """A resolver that answers from records; what it lacks exists without data."""

    def __init__(self, records: dict[tuple[str, str], Reply]) -> None:
        self._records = records

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        return tuple(self._records.get((each.name, each.type), Answer()) for each in queries)


async def knock(
    resolver: object,
    detours: Mapping[tuple[str, int], tuple[str, int]],
    settings: Mapping[str, object],
    **subject: object,
) -> Outcome:
    clock = SystemClock()
    dialer = Dialer(clock=clock, detours=detours, detours_only=True)
    trust = TrustStore(system=False)
    tools = SimpleNamespace(
        resolver=resolver,
        recall=Recall(cast("Resolves", resolver)),
        clock=clock,
        dialer=dialer,
        trust=trust,
        egress=None,
        sightings=None,
    )
    target = {"name": "fabrikam.com", "topology": "third-party-filter", **subject}
    check = Check(
        tenant="contoso",
        target=DomainSubject.model_validate(target),
        probe=PROBE,
        settings=RefusalSettings.model_validate({"timeout": timedelta(seconds=9), **settings}),
    )
    return await PROBE.run(check, cast("Toolbox", tools))


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[tuple[Lab, Resolver]]:
    async with AsyncExitStack() as stack:
        lab = await stack.enter_async_context(Lab(folder))
        resolver = Resolver((lab.resolver,), SystemClock())
        await resolver.start()
        stack.push_async_callback(resolver.close)
        yield lab, resolver


def shut(outcome: Outcome) -> dict[str, float]:
    return {each.labels[0]: cast("float", each.value) for each in outcome.measurements}


async def test_a_tenant_that_is_locked_refuses_everything(tmp_path: Path) -> None:
    async with world(tmp_path) as (lab, resolver):
        outcome = await knock(resolver, lab.detours, AT_ENDPOINT)
    assert outcome.findings == ()
    assert shut(outcome) == {"bypass": 1, "direct-send": 1, "own-domain": 1, "open-relay": 1}
    doors = outcome.facts["Doors"]
    assert isinstance(doors, Table)
    assert {row[2] for row in doors.rows} == {"shut"}
    assert len(doors.rows) == 3 + 2 * 2
    assert list(outcome.facts) == ["Doors"]


async def test_a_filter_that_can_be_passed_is_critical(tmp_path: Path) -> None:
    async with world(tmp_path) as (lab, resolver):
        lab.world.break_("filter-bypassed")
        outcome = await knock(resolver, lab.detours, AT_ENDPOINT)
        unfiltered = await knock(resolver, lab.detours, {**AT_ENDPOINT, "filtered": False})
    assert "250 2.1.5" in fires(rules.BYPASSED, outcome).detail
    assert shut(outcome)["bypass"] == 0
    transcripts = [each.text for each in outcome.facts.values() if isinstance(each, Text)]
    assert len(transcripts) == 1
    assert "DATA" not in transcripts[0]
    quiet(rules.BYPASSED, unfiltered)


async def test_an_endpoint_that_relays_and_takes_direct_send_is_critical(tmp_path: Path) -> None:
    async with world(tmp_path) as (lab, resolver):
        lab.world.break_("exchange-open-relay")
        outcome = await knock(resolver, lab.detours, AT_ENDPOINT)
        meant = await knock(resolver, lab.detours, {**AT_ENDPOINT, "reject_direct_send": False})
    fires(rules.DIRECT_SEND, outcome)
    fires(rules.OWN_DOMAIN_RELAYED, outcome)
    quiet(rules.DIRECT_SEND, meant)


@pytest.mark.parametrize("fault", ["exchange-throttles", "exchange-bans-address"])
async def test_a_refusal_for_another_reason_proves_nothing(tmp_path: Path, fault: str) -> None:
    async with world(tmp_path) as (lab, resolver):
        lab.world.break_(fault)
        outcome = await knock(resolver, lab.detours, AT_ENDPOINT)
    finding = fires(rules.INCONCLUSIVE, outcome)
    assert "4.7.500" in finding.detail or "5.7.606" in finding.detail
    assert "bypass" not in shut(outcome)
    quiet(rules.BYPASSED, outcome)


async def test_a_host_of_the_domain_that_relays_for_everybody_is_found() -> None:
    records: dict[tuple[str, str], Reply] = {
        ("fabrikam.com", "MX"): Answer((Exchange(0, "mail.fabrikam.com"),)),
        ("mail.fabrikam.com", "A"): Answer((ip_address("192.31.196.7"),)),
    }
    mailbox = Mailbox(recipients=("relay-test@example.org",))
    async with real_server(mailbox) as port:
        detours = {("192.31.196.7", 25): ("127.0.0.1", port)}
        outcome = await knock(Zone(records), detours, {})
        shy = await knock(Zone(records), detours, {"try_relay": False})
    fires(rules.OPEN_RELAY, outcome)
    fires(rules.OWN_DOMAIN_RELAYED, outcome)
    assert mailbox.messages == []
    assert shy.findings == ()
    assert shy.idle


async def test_a_large_providers_hosts_are_left_alone() -> None:
    records: dict[tuple[str, str], Reply] = {
        ("fabrikam.com", "MX"): Answer((Exchange(0, ENDPOINT),)),
        (ENDPOINT, "A"): Answer((ip_address("192.31.196.7"),)),
    }
    outcome = await knock(Zone(records), {}, {}, topology="exchange-online")
    assert "no host of the domain's own" in outcome.idle
    assert outcome.findings == ()


async def test_a_door_that_cannot_be_found_or_reached_is_not_called_shut() -> None:
    gone = await knock(Zone({(ENDPOINT, "A"): Answer(name_exists=False)}), {}, AT_ENDPOINT)
    fires(rules.NOT_TRIED, gone)
    silent = Unanswered(Silence.TIMEOUT)
    records: dict[tuple[str, str], Reply] = {
        (ENDPOINT, "A"): silent,
        (ENDPOINT, "AAAA"): silent,
        ("fabrikam.com", "MX"): silent,
    }
    unanswered = await knock(Zone(records), {}, AT_ENDPOINT)
    fires(DNS_UNANSWERED, unanswered)
    assert unanswered.failure == "dns-unanswered"
    there: dict[tuple[str, str], Reply] = {(ENDPOINT, "A"): Answer((ip_address("192.31.196.7"),))}
    unreached = await knock(Zone(there), {}, AT_ENDPOINT)
    fires(rules.NOT_TRIED, unreached)
    assert unreached.failure == "forbidden-address"
    assert shut(unreached) == {}


def test_an_endpoint_needs_a_recipient() -> None:
    with pytest.raises(ValueError, match="needed together"):
        RefusalSettings.model_validate({"endpoint": ENDPOINT})
