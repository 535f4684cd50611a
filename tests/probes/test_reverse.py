"""The check of the names of sending addresses, over a real resolver and a real DNS server."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from types import SimpleNamespace
from typing import cast

import pytest

from agent.adapters.plans import Recall
from agent.adapters.resolver import Resolver
from agent.domain import reverse_rules as rules
from agent.domain.fact import Table, Text
from agent.domain.finding import Outcome, Severity
from agent.probes.base import DNS_UNANSWERED, Check, Toolbox
from agent.probes.reverse import PROBE, ReverseSettings, run
from agent.settings import DomainSubject
from proof import fires
from servers.dns import Content, DnsServer, Fault
from servers.standings import HandClock

FOUR, SIX = ip_address("192.31.196.10"), ip_address("2a00:1450:4001:80b::25")
ZONE: dict[tuple[str, str], Content] = {
    ("contoso.com", "MX"): "0 mx.contoso.com",
    ("mx.contoso.com", "A"): FOUR,
    ("mx.contoso.com", "AAAA"): SIX,
    ("contoso.com", "TXT"): "v=spf1 mx -all",
    (FOUR.reverse_pointer, "PTR"): "mx.contoso.com",
    (SIX.reverse_pointer, "PTR"): "mx.contoso.com",
}


@dataclass
class World:
    server: DnsServer
    tools: Toolbox

    def check(self, *senders: str) -> Check[DomainSubject, ReverseSettings]:
        subject = DomainSubject(name="contoso.com", topology="on-premises", senders=senders)
        return Check("contoso", subject, PROBE, ReverseSettings())

    async def run(self, *senders: str) -> Outcome:
        return await run(self.check(*senders), self.tools)


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
    outcome = await world.run("10.0.0.0/8")
    assert outcome.findings == ()
    counts = {one.labels[0]: one.value for one in outcome.measurements}
    assert counts == {
        "confirmed": 2,
        **dict.fromkeys(("generic", "unconfirmed", "missing", "unanswered"), 0),
    }
    assert list(outcome.facts) == ["addresses"]
    table = outcome.facts["addresses"]
    assert isinstance(table, Table)
    assert table.rows == (
        ("-", "10.0.0.0/8", "-", "not asked", table.rows[0][4]),
        ("192.31.196.10", "mx.contoso.com", "mx.contoso.com", "confirmed", "-"),
        ("2a00:1450:4001:80b::25", "mx.contoso.com", "mx.contoso.com", "confirmed", "-"),
    )
    assert table.rows[0][4].startswith("not on the Internet: private")


async def test_a_steady_run_asks_what_it_tests_and_gives_the_same_object(world: World) -> None:
    check = world.check()
    first = await run(check, world.tools)
    asked = world.server.asked.total()
    assert await run(check, world.tools) is first
    assert world.server.asked.total() - asked == 3  # MX, and the names of both addresses


async def test_a_sending_address_without_a_name_is_critical_over_ipv6(world: World) -> None:
    del world.server.zone[SIX.reverse_pointer, "PTR"]
    outcome = await world.run()
    found = fires(rules.MISSING_IPV6, outcome)
    assert found.detail == f"{SIX} (mx.contoso.com) has no PTR record."
    assert outcome.severity is Severity.CRITICAL


async def test_a_sample_is_said_to_be_one(world: World) -> None:
    outcome = await world.run("192.52.193.0/24")
    fires(rules.MISSING, outcome)
    assert outcome.facts["samples"] == Text(
        "192.52.193.0/24: 64 of 256 addresses were asked for\n"
        "mx.contoso.com: 0 of 1 addresses were asked for\n"
        "mx.contoso.com: 0 of 1 addresses were asked for"
    )


async def test_a_generic_name_says_why(world: World) -> None:
    world.server.zone[FOUR.reverse_pointer, "PTR"] = "pool.isp.example"
    world.server.zone["pool.isp.example", "A"] = FOUR
    outcome = await world.run()
    fires(rules.GENERIC, outcome)
    table = outcome.facts["addresses"]
    assert isinstance(table, Table)
    assert table.rows[0][3:] == ("generic", "it has the word `pool`")


async def test_without_own_addresses_it_says_so(world: World) -> None:
    world.server.zone["contoso.com", "MX"] = "0 contoso-com.mail.protection.outlook.com"
    outcome = await world.run("exchange-online")
    assert outcome.findings == ()
    assert outcome.idle.startswith("No address of the domain's own")


@pytest.mark.parametrize(
    ("name", "kind", "detail", "shown"),
    [
        ("contoso.com", "MX", "MX of contoso.com: servfail.", "Not known"),
        ("mx.contoso.com", "AAAA", "addresses of mx.contoso.com: servfail.", "unanswered"),
        (FOUR.reverse_pointer, "PTR", f"names of {FOUR}: servfail.", "unanswered"),
    ],
)
async def test_no_answer_is_unknown_and_accuses_nobody(
    world: World, name: str, kind: str, detail: str, shown: str
) -> None:
    world.server.zone[name, kind] = Fault.SERVFAIL
    outcome = await world.run()
    assert fires(DNS_UNANSWERED, outcome).detail == detail
    rest = [one for one in outcome.findings if one.rule is not DNS_UNANSWERED]
    assert (rest, outcome.failure) == ([], "servfail")
    assert shown in repr(outcome.facts["addresses"])
