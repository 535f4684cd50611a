"""What may a test's DNS server say, and how is it written down?"""

import asyncio
import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address
from typing import Literal

from agent.adapters import dns_serving
from agent.adapters.dns_serving import Question, Response
from agent.domain.lookup import Exchange, Record, TextRecord


class Fault(enum.Enum):
    """What a server may do instead of answering."""

    SERVFAIL = dns_serving.SERVFAIL
    REFUSED = dns_serving.REFUSED
    NOTIMP = dns_serving.NOTIMP
    FORMERR = dns_serving.FORMERR
    SILENT = "silent"


Loose = str | bytes | Record | Iterable[str | bytes | Record]


@dataclass(frozen=True, slots=True)
class Published:
    """Records with their TTL; *exists* false adds NXDOMAIN to them; no *soa* where it is due.

    *authentic* sets the AD bit.
    """

    records: Loose = ()
    ttl: int = 300
    exists: bool = True
    soa: bool = True
    authentic: bool = False


@dataclass(frozen=True, slots=True)
class Truncated:
    """A truncated reply over UDP, and what TCP does then."""

    records: Loose = ()
    tcp: Literal["answers", "closes", "hangs", "drips", "wrong-length", "wrong-id", "truncated"] = (
        "answers"
    )


@dataclass(frozen=True, slots=True)
class Raw:
    """Octets of the test's own making, from the question and the query as it came."""

    make: Callable[[Question, bytes], bytes]


@dataclass(frozen=True, slots=True)
class Forged:
    """Packets made from the genuine reply, sent before it; the genuine one may never come."""

    packets: tuple[Callable[[bytes], bytes], ...]
    records: Loose = ()
    genuine: bool = True


@dataclass(frozen=True, slots=True)
class Delayed:
    """Records, after some seconds."""

    records: Loose
    seconds: float


@dataclass(frozen=True, slots=True)
class Held:
    """Records, once the test sets the event."""

    records: Loose
    until: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Rotating:
    """Records that begin with another one each time they are asked for."""

    records: Loose


@dataclass(frozen=True, slots=True)
class WithoutEdns:
    """Records for a query without EDNS, FORMERR for one with it."""

    records: Loose
    rcode: int = dns_serving.FORMERR


@dataclass(frozen=True, slots=True)
class WithoutTcp:
    """Records over UDP; over TCP the connection is closed."""

    records: Loose


@dataclass(frozen=True, slots=True)
class AliasOnly:
    """A CNAME whose target the server does not follow."""

    target: str


Content = (
    Fault
    | Published
    | Truncated
    | Raw
    | Forged
    | Delayed
    | Held
    | Rotating
    | WithoutEdns
    | WithoutTcp
    | AliasOnly
    | Loose
)
Zone = dict[tuple[str, str], Content]


def read_records(kind: str, loose: Loose) -> tuple[Record, ...]:
    """Make records of what is easy to write in a test."""
    if isinstance(loose, str | bytes | TextRecord | Exchange | IPv4Address | IPv6Address):
        return (_record(kind, loose),)
    return tuple(_record(kind, item) for item in loose)


def _record(kind: str, item: str | bytes | Record) -> Record:
    if not isinstance(item, str | bytes):
        return item
    if kind in {"TXT", "SPF"}:
        octets = item.encode("latin-1") if isinstance(item, str) else item
        cuts = range(0, max(1, len(octets)), 255)
        return TextRecord(tuple(octets[cut : cut + 255] for cut in cuts))
    assert isinstance(item, str), f"{kind} records are written as text"
    if kind == "A":
        return IPv4Address(item)
    if kind == "AAAA":
        return IPv6Address(item)
    if kind == "MX":
        preference, _, exchange = item.partition(" ")
        return Exchange(int(preference), exchange.removesuffix("."))
    return item.removesuffix(".")


_WITH_RECORDS = (
    Published | Truncated | Forged | Delayed | Held | Rotating | WithoutEdns | WithoutTcp
)


class View(Mapping[tuple[str, str], tuple[Record, ...]]):
    """The zone as records; what was asked for has *content* even if that is a default."""

    def __init__(self, zone: Zone, question: Question, content: Content | None) -> None:
        self._zone = zone
        self._asked = (question.name, question.kind)
        self._content = content

    def __getitem__(self, key: tuple[str, str]) -> tuple[Record, ...]:
        content = self._content if key == self._asked else self._zone[key]
        if content is None:
            raise KeyError(key)
        if isinstance(content, Fault | Raw | AliasOnly):
            return ()
        if isinstance(content, _WITH_RECORDS):
            content = content.records
        return read_records(key[1], content)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._zone)

    def __len__(self) -> int:
        return len(self._zone)


def publish(response: Response, content: Published) -> Response:
    """Make of a right response what *content* wants."""
    rcode = response.rcode if content.exists else dns_serving.NXDOMAIN
    authority = response.authority if content.soa else ()
    return replace(response, rcode=rcode, authority=authority, authentic=content.authentic)


def rotate(response: Response, turn: int) -> Response:
    """Begin with another record each turn."""
    answers = response.answers
    if not answers:
        return response
    cut = turn % len(answers)
    return replace(response, answers=answers[cut:] + answers[:cut])


def spoil(content: Truncated, question: Question, reply: bytes) -> bytes:
    """Make of a right reply what TCP carries instead, length and all."""
    length = len(reply).to_bytes(2, "big")
    match content.tcp:
        case "closes" | "hangs":
            return b""
        case "drips":
            return length + reply[:1]
        case "wrong-length":
            return (len(reply) - 9).to_bytes(2, "big") + reply
        case "wrong-id":
            return length + bytes((reply[0] ^ 1,)) + reply[1:]
        case "truncated":
            reply = dns_serving.write_response(question, Response(truncated=True), datagram=False)
            return len(reply).to_bytes(2, "big") + reply
        case "answers":
            return length + reply
