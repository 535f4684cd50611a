r"""What does one property of an exported object say, in whichever way PowerShell wrote it?

Windows PowerShell and PowerShell 7 write the same value differently: an enumeration as its name or
as a number, a list of one as a text, a time as ``/Date(1767225600000)/`` or with seven digits of a
second. What lies deeper than ``-Depth`` is a text such as ``@{Name=...}``. What is not understood
gets a remark and is unknown; nothing here raises.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from agent.domain.peer_text import LIMIT, PeerText
from agent.domain.tenancy.export_trouble import Notes, Place, shown

T = TypeVar("T")
_DEEPER = "export again with ConvertTo-Json -Depth 5"
_AS_NAMES = "export again with deploy/export-tenant.ps1, which writes names"
_CUT_OFF = re.compile(r"@\{.*|(System|Microsoft|Deserialized)(\.[\w+`]+)+(\[.*)?", re.DOTALL)
_APART = re.compile(r"[^\s,]+")
_AT_SEMICOLONS = re.compile(r"[^;]+(?:;\d{1,3}(?=;|$))?")
_PRIORITY = re.compile(r"[^;]*;\d{1,3}")
_OF_ONE_VALUE = ("expression", "address", "ipaddresstostring", "domain")  # of .NET's objects
_GUID = re.compile(r"\{?([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\}?", re.IGNORECASE)
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,7}))?"
    r"(?P<zone>Z|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d))?",
    re.ASCII,
)
_OF_JAVASCRIPT = re.compile(r"\\?/Date\((-?\d{1,15})(?:[+-]\d{4})?\)\\?/", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = datetime(1900, 1, 1, tzinfo=UTC)  # .NET's least time, and others before there was mail
_HIGHEST = 2**31
_INTEGER = re.compile(r"-?\d{1,10}", re.ASCII)
_TICKS = 10_000_000  # of .NET in a second


class Cell(NamedTuple):
    """The value of one property, and where it stands."""

    value: Any
    place: Place
    notes: Notes

    @property
    def quietly(self) -> "Cell":
        """The same, without anything being noted."""
        return Cell(self.value, self.place, Notes())

    def remark(self, what: str, right: str = "") -> None:
        """Say that the value is not understood."""
        self.notes.remark(self.place, what, right)


Reader = Callable[[Cell], Any]


def plain(value: Any) -> Any:
    """Return what an object with a ``value`` stands for.

    An enumeration that came from another session has two, ``value`` and ``Value``: its number and
    its name.
    """
    if not isinstance(value, dict):
        return value
    found = [each for key, each in value.items() if key.lower() == "value"]
    if not found:
        return value
    return next((each for each in found if isinstance(each, str)), found[0])


def is_cut_off(value: object) -> bool:
    """Tell whether a text stands for something that lay too deep to be written."""
    return isinstance(value, str) and _CUT_OFF.fullmatch(value) is not None


def flag(cell: Cell) -> bool | None:
    """Read true or false, also where they are texts."""
    value = plain(cell.value)
    if isinstance(value, bool) or value is None:
        return value
    word = value.strip().lower().removeprefix("$") if isinstance(value, str) else ""
    if word in ("true", "false"):
        return word == "true"
    if value != "":
        cell.remark(f"is {shown(value)}", "expected is true or false")
    return None


def text(cell: Cell) -> str:
    """Read a text; empty where there is none."""
    value = _one(cell.value)
    if is_cut_off(value):
        cell.remark(f"is cut off: {shown(value)}", _DEEPER)
        return ""
    return label(cell)


def label(cell: Cell) -> str:
    """Read a name, which may look like anything."""
    value = _one(cell.value)
    if value is None:
        return ""
    if isinstance(value, str):
        return PeerText(value.strip(), LIMIT)
    if isinstance(value, int) and not isinstance(value, bool):
        return PeerText(str(value), LIMIT)
    cell.remark(f"is {shown(value)}", "expected is a text")
    return ""


def _one(value: Any) -> Any:
    """Return a single value, also where it is the only one of a list."""
    value = plain(value)
    return plain(value[0]) if isinstance(value, list) and len(value) == 1 else value


def word(words: Mapping[str | int, T], *, nothing: T | None = None) -> Reader:
    """Return a reader of an enumeration: *words* by name, and by number where that is certain.

    *nothing* is what null stands for.
    """
    by_name = {key.lower(): each for key, each in words.items() if isinstance(key, str)}
    names = ", ".join(key for key in words if isinstance(key, str))

    def read(cell: Cell) -> T | None:
        value = _one(cell.value)
        if value is None or value == "":
            return nothing
        if isinstance(value, str):
            value = value.strip().lower()
            value = int(value) if value.isascii() and value.isdigit() and len(value) == 1 else value
        if isinstance(value, str) and value in by_name:
            return by_name[value]
        if isinstance(value, int) and not isinstance(value, bool):
            if value in words:
                return words[value]
            cell.remark(f"is {shown(value)}, and nobody can be certain what that means", _AS_NAMES)
        else:
            cell.remark(f"is {shown(_one(cell.value))}", f"expected is one of {names}")
        return None

    return read


def name_of_word(cell: Cell) -> str:
    """Read an enumeration whose names are many; empty for one that is a number."""
    value = _one(cell.value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if is_number or (isinstance(value, str) and _INTEGER.fullmatch(value.strip())):
        cell.remark(f"is {shown(value)}, and nobody can be certain what that means", _AS_NAMES)
        return ""
    return text(cell)


def hint_of_word(cell: Cell) -> str:
    """Read an enumeration that is only told, so that a number of it need trouble nobody."""
    return name_of_word(cell.quietly)


def number(cell: Cell) -> int | None:
    """Read a whole number, also where it is a text."""
    value = _one(cell.value)
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        value = int(value)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if is_whole and -_HIGHEST <= value < _HIGHEST:
        return int(value)
    if value is not None and value != "":
        cell.remark(f"is {shown(value)}", "expected is a whole number")
    return None


def guid(cell: Cell) -> str:
    """Read a Guid, in lower case; empty where there is none."""
    found = label(cell)
    match = _GUID.fullmatch(found)
    if match is None and found:
        cell.remark(f"is {shown(found)}", "expected is a Guid")
    return match[1].lower() if match else ""


def moment(cell: Cell) -> datetime | None:
    """Read a time in UTC; None for never. One without a zone is UTC, as its name says."""
    return _moment(cell, is_utc=True)


def zoned_moment(cell: Cell) -> datetime | None:
    """Read a time that is in UTC only if it says so; None for any other."""
    return _moment(cell, is_utc=False)


def _moment(cell: Cell, *, is_utc: bool) -> datetime | None:
    value = _one(cell.value)
    if value is None or value == "":
        return None
    found = _read_moment(value, is_utc=is_utc) if isinstance(value, str) else None
    if found is None and is_utc:
        cell.remark(f"is {shown(value)}", "expected is a time such as 2026-01-31T06:00:00.0000000Z")
    return None if found is None or found < _NEVER else found


def _read_moment(value: str, *, is_utc: bool) -> datetime | None:
    match = _OF_JAVASCRIPT.fullmatch(value.strip())
    try:
        if match is not None:
            # The offset only says where the time was shown: milliseconds are those of UTC.
            return _EPOCH + timedelta(milliseconds=int(match[1]))
        match = _ISO.fullmatch(value.strip())
        if match is None or (not match["zone"] and not is_utc):
            return None
        year, month, day, hour, minute, second = (int(match[part]) for part in range(1, 7))
        micro = int((match[7] or "").ljust(6, "0")[:6])
        found = datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)
        return found - _offset(match)
    except (ValueError, OverflowError):
        return None


def _offset(match: re.Match[str]) -> timedelta:
    if not match["sign"]:
        return timedelta()
    offset = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"]))
    return -offset if match["sign"] == "-" else offset


def span(cell: Cell) -> str:
    """Read a length of time as .NET writes it, ``1.00:00:00``, also where it is an object."""
    value = plain(cell.value)
    ticks = value.get("Ticks") if isinstance(value, dict) else None
    if isinstance(ticks, int) and not isinstance(ticks, bool) and 0 <= ticks < _HIGHEST * _TICKS:
        days, seconds = divmod(ticks // _TICKS, 86_400)
        return f"{days}.{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return text(cell)


def items(cell: Cell, *, may_have_blanks: bool = False) -> Iterator[Cell]:
    """Yield the items of a property that has several values, as texts.

    Where PowerShell made one text of a list, blanks or commas are between the items.
    """
    value = plain(cell.value)
    is_list = isinstance(value, list)
    for index, each in enumerate(value if is_list else [value]):
        place = cell.place.item(index) if is_list else cell.place
        for part in _parts(Cell(_scalar(each), place, cell.notes), may_have_blanks):
            if not cell.notes.spend(place):
                return
            yield Cell(part, place, cell.notes)


def _parts(cell: Cell, may_have_blanks: bool) -> Iterator[str]:  # noqa: FBT001 - passed through
    if is_cut_off(cell.value):
        cell.remark(f"is cut off: {shown(cell.value)}", _DEEPER)
    elif isinstance(cell.value, str) and may_have_blanks:
        yield from filter(None, (cell.value.strip(),))
    elif isinstance(cell.value, str):
        found = (match[0] for match in _APART.finditer(cell.value))
        yield from chain.from_iterable(map(_at_semicolons, found))
    elif cell.value is not None:
        cell.remark(f"is {shown(cell.value)}", "expected is a text, or a list of them")


def _at_semicolons(part: str) -> Iterator[str]:
    """Part what somebody joined with semicolons; one also stands before a domain's priority."""
    if ";" not in part or _PRIORITY.fullmatch(part):
        yield part
    else:
        yield from (match[0] for match in _AT_SEMICOLONS.finditer(part))


def _scalar(value: Any) -> Any:
    """Return the text that an object of .NET is written as elsewhere."""
    value = plain(value)
    if not isinstance(value, dict):
        return value
    known = {key.lower(): each for key, each in value.items() if isinstance(each, str)}
    return next((known[key] for key in _OF_ONE_VALUE if key in known), value)


def texts(cell: Cell) -> tuple[str, ...]:
    """Read a list of texts without blanks, such as addresses."""
    return tuple(dict.fromkeys(PeerText(each.value, LIMIT) for each in items(cell)))


def names(cell: Cell) -> tuple[str, ...]:
    """Read a list of names, which may have blanks."""
    found = (PeerText(each.value, LIMIT) for each in items(cell, may_have_blanks=True))
    return tuple(dict.fromkeys(found))
