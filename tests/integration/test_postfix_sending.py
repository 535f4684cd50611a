"""Real Postfix servers are logged in at, shown a certificate, and tried one after the other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.mx_delivery import Delivery, Domain, deliver
from agent.adapters.smtp import Destination, password_login, submit
from agent.adapters.smtp_session import Session
from agent.adapters.x509_making import KeyPair, ders_of
from agent.domain.integrity import Integrity, examine
from agent.domain.login_replies import meaning_of
from agent.domain.lookup import Answer, Exchange, Reply
from agent.domain.message import Message, Token
from agent.domain.payload import PLAIN, Kind, Payload
from agent.domain.smtp import Accepted, Errand, Login, Phase, Reason, Refused, Tls, Unreached
from servers.checks import DictResolver
from servers.dovecot import PASSWORD, USERNAME, dovecot
from servers.postfix import postfix
from servers.running import eventually
from servers.smart_host import HOST, RECIPIENT, STORE, issued
from servers.smtp import Mailbox, real_server

pytestmark = pytest.mark.integration

FIRST, SECOND = "192.31.196.1", "192.31.196.2"
ELSEWHERE = "someone@fabrikam.com"
LETTER = b"Subject: probe\r\nMessage-ID: <1@contoso.com>\r\n\r\nHi\r\n"
PAIR = issued("probe.contoso.com")
STRANGE = issued("stranger.contoso.com")


async def hand_over(
    port: int,
    *,
    login: Login | None = None,
    pair: KeyPair | None = None,
    rcpt_to: str = ELSEWHERE,
    message: bytes = LETTER,
) -> Session:
    clock = SystemClock()
    dialer = Dialer(clock=clock, detours={(FIRST, 587): ("127.0.0.1", port)}, detours_only=True)
    return await submit(
        Destination(host=HOST, port=587, tls="verified", pair=pair),
        Errand("contoso.com", Tls.REQUIRED, "probe@contoso.com", (rcpt_to,), message, login),
        resolver=DictResolver({HOST: Answer((ip_address(FIRST),))}),
        dialer=dialer,
        trust=STORE,
        clock=clock,
        deadline=timedelta(seconds=20),
    )


@asynccontextmanager
async def with_logins(mechanisms: str) -> AsyncIterator[int]:
    """Run a Postfix that offers only these, and throws away what those bring who log in."""
    async with dovecot() as sasl:
        settings = {
            "smtpd_sasl_auth_enable": "yes",
            "smtpd_sasl_type": "dovecot",
            "smtpd_sasl_path": f"inet:127.0.0.1:{sasl}",
            "smtpd_sasl_mechanism_filter": mechanisms,
            "smtpd_tls_auth_only": "yes",
            "smtpd_relay_restrictions": "permit_sasl_authenticated, reject_unauth_destination",
            "default_transport": "discard:",
        }
        async with postfix(issued(), settings) as port:
            yield port


@pytest.mark.parametrize(
    ("mechanisms", "spoken"),
    [
        pytest.param("login", "> AUTH LOGIN", id="LOGIN"),
        pytest.param("plain", "> AUTH PLAIN (hidden)", id="PLAIN"),
        pytest.param("plain, login", "> AUTH PLAIN (hidden)", id="both"),
    ],
)
async def test_a_password_is_said_by_what_the_server_offers(mechanisms: str, spoken: str) -> None:
    async with with_logins(mechanisms) as port:
        session = await hand_over(port, login=password_login(USERNAME, PASSWORD))
        wrong = await hand_over(port, login=password_login(USERNAME, "guessed"))
    assert isinstance(session.dialogue, Accepted), session.dialogue
    assert spoken in session.transcript
    said = f"{session.transcript} {wrong.transcript} {wrong.dialogue}"
    assert PASSWORD not in said
    assert "guessed" not in said
    assert isinstance(wrong.dialogue, Refused)
    assert wrong.dialogue.phase is Phase.AUTH
    assert "Correct the login" in meaning_of(wrong.dialogue.reply)


def fingerprint(pair: KeyPair) -> str:
    return sha256(ders_of(pair)[0]).digest().hex(":").upper()


RELAYS_BY_CERTIFICATE = {
    "smtpd_tls_ask_ccert": "yes",
    "smtpd_tls_fingerprint_digest": "sha256",
    "relay_clientcerts": f"inline:{{{{ {fingerprint(PAIR)} = probe }}}}",
    "smtpd_relay_restrictions": "permit_tls_clientcerts, reject_unauth_destination",
    "default_transport": "discard:",
}


async def test_who_shows_the_right_certificate_may_relay() -> None:
    async with postfix(issued(), RELAYS_BY_CERTIFICATE) as port:
        ours = await hand_over(port, pair=PAIR)
        strange = await hand_over(port, pair=STRANGE)
        none = await hand_over(port)
    assert isinstance(ours.dialogue, Accepted), ours.dialogue
    for other in (strange, none):
        assert isinstance(other.dialogue, Refused)
        assert other.dialogue.phase is Phase.RCPT
        assert "relay access denied" in other.dialogue.reply.text.lower()


async def test_a_server_that_demands_a_certificate_says_so() -> None:
    demanding = {"smtpd_tls_security_level": "encrypt", "smtpd_tls_req_ccert": "yes"}
    async with postfix(issued(), demanding) as port:
        session = await hand_over(port, rcpt_to=RECIPIENT)
    assert isinstance(session.dialogue, Refused)
    assert session.dialogue.phase is Phase.EHLO_AGAIN
    assert "No client certificate presented" in session.dialogue.reply.text


async def by_mx(first: int, second: int, domain: Domain | None = None) -> Delivery:
    clock = SystemClock()
    detours = {
        (FIRST, 25): ("127.0.0.1", first),
        (SECOND, 25): ("127.0.0.1", second),
    }
    zone: dict[str, Reply] = {
        "contoso.com": Answer((Exchange(10, "a.contoso.com"), Exchange(20, "b.contoso.com"))),
        "a.contoso.com": Answer((ip_address(FIRST),)),
        "b.contoso.com": Answer((ip_address(SECOND),)),
    }
    return await deliver(
        domain or Domain(name="contoso.com"),
        Errand("probe.example", Tls.IF_OFFERED, "a@example.com", (RECIPIENT,), LETTER),
        resolver=DictResolver(zone),
        dialer=Dialer(clock=clock, detours=detours, detours_only=True),
        trust=STORE,
        clock=clock,
        deadline=timedelta(seconds=30),
    )


GREYLISTS = {
    "smtpd_recipient_restrictions": (
        f"check_recipient_access inline:{{{{ {RECIPIENT} = 450 4.2.0 Greylisted }}}}"
    )
}


async def test_the_second_exchange_takes_what_the_first_greylists() -> None:
    async with (
        postfix(issued("a.contoso.com"), GREYLISTS) as first,
        postfix(issued("b.contoso.com")) as second,
    ):
        delivery = await by_mx(first, second, Domain(name="contoso.com", tls="verified"))
    assert isinstance(delivery.dialogue, Accepted), delivery.transcript
    assert [each.exchange for each in delivery.attempts] == ["a.contoso.com", "b.contoso.com"]
    deferred = delivery.attempts[0].session.dialogue
    assert isinstance(deferred, Refused)
    assert "Greylisted" in deferred.reply.text


async def test_two_that_greylist_leave_it_deferred_and_one_that_refuses_settles_it() -> None:
    async with (
        postfix(issued(), GREYLISTS) as first,
        postfix(issued(), {"virtual_mailbox_maps": "inline:{other@contoso.com=x}"}) as second,
    ):
        deferred = await by_mx(first, first)
        refused = await by_mx(first, second)
    assert deferred.is_deferred
    assert isinstance(refused.dialogue, Refused)
    assert refused.dialogue.reply.code == 550
    assert not refused.is_deferred


async def test_a_stopped_exchange_and_one_that_turns_clients_away_are_passed_over() -> None:
    async with postfix(issued()) as gone:
        pass
    away = {"smtpd_client_restrictions": "reject", "smtpd_delay_reject": "no"}
    async with postfix(issued(), away) as door, postfix(issued()) as second:
        after_gone = await by_mx(gone, second)
        after_door = await by_mx(door, second)
    assert isinstance(after_gone.dialogue, Accepted)
    assert after_gone.attempts[0].session.dialogue == Unreached(Phase.CONNECT, Reason.REFUSED)
    assert isinstance(after_door.dialogue, Accepted)
    assert len(after_door.attempts) == 2


@pytest.mark.parametrize(
    "payload",
    [
        PLAIN,
        Payload(kind=Kind.HTML, headers=(("X-Contoso-Bypass", "yes"),)),
        Payload(kind=Kind.ATTACHMENT, size=3 * 1024 * 1024, content_type="application/pdf"),
    ],
)
async def test_every_payload_passes_a_relay_unharmed(payload: Payload) -> None:
    token = Token.make(bytes(range(16)), key=b"k" * 32, route="r", sequence=7, instance="i")
    message = Message(
        token=token,
        route="r",
        mail_from="probe@contoso.com",
        rcpt_to=ELSEWHERE,
        sent_at=datetime.now(UTC),
        payload=payload,
    )
    mailbox = Mailbox(recipients=(ELSEWHERE,))
    async with real_server(mailbox) as last:
        settings = {"mynetworks": "127.0.0.0/8", "relayhost": f"[127.0.0.1]:{last}"}
        async with postfix(issued(), settings) as port:
            session = await hand_over(port, message=message.encode())
            assert isinstance(session.dialogue, Accepted), session.dialogue

            async def look() -> list[bytes]:
                return mailbox.messages

            (arrived,) = await eventually(look, lambda messages: len(messages) == 1)
    assert examine(arrived, str(token), payload) is Integrity.INTACT
