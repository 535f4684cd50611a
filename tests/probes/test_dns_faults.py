"""Whatever DNS does instead of answering, no probe takes it for a fault of the domain.

Every probe of a domain meets every way in which DNS can fail: for all questions at once, and for
each single one of those that it asks of a domain that is well.
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
from agent.cli.looking import public_probes
from agent.cli.toolbox import lending
from agent.domain.finding import Outcome, Severity
from agent.probes.base import Check, Probe, Toolbox, discover
from agent.settings import DomainSubject
from servers.dns import Content, DnsServer, Fault, Raw, Truncated

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
