"""Which of a domain's TXT records is its SPF record, and what does it say?

:func:`select` picks the records (RFC 7208 section 4.5) and what nearly is one; :func:`parse` reads
one (sections 4.6 and 12), or tells every syntax error in it, because an operator wants to mend all
of them at once. Receivers give permerror at the first, also after a match.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
)

from agent.domain.lookup import TextRecord
from agent.domain.spf_hints import hint_for
from agent.domain.spf_macro import MacroError, MacroString, parse_macros
from agent.domain.spf_terms import (
    QUALIFIERS,
    A,
    All,
    Broken,
    Exists,
    Exp,
    Include,
    Ip4,
    Ip6,
    Mechanism,
    Modifier,
    Mx,
    Ptr,
    Record,
    Redirect,
    Result,
    SyntaxFault,
    UnknownModifier,
)

_VERSION = b"v=spf1"
_NEAR = re.compile(rb"[\s\"'\x80-\xff]*(?:v\s*[=:]?\s*spf(?!2)|spf1\b)", re.IGNORECASE)
_TERM = re.compile(r"[^ ]+")
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)=(.*)", re.ASCII | re.DOTALL)
_DIRECTIVE = re.compile(r"([-+~?]?)([A-Za-z][A-Za-z0-9._-]*)([:/].*)?", re.ASCII | re.DOTALL)
_PREFIXES = re.compile(r"(?:/(\d+))?(?://(\d+))?\Z", re.ASCII)
_NUMBER = re.compile(r"0|[1-9]\d*", re.ASCII)
_TOP_LABEL = re.compile(
    r"(?=[a-z0-9-]*[a-z-])[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.IGNORECASE | re.ASCII
)
_CACHED = 512  # records kept parsed; providers' records are shared by many domains


class _FaultError(ValueError):
    """A term is wrong; the message fits after the term."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The SPF records among TXT records, and those that only look like one."""

    records: tuple[TextRecord, ...]
    near_misses: tuple[TextRecord, ...]


def is_record(text: bytes) -> bool:
    """Tell whether the version is exactly ``v=spf1`` and ends there or at a space."""
    # RFC 7208 section 4.5; the version is compared without case (section 12, ABNF strings).
    return text[:6].lower() == _VERSION and text[6:7] in {b"", b" "}


@lru_cache(maxsize=_CACHED)  # every evaluation sorts the same ones out
def select(records: tuple[object, ...]) -> Selection:
    """Sort out TXT records by RFC 7208 section 4.5."""
    texts = [record for record in records if isinstance(record, TextRecord)]
    return Selection(
        tuple(text for text in texts if is_record(text.joined)),
        tuple(t for t in texts if not is_record(t.joined) and _NEAR.match(t.joined)),
    )


@lru_cache(maxsize=_CACHED)
def parse(raw: bytes) -> Record | Broken:
    """Read a record that :func:`select` has picked, in full, whatever stands in it."""
    text = raw.decode("latin-1")
    terms: list[Mechanism | Modifier] = []
    faults: list[SyntaxFault] = []
    for match in _TERM.finditer(text, len(_VERSION)):
        word, position = match.group(), match.start()
        try:
            terms.append(_read_term(word, position))
        except (MacroError, _FaultError) as error:
            faults.append(SyntaxFault(word, position, str(error), hint_for(word)))
    faults.extend(_repeated(terms))
    if faults:
        return Broken(text, tuple(sorted(faults, key=lambda fault: fault.position)))
    return _assemble(text, tuple(terms))


def _assemble(text: str, terms: tuple[Mechanism | Modifier, ...]) -> Record:
    """Sort out the terms of a record without faults."""
    mechanisms = tuple(term for term in terms if isinstance(term, Mechanism))
    redirect = next((term for term in terms if isinstance(term, Redirect)), None)
    exp = next((term for term in terms if isinstance(term, Exp)), None)
    stop = next((term for term in mechanisms if isinstance(term, All)), None)
    reached: tuple[Mechanism | Redirect, ...] = mechanisms
    if stop is not None:
        reached = mechanisms[: mechanisms.index(stop) + 1]
    elif redirect is not None:
        reached = (*mechanisms, redirect)
    is_plain = all(isinstance(term, Ip4 | Ip6 | All) for term in reached)
    return Record(text, terms, mechanisms, redirect, exp, stop, reached, is_plain)


def _repeated(terms: list[Mechanism | Modifier]) -> Iterable[SyntaxFault]:
    """Yield a fault for each further redirect or exp (RFC 7208 section 6)."""
    for kind in (Redirect, Exp):
        for term in [term for term in terms if isinstance(term, kind)][1:]:
            name = term.text.partition("=")[0]
            message = f"is the second {name}; a record has at most one"
            yield SyntaxFault(term.text, term.position, message, "Keep one of them.")


def _read_term(word: str, position: int) -> Mechanism | Modifier:
    """Read one term; raises _FaultError or MacroError."""
    modifier = _MODIFIER.fullmatch(word)
    if modifier is not None:
        return _read_modifier(word, position, modifier[1], modifier[2])
    directive = _DIRECTIVE.fullmatch(word)
    if directive is None:
        message = "is neither a mechanism nor a modifier"
        raise _FaultError(message)
    reader = _READERS.get(directive[2].lower())
    if reader is None:
        message = f"is no mechanism of SPF: {directive[2]}"
        raise _FaultError(message)
    return reader(word, position, QUALIFIERS[directive[1] or "+"], directive[3] or "")


def _read_modifier(word: str, position: int, name: str, value: str) -> Modifier:
    match name.lower():
        case "redirect":
            return Redirect(word, position, _domain_spec(value))
        case "exp":
            return Exp(word, position, _domain_spec(value))
        case _:
            return UnknownModifier(word, position, name.lower(), parse_macros(value))


def _domain_spec(text: str) -> MacroString:
    """Read a domain-spec: it ends in a macro or in a top label (RFC 7208 section 7.1)."""
    if not text:
        message = "names no domain"
        raise _FaultError(message)
    string = parse_macros(text)
    if string.ends_in_macro:
        return string
    before, dot, top = text.removesuffix(".").rpartition(".")
    if not dot or not _TOP_LABEL.fullmatch(top):
        message = f"must end in a macro or a top-level label, not in {(top or before)!r}"
        raise _FaultError(message)
    return string


def _number(text: str, highest: int) -> int:
    """Read a prefix length: no sign, no leading zero, at most *highest*."""
    if not _NUMBER.fullmatch(text) or len(text) > len(str(highest)) or int(text) > highest:
        message = f"has the prefix length {text!r}, which is not a number from 0 to {highest}"
        raise _FaultError(message)
    return int(text)


def _read_all(word: str, position: int, result: Result, rest: str) -> All:
    if rest:
        message = "gives an argument to all, which takes none"
        raise _FaultError(message)
    return All(word, position, result)


def _required(rest: str) -> MacroString:
    """Read the domain-spec of a mechanism that must have one."""
    if not rest.startswith(":"):
        message = "needs a domain after a colon"
        raise _FaultError(message)
    return _domain_spec(rest[1:])


def _read_include(word: str, position: int, result: Result, rest: str) -> Include:
    return Include(word, position, result, _required(rest))


def _read_exists(word: str, position: int, result: Result, rest: str) -> Exists:
    return Exists(word, position, result, _required(rest))


def _read_ptr(word: str, position: int, result: Result, rest: str) -> Ptr:
    return Ptr(word, position, result, _required(rest) if rest else None)


@dataclass(frozen=True, slots=True)
class _Host:
    """The argument of ``a`` and ``mx``."""

    domain: MacroString | None
    prefix4: int
    prefix6: int


def _host(rest: str) -> _Host:
    """Read ``[":" domain-spec] [dual-cidr-length]``."""
    # The expression can match nothing at the very end, so it always matches.
    prefixes = next(_PREFIXES.finditer(rest))
    prefix4 = 32 if prefixes[1] is None else _number(prefixes[1], 32)
    prefix6 = 128 if prefixes[2] is None else _number(prefixes[2], 128)
    spec = rest[: prefixes.start()]
    return _Host(_required(spec) if spec else None, prefix4, prefix6)


def _read_a(word: str, position: int, result: Result, rest: str) -> A:
    host = _host(rest)
    return A(word, position, result, host.domain, host.prefix4, host.prefix6)


def _read_mx(word: str, position: int, result: Result, rest: str) -> Mx:
    host = _host(rest)
    return Mx(word, position, result, host.domain, host.prefix4, host.prefix6)


@dataclass(frozen=True, slots=True)
class _Range:
    """The argument of ``ip4`` and ``ip6``: an address and a prefix length."""

    address: str
    prefix: int


def _range(rest: str, highest: int) -> _Range:
    if not rest.startswith(":") or len(rest) == 1:
        message = "needs an address after a colon"
        raise _FaultError(message)
    address, slash, prefix = rest[1:].partition("/")
    return _Range(address, _number(prefix, highest) if slash else highest)


def _read_ip4(word: str, position: int, result: Result, rest: str) -> Ip4:
    found = _range(rest, 32)
    try:
        address = IPv4Address(found.address)  # refuses leading zeros, as RFC 7208's ABNF does
    except AddressValueError:
        message = f"has {found.address!r}, which is not an IPv4 address"
        raise _FaultError(message) from None
    network = IPv4Network((int(address), found.prefix), strict=False)
    return Ip4(word, position, result, network, address != network.network_address)


def _read_ip6(word: str, position: int, result: Result, rest: str) -> Ip6:
    found = _range(rest, 128)
    try:
        # The library takes a scope after a percent sign, RFC 7208's ABNF does not.
        address = IPv6Address(found.address.replace("%", " "))
    except AddressValueError:
        message = f"has {found.address!r}, which is not an IPv6 address"
        raise _FaultError(message) from None
    network = IPv6Network((int(address), found.prefix), strict=False)
    return Ip6(word, position, result, network, address != network.network_address)


_READERS: dict[str, Callable[[str, int, Result, str], Mechanism]] = {
    "all": _read_all,
    "include": _read_include,
    "a": _read_a,
    "mx": _read_mx,
    "ptr": _read_ptr,
    "ip4": _read_ip4,
    "ip6": _read_ip6,
    "exists": _read_exists,
}
