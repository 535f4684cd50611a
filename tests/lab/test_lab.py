import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.smtp_policy import Client, Policy, Response, say
from agent.adapters.smtp_server import SmtpServer
from agent.adapters.smtp_session import Session, Target, hold
from agent.adapters.trust import TrustStore
from agent.domain.smtp import Accepted, Errand, Phase, Reason, Refused, Tls, Unreached
from agent.domain.tls import Flaw, judge
from agent.lab.lab import Lab
from agent.lab.world import EXCHANGE_ONLINE, SMART_HOST


class Mailbox(Policy):
    """A sink that keeps what arrives."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[bytes] = asyncio.Queue()

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        del client, rcpt_to
        return say(250, "2.1.5 ok")

    async def message(self, client: Client, content: bytes) -> Response:
        del client
        self.arrived.put_nowait(content)
        return say(250, "2.0.0 ok")


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with Lab(tmp_path) as lab:
        yield lab


@pytest.fixture
async def mailbox(lab: Lab) -> AsyncIterator[Mailbox]:
    mailbox = Mailbox()
    server = SmtpServer(mailbox)
    await server.start("127.0.0.1", lab.sink_port)
    yield mailbox
    await server.close()


async def talk(
    lab: Lab,
    *,
    host: str = SMART_HOST,
    rcpt_to: str = "probe@monitor.contoso.com",
    verify: bool = True,
    tls: Tls = Tls.REQUIRED,
    message: bytes | None = None,
    deadline: float = 10,
) -> Session:
    clock = SystemClock()
    trust = TrustStore(roots=[lab.authority], system=False)
    target = Target(
        address=ip_address(host),
        port=25,
        tls=trust.client(verify=verify),
        server_name="mail.contoso.com",
    )
    return await hold(
        target,
        Errand("client.contoso.com", tls, "probe@contoso.com", (rcpt_to,), message),
        dialer=Dialer(clock=clock, detours=lab.detours, detours_only=True),
        clock=clock,
        deadline=timedelta(seconds=deadline),
    )


async def test_a_message_goes_through_both_servers_to_the_sink(lab: Lab, mailbox: Mailbox) -> None:
    session = await talk(lab, message=b"Subject: hello\r\n\r\nbody\r\n")
    assert isinstance(session.dialogue, Accepted)
    async with asyncio.timeout(10):
        content = await mailbox.arrived.get()
    assert content.endswith(b"Subject: hello\r\n\r\nbody\r\n")
    assert content.count(b"Received: from ") == 2


@pytest.mark.parametrize(
    ("fault", "phase"),
    [
        pytest.param("smarthost-expired", Phase.CERTIFICATE, id="expired"),
        pytest.param("smarthost-wrong-name", Phase.CERTIFICATE, id="wrong name"),
    ],
)
async def test_a_bad_certificate_fails_the_verified_handshake(
    lab: Lab, fault: str, phase: Phase
) -> None:
    lab.world.break_(fault)
    dialogue = (await talk(lab)).dialogue
    assert isinstance(dialogue, Unreached)
    assert dialogue.phase is phase
    assert dialogue.reason is Reason.TLS_CERTIFICATE


async def test_a_certificate_that_has_expired_has_no_other_fault(lab: Lab) -> None:
    lab.world.break_("smarthost-expired")
    secured = (await talk(lab, verify=False)).secured
    assert secured is not None
    now = SystemClock().now()
    presented = TrustStore(roots=[lab.authority], system=False).present(secured.chain, now)
    assert presented is not None
    faults = judge(presented, expected="mail.contoso.com", at=now, soon=timedelta())
    assert [fault.flaw for fault in faults] == [Flaw.EXPIRED]


async def test_without_starttls_a_session_that_demands_it_ends(lab: Lab) -> None:
    lab.world.break_("smarthost-no-starttls")
    dialogue = (await talk(lab)).dialogue
    assert isinstance(dialogue, Unreached)
    assert dialogue.reason is Reason.TLS_NOT_OFFERED


@pytest.mark.parametrize(
    ("fault", "code"),
    [("smarthost-refuses", 550), ("smarthost-greylists", 451)],
)
async def test_a_recipient_is_refused_for_good_or_for_now(lab: Lab, fault: str, code: int) -> None:
    lab.world.break_(fault)
    dialogue = (await talk(lab)).dialogue
    assert isinstance(dialogue, Refused)
    assert dialogue.reply.code == code


async def test_nobody_relays_for_strangers(lab: Lab) -> None:
    for host in (SMART_HOST, EXCHANGE_ONLINE):
        session = await talk(lab, host=host, rcpt_to="me@stranger.example", verify=False)
        assert isinstance(session.dialogue, Refused)


async def test_a_smart_host_that_is_down_refuses_and_comes_back(lab: Lab) -> None:
    lab.world.break_("smarthost-down")
    dialogue = None
    async with asyncio.timeout(10):
        while not isinstance(dialogue, Unreached):
            dialogue = (await talk(lab)).dialogue
    assert dialogue.reason in {Reason.REFUSED, Reason.CONNECTION_LOST}
    lab.world.mend()
    async with asyncio.timeout(10):
        while not isinstance(dialogue, Accepted):
            dialogue = (await talk(lab)).dialogue


async def test_a_stalling_smart_host_is_ended_by_the_deadline(lab: Lab) -> None:
    lab.world.break_("smarthost-stalls")
    dialogue = (await talk(lab, deadline=0.3)).dialogue
    assert isinstance(dialogue, Unreached)
    assert (dialogue.phase, dialogue.reason) == (Phase.GREETING, Reason.TIMEOUT)


async def test_doubled_mail_arrives_twice(lab: Lab, mailbox: Mailbox) -> None:
    lab.world.break_("mail-doubled")
    await talk(lab, message=b"\r\nx\r\n")
    async with asyncio.timeout(10):
        await mailbox.arrived.get()
        await mailbox.arrived.get()


async def test_dropped_mail_is_accepted_and_does_not_arrive(lab: Lab, mailbox: Mailbox) -> None:
    lab.world.break_("mail-dropped")
    lost = await talk(lab, host=EXCHANGE_ONLINE, verify=False, message=b"\r\nlost\r\n")
    assert isinstance(lost.dialogue, Accepted)
    lab.world.mend()
    await talk(lab, host=EXCHANGE_ONLINE, verify=False, message=b"\r\nkept\r\n")
    async with asyncio.timeout(10):
        assert (await mailbox.arrived.get()).endswith(b"kept\r\n")
    assert mailbox.arrived.empty()


async def test_the_lab_trusts_nothing_but_its_own_authority(lab: Lab) -> None:
    context = ssl.create_default_context(cadata=lab.authority.decode())
    _, port = lab.detours[SMART_HOST, 25]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readline()
    writer.write(b"STARTTLS\r\n")
    assert (await reader.readline()).startswith(b"220")
    await writer.start_tls(context, server_hostname="mail.contoso.com")
    writer.close()
    await writer.wait_closed()
