"""Two Postfix in a row, the first of which lets people in by a password that Dovecot knows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from ipaddress import ip_address

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.smtp import Destination, password_login, submit
from agent.adapters.smtp_session import Session
from agent.domain.lookup import Answer
from agent.domain.smtp import Accepted, Errand, Login, Phase, Reason, Refused, Tls, Unreached
from servers.checks import DictResolver
from servers.dovecot import PASSWORD, USERNAME, dovecot
from servers.postfix import postfix
from servers.running import eventually
from servers.smart_host import HOST, STORE, issued
from servers.smtp import Mailbox, real_server

pytestmark = pytest.mark.integration

PLACE = "192.31.196.1"
TO = "someone@fabrikam.com"
LETTER = b"Subject: probe\r\nMessage-ID: <1@contoso.com>\r\n\r\n.a dot in front\r\n"
LOGIN = password_login(USERNAME, PASSWORD)


@asynccontextmanager
async def chain(mailbox: Mailbox) -> AsyncIterator[int]:
    """Run both, the second of which hands on to *mailbox*; gives the port of the first."""
    async with AsyncExitStack() as stack:
        last = await stack.enter_async_context(real_server(mailbox))
        second = await stack.enter_async_context(
            postfix(
                issued("second.contoso.com"),
                {
                    "myhostname": "second.contoso.com",
                    "virtual_mailbox_domains": "",
                    "mynetworks": "127.0.0.0/8",
                    "relayhost": f"[127.0.0.1]:{last}",
                },
            )
        )
        sasl = await stack.enter_async_context(dovecot())
        first = await stack.enter_async_context(
            postfix(
                issued(),
                {
                    "relayhost": f"[127.0.0.1]:{second}",
                    "smtp_tls_security_level": "encrypt",
                    "smtpd_sasl_auth_enable": "yes",
                    "smtpd_sasl_type": "dovecot",
                    "smtpd_sasl_path": f"inet:127.0.0.1:{sasl}",
                    "smtpd_tls_auth_only": "yes",
                    "smtpd_relay_restrictions": (
                        "permit_sasl_authenticated, reject_unauth_destination"
                    ),
                },
            )
        )
        yield first


async def send(port: int, login: Login | None) -> Session:
    clock = SystemClock()
    dialer = Dialer(clock=clock, detours={(PLACE, 587): ("127.0.0.1", port)}, detours_only=True)
    return await submit(
        Destination(host=HOST, port=587, tls="verified"),
        Errand("contoso.com", Tls.REQUIRED, "probe@contoso.com", (TO,), LETTER, login),
        resolver=DictResolver({HOST: Answer((ip_address(PLACE),))}),
        dialer=dialer,
        trust=STORE,
        clock=clock,
        deadline=timedelta(seconds=20),
    )


async def test_a_message_with_a_login_passes_both_and_arrives_as_it_was_written() -> None:
    mailbox = Mailbox(recipients=(TO,))
    async with chain(mailbox) as port:
        session = await send(port, LOGIN)
        assert isinstance(session.dialogue, Accepted), session.dialogue
        assert session.secured is not None
        assert PASSWORD not in "".join(session.transcript)
        assert LOGIN.response.decode() not in "".join(session.transcript)

        async def look() -> list[bytes]:
            await asyncio.sleep(0)
            return mailbox.messages

        (message,) = await eventually(look, lambda messages: len(messages) == 1)
    assert message.endswith(b"\r\n\r\n.a dot in front\r\n")
    assert message.count(b"Received:") == 2
    assert b"by second.contoso.com (Postfix) with ESMTPS" in message


async def test_a_wrong_password_and_none_are_refused_each_at_its_phase() -> None:
    async with chain(Mailbox()) as port:
        wrong = await send(port, password_login(USERNAME, "guessed"))
        none = await send(port, None)
    assert isinstance(wrong.dialogue, Refused)
    assert wrong.dialogue.phase is Phase.AUTH
    assert wrong.dialogue.reply.code == 535
    assert isinstance(none.dialogue, Refused)
    assert none.dialogue.phase is Phase.RCPT


async def test_a_server_without_logins_is_told_as_such() -> None:
    async with postfix(issued()) as port:
        session = await send(port, LOGIN)
    assert session.dialogue == Unreached(Phase.AUTH, Reason.AUTH_NOT_OFFERED)
