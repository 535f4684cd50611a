"""Sessions with real and with misbehaving servers on loopback."""

import asyncio
import socket
import ssl
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from types import FrameType

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.smtp_session import Session, Target, hold
from agent.domain.smtp import Accepted, Errand, Phase, Reason, Refused, Tls, Unreached
from agent.domain.tls import Trust
from servers.smtp import (
    Behaviour,
    Mailbox,
    Wire,
    dripping,
    real_server,
    rude_server,
    scripted,
)
from servers.tls import Authorities

LOOPBACK = ip_address("127.0.0.1")
LETTER = b"Subject: probe\r\n\r\n.dot\r\n"
OFFER = b"250-mx\r\n250 STARTTLS\r\n"


@pytest.fixture(scope="module")
def authorities() -> Authorities:
    return Authorities()


async def visit(
    port: int,
    authorities: Authorities,
    *,
    tls: Tls = Tls.NEVER,
    message: bytes | None = None,
    seconds: float = 5.0,
    verify: bool = False,
    implicit: bool = False,
    dialer: Dialer | None = None,
) -> Session:
    """Hold a session with a server on loopback."""
    clock = SystemClock()
    errand = Errand("probe.example", tls, "a@example.com", ("probe@example.net",), message)
    target = Target(
        address=LOOPBACK,
        port=port,
        tls=authorities.store.client(verify=verify),
        server_name="mx.example.net",
        implicit=implicit,
        reach="any",
    )
    deadline = timedelta(seconds=seconds)
    dialer = dialer or Dialer(clock=clock)
    return await hold(target, errand, dialer=dialer, clock=clock, deadline=deadline)


async def test_a_real_server_is_walked_through_tls(authorities: Authorities) -> None:
    async with real_server(Mailbox(), authorities.server("mx.example.net")) as port:
        session = await visit(port, authorities, tls=Tls.REQUIRED)
    assert isinstance(session.dialogue, Accepted)
    assert list(session.timings) == [
        Phase.CONNECT,
        Phase.GREETING,
        Phase.EHLO,
        Phase.STARTTLS,
        Phase.CERTIFICATE,
        Phase.EHLO_AGAIN,
        Phase.MAIL,
        Phase.RCPT,
        Phase.QUIT,
    ]
    assert all(0 <= seconds < 5 for seconds in session.timings.values())
    assert session.secured is not None
    assert session.secured.version == "TLSv1.3"
    presented = authorities.store.present(session.secured.chain, datetime.now(UTC))
    assert presented is not None
    assert presented.leaf.names == ("mx.example.net",)
    assert presented.trust is Trust.TRUSTED


async def test_a_real_server_takes_a_message_as_it_was_written(authorities: Authorities) -> None:
    mailbox = Mailbox()
    async with real_server(mailbox) as port:
        session = await visit(port, authorities, message=LETTER)
    assert isinstance(session.dialogue, Accepted)
    assert mailbox.messages == [LETTER]


async def test_a_refused_recipient_keeps_the_enhanced_status_code(
    authorities: Authorities,
) -> None:
    async with real_server(Mailbox(recipients=())) as port:
        session = await visit(port, authorities, message=LETTER)
    assert isinstance(session.dialogue, Refused)
    assert (session.dialogue.phase, session.dialogue.reply.enhanced) == (Phase.RCPT, "5.1.1")


async def test_a_closed_port_refuses(authorities: Authorities) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    session = await visit(port, authorities)
    assert session.dialogue == Unreached(Phase.CONNECT, Reason.REFUSED)


async def test_a_connection_that_nobody_answers_times_out(authorities: Authorities) -> None:
    # A full backlog drops further connections, as a firewall does.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            session = await visit(port, authorities, seconds=0.2)
    assert session.dialogue == Unreached(Phase.CONNECT, Reason.TIMEOUT)


def flooding(piece: bytes) -> Behaviour:
    async def behave(wire: Wire) -> None:
        while True:
            await wire.say(piece)

    return behave


@pytest.mark.parametrize(
    ("behaviour", "phase", "reason"),
    [
        pytest.param(dripping(b"2"), Phase.GREETING, Reason.PROTOCOL, id="drips nonsense"),
        pytest.param(dripping(b"220-x\r\n"), Phase.GREETING, Reason.TIMEOUT, id="drips lines"),
        pytest.param(
            flooding(b"220-x\r\n" * 1000), Phase.GREETING, Reason.PROTOCOL, id="endless lines"
        ),
        pytest.param(
            flooding(b"220 " + b"x" * 65536), Phase.GREETING, Reason.PROTOCOL, id="endless line"
        ),
        pytest.param(
            scripted(b"HTTP/1.1 400 no\r\n\r\n"), Phase.GREETING, Reason.PROTOCOL, id="HTTP"
        ),
        pytest.param(scripted(b"SSH-2.0-x\r\n"), Phase.GREETING, Reason.PROTOCOL, id="SSH"),
        pytest.param(scripted(b""), Phase.GREETING, Reason.TIMEOUT, id="never greets"),
        pytest.param(scripted(b"220 a\r\n"), Phase.EHLO, Reason.TIMEOUT, id="never says hello"),
        pytest.param(
            scripted(b"220 a\r\n250 b\r\n"), Phase.GREETING, Reason.PROTOCOL, id="early reply"
        ),
        pytest.param(
            scripted(b"220 a\r\n", b"250 ok\r\n", b"250 ok\r\n250 ok\r\n"),
            Phase.MAIL,
            Reason.PROTOCOL,
            id="doubled reply",
        ),
    ],
)
async def test_a_misbehaving_server_is_not_believed_nor_waited_for(
    behaviour: Behaviour, phase: Phase, reason: Reason, authorities: Authorities
) -> None:
    async with rude_server(behaviour) as (port, heard):
        began = asyncio.get_running_loop().time()
        session = await visit(port, authorities, seconds=0.4)
        took = asyncio.get_running_loop().time() - began
    assert session.dialogue == Unreached(phase, reason)
    assert took < 0.44 + 0.3
    assert b"RCPT" not in heard


STEPS = (
    b"220 a\r\n",
    b"250 a\r\n",
    b"250 ok\r\n",
    b"250 ok\r\n",
    b"354 go\r\n",
)


@pytest.mark.parametrize(
    ("said", "phase"),
    [
        pytest.param(1, Phase.EHLO, id="ehlo"),
        pytest.param(2, Phase.MAIL, id="mail"),
        pytest.param(3, Phase.RCPT, id="rcpt"),
        pytest.param(4, Phase.DATA, id="data"),
        pytest.param(5, Phase.FINAL, id="final"),
    ],
)
async def test_a_reset_is_told_with_its_phase(
    said: int, phase: Phase, authorities: Authorities
) -> None:
    async with rude_server(scripted(*STEPS[:said], reset=True)) as (port, _):
        session = await visit(port, authorities, message=LETTER)
    assert session.dialogue == Unreached(phase, Reason.CONNECTION_LOST)
    assert isinstance(session.dialogue, Unreached)
    assert session.dialogue.is_uncertain is (phase is Phase.FINAL)


async def test_a_final_reply_that_never_comes_is_uncertain(authorities: Authorities) -> None:
    async with rude_server(scripted(*STEPS)) as (port, heard):
        session = await visit(port, authorities, message=LETTER, seconds=0.3)
    assert session.dialogue == Unreached(Phase.FINAL, Reason.TIMEOUT)
    assert heard.endswith(b"..dot\r\n.\r\n")


async def test_quit_without_an_answer_costs_a_second_and_not_the_verdict(
    authorities: Authorities,
) -> None:
    async with rude_server(scripted(*STEPS, b"250 queued\r\n")) as (port, _):
        session = await visit(port, authorities, message=LETTER)
    assert isinstance(session.dialogue, Accepted)
    assert 0.9 < session.timings[Phase.QUIT] < 1.3


async def test_a_deadline_that_passes_at_quit_spares_the_verdict(authorities: Authorities) -> None:
    async with rude_server(scripted(*STEPS, b"250 queued\r\n")) as (port, _):
        session = await visit(port, authorities, message=LETTER, seconds=0.3)
    assert isinstance(session.dialogue, Accepted)


async def test_steps_just_in_time_do_not_outlive_the_deadline(authorities: Authorities) -> None:
    async def behave(wire: Wire) -> None:
        await wire.say(b"220 a\r\n")
        while await wire.hear():
            await asyncio.sleep(0.15)
            await wire.say(b"250 ok\r\n")

    async with rude_server(behave) as (port, _):
        session = await visit(port, authorities, seconds=0.4)
    assert session.dialogue == Unreached(Phase.RCPT, Reason.TIMEOUT)


async def test_octets_of_any_kind_become_printable(authorities: Authorities) -> None:
    hostile = b"220 \xff\x00\x1b[31m<script>\r\n"
    async with rude_server(scripted(hostile, b"250 \xfe\r\n", b"550 \x00\r\n")) as (port, _):
        session = await visit(port, authorities, seconds=1)
    text = "".join(session.transcript) + session.greeting + str(session.dialogue)
    assert text.isascii()
    assert text.isprintable()


# TLS


async def test_a_stripped_starttls_sends_nothing_in_the_clear(authorities: Authorities) -> None:
    script = scripted(b"220 a\r\n", b"250-a\r\n250 SIZE\r\n", b"221 bye\r\n")
    async with rude_server(script) as (port, heard):
        session = await visit(port, authorities, tls=Tls.REQUIRED, message=LETTER)
    assert session.dialogue == Unreached(Phase.STARTTLS, Reason.TLS_NOT_OFFERED)
    assert heard == b"EHLO probe.example\r\nQUIT\r\n"


@pytest.mark.parametrize(
    ("reply", "phase", "reason"),
    [
        pytest.param(b"220 go\r\n", Phase.CERTIFICATE, Reason.TIMEOUT, id="silence"),
        pytest.param(
            b"220 go\r\n250 evil\r\n", Phase.STARTTLS, Reason.TLS_INJECTION, id="injection"
        ),
    ],
)
async def test_a_broken_starttls_sends_nothing_in_the_clear(
    reply: bytes, phase: Phase, reason: Reason, authorities: Authorities
) -> None:
    async with rude_server(scripted(b"220 a\r\n", OFFER, reply)) as (port, heard):
        session = await visit(port, authorities, tls=Tls.IF_OFFERED, message=LETTER, seconds=0.3)
    assert session.dialogue == Unreached(phase, reason)
    assert b"MAIL" not in heard


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(b"this is not TLS\r\n", Reason.TLS_HANDSHAKE, id="plain text"),
        pytest.param(b"\x15\x03\x03\x00\x02\x02\x46", Reason.TLS_VERSION, id="version alert"),
        pytest.param(b"\x15\x03\x03\x00\x02\x02\x28", Reason.TLS_HANDSHAKE, id="failure alert"),
        pytest.param(b"", Reason.CONNECTION_LOST, id="reset"),
    ],
)
async def test_a_failed_handshake_is_told_with_its_reason(
    answer: bytes, reason: Reason, authorities: Authorities
) -> None:
    async def behave(wire: Wire) -> None:
        await wire.say(b"220 a\r\n")
        await wire.hear()
        await wire.say(OFFER)
        await wire.hear()
        await wire.say(b"220 go\r\n")
        await wire.reader.read(10)
        if answer:
            await wire.say(answer)
            await wire.hang()
        else:
            wire.reset()

    async with rude_server(behave) as (port, _):
        session = await visit(port, authorities, tls=Tls.REQUIRED)
    assert session.dialogue == Unreached(Phase.CERTIFICATE, reason)


async def test_an_old_server_is_spoken_to_in_order_to_say_that_it_is_old(
    authorities: Authorities,
) -> None:
    context = authorities.server("mx.example.net")
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with warnings.catch_warnings(action="ignore"):  # to be old is the point here
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with real_server(Mailbox(), context) as port:
        session = await visit(port, authorities, tls=Tls.REQUIRED)
        judged = await visit(port, authorities, tls=Tls.REQUIRED, verify=True)
    assert session.secured is not None
    assert session.secured.version == "TLSv1.1"
    assert isinstance(judged.dialogue, Unreached)
    assert judged.dialogue.phase is Phase.CERTIFICATE
    # The server may hang up before its alert is out.
    assert judged.dialogue.reason in (Reason.TLS_VERSION, Reason.CONNECTION_LOST)


@pytest.mark.parametrize(
    ("name", "known", "age"),
    [
        pytest.param("mx.example.net", False, 0, id="unknown authority"),
        pytest.param("other.example.net", True, 0, id="wrong name"),
        pytest.param("mx.example.net", True, 9, id="expired"),
    ],
)
async def test_a_verifying_session_sends_nothing_to_a_server_without_proof(
    name: str, *, known: bool, age: int, authorities: Authorities
) -> None:
    end = datetime.now(UTC) - timedelta(days=age) if age else None
    context = authorities.server(name, not_after=end, known=known)
    mailbox = Mailbox()
    async with real_server(mailbox, context) as port:
        session = await visit(port, authorities, tls=Tls.REQUIRED, message=LETTER, verify=True)
    assert session.dialogue == Unreached(Phase.CERTIFICATE, Reason.TLS_CERTIFICATE)
    assert mailbox.messages == []


async def test_implicit_tls_starts_with_the_handshake(authorities: Authorities) -> None:
    context = authorities.server("mx.example.net")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in (b"220 a\r\n", b"250 a\r\n", b"250 ok\r\n", b"250 ok\r\n", b"221 bye\r\n"):
            writer.write(reply)
            await reader.readline()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        session = await visit(port, authorities, implicit=True, verify=True)
    assert isinstance(session.dialogue, Accepted)
    assert session.secured is not None


async def test_a_connection_lost_inside_of_tls_is_told(authorities: Authorities) -> None:
    context = authorities.server("mx.example.net")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 a\r\n")
        await reader.readline()
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        session = await visit(port, authorities, implicit=True)
    assert session.dialogue == Unreached(Phase.EHLO, Reason.CONNECTION_LOST)


async def test_waiting_for_other_sessions_is_not_held_against_the_server(
    authorities: Authorities,
) -> None:
    dialer = Dialer(clock=SystemClock(), per_host=1)
    async with (
        real_server(Mailbox(), authorities.server("mx.example.net")) as port,
        dialer.connect(LOOPBACK, port, reach="any"),
    ):
        session = await visit(port, authorities, seconds=0.1, dialer=dialer)
    assert session.dialogue == Unreached(Phase.CONNECT, Reason.BUSY)
    assert session.dialogue.reason.is_ours
    assert session.timings == {}


async def test_implicit_tls_with_a_server_in_the_clear_fails(authorities: Authorities) -> None:
    async with rude_server(scripted(b"220 a\r\n")) as (port, heard):
        session = await visit(port, authorities, implicit=True, seconds=1)
    assert isinstance(session.dialogue, Unreached)
    assert session.dialogue.phase is Phase.CERTIFICATE
    assert b"EHLO" not in heard


async def test_a_name_that_tls_cannot_carry_fails_the_handshake(authorities: Authorities) -> None:
    clock = SystemClock()
    async with real_server(Mailbox(), authorities.server("mx.example.net")) as port:
        context = authorities.store.client(verify=False)
        target = Target(address=LOOPBACK, port=port, tls=context, server_name="a..b", reach="any")
        session = await hold(
            target,
            Errand("probe.example"),
            dialer=Dialer(clock=clock),
            clock=clock,
            deadline=timedelta(seconds=2),
        )
    assert session.dialogue == Unreached(Phase.CERTIFICATE, Reason.TLS_HANDSHAKE)


@contextmanager
def contexts_made() -> Iterator[list[str]]:
    """Watch calls as a profiler does, and note who makes a context."""
    made: list[str] = []

    def watch(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code is ssl.SSLContext.__new__.__code__:
            made.append(str(frame.f_back))

    sys.setprofile(watch)
    try:
        yield made
    finally:
        sys.setprofile(None)


async def test_many_sessions_make_no_further_contexts(authorities: Authorities) -> None:
    async with real_server(Mailbox(), authorities.server("mx.example.net")) as port:
        with contexts_made() as made:
            for _ in range(20):
                session = await visit(port, authorities, tls=Tls.REQUIRED)
                assert isinstance(session.dialogue, Accepted)
        assert made == []
        with contexts_made() as made:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        assert len(made) == 1  # it would have been seen


async def test_a_reply_too_many_inside_of_tls_is_noticed(authorities: Authorities) -> None:
    context = authorities.server("mx.example.net")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 a\r\n")
        await reader.readline()
        writer.writelines((b"250 a\r\n", b"250 ok\r\n"))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        session = await visit(port, authorities, implicit=True)
    assert session.dialogue == Unreached(Phase.EHLO, Reason.PROTOCOL)


async def test_a_reply_in_pieces_inside_of_tls_is_one_reply(authorities: Authorities) -> None:
    context = authorities.server("mx.example.net")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 a\r\n")
        await reader.readline()
        writer.write(b"250-")
        await writer.drain()
        await asyncio.sleep(0)
        writer.write(b"a\r\n250 b\r\n")
        await reader.readline()
        writer.write(b"550 no\r\n")
        await reader.readline()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        session = await visit(port, authorities, implicit=True)
    assert isinstance(session.dialogue, Refused)
    assert session.capabilities == ("b",)
