"""What do the macros in a domain-spec or an explanation stand for?

RFC 7208 section 7. A macro-string is parsed once into parts and expanded for each client. Text is
octets: every character stands for one, as everywhere in the SPF modules.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

from agent.domain.names import MAX_LABEL, MAX_NAME

Address = IPv4Address | IPv6Address

DOMAIN_LETTERS = frozenset("slodiphv")  # RFC 7208 section 7.2
EXP_LETTERS = DOMAIN_LETTERS | frozenset("crt")  # these three in explanations only
_MACRO = re.compile(r"([A-Za-z])(\d*)([rR]?)([-.+,/_=]*)", re.ASCII)
_FIXED = {"%": "%", "_": " ", "-": "%20"}
_UNRESERVED = re.compile(r"[A-Za-z0-9\-._~]", re.ASCII)
_PRINTABLE = range(0x21, 0x7F)
_MOST_DIGITS = 9  # far more parts than a name can have; longer numbers are only cut


class MacroError(ValueError):
    """A macro-string breaks the grammar, at an offset into it."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Macro:
    """One ``%{...}``: which value, and how it is transformed (RFC 7208 section 7.3).

    ``parts`` is how many right-hand parts are kept, 0 for all of them; ``escape`` asks for URL
    escapes, as upper-case letters do.
    """

    letter: str
    parts: int = 0
    reverse: bool = False
    delimiters: str = "."
    escape: bool = False


@dataclass(frozen=True, slots=True)
class MacroString:
    """Literal text and macros in order, and the text that they were read from.

    ``ends_in_macro`` is true where the last part was written with a percent sign.
    """

    text: str
    parts: tuple[str | Macro, ...]
    ends_in_macro: bool = False

    @property
    def letters(self) -> frozenset[str]:
        """The macro letters in it, in lower case."""
        return frozenset(part.letter for part in self.parts if isinstance(part, Macro))


def parse_macros(text: str, letters: frozenset[str] = DOMAIN_LETTERS) -> MacroString:
    """Read a macro-string; raises MacroError at the first fault.

    With EXP_LETTERS the text is an explanation, where spaces are allowed, too.
    """
    parts: list[str | Macro] = []
    ends_in_macro = False
    at = 0
    while at < len(text):
        percent = text.find("%", at)
        end = len(text) if percent < 0 else percent
        if end > at:
            _check_literal(text, at, end, spaces=letters is EXP_LETTERS)
            parts.append(text[at:end])
            at = end
            ends_in_macro = False
            continue
        part, at = _read_macro(text, at, letters)
        parts.append(part)
        ends_in_macro = True
    return MacroString(text, tuple(parts), ends_in_macro)


def _check_literal(text: str, at: int, end: int, *, spaces: bool) -> None:
    """Raise MacroError for a character that no macro-literal may have (0x21 to 0x7E)."""
    for offset in range(at, end):
        code = ord(text[offset])
        if code not in _PRINTABLE and not (spaces and text[offset] == " "):
            message = f"holds the octet 0x{code:02x}, which is not visible ASCII"
            raise MacroError(message, offset)


def _read_macro(text: str, at: int, letters: frozenset[str]) -> tuple[str | Macro, int]:
    """Read what starts with a percent sign, and where it ends."""
    kind = text[at + 1 : at + 2]
    if kind in _FIXED:
        return _FIXED[kind], at + 2
    if kind != "{":
        message = "has a % that is not followed by {, %, - or _"
        raise MacroError(message, at)
    close = text.find("}", at)
    if close < 0:
        message = "has a macro without its closing }"
        raise MacroError(message, at)
    body = _MACRO.fullmatch(text, at + 2, close)
    if body is None:
        message = "has a macro that is not a letter, digits, r and delimiters"
        raise MacroError(message, at)
    letter, digits, reverse, delimiters = body.groups()
    if letter.lower() not in letters:
        message = f"uses the macro letter {letter}, which is not allowed here"
        raise MacroError(message, at)
    if digits and not digits.strip("0"):
        message = "keeps 0 parts; the number must not be zero"  # RFC 7208 section 7.1
        raise MacroError(message, at)
    kept = int(digits.lstrip("0")[:_MOST_DIGITS]) if digits else 0
    macro = Macro(letter.lower(), kept, bool(reverse), delimiters or ".", letter.isupper())
    return macro, close + 1


def expand(string: MacroString, values: Mapping[str, str]) -> str:
    """Put *values*, by macro letter, in place of the macros."""
    return "".join(
        part if isinstance(part, str) else _transform(part, values[part.letter])
        for part in string.parts
    )


def _transform(macro: Macro, value: str) -> str:
    """Split, turn round, cut and join with dots (RFC 7208 section 7.3)."""
    pieces = re.split("[" + re.escape(macro.delimiters) + "]", value)
    if macro.reverse:
        pieces.reverse()
    if macro.parts:
        pieces = pieces[-macro.parts :]
    text = ".".join(pieces)
    return _escape(text) if macro.escape else text


def _escape(text: str) -> str:
    """Escape what RFC 3986 section 2.3 does not list as unreserved."""
    return "".join(char if _UNRESERVED.fullmatch(char) else f"%{ord(char):02X}" for char in text)


def lower(text: str) -> str:
    """Lower-case the ASCII letters of octet text, and no other octet."""
    return text.encode("latin-1").lower().decode("latin-1")


def octets(text: str) -> str:
    """Write text as the characters that stand for its UTF-8 octets."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


@lru_cache(maxsize=1024)
def query_name(expanded: str) -> str | None:
    """Make a name to ask for from an expanded domain-spec; None where no query can be composed.

    The trailing dot goes; a name of more than 253 octets loses labels on the left
    (RFC 7208 section 7.3). Empty labels and labels of more than 63 octets cannot be asked for.
    """
    name = lower(expanded).removesuffix(".")
    while len(name) > MAX_NAME and "." in name:
        name = name.partition(".")[2]
    labels = name.split(".")
    if all(0 < len(label) <= MAX_LABEL for label in labels):
        return name
    return None


def dotted(ip: Address) -> str:
    """Write an address as ``%{i}`` has it: IPv6 as nibbles with dots between them."""
    if isinstance(ip, IPv4Address):
        return str(ip)
    return ".".join(ip.exploded.replace(":", ""))
