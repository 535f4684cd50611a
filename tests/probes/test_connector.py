"""A connector's smart hosts, walked: every rule fires and stays silent in its turn."""

import ssl
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from types import MappingProxyType, SimpleNamespace
from typing import cast

import pytest

from agent.adapters.as_exchange import Leg, Went, within_reach
from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.trust import server_context
from agent.adapters.walk import Stop
from agent.adapters.x509_making import Authority, self_signed
from agent.domain import connector_rules as rules
from agent.domain.connector import Promise
from agent.domain.fact import Chain, Table, Text, Walk
from agent.domain.finding import Finding, Outcome, Severity
from agent.domain.lookup import Answer, Query, Reply, Silence, Unanswered
from agent.domain.smtp import Accepted, Phase, Reason, Unreached
from agent.domain.smtp_reply import Reply as SmtpReply
from agent.domain.walk import Walked
from agent.probes.base import DNS_UNANSWERED, Check, Toolbox
from agent.probes.connector import PROBE, ConnectorSettings
from agent.settings import ConnectorSubject
from proof import fires, quiet
from servers.smtp import Behaviour, Mailbox, Wire, real_server, rude_server, scripted
from servers.tls import Authorities

HOST = "relay.contoso.com"
RECIPIENT = "probe@example.net"
ONE, TWO = "192.31.196.1", "192.31.196.2"


class Zone:
    """A resolver that gives a host its addresses, or nothing but silence."""

    def __init__(self, *addresses: str, is_silent: bool = False) -> None:
        self._addresses = tuple(map(ip_address, addresses))
        self._is_silent = is_silent

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        return tuple(self._answer(query) for query in queries)

    def _answer(self, query: Query) -> Reply:
        if self._is_silent:
            return Unanswered(Silence.TIMEOUT)
        if query.type == "MX":
            return Answer(name_exists=bool(self._addresses))
        family = 4 if query.type == "A" else 6
        return Answer(
            tuple(each for each in self._addresses if each.version == family),
            name_exists=bool(self._addresses),
        )


@pytest.fixture(scope="module")
def authorities() -> Authorities:
    return Authorities()


async def walk(
    authorities: Authorities,
    zone: Zone,
    places: dict[str, int],
    *,
    subject: Mapping[str, object] = MappingProxyType({}),
    seconds: float = 5,
    try_relay: bool = True,
) -> Outcome:
    """Run the check with the addresses of *places* at ports on loopback."""
    clock = SystemClock()
    detours = {(address, 25): ("127.0.0.1", port) for address, port in places.items()}
    tools = SimpleNamespace(
        resolver=zone,
        clock=clock,
        dialer=Dialer(clock=clock, detours=detours, detours_only=True),
        trust=authorities.store,
        egress=None,
        sightings=None,
    )
    written = {
        "name": "to-datacentre",
        "smart_hosts": (HOST,),
        "validation_recipients": (RECIPIENT,),
        "mail_from": "probe@contoso.com",
        **subject,
    }
    check = Check(
        tenant="contoso",
        target=ConnectorSubject.model_validate(written),
        probe=PROBE,
        settings=ConnectorSettings(timeout=timedelta(seconds=seconds), try_relay=try_relay),
    )
    return await PROBE.run(check, cast("Toolbox", tools))


def codes(outcome: Outcome) -> set[str]:
    return {finding.rule.code for finding in outcome.findings}


def only(rule: str, outcome: Outcome) -> Finding:
    """Assert that this rule alone is broken, and return the finding."""
    assert codes(outcome) == {f"connector-{rule}"}
    (declared,) = (each for each in PROBE.rules if each.code == f"connector-{rule}")
    return fires(declared, outcome)


def signal(outcome: Outcome, name: str, *labels: str) -> float:
    (value,) = (
        each.value
        for each in outcome.measurements
        if each.signal.name == name and each.labels == labels
    )
    assert isinstance(value, float | int)
    return value


FORCED = {"tls_settings": "encryption-only"}
STRICT = {"tls_settings": "domain-validation", "tls_domain": HOST}


async def test_a_sound_smart_host_has_no_finding_and_shows_its_walk(
    authorities: Authorities,
) -> None:
    end = datetime.now(UTC) + timedelta(days=90)
    context = authorities.server(HOST, not_after=end)
    mailbox = Mailbox()
    async with real_server(mailbox, context) as port:
        outcome = await walk(authorities, Zone(ONE), {ONE: port}, subject=STRICT)
    assert outcome.findings == ()
    assert mailbox.messages == []
    assert signal(outcome, "mailflow_connector_reachable") == 1
    assert signal(outcome, "mailflow_connector_addresses", "accepted") == 1
    assert signal(outcome, "mailflow_connector_phase_duration_seconds", "rcpt") > 0
    expiry = signal(outcome, "mailflow_connector_certificate_expiry_timestamp_seconds")
    assert expiry == pytest.approx(end.timestamp(), abs=2)
    assert signal(outcome, "mailflow_connector_info", f"{HOST}:25", "domain-validation") == 1
    drawn = outcome.facts[f"Walk of {HOST} [{ONE}]"]
    assert isinstance(drawn, Walk)
    assert all(phase.seconds is not None for phase in drawn.phases)
    assert isinstance(outcome.facts["Certificates"], Table)
    chain = outcome.facts[f"Certificate of {HOST} [{ONE}]"]
    assert isinstance(chain, Chain)
    assert (chain.end, chain.mood) == ("A root of the trust store", "good")
    assert HOST in chain.links[0].detail
    assert isinstance(outcome.facts[f"Transcript of {HOST} [{ONE}]"], Text)


def _soon(authorities: Authorities) -> ssl.SSLContext:
    return authorities.server(HOST, not_after=datetime.now(UTC) + timedelta(days=9))


def _expired(authorities: Authorities) -> ssl.SSLContext:
    return authorities.server(HOST, not_after=datetime.now(UTC) - timedelta(days=9))


def _unknown(authorities: Authorities) -> ssl.SSLContext:
    return authorities.server(HOST, known=False)


def _own(_authorities: Authorities) -> ssl.SSLContext:
    now = datetime.now(UTC)
    return server_context(self_signed(HOST, not_before=now, not_after=now + timedelta(days=90)))


def _incomplete(_authorities: Authorities) -> ssl.SSLContext:
    now = datetime.now(UTC)
    middle = Authority("Middle", at=now, parent=Authority("Root", at=now))
    end = now + timedelta(days=90)
    pair = middle.issue(HOST, not_before=now, not_after=end, with_chain=False)
    return server_context(pair)


def _old(authorities: Authorities) -> ssl.SSLContext:
    context = authorities.server(HOST)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with warnings.catch_warnings(action="ignore"):  # to be old is the point here
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def _right(authorities: Authorities) -> ssl.SSLContext:
    return authorities.server(HOST)


def _other(authorities: Authorities) -> ssl.SSLContext:
    return authorities.server("other.fabrikam.com")


@pytest.mark.parametrize(
    ("make", "subject", "rule"),
    [
        pytest.param(_soon, STRICT, "certificate-expires-soon", id="soon"),
        pytest.param(_expired, STRICT, "certificate-expired", id="expired"),
        pytest.param(_other, STRICT, "certificate-name-mismatch", id="wrong name"),
        pytest.param(_unknown, STRICT, "certificate-untrusted", id="unknown"),
        pytest.param(_own, STRICT, "certificate-untrusted", id="self-signed"),
        pytest.param(_incomplete, STRICT, "certificate-untrusted", id="incomplete"),
        pytest.param(_unknown, {}, "certificate-unvalidated", id="nobody looks"),
        pytest.param(_old, {"tls_settings": "encryption-only"}, "tls-too-old", id="old"),
        pytest.param(_old, {}, "tls-broken", id="old, and may go in the clear"),
        pytest.param(
            _right,
            {"tls_settings": "domain-validation", "tls_domain": "*.relay.contoso.com"},
            "certificate-name-ambiguous",
            id="ambiguous",
        ),
    ],
)
async def test_a_certificate_breaks_its_rule(
    make: Callable[[Authorities], ssl.SSLContext],
    subject: dict[str, object],
    rule: str,
    authorities: Authorities,
) -> None:
    async with real_server(Mailbox(), make(authorities)) as port:
        outcome = await walk(authorities, Zone(ONE), {ONE: port}, subject=subject)
    only(rule, outcome)


async def test_without_starttls_it_depends_on_what_the_connector_asks(
    authorities: Authorities,
) -> None:
    async with real_server(Mailbox()) as port:
        lax = await walk(authorities, Zone(ONE), {ONE: port})
        strict = await walk(authorities, Zone(ONE), {ONE: port}, subject=FORCED)
    only("plaintext", lax)
    only("starttls-missing", strict)
    assert "4.4.317" in "".join(strict.findings[0].evidence)


async def test_an_unknown_recipient_is_refused_with_the_servers_words(
    authorities: Authorities,
) -> None:
    async with real_server(Mailbox(recipients=()), authorities.server(HOST)) as port:
        outcome = await walk(authorities, Zone(ONE), {ONE: port}, subject=FORCED)
    finding = only("recipient-refused", outcome)
    assert "550 5.1.1 No such user" in finding.detail
    assert RECIPIENT in finding.detail


GREETED = (b"220 a\r\n", b"250-a\r\n250 SIZE\r\n")


@pytest.mark.parametrize(
    ("behaviour", "subject", "rule"),
    [
        pytest.param(scripted(b"HTTP/1.1 400 no\r\n"), {}, "protocol", id="not SMTP"),
        pytest.param(scripted(b"554 no\r\n"), {}, "session-refused", id="no service"),
        pytest.param(scripted(b"421 busy\r\n"), {}, "throttled", id="421"),
        pytest.param(scripted(b"220 a\r\n", reset=True), {}, "connection-lost", id="reset"),
        pytest.param(scripted(b""), {}, "stalled", id="silence"),
        pytest.param(
            scripted(*GREETED, b"250 ok\r\n", b"451 4.7.1 greylisted\r\n", b"221 bye\r\n"),
            {},
            "deferred",
            id="greylisted",
        ),
        pytest.param(
            scripted(*GREETED, b"451 4.7.512 slow down\r\n", b"221 bye\r\n"),
            {},
            "throttled",
            id="throttled",
        ),
        pytest.param(
            scripted(b"220 a\r\n", b"250-a\r\n250 STARTTLS\r\n", b"454 no\r\n", b"221 b\r\n"),
            {"tls_settings": "encryption-only"},
            "handshake-failed",
            id="STARTTLS refused",
        ),
        pytest.param(
            scripted(b"220 a\r\n", b"250-a\r\n250 STARTTLS\r\n", b"220 go\r\n", b"nonsense\r\n"),
            {"tls_settings": "encryption-only"},
            "handshake-failed",
            id="handshake fails",
        ),
        pytest.param(
            scripted(b"220 a\r\n", b"250-a\r\n250 STARTTLS\r\n", b"220 go\r\n250 evil\r\n"),
            {},
            "starttls-injected",
            id="injection",
        ),
    ],
)
async def test_a_misbehaving_smart_host_breaks_its_rule(
    behaviour: Behaviour, subject: dict[str, object], rule: str, authorities: Authorities
) -> None:
    async with rude_server(behaviour) as (port, heard):
        outcome = await walk(authorities, Zone(ONE), {ONE: port}, seconds=0.5, subject=subject)
    only(rule, outcome)
    assert b"DATA" not in heard


async def test_where_tls_fails_and_is_not_demanded_mail_goes_in_the_clear(
    authorities: Authorities,
) -> None:
    async with real_server(Mailbox(), _old(authorities)) as port:
        outcome = await walk(authorities, Zone(ONE), {ONE: port})
    finding = only("tls-broken", outcome)
    assert "TLSv1.1" in finding.detail
    addresses = outcome.facts["Addresses"]
    assert isinstance(addresses, Table)
    assert addresses.rows[0][1] == "deliver in the clear"


def _own_ciphers(authorities: Authorities, ciphers: str) -> ssl.SSLContext:
    context = authorities.server(HOST)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers)
    return context


@pytest.mark.parametrize(
    ("ciphers", "expected"),
    [
        pytest.param(
            "ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES256-GCM-SHA384",
            set(),
            id="one of Exchange's too",
        ),
        pytest.param("ECDHE-ECDSA-AES256-SHA", {"connector-tls-too-old"}, id="none of Exchange's"),
    ],
)
async def test_a_cipher_counts_only_if_exchange_offers_it(
    ciphers: str, expected: set[str], authorities: Authorities
) -> None:
    # The server prefers its first cipher to ours.
    context = _own_ciphers(authorities, ciphers)
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    async with real_server(Mailbox(), context) as port:
        outcome = await walk(authorities, Zone(ONE), {ONE: port}, subject=FORCED)
    assert codes(outcome) == expected
    assert isinstance(outcome.facts["Certificates"], Table)


def demanding(context: ssl.SSLContext) -> Behaviour:
    """A server over memory: asyncio's own closes without the alert that a real one sends."""

    async def behave(wire: Wire) -> None:
        await wire.say(b"220 a\r\n")
        for line in (b"250-a\r\n250 STARTTLS\r\n", b"220 go\r\n"):
            await wire.hear()
            await wire.say(line)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        while data := await wire.reader.read(65_536):
            incoming.write(data)
            with suppress(ssl.SSLError):  # what went wrong is said in the alert
                tls.do_handshake()
            await wire.say(outgoing.read())

    return behave


async def test_a_server_that_demands_a_certificate_is_told_apart(authorities: Authorities) -> None:
    context = authorities.server(HOST)
    authorities.known.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    async with rude_server(demanding(context)) as (port, _):
        outcome = await walk(authorities, Zone(ONE), {ONE: port}, subject=FORCED)
    only("client-certificate", outcome)
    assert outcome.severity is Severity.UNKNOWN


async def test_an_open_relay_is_critical_and_can_be_left_untried(
    authorities: Authorities,
) -> None:
    mailbox = Mailbox(recipients=(RECIPIENT, "relay-test@example.org"))
    async with real_server(mailbox, authorities.server(HOST)) as port:
        tried = await walk(authorities, Zone(ONE), {ONE: port}, subject=FORCED)
        untried = await walk(authorities, Zone(ONE), {ONE: port}, subject=FORCED, try_relay=False)
    finding = only("open-relay", tried)
    assert "relay-test@example.org" in finding.detail
    assert untried.findings == ()
    assert mailbox.messages == []


async def test_a_range_is_walked_address_by_address(authorities: Authorities) -> None:
    async with real_server(Mailbox(), authorities.server(HOST)) as port:
        outcome = await walk(
            authorities,
            Zone(),
            {"192.31.196.1": port, "192.31.196.2": port},
            subject={**FORCED, "smart_hosts": ("192.31.196.0/30",)},
        )
    assert signal(outcome, "mailflow_connector_addresses", "accepted") == 2


async def test_each_name_of_the_certificate_is_shown_as_fitting_or_not(
    authorities: Authorities,
) -> None:
    context = authorities.server("mail.fabrikam.com", HOST)
    async with real_server(Mailbox(), context) as port:
        outcome = await walk(authorities, Zone(ONE), {ONE: port}, subject=STRICT)
    names = outcome.facts["Names of certificates"]
    assert isinstance(names, Table)
    assert [(row[1], row[3]) for row in names.rows] == [("mail.fabrikam.com", "no"), (HOST, "yes")]


async def test_a_device_that_rewrites_the_session_is_noticed(authorities: Authorities) -> None:
    script = scripted(
        b"220 ********************\r\n",
        b"250-a\r\n250 XXXXXXXA\r\n",
        b"250 ok\r\n",
        b"250 ok\r\n",
        b"221 bye\r\n",
    )
    async with rude_server(script) as (port, _):
        outcome = await walk(authorities, Zone(ONE), {ONE: port})
    fires(rules.INSPECTED, outcome)


async def test_a_closed_port_is_refused_in_exchanges_words(authorities: Authorities) -> None:
    async with real_server(Mailbox()) as port:
        pass
    outcome = await walk(authorities, Zone(ONE), {ONE: port})
    finding = only("refused", outcome)
    assert finding.evidence == ("Exchange Online: 450 4.4.316 Connection refused",)
    assert signal(outcome, "mailflow_connector_reachable") == 0


async def test_a_name_without_address_is_unresolved(authorities: Authorities) -> None:
    outcome = await walk(authorities, Zone(), {})
    only("unresolved", outcome)
    quiet(DNS_UNANSWERED, outcome)
    assert outcome.severity is Severity.CRITICAL


async def test_a_silent_dns_is_no_fault_of_the_smart_host(authorities: Authorities) -> None:
    outcome = await walk(authorities, Zone(is_silent=True), {})
    assert codes(outcome) == {DNS_UNANSWERED.code}
    fires(DNS_UNANSWERED, outcome)
    assert outcome.failure == "dns-unanswered"


async def test_what_could_not_be_tried_is_unknown(authorities: Authorities) -> None:
    outcome = await walk(authorities, Zone(ONE), {})
    only("not-tried", outcome)
    assert outcome.severity is Severity.UNKNOWN
    assert outcome.failure == "forbidden-address"


async def test_one_of_two_addresses_down_is_a_warning_with_the_share(
    authorities: Authorities,
) -> None:
    async with real_server(Mailbox()) as closed:
        pass
    async with real_server(Mailbox(), authorities.server(HOST)) as port:
        outcome = await walk(authorities, Zone(ONE, TWO), {ONE: port, TWO: closed}, subject=FORCED)
    finding = only("partly-failing", outcome)
    assert finding.detail == "1 of 2 addresses fail"
    assert any(TWO in line for line in finding.evidence)


def test_ipv6_that_this_machine_lacks_is_left_out() -> None:
    lacking = Walked(
        host=HOST,
        address=ip_address("2001:db8::1"),
        dialogue=Unreached(Phase.CONNECT, Reason.NO_ROUTE),
    )
    fine = Walked(host=HOST, dialogue=Accepted(SmtpReply(250)))
    stop = Stop(host=HOST, address=ip_address(ONE))
    leg = Leg(stop=stop, promise=Promise("none"))
    assert within_reach([Went(leg, lacking), Went(leg, fine)]) == [Went(leg, fine)]
    assert within_reach([Went(leg, lacking)]) == [Went(leg, lacking)]
