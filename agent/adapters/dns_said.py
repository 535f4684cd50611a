"""What did a server say to a direct question, as values?

The same hostile octets as those of a resolver, opened by the same guard; but here the header's
bits, the authority and the glue are what is wanted, and a refusal is an answer.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final, cast

import dns.flags
import dns.message
import dns.rdataclass
import dns.rrset

from agent.adapters.dns_opening import OPT, Mark, open_message
from agent.adapters.dns_plain import open_plain
from agent.adapters.dns_question import CODES, HEADER
from agent.adapters.dns_values import Found, name_of, records_of
from agent.adapters.dns_wire import MAX_ALIASES
from agent.domain.direct import Address, Code, DirectQuery, Heard, Said, Signature
from agent.domain.lookup import Silence, Type, Unanswered

_CODES: Final = {
    0: Code.NOERROR,
    1: Code.FORMERR,
    2: Code.SERVFAIL,
    3: Code.NXDOMAIN,
    4: Code.NOTIMP,
    5: Code.REFUSED,
}
_MAX_GLUE = 40  # names of a delegation, and addresses of each, that are kept
# As numbers: flags of dnspython's are slow to compare.
_AUTHORITATIVE, _AUTHENTIC, _RECURSION = map(int, (dns.flags.AA, dns.flags.AD, dns.flags.RA))
_Records = list[tuple[dns.rrset.RRset, Mark]]


def read_said(wire: bytes, query: DirectQuery, *, seconds: float, by_tcp: bool = False) -> Heard:
    """Read the reply to *query*, which took *seconds*, *by_tcp* or not; never raises."""
    if len(wire) < HEADER or wire[4:6] == b"\0\0":
        # Only a failure may leave the question out, and then it says no more.
        return Said(_code(wire), seconds=seconds, by_tcp=by_tcp)
    kinds: tuple[Type, ...] = (query.type, "CNAME", "NS", "A", "AAAA", "RRSIG")
    opened = open_plain(wire, kinds) or open_message(wire, kinds)
    if isinstance(opened, Unanswered):
        return opened
    message, marks = opened
    flags = int(message.flags)
    marks = tuple(mark for mark in marks if mark.code != OPT)  # which is in no section
    answer = list(zip(message.answer, marks, strict=False))
    rest = marks[len(message.answer) :]
    authority = list(zip(message.authority, rest, strict=False))
    additional = list(zip(message.additional, rest[len(message.authority) :], strict=False))
    aliases = _aliases(answer, query.name)
    if isinstance(aliases, Unanswered):
        return aliases
    owner = aliases[-1] if aliases else query.name
    found: Found = [each for each in _of(answer, CODES[query.type]) if _owner(each) == owner]
    return Said(
        _code(wire),
        tuple(records_of(query.type, found)),
        ttl=max((int(rrset.ttl) for rrset, _ in found), default=None),
        aliases=aliases,
        authoritative=bool(flags & _AUTHORITATIVE),
        authentic=bool(flags & _AUTHENTIC),
        recursion=bool(flags & _RECURSION),
        signatures=tuple(_signatures(answer, owner, CODES[query.type])),
        delegation=_delegation(authority),
        cut=min(map(_owner, _of(authority, CODES["NS"])), default=""),
        glue=_glue(additional),
        seconds=seconds,
        by_tcp=by_tcp,
    )


def _code(wire: bytes) -> Code:
    return _CODES.get(wire[3] & 15, Code.OTHER)


def _owner(record: tuple[dns.rrset.RRset, Mark]) -> str:
    return name_of(record[0].name)


def _of(section: _Records, code: int) -> Iterator[tuple[dns.rrset.RRset, Mark]]:
    for rrset, mark in section:
        if mark.code == code and rrset.rdclass == dns.rdataclass.IN:
            yield rrset, mark


def _aliases(answer: _Records, name: str) -> tuple[str, ...] | Unanswered:
    links = {_owner(each): name_of(cast("Any", each[0][0]).target) for each in _of(answer, 5)}
    passed: list[str] = []
    while name in links:
        name = links[name]
        if name in passed or len(passed) == MAX_ALIASES:
            return Unanswered(Silence.ALIAS_LOOP, "within one answer")
        passed.append(name)
    return tuple(passed)


def _signatures(answer: _Records, owner: str, code: int) -> Iterator[Signature]:
    for record in _of(answer, CODES["RRSIG"]):
        rdata = cast("Any", record[0][0])
        if _owner(record) == owner and int(rdata.type_covered) == code:
            yield Signature(
                name_of(rdata.signer),
                int(rdata.algorithm),
                int(rdata.key_tag),
                datetime.fromtimestamp(int(rdata.inception), UTC),
                datetime.fromtimestamp(int(rdata.expiration), UTC),
                int(rdata.original_ttl),
            )


def _delegation(authority: _Records) -> tuple[str, ...]:
    names = {name_of(cast("Any", rrset[0]).target) for rrset, _ in _of(authority, CODES["NS"])}
    return tuple(sorted(names))


def _glue(additional: _Records) -> dict[str, tuple[Address, ...]]:
    glue: dict[str, list[Address]] = {}
    for kind, read in (("A", IPv4Address), ("AAAA", IPv6Address)):
        for record in _of(additional, CODES[kind]):
            name = _owner(record)
            if name in glue or len(glue) < _MAX_GLUE:
                glue.setdefault(name, []).append(read(cast("Any", record[0][0]).address))
    return {name: tuple(sorted(found, key=str)[:_MAX_GLUE]) for name, found in glue.items()}
