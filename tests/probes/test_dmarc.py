"""Does the dmarc probe say what is wrong with a domain's policy, over a real DNS server?"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import pytest

from agent.adapters.history import History
from agent.adapters.plans import Recall
from agent.adapters.resolver import Resolver
from agent.adapters.store import Store
from agent.domain import dmarc_rules as rules
from agent.domain import dmarc_rules_tags as tags
from agent.domain.fact import Table, Text
from agent.domain.finding import Outcome, Severity
from agent.lab.world import SIGNING_KEY
from agent.probes.base import DNS_UNANSWERED, Check, Toolbox
from agent.probes.dmarc import PROBE, DmarcSettings, run
from agent.settings import DomainSubject
from proof import fires, quiet
from servers.dns import DnsServer, Fault
from servers.standings import HandClock

DMARC = ("_dmarc.contoso.com", "TXT")
KEY = ("selector1._domainkey.contoso.com", "TXT")
REPORTS = "rua=mailto:dmarc@contoso.com"
ZONE = {
    DMARC: f"v=DMARC1; p=reject; {REPORTS}",
    KEY: f"v=DKIM1; k=rsa; p={SIGNING_KEY}",
    ("contoso.com", "TXT"): "v=spf1 include:spf.protection.outlook.com -all",
    ("contoso.com", "MX"): "0 contoso-com.mail.protection.outlook.com",
    ("spf.protection.outlook.com", "TXT"): "v=spf1 ip4:40.92.0.0/15 -all",
}
DmarcCheck = Check[DomainSubject, DmarcSettings]


@dataclass
class World:
    server: DnsServer
    tools: Toolbox
    clock: HandClock

    async def run(self, check: DmarcCheck) -> Outcome:
        return await run(check, self.tools)


def domain(
    topology: Any = "exchange-online", settings: dict[str, Any] | None = None, **more: Any
) -> DmarcCheck:
    subject = DomainSubject(name="contoso.com", topology=topology, **more)
    return Check("contoso", subject, PROBE, DmarcSettings(**(settings or {})))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with DnsServer(dict(ZONE)) as server:
        clock = HandClock()
        resolver = Resolver((server.address,), clock, timeout=timedelta(milliseconds=200))
        await resolver.start()
        missing = cast("Any", None)
        tools = Toolbox(
            resolver, clock, Recall(resolver), History(Store()), missing, missing, missing
        )
        yield World(server, tools, clock)
        await resolver.close()


def codes(outcome: Outcome) -> set[str]:
    return {finding.rule.code for finding in outcome.findings}


def values(outcome: Outcome) -> dict[tuple[str, ...], object]:
    return {(one.signal.name, *one.labels): one.value for one in outcome.measurements}


async def test_a_healthy_domain_has_no_findings_and_shows_all(world: World) -> None:
    outcome = await world.run(domain())
    assert outcome.findings == ()
    assert outcome.failure == ""
    assert values(outcome) == {
        ("mailflow_dmarc_policy",): 2,
        ("mailflow_dmarc_policy_ratio",): 1,
        ("mailflow_dmarc_senders", "pass"): 1,
        ("mailflow_dmarc_senders", "fail"): 0,
        ("mailflow_dmarc_senders", "unknown"): 0,
        ("mailflow_dmarc_record_changed_timestamp_seconds",): world.clock.now().timestamp(),
    }
    assert list(outcome.facts) == ["record", "tags", "discovery", "senders", "reports", "changes"]
    shown = outcome.facts["tags"]
    assert isinstance(shown, Table)
    assert ("11", "p", "reject", "refuse mail that fails") in shown.rows
    senders = outcome.facts["senders"]
    assert isinstance(senders, Table)
    assert senders.rows[0][-2:] == ("pass", "delivered")
    path = outcome.facts["discovery"]
    assert isinstance(path, Table)
    assert path.rows[0][2] == "by list (RFC 7489), by tree walk (RFC 9989)"


async def test_a_steady_run_asks_one_question_and_gives_the_same_object(world: World) -> None:
    check = domain()
    first = await world.run(check)
    asked = world.server.asked.total()
    assert await world.run(check) is first
    assert world.server.asked.total() - asked == 1


async def test_a_sender_that_cannot_pass_is_the_gravest(world: World) -> None:
    outcome = await world.run(domain(senders=("exchange-online", "gcc-high")))
    assert codes(outcome) == set()
    del world.server.zone[KEY]
    world.server.zone["contoso.com", "TXT"] = "v=spf1 -all"
    world.clock.advance(timedelta(hours=1))
    outcome = await world.run(domain())
    finding = fires(tags.SENDER_FAILS, outcome)
    assert finding.detail == (
        "exchange-online: SPF fail, DKIM fail: its mail is refused under `reject`."
    )
    assert finding.evidence[1] == "DKIM: no key at selector1, selector2"
    assert outcome.severity is Severity.CRITICAL


async def test_none_is_fine_for_a_while(world: World) -> None:
    world.server.zone[DMARC] = f"v=DMARC1; p=none; {REPORTS}"
    check = domain()
    quiet(rules.NONE, await world.run(check))
    world.clock.advance(timedelta(days=89))
    quiet(rules.NONE, await world.run(check))
    world.clock.advance(timedelta(days=1))
    fires(rules.NONE, await world.run(check))


async def test_none_counts_anew_after_a_policy(world: World) -> None:
    check = domain(settings={"none_is_fine_for": "48h"})
    await world.run(check)
    world.clock.advance(timedelta(days=3))
    world.server.zone[DMARC] = f"v=DMARC1; p=none; {REPORTS}"
    quiet(rules.NONE, await world.run(check))
    world.clock.advance(timedelta(days=2))
    fires(rules.NONE, await world.run(check))


async def test_a_parked_domain_shall_reject_at_once(world: World) -> None:
    world.server.zone[DMARC] = "v=DMARC1; p=quarantine; rua=mailto:dmarc@contoso.com"
    outcome = await world.run(domain("parked"))
    assert codes(outcome) == {"dmarc-parked"}
    assert "senders" not in outcome.facts


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(Fault.SERVFAIL, "servfail", id="servfail"),
        pytest.param(Fault.SILENT, "timeout", id="silence"),
        pytest.param(Fault.REFUSED, "refused", id="refused"),
    ],
)
async def test_no_answer_is_unknown_and_never_a_missing_record(
    world: World, fault: Fault, reason: str
) -> None:
    world.server.zone[DMARC] = fault
    outcome = await world.run(domain())
    assert codes(outcome) == {"dns-unanswered"}
    assert outcome.failure == reason
    assert outcome.severity is Severity.UNKNOWN


async def test_a_sender_that_cannot_be_told_for_silence_is_unknown(world: World) -> None:
    world.server.zone["contoso.com", "TXT"] = Fault.SERVFAIL
    world.server.zone[KEY] = Fault.SERVFAIL
    outcome = await world.run(domain())
    assert codes(outcome) == {"dns-unanswered"}
    fires(DNS_UNANSWERED, outcome)
    assert outcome.failure == "servfail"
    assert values(outcome)["mailflow_dmarc_senders", "unknown"] == 1


async def test_a_missing_record_is_an_answer(world: World) -> None:
    del world.server.zone[DMARC]
    outcome = await world.run(domain())
    quiet(DNS_UNANSWERED, outcome)
    fires(rules.MISSING, outcome)
    assert outcome.facts["record"] == Text("no DMARC record")
    assert ("mailflow_dmarc_policy",) not in values(outcome)


async def test_an_alias_to_another_owner_is_found(world: World) -> None:
    world.server.zone["_dmarc.contoso.com", "CNAME"] = "contoso.dmarc.fabrikam.com"
    world.server.zone["contoso.dmarc.fabrikam.com", "TXT"] = world.server.zone.pop(DMARC)
    finding = fires(rules.ALIAS, await world.run(domain()))
    assert finding.detail == "_dmarc.contoso.com is an alias for contoso.dmarc.fabrikam.com."
    hosted = domain(settings={"hosted_by": ("*.fabrikam.com",)})
    quiet(rules.ALIAS, await world.run(hosted))


async def test_a_change_that_is_put_back_is_no_news_any_more(world: World) -> None:
    check, right = domain(), world.server.zone[DMARC]
    await world.run(check)
    world.server.zone[DMARC] = f"v=DMARC1; p=quarantine; {REPORTS}"
    fires(rules.CHANGED, await world.run(check))
    world.server.zone[DMARC] = right
    quiet(rules.CHANGED, await world.run(check))


async def test_a_change_is_news_for_a_while_and_kept(world: World) -> None:
    check = domain(settings={"report_changes_for": "10m"})
    quiet(rules.CHANGED, await world.run(check))
    world.server.zone[DMARC] = f"v=DMARC1; p=quarantine; {REPORTS}"
    world.clock.advance(timedelta(seconds=60))
    news = await world.run(check)
    finding = fires(rules.CHANGED, news)
    assert finding.evidence == ("- p=reject", "+ p=quarantine")
    assert await world.run(check) is news
    world.clock.advance(timedelta(seconds=601))
    settled = await world.run(check)
    assert settled.findings == ()
    assert settled.facts == news.facts
