"""The tenant's endpoint, met as the sending server meets it, over real sockets."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from types import SimpleNamespace
from typing import cast

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.smtp_policy import Client, Limits, Policy, Response, say
from agent.adapters.smtp_server import SmtpServer
from agent.adapters.trust import TrustStore, server_context
from agent.adapters.wallet import Wallet
from agent.adapters.x509 import read
from agent.adapters.x509_making import Authority, KeyPair
from agent.domain import inbound_rules as rules
from agent.domain.fact import Table, Walk
from agent.domain.finding import Outcome, Severity
from agent.domain.lookup import Answer, Query, Reply, Silence, Unanswered
from agent.probes.base import DNS_UNANSWERED, Check, Toolbox
from agent.probes.inbound import PROBE, InboundSettings
from agent.settings import ConnectorSubject
from proof import fires, quiet

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
ENDPOINT = "contoso-com.mail.protection.outlook.com"
PLACE = "192.31.196.9"
ROOT = Authority("Root", at=NOW)
STORE = TrustStore(roots=(ROOT.pem,), system=False)


def issued(name: str, *, end: timedelta = 90 * DAY, by: Authority = ROOT) -> KeyPair:
    return by.issue(name, not_before=NOW - 9 * DAY, not_after=NOW + end)


OWN = issued("mail.contoso.com")


class Endpoint(Policy):
    """Exchange Online for one tenant with one on-premises connector, known by its certificate."""

    name = "DB5.mail.protection.outlook.com"

    def __init__(self, *, relays_for: str = "mail.contoso.com", refuses: str = "") -> None:
        self._relays_for, self._refuses = relays_for, refuses

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        if self._refuses:
            code, _, text = self._refuses.partition(" ")
            return say(int(code), text)
        if rcpt_to.endswith("@contoso.com"):
            return say(250, "2.1.5 Recipient OK")
        shown = client.certificate
        names = read(shown).held if shown else ()
        if self._relays_for in (*names, "everybody"):
            return say(250, "2.1.5 Recipient OK")
        return say(550, "5.7.64 TenantAttribution; Relay Access Denied")


@asynccontextmanager
async def exchange(policy: Policy, *, asks: bool = True, tls: bool = True) -> AsyncIterator[int]:
    context = server_context(issued("mail.protection.outlook.com"))
    if asks:
        context.load_verify_locations(cadata=ROOT.pem.decode())
        context.verify_mode = ssl.CERT_OPTIONAL
    server = SmtpServer(policy, limits=Limits(), context=context if tls else None)
    await server.start("127.0.0.1", 0)
    try:
        yield server.port
    finally:
        await server.close()


class Zone:
    """A resolver that knows the endpoint, or nothing, or is silent."""

    def __init__(self, reply: Reply | None = None) -> None:
        self._reply = reply or Answer((ip_address(PLACE),))

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        empty = Answer(name_exists=isinstance(self._reply, Answer) and self._reply.name_exists)
        silent = isinstance(self._reply, Unanswered)
        return tuple(self._reply if silent or query.type == "A" else empty for query in queries)


async def meet(
    port: int,
    subject: Mapping[str, object] | None = None,
    *,
    pair: KeyPair | None = OWN,
    zone: Zone | None = None,
    at_sender: bool = False,
) -> Outcome:
    """Run the check against an endpoint at *port* of loopback."""
    clock = SystemClock()
    dialer = Dialer(clock=clock, detours={(PLACE, 25): ("127.0.0.1", port)}, detours_only=True)
    tools = SimpleNamespace(
        resolver=zone or Zone(),
        clock=clock,
        dialer=dialer,
        trust=STORE,
        egress=None,
        sightings=None,
        wallet=Wallet({"mine": lambda: pair or KeyPair(b"", b"")}),
    )
    written = {
        "name": "from-datacentre",
        "direction": "inbound",
        "endpoint": ENDPOINT,
        "tls_sender_certificate_name": "mail.contoso.com",
        "credential": "mine",
        "recipient": "probe@contoso.com",
        "mail_from": "probe@contoso.com",
        "relays": True,
        "accepted_domains": ("contoso.com", "mail.contoso.com"),
        **(subject or {}),
    }
    check = Check(
        tenant="contoso",
        target=ConnectorSubject.model_validate(written),
        probe=PROBE,
        settings=InboundSettings(timeout=timedelta(seconds=10), at_sender=at_sender),
    )
    return await PROBE.run(check, cast("Toolbox", tools))


async def test_a_sound_connector_relays_for_its_certificate_and_nobody_else() -> None:
    async with exchange(Endpoint()) as port:
        outcome = await meet(port)
    assert outcome.findings == ()
    values = {each.labels: each.value for each in outcome.measurements}
    assert values[("recipient",)] == 1
    assert values[("relay",)] == 1
    assert ("impostor",) not in values  # its handshake is refused: nothing was answered
    tried = outcome.facts["Sessions"]
    assert isinstance(tried, Table)
    assert [row[0] for row in tried.rows] == ["recipient", "relay", "impostor"]
    assert tried.rows[0][2] == "yes"
    assert "Certificates" in outcome.facts
    drawn = outcome.facts["Walk of relay"]
    assert isinstance(drawn, Walk)
    assert [phase.name for phase in drawn.phases][:2] == ["connect", "greeting"]


async def test_a_certificate_under_another_name_ends_relaying() -> None:
    async with exchange(Endpoint()) as port:
        outcome = await meet(port, pair=issued("mail2.contoso.com"))
    fires(rules.NAME_MISMATCH, outcome)
    finding = fires(rules.RELAY_DENIED, outcome)
    assert "5.7.64" in finding.detail
    assert any(line.startswith("What helps:") for line in finding.evidence)


async def test_a_certificate_of_an_unknown_authority_is_told_before_exchange_ignores_it() -> None:
    stranger = Authority("Stranger", at=NOW)
    async with exchange(Endpoint()) as port:
        outcome = await meet(port, pair=issued("mail.contoso.com", by=stranger))
    fires(rules.UNTRUSTED, outcome)


async def test_an_endpoint_that_relays_for_everybody_is_no_lock() -> None:
    async with exchange(Endpoint(relays_for="everybody"), asks=False) as port:
        relaying = await meet(port)
        closed = await meet(port, {"relays": False})
    fires(rules.IMPOSTOR, relaying)
    fires(rules.NOT_ASKED, relaying)
    quiet(rules.IMPOSTOR, closed)


async def test_without_a_certificate_only_a_stranger_is_tried() -> None:
    async with exchange(Endpoint()) as port:
        outcome = await meet(port, {"credential": None, "relays": False, "recipient": None})
        at_sender = await meet(port, {"credential": None}, at_sender=True)
    assert outcome.findings == ()
    fires(rules.RELAY_DENIED, at_sender)


async def test_a_way_without_tls_is_told() -> None:
    async with exchange(Endpoint(), tls=False) as port:
        outcome = await meet(port)
    fires(rules.TLS_STRIPPED, outcome)


@pytest.mark.parametrize(
    ("refuses", "rule"),
    [
        pytest.param("550 5.7.606 Access denied, banned sending IP", "address-banned", id="ban"),
        pytest.param("451 4.7.500 Server busy", "throttled", id="busy"),
        pytest.param("550 5.4.1 Recipient address rejected: Access denied", "", id="unknown"),
    ],
)
async def test_what_exchange_says_is_told_with_its_meaning(refuses: str, rule: str) -> None:
    async with exchange(Endpoint(refuses=refuses)) as port:
        outcome = await meet(port, {"relays": False})
    found = {finding.rule.code: finding for finding in outcome.findings}
    finding = found[f"inbound-{rule or 'recipient-refused'}"]
    assert any(line.startswith("Meaning:") for line in finding.evidence)


async def test_a_credential_that_cannot_be_read_is_our_trouble() -> None:
    async with exchange(Endpoint()) as port:
        outcome = await meet(port, pair=None)
        readable = await meet(port)
    fires(rules.UNREADABLE, outcome)
    quiet(rules.UNREADABLE, readable)
    assert outcome.severity is Severity.UNKNOWN


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        pytest.param(Unanswered(Silence.TIMEOUT), DNS_UNANSWERED.code, id="DNS is silent"),
        pytest.param(Answer(name_exists=False), "inbound-not-reached", id="no such name"),
    ],
)
async def test_an_endpoint_that_is_not_found_tells_nothing_of_the_connector(
    reply: Reply, code: str
) -> None:
    outcome = await meet(1, zone=Zone(reply))
    assert {finding.rule.code for finding in outcome.findings} == {code}
    assert outcome.severity is Severity.UNKNOWN
    assert outcome.failure


async def test_a_closed_port_tells_nothing_of_the_connector() -> None:
    async with exchange(Endpoint()) as port:
        pass
    outcome = await meet(port)
    fires(rules.NOT_REACHED, outcome)
    assert outcome.severity is Severity.UNKNOWN
