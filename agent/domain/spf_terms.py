"""What can stand in an SPF record?

The terms of RFC 7208 as closed types. A term keeps its own text and its position in the record, so
that whatever is said about it can point at it.
"""

import enum
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from agent.domain.spf_macro import MacroString


class Result(enum.StrEnum):
    """What check_host() says (RFC 7208 section 2.6)."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"  # noqa: S105 - RFC 7208's word
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


QUALIFIERS = {
    "+": Result.PASS,
    "-": Result.FAIL,
    "~": Result.SOFTFAIL,
    "?": Result.NEUTRAL,
}


@dataclass(frozen=True, slots=True)
class Term:
    """What every term has: its text as published, and the octet of the record it starts at."""

    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Directive(Term):
    """A mechanism with the result that a match gives."""

    result: Result


@dataclass(frozen=True, slots=True)
class All(Directive):
    """``all``: always matches (RFC 7208 section 5.1)."""


@dataclass(frozen=True, slots=True)
class Include(Directive):
    """``include``: matches where another record passes (RFC 7208 section 5.2)."""

    domain: MacroString


@dataclass(frozen=True, slots=True)
class A(Directive):
    """``a``: the addresses of a name (RFC 7208 section 5.3); without a name, the current one."""

    domain: MacroString | None
    prefix4: int = 32
    prefix6: int = 128


@dataclass(frozen=True, slots=True)
class Mx(Directive):
    """``mx``: the addresses of a name's exchanges (RFC 7208 section 5.4)."""

    domain: MacroString | None
    prefix4: int = 32
    prefix6: int = 128


@dataclass(frozen=True, slots=True)
class Ptr(Directive):
    """``ptr``: the confirmed names of the client (RFC 7208 section 5.5)."""

    domain: MacroString | None


@dataclass(frozen=True, slots=True)
class Ip4(Directive):
    """``ip4``: an IPv4 network (RFC 7208 section 5.6). Bits of the host part may be set."""

    network: IPv4Network
    has_host_bits: bool = False


@dataclass(frozen=True, slots=True)
class Ip6(Directive):
    """``ip6``: an IPv6 network (RFC 7208 section 5.6). Bits of the host part may be set."""

    network: IPv6Network
    has_host_bits: bool = False


@dataclass(frozen=True, slots=True)
class Exists(Directive):
    """``exists``: whether a name has an A record (RFC 7208 section 5.7)."""

    domain: MacroString


@dataclass(frozen=True, slots=True)
class Redirect(Term):
    """``redirect=``: another record takes over (RFC 7208 section 6.1)."""

    domain: MacroString


@dataclass(frozen=True, slots=True)
class Exp(Term):
    """``exp=``: where the explanation of a fail is (RFC 7208 section 6.2)."""

    domain: MacroString


@dataclass(frozen=True, slots=True)
class UnknownModifier(Term):
    """Any other ``name=value``, which receivers ignore (RFC 7208 section 6)."""

    name: str
    value: MacroString


Mechanism = All | Include | A | Mx | Ptr | Ip4 | Ip6 | Exists
Modifier = Redirect | Exp | UnknownModifier
Looker = Include | A | Mx | Ptr | Exists | Redirect
LOOKERS = (Include, A, Mx, Ptr, Exists, Redirect)  # cost a lookup, RFC 7208 section 4.6.4


@dataclass(frozen=True, slots=True)
class Record:
    """A record without syntax errors. ``terms`` are all of them, in the order of the text.

    ``all`` is the first one: nothing after it is evaluated. ``reached`` is what an evaluation
    that matches nothing looks at, in its order; ``is_plain`` tells that all of it are networks and
    ``all``, so that nothing is asked.
    """

    text: str
    terms: tuple[Mechanism | Modifier, ...]
    mechanisms: tuple[Mechanism, ...]
    redirect: Redirect | None
    exp: Exp | None
    all: All | None
    reached: tuple[Mechanism | Redirect, ...]
    is_plain: bool


@dataclass(frozen=True, slots=True)
class SyntaxFault:
    """One syntax error: the offending term, its octet in the record, what is wrong, what to do."""

    term: str
    position: int
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that gives permerror whoever asks, with every fault in it."""

    text: str
    faults: tuple[SyntaxFault, ...]
