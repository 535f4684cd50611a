"""A domain's exchanges, walked over real sockets."""

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from types import MappingProxyType, SimpleNamespace
from typing import cast

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.egress import Egress
from agent.adapters.plans import Recall
from agent.domain import exchange_rules as rules
from agent.domain.fact import Table, Text, Walk
from agent.domain.finding import Outcome, Severity
from agent.domain.lookup import Answer, Exchange, Query, Reply, Silence, Unanswered
from agent.probes.base import DNS_UNANSWERED, Check, Toolbox
from agent.probes.exchange import PROBE, ExchangeSettings
from agent.settings import DomainSubject
from proof import fires, quiet
from servers.smtp import Mailbox, real_server, rude_server, scripted, swallowing
from servers.tls import Authorities

HOST = "mx.example.net"
ONE, TWO, SIX = "192.31.196.1", "192.31.196.2", "2600:1::1"
NOTHING: Mapping[str, object] = MappingProxyType({})
Records = dict[tuple[str, str], Reply]


class Zone:
    """A resolver that answers from records; what it lacks exists without data."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        return tuple(self._records.get((each.name, each.type), Answer()) for each in queries)


def zone(*addresses: str) -> Records:
    """Return the records of contoso.com with one exchange, whose addresses lead back to it."""
    records: Records = {("contoso.com", "MX"): Answer((Exchange(0, HOST),))}
    for kind, version in (("A", 4), ("AAAA", 6)):
        found = tuple(each for each in map(ip_address, addresses) if each.version == version)
        if found:
            records[HOST, kind] = Answer(found)
    for each in addresses:
        records[ip_address(each).reverse_pointer, "PTR"] = Answer((HOST,))
    return records


@pytest.fixture(scope="module")
def authorities() -> Authorities:
    return Authorities()


async def walk(
    authorities: Authorities,
    records: Records,
    places: Mapping[str, int] = MappingProxyType({}),
    settings: Mapping[str, object] = NOTHING,
    recall: Recall | None = None,
) -> Outcome:
    """Run the check with the addresses of *places* at ports on loopback."""
    clock, resolver = SystemClock(), Zone(records)
    detours = {(address, 25): ("127.0.0.1", port) for address, port in places.items()}
    dialer = Dialer(clock=clock, detours=detours, detours_only=bool(detours))
    tools = SimpleNamespace(
        resolver=resolver,
        recall=recall or Recall(resolver),
        clock=clock,
        dialer=dialer,
        trust=authorities.store,
        egress=Egress((), resolver=resolver, dialer=dialer, clock=clock),
        sightings=None,
    )
    check = Check(
        tenant="contoso",
        target=DomainSubject(name="contoso.com"),
        probe=PROBE,
        settings=ExchangeSettings.model_validate({"timeout": timedelta(seconds=3), **settings}),
    )
    return await PROBE.run(check, cast("Toolbox", tools))


def values(outcome: Outcome) -> dict[tuple[str, ...], float]:
    return {
        (each.signal.name.removeprefix("mailflow_exchange_"), *each.labels): cast(
            "float", each.value
        )
        for each in outcome.measurements
    }


async def test_a_sound_exchange_is_walked_and_shown(authorities: Authorities) -> None:
    mailbox = Mailbox()
    async with real_server(mailbox, authorities.server(HOST)) as port:
        outcome = await walk(authorities, zone(ONE), {ONE: port})
    assert outcome.findings == ()
    assert mailbox.messages == []
    seen = values(outcome)
    assert seen["reachable",] == 1
    assert seen["addresses", "accepted"] == 1
    assert seen["addresses_with_tls",] == 1
    assert seen["phase_duration_seconds", "certificate"] > 0
    assert seen["certificate_expiry_timestamp_seconds",] > 0
    shown = outcome.facts["Exchanges"]
    assert isinstance(shown, Table)
    assert shown.rows[0][3] == f"{HOST} (confirmed)"
    assert isinstance(outcome.facts[f"Walk of {HOST} [{ONE}]"], Walk)
    transcript = outcome.facts[f"Transcript of {HOST} [{ONE}]"]
    assert isinstance(transcript, Text)
    assert "RCPT" not in transcript.text


async def test_a_configured_recipient_must_be_accepted(authorities: Authorities) -> None:
    asked = {"recipient": "probe@example.net", "mail_from": "monitor@contoso.com"}
    async with real_server(Mailbox(), authorities.server(HOST)) as port:
        good = await walk(authorities, zone(ONE), {ONE: port}, asked)
        bad = await walk(authorities, zone(ONE), {ONE: port}, {"recipient": "x@example.net"})
    quiet(rules.RECIPIENT_REFUSED, good)
    finding = fires(rules.RECIPIENT_REFUSED, bad)
    assert any(line.startswith("What helps:") for line in finding.evidence)


async def test_one_of_two_addresses_that_fails_is_a_share(authorities: Authorities) -> None:
    async with (
        real_server(Mailbox(), authorities.server(HOST)) as port,
        rude_server(scripted(b"", reset=True)) as (other, _),
    ):
        outcome = await walk(authorities, zone(ONE, TWO), {ONE: port, TWO: other})
    assert "1 of 2" in fires(rules.PARTLY_FAILING, outcome).detail
    quiet(rules.UNREACHABLE, outcome)
    assert values(outcome)["addresses", "unreached"] == 1


async def test_nobody_is_blamed_while_port_25_may_be_closed_here(authorities: Authorities) -> None:
    with swallowing() as silent:
        alone = await walk(authorities, zone(ONE), {ONE: silent})
        async with real_server(Mailbox(), authorities.server(HOST)) as port:
            beside = await walk(authorities, zone(ONE, TWO), {ONE: silent, TWO: port})
    assert fires(rules.NOT_TRIED, alone).severity is Severity.UNKNOWN
    quiet(rules.UNREACHABLE, alone)
    assert alone.failure == "no-egress"
    assert ("reachable",) not in values(alone)
    fires(rules.PARTLY_FAILING, beside)


async def test_all_that_is_wrong_with_a_certificate_is_told_at_once(
    authorities: Authorities,
) -> None:
    context = authorities.server("other.example", known=False)
    async with real_server(Mailbox(), context) as port:
        outcome = await walk(authorities, zone(ONE), {ONE: port})
    fires(rules.NAME_MISMATCH, outcome)
    fires(rules.UNTRUSTED, outcome)
    assert outcome.severity is Severity.WARNING


async def test_reverse_names_are_looked_at_unless_that_is_not_wanted(
    authorities: Authorities,
) -> None:
    records = zone(ONE)
    del records[ip_address(ONE).reverse_pointer, "PTR"]
    async with real_server(Mailbox(), authorities.server(HOST)) as port:
        looked = await walk(authorities, records, {ONE: port})
        not_looked = await walk(authorities, records, {ONE: port}, {"reverse_dns": False})
    fires(rules.NO_REVERSE_NAME, looked)
    assert not_looked.findings == ()


async def test_a_gate_in_the_resolvers_place_takes_no_name_away(authorities: Authorities) -> None:
    apex, name = ("com", "SOA"), (ip_address(ONE).reverse_pointer, "PTR")
    records: dict[tuple[str, str], Reply] = {**zone(ONE), apex: Answer(("a.gtld-servers.net",))}
    recall = Recall(Zone(records))
    recall.controls = ("com",)
    async with real_server(Mailbox(), authorities.server(HOST)) as port:
        before = await walk(authorities, records, {ONE: port}, recall=recall)
        gone = {key: records.pop(key) for key in (apex, name)}
        behind = await walk(authorities, records, {ONE: port}, recall=recall)
        records[apex] = gone[apex]
        seen = await walk(authorities, records, {ONE: port}, recall=recall)
    assert before.findings == behind.findings == ()
    fires(rules.NO_REVERSE_NAME, seen)


async def test_a_private_address_in_public_data_is_not_connected_to(
    authorities: Authorities,
) -> None:
    for address in ("127.0.0.1", "10.0.0.1", "169.254.169.254"):
        outcome = await walk(authorities, zone(address), {})
        assert fires(rules.NOT_TRIED, outcome).severity is Severity.UNKNOWN
        assert outcome.failure == "forbidden-address"


async def test_ipv6_that_this_machine_lacks_is_left_out(authorities: Authorities) -> None:
    async with real_server(Mailbox(), authorities.server(HOST)) as port:
        outcome = await walk(authorities, zone(ONE, SIX), {ONE: port})
    # Nothing leads to it in this world: that is told, and is no fault of the exchange.
    assert fires(rules.NOT_TRIED, outcome)
    quiet(rules.FAMILY_FAILING, outcome)


async def test_a_domain_without_an_exchange_has_none_to_walk(authorities: Authorities) -> None:
    null: Records = {("contoso.com", "MX"): Answer((Exchange(0, ""),))}
    for records, word in ((null, "null MX"), ({}, "mx check")):
        outcome = await walk(authorities, records)
        assert outcome.findings == ()
        assert word in outcome.idle


async def test_what_dns_cannot_say_is_unknown(authorities: Authorities) -> None:
    silent = Unanswered(Silence.TIMEOUT)
    outcome = await walk(authorities, {("contoso.com", "MX"): silent})
    fires(DNS_UNANSWERED, outcome)
    assert outcome.failure == "timeout"
    async with real_server(Mailbox(), authorities.server(HOST)) as port:
        half = await walk(authorities, zone(ONE) | {(HOST, "AAAA"): silent}, {ONE: port})
    fires(DNS_UNANSWERED, half)
    assert values(half)["reachable",] == 1
