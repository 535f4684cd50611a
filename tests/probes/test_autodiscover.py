"""The check of a domain's names for Outlook, over a real resolver and a real DNS server."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from agent.adapters.plans import Recall
from agent.adapters.resolver import Resolver
from agent.domain import autodiscover_rules as rules
from agent.domain.fact import Table, Text
from agent.domain.finding import Outcome
from agent.domain.lookup import Type
from agent.probes.autodiscover import PROBE, AutodiscoverSettings, run
from agent.probes.base import DNS_UNANSWERED, Check, Toolbox
from agent.settings import DomainSubject
from proof import fires, quiet
from servers.dns import Content, DnsServer, Fault
from servers.standings import HandClock

NAME = ("autodiscover.contoso.com", "CNAME")
SRV = ("_autodiscover._tcp.contoso.com", "SRV")
ZONE: dict[tuple[str, str], Content] = {
    ("contoso.com", "MX"): "0 contoso-com.mail.protection.outlook.com",
    NAME: "autodiscover.outlook.com",
    ("autodiscover.outlook.com", "A"): "192.31.196.7",
    ("sip.contoso.com", "CNAME"): "sipdir.online.lync.com",
    ("sipdir.online.lync.com", "A"): "192.31.196.8",
}


@dataclass
class World:
    server: DnsServer
    tools: Toolbox

    async def run(self, topology: str = "exchange-online", *expected: str) -> Outcome:
        subject = DomainSubject.model_validate({"name": "contoso.com", "topology": topology})
        settings = AutodiscoverSettings(expected=expected)
        return await run(Check("contoso", subject, PROBE, settings), self.tools)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with DnsServer(dict(ZONE)) as server:
        clock = HandClock()
        resolver = Resolver((server.address,), clock, timeout=timedelta(milliseconds=200))
        await resolver.start()
        tools = SimpleNamespace(resolver=resolver, clock=clock, recall=Recall(resolver))
        yield World(server, cast("Toolbox", tools))
        await resolver.close()


async def test_a_healthy_domain_has_no_findings_and_shows_all(world: World) -> None:
    outcome = await world.run()
    assert outcome.findings == ()
    counts = {one.labels[0]: one.value for one in outcome.measurements}
    assert counts == {
        **dict.fromkeys(("missing", "wrong", "dangling", "left-over", "unanswered"), 0),
        "right": 1,
        "absent": 5,
        "unjudged": 1,
    }
    assert outcome.facts["expected"] == Text(
        "a CNAME record that leads to autodiscover.outlook.com (Exchange Online)"
    )
    table = outcome.facts["records"]
    assert isinstance(table, Table)
    assert table.rows[0] == (
        *("autodiscover.contoso.com", "CNAME", "autodiscover.outlook.com", "192.31.196.7"),
        *("right", "Outlook's mailboxes"),
    )
    assert table.rows[1][1:5] == ("-", "-", "-", "absent")


async def test_a_steady_run_asks_one_question_and_gives_the_same_object(world: World) -> None:
    subject = DomainSubject(name="contoso.com")
    check = Check("contoso", subject, PROBE, AutodiscoverSettings())
    first = await run(check, world.tools)
    asked = world.server.asked.total()
    assert await run(check, world.tools) is first
    assert world.server.asked.total() - asked == 1


async def test_records_that_compete_stand_in_the_table(world: World) -> None:
    world.server.zone[SRV] = "0 0 443 mail.contoso.com."
    world.server.zone["mail.contoso.com", "A"] = "192.31.196.1"
    outcome = await world.run()
    fires(rules.SRV_COMPETES, outcome)
    table = outcome.facts["records"]
    assert isinstance(table, Table)
    assert table.rows[1][:5] == (
        *("_autodiscover._tcp.contoso.com", "SRV", "mail.contoso.com:443", "192.31.196.1"),
        "left-over",
    )


async def test_a_host_without_an_address_is_said_to_have_none(world: World) -> None:
    world.server.zone[NAME] = "mail.contoso.com"
    outcome = await world.run()
    fires(rules.DANGLING, outcome)
    table = outcome.facts["records"]
    assert isinstance(table, Table)
    assert table.rows[0][2:5] == ("mail.contoso.com", "none", "dangling")


async def test_a_wildcard_is_said_to_be_one(world: World) -> None:
    del world.server.zone[NAME]
    for label in ("autodiscover", "q7x2-no-such-name-k9f4"):
        world.server.zone[f"{label}.contoso.com", "A"] = "192.31.196.9"
    outcome = await world.run()
    fires(rules.ADDRESS, outcome)
    table = outcome.facts["records"]
    assert isinstance(table, Table)
    assert table.rows[0][1:5] == ("A, AAAA", "-", "192.31.196.9", "wrong, by a wildcard")


async def test_a_dead_alias_of_a_free_domain_is_critical(world: World) -> None:
    world.server.zone[NAME] = "mail.gone.example"
    finding = fires(rules.TAKEOVER, await world.run())
    assert finding.fix == "autodiscover.contoso.com. 3600 IN CNAME autodiscover.outlook.com."
    world.server.zone[NAME] = "mail.kept.example"
    world.server.zone["kept.example", "MX"] = "0 mx.kept.example"
    quiet(rules.TAKEOVER, await world.run())


async def test_what_is_expected_is_said_in_words(world: World) -> None:
    told = {
        topology: (await world.run(topology)).facts["expected"]
        for topology in ("on-premises", "parked", "custom")
    }
    assert told["on-premises"] == Text(
        "a record that leads to a host of your own, and not to Exchange Online; none is needed"
    )
    assert told["parked"] == Text("no record: the domain is parked")
    assert PROBE.one_off is not None
    one_off = Check("-", DomainSubject(name="contoso.com", topology="hybrid"), PROBE, PROBE.one_off)
    alone = await run(one_off, world.tools)
    assert alone.findings == ()
    assert alone.facts["expected"] == Text(
        "a record that leads to a host of your own, or to Exchange Online"
    )
    outcome = await world.run("custom", "autodiscover.outlook.com")
    assert outcome.findings == ()
    assert outcome.facts["expected"] == Text(
        "a record that leads to autodiscover.outlook.com, as configured"
    )


async def test_a_domain_that_does_not_exist_is_for_another_check(world: World) -> None:
    world.server.zone.clear()
    outcome = await world.run()
    assert (outcome.findings, outcome.facts) == ((), {})
    assert outcome.idle == "The domain does not exist; see its mx check."


@pytest.mark.parametrize(
    ("name", "kind", "detail"),
    [
        ("autodiscover.contoso.com", "CNAME", "autodiscover.contoso.com: servfail."),
        ("contoso.com", "MX", "MX of contoso.com: servfail."),
    ],
)
async def test_no_answer_is_unknown_and_never_a_missing_record(
    world: World, name: str, kind: Type, detail: str
) -> None:
    world.server.zone.pop(NAME)
    world.server.zone[name, kind] = Fault.SERVFAIL
    outcome = await world.run()
    assert [one.detail for one in outcome.findings] == [detail]
    fires(DNS_UNANSWERED, outcome)
    assert outcome.failure == "servfail"


async def test_silence_elsewhere_is_shown_and_no_finding(world: World) -> None:
    world.server.zone["sip.contoso.com", "CNAME"] = Fault.SERVFAIL
    outcome = await world.run()
    quiet(DNS_UNANSWERED, outcome)
    assert outcome.findings == ()
    table = outcome.facts["records"]
    assert isinstance(table, Table)
    sip = next(row for row in table.rows if row[0].startswith("sip."))
    assert sip[3:5] == ("servfail", "unanswered")
