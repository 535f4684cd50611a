"""How is a message read that holds nothing out of the ordinary?

Nearly every reply is plain: class IN, well-formed records, no EDNS options. Such a one takes a
fraction of the time here that dnspython takes for it. Whatever is unusual, or wrong, is left to
dnspython, which alone decides what becomes of a message that does not hold together; what is read
here reads the same there, and a test compares the two.
"""

import struct
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import dns.rdataclass

from agent.adapters.dns_opening import MAX_RECORDS, OPT, Mark
from agent.adapters.dns_question import CODES, HEADER, MAX_NAME
from agent.domain.lookup import Type

_RECORD: Final = struct.Struct("!HHIH")
_COUNTS: Final = struct.Struct("!HHHH")
_IN: Final = 1
_POINTER = 0xC0
_MAX_LABEL = 63
_MAX_EFFORT = 50_000  # squares of the labels and pointers in each name; dnspython may take twice it
_MAX_TTL = 2**31 - 1
_TIMES: Final = struct.Struct("!IIIII")  # after the names of a SOA record; the last is the minimum
_SPECIAL: Final = b'"().;\\@$'  # escaped in a zone file; so is what is not printable


class _UnusualError(Exception):
    """Left to dnspython."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name by its labels, as dnspython's are."""

    labels: tuple[bytes, ...]

    def to_text(self) -> str:
        """Return it as zone files have it."""
        return "".join(f"{''.join(map(_escaped, label))}." for label in self.labels) or "."


def _escaped(octet: int) -> str:
    if 0x20 < octet < 0x7F:  # noqa: PLR2004  printable
        return f"\\{octet:c}" if octet in _SPECIAL else chr(octet)
    return f"\\{octet:03}"


@dataclass(frozen=True, slots=True)
class Address:
    """The value of an A or AAAA record, in octets."""

    address: bytes


@dataclass(frozen=True, slots=True)
class Host:
    """The value of a record that is one name."""

    target: Name


@dataclass(frozen=True, slots=True)
class Exchange:
    """The value of an MX record."""

    preference: int
    exchange: Name


@dataclass(frozen=True, slots=True)
class Texts:
    """The value of a TXT record."""

    strings: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Authority:
    """The value of a SOA record; the times are its serial and four in seconds."""

    names: tuple[Name, Name]
    times: tuple[int, ...]

    @property
    def minimum(self) -> int:
        """The last of the times, which is that of negative answers."""
        return self.times[-1]

    def to_text(self) -> str:
        """Return it as zone files have it."""
        return " ".join((*(name.to_text() for name in self.names), *map(str, self.times)))


class Rrset(list[Any]):
    """One record as dnspython has it: a set of one; empty where it is opaque."""

    __slots__ = ("name", "ttl")
    rdclass = dns.rdataclass.IN

    def __init__(self, name: Name, ttl: int, values: tuple[Any, ...]) -> None:
        super().__init__(values)
        self.name = name
        self.ttl = ttl


@dataclass(frozen=True, slots=True)
class Message:
    """As much of dnspython's message as is looked at."""

    flags: int
    answer: list[Any]
    authority: list[Any]
    additional: list[Any]

    def rcode(self) -> int:
        """Return the response code, of which a plain message has no upper half."""
        return self.flags & 15


def open_plain(wire: bytes, kinds: tuple[Type, ...]) -> tuple[Message, tuple[Mark, ...]] | None:
    """Open a reply with what is of *kinds* understood; None where it is not plain. Never raises."""
    try:
        return _Opener(wire, _readers(kinds)).open()
    except (_UnusualError, IndexError, struct.error):
        return None


class _Opener:
    """Goes through one message once."""

    def __init__(self, wire: bytes, wanted: "Mapping[int, _Read]") -> None:
        self._wire = wire
        self._wanted = wanted
        # What begins at an offset: a name, and how many labels and pointers it has.
        self._names: dict[int, tuple[Name, int]] = {}
        self._effort = 0
        self._has_opt = False
        self._marks: list[Mark] = []

    def open(self) -> tuple[Message, tuple[Mark, ...]]:
        questions, *counts = _COUNTS.unpack_from(self._wire, 4)
        _, offset = self.name(HEADER, len(self._wire))
        if (
            questions != 1
            or sum(counts) > MAX_RECORDS
            or self._wire[offset + 2 : offset + 4] != b"\0\1"
        ):
            raise _UnusualError
        offset += 4
        sections: list[list[Rrset]] = [[], [], []]
        for number, count in enumerate(counts):
            for _ in range(count):
                offset = self._record(offset, sections[number], is_last=number == 2)  # noqa: PLR2004
        if offset != len(self._wire):
            raise _UnusualError
        flags = int.from_bytes(self._wire[2:4], "big")
        return Message(flags, *sections), tuple(self._marks)

    def _record(self, offset: int, section: list[Rrset], *, is_last: bool) -> int:
        """Read the record at *offset*, and return where it ends."""
        owner, fixed = self.name(offset, len(self._wire))
        code, kind, ttl, length = map(int, _RECORD.unpack_from(self._wire, fixed))
        start = fixed + _RECORD.size
        end = start + length
        if end > len(self._wire):
            raise _UnusualError
        self._marks.append(Mark(fixed, code, length))
        ttl = ttl if ttl <= _MAX_TTL or code == OPT else 0  # RFC 2181 section 8
        if code == OPT:
            # Root's, the only one, version 0, without options or the upper half of an rcode.
            if self._has_opt or not is_last or owner.labels or ttl >> 16 or length:
                raise _UnusualError
            self._has_opt = True
            return end
        if kind != _IN:
            raise _UnusualError
        read = self._wanted.get(code)
        section.append(Rrset(owner, ttl, () if read is None else (read(self, start, end),)))
        return end

    def name(self, at: int, end: int) -> tuple[Name, int]:
        """Return the name at *at*, whose own octets are before *end*, and where it ends."""
        wire, start, lowest, after = self._wire, at, at, 0
        labels: list[bytes] = []
        size, effort = 1, 0
        while length := wire[at]:
            effort += 1
            if length >= _POINTER:
                self._part(lowest, at + 2, end, is_own=not after)
                target = (length & ~_POINTER) << 8 | wire[at + 1]
                after = after or at + 2
                if target >= lowest:
                    raise _UnusualError
                if not labels and target in self._names:
                    found, spent = self._names[target]
                    self._spend(effort + spent)
                    return found, after
                # A name that is referred to stands before whatever refers to it.
                end, lowest, at = lowest, target, target
                continue
            labels.append(wire[at + 1 : at + 1 + length])
            at += 1 + length
            size += 1 + length
            if length > _MAX_LABEL or size > MAX_NAME:
                raise _UnusualError
        self._part(lowest, at + 1, end, is_own=not after)
        found = Name(tuple(labels))
        self._names[start] = found, effort
        self._spend(effort)
        return found, after or at + 1

    def _part(self, start: int, after: int, end: int, *, is_own: bool) -> None:
        """Have a part of a name end before *end*; one elsewhere must not have a type in it.

        For dnspython types are overwritten, and names that go through them are not the same there.
        """
        if after > end:
            raise _UnusualError
        if not is_own:
            at = bisect_left(self._marks, start - 1, key=lambda mark: mark.offset)
            if at < len(self._marks) and self._marks[at].offset < after:
                raise _UnusualError

    def _spend(self, effort: int) -> None:
        self._effort += effort * effort
        if self._effort > _MAX_EFFORT:
            raise _UnusualError

    def whole(self, at: int, end: int) -> Name:
        """Return the name that fills what is between *at* and *end*."""
        name, after = self.name(at, end)
        if after != end:
            raise _UnusualError
        return name

    def address(self, start: int, end: int, size: int) -> Address:
        if end - start != size:
            raise _UnusualError
        return Address(self._wire[start:end])

    def host(self, start: int, end: int) -> Host:
        return Host(self.whole(start, end))

    def exchange(self, start: int, end: int) -> Exchange:
        return Exchange(
            int.from_bytes(self._wire[start : start + 2], "big"), self.whole(start + 2, end)
        )

    def texts(self, start: int, end: int) -> Texts:
        found: list[bytes] = []
        while start < end:
            length = self._wire[start]
            found.append(self._wire[start + 1 : start + 1 + length])
            start += 1 + length
        if start != end:
            raise _UnusualError
        return Texts(tuple(found))

    def authority(self, start: int, end: int) -> Authority:
        primary, start = self.name(start, end)
        person, start = self.name(start, end)
        if end - start != _TIMES.size:
            raise _UnusualError
        return Authority((primary, person), _TIMES.unpack_from(self._wire, start))


def _leave(opener: _Opener, start: int, end: int) -> None:
    """Read nothing of a record of a type that is only understood by dnspython."""
    del opener, start, end
    raise _UnusualError


_Read = Callable[[_Opener, int, int], Any]
_READERS: Final[dict[int, _Read]] = {
    CODES["A"]: lambda opener, start, end: opener.address(start, end, 4),
    CODES["AAAA"]: lambda opener, start, end: opener.address(start, end, 16),
    CODES["MX"]: _Opener.exchange,
    CODES["TXT"]: _Opener.texts,
    CODES["SPF"]: _Opener.texts,
    CODES["NS"]: _Opener.host,
    CODES["PTR"]: _Opener.host,
    CODES["CNAME"]: _Opener.host,
    CODES["SOA"]: _Opener.authority,
}


@lru_cache(maxsize=256)
def _readers(kinds: tuple[Type, ...]) -> Mapping[int, _Read]:
    return {code: _READERS.get(code, _leave) for code in map(CODES.__getitem__, kinds)}
