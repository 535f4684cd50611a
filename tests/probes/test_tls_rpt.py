"""The check of a domain's TLS reports, over a real resolver and a real DNS server."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from agent.adapters.plans import Recall
from agent.adapters.resolver import Resolver
from agent.domain import tls_rpt_rules as rules
from agent.domain.fact import Table, Text
from agent.domain.finding import Outcome, Severity
from agent.probes.base import DNS_UNANSWERED, Check, Toolbox
from agent.probes.tls_rpt import PROBE, TlsRptSettings, run
from agent.settings import DomainSubject
from proof import fires, quiet
from servers.dns import Content, DnsServer, Fault
from servers.standings import HandClock

NAME = ("_smtp._tls.contoso.com", "TXT")
STS = ("_mta-sts.contoso.com", "TXT")
MX = ("contoso.com", "MX")
TLSA = ("_25._tcp.mx.contoso.com", "TLSA")
ZONE: dict[tuple[str, str], Content] = {
    NAME: "v=TLSRPTv1; rua=mailto:tlsrpt@contoso.com,mailto:x@reports.example",
    STS: "v=STSv1; id=1",
    MX: "0 mx.contoso.com",
    ("reports.example", "MX"): "0 mx.reports.example",
}


@dataclass
class World:
    server: DnsServer
    tools: Toolbox
    check: Check[DomainSubject, TlsRptSettings]

    async def run(self) -> Outcome:
        return await run(self.check, self.tools)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with DnsServer(dict(ZONE)) as server:
        clock = HandClock()
        resolver = Resolver((server.address,), clock, timeout=timedelta(milliseconds=200))
        await resolver.start()
        tools = SimpleNamespace(resolver=resolver, clock=clock, recall=Recall(resolver))
        check = Check("contoso", DomainSubject(name="contoso.com"), PROBE, TlsRptSettings())
        yield World(server, cast("Toolbox", tools), check)
        await resolver.close()


async def test_a_healthy_domain_has_no_findings_and_shows_all(world: World) -> None:
    outcome = await world.run()
    assert outcome.findings == ()
    assert [(one.signal.name, one.value) for one in outcome.measurements] == [
        ("mailflow_tls_rpt_destinations", 2)
    ]
    assert list(outcome.facts) == ["record", "fields", "destinations"]
    table = outcome.facts["destinations"]
    assert isinstance(table, Table)
    assert [row[1:] for row in table.rows] == [
        ("contoso.com", "yes", "own"),
        ("reports.example", "yes", "another domain; no consent is needed"),
    ]


async def test_a_steady_run_asks_one_question_and_gives_the_same_object(world: World) -> None:
    first = await world.run()
    asked = world.server.asked.total()
    assert await world.run() is first
    assert world.server.asked.total() - asked == 1


async def test_what_is_wrong_has_its_place_in_the_table(world: World) -> None:
    world.server.zone[NAME] = "v=TLSRPTv1; rua=mailto:tlsrpt@contoso.com; x"
    outcome = await world.run()
    fires(rules.MALFORMED, outcome)
    fields = outcome.facts["fields"]
    assert isinstance(fields, Table)
    assert fields.rows[-1] == ("44", "x", "character 44 (x) is no field with a value")


async def test_a_missing_record_is_a_fault_where_there_is_a_policy(world: World) -> None:
    del world.server.zone[NAME]
    outcome = await world.run()
    fires(rules.MISSING, outcome)
    assert outcome.severity is Severity.WARNING
    assert outcome.facts["record"] == Text(
        "no record for TLS reports\nneeded: MTA-STS is announced at _mta-sts.contoso.com"
    )


async def test_no_record_is_needed_without_a_policy(world: World) -> None:
    del world.server.zone[NAME], world.server.zone[STS]
    outcome = await world.run()
    assert outcome.findings == ()
    assert outcome.facts["record"] == Text(
        "no record for TLS reports\nneither MTA-STS nor DANE is in use"
    )


@pytest.mark.parametrize(
    ("names", "detail"),
    [
        ((NAME,), "TXT of _smtp._tls.contoso.com: servfail."),
        ((STS,), "_mta-sts.contoso.com: servfail."),
        ((MX, STS), "contoso.com: servfail."),
        ((TLSA, STS), "_25._tcp.mx.contoso.com: servfail."),
    ],
)
async def test_no_answer_is_unknown_and_never_a_missing_record(
    world: World, names: tuple[tuple[str, str], ...], detail: str
) -> None:
    del world.server.zone[NAME]
    for name in names:
        world.server.zone[name] = Fault.SERVFAIL
    outcome = await world.run()
    assert fires(DNS_UNANSWERED, outcome).detail == detail
    assert len(outcome.findings) == 1
    assert outcome.failure == "servfail"


async def test_silence_about_its_use_is_no_matter_where_the_record_stands(world: World) -> None:
    world.server.zone[STS] = Fault.SERVFAIL
    outcome = await world.run()
    quiet(DNS_UNANSWERED, outcome)
    assert outcome.findings == ()
    shown = outcome.facts["record"]
    assert isinstance(shown, Text)
    assert "not known whether it is needed: _mta-sts.contoso.com: servfail" in shown.text
