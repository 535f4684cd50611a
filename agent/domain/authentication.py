"""Who does the receiver say that the message is from, and how sure is it?

Every server may write its opinion, and so may the sender of a forgery. The topmost field counts,
and only if it stands above the Received fields that anybody could have written. Directly above the
first of those it may be the client's: there it must name a server that is believed. Where it is
silent about SPF, Received-SPF speaks.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import islice

from agent.domain.arc import ArcSet, read_sets
from agent.domain.authentication_results import (
    AuthResult,
    Signature,
    Statement,
    read_statement,
    sender_in,
)
from agent.domain.comments import pieces
from agent.domain.header_fields import Fields
from agent.domain.knowledge.microsoft_hosts import host_class
from agent.domain.received import read_address

MAX_STATEMENTS = 6  # of one server; each of its filters may write its own

_FIELD = "authentication-results"
_ORIGINAL = "authentication-results-original"
_SPF = "received-spf"
_SEAL = "arc-seal"
_ARC_FIELD = "arc-authentication-results"
_REPORT = "x-forefront-antispam-report"
_NAMES = frozenset({_FIELD, _ORIGINAL, _SPF, _SEAL, _ARC_FIELD, _REPORT})
_CIP = re.compile(r"\bCIP:([0-9A-Fa-f.:]{2,45})")
_PAIR = re.compile(r"\b(client-ip|envelope-from|helo) ?= ?\"?<?([^\s\";>]{1,320})", re.IGNORECASE)
_RECEIVER = re.compile(r"\breceiver ?= ?\"?([^\s\";]{1,255})", re.IGNORECASE)
_SPEAKER = re.compile(r"\s*([A-Za-z0-9.-]{1,255}):")
_DOMAIN = re.compile(r"\bdomain of (?:transitioning )?([^\s;]{1,320})")
_INSIDE = "255.255.255.255"  # what Exchange Online writes for mail that came from no address
_SILENT = Statement()


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """What the receiver says, in ``seen``.

    ``source`` is the field that it is from, empty where there is none; ``is_claim`` is true where
    anybody could have written it. ``sender_address`` is the client as the receiver saw it;
    ``original`` is what a server before said, as Exchange keeps it.
    """

    seen: Statement = _SILENT
    source: str = ""
    is_claim: bool = False
    sender_address: str = ""
    original: Statement | None = None
    arc_sets: tuple[ArcSet, ...] = ()

    @property
    def spf(self) -> AuthResult | None:
        """The result of SPF; None where nothing is said of it."""
        return self.seen.spf

    @property
    def dkim(self) -> AuthResult | None:
        """The best result of DKIM; None where nothing is said of it."""
        return self.seen.dkim

    @property
    def dmarc(self) -> AuthResult | None:
        """The result of DMARC; None where nothing is said of it."""
        return self.seen.dmarc

    @property
    def compauth(self) -> AuthResult | None:
        """Microsoft's composite authentication; None where nothing is said of it."""
        return self.seen.compauth

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """The results of the single DKIM signatures."""
        return self.seen.signatures


@dataclass(frozen=True, slots=True)
class _Found:
    """The value of a field, and how many Received fields stand above it."""

    value: str
    depth: int


def read_authentication(
    fields: Fields, believed: int | None = None, servers: Collection[str] = ()
) -> Authentication:
    """Read what servers said of the sender. Never raises.

    *believed* is the number of the newest Received fields that are evidence, and *servers* are the
    hosts that wrote them; a field below more of them is a claim, and below as many if it names none
    of these. Without it the topmost field counts.
    """
    found = _collect(fields)
    opinions, policies = found[_FIELD], found[_SPF]
    believable = _believable(opinions, believed, lambda value: _has_signed(value, servers))
    further = _believable(policies, believed, lambda value: _has_received(value, servers))
    is_claim = bool(opinions or policies) and not (believable or further)
    if is_claim:
        believable, further = opinions, policies
    seen = _combine(believable)
    policy = read_received_spf(further[0].value) if further else _SILENT
    report = found[_REPORT][0].value if found[_REPORT] else ""
    original = found[_ORIGINAL]
    return Authentication(
        seen=seen.completed(policy),
        source=_FIELD if believable else _SPF if further else "",
        is_claim=is_claim,
        sender_address=seen.sender_address or policy.sender_address or _cip(report),
        original=read_statement(original[0].value) if original else None,
        arc_sets=read_sets(_values(found[_SEAL]), _values(found[_ARC_FIELD])),
    )


def read_received_spf(value: str) -> Statement:
    """Read the value of a Received-SPF field (RFC 7208 section 9.1). Never raises."""
    parts = pieces(value.replace("\\x09", " "))
    plain = " ".join(text for is_comment, text in parts if not is_comment)
    comment = next((text for is_comment, text in parts if is_comment), "")
    pairs = {match[1].lower(): match[2] for match in _PAIR.finditer(plain)}
    domain = _DOMAIN.search(comment)
    word = plain.split(None, 1)
    return Statement(
        spf=AuthResult.read(word[0].strip(";")) if word else None,
        mail_from=pairs.get("envelope-from", "") or (domain[1] if domain else ""),
        helo=pairs.get("helo", ""),
        sender_address=read_address(pairs.get("client-ip", "")) or sender_in(comment),
    )


def _collect(fields: Fields) -> defaultdict[str, list[_Found]]:
    """Return the fields that matter, with their depth, in one pass."""
    found: defaultdict[str, list[_Found]] = defaultdict(list)
    depth = 0
    for field in fields:
        if field.name == "received":
            depth += 1
        elif field.name in _NAMES:
            found[field.name].append(_Found(field.value, depth))
    return found


def _believable(
    found: list[_Found], believed: int | None, is_ours: Callable[[str], bool]
) -> list[_Found]:
    """Return what not anybody could have written."""
    if believed is None:
        return found
    return [
        each
        for each in found
        if each.depth < believed or (each.depth == believed and is_ours(each.value))
    ]


def _has_signed(opinion: str, servers: Collection[str]) -> bool:
    """Tell whether one of the servers calls itself so; Exchange Online's name nobody."""
    named = read_statement(opinion).authserv_id
    if named:
        return _is_of(named, servers)
    return any(host_class(server) is not None for server in servers)


def _has_received(policy: str, servers: Collection[str]) -> bool:
    """Tell whether Received-SPF names one of the servers, as receiver or before its reason."""
    parts = pieces(policy)
    plain = " ".join(text for is_comment, text in parts if not is_comment)
    comment = next((text for is_comment, text in parts if is_comment), "")
    named = _RECEIVER.search(plain) or _SPEAKER.match(comment)
    return named is not None and _is_of(named[1], servers)


def _is_of(name: str, servers: Collection[str]) -> bool:
    """Tell whether *name* is that of a server, or of a domain above it."""
    name = name.lower().removesuffix(".")
    return "." in name and any(f".{server}".endswith(f".{name}") for server in servers)


def _combine(opinions: list[_Found]) -> Statement:
    """Return the topmost statement, completed by those that the same server wrote with it."""
    if not opinions:
        return _SILENT
    top = opinions[0]
    seen = read_statement(top.value)
    for each in islice(opinions, 1, MAX_STATEMENTS):
        if not seen.authserv_id or each.depth != top.depth:
            break
        other = read_statement(each.value)
        if other.authserv_id == seen.authserv_id:
            seen = seen.completed(other)
    return seen


def _cip(report: str) -> str:
    match = _CIP.search(report)
    address = read_address(match[1]) if match else ""
    return "" if address == _INSIDE else address


def _values(found: list[_Found]) -> Iterator[str]:
    return (each.value for each in found)
