"""What does one Received field claim?

Each server that takes a message writes a field above the others (RFC 5321 section 4.4): from whom,
by whom, how, for whom, when. No two programs write it alike, so this reader looks for the clauses
by their first words and takes what it finds. All of it is a claim of the host that wrote it; what
stands after ``from`` was said by its client, except for the address. The work is linear in the
length of the field.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from itertools import islice

from agent.domain.comments import pieces
from agent.domain.mail_date import read_date
from agent.domain.received_tls import Tls, read_tls

MAX_LENGTH = 8 * 1024  # characters of a field that are looked at
MAX_HOST = 255  # characters; RFC 5321 section 4.5.3.1.2
MAX_WORD = 320  # of a recipient, an id
_MAX_PROTOCOL = 60
_MAX_LITERALS = 4  # in one comment

_CLAUSES = frozenset({"from", "by", "via", "with", "id", "for"})
_HELO = re.compile(r"\s*(?:HELO|EHLO)\s+(\S+)|(.{0,300}?)\bhelo=(\S+)", re.IGNORECASE)
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}")
_LITERAL = re.compile(r"\[([^\[\]\s]{2,60})\]")
_ADDRESS = re.compile(r"[0-9A-Fa-f:]{0,41}[:.][0-9A-Fa-f:.]{0,41}")
_PROTOCOL = re.compile(r"(?:UTF8)?(?:E?SMTP|LMTP)S?A?|[A-Z]{2,10}")
_INTERNAL = frozenset({"LMTP", "LMTPA", "LMTPS", "LMTPSA", "LOCAL", "MAPI", "HTTP", "HTTPS", "DSN"})
_LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A Received field; what it does not say is empty, None or False.

    ``from_host`` is what the client called itself, ``from_name`` the name of its address as the
    server looked it up; hosts are in lower case. ``tls`` is ``1.0`` to ``1.3`` or ``ssl3`` where
    the field names a version; ``is_encrypted`` also holds where it only says that there was TLS.
    """

    from_host: str = ""
    from_name: str = ""
    from_address: str = ""
    by_host: str = ""
    by_address: str = ""
    via: str = ""
    protocol: str = ""
    id: str = ""
    recipient: str = ""
    tls: str = ""
    cipher: str = ""
    is_encrypted: bool = False
    at: datetime | None = None

    @property
    def is_internal(self) -> bool:
        """Whether the message did not cross a network to get here, or only inside of one system.

        So it is with local delivery (LMTP), mailbox protocols (MAPI, HTTPS), loopback, and with a
        field that names no client.
        """
        if self.protocol in _INTERNAL or self.by_host in _LOCAL_NAMES:
            return True
        if self.from_address:
            # Where the address is known, what the client calls itself does not count.
            return self.from_address.startswith("127.") or self.from_address in (
                "::1",
                self.by_address,
            )
        return "." not in self.from_host or self.from_host in (self.by_host, *_LOCAL_NAMES)


@dataclass(slots=True)
class _Clause:
    words: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    @property
    def first(self) -> str:
        return self.words[0] if self.words else ""


_NOTHING = _Clause()


def read_received(value: str) -> Received:
    """Read the value of a Received field. Never raises."""
    value = value[:MAX_LENGTH].replace("\\x09", " ")  # a tab, as it is made printable
    parts = pieces(value)
    head, at = _date(parts)
    clauses = _clauses(head)
    source = clauses.get("from") or clauses[""]
    by, way = clauses.get("by", _NOTHING), clauses.get("with", _NOTHING)
    from_host, from_name, from_address = _client(source)
    by_host, by_address = _server(by)
    tls = _tls(clauses)
    return Received(
        from_host=from_host,
        from_name=from_name,
        from_address=from_address,
        by_host=by_host,
        by_address=by_address,
        via=" ".join(clauses.get("via", _NOTHING).words[:4])[:MAX_HOST],
        protocol=_protocol(way.words),
        id=clauses.get("id", _NOTHING).first.rstrip(";")[:MAX_WORD],
        recipient=_recipient(clauses.get("for", _NOTHING).first),
        tls=tls.version,
        cipher=tls.cipher,
        is_encrypted=tls.is_encrypted,
        at=at,
    )


def _date(parts: list[tuple[bool, str]]) -> tuple[list[tuple[bool, str]], datetime | None]:
    """Part the field at its last semicolon, behind which the date stands."""
    for number in range(len(parts) - 1, -1, -1):
        is_comment, text = parts[number]
        place = -1 if is_comment else text.rfind(";")
        if place >= 0:
            tail = [text[place + 1 :], *(each for is_, each in parts[number + 1 :] if not is_)]
            at = read_date(" ".join(tail))
            if at is not None:
                return [*parts[:number], (False, text[:place])], at
            break
    # Some programs write no semicolon, or another thing behind the date.
    return parts, read_date(" ".join(text for is_comment, text in parts if not is_comment))


def _clauses(parts: list[tuple[bool, str]]) -> dict[str, _Clause]:
    """Sort words and comments by the clause in which they stand; the first of a kind counts."""
    current = _Clause()
    clauses = {"": current}
    for is_comment, text in parts:
        if is_comment:
            current.comments.append(text)
            continue
        for word in text.split():
            key = word.lower()
            # A client may call itself "by": what follows the word "from" is its name.
            is_named = current.words or current.comments or current is clauses[""]
            if key in _CLAUSES and key not in clauses and is_named:
                current = clauses[key] = _Clause()
            else:
                current.words.append(word)
    return clauses


def _client(clause: _Clause) -> tuple[str, str, str]:  # three parts of one client
    """Return what the client called itself, its name in DNS, and its address."""
    first, name, address = _host(clause.first), "", ""
    for comment in clause.comments:
        helo = _HELO.match(comment) if "lo" in comment.lower() else None
        if helo is not None:
            first, name = _host(helo[1] or helo[3]), name or _host(clause.first)
            comment = helo[2] or ""  # noqa: PLW2901 - the rest was said by the client
        elif not name and (at := comment.find("[")) > 0:
            # ident@name [address], as Sendmail writes it
            name = _host(comment[:at].strip().rpartition(" ")[2].rpartition("@")[2])
        address = address or _address_in(comment)
    for word in (*clause.words[1:3], *clause.words[:1]):
        address = address or read_address(word.strip("[]"))
    is_name = name not in {"", "unknown"} and not read_address(name)
    return first, name if is_name else "", address


def _server(clause: _Clause) -> tuple[str, str]:
    """Return the name and the address of the host that wrote the field."""
    address = ""
    for comment in clause.comments:
        address = address or _address_in(comment)
    return _host(clause.first), address or read_address(clause.first.strip("[]"))


def _address_in(comment: str) -> str:
    """Return the first address in a comment: one in square brackets, or the whole comment."""
    if "[" not in comment:
        return read_address(comment)
    for literal in islice(_LITERAL.finditer(comment), _MAX_LITERALS):
        if address := read_address(literal[1]):
            return address
    return ""


def read_address(text: str) -> str:
    """Return an address in its usual spelling; empty where *text* is none.

    Takes ``IPv6:`` in front (RFC 5321 section 4.1.3) and a zone behind, as Exchange writes it.
    """
    text = text.strip()
    if _IPV4.fullmatch(text):
        return text
    if text[:5].lower() == "ipv6:":
        text = text[5:]
    text = text.partition("%")[0]
    return "" if _ADDRESS.fullmatch(text) is None else _spelt(text)


@lru_cache(maxsize=1024)
def _spelt(text: str) -> str:
    """Return the usual spelling of what looks like an address; the same hosts come all the time."""
    try:
        address = ip_address(text)
    except ValueError:
        # Exchange sometimes appends a second address: 10.152.250.51:0:0:d::1
        before, colon, _ = text.partition(":")
        return read_address(before) if colon and "." in before else ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)


def _host(word: str) -> str:
    return word.strip("[](),;").removesuffix(".")[:MAX_HOST].lower()


def _protocol(words: list[str]) -> str:
    """Return the protocol (RFC 3848), or the words that stand in its place."""
    first = words[0].partition("/")[0].upper() if words else ""
    if _PROTOCOL.fullmatch(first) and first != "MICROSOFT":
        return first
    return " ".join(words[:4])[:_MAX_PROTOCOL]


def _recipient(word: str) -> str:
    recipient = word.strip("<>;,")[:MAX_WORD]
    return recipient if "@" in recipient or word.startswith("<") else ""


def _tls(clauses: dict[str, _Clause]) -> Tls:
    comments = [each for clause in clauses.values() for each in clause.comments]
    ways = [clauses[name].words[:8] for name in ("with", "via") if name in clauses]
    ways.append(clauses["by"].words[1:8] if "by" in clauses else [])
    return read_tls(comments, " ".join(word for words in ways for word in words))
