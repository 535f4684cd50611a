"""The mail world of the tests does what its rules say, with real servers and real mail."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiosmtplib
import pytest

from servers.mail_world import (
    FULL,
    NOBODY,
    PASSWORD,
    PROBE,
    SENDER,
    TOKEN,
    MailWorld,
    mail_world,
)

pytestmark = pytest.mark.integration

LETTER = (
    b"From: <sender@contoso.com>\r\nTo: <probe@contoso.com>\r\nSubject: probe\r\n"
    b"Message-ID: <one@contoso.com>\r\nX-Mailflow-Token: t\r\n\r\nbody\r\n"
)


@pytest.fixture
async def world() -> AsyncIterator[MailWorld]:
    async with mail_world() as one:
        yield one


async def sent(world: MailWorld, count: int = 1, folder: str = "") -> str:
    """Send one, and return the newest once *count* are there."""
    await world.submit(LETTER)
    return newest(await world.arrived(count=count, folder=folder))


def newest(found: list[Path]) -> str:
    return max(found, key=lambda path: path.stat().st_mtime_ns).read_text()


async def test_a_message_takes_two_hops_in_tls(world: MailWorld) -> None:
    arrived = await sent(world)
    assert arrived.count("Received: ") == 3
    assert "by backend.contoso.com (Postfix) with ESMTPS" in arrived
    assert arrived.endswith("\n\nbody\n")


async def test_a_gateway_rewrites_what_passes(world: MailWorld) -> None:
    world.tag_subject("[EXTERNAL]")
    world.remove_header("X-Mailflow-Token")
    world.replace_header("Message-ID", "<new@gateway>")
    world.add_header("Authentication-Results", "backend.contoso.com; spf=pass")
    world.footer("Sent through a gateway")
    arrived = await sent(world)
    assert "Subject: [EXTERNAL] probe" in arrived
    assert "X-Mailflow-Token" not in arrived
    assert "<new@gateway>" in arrived
    assert "<one@contoso.com>" not in arrived
    assert "Authentication-Results: backend.contoso.com; spf=pass" in arrived
    assert arrived.endswith("body\nSent through a gateway\n")
    world.well()
    assert "Subject: probe" in await sent(world, 2)


async def test_it_may_come_twice_or_in_junk_or_never(world: MailWorld) -> None:
    world.duplicate()
    await sent(world, 2)
    world.well()
    world.junk()
    await sent(world, 1, "Junk")
    world.well()
    world.drop()
    await world.submit(LETTER)
    await world.backend.rules.until_asked(3)
    world.well()
    await sent(world, 3)
    assert len(await world.arrived(count=0)) == 3


async def test_it_may_be_held_and_greylisted(world: MailWorld) -> None:
    world.hold()
    await world.submit(LETTER)
    assert await world.arrived(count=0) == []
    world.release()
    await world.arrived()
    world.greylist()
    await sent(world, 2)
    assert world.backend.rules.asked == [PROBE] * 3
    world.delay(0.1)
    await sent(world, 3)


async def test_it_may_go_round_in_circles(world: MailWorld) -> None:
    world.loop(2)
    assert (await sent(world)).count("Received: ") == 7


async def test_what_is_refused_comes_back_to_its_sender(world: MailWorld) -> None:
    world.bounce("550 5.7.520 Not wanted")
    await world.submit(LETTER)
    [report] = [path.read_text() for path in await world.arrived(SENDER)]
    assert "Status: 5.7.520" in report
    assert "X-Mailflow-Token: t" in report
    for count, address in ((2, NOBODY), (3, FULL)):
        await world.submit(LETTER, address)
        found = await world.arrived(SENDER, count)
        assert "Action: failed" in newest(found)


async def test_the_gateway_may_refuse_at_once(world: MailWorld) -> None:
    world.reject("550 5.7.1 Not from you")
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await world.submit(LETTER)


async def test_who_logs_in_may_send_anywhere(world: MailWorld) -> None:
    for port, starts in ((world.gateway.port, True), (world.gateway.tls_port, False)):
        client = aiosmtplib.SMTP(
            hostname="localhost",
            port=port,
            start_tls=starts,
            use_tls=not starts,
            tls_context=world.trust.verifying,
        )
        async with client:
            await client.ehlo()
            if starts:
                await client.auth_plain(PROBE, PASSWORD)
            else:
                await client.auth_xoauth2(PROBE, TOKEN)
            await client.mail(SENDER)
            assert (await client.rcpt("a@fabrikam.example")).code == 250


async def test_mail_waits_while_the_mailboxes_are_away(world: MailWorld) -> None:
    await world.store.stop()
    await world.submit(LETTER)
    await world.store.start()
    await world.arrived()
