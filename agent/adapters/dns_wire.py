"""What does a DNS message say?

The only module that knows dnspython, and the only place where a reply's octets become values. A
reply is hostile until read: whatever arrives, nothing is raised, the work is bounded, and what
cannot be understood becomes :class:`Unanswered`, never the absence of a record.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final, cast

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from agent.adapters.dns_layout import MAX_TTL, Layout
from agent.adapters.dns_question import CODES, HEADER
from agent.domain.lookup import Answer, Exchange, Record, Silence, TextRecord, Type, Unanswered

MAX_RECORDS = 1000  # in all sections; more is no mail domain, and reading them would stall the loop
MAX_ALIASES = 20  # links of a chain of aliases
_OPT: Final = 41
_NXDOMAIN, _REFUSED = 3, 5
_MAX_NAME = 255
_POINTER = 0xC0
_RECORD: Final = struct.Struct("!HHIH")
_COUNTS: Final = struct.Struct("!HHHH")
_TEXTS: Final = (16, 99)
_NAMES_IN: Final = {2: (0,), 5: (0,), 6: (0, 2), 12: (0,), 15: (2,)}  # where names begin
_MAX_EFFORT = 100_000  # some 25 ms
_UNSPEAKABLE: Final = "\ufffd"
_ENTITLED: Final = int(dns.flags.AA | dns.flags.RA)
_NOT_ASKED_FOR: Final = Unanswered(Silence.MALFORMED, "records that were not asked for")
_REFERRAL: Final = Unanswered(Silence.REFUSED, "a referral: the server does not find out")
_NOT_ENTITLED: Final = Unanswered(Silence.REFUSED, "nothing, from a server that does not find out")


@dataclass(frozen=True, slots=True)
class Dangling:
    """The server followed aliases and said nothing about the last one: it has yet to be asked."""

    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says, with its layout if it is worth recognising."""

    reply: Answer | Unanswered | Dangling
    layout: Layout | None = None


def read_reply(wire: bytes, name: str, kind: Type) -> Reading:
    """Read a reply to the question for *name* and *kind*; never raises."""
    rcode = wire[3] & 15
    if rcode not in (0, _NXDOMAIN):
        return Reading(_failure(rcode))
    try:
        marks = tuple(_walk(wire))
        if _effort(wire, marks) > _MAX_EFFORT:
            return Reading(Unanswered(Silence.MALFORMED, "too many long names"))
        message = dns.message.from_wire(_hide(wire, marks, kind), one_rr_per_rrset=True)
        rcode = int(message.rcode())
    except (_MalformedError, dns.exception.DNSException, ValueError) as error:
        return Reading(Unanswered(Silence.MALFORMED, f"unreadable: {type(error).__name__}"))
    if rcode not in (0, _NXDOMAIN):
        return Reading(_failure(rcode))
    return _Reader(message, marks, len(wire)).read(name, kind, exists=rcode == 0)


def _failure(rcode: int) -> Unanswered:
    reason = Silence.REFUSED if rcode == _REFUSED else Silence.SERVFAIL
    return Unanswered(reason, f"rcode {dns.rcode.to_text(dns.rcode.Rcode.make(rcode))}")


class _MalformedError(Exception):
    """The message does not hold together, or is too much to read."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where a record's fixed fields begin, and two of them."""

    offset: int
    code: int
    length: int


def _walk(wire: bytes) -> Iterator[_Mark]:
    """Find every record, without reading any."""
    questions, *counts = _COUNTS.unpack_from(wire, 4)
    if questions != 1 or sum(counts) > MAX_RECORDS:
        raise _MalformedError
    try:
        offset = _skip_name(wire, HEADER) + 4
        for _ in range(sum(counts)):
            offset = _skip_name(wire, offset)
            code, _, _, length = _RECORD.unpack_from(wire, offset)
            yield _Mark(offset, code, length)
            offset += _RECORD.size + length
    except (IndexError, struct.error):
        raise _MalformedError from None


def _skip_name(wire: bytes, offset: int) -> int:
    while length := wire[offset]:
        if length >= _POINTER:
            return offset + 2
        offset += 1 + length
    return offset + 1


def _hide(wire: bytes, marks: tuple[_Mark, ...], kind: Type) -> bytes:
    """Make opaque data of the records that are not to be understood.

    Those of other types are none of our business. Over a TXT record without a single string
    dnspython would drop the whole message.
    """
    wanted = (CODES[kind], CODES["CNAME"], CODES["SOA"], _OPT)
    opaque = bytearray(wire)
    for mark in marks:
        if mark.code in wanted and (mark.length or mark.code not in _TEXTS):
            continue
        opaque[mark.offset : mark.offset + 2] = b"\xff\x00"  # private use, RFC 6895 section 3.1
    return bytes(opaque)


def _effort(wire: bytes, marks: tuple[_Mark, ...]) -> int:
    """Estimate what the names in the records cost: dnspython takes the square of their labels."""
    effort = 0
    for mark in marks:
        names = _NAMES_IN.get(mark.code, ())
        effort += sum(_labels(wire, mark.offset + _RECORD.size + at) ** 2 for at in names)
    return effort


def _labels(wire: bytes, offset: int) -> int:
    """Count labels and pointers of the name at *offset*, as far as there can be any."""
    for count in range(_MAX_NAME):
        length = wire[offset] if offset < len(wire) else 0
        if not length:
            return count
        if length >= _POINTER:
            offset = int.from_bytes(wire[offset : offset + 2], "big") & 0x3FFF
        else:
            offset += 1 + length
    return _MAX_NAME


class _Reader:
    """Follows the aliases through one message and collects what they lead to."""

    def __init__(self, message: dns.message.Message, marks: tuple[_Mark, ...], size: int) -> None:
        self._message = message
        self._marks = marks
        self._size = size
        self._found: dict[tuple[str, int], list[tuple[dns.rrset.RRset, _Mark]]] = {}
        for rrset, mark in zip(message.answer, marks, strict=False):
            if rrset.rdclass == dns.rdataclass.IN:
                key = (_name(rrset.name), mark.code)
                self._found.setdefault(key, []).append((rrset, mark))

    def read(self, name: str, kind: Type, *, exists: bool) -> Reading:
        code = CODES[kind]
        aliases: list[str] = []
        passed: list[_Mark] = []
        while (name, code) not in self._found and (name, CODES["CNAME"]) in self._found:
            links = self._found[name, CODES["CNAME"]]
            name, *others = {_name(cast("Any", rrset[0]).target) for rrset, _ in links}
            if others:  # RFC 2181 section 10.1
                return Reading(Unanswered(Silence.MALFORMED, "several aliases of one name"))
            if name in aliases or len(aliases) == MAX_ALIASES:
                return Reading(Unanswered(Silence.ALIAS_LOOP, "within one answer"))
            aliases.append(name)
            passed += [mark for _, mark in links]
        found = self._found.get((name, code))
        if found is None:
            return self._nothing(tuple(aliases), passed, exists=exists)
        if not exists:
            return Reading(Unanswered(Silence.MALFORMED, "NXDOMAIN with the records asked for"))
        own = [mark for _, mark in found]
        records = _READERS[kind](found)
        authentic = bool(self._message.flags & dns.flags.AD)
        answer = Answer(
            tuple(records), aliases=tuple(aliases), size=self._size, authentic=authentic
        )
        return Reading(answer, self._layout(own, passed))

    def _nothing(self, aliases: tuple[str, ...], passed: list[_Mark], *, exists: bool) -> Reading:
        soa = self._soa()
        if soa is not None:
            rdata, mark = soa
            answer = Answer(name_exists=exists, aliases=aliases, size=self._size)
            return Reading(answer, self._layout([mark], passed, cap=int(rdata.minimum)))
        if exists and aliases:
            return Reading(Dangling(aliases), self._layout([], passed))
        evasion = self._evasion(aliases, exists=exists)
        if evasion is not None:
            return Reading(evasion)
        answer = Answer(name_exists=exists, aliases=aliases, size=self._size)
        return Reading(answer, self._layout([], []))

    def _evasion(self, aliases: tuple[str, ...], *, exists: bool) -> Unanswered | None:
        """Say why a reply without a SOA proves no absence; None where it does.

        RFC 2308 section 2.2: with NS records it is a referral. Whoever neither is an authority nor
        asks one cannot know, and an answer to something else is none.
        """
        if not self._message.flags & _ENTITLED:
            return _NOT_ENTITLED
        start = len(self._message.answer)
        authority = self._marks[start : start + len(self._message.authority)]
        if exists and any(mark.code == CODES["NS"] for mark in authority):
            return _REFERRAL
        return _NOT_ASKED_FOR if start and not aliases else None

    def _soa(self) -> tuple[Any, _Mark] | None:
        start = len(self._message.answer)
        for rrset, mark in zip(self._message.authority, self._marks[start:], strict=False):
            if mark.code == CODES["SOA"] and len(rrset):
                return rrset[0], mark
        return None

    def _layout(self, own: list[_Mark], aliases: list[_Mark], cap: int = MAX_TTL) -> Layout:
        # The OPT record has its flags where others have a time to live.
        ttls = tuple(mark.offset + 4 for mark in self._marks if mark.code != _OPT)
        return Layout(self._size, ttls, _offsets(own), _offsets(aliases), min(cap, MAX_TTL))


def _offsets(marks: list[_Mark]) -> tuple[int, ...]:
    return tuple(mark.offset + 4 for mark in marks)


def _name(name: Any) -> str:
    """Return a name in the form of :class:`agent.domain.lookup.Query`.

    A dot inside a label would make another name of it; it becomes a character that stands for no
    octet, so that such a name is shown, and can never be asked for.
    """
    labels = name.labels[:-1] if name.labels and not name.labels[-1] else name.labels
    return ".".join(label.lower().decode("latin-1").replace(".", _UNSPEAKABLE) for label in labels)


_Found = list[tuple[dns.rrset.RRset, _Mark]]


def _texts(found: _Found) -> list[Record]:
    texts = [
        TextRecord(tuple(cast("Any", rrset[0]).strings) if mark.length else ())
        for rrset, mark in found
    ]
    return [*sorted(texts, key=lambda text: text.strings)]


def _reader(convert: Callable[[Any], Any]) -> Callable[[_Found], list[Record]]:
    # Servers rotate records; sorted, an answer is the same whatever their order.
    return lambda found: sorted(convert(rrset[0]) for rrset, _ in found)


_READERS: Final[dict[Type, Callable[[_Found], list[Record]]]] = {
    "A": _reader(lambda rdata: IPv4Address(rdata.address)),
    "AAAA": _reader(lambda rdata: IPv6Address(rdata.address)),
    "MX": _reader(lambda rdata: Exchange(rdata.preference, _name(rdata.exchange))),
    "TXT": _texts,
    "SPF": _texts,
    "PTR": _reader(lambda rdata: _name(rdata.target)),
    "NS": _reader(lambda rdata: _name(rdata.target)),
    "CNAME": _reader(lambda rdata: _name(rdata.target)),
    "SOA": _reader(lambda rdata: str(rdata.to_text())),
    "TLSA": _reader(lambda rdata: str(rdata.to_text())),
}
