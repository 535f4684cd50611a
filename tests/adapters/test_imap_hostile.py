"""IMAP servers that no IMAP server should be like: each ends in a reason, in time, at no cost."""

import asyncio
import os
from collections.abc import Mapping

import pytest

from agent.adapters.imap_login import ImapLogin
from agent.adapters.mailbox import PickupError, Trouble
from agent.adapters.trust import TrustStore
from servers.imap import (
    ORDINARY,
    Answer,
    flood,
    imap_server,
    leave,
    reset,
    silence,
)
from servers.imap_visit import SECRET, trouble
from servers.smtp import Wire, swallowing
from servers.tls import Authorities


@pytest.fixture(scope="module")
def trust() -> TrustStore:
    return Authorities().store


GOODBYE = b"* BYE [UNAVAILABLE] come back later\r\n"
NESTED = b"(" * 20_000
COMMANDS = ("CAPABILITY", "AUTHENTICATE", "LIST", "STATUS", "EXAMINE", "SEARCH", "FETCH", "IDLE")


async def drip(wire: Wire, _tag: bytes) -> None:
    while True:
        await wire.say(b"*")
        await asyncio.sleep(0.02)  # its pace, and nothing that a test waits for


async def endless_challenges(wire: Wire, _tag: bytes) -> None:
    await wire.say(b"+ \r\n")
    while await wire.hear():
        await wire.say(b"+ ZW5kbGVzcw==\r\n")


async def echo_no(wire: Wire, tag: bytes) -> None:
    await wire.say(b"+ \r\n")
    said = await wire.hear()
    await wire.say(tag + b" NO not with " + said.strip() + b" or " + SECRET.encode() + b"\r\n")


def in_idle(answer: bytes) -> Answer:
    async def behave(wire: Wire, tag: bytes) -> None:
        await wire.say(b"+ idling\r\n" + answer.replace(b"%t", tag))
        await wire.hang()

    return behave


CASES: dict[str, tuple[Mapping[str, Answer], Trouble]] = {
    "greets with a farewell": ({"greeting": b"* BYE no room\r\n"}, Trouble.UNAVAILABLE),
    "greets with too many": ({"greeting": b"* BYE Too many connections\r\n"}, Trouble.THROTTLED),
    "greets in HTTP": ({"greeting": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, Trouble.PROTOCOL),
    "greets with noise": (
        {"greeting": os.urandom(99).hex().encode()[:99] + b"\n"},
        Trouble.PROTOCOL,
    ),
    "greets with octets": ({"greeting": b"\xff\xfe\0\x1b]0;x\x07\r\n"}, Trouble.PROTOCOL),
    "greets with a number": ({"greeting": b"* 99999999999999999999 EXISTS\r\n"}, Trouble.PROTOCOL),
    "greets in an endless line": ({"greeting": flood(b"x" * 65536)}, Trouble.PROTOCOL),
    "greets for ever": ({"greeting": flood(b"* X\r\n" * 999)}, Trouble.PROTOCOL),
    "drips": ({"greeting": drip}, Trouble.TIMEOUT),
    "is logged in already": ({"greeting": b"* PREAUTH hello\r\n"}, Trouble.PROTOCOL),
    "answers another tag": ({"CAPABILITY": b"X1 OK done\r\n"}, Trouble.PROTOCOL),
    "answers a tag of ours": ({"CAPABILITY": b"%t9 OK done\r\n"}, Trouble.PROTOCOL),
    "has no capability": ({"CAPABILITY": b"%t OK done\r\n"}, Trouble.PROTOCOL),
    "is no IMAP4rev1": ({"CAPABILITY": b"* CAPABILITY IMAP2\r\n%t OK done\r\n"}, Trouble.PROTOCOL),
    "refuses CAPABILITY": ({"CAPABILITY": b"%t BAD what\r\n"}, Trouble.PROTOCOL),
    "adds for ever": ({"CAPABILITY": flood(b"* 1 EXISTS\r\n" * 999)}, Trouble.PROTOCOL),
    "challenges for ever": ({"AUTHENTICATE": endless_challenges}, Trouble.PROTOCOL),
    "repeats the password": ({"AUTHENTICATE": echo_no}, Trouble.LOGIN_REFUSED),
    "has no quota left": ({"AUTHENTICATE": b"%t NO [OVERQUOTA] full\r\n"}, Trouble.OVER_QUOTA),
    "is unavailable": ({"AUTHENTICATE": b"%t NO [UNAVAILABLE] x\r\n"}, Trouble.UNAVAILABLE),
    "throttles": ({"LIST": b"%t BAD Request is throttled.\r\n"}, Trouble.THROTTLED),
    "lists a nest": ({"LIST": b"* LIST " + NESTED + b"\r\n%t OK done\r\n"}, Trouble.PROTOCOL),
    "lists half": ({"LIST": b"* LIST (\r\n%t OK done\r\n"}, Trouble.PROTOCOL),
    "lists odd things": ({"LIST": b"* LIST 1 2 3 4\r\n%t OK done\r\n"}, Trouble.PROTOCOL),
    "lists 4 GiB": ({"LIST": b"* LIST () NIL {4294967296}\r\n"}, Trouble.PROTOCOL),
    "has a status of nothing": ({"STATUS": b"%t OK done\r\n"}, Trouble.PROTOCOL),
    "has no UIDVALIDITY": ({"EXAMINE": b"* 1 EXISTS\r\n%t OK done\r\n"}, Trouble.PROTOCOL),
    "has 2^31 messages": (
        {"EXAMINE": b"* 2147483648 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n%t OK done\r\n"},
        Trouble.PROTOCOL,
    ),
    "has no Inbox": ({"EXAMINE": b"%t NO [NONEXISTENT] x\r\n"}, Trouble.NO_FOLDER),
    "is not connected": (
        {"EXAMINE": b"%t BAD User is authenticated but not connected.\r\n"},
        Trouble.PERMISSION,
    ),
    "finds words": ({"SEARCH": b"* SEARCH one two\r\n%t OK done\r\n"}, Trouble.PROTOCOL),
    "finds for ever": ({"SEARCH": flood(b" 1" * 9999, b"* SEARCH")}, Trouble.PROTOCOL),
    "fetches 4 GiB": ({"FETCH": b"* 1 FETCH (UID 1 X {4294967296}\r\n"}, Trouble.PROTOCOL),
    "fetches 9^5000": ({"FETCH": b"* 1 FETCH (X {" + b"9" * 5000 + b"}\r\n"}, Trouble.PROTOCOL),
    "fetches in an endless line": ({"FETCH": flood(b"y" * 9999, b"* 1 FETCH (")}, Trouble.PROTOCOL),
    "fetches for ever": (
        {"FETCH": flood(b"* 1 FETCH (UID 1 X {9999}\r\n" + b"x" * 9999 + b")\r\n")},
        Trouble.PROTOCOL,
    ),
    "fetches a nest": ({"FETCH": b"* 1 FETCH " + NESTED + b"\r\n%t OK done\r\n"}, Trouble.PROTOCOL),
    "fetches half a literal": ({"FETCH": b"* 1 FETCH (UID 1 X {9}\r\nabc"}, Trouble.TIMEOUT),
    "does not idle": ({"IDLE": b"%t NO not now\r\n"}, Trouble.UNAVAILABLE),
    "leaves instead of idling": ({"IDLE": GOODBYE}, Trouble.UNAVAILABLE),
    "leaves while idling": ({"IDLE": in_idle(GOODBYE)}, Trouble.UNAVAILABLE),
    "ends IDLE by itself": ({"IDLE": in_idle(b"%t OK enough\r\n")}, Trouble.PROTOCOL),
    "never ends IDLE": ({"IDLE": in_idle(b"* 5 EXISTS\r\n")}, Trouble.TIMEOUT),
    "floods in IDLE": ({"IDLE": flood(b"* OK\r\n" * 9999, b"+ x\r\n")}, Trouble.PROTOCOL),
    "one long line in IDLE": ({"IDLE": flood(b"z" * 9999, b"+ x\r\n")}, Trouble.PROTOCOL),
    "a literal in IDLE": ({"IDLE": in_idle(b"* 1 FETCH (X {99}\r\n")}, Trouble.TIMEOUT),
}


@pytest.mark.parametrize("name", CASES)
async def test_what_no_server_should_do_ends_in_a_reason(name: str, trust: TrustStore) -> None:
    answers, expected = CASES[name]
    async with imap_server(answers) as (port, _):
        error = await trouble(port, trust)
    assert error.trouble is expected, error


@pytest.mark.parametrize("command", ["greeting", *COMMANDS])
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (silence, Trouble.TIMEOUT),
        (leave, Trouble.UNREACHED),
        (reset, Trouble.UNREACHED),
        (GOODBYE, Trouble.UNAVAILABLE),
    ],
)
async def test_a_server_may_stop_at_every_step(
    command: str, answer: Answer, expected: Trouble, trust: TrustStore
) -> None:
    async with imap_server({command: answer}) as (port, _):
        error = await trouble(port, trust)
    assert error.trouble is expected, error


OFFER = b"* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN\r\n%t OK done\r\n"


async def plain_in_handshake(wire: Wire, tag: bytes) -> None:
    await wire.say(tag + b" OK go\r\n")
    await wire.reader.read(1)
    await wire.say(b"* OK this is no TLS\r\n" * 20)
    await wire.hang()


async def silent_handshake(wire: Wire, tag: bytes) -> None:
    await wire.say(tag + b" OK go\r\n")
    await wire.hang()


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"greeting": b"* PREAUTH hello\r\n", "CAPABILITY": OFFER}, Trouble.PROTOCOL),
        ({"CAPABILITY": ORDINARY["CAPABILITY"]}, Trouble.TLS),
        ({"CAPABILITY": OFFER, "STARTTLS": b"%t NO not now\r\n"}, Trouble.TLS),
        ({"CAPABILITY": OFFER, "STARTTLS": b"%t OK done\r\n* PREAUTH injected\r\n"}, Trouble.TLS),
        ({"CAPABILITY": OFFER, "STARTTLS": plain_in_handshake}, Trouble.TLS),
        ({"CAPABILITY": OFFER, "STARTTLS": silent_handshake}, Trouble.TIMEOUT),
        ({"CAPABILITY": OFFER, "STARTTLS": leave}, Trouble.UNREACHED),
    ],
)
async def test_nothing_is_said_to_who_does_not_do_tls(
    answers: Mapping[str, Answer], expected: Trouble, trust: TrustStore
) -> None:
    async with imap_server(answers) as (port, heard):
        error = await trouble(port, trust, tls="starttls")
    assert error.trouble is expected, error
    assert b"AUTHENTICATE" not in heard
    assert b"LOGIN" not in heard


async def test_a_silent_server_in_tls_from_the_first_octet(trust: TrustStore) -> None:
    async with imap_server({"greeting": silence}) as (port, _):
        error = await trouble(port, trust, tls="implicit")
    assert error.trouble is Trouble.TIMEOUT


async def test_a_port_that_swallows_everything(trust: TrustStore) -> None:
    with swallowing() as port:
        error = await trouble(port, trust)
    assert error.trouble is Trouble.UNREACHED
    assert "timeout" in error.detail


async def test_a_token_that_never_comes_is_no_fault_of_the_server(
    trust: TrustStore,
) -> None:
    async def never() -> ImapLogin:
        await asyncio.Event().wait()
        raise AssertionError

    async with imap_server({}) as (port, _):
        error = await trouble(port, trust, login=never)
    assert error.trouble is Trouble.TOKEN


async def test_an_identity_provider_that_gives_nothing_is_heard_of(
    trust: TrustStore,
) -> None:
    async def none() -> ImapLogin:
        raise PickupError(Trouble.TOKEN, "invalid_client", fix="a new secret")

    async with imap_server({}) as (port, _):
        error = await trouble(port, trust, login=none)
    assert error.fix == "a new secret"
