"""Which header fields does a message have?

A message that arrived is hostile as any other word of a peer. The reader is one linear pass over a
bounded number of octets, knows no structure inside of a field, and gives printable text only.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.domain.peer_text import PeerText

MAX_HEAD = 64 * 1024  # octets of a header that are looked at
MAX_FIELDS = 400
MAX_VALUE = 8 * 1024  # characters of one field

_FIELD = re.compile(rb"([!-9;-~]{1,100})[ \t]*:(.*)", re.DOTALL)  # RFC 5322 section 2.2
_FOLD = re.compile(rb"\r?\n[ \t]+")  # section 2.2.3


@dataclass(frozen=True, slots=True)
class Field:
    """A header field: its name in lower case, and its value unfolded and printable."""

    name: str
    value: str


class Fields:
    """The fields of one header, in order: the one added last comes first."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[Field]) -> None:
        self._fields = tuple(fields)

    def all(self, name: str) -> tuple[str, ...]:
        """Return the values of every field called *name*, given in lower case."""
        return tuple(field.value for field in self._fields if field.name == name)

    def first(self, name: str) -> str:
        """Return the value of the first field called *name*; empty where there is none."""
        return next((field.value for field in self._fields if field.name == name), "")

    def has(self, name: str) -> bool:
        """Tell whether there is a field called *name*, be its value empty."""
        return any(field.name == name for field in self._fields)

    def __iter__(self) -> Iterator[Field]:
        return iter(self._fields)


def read_head(raw: bytes) -> Fields:
    """Return the header fields at the start of *raw*, which may be a whole message.

    Never raises. Lines that are no field are passed over; fields beyond the bounds are left out.
    """
    head, _ = split(raw)
    return Fields(_read(head))


def split(raw: bytes) -> tuple[bytes, bytes]:
    """Return the header of a message and its body, parted at the first empty line.

    A header without an end is a message without a body.
    """
    for mark in (b"\r\n", b"\n"):
        if raw.startswith(mark):
            return b"", raw[len(mark) :]
    places = [(at, len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if (at := raw.find(mark)) >= 0]
    if not places:
        return raw, b""
    at, length = min(places)
    return raw[:at], raw[at + length :]


def _read(head: bytes) -> Iterator[Field]:
    lines = _FOLD.sub(b" ", head[:MAX_HEAD]).replace(b"\t", b" ").splitlines()
    for line in lines[:MAX_FIELDS]:
        match = _FIELD.fullmatch(line)
        if match is not None:
            name = match[1].decode("ascii").lower()
            yield Field(name, PeerText(match[2].strip(), MAX_VALUE))
