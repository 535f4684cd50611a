"""A second implementation, with another TLS library, is diagnosed as the first one is."""

import pytest

from agent.adapters.x509_making import KeyPair
from agent.domain.fact import Table
from servers.exim import exim
from servers.smart_host import (
    DAY,
    FORCED,
    HOST,
    MIDDLE,
    NAMED,
    NOW,
    VALID,
    codes,
    issued,
    occupied,
    walk,
)
from servers.smart_host import words as words_of

pytestmark = pytest.mark.integration

ONLY_1_0 = {"tls_require_ciphers": "LEGACY:-VERS-ALL:+VERS-TLS1.0:%COMPAT"}
NO_GCM = {"tls_require_ciphers": "NORMAL:-VERS-ALL:+VERS-TLS1.2:-AES-128-GCM:-AES-256-GCM"}


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param({}, id="none"),
        pytest.param(FORCED, id="encryption-only"),
        pytest.param(VALID, id="certificate-validation"),
        pytest.param(NAMED, id="domain-validation"),
    ],
)
async def test_a_sound_exim_has_no_finding(subject: dict[str, object]) -> None:
    async with exim(issued()) as port:
        outcome = await walk(port, subject)
    assert outcome.findings == ()
    addresses = outcome.facts["Addresses"]
    assert isinstance(addresses, Table)
    assert addresses.rows[0][1] == "deliver it over TLSv1.3"


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
            MIDDLE.issue(HOST, not_before=NOW - DAY, not_after=NOW + 90 * DAY, with_chain=False),
            {},
            VALID,
            {"certificate-untrusted"},
            "its issuer was not sent: CN=Middle",
            id="incomplete chain",
        ),
        pytest.param(issued(), ONLY_1_0, FORCED, {"tls-too-old"}, "TLSv1", id="TLS 1.0 only"),
        pytest.param(
            issued(),
            NO_GCM,
            FORCED,
            {"tls-too-old"},
            "no cipher that Exchange Online offers",
            id="no cipher of Exchange",
        ),
        pytest.param(None, {}, FORCED, {"starttls-missing"}, "", id="no TLS"),
        pytest.param(None, {}, {}, {"plaintext"}, "", id="in the clear"),
    ],
)
async def test_a_misconfigured_exim_is_told_as_what_it_is(
    pair: KeyPair | None,
    settings: dict[str, str],
    subject: dict[str, object],
    expected: set[str],
    words: str,
) -> None:
    async with exim(pair, settings) as port:
        outcome = await walk(port, subject)
    assert codes(outcome) == expected, outcome.findings
    assert words in words_of(outcome)


@pytest.mark.parametrize(
    ("at_connect", "at_rcpt", "expected"),
    [
        pytest.param("deny message = go away", "", "session-refused", id="refuses the client"),
        pytest.param("defer message = later", "", "deferred", id="not now"),
        pytest.param("", "defer message = greylisted", "deferred", id="greylists"),
        pytest.param("", "accept", "open-relay", id="relays"),
        pytest.param("", "deny message = 5.1.1 no", "recipient-refused", id="knows nobody"),
        pytest.param("drop message = 4.7.1 too many", "", "session-refused", id="drops"),
    ],
)
async def test_what_exim_says_is_understood(at_connect: str, at_rcpt: str, expected: str) -> None:
    async with exim(issued(), at_connect=at_connect, at_rcpt=at_rcpt) as port:
        outcome = await walk(port, FORCED)
    assert codes(outcome) == {expected}, outcome.findings


async def test_a_limit_of_connections_is_no_fault_of_exim() -> None:
    async with exim(issued(), {"smtp_accept_max": "1"}) as port, occupied(port):
        outcome = await walk(port, FORCED)
    assert codes(outcome) == {"throttled"}, outcome.findings
    assert "421" in outcome.findings[0].detail


async def test_an_exim_that_wants_a_certificate_is_not_accused() -> None:
    async with exim(issued(), {"tls_verify_hosts": "*"}) as port:
        outcome = await walk(port, FORCED)
    assert codes(outcome) == {"client-certificate"}
