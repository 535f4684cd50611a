"""Whom is a bounce in plain words about, and what does it say of each?

Before there was a form for delivery reports every mail server had one of its own, and many still
do: qmail, Exim, sendmail, Exchange with its "Diagnostic information for administrators", and every
gateway. They agree on one thing: an address stands at the start of a line, and what follows is
about it, up to the next address.
"""

import re
from collections.abc import Callable

MAX_RECIPIENTS = 50  # a synthetic message has one
_MAX_LINES = 2000
_MAX_LINE = 1000  # characters
MAX_WORDS = 6000  # characters that are kept for one recipient

_ADDRESS = r"[^\s<>\"'(),:;@|]{1,64}@[A-Za-z0-9.-]{1,253}[A-Za-z0-9]"
_AT_START = re.compile(
    rf"[\s*\-]{{0,20}}(?:RCPT TO:)?[<\"']{{0,2}}({_ADDRESS})[>\"']{{0,2}}(.*)", re.IGNORECASE
)
_TRANSCRIBED = re.compile(rf"[45]\d\d [<\"]?({_ADDRESS})[>\"]?\.\.\.(.*)")
_AMIDST = re.compile(
    rf"\b(?:to|for|address|recipients?|attempts|size|errors)\b:? ?<?({_ADDRESS})", re.IGNORECASE
)
_SESSION = re.compile(r"(?:\.\.\. )?while talking to ", re.IGNORECASE)
_ALONE = re.compile(r"\s*(?:$|[:\[({]|\.\.\.|on \w{3}, )")  # behind an address that heads words
_LISTED = re.compile(r"[\s,;]+")


def listed(value: str) -> list[str]:
    """Return the addresses of an X-Failed-Recipients field, Exim's word for them."""
    found = dict.fromkeys(each for each in _LISTED.split(value[:4000]) if "@" in each)
    return list(found)[:MAX_RECIPIENTS]


def words_by_address(said: str) -> dict[str, str]:
    """Return what a text says of each address, in the text's order; perhaps nothing.

    Addresses that head their words win over those that begin a line by chance, and those over
    addresses in the midst of a sentence.
    """
    lines = [line[:_MAX_LINE] for line in said.split("\n", _MAX_LINES)[:_MAX_LINES]]
    for find in (_heading, _beginning):
        if found := _words_behind(lines, find):
            return found
    if found := _words_before(lines):
        return found
    for line in (each for each in lines if "@" in each):
        if match := _AMIDST.search(line):
            return {match[1]: said[:MAX_WORDS]}
    return {}


def _heading(line: str) -> str:
    match = _AT_START.match(line) if "@" in line else None
    return match[1] if match and _ALONE.match(match[2]) else ""


def _beginning(line: str) -> str:
    match = _AT_START.match(line) if "@" in line else None
    return match[1] if match else ""


def _words_behind(lines: list[str], find: Callable[[str], str]) -> dict[str, str]:
    """Give each address the lines from its own on; what was said of it twice is joined."""
    words: dict[str, list[str]] = {}
    address = ""
    for line in lines:
        if (found := find(line)) and (found in words or len(words) < MAX_RECIPIENTS):
            address = found
        if address:
            words.setdefault(address, []).append(line)
    return {each: "\n".join(said)[:MAX_WORDS] for each, said in words.items()}


def _words_before(lines: list[str]) -> dict[str, str]:
    """Give each address the transcript that ends in it, as sendmail writes one."""
    words: dict[str, str] = {}
    since = 0
    for number, line in enumerate(lines):
        if _SESSION.match(line):
            since = number
        match = _TRANSCRIBED.match(line)
        if match and len(words) < MAX_RECIPIENTS:
            words.setdefault(match[1], "\n".join(lines[since : number + 1])[-MAX_WORDS:])
            since = number + 1
    return words
