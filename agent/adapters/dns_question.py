"""How is a question put, and does this reply answer it?

Queries are put together from octets, and names from their labels: in a name any octet may stand,
and text with its escapes has no place here.
"""

import struct
from typing import Final

from agent.domain.lookup import Type

CODES: Final[dict[str, int]] = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "SOA": 6,
    "PTR": 12,
    "MX": 15,
    "TXT": 16,
    "AAAA": 28,
    "SRV": 33,
    "DS": 43,
    "RRSIG": 46,
    "DNSKEY": 48,
    "TLSA": 52,
    "SPF": 99,
    "CAA": 257,
}
HEADER = 12  # octets
UDP_SIZE = 1232  # octets; what passes any network unfragmented, DNS flag day 2020
OFF_LOOP = 4096  # octets; longer messages are read in a thread
MAX_NAME = 255  # octets on the wire, RFC 1035 section 2.3.4
_MAX_LABEL = 63
# AD asks to be told whether DNSSEC vouches for the answer (RFC 6840 section 5.7).
_RECURSION_DESIRED: Final = b"\x01\x20\x00\x01\x00\x00\x00\x00\x00\x00"
_AND_EDNS: Final = b"\x01\x20\x00\x01\x00\x00\x00\x00\x00\x01"
_EDNS: Final = struct.pack("!BHHIH", 0, 41, UDP_SIZE, 0, 0)
_FORMERR, _NXDOMAIN, _NOTIMP = 1, 3, 4


def encode_name(name: str) -> bytes | None:
    """Return *name* on the wire, or nothing where no name can be made of it."""
    if not name:
        return b"\0"
    try:
        labels = name.encode("latin-1").split(b".")
    except UnicodeEncodeError:
        return None
    if not all(0 < len(label) <= _MAX_LABEL for label in labels):
        return None
    wire = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    return wire if len(wire) <= MAX_NAME else None


def encode_question(name: str, kind: Type) -> bytes | None:
    """Return the question section for *name*, or nothing where it cannot be asked."""
    wire = encode_name(name)
    return None if wire is None else wire + struct.pack("!HH", CODES[kind], 1)


def encode_query(ident: bytes, question: bytes, *, edns: bool) -> bytes:
    """Return a query that desires recursion, under two octets of *ident*."""
    if edns:
        return ident + _AND_EDNS + question + _EDNS
    return ident + _RECURSION_DESIRED + question


def echoes(wire: bytes, question: bytes) -> bool:
    """Tell whether *wire* is a reply to *question*, as far as its header and question go.

    A server that failed may leave the question out (RFC 2308 section 7 and practice).
    """
    if len(wire) < HEADER or wire[2] & 0xF8 != 0x80:  # noqa: PLR2004  QR set, opcode 0
        return False
    end = HEADER + len(question)
    if wire[4:6] == b"\0\1":
        echo = wire[HEADER:end]
        return echo == question or echo.lower() == question.lower()
    return wire[4:6] == b"\0\0" and wire[3] & 15 not in (0, _NXDOMAIN)


def is_truncated(wire: bytes) -> bool:
    """Tell whether the TC bit is set."""
    return bool(wire[2] & 2)


def refuses_edns(wire: bytes) -> bool:
    """Tell whether the reply is what servers without EDNS send (RFC 6891 section 7)."""
    return wire[3] & 15 in (_FORMERR, _NOTIMP)
