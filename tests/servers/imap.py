"""IMAP servers that misbehave: each says the ordinary, but for what a test gives in its place.

Answers are octets in which ``%t`` stands for the command's tag, or behaviours of their own.
"""

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from servers.smtp import Wire, rude_server

Answer = bytes | Callable[[Wire, bytes], Awaitable[None]]

LETTER = b"From: a@b\r\nSubject: probe\r\n\r\n"


async def _authenticate(wire: Wire, tag: bytes) -> None:
    await wire.say(b"+ \r\n")
    await wire.hear()
    await wire.say(tag + b" OK in\r\n")


async def _idle(wire: Wire, tag: bytes) -> None:
    await wire.say(b"+ idling\r\n")
    await wire.hear()
    await wire.say(tag + b" OK over\r\n")


def fetched(uid: int, head: bytes = LETTER, body: bytes = b"body\r\n") -> bytes:
    """An answer to FETCH with one letter."""
    return (
        b'* 1 FETCH (UID %d INTERNALDATE "28-Nov-2026 10:00:00 +0100" RFC822.SIZE 99'
        b" BODY[HEADER.FIELDS (FROM)]<0> {%d}\r\n%b BODY[TEXT]<0> {%d}\r\n%b)\r\n%%t OK done\r\n"
    ) % (uid, len(head), head, len(body), body)


NO_SASL = b"* CAPABILITY IMAP4rev1 %b\r\n%%t OK done\r\n"
"""An answer to CAPABILITY of who offers little, with what else it offers."""

ALONE = b'* LIST () "/" INBOX\r\n%t OK done\r\n'
"""An answer to LIST of who has no folder but the Inbox."""

ORDINARY: dict[str, Answer] = {
    "greeting": b"* OK ready\r\n",
    "CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE UIDPLUS QUOTA AUTH=PLAIN AUTH=XOAUTH2\r\n"
    b"%t OK done\r\n",
    "AUTHENTICATE": _authenticate,
    "LOGIN": b"%t OK in\r\n",
    "LIST": b'* LIST () "/" INBOX\r\n* LIST (\\Junk) "/" Spam\r\n%t OK done\r\n',
    "STATUS": b"* STATUS Spam (UIDNEXT 1 UIDVALIDITY 7)\r\n%t OK done\r\n",
    "EXAMINE": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 2] x\r\n%t OK done\r\n",
    "SELECT": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 2] x\r\n%t OK done\r\n",
    "SEARCH": b"* SEARCH 1\r\n%t OK done\r\n",
    "FETCH": fetched(1),
    "IDLE": _idle,
    "LOGOUT": b"* BYE\r\n%t OK done\r\n",
}


@asynccontextmanager
async def imap_server(answers: Mapping[str, Answer]) -> AsyncIterator[tuple[int, bytearray]]:
    """Serve with *answers* in place of the ordinary ones; give the port and what is heard."""
    known = {**ORDINARY, **answers}

    async def talk(wire: Wire) -> None:
        await _say(wire, b"", known["greeting"])
        while line := await wire.hear():
            tag, *words = line.split()
            command = words[1 if words[0] == b"UID" else 0].decode()
            await _say(wire, tag, known.get(command, b"%t OK done\r\n"))

    async with rude_server(talk) as (port, heard):
        yield port, heard


async def _say(wire: Wire, tag: bytes, answer: Answer) -> None:
    if isinstance(answer, bytes):
        await wire.say(answer.replace(b"%t", tag))
    else:
        await answer(wire, tag)


async def silence(wire: Wire, _tag: bytes) -> None:
    await wire.hang()


async def leave(wire: Wire, _tag: bytes) -> None:
    wire.writer.close()


async def reset(wire: Wire, _tag: bytes) -> None:
    wire.reset()


def flood(piece: bytes, first: bytes = b"") -> Answer:
    """Say *piece* for ever, as fast as anybody listens."""

    async def behave(wire: Wire, tag: bytes) -> None:
        await wire.say(first.replace(b"%t", tag))
        while True:
            await wire.say(piece)

    return behave


def threads() -> list[str]:
    """Return the threads of IMAP connections that there are."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("imap")]
