"""How is a DNS message opened that anybody may have written?

Every record is found before any is read, so that the work is bounded, and what was not asked for
stays opaque. dnspython reads the rest; none of its exceptions gets out.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.message

from agent.adapters.dns_question import CODES, HEADER
from agent.domain.lookup import Silence, Type, Unanswered

MAX_RECORDS = 1000  # in all sections; more is no mail domain, and reading them would stall the loop
OPT: Final = 41
_MAX_NAME = 255
_POINTER = 0xC0
_RECORD: Final = struct.Struct("!HHIH")
_COUNTS: Final = struct.Struct("!HHHH")
_TEXTS: Final = (16, 99)
_LEFT_OPAQUE: Final = 52  # dnspython drops the whole message over a TLSA record of an odd length
_MAX_EFFORT = 100_000  # some 25 ms
_NAMES_IN: Final = {  # where names begin
    2: (0,),
    5: (0,),
    6: (0, 2),
    12: (0,),
    15: (2,),
    33: (6,),
    46: (18,),
}


class _MalformedError(Exception):
    """The message does not hold together, or is too much to read."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a record's fixed fields begin, and two of them."""

    offset: int
    code: int
    length: int


def open_message(
    wire: bytes, kinds: Iterable[Type]
) -> tuple[dns.message.Message, tuple[Mark, ...]] | Unanswered:
    """Open a message, each record by itself, with what is of *kinds* understood; never raises.

    Its records are in the order of the marks; those of other types are opaque.
    """
    try:
        marks = tuple(_walk(wire))
        codes = frozenset(CODES[kind] for kind in kinds)
        if _effort(wire, marks, codes) > _MAX_EFFORT:
            return Unanswered(Silence.MALFORMED, "too many long names")
        opaque = _hide(wire, marks, codes)
        return dns.message.from_wire(opaque, one_rr_per_rrset=True), marks
    except (_MalformedError, dns.exception.DNSException, ValueError) as error:
        return Unanswered(Silence.MALFORMED, f"unreadable: {type(error).__name__}")


def _walk(wire: bytes) -> Iterator[Mark]:
    """Find every record, without reading any."""
    questions, *counts = _COUNTS.unpack_from(wire, 4)
    if questions != 1 or sum(counts) > MAX_RECORDS:
        raise _MalformedError
    try:
        offset = _skip_name(wire, HEADER) + 4
        for _ in range(sum(counts)):
            offset = _skip_name(wire, offset)
            code, _, _, length = _RECORD.unpack_from(wire, offset)
            yield Mark(offset, code, length)
            offset += _RECORD.size + length
    except (IndexError, struct.error):
        raise _MalformedError from None


def _skip_name(wire: bytes, offset: int) -> int:
    while length := wire[offset]:
        if length >= _POINTER:
            return offset + 2
        offset += 1 + length
    return offset + 1


def _hide(wire: bytes, marks: tuple[Mark, ...], codes: frozenset[int]) -> bytes:
    """Make opaque data of the records that are not to be understood.

    Those of other types are none of our business. Over a TXT record without a single string
    dnspython would drop the whole message.
    """
    opaque = bytearray(wire)
    for mark in marks:
        is_wanted = mark.code in codes or mark.code == OPT
        if is_wanted and (mark.length or mark.code not in _TEXTS) and mark.code != _LEFT_OPAQUE:
            continue
        opaque[mark.offset : mark.offset + 2] = b"\xff\x00"  # private use, RFC 6895 section 3.1
    return bytes(opaque)


def _effort(wire: bytes, marks: tuple[Mark, ...], codes: frozenset[int]) -> int:
    """Estimate what the names in the records cost: dnspython takes the square of their labels."""
    effort = 0
    for mark in marks:
        names = _NAMES_IN.get(mark.code, ()) if mark.code in codes else ()
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
