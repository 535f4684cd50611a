"""Does the spf probe say who may send, over a real DNS server?"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import pytest

from agent.adapters.history import History
from agent.adapters.plans import Recall
from agent.adapters.resolver import Resolver
from agent.adapters.store import Store
from agent.domain import spf_report as report
from agent.domain import spf_rules as rules
from agent.domain import spf_rules_tree as tree_rules
from agent.domain.fact import Node, Table, Text
from agent.domain.finding import Outcome, Rule, Severity
from agent.probes.base import DNS_UNANSWERED, Check, Toolbox
from agent.probes.spf import PROBE, SpfSettings, run
from agent.settings import DomainSubject
from proof import Proves, fires, named, quiet
from servers.dns import DnsServer, Fault, Published
from servers.standings import HandClock

MICROSOFT = "spf.protection.outlook.com"
ZONE = {
    ("example.com", "TXT"): f"v=spf1 ip4:192.31.196.0/28 include:{MICROSOFT} -all",
    ("example.com", "MX"): "0 example-com.mail.protection.outlook.com",
    (MICROSOFT, "TXT"): "v=spf1 ip4:40.92.0.0/15 ip6:2a01:111:f400::/48 -all",
}
SpfCheck = Check[DomainSubject, SpfSettings]


@dataclass
class World:
    server: DnsServer
    tools: Toolbox
    clock: HandClock

    async def run(self, check: SpfCheck) -> Outcome:
        return await run(check, self.tools)


def domain(
    topology: Any = "custom", settings: dict[str, Any] | None = None, **more: Any
) -> SpfCheck:
    subject = DomainSubject(name="example.com", topology=topology, **more)
    return Check("contoso", subject, PROBE, SpfSettings(**(settings or {})))


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


async def test_a_healthy_domain_has_no_findings_and_shows_its_record(world: World) -> None:
    outcome = await world.run(
        domain("exchange-online", senders=("192.31.196.0/28", "exchange-online"))
    )
    assert outcome.findings == ()
    assert outcome.failure == ""
    assert values(outcome) == {
        ("mailflow_spf_lookups",): 1,
        ("mailflow_spf_sender_lookups",): 1,
        ("mailflow_spf_void_lookups", "ipv4"): 0,
        ("mailflow_spf_void_lookups", "ipv6"): 0,
        ("mailflow_spf_record_bytes",): 66,
        ("mailflow_spf_record_ttl_seconds",): 300,
        ("mailflow_spf_senders", "authorised"): 2,
        ("mailflow_spf_senders", "refused"): 0,
        ("mailflow_spf_senders", "unknown"): 0,
        ("mailflow_spf_strangers_passing",): 0,
        ("mailflow_spf_record_changed_timestamp_seconds",): world.clock.now().timestamp(),
    }
    includes = outcome.facts["includes"]
    assert isinstance(includes, Node)
    assert includes.count == 1
    senders = outcome.facts["senders"]
    assert isinstance(senders, Table)
    assert [row[2] for row in senders.rows] == ["pass", "pass", "fail", "fail"]


async def test_a_steady_run_asks_one_question_and_gives_the_same_object(world: World) -> None:
    check = domain(senders=("exchange-online",))
    first = await world.run(check)
    asked = world.server.asked.total()
    assert await world.run(check) is first
    assert world.server.asked.total() - asked == 1


Case = dict[str, Any]  # what the operator says of the domain
SENDERS: list[tuple[Proves, Rule, str, Case]] = [
    (fires, report.SENDER_REFUSED, "half a network", {"senders": ("192.31.196.0/27",)}),
    (fires, report.SENDER_REFUSED, "the next address", {"senders": ("192.31.196.16",)}),
    (quiet, report.SENDER_REFUSED, "the whole network", {"senders": ("192.31.196.0/28",)}),
    (quiet, report.SENDER_REFUSED, "who is no sender", {"not_senders": ("192.31.196.16",)}),
    (fires, report.NOT_SENDER_PASSES, "the last address", {"not_senders": ("192.31.196.15",)}),
    (quiet, report.NOT_SENDER_PASSES, "the next address", {"not_senders": ("192.31.196.16",)}),
    (fires, report.UNKNOWN_SENDER, "no such profile", {"senders": ("nonsense",)}),
    (fires, report.UNKNOWN_SENDER, "no such address", {"not_senders": ("nonsense",)}),
    (fires, report.UNKNOWN_SENDER, "without an include", {"senders": ("proofpoint",)}),
    (fires, report.UNKNOWN_SENDER, "provider without networks", {"senders": ("sendgrid",)}),
    (quiet, report.UNKNOWN_SENDER, "a profile", {"senders": ("exchange-online",)}),
    (quiet, report.UNKNOWN_SENDER, "a bare address", {"senders": ("2001:470::1",)}),
    (fires, tree_rules.PARKED, "parked domain that sends", {"topology": "parked"}),
    (quiet, tree_rules.PARKED, "any other topology", {"topology": "custom"}),
    (fires, tree_rules.WRONG_CLOUD, "wrong cloud", {"senders": ("gcc-high",)}),
    (quiet, tree_rules.WRONG_CLOUD, "right cloud", {"senders": ("exchange-online",)}),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(SENDERS))
async def test_what_the_operator_says_is_compared(
    world: World, proves: Proves, rule: Rule, case: Case
) -> None:
    proves(rule, await world.run(domain(**case)))


async def test_a_refused_sender_comes_with_the_trace(world: World) -> None:
    outcome = await world.run(domain(senders=("198.51.100.7",)))
    assert isinstance(outcome.facts["evaluation"], Node)
    (finding,) = outcome.findings
    assert "198.51.100.7" in finding.evidence[0]


STRANGERS: list[tuple[Proves, Rule, str, str]] = [
    (fires, report.STRANGER_PASSES, "everybody", "v=spf1 +all"),
    (fires, report.STRANGER_PASSES, "half the internet", "v=spf1 ip4:128.0.0.0/1 -all"),
    (fires, report.STRANGER_PASSES, "with IPv6", "v=spf1 ip6:2000::/3 -all"),
    (quiet, report.STRANGER_PASSES, "the other half", "v=spf1 ip4:0.0.0.0/1 -all"),
    (quiet, report.STRANGER_PASSES, "neutral to everybody", "v=spf1 ?all"),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(STRANGERS))
async def test_strangers_that_pass_are_found(
    world: World, proves: Proves, rule: Rule, case: str
) -> None:
    world.server.zone["example.com", "TXT"] = case
    proves(rule, await world.run(domain()))


async def test_a_flattened_record_covers_a_provider_as_well(world: World) -> None:
    world.server.zone["example.com", "TXT"] = "v=spf1 ip4:40.92.0.0/15 ip6:2a01:111:f400::/48 -all"
    outcome = await world.run(domain("exchange-online", settings={}))
    assert codes(outcome) == {"spf-wide-range"}


async def test_a_missing_include_of_the_cloud_is_found(world: World) -> None:
    world.server.zone["example.com", "TXT"] = "v=spf1 -all"
    outcome = await world.run(domain("exchange-online"))
    assert codes(outcome) == {"spf-cloud-include-missing", "spf-sender-refused"}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(Fault.SERVFAIL, "servfail", id="servfail"),
        pytest.param(Fault.SILENT, "timeout", id="silence"),
    ],
)
async def test_no_answer_is_unknown_and_never_a_missing_record(
    world: World, fault: Fault, reason: str
) -> None:
    world.server.zone["example.com", "TXT"] = fault
    outcome = await world.run(domain("exchange-online"))
    assert codes(outcome) == {"dns-unanswered"}
    fires(DNS_UNANSWERED, outcome)
    assert outcome.failure == reason
    assert outcome.severity is Severity.UNKNOWN


@pytest.mark.parametrize(
    "exists", [pytest.param(True, id="no data"), pytest.param(False, id="no such name")]
)
async def test_an_answer_that_there_is_nothing_is_an_answer(world: World, *, exists: bool) -> None:
    world.server.zone["example.com", "TXT"] = Published(exists=exists)
    outcome = await world.run(domain("exchange-online"))
    quiet(DNS_UNANSWERED, outcome)
    fires(rules.MISSING, outcome)
    assert outcome.failure == ""


async def test_an_include_that_does_not_answer_is_a_finding_of_its_own(world: World) -> None:
    world.server.zone[MICROSOFT, "TXT"] = Fault.SERVFAIL
    outcome = await world.run(
        domain("exchange-online", senders=("198.51.100.7", "exchange-online"))
    )
    assert codes(outcome) == {"spf-target-unanswered", "dns-unanswered"}
    assert outcome.failure == "servfail"
    assert values(outcome)["mailflow_spf_senders", "unknown"] == 2


async def test_a_failing_host_of_one_sender_is_unknown(world: World) -> None:
    world.server.zone["example.com", "TXT"] = "v=spf1 a:host.example.com -all"
    world.server.zone["host.example.com", "A"] = Fault.REFUSED
    world.server.zone["example.com", "MX"] = "0 mail.x.com"
    outcome = await world.run(domain(senders=("198.51.100.7",)))
    assert codes(outcome) == {"dns-unanswered"}
    assert outcome.failure == "refused"


@pytest.mark.parametrize(
    ("proves", "exchanges"),
    [
        pytest.param(fires, ["1 a.x.com", "2 b.x.com", "3 c.x.com"], id="three without address"),
        pytest.param(quiet, ["1 a.x.com", "2 b.x.com"], id="two without address"),
    ],
)
async def test_a_sender_that_receivers_disagree_about_is_found(
    world: World, proves: Proves, exchanges: list[str]
) -> None:
    world.server.zone |= {
        ("example.com", "TXT"): "v=spf1 mx ip4:192.31.196.1 -all",
        ("example.com", "MX"): exchanges,
    }
    proves(tree_rules.DIFFERS, await world.run(domain(senders=("192.31.196.1",))))


async def test_a_domain_without_a_record_is_told_once(world: World) -> None:
    world.server.zone["example.com", "TXT"] = "MS=ms1"
    outcome = await world.run(domain(senders=("198.51.100.7",)))
    assert codes(outcome) == {"spf-missing"}
    assert outcome.facts["record"] == Text("no SPF record")


async def test_a_change_is_news_for_a_while_and_kept(world: World) -> None:
    check = domain(settings={"report_changes_for": "10m"})
    quiet(report.CHANGED, await world.run(check))
    world.server.zone["example.com", "TXT"] = f"v=spf1 include:{MICROSOFT} ip4:192.31.196.9 -all"
    world.clock.advance(timedelta(seconds=60))
    news = await world.run(check)
    assert codes(news) == {"spf-record-changed"}
    finding = fires(report.CHANGED, news)
    assert finding.evidence == ("- ip4:192.31.196.0/28", "+ ip4:192.31.196.9")
    assert await world.run(check) is news
    world.clock.advance(timedelta(seconds=601))
    settled = await world.run(check)
    assert settled.findings == ()
    assert settled.facts == news.facts


async def test_a_change_that_is_put_back_is_no_news_any_more(world: World) -> None:
    check, right = domain(), world.server.zone["example.com", "TXT"]
    await world.run(check)
    for wrong in ("v=spf1 -all", "v=spf1 a -all"):
        world.server.zone["example.com", "TXT"] = wrong
        world.clock.advance(timedelta(minutes=5))
        fires(report.CHANGED, await world.run(check))
    world.server.zone["example.com", "TXT"] = right
    world.clock.advance(timedelta(minutes=5))
    quiet(report.CHANGED, await world.run(check))


async def test_a_change_beside_the_record_is_none_of_it(world: World) -> None:
    check = domain()
    await world.run(check)
    world.server.zone["example.com", "TXT"] = ["MS=ms1", str(ZONE["example.com", "TXT"])]
    quiet(report.CHANGED, await world.run(check))


async def test_a_mere_change_of_order_is_said_to_be_one(world: World) -> None:
    check = domain()
    await world.run(check)
    world.server.zone["example.com", "TXT"] = f"v=spf1 include:{MICROSOFT} ip4:192.31.196.0/28 -all"
    (finding,) = (await world.run(check)).findings
    assert finding.detail.startswith("the order of its terms differs since ")
    assert finding.evidence == ("the same terms in another order",)


async def test_a_record_that_comes_or_goes_is_told_whole(world: World) -> None:
    check = domain(settings={"report_changes_for": "1m"})
    right = world.server.zone["example.com", "TXT"]
    await world.run(check)
    world.server.zone["example.com", "TXT"] = "MS=ms1"
    gone = fires(report.CHANGED, await world.run(check))
    assert gone.detail.startswith("it is gone since ")
    assert gone.evidence == (f"- {right}", "+ no SPF record")
    world.clock.advance(timedelta(minutes=5))
    await world.run(check)
    world.server.zone["example.com", "TXT"] = right
    come = fires(report.CHANGED, await world.run(check))
    assert come.detail.startswith("it is there since ")
    assert come.evidence == ("- no SPF record", f"+ {right}")


async def test_bounds_come_from_the_settings(world: World) -> None:
    world.server.zone["example.com", "TXT"] = Published(f"v=spf1 include:{MICROSOFT} -all", ttl=60)
    settings = {"warn_at_lookups": 1, "min_ttl": "2m", "max_record_bytes": 64}
    check = domain(settings=settings)
    assert codes(await world.run(check)) == {"spf-near-lookup-limit"}
    # A resolver's cache counts down: a low time to live proves nothing until it has been watched.
    world.clock.advance(timedelta(minutes=2))
    assert codes(await world.run(check)) == {"spf-near-lookup-limit", "spf-ttl-low"}


def test_every_rule_and_signal_is_declared_once() -> None:
    codes_ = [rule.code for rule in PROBE.rules]
    assert len(codes_) == len(set(codes_))
    assert all(code.startswith("spf-") for code in codes_)
    assert all(rule.remedy and rule.reference and rule.summary for rule in PROBE.rules)
    assert all(signal.name.startswith("mailflow_spf_") for signal in PROBE.signals)
