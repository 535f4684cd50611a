"""A real Postfix, set up well and badly, is diagnosed as its administrator would want it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.trust import TrustStore
from agent.adapters.x509_making import Authority, KeyPair, self_signed
from agent.domain.fact import Table
from agent.domain.finding import Outcome, Severity
from agent.domain.lookup import Answer, Query, Reply
from agent.probes.base import Check, Toolbox
from agent.probes.connector import PROBE, ConnectorSettings
from agent.settings import ConnectorSubject
from servers.postfix import RECIPIENT, postfix

pytestmark = pytest.mark.integration

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
HOST = "mail.contoso.com"
ROOT = Authority("Root", at=NOW)
MIDDLE = Authority("Middle", at=NOW, parent=ROOT)
STORE = TrustStore(roots=(ROOT.pem,), system=False)
FORCED = {"tls_settings": "encryption-only"}
VALID = {"tls_settings": "certificate-validation"}
NAMED = {"tls_settings": "domain-validation", "tls_domain": HOST}


def issued(*names: str, start: timedelta = -DAY, end: timedelta = 90 * DAY) -> KeyPair:
    return MIDDLE.issue(*(names or (HOST,)), not_before=NOW + start, not_after=NOW + end)


class Nowhere:
    """A resolver of names that nobody has."""

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        return tuple(Answer(name_exists=False) for _ in queries)


async def walk(port: int, subject: Mapping[str, object], *, seconds: float = 20) -> Outcome:
    """Walk a Postfix as the connector *subject*, under an address of the world."""
    clock = SystemClock()
    place = "192.31.196.1"
    dialer = Dialer(clock=clock, detours={(place, 25): ("127.0.0.1", port)}, detours_only=True)
    tools = SimpleNamespace(
        resolver=Nowhere(), clock=clock, dialer=dialer, trust=STORE, egress=None
    )
    written = {
        "name": "to-datacentre",
        "smart_hosts": (place,),
        "validation_recipients": (RECIPIENT,),
        "mail_from": "probe@contoso.com",
        **subject,
    }
    check = Check(
        tenant="contoso",
        target=ConnectorSubject.model_validate(written),
        probe=PROBE,
        settings=ConnectorSettings(timeout=timedelta(seconds=seconds)),
    )
    return await PROBE.run(check, cast("Toolbox", tools))


def codes(outcome: Outcome) -> set[str]:
    return {finding.rule.code.removeprefix("connector-") for finding in outcome.findings}


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param({}, id="none"),
        pytest.param(FORCED, id="encryption-only"),
        pytest.param(VALID, id="certificate-validation"),
        pytest.param(NAMED, id="domain-validation"),
    ],
)
async def test_a_sound_postfix_has_no_finding(subject: dict[str, object]) -> None:
    async with postfix(issued()) as port:
        outcome = await walk(port, subject)
    assert outcome.findings == ()
    addresses = outcome.facts["Addresses"]
    assert isinstance(addresses, Table)
    assert addresses.rows[0][1] == "deliver it over TLSv1.3"


OLD = {
    "smtpd_tls_protocols": "<=TLSv1.1",
    "smtpd_tls_mandatory_protocols": "<=TLSv1.1",
    "smtpd_tls_ciphers": "low",
    "tls_low_cipherlist": "ALL:@SECLEVEL=0",
    "tls_medium_cipherlist": "ALL:@SECLEVEL=0",
}


@pytest.mark.parametrize(
    ("pair", "settings", "subject", "expected", "words"),
    [
        pytest.param(
            issued("mx.fabrikam.com", start=-9 * DAY, end=-DAY),
            {},
            NAMED,
            {"certificate-expired", "certificate-name-mismatch"},
            "mx.fabrikam.com",
            id="expired and of another name",
        ),
        pytest.param(
            issued(start=DAY), {}, VALID, {"certificate-expired"}, "valid from", id="too early"
        ),
        pytest.param(
            self_signed(HOST, not_before=NOW - DAY, not_after=NOW + 90 * DAY),
            {},
            VALID,
            {"certificate-untrusted"},
            "signed by itself",
            id="self-signed",
        ),
        pytest.param(
            MIDDLE.issue(HOST, not_before=NOW - DAY, not_after=NOW + 90 * DAY, with_chain=False),
            {},
            VALID,
            {"certificate-untrusted"},
            "its issuer was not sent: CN=Middle",
            id="incomplete chain",
        ),
        pytest.param(issued(), OLD, FORCED, {"tls-too-old"}, "TLSv1.1", id="old"),
        pytest.param(issued(), OLD, {}, {"tls-broken"}, "TLSv1.1", id="old, not demanded"),
        pytest.param(
            None, {"smtpd_tls_security_level": "none"}, FORCED, {"starttls-missing"}, "", id="none"
        ),
        pytest.param(
            None, {"smtpd_tls_security_level": "none"}, {}, {"plaintext"}, "", id="in the clear"
        ),
        pytest.param(
            issued(),
            {"virtual_mailbox_maps": "inline:{other@contoso.com=x}"},
            FORCED,
            {"recipient-refused"},
            "550 5.1.1",
            id="unknown recipient",
        ),
        pytest.param(
            issued(),
            {"virtual_mailbox_domains": "fabrikam.com"},
            FORCED,
            {"recipient-refused"},
            "Relay access denied",
            id="not its domain",
        ),
        pytest.param(
            issued(),
            {"smtpd_recipient_restrictions": "defer", "smtpd_delay_reject": "yes"},
            FORCED,
            {"deferred"},
            "450",
            id="deferred",
        ),
        pytest.param(
            issued(), {"mynetworks": "127.0.0.0/8"}, FORCED, {"open-relay"}, "250", id="open relay"
        ),
        pytest.param(
            issued(),
            {"smtpd_client_restrictions": "reject", "smtpd_delay_reject": "no"},
            FORCED,
            {"session-refused"},
            "554 5.7.1",
            id="the client is refused",
        ),
    ],
)
async def test_a_misconfigured_postfix_is_told_as_what_it_is(
    pair: KeyPair | None,
    settings: dict[str, str],
    subject: dict[str, object],
    expected: set[str],
    words: str,
) -> None:
    async with postfix(pair, settings) as port:
        outcome = await walk(port, subject)
    assert codes(outcome) == expected, outcome.findings
    said = " ".join(line for each in outcome.findings for line in (each.detail, *each.evidence))
    assert words in said


@asynccontextmanager
async def occupied(port: int) -> AsyncIterator[None]:
    """Hold a session open, so that a server with room for one has none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert (await reader.readline()).startswith(b"220")
    try:
        yield
    finally:
        writer.close()


async def test_too_many_connections_are_no_fault_of_the_server() -> None:
    async with postfix(issued(), {"smtpd_client_connection_count_limit": "1"}) as port:
        async with occupied(port):
            outcome = await walk(port, FORCED)
        assert codes(outcome) == {"throttled"}
        assert outcome.severity is Severity.UNKNOWN
        assert "421" in outcome.findings[0].detail


async def test_a_server_that_wants_a_certificate_is_not_accused() -> None:
    demanding = {"smtpd_tls_security_level": "encrypt", "smtpd_tls_req_ccert": "yes"}
    async with postfix(issued(), demanding) as port:
        outcome = await walk(port, FORCED)
    assert codes(outcome) == {"client-certificate"}


async def test_a_stopped_postfix_is_refused_in_exchanges_words() -> None:
    async with postfix(issued()) as port:
        pass
    outcome = await walk(port, FORCED)
    assert codes(outcome) == {"refused"}
    assert "4.4.316" in "".join(outcome.findings[0].evidence)
