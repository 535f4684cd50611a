"""What did the SMTP server say?

A reply is one or more lines, each with the same three-digit code (RFC 5321 section 4.2). A monitor
that reads replies generously accuses nobody and notices nothing: a code that is no code, a line
without an end, two codes in one reply are faults of the peer and must never pass for a yes. The
reader takes octets in whatever pieces they arrive and gives the same events for every way of
cutting them. It keeps a bounded number of octets, whatever the peer does.
"""

import enum
import re
from dataclasses import dataclass

from agent.domain.peer_text import PeerText

MAX_LINE = 4096  # octets; RFC 5321 section 4.5.3.1.5 allows 512, servers are known to write more
MAX_LINES = 300  # in one reply; a long EHLO has 30
MAX_REPLY = 65_536  # octets in one reply

_HEAD = re.compile(rb"([2-5][0-5][0-9])(?:[ -]|\r?$)")  # RFC 5321 section 4.2, Reply-code
_HEAD_SIZE = 4
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?: |$)")  # RFC 2034 section 4


class Malformed(enum.StrEnum):
    """Why octets are not a reply: a closed set."""

    NOT_A_REPLY = "a line does not start with a reply code"
    MIXED_CODES = "the lines of a reply have different codes"
    LONG_LINE = "a line is too long"
    LONG_REPLY = "a reply is too long"


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply: its code, its enhanced status code (or nothing), and its lines without code.

    ``enhanced`` is empty where its class contradicts the code: then the code alone counts.
    """

    code: int
    enhanced: str = ""
    lines: tuple[PeerText, ...] = ()

    @property
    def is_transient(self) -> bool:
        """True for 4yz: the same attempt may succeed later (RFC 5321 section 4.2.1)."""
        return self.code // 100 == 4  # noqa: PLR2004 - the class of the code

    @property
    def is_negative(self) -> bool:
        """True for 4yz and 5yz."""
        return self.code // 100 in (4, 5)

    @property
    def text(self) -> PeerText:
        """The whole reply on one line: ``550 5.1.1 No such user``."""
        return PeerText(" ".join((str(self.code), *self.lines)).rstrip(), limit=500)


class ReplyReader:
    """Makes replies of octets; after the first fault it reads no more."""

    __slots__ = ("_buffer", "_code", "_is_broken", "_lines", "_size")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._code = b""
        self._lines: list[bytes] = []
        self._size = 0
        self._is_broken = False

    @property
    def is_idle(self) -> bool:
        """True when no octet waits to become part of a reply."""
        return not (self._buffer or self._lines or self._is_broken)

    def feed(self, data: bytes) -> list[Reply | Malformed]:
        """Take octets and return the replies they complete, perhaps ending in a fault."""
        events: list[Reply | Malformed] = []
        if self._is_broken:
            return events
        self._buffer += data
        start = 0
        while (end := self._buffer.find(b"\n", start)) >= 0:
            event = self._take(bytes(self._buffer[start:end]))
            start = end + 1
            if event is not None:
                events.append(event)
            if isinstance(event, Malformed):
                self._break()
                return events
        del self._buffer[:start]
        # An endless line is a fault as soon as it can be known to be one.
        if len(self._buffer) >= _HEAD_SIZE and (fault := self._fault(bytes(self._buffer))):
            events.append(fault)
            self._break()
        return events

    def _break(self) -> None:
        self._is_broken = True
        self._buffer.clear()
        self._lines.clear()

    def _take(self, line: bytes) -> Reply | Malformed | None:
        """Take one line without its LF; CR LF and LF alone both end a line."""
        if fault := self._fault(line):
            return fault
        self._size += len(line)
        self._lines.append(line[_HEAD_SIZE:])
        if len(self._lines) > MAX_LINES or self._size > MAX_REPLY:
            return Malformed.LONG_REPLY
        self._code = line[:3]
        if line[3:4] == b"-":
            return None
        reply = _reply(int(self._code), self._lines)
        self._lines = []
        self._size = 0
        return reply

    def _fault(self, line: bytes) -> Malformed | None:
        """Judge a line, or the first octets of one, always in the same order."""
        if not _HEAD.match(line[: _HEAD_SIZE + 1] if line[3:4] == b"\r" else line[:_HEAD_SIZE]):
            return Malformed.NOT_A_REPLY
        if self._lines and line[:3] != self._code:
            return Malformed.MIXED_CODES
        return Malformed.LONG_LINE if len(line) > MAX_LINE else None


def _reply(code: int, raw: list[bytes]) -> Reply:
    lines = tuple(PeerText(line.rstrip(b"\r")) for line in raw)
    match = _ENHANCED.match(lines[0])
    enhanced = match.group(1) if match else ""
    if enhanced[:1] != str(code)[0]:
        enhanced = ""  # RFC 2034 section 4: the two agree in class
    return Reply(code, enhanced, lines)
