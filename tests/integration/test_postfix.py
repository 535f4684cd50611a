"""A real Postfix, set up well and badly, is diagnosed as its administrator would want it."""

import pytest

from agent.adapters.x509_making import KeyPair, self_signed
from agent.domain.fact import Table
from agent.domain.finding import Severity
from servers.postfix import postfix
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
    assert words in words_of(outcome)


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
