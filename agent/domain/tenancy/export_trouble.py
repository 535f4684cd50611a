"""What is said of files that are no export, or of values in one that nobody understands?

A mistake leaves nothing that could be trusted: whoever took half of the connectors for all of them
would report the others as removed. A remark is about one value, which is then unknown.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.domain.peer_text import PeerText

MAX_NOTES = 200  # of one reading; how many more there are is counted
MAX_OBJECTS = 20_000  # of one list; Exchange Online has a thousand connectors of a tenant at most
MAX_VALUES = 100_000  # items of the lists of one reading; a thousand connectors have a tenth
_LONGEST_PLACE = 300
_SHOWN = 60  # characters of a value


@dataclass(frozen=True, slots=True, order=True)
class Remark:
    """Where something is (``inbound[2].SenderIPAddresses``), what it is, what would be right."""

    file: str
    path: str
    what: str
    right: str = ""

    def __str__(self) -> str:
        place = f"{self.file}: {self.path}" if self.path else self.file
        return f"{place} {self.what}" + (f"; {self.right}" if self.right else "")


class ExportError(Exception):
    """Nothing that the files say can be trusted. ``mistakes`` are the reasons, all of them.

    ``may_pass``: the next reading of the same files may go well.
    """

    def __init__(self, mistakes: Iterable[Remark], *, may_pass: bool = False) -> None:
        self.mistakes = tuple(mistakes)
        self.may_pass = may_pass
        super().__init__("\n".join(map(str, self.mistakes)))

    @property
    def sentence(self) -> str:
        """The first mistake, and how many more there are, without a full stop."""
        more = len(self.mistakes) - 1
        return f"{self.mistakes[0]}" + (f" (and {more} more)" if more else "")


class Place(NamedTuple):
    """A place in a file: the names of properties and the indices of items that lead there.

    A tuple, as a cell is: a thousand tenants have half a million of both.
    """

    file: str
    parts: tuple[str | int, ...] = ()

    def key(self, name: str) -> "Place":
        """Return the place of a property."""
        return Place(self.file, (*self.parts, name))

    def item(self, index: int) -> "Place":
        """Return the place of an item of a list, counted from 0."""
        return Place(self.file, (*self.parts, index))

    @property
    def path(self) -> str:
        """The place as people read it; safe to show."""
        written = (
            f"[{part}]" if isinstance(part, int) else f".{PeerText(part, _SHOWN)}"
            for part in self.parts
        )
        return PeerText("".join(written).removeprefix("."), _LONGEST_PLACE)


@dataclass(slots=True)
class Notes:
    """What is noted while files are read. How much of it is kept is ours to say."""

    remarks: list[Remark] = field(default_factory=list)
    mistakes: list[Remark] = field(default_factory=list)
    _left_out: list[int] = field(default_factory=lambda: [0, 0])
    _values: int = 0

    def remark(self, place: Place, what: str, right: str = "") -> None:
        """Note a value that is not understood."""
        self._note(0, self.remarks, place, what, right)

    def mistake(self, place: Place, what: str, right: str = "") -> None:
        """Note why nothing can be trusted."""
        self._note(1, self.mistakes, place, what, right)

    def _note(self, which: int, notes: list[Remark], place: Place, what: str, right: str) -> None:
        if len(notes) >= MAX_NOTES:
            self._left_out[which] += 1
            return
        notes.append(Remark(PeerText(place.file, _LONGEST_PLACE), place.path, what, right))

    def spend(self, place: Place) -> bool:
        """Take one item of a list in; False where there are more than any tenant has."""
        self._values += 1
        if self._values == MAX_VALUES + 1:
            self.mistake(place, f"is beyond the {MAX_VALUES} values that any tenant has")
        return self._values <= MAX_VALUES

    def closed(self) -> tuple[Remark, ...]:
        """Return the remarks. Raises ExportError where there are mistakes."""
        if self.mistakes:
            raise ExportError(self._whole(1, self.mistakes))
        return self._whole(0, self.remarks)

    def _whole(self, which: int, notes: list[Remark]) -> tuple[Remark, ...]:
        if not self._left_out[which]:
            return tuple(notes)
        more = f"and {self._left_out[which]} more like these"
        return (*notes, Remark("", "", more))


def shown(value: object) -> str:
    """Write a value of JSON in a few characters that are safe to show."""
    if isinstance(value, str):
        return f"'{PeerText(value, _SHOWN)}'"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return PeerText(str(value), _SHOWN)
