"""What does an authoritative server say?

The other side of :mod:`agent.adapters.dns_wire`: reads a question and writes a response, for the
lab's world and for tests. Responses are written by hand, octet for octet, because a server of
broken zones must be able to say what no library would let it say: the same record twice, a TXT
record without a string.
"""

import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from agent.adapters.dns_question import CODES, HEADER, encode_name
from agent.adapters.dns_wire import MAX_ALIASES
from agent.domain.lookup import Exchange, Record, TextRecord

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
PLAIN_SIZE = 512  # octets of a reply to a query without EDNS, RFC 1035 section 4.2.1
MAX_MESSAGE = 65535
NEGATIVE_TTL = 60  # seconds
_TYPES = {code: kind for kind, code in CODES.items()}
_OPT = 41
_OF_TEXT = frozenset({"TLSA", "DS", "DNSKEY", "RRSIG", "SRV", "CAA"})  # in the form of zone files
_POINTER_TO_QUESTION = b"\xc0\x0c"


@dataclass(frozen=True, slots=True)
class Question:
    """What a client asks: *name* as in ``Query``, *octets* as it came, to be echoed.

    ``kind`` is ``TYPE65280`` and the like for types that we have no name for. ``room`` is how many
    octets a datagram to this client may have; ``edns`` whether it speaks EDNS.
    """

    ident: bytes
    name: str
    kind: str
    octets: bytes
    room: int = PLAIN_SIZE
    edns: bool = False


@dataclass(frozen=True, slots=True)
class ResourceRecord:
    """One record, as it goes on the wire; *kind* ``SOA`` takes its minimum from the TTL.

    *data* of a SOA is the server's name, or all of it as in zone files.
    """

    name: str
    kind: str
    ttl: int
    data: Record


@dataclass(frozen=True, slots=True)
class Response:
    """What to say; *authoritative*, *recursion* and *authentic* are the bits AA, RA and AD."""

    rcode: int = NOERROR
    answers: tuple[ResourceRecord, ...] = ()
    authority: tuple[ResourceRecord, ...] = ()
    truncated: bool = False
    additional: tuple[ResourceRecord, ...] = ()
    authoritative: bool = True
    recursion: bool = True
    authentic: bool = False


def read_question(wire: bytes) -> Question | None:
    """Read a query with one question, or return nothing where there is none to answer."""
    try:
        flags, questions, _, _, additional = struct.unpack_from("!HHHHH", wire, 2)
        if flags & 0xF800 or questions != 1:
            return None
        labels, offset = [], HEADER
        while length := wire[offset]:
            labels.append(wire[offset + 1 : offset + 1 + length])
            offset += 1 + length
        code, _ = struct.unpack_from("!HH", wire, offset + 1)
    except (IndexError, struct.error):
        return None
    end = offset + 5
    name = b".".join(labels).lower().decode("latin-1")
    question = Question(wire[:2], name, _TYPES.get(code, f"TYPE{code}"), wire[HEADER:end])
    opt = wire[end : end + 11]
    if additional and len(opt) == 11 and opt[:3] == b"\0\0\x29":  # noqa: PLR2004  a whole OPT
        room = max(PLAIN_SIZE, int.from_bytes(opt[3:5], "big"))
        return replace(question, room=room, edns=True)
    return question


def write_response(question: Question, response: Response, *, datagram: bool) -> bytes:
    """Write *response*; one too long for the client's datagram becomes an empty, truncated one."""
    limit = question.room if datagram else MAX_MESSAGE
    wire = _write(question, response)
    if len(wire) <= limit:
        return wire
    return _write(question, Response(response.rcode, truncated=True))


def _write(question: Question, response: Response) -> bytes:
    flags = 0x8100 | (0x0200 if response.truncated else 0) | response.rcode  # QR RD
    flags |= (0x0400 if response.authoritative else 0) | (0x0080 if response.recursion else 0)
    flags |= 0x0020 if response.authentic else 0
    sections = (response.answers, response.authority, response.additional)
    answers, authority, additional = map(len, sections)
    header = question.ident + struct.pack(
        "!HHHHH", flags, 1, answers, authority, additional + question.edns
    )
    opt = b"\0" + struct.pack("!HHIH", _OPT, 1232, 0, 0) if question.edns else b""
    records = b"".join(_record(record, question) for section in sections for record in section)
    return header + question.octets + records + opt


def _record(record: ResourceRecord, question: Question) -> bytes:
    same = record.name == question.name
    owner = _POINTER_TO_QUESTION if same else encode_name(record.name) or b"\0"
    data = _data(record)
    return owner + struct.pack("!HHIH", CODES[record.kind], 1, record.ttl, len(data)) + data


def _data(record: ResourceRecord) -> bytes:
    match record.data:
        case TextRecord(strings):
            return b"".join(bytes((len(string),)) + string for string in strings)
        case Exchange(preference, exchange):
            return struct.pack("!H", preference) + (encode_name(exchange) or b"\0")
        case IPv4Address() | IPv6Address() as address:
            return address.packed
        case text if record.kind in _OF_TEXT or (record.kind == "SOA" and " " in text):
            kind = dns.rdatatype.from_text(record.kind)
            # Names in it are absolute, with a dot at their end or without.
            data = dns.rdata.from_text(dns.rdataclass.IN, kind, text, dns.name.root, False)  # noqa: FBT003
            return data.to_wire() or b""
        case text:
            name = encode_name(text) or b"\0"
            if record.kind != "SOA":
                return name
            return name + name + struct.pack("!IIIII", 1, 3600, 600, 86400, record.ttl)


Zone = Mapping[tuple[str, str], Collection[Record]]


def respond(
    question: Question, zone: Zone, *, ttl: int = 300, negative_ttl: int = NEGATIVE_TTL
) -> Response:
    """Answer from *zone* as an authoritative server of every name would.

    Aliases are followed within the zone. A name exists if it, or a name below it, has records of
    any type, be it an empty set of them (RFC 8020); what does not exist is NXDOMAIN. Both come with
    the SOA that RFC 2308 asks for, and may be kept for *negative_ttl* seconds.
    """
    name, answers = question.name, []
    for _ in range(MAX_ALIASES):
        records = zone.get((name, question.kind))
        if records:
            answers += [ResourceRecord(name, question.kind, ttl, record) for record in records]
            break
        alias = next(iter(zone.get((name, "CNAME"), ())), None)
        if alias is None:
            break
        answers.append(ResourceRecord(name, "CNAME", ttl, alias))
        name = str(alias)
    if answers and answers[-1].kind == question.kind:
        return Response(answers=tuple(answers))
    exists = any(known == name or known.endswith("." + name) for known, _ in zone)
    return Response(
        rcode=NOERROR if exists else NXDOMAIN,
        answers=tuple(answers),
        authority=(ResourceRecord(_apex(name), "SOA", negative_ttl, "ns.invalid"),),
    )


def refer(question: Question, zone: Zone, apex: str, *, ttl: int = 300) -> Response:
    """Answer as a server of *apex* that knows of the zones below it by their delegation only.

    The addresses of a zone's own servers come along as glue (RFC 1034 section 4.2.1).
    """
    labels = question.name.split(".")
    for at in reversed(range(len(labels) - len(apex.split(".")))):
        name = ".".join(labels[at:])
        servers = zone.get((name, "NS")) if name.endswith(f".{apex}") else None
        if servers:
            glue = tuple(
                ResourceRecord(str(server), kind, ttl, address)
                for server in servers
                for kind in ("A", "AAAA")
                if f".{server}".endswith(f".{name}")
                for address in zone.get((str(server), kind), ())
            )
            return Response(
                authority=tuple(ResourceRecord(name, "NS", ttl, each) for each in servers),
                additional=glue,
                authoritative=False,
                recursion=False,
            )
    return replace(respond(question, zone, ttl=ttl), recursion=False)


def _apex(name: str) -> str:
    return ".".join(name.split(".")[-2:])
