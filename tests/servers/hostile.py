"""What mail servers do that no mail server should do, each with what has to be made of it.

A :class:`Hostile` is a name, a behaviour on a raw socket, and where a session with it has to end. A
session has a sender, a recipient and a message, and demands TLS only where the name says so.
"""

import os
import ssl
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from agent.domain.smtp import Dialogue, Phase, Reason, Refused, Unreached
from servers.smtp import Behaviour, Wire, scripted
from servers.smtp import dripping as drip

GREETING, EHLO, MAIL, RCPT, DATA = (
    b"220 mx.hostile.example ESMTP\r\n",
    b"250 mx.hostile.example\r\n",
    b"250 2.1.0 ok\r\n",
    b"250 2.1.5 ok\r\n",
    b"354 go ahead\r\n",
)
FINAL, BYE = b"250 2.0.0 queued\r\n", b"221 bye\r\n"
STEPS = (GREETING, EHLO, MAIL, RCPT, DATA, FINAL, BYE)
_PHASES = (Phase.GREETING, Phase.EHLO, Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.FINAL)
_FLOOD = 8 * 2**20  # octets
_TLS_OFFER = b"250-mx.hostile.example\r\n250 STARTTLS\r\n"

Expected = Callable[[Dialogue], bool]


@dataclass(frozen=True)
class Hostile:
    """One behaviour, and what the dialogue has to be."""

    name: str
    behave: Behaviour
    expected: Expected
    needs_tls: bool = False


def accepted(dialogue: Dialogue) -> bool:
    """The server did what it should, however oddly."""
    return not isinstance(dialogue, Refused | Unreached)


def refused(phase: Phase) -> Expected:
    """The server's no."""
    return lambda dialogue: isinstance(dialogue, Refused) and dialogue.phase is phase


def unreached(phase: Phase, *reasons: Reason) -> Expected:
    """Nothing that can be believed."""
    return lambda dialogue: (
        isinstance(dialogue, Unreached) and dialogue.phase is phase and dialogue.reason in reasons
    )


def flood(piece: bytes) -> Behaviour:
    """Say *piece* again and again, as fast as anybody listens, far beyond what is ever read.

    There is an end to it, because inside of TLS this side would not notice that nobody listens.
    """

    async def behave(wire: Wire) -> None:
        for _ in range(_FLOOD // len(piece)):
            await wire.say(piece)
        await wire.hang()

    return behave


def after(said: tuple[bytes, ...], then: Callable[[Wire], Awaitable[None]]) -> Behaviour:
    """Speak properly for a while, then do something else when the client has spoken."""

    async def behave(wire: Wire) -> None:
        await wire.say(said[0])
        for reply in said[1:]:
            await _hear(wire, said, reply)
            await wire.say(reply)
        if said[-1] == DATA:
            await wire.hear_message()
        else:
            await wire.hear()
        await then(wire)

    return behave


async def _hear(wire: Wire, said: tuple[bytes, ...], reply: bytes) -> None:
    is_after_data = said[said.index(reply) - 1] == DATA
    await (wire.hear_message() if is_after_data else wire.hear())


async def leave(wire: Wire) -> None:
    """Close the connection as it is done properly."""
    del wire


async def reset(wire: Wire) -> None:
    """Throw the connection away."""
    wire.reset()


async def keep_silent(wire: Wire) -> None:
    """Say nothing more."""
    await wire.hang()


def saying(reply: bytes) -> Callable[[Wire], Awaitable[None]]:
    """Say one thing more, and then nothing."""

    async def then(wire: Wire) -> None:
        await wire.say(reply)
        await wire.hang()

    return then


def in_tls(context: ssl.SSLContext, then: Callable[[Wire], Awaitable[None]]) -> Behaviour:
    """Do the handshake, and then something else."""

    async def secure(wire: Wire) -> None:
        await wire.say(b"220 go ahead\r\n")
        await wire.writer.start_tls(context)
        await then(wire)

    return after((GREETING, _TLS_OFFER), secure)


def at_every_phase() -> Iterator[Hostile]:
    """Yield what can happen at each phase: silence, a close, a reset, a no, a 421."""
    for number, phase in enumerate(_PHASES):
        so_far, name = STEPS[:number], str(phase)
        lost = unreached(phase, Reason.CONNECTION_LOST)
        if not so_far:
            yield Hostile(f"silent at {name}", scripted(b""), unreached(phase, Reason.TIMEOUT))
            yield Hostile(f"closes at {name}", _at_once(leave), lost)
            yield Hostile(f"resets at {name}", _at_once(reset), lost)
        else:
            silent = unreached(phase, Reason.TIMEOUT)
            yield Hostile(f"silent at {name}", after(so_far, keep_silent), silent)
            yield Hostile(f"closes at {name}", after(so_far, leave), lost)
            yield Hostile(f"resets at {name}", after(so_far, reset), lost)
        yield Hostile(f"421 at {name}", scripted(*so_far, b"421 4.3.2 later\r\n"), refused(phase))
        if phase is not Phase.EHLO:
            no = b"554 5.7.1 no\r\n"
            yield Hostile(f"554 at {name}", scripted(*so_far, no), refused(phase))


def _at_once(then: Callable[[Wire], Awaitable[None]]) -> Behaviour:
    return then


def in_the_wrong_words() -> Iterator[Hostile]:
    """Yield replies that are none, and octets that are no SMTP."""
    protocol = unreached(Phase.GREETING, Reason.PROTOCOL)
    greetings = {
        "HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n",
        "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
        "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
        "noise": os.urandom(64).replace(b"\n", b"x") + b"\r\n",
        "NUL": b"\0" * 64 + b"\r\n",
        "an empty line": b"\r\n",
        "code -55": b"-55 no\r\n",
        "code +25": b"+25 yes\r\n",
        "code 55": b"55 no\r\n",
        "code 2200": b"2200 yes\r\n",
        "code 199": b"199 wait\r\n",
        "code 600": b"600 what\r\n",
        "code 220 without a space": b"220mx.hostile.example\r\n",
        "mixed codes": b"220-one\r\n250 two\r\n",
        "surplus reply": GREETING + b"250 ok\r\n250 ok\r\n250 ok\r\n",
    }
    for name, octets in greetings.items():
        yield Hostile(f"greets with {name}", scripted(octets), protocol)
    yield Hostile("1 MiB in a line", scripted(b"220 " + b"x" * 2**20 + b"\r\n"), protocol)
    yield Hostile("endless line", flood(b"220 " + b"x" * 65536), protocol)
    yield Hostile("endless lines", flood(b"220-x\r\n" * 1000), protocol)
    yield Hostile("an octet at a time", drip(b"2"), protocol)
    yield Hostile("a line at a time", drip(b"220-x\r\n"), unreached(Phase.GREETING, Reason.TIMEOUT))
    ehlo = unreached(Phase.EHLO, Reason.PROTOCOL)
    endless = after((GREETING,), flood(b"250-X\r\n" * 1000))
    yield Hostile("endless EHLO", endless, ehlo)
    mixed = b"250-a\r\n550 b\r\n"
    yield Hostile("mixed codes at EHLO", scripted(GREETING, mixed), ehlo)
    for place, phase in ((2, Phase.MAIL), (3, Phase.RCPT)):
        twice = STEPS[place] + STEPS[place]
        name = f"doubled reply at {phase}"
        fault = unreached(phase, Reason.PROTOCOL)
        yield Hostile(name, scripted(*STEPS[:place], twice), fault)
    early = scripted(*STEPS[:4], DATA + FINAL)
    yield Hostile("final reply before the message", early, unreached(Phase.DATA, Reason.PROTOCOL))
    odd = scripted(*STEPS[:4], b"250 ok\r\n")
    yield Hostile("250 at DATA", odd, unreached(Phase.DATA, Reason.PROTOCOL))
    odd = scripted(*STEPS[:3], b"354 what\r\n")
    yield Hostile("354 at RCPT", odd, unreached(Phase.RCPT, Reason.PROTOCOL))


def odd_but_whole() -> Iterator[Hostile]:
    """Yield sessions that are to be taken, however odd."""
    for name, octets in {
        "NUL": b"\0\0\0",
        "ESC": b"\x1b]0;owned\x07\x1b[2J",
        "HTML": b"<script>alert(1)</script>",
        "octets that are no UTF-8": b"\xff\xfe\xc3\x28",
    }.items():
        greeting = b"220 mx.hostile.example " + octets + b"\r\n"
        yield Hostile(f"{name} in the greeting", scripted(greeting, *STEPS[1:]), accepted)
    many = (
        b"".join(b"250-X-EXT-%d\r\n" % number for number in range(200))
        + b"250 SIZE 99999999999999999999\r\n"
    )
    yield Hostile("200 capabilities", scripted(GREETING, many, *STEPS[2:]), accepted)
    helo = scripted(GREETING, b"502 5.5.1 what\r\n", *STEPS[1:])
    yield Hostile("knows no EHLO", helo, accepted)
    yield Hostile(
        "knows no HELO either",
        scripted(GREETING, b"502 5.5.1 what\r\n", b"502 5.5.1 what\r\n"),
        refused(Phase.EHLO),
    )
    long = b"250-" + b"x" * 2000 + b"\r\n250 ok\r\n"
    yield Hostile("long lines", scripted(GREETING, EHLO, long, *STEPS[3:]), accepted)
    yield Hostile("silent at quit", scripted(*STEPS[:6]), accepted)
    yield Hostile("resets at quit", scripted(*STEPS[:6], reset=True), accepted)
    # It may be the reply to an earlier command: the yes is in doubt then.
    noise = scripted(*STEPS[:6], b"\xff" * 99 + b"\r\n")
    yield Hostile("noise at quit", noise, unreached(Phase.QUIT, Reason.PROTOCOL))
    wrong_class = scripted(*STEPS[:3], b"550 2.1.5 fine\r\n")
    yield Hostile("code and enhanced code disagree", wrong_class, refused(Phase.RCPT))


def around_tls(good: ssl.SSLContext) -> Iterator[Hostile]:
    """Yield what can happen around STARTTLS, where TLS is demanded."""
    offer = (GREETING, _TLS_OFFER)
    at_certificate = (Reason.TLS_HANDSHAKE, Reason.CONNECTION_LOST)

    def hostile(name: str, behave: Behaviour, expected: Expected) -> Hostile:
        return Hostile(name, behave, expected, needs_tls=True)

    yield hostile(
        "STARTTLS stripped",
        scripted(*STEPS),
        unreached(Phase.STARTTLS, Reason.TLS_NOT_OFFERED),
    )
    yield hostile(
        "STARTTLS refused", scripted(*offer, b"454 4.7.0 no\r\n"), refused(Phase.STARTTLS)
    )
    yield hostile(
        "silent at STARTTLS", after(offer, keep_silent), unreached(Phase.STARTTLS, Reason.TIMEOUT)
    )
    yield hostile(
        "injects behind 220",
        scripted(*offer, b"220 go\r\n250 injected\r\n"),
        unreached(Phase.STARTTLS, Reason.TLS_INJECTION, Reason.PROTOCOL),
    )
    silent = scripted(*offer, b"220 go\r\n")
    yield hostile("silent handshake", silent, unreached(Phase.CERTIFICATE, Reason.TIMEOUT))
    yield hostile(
        "resets in the handshake",
        scripted(*offer, b"220 go\r\n", reset=True),
        unreached(Phase.CERTIFICATE, *at_certificate),
    )

    async def close_in_handshake(wire: Wire) -> None:
        await wire.say(b"220 go\r\n")
        await wire.reader.read(1)

    yield hostile(
        "closes in the handshake",
        after(offer, close_in_handshake),
        unreached(Phase.CERTIFICATE, *at_certificate),
    )

    async def speak_in_handshake(wire: Wire) -> None:
        await wire.say(b"220 go\r\n")
        await wire.reader.read(1)
        await wire.say(b"250 this is no TLS\r\n" * 20)
        await wire.hang()

    yield hostile(
        "plain text in the handshake",
        after(offer, speak_in_handshake),
        unreached(Phase.CERTIFICATE, *at_certificate),
    )
    yield hostile(
        "silent inside of TLS",
        in_tls(good, keep_silent),
        unreached(Phase.EHLO_AGAIN, Reason.TIMEOUT),
    )
    yield hostile(
        "closes inside of TLS",
        in_tls(good, _hear_and_leave),
        unreached(Phase.EHLO_AGAIN, Reason.CONNECTION_LOST),
    )
    yield hostile(
        "no SMTP inside of TLS",
        in_tls(good, saying(b"HTTP/1.1 400 no\r\n")),
        unreached(Phase.EHLO_AGAIN, Reason.PROTOCOL),
    )
    yield hostile(
        "endless reply inside of TLS",
        in_tls(good, flood(b"250-x\r\n" * 1000)),
        unreached(Phase.EHLO_AGAIN, Reason.PROTOCOL),
    )


async def _hear_and_leave(wire: Wire) -> None:
    await wire.hear()


def all_of_them(good: ssl.SSLContext) -> tuple[Hostile, ...]:
    """Return every behaviour; *good* is a server's context with a sound certificate."""
    return (*at_every_phase(), *in_the_wrong_words(), *odd_but_whole(), *around_tls(good))
