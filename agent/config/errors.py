"""How does an operator learn what is wrong with the configuration?

All of it at once, one line each: ``file:line: path: value: what would be right``. A value is shown
only where it cannot be a secret.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from agent.domain.knowledge.blocklists import BLOCKLISTS
from agent.settings import MASK

MAX_SHOWN = 60  # characters of a value
Path = tuple[str | int, ...]
# What a secret that was put into the wrong key does not look like.
_PLAIN_FIELDS = {"tenant_id", "client_id", "cloud", "expires", "domain", "selector"}
_OF_LISTS = ("list", "of", "refuses")  # what is said of a blocklist and can hold no key
_PLAIN = re.compile(r"[0-9A-Fa-f-]{1,40}|[a-z]+([ .-][a-z]+)*")
_FILE = re.compile(r"\.{0,2}/[^\s]+|[a-z0-9._-]+/[a-z0-9._/-]+|[a-z0-9_-]+\.(pem|key|txt|crt)")


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake. ``line`` counts from 1 and is 0 where the file as a whole is meant."""

    file: str
    line: int
    path: str
    value: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(filter(None, (place, self.path, self.value, self.message)))


class ConfigError(Exception):
    """The configuration cannot be used. ``problems`` are all its mistakes, in file order.

    ``warnings`` are no mistakes; they are told beside them, so that one edit can mend both.
    """

    def __init__(self, problems: Iterable[Problem], warnings: Iterable[Problem] = ()) -> None:
        self.warnings = tuple(warnings)
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


def write_path(path: Path, data: object) -> str:
    """Write *path* as people read it: ``tenants[contoso].domains[contoso.com].topology``.

    An item of a list is named by its ``name`` in *data*, or else counted from 0.
    """
    written = ""
    for part in path:
        data = child(data, part)
        if isinstance(part, int):
            name = data.get("name") if isinstance(data, dict) else None
            label = _cut(name) if isinstance(name, str) and name.isprintable() else str(part)
            written += f"[{label}]"
        else:
            key = _cut("".join(c if c.isprintable() else "?" for c in part))
            written += f".{key}" if written else key
    return written


def child(data: object, part: str | int) -> object:
    """Return what *part* leads to in *data*, None for nothing."""
    if isinstance(data, dict):
        return data.get(part)
    if isinstance(data, tuple) and isinstance(part, int) and part < len(data):
        return data[part]
    return None


def follow(data: object, path: Path) -> object:
    """Return what *path* leads to in *data*, None for nothing."""
    for part in path:
        data = child(data, part)
    return data


def write_value(value: object, path: Path) -> str:
    """Write the value at *path* in a line, unless it may be a secret."""
    if value is None:
        return ""
    if isinstance(value, dict | tuple):
        return "a mapping" if isinstance(value, dict) else "a list"
    is_list = "lists" in path and isinstance(value, str) and value in BLOCKLISTS
    if _is_of_secrets(path) and not is_list and _may_be_secret(value, str(path[-1])):
        return MASK
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{_cut(_printable(value))}"'
    return _cut(str(value))


def _is_of_secrets(path: Path) -> bool:
    return path[:1] == ("credentials",) or ("lists" in path and path[-1] not in _OF_LISTS)


def _may_be_secret(value: object, key: str) -> bool:
    """Tell whether the value of *key* of a credential may be a secret, or one in a wrong place."""
    if key.endswith("_file"):
        return not (isinstance(value, str) and _FILE.fullmatch(value))
    if key in _PLAIN_FIELDS:
        return isinstance(value, str) and not _PLAIN.fullmatch(value)
    return key != "kind"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[: MAX_SHOWN + 1])


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."
