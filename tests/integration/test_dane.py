"""DNSSEC and DANE: zones that Knot signs, an unbound that validates, Postfix's certificate.

The servers are started once; each domain of theirs has one fault, or none.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import dns.dnssec
import dns.name
import dns.rdata
import pytest
import pytest_asyncio

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.dns_direct import Direct
from agent.adapters.plans import Recall
from agent.adapters.resolver import Resolver
from agent.adapters.sightings import Sightings
from agent.adapters.x509 import key_of
from agent.adapters.x509_making import ders_of
from agent.domain import dane_rules as rules
from agent.domain.dane_report import SIGNATURE_EXPIRY, SIGNED
from agent.domain.fact import Table
from agent.domain.finding import Outcome, Severity
from agent.domain.lookup import Answer, Query
from agent.domain.tlsa import print_of
from agent.probes import dane, exchange
from agent.probes.base import DNS_UNANSWERED, Check, Toolbox
from agent.settings import DomainSubject
from proof import fires, quiet
from servers.knot import IS_THERE, LIFETIME, Zone, knot
from servers.postfix import postfix
from servers.smart_host import STORE, issued
from servers.unbound import unbound

pytestmark = [
    pytest.mark.integration,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not IS_THERE, reason="Knot is not installed"),
]
DAY = timedelta(days=1)
PLACE = "192.31.196.30"
PAIR = issued("mx.good.test", "mx.stale.test")
LEAF, *_ = (print_of(each, key_of(each)) for each in ders_of(PAIR))
FIT = f"3 1 1 {LEAF[96:128].hex()}"
STALE = f"3 1 1 {'ab' * 32}"
MX = "@ 60 MX 10 mx.@\nmx.@ 60 A {place}\n"


def lines(zone: str, *tlsa: str, mx: str = "") -> str:
    """Write the records of *zone*, whose exchange has these TLSA records, or is another's."""
    text = f"@ 60 MX 10 {mx}.\n" if mx else MX.format(place=PLACE)
    text += "".join(f"_25._tcp.mx.@ 60 TLSA {each}\n" for each in tlsa)
    return text.replace("@", f"{zone}.")


def zones() -> dict[str, Zone]:
    """Return the zones, each under the name of what is wrong with it."""
    alias = "_25._tcp.mx.alias.test. 60 CNAME keys.good.test.\n"
    return {
        "good.test": Zone(
            lines("good.test", FIT, f"3 1 1 {'cd' * 32}") + f"keys.good.test. 60 TLSA {FIT}\n"
        ),
        "stale.test": Zone(lines("stale.test", STALE)),
        "expired.test": Zone(lines("expired.test", FIT), ago=40 * DAY),
        "ending.test": Zone(lines("ending.test", FIT), ago=LIFETIME - DAY),
        "bogus.test": Zone(
            lines("bogus.test", FIT),
            spoilt=(("MX\t10 mx", "MX\t11 mx"), ("127.0.0.1", "127.0.0.2")),
        ),
        "records.test": Zone(lines("records.test", FIT), spoilt=((FIT[6:].upper(), "EF" * 32),)),
        "half.test": Zone(lines("half.test", FIT), is_anchored=False),
        "odd.test": Zone(lines("odd.test", f"{FIT}ab", FIT)),
        "plain.test": Zone(lines("plain.test"), ago=None),
        "ignored.test": Zone(lines("ignored.test", FIT), ago=None),
        "guest.test": Zone(lines("guest.test", mx="mx.ignored.test")),
        "alias.test": Zone(lines("alias.test") + alias),
    }


@dataclass
class World:
    """The servers, and what was seen at the exchanges."""

    resolver: Resolver
    dialer: Dialer
    sightings: Sightings = field(default_factory=Sightings)
    clock: SystemClock = field(default_factory=SystemClock)

    def tools(self, resolver: Resolver | None = None) -> Toolbox:
        resolver = resolver or self.resolver
        tools: Any = SimpleNamespace(
            resolver=resolver,
            clock=self.clock,
            recall=Recall(resolver),
            dialer=self.dialer,
            trust=STORE,
            egress=None,
            direct=Direct(self.clock),
            sightings=self.sightings,
            policies=None,
        )
        return cast("Toolbox", tools)

    async def look(
        self, domain: str, resolver: Resolver | None = None, **settings: object
    ) -> Outcome:
        given = {"signed_control": "good.test", "bogus_control": "ns.bogus.test", **settings}
        made = dane.DaneSettings.model_validate(given)
        check = Check("contoso", DomainSubject(name=domain), dane.PROBE, made)
        return await dane.PROBE.run(check, self.tools(resolver))

    async def walk(self, domain: str) -> Outcome:
        made = exchange.ExchangeSettings(reverse_dns=False)
        check = Check("contoso", DomainSubject(name=domain), exchange.PROBE, made)
        return await exchange.PROBE.run(check, self.tools())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    with knot(zones()) as served:
        async with (
            unbound(served.address, anchors=served.anchors) as address,
            postfix(PAIR) as port,
        ):
            clock = SystemClock()
            resolver = Resolver((address,), clock, timeout=timedelta(seconds=5))
            detours = {(PLACE, 25): ("127.0.0.1", port)}
            yield World(resolver, Dialer(clock=clock, detours=detours, detours_only=True))
            await resolver.close()


def codes(outcome: Outcome) -> set[str]:
    return {each.rule.code for each in outcome.findings}


async def test_a_sound_domain_is_signed_and_fits_what_the_exchange_shows(world: World) -> None:
    before = await world.look("good.test")
    assert before.findings == ()
    assert stand(before) == "not seen"
    await world.walk("good.test")
    after = await world.look("good.test")
    assert after.findings == ()
    assert stand(after) == "fits"
    told = {each.signal: each.value for each in after.measurements}
    assert told[SIGNED] == 1
    left = cast("float", told[SIGNATURE_EXPIRY]) - world.clock.now().timestamp()
    assert LIFETIME / 2 < timedelta(seconds=left) <= LIFETIME


def stand(outcome: Outcome) -> str:
    table = outcome.facts["exchanges"]
    assert isinstance(table, Table)
    return table.rows[0][4]


async def test_a_record_of_another_key_is_refused(world: World) -> None:
    await world.walk("stale.test")
    finding = fires(rules.MISMATCH, await world.look("stale.test"))
    assert finding.detail == f"mx.stale.test [{PLACE}] fits none of 1 TLSA record."
    assert finding.fix == f"_25._tcp.mx.stale.test. 3600 IN TLSA {FIT}"


async def test_expired_signatures_are_told_from_wrong_ones(world: World) -> None:
    expired = await world.look("expired.test")
    finding = fires(rules.SIGNATURE_EXPIRED, expired)
    assert finding.detail.startswith("The signature over MX of expired.test expired on ")
    assert "signed by expired.test (key " in finding.evidence[0]
    assert codes(expired) == {"dane-signature-expired"}
    wrong = await world.look("bogus.test", bogus_control=None)
    fires(rules.BOGUS, wrong)
    assert codes(wrong) == {"dane-bogus"}
    records = await world.look("records.test")
    assert fires(rules.BOGUS, records).detail.startswith("TLSA of _25._tcp.mx.records.test ")
    quiet(DNS_UNANSWERED, records)


async def test_signatures_that_were_not_renewed_are_told_before_their_end(world: World) -> None:
    outcome = await world.look("ending.test")
    assert codes(outcome) == {"dane-signature-expires"}
    assert codes(await world.look("ending.test", warn_before="1h")) == set()


async def test_a_domain_without_dnssec_is_fine_until_somebody_wants_it(world: World) -> None:
    assert (await world.look("plain.test")).findings == ()
    outcome = await world.look("plain.test", required=True)
    assert codes(outcome) == {"dane-required"}
    assert outcome.severity is Severity.WARNING


async def test_records_that_nobody_vouches_for(world: World) -> None:
    fires(rules.DOMAIN_INSECURE, await world.look("ignored.test"))
    outcome = await world.look("guest.test")
    assert codes(outcome) == {"dane-exchange-insecure"}


async def test_the_missing_ds_record_is_the_one_that_others_compute(world: World) -> None:
    finding = fires(rules.DOMAIN_INSECURE, await world.look("half.test"))
    assert finding.evidence == (
        "half.test has keys (DNSKEY), and its parent has no DS record for them",
    )
    (answer,) = await world.resolver.resolve_all((Query("half.test", "DNSKEY"),))
    assert isinstance(answer, Answer)
    key = dns.rdata.from_text("IN", "DNSKEY", str(answer.records[0]))
    made = dns.dnssec.make_ds(dns.name.from_text("half.test"), cast("Any", key), "SHA256")
    assert finding.fix.upper() == f"HALF.TEST. 3600 IN DS {made.to_text().upper()}"


async def test_a_record_of_an_odd_length_does_not_hide_the_others(world: World) -> None:
    outcome = await world.look("odd.test")
    finding = fires(rules.RECORD_UNUSABLE, outcome)
    assert codes(outcome) == {"dane-record-unusable"}
    assert "it has 33 octets, and SHA-256 has 32" in finding.detail


async def test_an_alias_into_a_signed_zone_is_as_good_as_a_record(world: World) -> None:
    outcome = await world.look("alias.test")
    assert outcome.findings == ()
    assert stand(outcome) == "not seen"


async def test_a_resolver_proves_itself_before_it_is_believed(world: World) -> None:
    # The real root cannot be asked here.
    unproven = await world.look("good.test", signed_control=None)
    fires(rules.NOT_TRUSTED, unproven)
    assert unproven.failure == "untold"
    insecure = await world.look("good.test", signed_control="plain.test")
    assert fires(rules.NOT_TRUSTED, insecure).detail.startswith("The resolver does not validate")
    lenient = await world.look("good.test", bogus_control="plain.test")
    assert "bogus_control" in fires(rules.NOT_TRUSTED, lenient).detail
    # A domain is accused of nothing by a resolver that proves nothing.
    wrong = await world.look("bogus.test", signed_control="plain.test")
    assert codes(wrong) == {"dns-unanswered"}
    assert wrong.failure == "servfail"
    assert (await world.look("plain.test", signed_control="plain.test")).findings == ()
