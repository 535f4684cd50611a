"""A connector that delivers by MX, with the policies of the domains it delivers to."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from types import MappingProxyType, SimpleNamespace
from typing import cast

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.policies import Found
from agent.adapters.trust import TrustStore, server_context
from agent.adapters.x509 import key_of
from agent.adapters.x509_making import Authority, KeyPair, ders_of, self_signed
from agent.domain import connector_rules, delivery_rules
from agent.domain.fact import Table
from agent.domain.finding import Outcome
from agent.domain.lookup import (
    Answer,
    Exchange,
    Query,
    Record,
    Reply,
    Silence,
    TextRecord,
    Unanswered,
)
from agent.domain.mta_sts import Mode, Policy
from agent.probes.base import DNS_UNANSWERED, Check, Toolbox
from agent.probes.connector import INFO, PROBE, ConnectorSettings
from agent.settings import ConnectorSubject
from proof import fires, quiet
from servers.smtp import Mailbox, real_server

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
HOST, PLACE = "mx.example.net", "192.31.196.1"
ROOT = Authority("Root", at=NOW)
STORE = TrustStore(roots=(ROOT.pem,), system=False)
GOOD = ROOT.issue(HOST, not_before=NOW - DAY, not_after=NOW + 90 * DAY)
OTHER = ROOT.issue("other.example", not_before=NOW - DAY, not_after=NOW + 90 * DAY)
OWN = self_signed(HOST, not_before=NOW - DAY, not_after=NOW + 90 * DAY)
ANNOUNCES = TextRecord((b"v=STSv1; id=1",))
TLSA = ("_25._tcp." + HOST, "TLSA")
NO_POLICY = Found()
NOTHING: Mapping[str, object] = MappingProxyType({})


def enforced(*patterns: str, mode: Mode = Mode.ENFORCE) -> Found:
    return Found(Policy(mode, patterns or (HOST,), 86400))


def tlsa(pair: KeyPair, head: str = "3 1 1") -> str:
    return f"{head} {hashlib.sha256(key_of(ders_of(pair)[0])).hexdigest()}"


def signed(*records: Record) -> Answer:
    return Answer(records, authentic=True)


@dataclass
class World:
    """DNS and the policy of example.net, which is whole until something is changed."""

    records: dict[tuple[str, str], Reply] = field(default_factory=dict)
    policy: Found = NO_POLICY
    is_believed: bool = True

    def __post_init__(self) -> None:
        self.records = {
            ("example.net", "MX"): signed(Exchange(0, HOST)),
            (HOST, "A"): signed(ip_address(PLACE)),
            **self.records,
        }

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        return tuple(self.records.get((each.name, each.type), Answer()) for each in queries)

    async def of(self, _domain: str, _version: str, _within: timedelta) -> Found:
        return self.policy


async def deliver(
    world: World,
    pair: KeyPair | None = GOOD,
    subject: Mapping[str, object] = NOTHING,
) -> Outcome:
    """Run the check while the exchange of example.net shows *pair*, or offers no TLS."""
    clock = SystemClock()
    async with real_server(Mailbox(), server_context(pair) if pair else None) as port:
        detours = {(PLACE, 25): ("127.0.0.1", port)}
        tools = SimpleNamespace(
            resolver=world,
            policies=world,
            clock=clock,
            dialer=Dialer(clock=clock, detours=detours, detours_only=True),
            trust=STORE,
            egress=None,
            sightings=None,
        )
        written = {
            "name": "to-the-world",
            "use_mx_record": True,
            "recipient_domains": ("*",),
            "validation_recipients": ("probe@example.net",),
            "mail_from": "probe@contoso.com",
            **subject,
        }
        check = Check(
            tenant="contoso",
            target=ConnectorSubject.model_validate(written),
            probe=PROBE,
            settings=ConnectorSettings(timeout=timedelta(seconds=9)),
        )
        return await PROBE.run(check, cast("Toolbox", tools))


def server_of(outcome: Outcome) -> str:
    """Return whom the connector is said to deliver to."""
    (labels,) = (each.labels for each in outcome.measurements if each.signal is INFO)
    return labels[0]


def announcing(policy: Found) -> World:
    return World({("_mta-sts.example.net", "TXT"): Answer((ANNOUNCES,))}, policy)


async def test_a_domain_without_policies_is_walked_at_its_exchanges() -> None:
    outcome = await deliver(World())
    assert outcome.findings == ()
    table = outcome.facts["Policies"]
    assert isinstance(table, Table)
    assert table.rows == (("example.net", HOST, "none", "none"),)
    assert server_of(outcome) == ""  # any domain
    lax = await deliver(World(), OTHER)
    quiet(connector_rules.NAME_MISMATCH, lax)  # nobody demands the name
    one = await deliver(World(), subject={"recipient_domains": ("example.net",)})
    assert server_of(one) == "mx:example.net"


async def test_an_enforced_policy_demands_the_exchanges_name_in_a_valid_certificate() -> None:
    assert (await deliver(announcing(enforced()))).findings == ()
    fires(connector_rules.NAME_MISMATCH, await deliver(announcing(enforced()), OTHER))
    fires(connector_rules.UNTRUSTED, await deliver(announcing(enforced()), OWN))
    fires(connector_rules.STARTTLS_MISSING, await deliver(announcing(enforced()), None))
    testing = announcing(enforced(mode=Mode.TESTING))
    quiet(connector_rules.NAME_MISMATCH, await deliver(testing, OTHER))
    ignored = await deliver(announcing(enforced()), OTHER, {"mta_sts_mode": "None"})
    quiet(connector_rules.NAME_MISMATCH, ignored)


async def test_an_exchange_that_the_policy_does_not_name() -> None:
    elsewhere = await deliver(announcing(enforced("mail.example.net")))
    finding = fires(delivery_rules.STS_NOT_COVERED, elsewhere)
    assert any("4.4.8" in line for line in finding.evidence)
    quiet(delivery_rules.STS_WOULD_NOT_COVER, elsewhere)
    testing = await deliver(announcing(enforced("mail.example.net", mode=Mode.TESTING)))
    fires(delivery_rules.STS_WOULD_NOT_COVER, testing)
    quiet(delivery_rules.STS_NOT_COVERED, testing)
    none = await deliver(announcing(enforced("mail.example.net", mode=Mode.NONE)))
    assert none.findings == ()


async def test_a_policy_that_cannot_be_had() -> None:
    theirs = await deliver(announcing(Found(trouble="status 404")))
    fires(delivery_rules.STS_UNFETCHED, theirs)
    quiet(delivery_rules.STS_NOT_LOOKED, theirs)
    ours = await deliver(announcing(Found(trouble="no answer in time", is_ours=True)))
    fires(delivery_rules.STS_NOT_LOOKED, ours)
    quiet(delivery_rules.STS_UNFETCHED, ours)
    silent = World({("_mta-sts.example.net", "TXT"): Unanswered(Silence.SERVFAIL)})
    fires(delivery_rules.STS_NOT_LOOKED, await deliver(silent))
    twice = World({("_mta-sts.example.net", "TXT"): Answer((ANNOUNCES, ANNOUNCES))})
    fires(delivery_rules.STS_RECORD, await deliver(twice))
    quiet(delivery_rules.STS_RECORD, theirs)


async def test_records_that_fit_the_certificate_stand_for_its_name_and_issuer() -> None:
    assert (await deliver(World({TLSA: signed(tlsa(OWN))}), OWN)).findings == ()
    renewed = await deliver(World({TLSA: signed(tlsa(OWN))}), GOOD)
    finding = fires(delivery_rules.DANE_MISMATCH, renewed)
    assert any("4.7.323" in line for line in finding.evidence)
    both = await deliver(World({TLSA: signed(tlsa(OWN), tlsa(GOOD))}), GOOD)
    quiet(delivery_rules.DANE_MISMATCH, both)
    off = await deliver(World({TLSA: signed(tlsa(OWN))}), GOOD, {"smtp_dane_mode": "None"})
    quiet(delivery_rules.DANE_MISMATCH, off)
    plain = await deliver(World({TLSA: signed(tlsa(GOOD))}), None)
    fires(connector_rules.STARTTLS_MISSING, plain)


async def test_records_of_other_usages_demand_tls_and_nothing_more() -> None:
    outcome = await deliver(World({TLSA: signed(tlsa(OTHER, "1 1 1"))}))
    fires(delivery_rules.DANE_UNUSABLE, outcome)
    quiet(delivery_rules.DANE_UNUSABLE, await deliver(World({TLSA: signed(tlsa(GOOD))})))


async def test_records_that_nobody_vouches_for_prove_nothing() -> None:
    zone = {TLSA: signed(tlsa(OTHER))}
    unbelieved = await deliver(World(dict(zone), is_believed=False))
    fires(delivery_rules.DANE_NOT_PROVEN, unbelieved)
    quiet(delivery_rules.DANE_MISMATCH, unbelieved)
    fires(delivery_rules.DANE_NOT_PROVEN, await deliver(World({TLSA: Answer((tlsa(OTHER),))})))
    unsigned_mx = World({**zone, ("example.net", "MX"): Answer((Exchange(0, HOST),))})
    fires(delivery_rules.DANE_NOT_PROVEN, await deliver(unsigned_mx))
    quiet(delivery_rules.DANE_NOT_PROVEN, await deliver(World({TLSA: signed(tlsa(GOOD))})))


async def test_dane_that_is_demanded_and_missing() -> None:
    demanded = {"smtp_dane_mode": "Mandatory"}
    fires(delivery_rules.DANE_MISSING, await deliver(World(), GOOD, demanded))
    there = await deliver(World({TLSA: signed(tlsa(GOOD))}), GOOD, demanded)
    quiet(delivery_rules.DANE_MISSING, there)
    silent = await deliver(World({TLSA: Unanswered(Silence.SERVFAIL)}))
    fires(delivery_rules.DANE_UNANSWERED, silent)
    quiet(delivery_rules.DANE_UNANSWERED, there)


async def test_what_dns_cannot_say_and_what_it_denies_are_two_things() -> None:
    silent = await deliver(World({("example.net", "MX"): Unanswered(Silence.TIMEOUT)}))
    fires(DNS_UNANSWERED, silent)
    quiet(connector_rules.UNRESOLVED, silent)
    gone = await deliver(World({(HOST, "A"): Answer(name_exists=False)}))
    fires(connector_rules.UNRESOLVED, gone)
    half = await deliver(World({(HOST, "AAAA"): Unanswered(Silence.TIMEOUT)}))
    fires(DNS_UNANSWERED, half)
