"""How is a line of PowerShell written that mends something in Exchange Online?

Names come out of an export, and a line that is made for copying must do nothing else than it says:
everything is quoted, and a quote within doubled. PowerShell takes the typographic quotes for quotes
as well.
"""

import re
from typing import Literal

_GAP = re.compile(r"(<[^<>]+>)")
_CMDLET = re.compile(r"[A-Z][a-z]+-[A-Za-z]+(?= |$)")
_PROGRAM = re.compile(r"[a-z][a-z-]*(?= (?!.*\bIN\b)|$)")
_QUOTES = re.compile(r"(['\u2018\u2019\u201a\u201b])")


def quoted(text: str) -> str:
    """Write *text* as a literal string."""
    doubled = _QUOTES.sub(r"\1\1", text)
    return f"'{doubled}'"


def listed(texts: tuple[str, ...]) -> str:
    """Write several texts as a list of literal strings."""
    return ",".join(map(quoted, texts))


def command(cmdlet: str, identity: str = "", **parameters: str | bool | tuple[str, ...]) -> str:
    """Write a call of *cmdlet* for the object *identity*; ``None`` never stands for ``$null``.

    Parameters are named as PowerShell names them; a tuple is a list, an empty one ``$null``.
    """
    words = [cmdlet, *(["-Identity", quoted(identity)] if identity else [])]
    for name, value in parameters.items():
        words += [f"-{name}", _written(value=value)]
    return " ".join(words)


def gaps(line: str) -> list[tuple[str, bool]]:
    """Take a line apart where only the reader knows what to write: each piece, and if it is such.

    Such a gap is in angle brackets, ``<name of your filter>``, and no line to be pasted as it is.
    """
    return [(piece, n % 2 == 1) for n, piece in enumerate(_GAP.split(line)) if piece]


def form_of(line: str) -> Literal["powershell", "shell", "record"]:
    """Tell what is to be done with a line: type it, or publish it as a record or in a policy.

    A record begins with a name that has dots, or says its class; a line of a policy with a key.
    """
    if _CMDLET.match(line):
        return "powershell"
    return "shell" if _PROGRAM.match(line) else "record"


def _written(*, value: str | bool | tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return "$true" if value else "$false"
    if isinstance(value, tuple):
        return listed(value) or "$null"
    return quoted(value)
