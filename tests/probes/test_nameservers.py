"""The check of name servers, over real servers that disagree, lie, cut and keep silent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from agent.adapters.dns_direct import Direct
from agent.adapters.history import History
from agent.adapters.plans import Recall
from agent.adapters.resolver import Resolver
from agent.adapters.store import Store
from agent.domain import nameservers_rules as rules
from agent.domain.fact import Table, Text
from agent.domain.finding import Outcome, Severity
from agent.probes.base import DNS_UNANSWERED, Check, Toolbox
from agent.probes.nameservers import PROBE, NameserversSettings, run
from agent.settings import DomainSubject
from proof import fires, quiet
from servers.authority import Authority
from servers.dns import Content, DnsServer, Fault, Published, Raw, Truncated, WithoutTcp
from servers.standings import HandClock

ABOVE, FIRST, SECOND = "192.31.196.1", "192.31.196.53", "192.52.193.53"
MX = ("contoso.com", "MX")
TXT = ("contoso.com", "TXT")
SOA = ("contoso.com", "SOA")
NS = ("contoso.com", "NS")
DAY, QUARTER = timedelta(days=1), timedelta(minutes=15)
ZONE: dict[tuple[str, str], Content] = {
    NS: ["ns1.dns.example", "ns2.dns.example"],
    SOA: "ns1.dns.example host.dns.example 7 3600 600 1209600 3600",
    MX: Published("0 mx.contoso.com", ttl=3600),
    TXT: "v=spf1 -all",
    ("_dmarc.contoso.com", "TXT"): "v=DMARC1; p=reject",
    ("selector1._domainkey.contoso.com", "TXT"): "v=DKIM1; p=AAAA",
}
WORLD: dict[tuple[str, str], Content] = {
    **ZONE,
    ("com", "NS"): "a.registry.example",
    ("a.registry.example", "A"): ABOVE,
    ("ns1.dns.example", "A"): FIRST,
    ("ns2.dns.example", "A"): SECOND,
}


@dataclass
class World:
    resolver: DnsServer
    above: Authority
    first: Authority
    second: Authority
    clock: HandClock
    tools: Toolbox
    check: Check[DomainSubject, NameserversSettings]

    async def run(self) -> Outcome:
        return await run(self.check, self.tools)

    async def later(self, after: timedelta) -> Outcome:
        """Run, and again after some time."""
        await self.run()
        self.clock.advance(after)
        return await self.run()

    def with_settings(self, **changes: object) -> None:
        settings = NameserversSettings.model_validate(changes)
        self.check = Check("contoso", self.check.target, PROBE, settings)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(DnsServer(dict(WORLD)))
        names = (Authority(dict(WORLD), "com"), Authority(dict(ZONE)), Authority(dict(ZONE)))
        above, first, second = [await stack.enter_async_context(each) for each in names]
        clock, store = HandClock(), Store(None)
        await store.open()
        resolver = Resolver((server.address,), clock, timeout=timedelta(milliseconds=300))
        await resolver.start()
        direct = Direct(
            clock,
            timeout=timedelta(milliseconds=300),
            detours={
                (ABOVE, 53): above.address,
                (FIRST, 53): first.address,
                (SECOND, 53): second.address,
                server.address: server.address,
            },
            detours_only=True,
        )
        tools = SimpleNamespace(
            resolver=resolver,
            recall=Recall(resolver),
            clock=clock,
            history=History(store),
            direct=direct,
        )
        check = Check("contoso", DomainSubject(name="contoso.com"), PROBE, NameserversSettings())
        yield World(server, above, first, second, clock, cast("Toolbox", tools), check)
        await resolver.close()
        await store.close()


def codes(outcome: Outcome) -> set[str]:
    return {each.rule.code.removeprefix("nameservers-") for each in outcome.findings}


async def test_a_healthy_domain_has_no_findings_and_shows_every_server(world: World) -> None:
    outcome = await world.run()
    assert outcome.findings == ()
    values = {one.signal.name: one.value for one in outcome.measurements}
    assert len(values) == len(PROBE.signals)
    assert values["mailflow_nameservers_servers"] == 2
    assert values["mailflow_nameservers_addresses_authoritative"] == 2
    assert values["mailflow_nameservers_serial_spread"] == 0
    assert values["mailflow_nameservers_lowest_ttl_seconds"] == 300
    assert values["mailflow_nameservers_highest_ttl_seconds"] == 3600
    table = outcome.facts["name servers"]
    assert isinstance(table, Table)
    assert [(row[0], row[1], *row[3:]) for row in table.rows] == [
        ("ns1.dns.example", FIRST, "7", "same", "same", "same", "speaks for the zone"),
        ("ns2.dns.example", SECOND, "7", "same", "same", "same", "speaks for the zone"),
    ]
    zone, delegation = outcome.facts["zone"], outcome.facts["delegation"]
    assert isinstance(zone, Text)
    assert isinstance(delegation, Text)
    assert "delegated by com to: ns1.dns.example, ns2.dns.example" in zone.text
    assert "told by the zone above" in delegation.text


async def test_servers_may_differ_while_a_change_spreads_and_not_for_long(world: World) -> None:
    assert (await world.run()).findings == ()
    world.second.zone[MX] = "0 mx.old.example"
    world.second.zone[TXT] = []
    world.second.zone[SOA] = "ns1.dns.example host.dns.example 6 3600 600 1209600 3600"
    quiet(rules.MX_ELSEWHERE, await world.run())
    outcome = await world.later(QUARTER)
    found = fires(rules.MX_ELSEWHERE, outcome)
    assert found.evidence == (
        f"ns1.dns.example ({FIRST}): 0 mx.contoso.com",
        f"ns2.dns.example ({SECOND}): 0 mx.old.example",
    )
    fires(rules.SPF_DIFFERS, outcome)
    quiet(rules.SERIALS_DIFFER, outcome)  # not yet longer than `refresh`
    values = {one.signal.name: one.value for one in outcome.measurements}
    assert values["mailflow_nameservers_serial_spread"] == 1
    table = outcome.facts["name servers"]
    assert isinstance(table, Table)
    assert table.rows[1][3:] == ("6", "differs", "lacks it", "same", "older than another's")
    late = fires(rules.SERIALS_DIFFER, await world.later(timedelta(hours=1)))
    assert late.detail == f"ns2.dns.example ({SECOND}) has serial 6, and 7 is the newest."
    world.second.zone = dict(ZONE)
    assert (await world.run()).findings == ()


async def test_a_single_look_judges_at_once_and_says_that_it_is_a_hint(world: World) -> None:
    assert PROBE.one_off is not None
    world.check = Check("", world.check.target, PROBE, PROBE.one_off)
    world.second.zone[MX] = []
    found = fires(rules.MX_LACKING, await world.run())
    assert found.detail == "MX of contoso.com: 2 answers; it may be a change on its way."


async def test_a_changed_delegation_is_critical_for_a_day(world: World) -> None:
    await world.run()
    stranger: dict[tuple[str, str], Content] = {
        NS: ["ns1.dns.example", "ns9.stranger.example"],
        ("ns9.stranger.example", "A"): SECOND,
    }
    for server in (world.resolver, world.above, world.first, world.second):
        server.zone |= stranger
    world.clock.advance(timedelta(minutes=5))
    found = fires(rules.CHANGED, await world.run())
    assert found.evidence == (
        "+ contoso.com NS ns9.stranger.example",
        "- contoso.com NS ns2.dns.example",
    )
    assert found.severity is Severity.CRITICAL
    values = {one.signal: one.value for one in (await world.run()).measurements}
    assert values[PROBE.signals[-1]] == world.clock.now().timestamp()
    outcome = await world.later(DAY)
    quiet(rules.CHANGED, outcome)
    shown = outcome.facts["changes"]
    assert isinstance(shown, Text)
    assert "last change: " in shown.text


async def test_a_delegation_that_was_put_back_is_no_change_any_more(world: World) -> None:
    await world.run()
    servers = (world.resolver, world.above, world.first, world.second)
    right = world.resolver.zone[NS]
    for server in servers:
        server.zone |= {NS: ["ns1.dns.example"]}
    world.clock.advance(timedelta(minutes=5))
    fires(rules.CHANGED, await world.run())
    for server in servers:
        server.zone |= {NS: right}
    world.clock.advance(timedelta(minutes=5))
    quiet(rules.CHANGED, await world.run())


async def test_what_the_operator_expects_is_no_news_and_the_rest_is_critical(world: World) -> None:
    world.with_settings(expected=("*.dns.example",))
    quiet(rules.UNEXPECTED, await world.run())
    world.with_settings(expected=("ns1.dns.example",))
    found = fires(rules.UNEXPECTED, await world.run())
    assert found.detail == "ns2.dns.example is none of ns1.dns.example."


async def test_a_zone_above_that_keeps_silent_for_a_while_is_no_change(world: World) -> None:
    await world.run()
    world.above.zone[NS] = Fault.SILENT
    outcome = await world.run()
    assert outcome.findings == ()
    shown = outcome.facts["delegation"]
    assert isinstance(shown, Text)
    assert "told by the resolver" in shown.text


async def test_lame_silent_and_cut_servers_are_told_apart(world: World) -> None:
    world.second.is_lame = True
    outcome = await world.run()
    assert fires(rules.LAME, outcome).detail == f"ns2.dns.example ({SECOND}) answers REFUSED."
    assert outcome.severity is Severity.WARNING
    world.second.is_lame = False
    world.second.zone[SOA] = Fault.SILENT
    fires(rules.SILENT, await world.run())
    world.second.zone = {**ZONE, TXT: Truncated("v=spf1 -all", tcp="closes")}
    found = fires(rules.TCP, await world.run())
    assert found.detail == f"ns2.dns.example ({SECOND}): SPF."
    world.first.is_lame = world.second.is_lame = True
    found = fires(rules.ALL_LAME, await world.run())
    assert found.detail.endswith("; the resolver still has an answer.")


async def test_answers_that_are_cut_accuse_nobody_where_tcp_leads_nowhere(world: World) -> None:
    cut = Truncated("v=spf1 -all", tcp="closes")
    for server in (world.above, world.first, world.second):
        server.zone |= {TXT: cut, SOA: WithoutTcp(str(ZONE[SOA]))}
    outcome = await world.run()
    found = fires(rules.OUT_OF_REACH, outcome)
    assert found.detail == "Answers are cut, and nobody answers us over TCP."
    assert found.evidence == (
        f"ns1.dns.example ({FIRST}): SPF",
        f"ns2.dns.example ({SECOND}): SPF",
    )
    assert outcome.severity is Severity.UNKNOWN
    assert outcome.failure == "unreachable"
    world.above.zone[SOA] = ZONE[SOA]
    outcome = await world.run()
    quiet(rules.OUT_OF_REACH, outcome)
    assert codes(outcome) == {"tcp"}


async def test_where_the_resolver_fails_too_the_zone_above_shows_whose_fault_it_is(
    world: World,
) -> None:
    world.resolver.zone[NS] = world.resolver.zone[SOA] = Fault.SERVFAIL
    world.first.is_lame = world.second.is_lame = True
    found = fires(rules.ALL_LAME, await world.run())
    assert found.detail == "None of 2 addresses speaks for contoso.com."
    world.first.is_lame = world.second.is_lame = False
    world.first.zone[SOA] = world.second.zone[SOA] = Fault.SILENT
    fires(rules.ALL_SILENT, await world.run())


async def test_without_a_way_to_name_servers_nobody_is_accused(world: World) -> None:
    for direct in (None, Direct(world.clock, detours_only=True)):
        world.tools = cast("Toolbox", SimpleNamespace(**{**vars(world.tools), "direct": direct}))
        outcome = await world.run()
        assert codes(outcome) == {"out-of-reach"}
        assert outcome.failure == "unreachable"
    world.with_settings(must_reach=False)
    blind = await world.run()
    assert blind.findings == ()
    assert blind.idle.startswith("No name server answers from here")


@pytest.mark.parametrize("fault", [Fault.SERVFAIL, Fault.REFUSED, Fault.SILENT])
async def test_a_resolver_that_cannot_say_is_unknown(world: World, fault: Fault) -> None:
    world.resolver.zone = {NS: fault, ("com", "NS"): fault}
    outcome = await world.run()
    found = fires(DNS_UNANSWERED, outcome)
    assert found.detail.startswith("NS of contoso.com: ")
    assert len(outcome.findings) == 1
    assert outcome.failure


async def test_a_world_without_name_servers_has_nothing_to_look_at(world: World) -> None:
    world.resolver.zone = {MX: "0 mx.contoso.com"}
    outcome = await world.run()
    quiet(DNS_UNANSWERED, outcome)
    assert outcome.findings == ()
    assert outcome.facts["zone"] == Text(
        "The name does not exist, or has no name server, nor has anything above it."
    )


async def test_a_resolver_may_keep_what_it_had_for_its_time_to_live(world: World) -> None:
    world.resolver.zone[MX] = "0 mail.inside.example"
    quiet(rules.RESOLVER_DIFFERS, await world.later(QUARTER))
    outcome = await world.later(timedelta(hours=1))
    found = fires(rules.RESOLVER_DIFFERS, outcome)
    assert found.evidence[1:] == ("expected: 0 mx.contoso.com",)
    assert codes(outcome) == {"resolver-differs"}


async def test_a_parked_or_unknown_domain_is_asked_for_no_keys(world: World) -> None:
    for topology in ("parked", "custom"):
        target = world.check.target.model_copy(update={"topology": topology})
        world.check = Check("contoso", target, PROBE, NameserversSettings())
        world.first.asked.clear()
        await world.run()
        assert not any("selector1" in name for name, _ in world.first.asked)


async def test_what_hostile_servers_send_is_bounded_and_printable(world: World) -> None:
    names = [f"ns{number}.dns.example" for number in range(900)]
    world.resolver.zone[NS] = names
    world.above.zone[NS] = names
    world.resolver.zone |= {
        (name, "A"): [f"192.0.0.{1 + at % 200}", FIRST] for at, name in enumerate(names)
    }
    world.first.zone[MX] = ["10 \x1b[31m.example"]
    world.first.zone[SOA] = "ns1.dns.example host.dns.example 7 4294967295 1 0 4294967295"
    async with asyncio.timeout(20):
        outcome = await world.run()
    fires(rules.TOO_MANY, outcome)
    fires(rules.SPECIAL_ADDRESS, outcome)
    fires(rules.SOA_TIMERS, outcome)
    assert len(outcome.findings) < 80
    assert "\x1b" not in repr(outcome.findings) + repr(outcome.facts).replace("\\x1b", "")


async def test_garbage_and_servers_that_send_in_circles_are_lame(world: World) -> None:
    world.first.apex = "example"  # knows nothing, and sends on to itself
    world.first.zone = {NS: "ns1.dns.example"}
    world.second.zone[SOA] = Raw(lambda _, data: data[:2] + b"\x84\x00" + data[4:40])
    outcome = await world.run()
    fires(rules.ALL_LAME, outcome)
    assert outcome.severity is Severity.CRITICAL


async def test_nothing_of_a_run_is_kept_but_the_last_state(world: World) -> None:
    first = await world.run()
    second = await world.run()
    assert replace(first, facts={}, measurements=()) == replace(second, facts={}, measurements=())
