"""Of which parts does a message consist?

Reading MIME is the softest spot of mail software: nested parts, parameters without an end and
broken encodings have cost minutes of computing and whole stacks. This reader is a loop without
recursion over a bounded number of octets, parts and depths. What is beyond is left out, and what
cannot be decoded stays as it is.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.domain.header_fields import Fields, read_head, split

MAX_OCTETS = 512 * 1024  # of a message that are looked at
MAX_PARTS = 50
MAX_DEPTH = 8

_TYPE = re.compile(r"\s*([A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+-]{1,80})")
_PARAMETER = re.compile(
    r';\s*([A-Za-z0-9*_.-]{1,40})\s*=\s*(?:"((?:[^"\\]|\\.){0,500})"|([^\s;"]{1,500}))'
)
_PARSED = 2000  # characters of a Content-Type field


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a message, or the message itself.

    ``content_type`` is in lower case, ``text/plain`` where none is given; ``body`` has its transfer
    encoding undone. ``depth`` is 0 for the message itself. A multipart has an empty body.
    """

    fields: Fields
    content_type: str
    parameters: dict[str, str]
    body: bytes
    depth: int

    @property
    def is_multipart(self) -> bool:
        """Whether it is only a wrapper of the parts that follow it."""
        return self.content_type.startswith("multipart/")


def read_parts(raw: bytes) -> tuple[Part, ...]:
    """Return the message and its parts in document order, those of enclosed messages too.

    Never raises; the work is linear in the octets looked at.
    """
    found: list[Part] = []
    # What is left to be read, the next one last: no recursion, whatever is nested in what.
    left: list[tuple[bytes, int]] = [(raw[:MAX_OCTETS], 0)]
    while left and len(found) < MAX_PARTS:
        octets, depth = left.pop()
        part, inner = _open(octets, depth)
        found.append(part)
        if depth < MAX_DEPTH:
            left.extend((each, depth + 1) for each in reversed(inner))
    return tuple(found)


def read_type(value: str) -> tuple[str, dict[str, str]]:
    """Return the content type in lower case, and its parameters by names in lower case."""
    value = value[:_PARSED]
    match = _TYPE.match(value)
    if match is None:
        return "text/plain", {}  # RFC 2045 section 5.2
    parameters = {
        each[1].lower(): re.sub(r"\\(.)", r"\1", each[2]) if each[2] is not None else each[3]
        for each in _PARAMETER.finditer(value, match.end())
    }
    return match[1].lower(), parameters


def _open(octets: bytes, depth: int) -> tuple[Part, list[bytes]]:
    """Return the part at the start of *octets*, and the octets of those inside of it."""
    fields = read_head(octets)
    _, body = split(octets)
    content_type, parameters = read_type(fields.first("content-type"))
    boundary = parameters.get("boundary", "")
    if content_type.startswith("multipart/") and boundary:
        inner = list(_between(body, boundary.encode("latin-1", "replace")))
        return Part(fields, content_type, parameters, b"", depth), inner
    body = decode(body, fields.first("content-transfer-encoding"))
    inner = [body] if content_type in ("message/rfc822", "message/global") else []
    return Part(fields, content_type, parameters, body, depth), inner


def _between(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """Yield what stands between the lines of a boundary (RFC 2046 section 5.1.1)."""
    mark = b"--" + boundary
    lines = re.compile(rb"^" + re.escape(mark) + rb"(--)?[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
    start: int | None = None
    count = 0
    for match in lines.finditer(body):
        if start is not None:
            yield _without_break(body[start : match.start()])
            count += 1
        if match[1] or count >= MAX_PARTS:
            return
        start = match.end()
    if start is not None:  # the end is missing, as where a message was cut
        yield body[start:]


def _without_break(octets: bytes) -> bytes:
    """Drop the line break that belongs to the boundary behind it."""
    return octets.removesuffix(b"\n").removesuffix(b"\r")


def decode(body: bytes, encoding: str) -> bytes:
    """Undo a transfer encoding (RFC 2045 section 6); broken encoding stays as it is."""
    match encoding.strip().lower():
        case "quoted-printable":
            return binascii.a2b_qp(body)
        case "base64":
            try:
                return binascii.a2b_base64(body)
            except binascii.Error:
                return body
    return body
