"""What does a file hold that PowerShell's ConvertTo-Json may have written?

Windows PowerShell writes UTF-16 with ``>``, and UTF-8 with a mark or an ANSI code page otherwise.
The file may as well be cut off, no JSON at all, or made to exhaust whoever reads it: size, number
of values and depth are bounded before anything is believed.
"""

import codecs
import json
import math
import re
from typing import Any

from agent.domain.peer_text import PeerText

MAX_PIECES = 1_000_000  # commas and brackets of one file, of which values come at most one each
MAX_DEPTH = 100
_LONGEST_NUMBER = 40  # characters; .NET's decimal has 30
_AGAIN = "export it again"
_EMPTY = "is empty"
_NOTHING_TO_EXPORT = "the export was cut off, or there was nothing to export: write none as []"
_AS_JSON = "expected is the output of ConvertTo-Json"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_OTHERS = (
    (re.compile(r"<Objs\b"), "is the XML of Export-Clixml"),
    (re.compile(r"<(!doctype\s+)?html\b", re.IGNORECASE), "is a page of HTML, perhaps of a log-in"),
    (re.compile(r"<"), "is XML"),
    (re.compile(r"#TYPE |\"?\w+\"?[,;]\"?\w+"), "is CSV, as of Export-Csv"),
    (re.compile(r"\w+ *: |\w+ +\w+.*\n-+ +-+"), "is what PowerShell shows on the screen"),
    (re.compile(r"PK\x03\x04|\x1f"), "is an archive"),
)


class NotJsonError(ValueError):
    """The file is no JSON that could be trusted: what it is, and what would be right."""

    def __init__(self, what: str, right: str = _AGAIN) -> None:
        super().__init__(what)
        self.what = what
        self.right = right


def decode(raw: bytes) -> str:
    """Return the text of a file. Octets that are no UTF-8 become half surrogates, as PEP 383 has.

    Raises NotJsonError.
    """
    if not raw.strip(b"\0"):
        raise NotJsonError("holds nothing but NUL octets" if raw else _EMPTY, _NOTHING_TO_EXPORT)
    for bom, encoding in _BOMS:
        if raw.startswith(bom):
            return _decoded(raw[len(bom) :], encoding)
    # JSON begins with a character of ASCII: a NUL beside it tells the order of octets.
    if raw[:1] == b"\0" or raw[1:2] == b"\0":
        return _decoded(raw, "utf-16-le" if raw[1:2] == b"\0" else "utf-16-be")
    return _decoded(raw, "utf-8")


def _decoded(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding, "surrogateescape" if encoding == "utf-8" else "strict")
    except UnicodeDecodeError as error:
        what = f"is not {encoding.upper()} at octet {error.start}"
        raise NotJsonError(what, "the export was cut off, or joined from two encodings") from None


def is_all_utf8(text: str) -> bool:
    """Tell whether a text came from whole characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def parse(text: str) -> Any:
    """Return what a text says as JSON. Raises NotJsonError, with line and column."""
    if text.count(",") + text.count("[") + text.count("{") > MAX_PIECES:
        what = f"has more than {MAX_PIECES} values"
        raise NotJsonError(what, "a tenant has less: select the properties that are needed")
    if not text.strip():
        raise NotJsonError(_EMPTY, _NOTHING_TO_EXPORT)
    try:
        value = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_float,
            parse_int=_int,
            object_pairs_hook=_once,
        )
    except json.JSONDecodeError as error:
        raise _syntax(error) from None
    except RecursionError:
        raise NotJsonError(_TOO_DEEP) from None
    if not _is_within(value):
        raise NotJsonError(_TOO_DEEP)
    return value


_TOO_DEEP = f"is nested deeper than {MAX_DEPTH} levels"


def _is_within(value: Any) -> bool:
    """Tell whether no list or object lies too deep."""
    level = [value]
    for _ in range(MAX_DEPTH):
        inner = (
            child
            for each in level
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, dict | list)
        )
        level = list(inner) if isinstance(level[0], dict | list) else []
        if not level:
            return True
    return False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        message = f"has the property '{PeerText(twice, 60)}' twice in one object"
        raise NotJsonError(message, "PowerShell writes each once: was it edited, or put together?")
    return found


def _refuse_constant(word: str) -> Any:
    message = f"holds {word}, which is no JSON"
    raise NotJsonError(message)


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        message = f"holds the number {PeerText(digits, 60)}, which nothing in Exchange is"
        raise NotJsonError(message)
    return value


def _int(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        message = f"holds the number {PeerText(digits, 60)}, which nothing in Exchange is"
        raise NotJsonError(message)
    return int(digits)


def _syntax(error: json.JSONDecodeError) -> NotJsonError:
    place = f"line {error.lineno}, column {error.colno}"
    start = error.doc[:10_000].lstrip(" \t\r\n")
    for pattern, what in _OTHERS:
        if pattern.match(start):
            return NotJsonError(f"is no JSON: it {what}", _AS_JSON)
    if _is_cut_off(error):
        right = "it is still being written, or the export did not come to its end"
        return NotJsonError(f"ends in the middle, at {place}", right)
    if error.msg.startswith("Extra data"):
        right = "write each into a file of its own, with > and not with >>"
        return NotJsonError(f"begins a second document at {place}", right)
    reason = f"{error.msg[0].lower()}{error.msg[1:]}"
    return NotJsonError(f"is no JSON: {reason} at {place}", _AS_JSON)


def _is_cut_off(error: json.JSONDecodeError) -> bool:
    rest = error.doc[error.pos : error.pos + 12].strip()
    is_word = len(error.doc) - error.pos <= len("false") and rest.isalpha()
    return (
        not rest
        or error.msg.startswith("Unterminated string")
        or (is_word and any(each.startswith(rest) for each in ("true", "false", "null")))
    )
