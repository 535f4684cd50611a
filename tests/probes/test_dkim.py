"""Does the dkim probe say what is wrong with a domain's keys, over a real DNS server?"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

import pytest

from agent.adapters.history import History
from agent.adapters.plans import Recall
from agent.adapters.resolver import Resolver
from agent.adapters.sightings import Sightings
from agent.adapters.store import Store
from agent.adapters.tenancies import Known, Tenancies
from agent.domain import dkim_rules as rules
from agent.domain import dkim_rules_keys as keys
from agent.domain.fact import Table, Text
from agent.domain.finding import Outcome, Severity
from agent.domain.tenancy.objects import DkimConfig, Export
from agent.domain.tenancy.tenancies import Tenancy
from agent.probes.base import DNS_UNANSWERED, Check, Toolbox
from agent.probes.dkim import PROBE, DkimSettings, run
from agent.settings import DomainSubject
from proof import fires, quiet
from servers.dkim_case import GOOD, NEW_ZONE, NEXT, key, target
from servers.dns import DnsServer, Fault
from servers.standings import NOON, HandClock

S1, S2 = ("selector1._domainkey.contoso.com", "selector2._domainkey.contoso.com")
T1, T2 = target("selector1"), target("selector2")
ZONE: dict[tuple[str, str], Any] = {(S1, "CNAME"): T1, (S2, "CNAME"): T2, (T1, "TXT"): GOOD}
DkimCheck = Check[DomainSubject, DkimSettings]


@dataclass
class World:
    server: DnsServer
    tools: Toolbox
    clock: HandClock
    tenancies: Tenancies

    async def run(self, check: DkimCheck, after: timedelta = timedelta(0)) -> Outcome:
        self.clock.advance(after)
        return await run(check, self.tools)

    def export(self, *configs: DkimConfig) -> None:
        tenancy = Tenancy(name="contoso", export=Export(dkim=configs))
        self.tenancies.tell("contoso", Known(tenancy=tenancy))


def domain(
    topology: Any = "exchange-online", settings: dict[str, Any] | None = None, **more: Any
) -> DkimCheck:
    subject = DomainSubject(name="contoso.com", topology=topology, **more)
    return Check("contoso", subject, PROBE, DkimSettings(**(settings or {})))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with DnsServer(dict(ZONE)) as server:
        clock = HandClock()
        resolver = Resolver((server.address,), clock, timeout=timedelta(milliseconds=200))
        await resolver.start()
        missing = cast("Any", None)
        tenancies = Tenancies()
        tools = Toolbox(
            *(resolver, clock, Recall(resolver), History(Store()), missing, missing, missing),
            tenancies=tenancies,
        )
        yield World(server, tools, clock, tenancies)
        await resolver.close()


def codes(outcome: Outcome) -> set[str]:
    return {finding.rule.code for finding in outcome.findings}


def values(outcome: Outcome) -> dict[tuple[str, ...], object]:
    return {(one.signal.name, *one.labels): one.value for one in outcome.measurements}


def rows(outcome: Outcome, name: str) -> tuple[tuple[str, ...], ...]:
    fact = outcome.facts[name]
    assert isinstance(fact, Table)
    return fact.rows


async def test_a_healthy_domain_has_no_findings_and_shows_all(world: World) -> None:
    outcome = await world.run(domain())
    assert outcome.findings == ()
    assert outcome.failure == ""
    assert values(outcome) == {
        ("mailflow_dkim_selectors", "valid"): 1,
        ("mailflow_dkim_selectors", "weak"): 0,
        ("mailflow_dkim_selectors", "broken"): 0,
        ("mailflow_dkim_selectors", "revoked"): 0,
        ("mailflow_dkim_selectors", "missing"): 1,
        ("mailflow_dkim_selectors", "unknown"): 0,
        ("mailflow_dkim_key_length", "selector1"): 2048,
        ("mailflow_dkim_record_changed_timestamp_seconds",): world.clock.now().timestamp(),
    }
    assert list(outcome.facts) == ["selectors", "tags", "changes"]
    first, second = rows(outcome, "selectors")
    assert first[:6] == ("selector1", "topology", f"{T1} (old form)", "valid", "rsa", "2048")
    assert second[3:7] == ("missing", "-", "-", "the selector that does not sign may have no key")
    assert [row[:3] for row in rows(outcome, "tags")] == [
        ("selector1", "1", "v"),
        ("selector1", "10", "k"),
        ("selector1", "17", "p"),
    ]


async def test_a_steady_run_asks_for_the_selectors_and_gives_the_same_object(world: World) -> None:
    check = domain()
    first = await world.run(check)
    asked = world.server.asked.total()
    assert await world.run(check) is first
    assert world.server.asked.total() - asked <= 4  # two aliases and their targets


async def test_a_change_that_is_put_back_is_no_news_any_more(world: World) -> None:
    check = domain()
    await world.run(check)
    world.server.zone[T2, "TXT"] = NEXT
    fires(rules.CHANGED, await world.run(check, timedelta(hours=2)))
    del world.server.zone[T2, "TXT"]
    quiet(rules.CHANGED, await world.run(check, timedelta(minutes=5)))


async def test_an_old_change_is_no_news_beside_a_new_one(world: World) -> None:
    check = domain()
    await world.run(check)
    world.server.zone[T2, "TXT"] = NEXT
    await world.run(check, timedelta(hours=2))
    del world.server.zone[T1, "TXT"]
    finding = fires(rules.CHANGED, await world.run(check, timedelta(hours=3)))
    assert finding.detail.startswith("selector1 changed; ")
    assert len(finding.evidence) == 2


async def test_a_rotation_is_news_for_a_while_and_kept(world: World) -> None:
    check = domain(settings={"report_changes_for": "10m"})
    quiet(rules.CHANGED, await world.run(check))
    world.server.zone[T2, "TXT"] = NEXT
    news = await world.run(check, timedelta(hours=2))
    finding = fires(rules.CHANGED, news)
    assert finding.detail == (
        "selector2 changed; last at 2026-11-23 14:00:00 UTC."
        " A key under another selector is as it was, as in a rotation."
    )
    assert finding.evidence[0] == f"- selector2: CNAME {T2}; no key"
    assert finding.evidence[1].startswith(f"+ selector2: CNAME {T2}; rsa 2048 sha256:")
    assert await world.run(check) is news
    settled = await world.run(check, timedelta(minutes=11))
    assert settled.findings == ()
    assert settled.facts == news.facts
    assert "selector2: changed 2026-11-23 14:00:00 UTC" in cast("Text", news.facts["changes"]).text
    del world.server.zone[T1, "TXT"], world.server.zone[T2, "TXT"]
    both = fires(rules.CHANGED, await world.run(check, timedelta(hours=2)))
    assert both.detail == "selector1, selector2 changed; last at 2026-11-23 16:11:00 UTC."


async def test_a_key_that_nobody_rotates_is_told_after_two_years(world: World) -> None:
    world.server.zone["s1._domainkey.contoso.com", "CNAME"] = "s1.sender.example"
    world.server.zone["s1.sender.example", "TXT"] = NEXT
    check = domain(dkim_selectors=("selector1", "s1"))
    quiet(rules.OLD, await world.run(check))
    quiet(rules.OLD, await world.run(check, timedelta(days=729)))
    finding = fires(rules.OLD, await world.run(check, timedelta(days=1)))
    assert (
        finding.detail
        == "selector1._domainkey.contoso.com has had its key since 2026-11-23 at least."
    )
    assert len(finding.evidence) == 1
    world.server.zone[T1, "TXT"] = key(more="n=the same key; ")
    fires(rules.OLD, await world.run(check, timedelta(hours=2)))
    world.server.zone[T1, "TXT"] = key(seed=2)
    quiet(rules.OLD, await world.run(check, timedelta(hours=2)))


async def test_a_key_behind_a_providers_alias_is_not_ours_to_rotate(world: World) -> None:
    world.server.zone["s1._domainkey.contoso.com", "CNAME"] = "s1.sender.example"
    world.server.zone["s1.sender.example", "TXT"] = NEXT
    check = domain("on-premises", dkim_selectors=("s1",))
    assert codes(await world.run(check)) == set()
    assert codes(await world.run(check, timedelta(days=3000))) == set()


async def test_the_tenants_export_says_where_keys_are(world: World) -> None:
    check = domain()
    config = DkimConfig(
        domain="contoso.com",
        enabled=True,
        status="CnameMissing",
        selector1_cname=target("selector1", zone=NEW_ZONE),
        selector2_cname="",
        rotate_on_date=NOON,
    )
    world.server.zone.clear()
    finding = fires(rules.MISSING, await world.run(check))
    assert finding.fix == "New-DkimSigningConfig -DomainName 'contoso.com' -Enabled $false"
    world.export(config)
    outcome = await world.run(check)
    finding = fires(rules.MISSING, outcome)
    assert finding.fix == f"{S1}. 3600 IN CNAME {config.selector1_cname}."
    assert rows(outcome, "tenant's export") == (
        ("signing", "on"),
        ("status", "CnameMissing"),
        ("Selector1CNAME", config.selector1_cname),
        ("Selector2CNAME", "not said"),
        ("rotates", "2026-11-23"),
    )
    assert rows(outcome, "selectors")[0][1] == "tenant's export"
    world.export(DkimConfig(domain="fabrikam.com"))
    assert fires(rules.MISSING, await world.run(check)).fix.startswith("New-DkimSigningConfig ")
    world.export(DkimConfig(domain="contoso.com"))
    assert ("signing", "not said") in rows(await world.run(check), "tenant's export")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(Fault.SERVFAIL, "servfail", id="servfail"),
        pytest.param(Fault.SILENT, "timeout", id="silence"),
        pytest.param(Fault.REFUSED, "refused", id="refused"),
    ],
)
async def test_no_answer_is_unknown_and_never_a_missing_key(
    world: World, fault: Fault, reason: str
) -> None:
    world.server.zone.clear()
    world.server.zone[S1, "TXT"] = world.server.zone[S2, "TXT"] = fault
    outcome = await world.run(domain())
    assert codes(outcome) == {"dns-unanswered"}
    assert outcome.failure == reason
    assert outcome.severity is Severity.UNKNOWN
    assert ("mailflow_dkim_record_changed_timestamp_seconds",) not in values(outcome)
    assert rows(outcome, "selectors")[0][3] == f"unknown: {reason}"
    assert outcome.facts["changes"] == Text("nothing was seen yet")


async def test_one_silence_leaves_what_is_known_of_the_other(world: World) -> None:
    check = domain()
    quiet(DNS_UNANSWERED, await world.run(check))
    world.server.zone.pop((S2, "CNAME"))
    world.server.zone[S2, "TXT"] = Fault.SERVFAIL
    world.server.zone[T1, "TXT"] = key(1024)
    outcome = await world.run(check, timedelta(hours=2))
    fires(DNS_UNANSWERED, outcome)
    fires(keys.SHORT, outcome)
    assert values(outcome)["mailflow_dkim_selectors", "unknown"] == 1


async def test_a_parked_domain_is_shown_what_to_publish(world: World) -> None:
    world.server.zone.clear()
    outcome = await world.run(domain("parked"))
    assert outcome.findings == ()
    assert list(outcome.facts) == ["recommended", "changes"]
    assert outcome.facts["recommended"] == Text(
        '*._domainkey.contoso.com. 3600 IN TXT "v=DKIM1; p="'
    )


async def test_nothing_is_assumed_of_a_custom_topology(world: World) -> None:
    world.server.zone.clear()
    assert (await world.run(domain("custom"))).findings == ()
    assert codes(await world.run(domain("custom", dkim_selectors=("s1",)))) == {"dkim-key-missing"}


async def test_a_private_key_is_never_shown(world: World) -> None:
    leak = "MIIEvgSECRET"
    name = "s1._domainkey.contoso.com"
    world.server.zone[name, "TXT"] = f"v=DKIM1; p=-----BEGIN PRIVATE KEY-----{leak}"
    outcome = await world.run(domain("on-premises", dkim_selectors=("s1",)))
    fires(keys.PRIVATE_KEY, outcome)
    assert leak not in repr(outcome)


async def test_a_wildcards_answer_is_marked(world: World) -> None:
    world.server.zone["*._domainkey.contoso.com", "TXT"] = GOOD
    world.server.default = GOOD
    outcome = await world.run(domain("on-premises", dkim_selectors=("s1",)))
    fires(rules.WILDCARD, outcome)
    assert rows(outcome, "selectors")[0][6] == "the answer of a wildcard"


async def test_a_broken_record_is_shown_with_its_faults(world: World) -> None:
    name = "s1._domainkey.contoso.com"
    world.server.zone[name, "TXT"] = "v=DKIM1; k=rsa; oops; p="
    outcome = await world.run(domain("on-premises", dkim_selectors=("s1",)))
    assert rows(outcome, "tags")[-1][1:4] == ("17", "-", "oops")


async def test_the_selector_of_a_message_that_arrived_must_have_a_key(world: World) -> None:
    sightings = Sightings()
    world.tools = replace(world.tools, sightings=sightings)
    sightings.note_selectors("contoso.com", "route", ("relay",))
    outcome = await world.run(domain())
    assert [row[:2] for row in rows(outcome, "selectors")][-1] == ("relay", "message that arrived")
    assert fires(rules.KEY_MISSING, outcome).detail.startswith("relay._domainkey.contoso.com")
    sightings.note_selectors("contoso.com", "route", ("selector1",))
    assert (await world.run(domain())).findings == ()
