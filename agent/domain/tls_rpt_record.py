"""What does a record for TLS reports say, and where exactly is it wrong (RFC 8460 section 3)?"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from agent.domain.mta_sts_fields import BLANK, Field, begins, read_fields
from agent.domain.mta_sts_terms import Fault
from agent.domain.report_uri import UriError, read_domain, read_mailbox
from agent.domain.tag_list import pieces

VERSION = b"v=TLSRPTv1"
MAX_DESTINATIONS = 20
_NEARLY = re.compile(rb"[\s\"']*(?:v[\s:]*=?[\s]*)?\"?tls-?rpt", re.IGNORECASE)
_CHARACTERS = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@$&'()*+=-]|%[0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where reports go: a URI of ``rua``, and the domain in it; empty where it is an address."""

    uri: str
    scheme: str
    domain: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """A record as read; without ``destinations`` nobody sends a report."""

    fields: tuple[Field, ...]
    faults: tuple[Fault, ...]
    destinations: tuple[Destination, ...] = ()


def is_record(text: bytes) -> bool:
    """Tell whether senders take *text* for a record for TLS reports."""
    return begins(text, VERSION)


def is_nearly(text: bytes) -> bool:
    """Tell whether *text* was meant to be one, and is none."""
    return not is_record(text) and _NEARLY.match(text) is not None


def parse(text: bytes) -> Record:
    """Read a text for which :func:`is_record` holds. Never raises.

    A destination that is none is left out; it is no fatal fault while there is another.
    """
    fields, faults = read_fields(text.decode("latin-1"), VERSION.decode())
    found: list[Destination] = []
    for field in fields:
        if field.name == "rua":
            for item in _destinations(field):
                (found if isinstance(item, Destination) else faults).append(item)  # type: ignore[arg-type]
        else:
            faults += _extension(field)
    if not any(field.name == "rua" for field in fields):
        hint = "Write `rua=mailto:` and an address."
        faults.append(Fault(0, "", "it has no `rua`", hint))
    if len(found) > MAX_DESTINATIONS:
        faults.append(Fault(0, "", f"it lists more than {MAX_DESTINATIONS} destinations"))
    faults.sort(key=lambda each: each.at or len(text) + 1)
    return Record(fields, tuple(faults), tuple(found[:MAX_DESTINATIONS]))


def _extension(field: Field) -> list[Fault]:
    if not field.is_extension:
        problem = "has a value with a blank, an equals sign or the like"
        return [Fault(field.at, field.text, problem)]
    if field.name.lower() in ("rua", "ruf", "v"):
        hint = "Names of fields are lower case." if field.name.lower() == "rua" else ""
        return [Fault(field.at, field.text, "is passed over by senders", hint, is_fatal=False)]
    return []


def _destinations(field: Field) -> Iterator[Destination | Fault]:
    """Yield the pieces of the list, each with its place in the record."""
    start = field.at + len("rua=")
    for piece, offset in pieces(field.value, ",", BLANK):
        try:
            yield _read(piece, start + offset)
        except UriError as error:
            problem, hint = error.args
            yield Fault(start + offset, piece, problem, hint)


def _read(piece: str, at: int) -> Destination:
    scheme, colon, rest = piece.partition(":")
    if not piece:
        problem = "is empty"
        raise UriError(problem, "Remove the comma.")
    if not colon or not scheme.isalpha():
        hint = "Write `mailto:` before the address." if "@" in piece else "Write `mailto:`."
        problem = "is no URI"
        raise UriError(problem, hint)
    if scheme.lower() not in ("mailto", "https"):
        problem = "is neither mailto nor https"
        raise UriError(problem, "Senders use only these two.")
    if not _CHARACTERS.fullmatch(piece):
        hint = "Write `!` as %21, and no blanks or quotes."
        problem = "holds a character that must be percent-encoded"
        raise UriError(problem, hint)
    if scheme.lower() == "mailto":
        return Destination(piece, "mailto", read_mailbox(rest)[1], at)
    return Destination(piece, "https", _web_host(piece), at)


def _web_host(uri: str) -> str:
    hint = "Write `https://`, a host and a path."
    try:
        host = urlsplit(uri).hostname
    except ValueError:
        host = None
    if not host:
        problem = "names no host"
        raise UriError(problem, hint)
    try:
        ip_address(host)
    except ValueError:
        return read_domain(host, hint)
    return ""
