"""Whatever DNS does instead of answering, no probe takes it for a fault of the domain.

Every probe of a domain meets every way in which DNS can fail: for all questions at once, and for
each single one of those that it asks of a domain that is well. What answers in a resolver's place,
the same for every name, is found out by its word on names that must have an SOA record.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from domains.gallery_of_domains import CASES, ENFORCE, zone
from domains.served_policies import Served

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.dns_direct import Direct
from agent.adapters.resolver import Resolver
from agent.cli.looking import look, public_probes
from agent.cli.sight import doubts, unless_doubted
from agent.cli.toolbox import lending
from agent.domain.control import NOWHERE, RESOLVER_DOWN, RESOLVER_INVENTS
from agent.domain.finding import Outcome, Severity
from agent.probes import mx, self_check
from agent.probes.base import Check, Probe, Toolbox, discover
from agent.settings import AgentSubject, DomainSubject
from proof import fires, quiet
from servers.dns import Content, DnsServer, Fault, Raw, Truncated
from servers.gates import ADDRESS, GATES

SLUG = "sts-well"
(DOMAIN,) = (case.domain for case in CASES if case.slug == SLUG)
SUBJECT = DomainSubject(
    name=DOMAIN, topology="exchange-online", senders=("exchange-online", "192.31.196.30")
)
RELAY = {  # a sender of its own, so that reverse names are asked for
    (DOMAIN, "TXT"): "v=spf1 ip4:192.31.196.30 include:spf.protection.outlook.com -all",
    ("30.196.31.192.in-addr.arpa", "PTR"): f"relay.{DOMAIN}",
    (f"relay.{DOMAIN}", "A"): "192.31.196.30",
}
CONTROL: dict[tuple[str, str], Content] = {("com", "SOA"): "a.registry.example"}
SOON = timedelta(milliseconds=50)  # until silence is taken for one
FAULTS: dict[str, Content] = {
    "failing": Fault.SERVFAIL,
    "refused": Fault.REFUSED,
    "not-implemented": Fault.NOTIMP,
    "format-error": Fault.FORMERR,
    "silent": Fault.SILENT,
    "garbage": Raw(lambda _, wire: wire[:2] + b"\xff" * 40),
    "cut-short": Raw(lambda _, wire: wire[:7]),
    "only-an-echo": Raw(lambda _, wire: wire),
    "truncated-and-closed": Truncated(tcp="closes"),
    "truncated-and-silent": Truncated(tcp="hangs"),
    "truncated-again": Truncated(tcp="truncated"),
}
# Which have an answer for a domain of which nothing is known: they look at nothing but its name.
PUBLIC: tuple[Probe[Any, Any], ...] = tuple(public_probes())
PROBES = tuple(probe for probe in discover() if probe.subject is DomainSubject)
NOTHING_TO_ASK: dict[str, str] = {"reputation": "no list is named"}
"""Probes that ask DNS nothing as long as nothing is configured for them, and why."""


@asynccontextmanager
async def tools_over(server: DnsServer, patience: timedelta) -> AsyncIterator[Toolbox]:
    """Lend tools that see nothing but *server*."""
    clock = SystemClock()
    resolver = Resolver((server.address,), clock, timeout=patience, attempts=1)
    await resolver.start()
    async with lending(resolver) as lent:
        nowhere = Dialer(clock=clock, detours_only=True)
        tools = replace(lent, dialer=nowhere, direct=Direct(clock, detours_only=True))
        yield replace(tools, policies=Served(tools, {DOMAIN: ENFORCE}))
    await resolver.close()


async def outcome_of(
    probe: Probe[Any, Any], server: DnsServer, patience: timedelta = timedelta(seconds=5)
) -> Outcome:
    async with tools_over(server, patience) as tools:
        check = Check("", SUBJECT, probe, probe.one_off or probe.settings())
        return await probe.run(check, tools)


def codes(outcome: Outcome) -> set[str]:
    return {finding.rule.code for finding in outcome.findings}


@pytest.mark.parametrize("fault", FAULTS)
async def test_where_dns_says_nothing_every_probe_says_unknown(fault: str) -> None:
    async with DnsServer() as server:
        server.default = FAULTS[fault]
        asking = [probe for probe in PROBES if probe.kind not in NOTHING_TO_ASK]
        outcomes = await asyncio.gather(*(outcome_of(probe, server, SOON) for probe in asking))
    wrong = {
        probe.kind: codes(outcome)
        for probe, outcome in zip(asking, outcomes, strict=True)
        if outcome.severity is not Severity.UNKNOWN
        or any(each.rule.severity is not Severity.UNKNOWN for each in outcome.findings)
    }
    assert not wrong


@pytest.mark.parametrize("probe", PUBLIC, ids=lambda probe: probe.kind)
async def test_no_single_silence_is_taken_for_a_fault(probe: Probe[Any, Any]) -> None:
    """An answer that is missing makes the probe unsure, or is not needed: it accuses nobody."""
    healthy = zone() | RELAY
    async with DnsServer(healthy) as server:
        well = await outcome_of(probe, server)
        asked = tuple(server.asked)
        assert well.severity is Severity.OK, codes(well)
        found = {}
        for question in asked:
            server.zone = healthy | {question: Fault.SERVFAIL}
            found[question] = await outcome_of(probe, server)
    accused = {
        question: codes(outcome)
        for question, outcome in found.items()
        if any(each.rule.severity is not Severity.UNKNOWN for each in outcome.findings)
    }
    assert not accused
    assert any(outcome.severity is Severity.UNKNOWN for outcome in found.values()), asked


async def look_at_oneself(server: DnsServer) -> Outcome:
    own = self_check.SelfSettings()
    check = Check("agent", AgentSubject(name="here"), self_check.PROBE, own)
    async with tools_over(server, timedelta(seconds=5)) as tools:
        return await self_check.run(check, replace(tools, egress=None))


@pytest.mark.parametrize("gate", GATES)
async def test_a_gate_is_no_resolver_and_accuses_nobody(gate: str) -> None:
    async with DnsServer() as server:
        server.default = GATES[gate]
        fires(RESOLVER_DOWN, await look_at_oneself(server))
        async with tools_over(server, timedelta(seconds=5)) as tools:
            (looked,) = await look((DOMAIN,), tools, PUBLIC)
            doubt = await doubts(tools.resolver, (DOMAIN,), (f"mail.{DOMAIN}",))
    assert doubt.names == {DOMAIN, f"mail.{DOMAIN}"}
    held = unless_doubted(looked, doubt)
    assert held.outcomes.keys() == looked.outcomes.keys() == {probe.kind for probe in PUBLIC}
    assert {each.rule.severity for item in held.items for each in item.findings} == {
        Severity.UNKNOWN
    }


async def test_who_believes_a_gate_accuses_the_domain() -> None:
    """Or else the test above would show nothing."""
    async with DnsServer() as server:
        server.default = GATES["nothing"]
        assert "mx-missing" in codes(await outcome_of(mx.PROBE, server))


def test_no_domain_is_looked_at_without_a_resolver() -> None:
    assert {probe.kind for probe in PROBES if self_check.RESOLVER not in probe.depends_on} == set()


async def test_a_resolver_that_only_invents_addresses_is_believed_with_a_warning() -> None:
    async with DnsServer(zone() | CONTROL) as server:
        quiet(RESOLVER_INVENTS, await look_at_oneself(server))
        server.default = GATES["an address for A and NXDOMAIN"]
        outcome = await look_at_oneself(server)
        fires(RESOLVER_INVENTS, outcome)
        quiet(RESOLVER_DOWN, outcome)
        (finding,) = outcome.findings
        assert finding.detail == f"127.0.0.1:{server.port} gives {ADDRESS} for {NOWHERE}."
        assert (await outcome_of(mx.PROBE, server)).severity is Severity.OK


async def test_a_resolver_of_some_zones_is_believed_of_what_it_knows() -> None:
    """Such as one for tests: it has never heard of the control names."""
    well, addressed = zone(), {("mail.example.net", "A"): "192.31.196.30"}
    async with DnsServer(well | addressed) as server, tools_over(server, SOON) as tools:
        names, hosts = (DOMAIN, "gone.example.net"), ("mail.example.net", "gone.example.org")
        doubt = await doubts(tools.resolver, names, hosts)
        assert doubt.names == {"gone.example.net", "gone.example.org"}
        assert (await doubts(tools.resolver, (DOMAIN,))).cause
        assert not (await doubts(tools.resolver, ())).cause  # nobody needs DNS
