"""The server keeps to the form of SMTP, whatever a client does, and so does the sink."""

import asyncio
import gc
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.adapters.intray import Intray
from agent.adapters.ledger import Ledger
from agent.adapters.sink import Sink
from agent.adapters.smtp_policy import HANG_UP, Client, Limits, Policy, Response, say
from agent.adapters.smtp_server import SmtpServer
from agent.adapters.smtp_wire import Wire
from agent.adapters.store import Store
from agent.domain.ledger import State
from agent.domain.message import Message, Token
from servers.standings import HandClock
from servers.tls import Authorities

TO = "sink@fabrikam.com"
GREETING = b"220 localhost.localdomain ESMTP\r\n"


class Talk:
    """A client that says exactly what a test says."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, octets: bytes) -> None:
        self.writer.write(octets)
        await self.writer.drain()

    async def hear(self) -> bytes:
        """Return the last line of the next reply; nothing where the server has closed."""
        line = await self.reader.readline()
        while line[3:4] == b"-":
            line = await self.reader.readline()
        return line

    async def ask(self, octets: bytes) -> bytes:
        await self.say(octets + b"\r\n")
        return await self.hear()

    async def begin(self) -> None:
        """Go as far as a message may follow."""
        assert (await self.hear())[:3] == b"220"
        for command in (
            b"EHLO me.example",
            b"MAIL FROM:<a@b.example>",
            b"RCPT TO:<sink@fabrikam.com>",
        ):
            assert (await self.ask(command))[:3] == b"250", command
        assert (await self.ask(b"DATA"))[:3] == b"354"

    async def start_tls(self, context: ssl.SSLContext) -> None:
        await self.writer.start_tls(context, server_hostname="sink.example")


@asynccontextmanager
async def talking(port: int) -> AsyncIterator[Talk]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Talk(reader, writer)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


class Taking(Policy):
    """Takes everything for one recipient, and keeps it."""

    def __init__(self) -> None:
        self.messages: list[tuple[str | None, tuple[str, ...], bytes]] = []
        self.tls = ""

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        del client
        return say(250, "2.1.5 ok") if rcpt_to == TO else say(550, "5.1.1 no such user")

    async def message(self, client: Client, content: bytes) -> Response:
        self.messages.append((client.mail_from, tuple(client.rcpt_to), content))
        self.tls = client.tls
        return say(250, "2.0.0 taken")


@asynccontextmanager
async def serving(
    policy: Policy, limits: Limits | None = None, context: ssl.SSLContext | None = None
) -> AsyncIterator[SmtpServer]:
    server = SmtpServer(policy, limits=limits, context=context)
    await server.start("127.0.0.1", 0)
    try:
        yield server
    finally:
        await server.close()


async def test_a_message_is_taken_with_its_dots_undone() -> None:
    policy = Taking()
    async with serving(policy) as server, talking(server.port) as talk:
        await talk.begin()
        await talk.say(b"..one\r\n...two\r\nthree.\r\n.\r\nNOOP\r\n")
        assert (await talk.hear())[:3] == b"250"
        assert (await talk.hear())[:3] == b"250"
        assert (await talk.ask(b"QUIT"))[:3] == b"221"
        assert await talk.hear() == b""
    assert policy.messages == [("a@b.example", (TO,), b".one\r\n..two\r\nthree.\r\n")]


@pytest.mark.parametrize("cut", [1, 2, 3, 7])
async def test_a_message_is_the_same_in_whatever_pieces_it_comes(cut: int) -> None:
    policy = Taking()
    async with serving(policy) as server, talking(server.port) as talk:
        await talk.begin()
        octets = b"a\r\n..\r\nb\r\n.\r\n"
        for start in range(0, len(octets), cut):
            await talk.say(octets[start : start + cut])
            await asyncio.sleep(0)
        assert (await talk.hear())[:3] == b"250"
        await talk.ask(b"RSET")
    assert policy.messages[0][2] == b"a\r\n.\r\nb\r\n"


async def test_an_empty_message_is_a_message() -> None:
    policy = Taking()
    async with serving(policy) as server, talking(server.port) as talk:
        await talk.begin()
        assert (await talk.ask(b"."))[:3] == b"250"
    assert policy.messages[0][2] == b""


SECOND = b"MAIL FROM:<evil@b.example>\r\nRCPT TO:<sink@fabrikam.com>\r\nDATA\r\nsmuggled"


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(b"\n.\n", id="LF dot LF"),
        pytest.param(b"\n.\r\n", id="LF dot CRLF"),
        pytest.param(b"\r\n.\n", id="CRLF dot LF"),
        pytest.param(b"\r.\r\n", id="CR dot CRLF"),
        pytest.param(b"\r\n.\r", id="CRLF dot CR"),
        pytest.param(b"\r.\r", id="CR dot CR"),
        pytest.param(b"\n\r.\n\r", id="reversed"),
        pytest.param(b"\r\n\0.\r\n", id="a NUL before the dot"),
        pytest.param(b"\r\n.\0\r\n", id="a NUL behind the dot"),
    ],
)
async def test_nothing_but_crlf_dot_crlf_ends_a_message(end: bytes) -> None:
    policy = Taking()
    async with serving(policy) as server, talking(server.port) as talk:
        await talk.begin()
        await talk.say(b"first" + end + SECOND + b"\r\n.\r\n")
        reply = await talk.hear()
        if reply[:3] == b"250":
            await talk.ask(b"QUIT")
        assert await talk.hear() == b""
    assert len(policy.messages) <= 1
    assert all(sender == "a@b.example" for sender, _, _ in policy.messages)
    assert reply[:3] == (b"250" if b"\0" in end else b"550")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        pytest.param([b"NONSENSE"], 502, id="unknown command"),
        pytest.param([b""], 500, id="empty line"),
        pytest.param([b"\xff\xfe"], 500, id="not ASCII"),
        pytest.param([b"EHLO a\0b"], 500, id="a NUL"),
        pytest.param([b"EHLO a\rb"], 500, id="a bare CR"),
        pytest.param([b"EHLO a\nMAIL"], 500, id="a bare LF"),
        pytest.param([b"EHLO"], 501, id="EHLO without a name"),
        pytest.param([b"HELO me.example"], 250, id="HELO"),
        pytest.param([b"MAIL FROM:<a@b.example>"], 503, id="MAIL before EHLO"),
        pytest.param([b"EHLO me", b"MAIL TO:<a@b.example>"], 501, id="MAIL TO"),
        pytest.param([b"EHLO me", b"MAIL FROM:<a b>"], 501, id="a space in an address"),
        pytest.param([b"EHLO me", b"MAIL FROM:<"], 501, id="half a path"),
        pytest.param([b"EHLO me", b"MAIL FROM:<> SIZE=9"], 250, id="the null sender"),
        pytest.param([b"EHLO me", b"MAIL FROM:<> SIZE=99999999"], 552, id="announced too big"),
        pytest.param([b"EHLO me", b"MAIL FROM:<>", b"MAIL FROM:<>"], 503, id="two senders"),
        pytest.param([b"EHLO me", b"RCPT TO:<a@b.example>"], 503, id="RCPT before MAIL"),
        pytest.param([b"EHLO me", b"MAIL FROM:<>", b"RCPT TO:<>"], 501, id="no recipient"),
        pytest.param([b"EHLO me", b"MAIL FROM:<>", b"RCPT FROM:<a@b>"], 501, id="RCPT FROM"),
        pytest.param([b"EHLO me", b"MAIL FROM:<>", b"RCPT TO:<x@y.example>"], 550, id="foreign"),
        pytest.param([b"EHLO me", b"MAIL FROM:<>", b"DATA"], 503, id="DATA without recipient"),
        pytest.param(
            [b"EHLO me", b"MAIL FROM:<>", b"RCPT TO:<sink@fabrikam.com>", b"DATA now"],
            501,
            id="DATA with more",
        ),
        pytest.param([b"STARTTLS"], 502, id="STARTTLS that is not offered"),
        pytest.param([b"RSET"], 250, id="RSET"),
        pytest.param([b"noop x"], 250, id="lower case"),
        pytest.param([b"VRFY root"], 502, id="VRFY"),
        pytest.param([b"BDAT 5 LAST"], 502, id="BDAT"),
        pytest.param([b"AUTH PLAIN AAAA"], 502, id="AUTH"),
        pytest.param([b"EHLO " + b"x" * 3000], 500, id="a line without end"),
    ],
)
async def test_each_command_is_answered_by_the_book(said: list[bytes], code: int) -> None:
    async with serving(Taking()) as server, talking(server.port) as talk:
        await talk.hear()
        for command in said:
            reply = await talk.ask(command)
        assert int(reply[:3]) == code


async def test_a_policy_that_decides_nothing_relays_nothing() -> None:
    async with serving(Policy()) as server, talking(server.port) as talk:
        await talk.hear()
        await talk.ask(b"EHLO me")
        await talk.ask(b"MAIL FROM:<a@b.example>")
        assert b"relaying denied" in await talk.ask(b"RCPT TO:<a@b.example>")
    nobody = Client(Wire(lambda _: None))
    assert (await Policy().message(nobody, b"")).code == 550
    assert (nobody.address, nobody.tls, nobody.certificate) == ("", "", None)


async def test_what_comes_before_it_is_asked_for_is_no_message() -> None:
    policy = Taking()
    async with serving(policy) as server, talking(server.port) as talk:
        await talk.hear()
        await talk.ask(b"EHLO me")
        await talk.say(
            b"MAIL FROM:<a@b.example>\r\nRCPT TO:<sink@fabrikam.com>\r\nDATA\r\nearly\r\n.\r\n"
        )
        assert [(await talk.hear())[:3] for _ in range(3)] == [b"250", b"250", b"503"]
        assert await talk.hear() == b""
    assert policy.messages == []


TIGHT = Limits(
    deadline=timedelta(seconds=0.3),
    size=1000,
    commands=8,
    errors=2,
    recipients=1,
    connections=2,
)


async def test_commands_mistakes_and_recipients_are_bounded() -> None:
    async with serving(Taking(), TIGHT) as server:
        async with talking(server.port) as talk:
            await talk.hear()
            for _ in range(8):
                assert (await talk.ask(b"NOOP"))[:3] == b"250"
            assert (await talk.hear()) == b"421 4.7.0 too many commands\r\n"
            assert await talk.hear() == b""
        async with talking(server.port) as talk:
            await talk.hear()
            for _ in range(3):
                assert (await talk.ask(b"WHAT"))[:3] == b"502"
            assert await talk.hear() == b"421 4.7.0 too many mistakes\r\n"
            assert await talk.hear() == b""
        async with talking(server.port) as talk:
            await talk.hear()
            for command in (b"EHLO me", b"MAIL FROM:<>", b"RCPT TO:<sink@fabrikam.com>"):
                await talk.ask(command)
            assert (await talk.ask(b"RCPT TO:<sink@fabrikam.com>"))[:3] == b"452"


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"x" * 1001 + b"\r\n.\r\n", id="just above"),
        pytest.param(b"x" * 20_000_000, id="without end"),
    ],
)
async def test_a_message_that_is_too_big_ends_the_session(octets: bytes) -> None:
    policy = Taking()
    async with serving(policy, TIGHT) as server, talking(server.port) as talk:
        await talk.begin()
        with suppress(ConnectionError):
            await talk.say(octets)
            assert (await talk.hear())[:3] in (b"552", b"")
    assert policy.messages == []


async def _drip(talk: Talk) -> None:
    """Send an octet of a command now and then, for ever."""
    while True:
        await talk.say(b"N")
        await asyncio.sleep(0.02)


async def _never_read(talk: Talk) -> None:
    """Ask and ask, and read nothing."""
    while True:
        await talk.say(b"NOOP\r\n" * 1000)


@pytest.mark.parametrize("behave", [_drip, _never_read])
async def test_a_slow_client_is_ended_by_the_deadline(behave: Callable[[Talk], object]) -> None:
    limits = Limits(deadline=timedelta(seconds=0.3), commands=10**9)
    async with serving(Taking(), limits) as server, talking(server.port) as talk:
        began = asyncio.get_running_loop().time()
        with suppress(ConnectionError):
            await behave(talk)  # type: ignore[misc]
        assert asyncio.get_running_loop().time() - began < 5
        assert server.stats.timed_out == 1


async def test_an_idle_client_is_told_that_its_time_is_up() -> None:
    async with serving(Taking(), TIGHT) as server, talking(server.port) as talk:
        await talk.hear()
        assert await talk.hear() == b"421 4.4.2 time is up\r\n"
        assert await talk.hear() == b""


class Verbose(Policy):
    """Says a megabyte where a word would do."""

    async def other(self, client: Client, verb: str, argument: str) -> Response:
        del client, verb, argument
        return say(250, *("x" * 990 for _ in range(1000)))


async def test_a_client_that_reads_late_gets_all_of_it_and_one_that_leaves_holds_nothing() -> None:
    async with serving(Verbose()) as server:
        async with talking(server.port) as talk:
            await talk.hear()
            await talk.say(b"TELL\r\n" * 20 + b"QUIT\r\n")
            assert (await talk.reader.read()).count(b"250 ") == 20
        for _ in range(3):
            async with talking(server.port) as talk:
                await talk.hear()
                await talk.say(b"TELL\r\n" * 20)
                await talk.hear()
                talk.writer.transport.abort()
        while server._visits:
            await asyncio.wait(set(server._visits))


async def test_a_client_that_never_reads_is_cut_off() -> None:
    limits = Limits(deadline=timedelta(seconds=0.3))
    async with serving(Verbose(), limits) as server, talking(server.port) as talk:
        await talk.say(b"TELL\r\n" * 90)
        while server._visits:
            await asyncio.wait(set(server._visits))
        assert server.stats.timed_out == 1


async def test_a_client_that_says_much_at_once_is_held_back_and_answered() -> None:
    limits = Limits(commands=10**6)
    async with serving(Taking(), limits) as server, talking(server.port) as talk:
        await talk.hear()
        async with asyncio.TaskGroup() as group:
            group.create_task(talk.say(b"NOOP\r\n" * 60_000 + b"QUIT\r\n"))
            said = group.create_task(talk.reader.read())
        assert said.result().count(b"250 2.0.0 nothing done\r\n") == 60_000


async def test_too_many_connections_are_turned_away_and_the_others_are_served() -> None:
    limits = Limits(connections=2, idle=timedelta(minutes=1))
    async with serving(Taking(), limits) as server:
        async with talking(server.port) as one, talking(server.port) as two:
            await one.hear()
            await two.hear()
            for _ in range(300):
                async with talking(server.port) as talk:
                    assert await talk.hear() == b"421 4.3.2 too many connections\r\n"
            assert (await one.ask(b"NOOP"))[:3] == b"250"
        assert server.stats.turned_away == 300


async def test_who_is_idle_makes_room_for_others_and_who_brings_a_message_does_not() -> None:
    policy, limits = Taking(), Limits(connections=2, idle=timedelta())
    async with serving(policy, limits) as server:
        async with talking(server.port) as busy, talking(server.port) as idle:
            await idle.hear()
            await busy.hear()
            assert (await busy.ask(b"EHLO me"))[:3] == b"250"
            assert (await busy.ask(b"MAIL FROM:<a@b.example>"))[:3] == b"250"
            async with talking(server.port) as other:
                assert (await other.hear())[:3] == b"220"
                assert await idle.reader.read() == b"421 4.3.2 too many connections\r\n"
                assert (await busy.ask(b"RCPT TO:<%s>" % TO.encode()))[:3] == b"250"
                # Both bring a message now, and nobody else is let in.
                assert (await other.ask(b"EHLO me"))[:3] == b"250"
                assert (await other.ask(b"MAIL FROM:<a@b.example>"))[:3] == b"250"
                async with talking(server.port) as late:
                    assert await late.hear() == b"421 4.3.2 too many connections\r\n"
        assert (server.stats.parted, server.stats.turned_away) == (1, 1)


async def test_the_one_who_has_been_idle_longest_goes_first_and_once() -> None:
    limits = Limits(connections=3, idle=timedelta())
    async with serving(Taking(), limits) as server, AsyncExitStack() as stack:
        talks = []
        for _ in range(9):
            talks.append(await stack.enter_async_context(talking(server.port)))
            assert (await talks[-1].hear())[:3] == b"220"
        for talk in talks[:6]:
            assert (await talk.reader.read())[:3] == b"421"
        for talk in talks[6:]:
            assert (await talk.ask(b"NOOP"))[:3] == b"250"
        assert (server.stats.parted, server.stats.turned_away) == (6, 0)


async def test_a_client_that_vanishes_leaves_nothing_behind() -> None:
    async with serving(Taking()) as server:
        for said in (b"", b"EHLO me\r\n", b"EH"):
            async with talking(server.port) as talk:
                await talk.hear()
                await talk.say(said)
                talk.writer.transport.abort()
        async with talking(server.port) as talk:
            await talk.begin()
            talk.writer.transport.abort()
        while server._visits:
            await asyncio.wait(set(server._visits))


async def test_a_client_that_has_said_all_is_still_answered() -> None:
    async with serving(Taking()) as server, talking(server.port) as talk:
        await talk.hear()
        talk.writer.write(b"EHLO me\r\nQUIT\r\n")
        talk.writer.write_eof()
        assert (await talk.hear())[:3] == b"250"
        assert (await talk.hear())[:3] == b"221"


async def test_closing_the_server_ends_its_sessions() -> None:
    async with serving(Taking()) as server, talking(server.port) as talk:
        await talk.hear()
        await server.close()
        assert await talk.hear() == b""
        assert server.port == 0
        await server.close()


@pytest.mark.parametrize("turns", range(8))
async def test_closing_ends_a_connection_however_new_it_is(turns: int) -> None:
    loop = asyncio.get_running_loop()
    async with serving(Policy()) as server:
        with socket.socket() as client:
            client.settimeout(0)
            await loop.sock_connect(client, ("127.0.0.1", server.port))
            for _ in range(turns):  # of the loop, from accepting to the greeting
                await asyncio.sleep(0)
            await server.close()
            assert await everything(client) in (b"", GREETING)
    gc.collect()  # a transport that was left open says so here


async def test_closing_waits_for_one_who_was_turned_away() -> None:
    loop = asyncio.get_running_loop()
    async with serving(Policy(), Limits(connections=1)) as server, talking(server.port) as talk:
        await talk.hear()
        with socket.socket() as client:
            client.settimeout(0)
            await loop.sock_connect(client, ("127.0.0.1", server.port))
            assert await loop.sock_recv(client, 1000) == b"421 4.3.2 too many connections\r\n"
            await server.close()
            assert await everything(client) == b""
    gc.collect()


class Dismissing(Policy):
    """Ends the session at a command that nobody knows."""

    def __init__(self) -> None:
        self.dismissed: asyncio.Future[Client] = asyncio.get_running_loop().create_future()

    async def other(self, client: Client, verb: str, argument: str) -> Response:
        del verb, argument
        self.dismissed.set_result(client)
        return say(421, "4.3.2 not now")


async def test_closing_ends_one_who_does_not_end_tls(authorities: Authorities) -> None:
    policy = Dismissing()
    context = authorities.server("sink.example")
    async with serving(policy, context=context) as server, talking(server.port) as talk:
        await talk.hear()
        assert (await talk.ask(b"EHLO me.example"))[:3] == b"250"
        assert (await talk.ask(b"STARTTLS"))[:3] == b"220"
        await talk.start_tls(authorities.store.verifying)
        transport = cast("asyncio.Transport", talk.writer.transport)
        transport.pause_reading()  # so it never hears that TLS ends
        await talk.say(b"LEAVE\r\n")
        client = await policy.dismissed
        for _ in range(10):  # turns of the loop, from here to the end of the session
            await asyncio.sleep(0)
        assert client.address
        await server.close()
        assert not client.address  # the connection is over
        transport.abort()
    gc.collect()


async def everything(client: socket.socket) -> bytes:
    """Return what a client is told until the server ends the connection, however it does."""
    loop = asyncio.get_running_loop()
    told = b""
    async with asyncio.timeout(5):
        with suppress(ConnectionError):
            while piece := await loop.sock_recv(client, 1000):
                told += piece
    return told


class Scripted(Policy):
    """Answers one step as a test says, and all others as it should."""

    def __init__(self, step: str, response: Response) -> None:
        self._step, self._response = step, response

    def __getattribute__(self, name: str) -> object:
        if name == object.__getattribute__(self, "_step"):
            return self._answer
        return object.__getattribute__(self, name)

    async def _answer(self, *_: object) -> Response:
        return self._response

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        del client, rcpt_to
        return say(250, "ok")


STEPS = (b"EHLO me", b"MAIL FROM:<>", b"RCPT TO:<a@b.example>", b"DATA", b".", b"WHAT")


@pytest.mark.parametrize("step", ["greet", "hello", "mail", "rcpt", "data", "message", "other"])
@pytest.mark.parametrize(
    "response", [say(421, "4.3.2 closing"), HANG_UP, say(451, "4.7.1 later")], ids=str
)
async def test_a_policy_may_refuse_close_or_hang_up_at_any_step(
    step: str, response: Response
) -> None:
    async with serving(Scripted(step, response)) as server, talking(server.port) as talk:
        heard = [await talk.hear()]
        with suppress(ConnectionError):
            for command in STEPS:
                heard.append(await talk.ask(command))  # noqa: PERF401 - kept when it raises
        if response is HANG_UP:
            assert not any(line[:3] in (b"421", b"451") for line in heard)
        else:
            assert response.encode() in heard
        if response.code != 451:
            assert b"" in heard or step == "other"


async def test_the_session_is_forgotten_when_tls_starts(authorities: Authorities) -> None:
    policy = Taking()
    context = authorities.server("sink.example")
    async with serving(policy, context=context) as server, talking(server.port) as talk:
        await talk.hear()
        await talk.ask(b"EHLO me")
        assert (await talk.ask(b"STARTTLS x"))[:3] == b"501"
        assert (await talk.ask(b"STARTTLS"))[:3] == b"220"
        await talk.start_tls(authorities.store.verifying)
        assert (await talk.ask(b"MAIL FROM:<a@b.example>"))[:3] == b"503"
        assert (await talk.ask(b"STARTTLS"))[:3] == b"502"
        for command in (b"EHLO me", b"MAIL FROM:<a@b.example>", b"RCPT TO:<sink@fabrikam.com>"):
            assert (await talk.ask(command))[:3] == b"250"
        await talk.ask(b"DATA")
        assert (await talk.ask(b"in private\r\n."))[:3] == b"250"
    assert policy.messages[0][2] == b"in private\r\n"
    assert policy.tls == "TLSv1.3"


async def test_what_follows_starttls_in_the_clear_is_never_read_as_if_it_were_in_tls(
    authorities: Authorities,
) -> None:
    policy = Taking()
    context = authorities.server("sink.example")
    async with serving(policy, context=context) as server, talking(server.port) as talk:
        await talk.hear()
        await talk.ask(b"EHLO me")
        await talk.say(b"STARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@b.example>\r\n")
        assert await talk.hear() == b"503 5.5.1 nothing may follow STARTTLS\r\n"
        assert await talk.hear() == b""


@pytest.mark.parametrize("noise", [b"EHLO evil\r\n", b"\x16\x03\x01\x00\x05hello", b""])
async def test_a_handshake_that_is_none_ends_the_session(
    authorities: Authorities, noise: bytes
) -> None:
    context = authorities.server("sink.example")
    async with serving(Taking(), context=context) as server, talking(server.port) as talk:
        await talk.hear()
        await talk.ask(b"EHLO me")
        await talk.ask(b"STARTTLS")
        await talk.say(noise)
        talk.writer.write_eof()
        with suppress(ConnectionError):
            await talk.reader.read()
        while server._visits:
            await asyncio.wait(set(server._visits))


async def test_starttls_may_be_offered_and_refused(authorities: Authorities) -> None:
    policy = Scripted("starttls", say(454, "4.7.0 no TLS today"))
    context = authorities.server("sink.example")
    async with serving(policy, context=context) as server, talking(server.port) as talk:
        await talk.hear()
        assert (await talk.ask(b"STARTTLS"))[:3] == b"454"
        assert (await talk.ask(b"NOOP"))[:3] == b"250"


WORDS = st.sampled_from(
    [b"EHLO me", b"MAIL FROM:<a@b>", b"RCPT TO:<sink@fabrikam.com>", b"DATA", b".", b"\r\n", b"\n"]
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(pieces=st.lists(st.one_of(WORDS, st.binary(max_size=30)), max_size=12))
def test_any_octets_end_in_a_session_and_never_in_a_traceback(
    pieces: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    async def attack() -> None:
        async with serving(Taking(), TIGHT) as server, talking(server.port) as talk:
            with suppress(ConnectionError):
                for piece in pieces:
                    await talk.say(piece + b"\r\n")
                talk.writer.write_eof()
                await talk.reader.read()
            while server._visits:
                await asyncio.wait(set(server._visits))

    asyncio.run(attack())
    assert caplog.records == []


@pytest.fixture
def authorities() -> Authorities:
    return Authorities()


@asynccontextmanager
async def sinking() -> AsyncIterator[tuple[Sink, Ledger, Token]]:
    """A sink that waits for one message."""
    store = Store()
    await store.open()
    ledger = Ledger(store, HandClock())
    await ledger.start()
    sink = Sink(Intray(ledger), lambda: {TO})
    await sink.start("127.0.0.1", 0)
    token = await ledger.plan("r", within=timedelta(minutes=1), lost_after=timedelta(minutes=15))
    assert isinstance(token, Token)
    try:
        yield sink, ledger, token
    finally:
        await sink.close()
        await store.close()


def _octets(token: Token) -> bytes:
    message = Message(
        token=token,
        route="r",
        mail_from="p@contoso.com",
        rcpt_to=TO,
        sent_at=datetime(2026, 11, 23, tzinfo=UTC),
    )
    return message.encode().replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n"


async def test_our_message_has_arrived_when_the_sink_has_taken_it() -> None:
    async with sinking() as (sink, ledger, token), talking(sink.port) as talk:
        await talk.begin()
        await talk.say(_octets(token))
        assert (await talk.hear())[:3] == b"250"
        (entry,) = ledger.recent("r")
        assert (entry.state, entry.damaged) == (State.DELIVERED, False)
        assert entry.detail == "127.0.0.1 me.example without TLS"
        assert sink.stats.taken == 1


async def test_a_changed_text_is_seen() -> None:
    async with sinking() as (sink, ledger, token), talking(sink.port) as talk:
        await talk.begin()
        await talk.say(_octets(token).replace(b"Nobody", b"CAUTION: nobody"))
        assert (await talk.hear())[:3] == b"250"
        assert ledger.recent("r")[0].damaged


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"Subject: buy\r\n\r\nnow\r\n.\r\n", id="no token"),
        pytest.param(_octets(Token("a" * 26, "b" * 26)), id="a token of nobody"),
    ],
)
async def test_the_sink_refuses_mail_that_is_not_ours(content: bytes) -> None:
    async with sinking() as (sink, ledger, _), talking(sink.port) as talk:
        await talk.begin()
        await talk.say(content)
        assert (await talk.hear())[:3] == b"550"
        assert sink.stats.strangers == 1
        assert ledger.recent("r")[0].state is State.SENDING


async def test_the_sink_takes_mail_for_its_recipients_only() -> None:
    async with sinking() as (sink, _, _), talking(sink.port) as talk:
        await talk.hear()
        await talk.ask(b"EHLO me")
        await talk.ask(b"MAIL FROM:<>")
        assert (await talk.ask(b"RCPT TO:<SINK@Fabrikam.com>"))[:3] == b"250"
        assert (await talk.ask(b"RCPT TO:<root@fabrikam.com>"))[:3] == b"550"
        assert (await talk.ask(b"RCPT TO:<sink%fabrikam.com@b.example>"))[:3] == b"550"
