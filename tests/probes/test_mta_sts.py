"""The check of a domain's MTA-STS, over a real web server with real certificates."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.adapters.dialer import Dialer
from agent.adapters.history import History
from agent.adapters.https import PORT, Https
from agent.adapters.plans import Recall
from agent.adapters.policies import Policies
from agent.adapters.sightings import Sightings
from agent.adapters.store import Store
from agent.adapters.uplink import Uplink
from agent.domain import mta_sts_rules as rules
from agent.domain.fact import Table, Text
from agent.domain.finding import Outcome, Rule, Severity
from agent.domain.lookup import Answer, Query, Reply, Silence, Unanswered
from agent.probes.base import DNS_UNANSWERED, Check, Toolbox
from agent.probes.mta_sts import PROBE, MtaStsSettings, run
from agent.settings import DomainSubject
from proof import fires, quiet
from servers import policy_host as server
from servers.policy_host import Handler, PolicyHost
from servers.spf_zone import zone_of
from servers.standings import HandClock
from servers.sts_case import DNS, HOST, OWN, PLACE, SECURE, D, policy, texts
from servers.tls import Authorities

NAME = (f"_mta-sts.{D}", "TXT")
MX = (D, "MX")
CONTROL, CONTROL_PLACE = "www.control.example", "192.31.196.99"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
MtaStsCheck = Check[DomainSubject, MtaStsSettings]


class Zone:
    """A resolver that answers from records; the same object for as long as they are the same."""

    def __init__(self, records: dict[tuple[str, str], Reply]) -> None:
        self.records = records
        self.asked: list[Query] = []

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        self.asked += queries
        return tuple(
            self.records.setdefault((each.name, each.type), Answer(name_exists=False))
            for each in queries
        )


@dataclass
class World:
    host: PolicyHost
    zone: Zone
    clock: HandClock
    dialer: Dialer
    sightings: Sightings
    tools: Any

    async def run(self, check: MtaStsCheck | None = None) -> Outcome:
        return await run(check or domain(), cast("Toolbox", self.tools))

    def announce(self, version: str) -> None:
        self.zone.records[NAME] = texts(f"v=STSv1; id={version}")

    def deliver_to(self, *exchanges: str) -> None:
        lines = "\n".join(f"{D} MX 0 {each}" for each in exchanges)
        self.zone.records[MX] = zone_of(lines)[MX]


@pytest.fixture(scope="module")
def authorities() -> Authorities:
    return Authorities()


@pytest.fixture
async def world(authorities: Authorities) -> AsyncIterator[World]:
    async with PolicyHost(authorities, HOST) as host:
        host.answer = server.text(policy())
        clock = HandClock()
        zone = Zone(zone_of(DNS.strip()))
        detours = {(PLACE, PORT): ("127.0.0.1", host.port)}
        dialer = Dialer(clock=clock, detours=detours, detours_only=True)
        sightings = Sightings()
        https = Https(resolver=zone, dialer=dialer, trust=authorities.store)
        tools = SimpleNamespace(
            resolver=zone,
            clock=clock,
            recall=Recall(zone),
            history=History(Store()),
            dialer=dialer,
            trust=authorities.store,
            policies=Policies(https, clock),
            sightings=sightings,
            egress=None,
        )
        made = World(host, zone, clock, dialer, sightings, tools)
        made.announce("1")
        yield made


def domain(**settings: Any) -> MtaStsCheck:
    subject = DomainSubject(name=D)
    return Check("contoso", subject, PROBE, MtaStsSettings.model_validate(settings))


def codes(outcome: Outcome) -> set[str]:
    return {finding.rule.code for finding in outcome.findings}


def values(outcome: Outcome) -> dict[str, object]:
    return {
        one.signal.name.removeprefix("mailflow_mta_sts_"): one.value for one in outcome.measurements
    }


async def test_a_healthy_domain_has_no_findings_and_shows_all(world: World) -> None:
    outcome = await world.run()
    assert outcome.findings == ()
    assert outcome.failure == ""
    told = values(outcome)
    assert cast("float", told.pop("certificate_expiry_timestamp_seconds")) > 0
    assert told == {"mode": 2, "max_age_seconds": 604800, "exchanges_uncovered": 0}
    assert list(outcome.facts) == ["record", "policy host", "policy", "exchanges"]
    assert outcome.facts["record"] == Text("v=STSv1; id=1")
    host = outcome.facts["policy host"]
    assert isinstance(host, Table)
    assert ("file", "fetched") in host.rows
    assert world.host.asked == [(server.PATH, HOST)]


async def test_without_a_policy_nothing_is_fetched_and_nothing_is_wrong(world: World) -> None:
    del world.zone.records[NAME]
    del world.zone.records[HOST, "A"]
    outcome = await world.run()
    assert outcome.findings == ()
    assert values(outcome) == {"mode": 0}
    assert world.host.asked == []
    assert codes(await world.run(domain(expected="enforce"))) == {"mta-sts-not-as-expected"}


async def test_a_file_is_fetched_once_a_run_and_at_once_for_a_new_id(world: World) -> None:
    check = domain()
    await world.run(check)
    await world.run(check)
    assert len(world.host.asked) == 1
    world.announce("2")
    await world.run(check)
    assert len(world.host.asked) == 2
    world.clock.advance(check.settings.interval)
    await world.run(check)
    assert len(world.host.asked) == 3


@pytest.mark.parametrize(
    ("answer", "rule", "words"),
    [
        pytest.param(server.missing, rules.UNFETCHED, "status 404", id="404"),
        pytest.param(server.redirect, rules.UNFETCHED, "status 301, which leads to", id="redirect"),
        pytest.param(server.endless, rules.UNFETCHED, "more than 65536 octets", id="10 MB"),
        pytest.param(
            server.text(policy(), "application/octet-stream"),
            rules.UNFETCHED,
            "application/octet-stream, not text/plain",
            id="a wrong type",
        ),
        pytest.param(
            server.text("<html>404</html>", "text/html"),
            rules.UNFETCHED,
            "text/html, not text/plain",
            id="a page",
        ),
        pytest.param(
            server.text("<html>404</html>"), rules.POLICY_INVALID, "web page", id="a page as text"
        ),
        pytest.param(server.close_early, rules.UNFETCHED, "ClientPayloadError", id="cut off"),
        pytest.param(server.hang_up, rules.UNFETCHED, "Disconnected", id="no answer"),
    ],
)
async def test_what_keeps_senders_from_the_policy(
    world: World, answer: Handler, rule: Rule, words: str
) -> None:
    world.host.answer = answer
    world.deliver_to("mx.elsewhere.example")
    outcome = await world.run()
    assert words in fires(rule, outcome).detail
    quiet(rules.UNCOVERED, outcome)
    assert outcome.severity is Severity.WARNING
    assert "mode" not in values(outcome)


async def test_a_slow_host_that_shows_a_certificate_is_at_fault(world: World) -> None:
    world.host.answer = server.silence
    outcome = await world.run(domain(timeout="2500ms"))
    assert "no answer in time" in fires(rules.UNFETCHED, outcome).detail
    quiet(rules.NOT_LOOKED, outcome)


async def test_a_text_of_a_wrong_type_is_judged_as_well(world: World) -> None:
    world.host.answer = server.text("mode: enforce", "text/html")
    assert codes(await world.run()) == {"mta-sts-policy-unfetched", "mta-sts-policy-invalid"}


async def test_certificates_of_the_policy_host_are_judged_in_full(
    world: World, authorities: Authorities
) -> None:
    world.host.context = authorities.server("contoso.com", not_after=LONG_AGO, known=False)
    finding = fires(rules.HOST_CERTIFICATE, await world.run())
    for words in ("expired on 2020-01-01", "mta-sts.contoso.com is asked for", "no trusted root"):
        assert words in finding.detail
    world.clock.advance(timedelta(hours=1))
    soon = world.clock.now() + timedelta(days=9)
    world.host.context = authorities.server(HOST, not_after=soon)
    outcome = await world.run()
    fires(rules.HOST_CERTIFICATE_ENDS, outcome)
    quiet(rules.HOST_CERTIFICATE, outcome)


@pytest.mark.parametrize(
    ("shows", "is_ours"),
    [
        pytest.param("the same", True, id="the same authority for a well-known host"),
        pytest.param("another", False, id="another strange one for a well-known host"),
        pytest.param("known", False, id="a well-known host is as it should be"),
        pytest.param("nothing", False, id="no well-known host answers"),
    ],
)
async def test_a_proxy_that_looks_into_connections_is_not_the_fault_of_the_host(
    world: World, authorities: Authorities, shows: str, *, is_ours: bool
) -> None:
    world.host.context = authorities.server(HOST, known=False)
    uplink = Uplink(
        (("gone.example", PORT), (CONTROL, PORT), (CONTROL, 25)),
        resolver=world.zone,
        dialer=world.dialer,
        clock=world.clock,
    )
    world.tools.egress = SimpleNamespace(uplink=uplink)
    world.zone.records[CONTROL, "A"] = Answer((ip_address(CONTROL_PLACE),))
    async with PolicyHost(authorities, CONTROL) as control:
        signer = Authorities() if shows == "another" else authorities
        control.context = signer.server(CONTROL, known=shows == "known")
        if shows != "nothing":
            world.dialer.detours[CONTROL_PLACE, PORT] = ("127.0.0.1", control.port)
        outcome = await world.run()
    (fires if is_ours else quiet)(rules.NOT_LOOKED, outcome)
    (quiet if is_ours else fires)(rules.HOST_CERTIFICATE, outcome)
    if is_ours:
        assert CONTROL in fires(rules.NOT_LOOKED, outcome).detail
        assert (outcome.severity, outcome.failure) == (Severity.UNKNOWN, "no-egress")


async def test_what_may_be_our_fault_is_unknown(world: World) -> None:
    world.dialer.detours.clear()
    outcome = await world.run()
    fires(rules.NOT_LOOKED, outcome)
    assert outcome.severity is Severity.UNKNOWN
    assert outcome.failure == "no-egress"
    assert values(outcome) == {}
    world.tools.policies = None
    fires(rules.NOT_LOOKED, await world.run())


async def test_a_refused_connection_counts_once_others_have_been_reached(world: World) -> None:
    async with PolicyHost(Authorities(), HOST) as gone:
        port = gone.port
    world.dialer.detours[PLACE, PORT] = ("127.0.0.1", port)
    assert "nobody was reached" in fires(rules.NOT_LOOKED, await world.run()).detail
    world.dialer.note_greeting(ip_address("192.31.196.81"), PORT)
    world.clock.advance(timedelta(minutes=10))
    assert "refused" in fires(rules.UNFETCHED, await world.run()).detail


async def test_an_exchange_that_the_policy_leaves_out_is_critical(world: World) -> None:
    world.deliver_to(SECURE)
    outcome = await world.run()
    assert outcome.findings[0] == fires(rules.UNCOVERED, outcome)
    assert outcome.severity is Severity.CRITICAL
    assert values(outcome)["exchanges_uncovered"] == 1


async def test_certificates_that_other_checks_saw_are_held_against_the_policy(world: World) -> None:
    now = world.clock.now()
    world.sightings.note_certificate(OWN, (OWN,), now + timedelta(days=9), now, is_trusted=True)
    quiet(rules.EXCHANGE_CERTIFICATE, await world.run())
    world.sightings.note_certificate(OWN, (OWN,), now + timedelta(days=9), now, is_trusted=False)
    finding = fires(rules.EXCHANGE_CERTIFICATE, await world.run())
    assert finding.detail == f"{OWN}: its certificate leads to no trusted root."
    world.clock.advance(timedelta(days=2))
    quiet(rules.EXCHANGE_CERTIFICATE, await world.run())  # nobody has seen it since
    world.tools.sightings = None
    quiet(rules.EXCHANGE_CERTIFICATE, await world.run())


async def test_a_policy_that_changed_under_its_id_is_found(world: World) -> None:
    check = domain()
    world.host.answer = server.text(policy("mx.old.example"))
    fires(rules.UNCOVERED, await world.run(check))
    world.host.answer = server.text(policy())
    world.clock.advance(timedelta(hours=1))
    finding = fires(rules.OLD_POLICY_LOSES, await world.run(check))
    assert finding.evidence == ("- mx: mx.old.example", f"+ mx: {OWN}")
    world.announce("2")
    outcome = await world.run(check)
    assert outcome.findings == ()
    world.announce("3")
    world.clock.advance(timedelta(days=8))
    assert codes(await world.run(check)) == {"mta-sts-policy-unchanged"}
    world.clock.advance(timedelta(hours=1))
    assert (await world.run(check)).findings == ()


async def test_testing_is_fine_for_a_while(world: World) -> None:
    check = domain(testing_is_fine_for="48h")
    world.host.answer = server.text(policy(mode="testing"))
    quiet(rules.TESTING_LONG, await world.run(check))
    world.clock.advance(timedelta(days=2))
    fires(rules.TESTING_LONG, await world.run(check))


async def test_a_policy_taken_away_is_remembered_until_senders_forget_it(world: World) -> None:
    check = domain()
    await world.run(check)
    del world.zone.records[NAME]
    del world.zone.records[HOST, "A"]
    world.clock.advance(timedelta(hours=1))
    fires(rules.REMOVED_EARLY, await world.run(check))
    world.clock.advance(timedelta(days=7))
    assert (await world.run(check)).findings == ()


async def test_a_host_that_leads_elsewhere_is_news_for_a_while(world: World) -> None:
    check = domain()
    await world.run(check)
    address = world.zone.records[HOST, "A"]
    assert isinstance(address, Answer)
    world.zone.records[HOST, "A"] = Answer(address.records, aliases=("sites.example",))
    world.clock.advance(timedelta(minutes=5))
    finding = fires(rules.HOST_CHANGED, await world.run(check))
    assert "is CNAME sites.example" in finding.detail
    world.clock.advance(timedelta(hours=1))
    assert (await world.run(check)).findings == ()


@pytest.mark.parametrize("name", [NAME, MX, (HOST, "A")])
async def test_no_answer_is_unknown_and_accuses_nobody(world: World, name: tuple[str, str]) -> None:
    world.zone.records[name] = Unanswered(Silence.SERVFAIL)
    outcome = await world.run()
    assert codes(outcome) == {"dns-unanswered" if name[0] != HOST else "mta-sts-not-looked"}
    assert outcome.failure == "servfail"
    assert outcome.severity is Severity.UNKNOWN


async def test_dns_silence_beside_no_policy_is_no_finding(world: World) -> None:
    del world.zone.records[NAME]
    del world.zone.records[HOST, "A"]
    world.zone.records[MX] = Unanswered(Silence.SERVFAIL)
    quiet(DNS_UNANSWERED, await world.run())
