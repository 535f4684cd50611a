"""What is a plain scalar, and what would others take it for?

The core schema of YAML 1.2, reduced to decimal numbers. What YAML 1.1 reads otherwise (and many
programs still do) is text here; :func:`trap` says so where text will not do.
"""

import re
from functools import lru_cache
from typing import Final

MAX_DIGITS: Final = 18  # of a whole number; more is an account number, not a count

_WORDS: Final = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)", re.ASCII)
_FRACTION: Final = re.compile(
    r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?", re.ASCII
)
# Everything that YAML 1.2 section 5.1 does not allow in a file.
_STRAY: Final = re.compile(
    "[^\x09\x0a\x0d\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


@lru_cache(maxsize=4096)
def read_scalar(text: str) -> str | int | float | bool | None:
    """Return what the plain scalar *text* stands for: itself, unless it is in the core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789" or len(text) > MAX_DIGITS:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FRACTION.fullmatch(text):
        return float(text)
    return text


def stray_character(text: str) -> tuple[int, str] | None:
    """Return the position of the first character that YAML forbids, and what is wrong with it."""
    match = _STRAY.search(text)
    if match is None:
        return None
    return match.start(), f"holds the control character U+{ord(match.group()):04X}; remove it"


_BOOLEANS: Final = {
    "y": "true", "yes": "true", "on": "true", "n": "false", "no": "false", "off": "false",
}  # fmt: skip
_TRAPS: Final = (
    (re.compile(r"[-+]?0[0-7_]+"), "YAML 1.1 reads it as octal; write it without the leading 0"),
    (re.compile(r"[-+]?0[0-9]+"), "write it without the leading 0"),
    (re.compile(r"[-+]?0[obxOBX][0-9a-fA-F_]+"), "write it in decimal"),
    (
        re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"),
        "YAML 1.1 reads it as a number of base 60",
    ),
    (re.compile(r"[-+]?[0-9][0-9_]*_[0-9_.]*"), "write it without underscores"),
    (re.compile(r"[-+]?\.(inf|nan)", re.IGNORECASE), "write a finite number"),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?"), "YAML 1.1 reads it as a date"),
    (re.compile(r"[-+]?[0-9]{18,}"), "it has too many digits"),
)


def trap(text: str) -> str | None:
    """Return what is special about plain text that a reader may have meant otherwise, or None."""
    boolean = _BOOLEANS.get(text.lower())
    if boolean is not None:
        return f"YAML 1.1 reads it as {boolean}"
    return next((words for pattern, words in _TRAPS if pattern.fullmatch(text)), None)
