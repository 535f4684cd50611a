"""Does the mx probe see what DNS serves, remember it, and cost little when nothing changes?"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.adapters.history import History
from agent.adapters.plans import Recall
from agent.adapters.resolver import Resolver
from agent.adapters.store import Store
from agent.domain import mx_rules as rules
from agent.domain.fact import Table, Text
from agent.domain.finding import Outcome, Severity
from agent.domain.lookup import Answer, Exchange
from agent.domain.mx import NO_SUCH_LABEL, Survey
from agent.probes.base import DNS_UNANSWERED, Check, Toolbox
from agent.probes.mx import PROBE, MxSettings, describe_records, run
from agent.settings import DomainSubject
from proof import fires, quiet
from servers.checks import toolbox
from servers.dns import DnsServer, Fault, Published
from servers.standings import NOON, HandClock

OWN = "contoso-com.mail.protection.outlook.com"
HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    zone: dict[tuple[str, str], Any] = {
        ("contoso.com", "MX"): Published(f"0 {OWN}", ttl=3600),
        (OWN, "A"): Published(["192.31.196.10", "192.31.196.11"], ttl=86_400),
        (OWN, "AAAA"): Published("2600::25", ttl=86_400),
    }
    async with DnsServer(zone) as server:
        yield server


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(tmp_path)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def tools(server: DnsServer, store: Store, clock: HandClock) -> AsyncIterator[Toolbox]:
    resolver = Resolver((server.address,), clock)
    await resolver.start()
    history = History(store)
    await history.start()
    yield replace(toolbox(clock), resolver=resolver, recall=Recall(resolver), history=history)
    await resolver.close()


def mx_check(**settings: Any) -> Check[DomainSubject, MxSettings]:
    subject = DomainSubject(name="contoso.com", exchanges=settings.pop("exchanges", ()))
    return Check("contoso", subject, PROBE, MxSettings(**settings))


def values(outcome: Outcome) -> dict[tuple[str, ...], float]:
    found = {}
    for one in outcome.measurements:
        assert isinstance(one.value, float | int)
        found[one.signal.name, *one.labels] = one.value
    return found


async def test_a_healthy_domain_is_measured_and_shown(tools: Toolbox) -> None:
    outcome = await run(mx_check(), tools)
    assert outcome.findings == ()
    assert values(outcome) == {
        ("mailflow_mx_exchanges",): 1,
        ("mailflow_mx_exchanges_with_address",): 1,
        ("mailflow_mx_exchanges_expected",): 1,
        ("mailflow_mx_expected_preference",): 0,
        ("mailflow_mx_addresses", "ipv4"): 2,
        ("mailflow_mx_addresses", "ipv6"): 1,
        ("mailflow_mx_record_ttl_seconds",): 3600,
        ("mailflow_mx_record_changed_timestamp_seconds",): NOON.timestamp(),
    }
    assert outcome.facts["exchanges"] == Table(
        ("preference", "exchange", "addresses", "whose", "expected"),
        (("0", OWN, "192.31.196.10, 192.31.196.11, 2600::25", "Exchange Online", "yes"),),
    )
    record = outcome.facts["record"]
    assert isinstance(record, Text)
    assert record.text.splitlines()[:2] == [f"MX 0 {OWN}", "highest TTL seen: 3600 s"]


async def test_a_steady_run_asks_one_question_and_returns_the_same_outcome(
    tools: Toolbox, server: DnsServer
) -> None:
    check = mx_check()
    first = await run(check, tools)
    before = server.asked.copy()
    assert await run(check, tools) is first
    assert server.asked - before == {("contoso.com", "MX"): 1}


async def test_dns_that_cannot_say_is_no_fault_of_the_domain(
    tools: Toolbox, server: DnsServer
) -> None:
    server.zone["contoso.com", "MX"] = Fault.SERVFAIL
    outcome = await run(mx_check(), tools)
    assert [finding.rule for finding in outcome.findings] == [DNS_UNANSWERED]
    assert outcome.severity is Severity.UNKNOWN
    assert outcome.failure == "servfail"
    assert outcome.measurements == ()


async def test_a_change_is_news_for_a_while_and_then_history(
    tools: Toolbox, server: DnsServer, clock: HandClock
) -> None:
    check = mx_check()
    quiet(rules.CHANGED, await run(check, tools))
    clock.advance(HOUR)
    server.zone["contoso.com", "MX"] = Published([f"0 {OWN}", f"10 x.{OWN}"], ttl=3600)
    news = await run(check, tools)
    finding = fires(rules.CHANGED, news)
    assert finding.evidence == (f"+ MX 10 x.{OWN}",)
    changed_at = NOON + HOUR
    changed = values(news)["mailflow_mx_record_changed_timestamp_seconds",]
    assert changed == changed_at.timestamp()
    assert await run(check, tools) is news
    clock.advance(HOUR)
    settled = await run(check, tools)
    quiet(rules.CHANGED, settled)
    record = settled.facts["changes"]
    assert isinstance(record, Text)
    assert "last change" in record.text
    assert await run(check, tools) is settled


async def test_a_change_that_is_put_back_soon_is_no_news_any_more(
    tools: Toolbox, server: DnsServer, clock: HandClock
) -> None:
    check = mx_check()
    right, wrong = (Published(f"0 {name}", ttl=3600) for name in (OWN, f"x.{OWN}"))
    await run(check, tools)
    for published, proves, after in (
        (wrong, fires, 2 * HOUR),
        (right, quiet, HOUR / 4),
        (wrong, fires, HOUR / 4),
        (right, fires, 2 * HOUR),  # late enough to be a change of its own
    ):
        clock.advance(after)
        server.zone["contoso.com", "MX"] = published
        proves(rules.CHANGED, await run(check, tools))


async def test_a_removed_record_is_a_change_too(tools: Toolbox, server: DnsServer) -> None:
    check = mx_check()
    await run(check, tools)
    server.zone["contoso.com", "MX"] = []
    finding = fires(rules.CHANGED, await run(check, tools))
    assert finding.evidence == ("+ no MX record", f"- MX 0 {OWN}")
    assert finding.detail.startswith("0 added and 1 removed at ")


async def test_order_and_time_to_live_are_no_change(tools: Toolbox, server: DnsServer) -> None:
    check = mx_check()
    server.zone["contoso.com", "MX"] = Published([f"0 {OWN}", f"10 x.{OWN}"], ttl=3600)
    await run(check, tools)
    server.zone["contoso.com", "MX"] = Published([f"10 x.{OWN}", f"0 {OWN}"], ttl=7200)
    quiet(rules.CHANGED, await run(check, tools))


async def test_a_change_survives_a_restart(
    tools: Toolbox, server: DnsServer, store: Store, clock: HandClock
) -> None:
    await run(mx_check(), tools)
    clock.advance(HOUR)
    server.zone["contoso.com", "MX"] = Published("0 other.example", ttl=3600)
    await run(mx_check(), tools)
    history = History(store)
    await history.start()
    again = replace(tools, recall=Recall(tools.resolver), history=history)
    clock.advance(HOUR / 2)
    outcome = await run(mx_check(), again)
    finding = fires(rules.CHANGED, outcome)
    assert "13:00:00 UTC" in finding.detail
    assert finding.evidence == ("+ MX 0 other.example", f"- MX 0 {OWN}")


async def test_changes_can_be_left_unreported(tools: Toolbox, server: DnsServer) -> None:
    check = mx_check(report_changes_for="0s")
    await run(check, tools)
    server.zone["contoso.com", "MX"] = Published("0 other.example", ttl=3600)
    quiet(rules.CHANGED, await run(check, tools))


async def test_a_domain_without_mx_shows_its_own_address_as_the_way(
    tools: Toolbox, server: DnsServer
) -> None:
    server.zone["contoso.com", "MX"] = []
    server.zone["contoso.com", "A"] = "192.31.196.80"
    outcome = await run(mx_check(), tools)
    table = outcome.facts["exchanges"]
    assert isinstance(table, Table)
    assert table.rows == (("none", "contoso.com", "192.31.196.80", "-", "no"),)
    assert ("mailflow_mx_record_ttl_seconds",) not in values(outcome)


async def test_a_domain_that_does_not_exist_is_a_finding_without_hosts(
    tools: Toolbox, server: DnsServer
) -> None:
    del server.zone["contoso.com", "MX"]
    outcome = await run(mx_check(), tools)
    fires(rules.DOMAIN_MISSING, outcome)
    assert "exchanges" not in outcome.facts


async def test_where_nothing_is_expected_nothing_is_called_unexpected(
    tools: Toolbox, server: DnsServer
) -> None:
    server.zone["contoso.com", "MX"] = Published("10 mail.example", ttl=3600)
    server.zone["mail.example", "A"] = Fault.SERVFAIL
    subject = DomainSubject(name="contoso.com", topology="custom")
    outcome = await run(Check("contoso", subject, PROBE, MxSettings()), tools)
    assert [finding.rule for finding in outcome.findings] == [rules.TARGET_UNANSWERED]
    table = outcome.facts["exchanges"]
    assert isinstance(table, Table)
    assert table.rows == (("10", "mail.example", "servfail", "-", "-"),)
    assert ("mailflow_mx_exchanges_expected",) not in values(outcome)


async def test_an_alias_and_a_wildcard_are_seen_on_the_wire(
    tools: Toolbox, server: DnsServer
) -> None:
    server.zone["contoso.com", "MX"] = Published("10 mail.contoso.com", ttl=3600)
    server.zone["mail.contoso.com", "CNAME"] = OWN
    server.zone[f"{NO_SUCH_LABEL}.contoso.com", "MX"] = "10 mail.contoso.com"
    outcome = await run(mx_check(exchanges=("*.contoso.com",)), tools)
    fires(rules.ALIAS, outcome)
    fires(rules.WILDCARD, outcome)


def test_the_record_is_described_in_bounded_size_and_in_order() -> None:
    records = tuple(Exchange(10, f"mx{number:03}.example") for number in range(60, 0, -1))
    lines = describe_records(Survey("contoso.com", Answer(records), records)).splitlines()
    assert lines[0] == "MX 10 mx001.example"
    assert lines[-1] == "and 20 more"
    null = Survey("contoso.com", Answer(), (Exchange(0, ""), Exchange(0, "")))
    assert describe_records(null) == "MX 0 ."
