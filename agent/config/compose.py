"""How do a parser's events become plain data, with every doubt noted?

The composer takes events one by one and keeps the open lists and mappings on a stack of its own, so
that no nesting can exhaust Python's. Where asked to, it remembers where each value stands.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from agent.config.scalars import read_scalar
from agent.config.yaml_text import Path, Problem, StrictYamlError

MAX_DEPTH: Final = 32
MAX_NODES: Final = 2_000_000
MAX_ALIASED: Final = 10_000  # nodes that exist by alias only


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands (line and column from 1), and how it is written if it is plain text."""

    line: int
    column: int
    plain: str | None


@dataclass(slots=True, eq=False)
class _Frame:
    """An open list or mapping. ``key`` is the key whose value comes next, None for none yet."""

    items: list[Any] | None
    pairs: dict[str, Any] | None
    anchor: str | None
    nodes_before: int
    key: str | None = None
    drop: bool = False  # the key was a repeated one, and its value is read for its errors only


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What an anchor names, and the nodes it stands for."""

    value: Any
    nodes: int


class Composer:
    """Builds plain data of at most *max_nodes* values, and notes what is wrong on the way."""

    def __init__(self, places: dict[Path, Place] | None, max_nodes: int = MAX_NODES) -> None:
        self.result: Any = None
        self.problems: list[Problem] = []
        self._places = places
        self._max_nodes = max_nodes
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Anchored | None] = {}  # None while it is still open
        self._nodes = 0
        self._aliased = 0
        self._documents = 0

    def handlers(self) -> dict[str, Callable[[Any], None]]:
        """Return what takes an event, by the name of the event's class."""
        return {
            "ScalarEvent": self._scalar,
            "MappingStartEvent": self._open_mapping,
            "SequenceStartEvent": self._open_list,
            "MappingEndEvent": self._close,
            "SequenceEndEvent": self._close,
            "AliasEvent": self._alias,
            "DocumentStartEvent": self._document,
        }

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self._stop(event, "a second document begins; a file is one document")

    def _scalar(self, event: Any) -> None:
        text = event.value
        frame = self._frames[-1] if self._frames else None
        if not text.isprintable():
            self._note(event, _unprintable(text))
        if event.tag is not None:
            self._refuse_tag(event)
        if frame is not None and frame.pairs is not None and frame.key is None:
            self._key(frame, event)
            return
        value = text if event.style else read_scalar(text)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, 1)
        self._count(event)
        self._put(value, event, None if event.style else text)

    def _key(self, frame: _Frame, event: Any) -> None:
        """Take a key. It is always text, however it looks."""
        key: str = event.value
        assert frame.pairs is not None  # noqa: S101 - says so to the type checker
        if event.anchor is not None:
            self._note(event, "a key cannot be an anchor")
        if key == "<<" and not event.style:
            self._note(event, "merge keys (<<) are refused; write the keys out")
            frame.drop = True
        elif key in frame.pairs:
            self._note(event, f"the key {key} is here twice; only one can count", below=key)
            frame.drop = True
        frame.key = key
        if self._places is not None and not frame.drop:
            mark = event.start_mark
            self._places[self.path()] = Place(mark.line + 1, mark.column + 1, None)

    def _open_list(self, event: Any) -> None:
        items: list[Any] = []
        self._open(event, items)
        self._frames.append(_Frame(items, None, event.anchor, self._nodes - 1))

    def _open_mapping(self, event: Any) -> None:
        pairs: dict[str, Any] = {}
        self._open(event, pairs)
        self._frames.append(_Frame(None, pairs, event.anchor, self._nodes - 1))

    def _open(self, event: Any, value: Any) -> None:
        """Put a list or mapping in its place, before its content comes."""
        if self._key_is_next():
            self._stop(event, "a key must be text, not a list or a mapping")
        if len(self._frames) >= MAX_DEPTH:
            self._stop(event, f"is nested more than {MAX_DEPTH} levels deep")
        if event.tag is not None:
            self._refuse_tag(event)
        self._count(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._put(value, event, None, leave=True)

    def _key_is_next(self) -> bool:
        frame = self._frames[-1] if self._frames else None
        return frame is not None and frame.pairs is not None and frame.key is None

    def _close(self, _event: Any) -> None:
        frame = self._frames.pop()
        value: Any = frame.pairs if frame.items is None else tuple(frame.items)
        if frame.anchor is not None:
            self._anchors[frame.anchor] = _Anchored(value, self._nodes - frame.nodes_before)
        if not self._frames:
            self.result = value
            return
        above = self._frames[-1]
        if above.items is not None:
            above.items[-1] = value
        elif above.pairs is not None and above.key is not None and not above.drop:
            above.pairs[above.key] = value
        above.key = None
        above.drop = False

    def _alias(self, event: Any) -> None:
        name = event.anchor
        if self._key_is_next():
            self._stop(event, "a key cannot be an alias")
        if name not in self._anchors:
            self._stop(event, f"the alias *{name} has no anchor &{name} before it")
        anchored = self._anchors[name]
        if anchored is None:
            self._stop(event, f"the alias *{name} is inside of what it stands for")
        self._aliased += anchored.nodes
        self._nodes += anchored.nodes
        if self._aliased > MAX_ALIASED:
            self._stop(event, f"aliases stand for more than {MAX_ALIASED} values")
        self._put(anchored.value, event, None)

    def _count(self, event: Any) -> None:
        self._nodes += 1
        if self._nodes > self._max_nodes:
            self._stop(event, f"has more than {self._max_nodes} values")

    def _put(self, value: Any, event: Any, plain: str | None, *, leave: bool = False) -> None:
        """Put *value* where it belongs; *leave* keeps the key for what comes inside of it."""
        if not self._frames:
            self.result = value
        else:
            frame = self._frames[-1]
            if frame.pairs is None:
                assert frame.items is not None  # noqa: S101 - says so to the type checker
                frame.items.append(value)
            elif not frame.drop:
                assert frame.key is not None  # noqa: S101 - says so to the type checker
                frame.pairs[frame.key] = value
        if self._places is not None:
            self._place(event, plain)
        if self._frames and not leave:
            self._frames[-1].key = None
            self._frames[-1].drop = False

    def _place(self, event: Any, plain: str | None) -> None:
        """Remember where a value stands; one with a key stands where the key does."""
        assert self._places is not None  # noqa: S101 - says so to the type checker
        if any(frame.drop for frame in self._frames):
            return
        path, mark = self.path(), event.start_mark
        if path in self._places:
            key = self._places[path]
            line = mark.line + 1 if plain else key.line
            self._places[path] = Place(line, key.column, plain)
        else:
            self._places[path] = Place(mark.line + 1, mark.column + 1, plain)

    def path(self) -> Path:
        """Return the path of the value that is being read."""
        path: list[str | int] = []
        for frame in self._frames:
            if frame.pairs is None:
                path.append(max(len(frame.items or ()) - 1, 0))
            elif frame.key is not None:
                path.append(frame.key)
        return tuple(path)

    def _refuse_tag(self, event: Any) -> None:
        self._note(event, "tags (!...) are refused; write the plain value")

    def _note(self, event: Any, message: str, *, below: str | None = None) -> None:
        mark = event.start_mark
        path = self.path() if below is None else (*self.path(), below)
        self.problems.append(Problem(mark.line + 1, mark.column + 1, path, message))

    def _stop(self, event: Any, message: str) -> NoReturn:
        mark = event.start_mark
        raise StrictYamlError(Problem(mark.line + 1, mark.column + 1, self.path(), message))


def _unprintable(text: str) -> str:
    """Say which character of *text* cannot be seen."""
    stray = next(character for character in text if not character.isprintable())
    if stray in "\r\n":
        return "holds a line break; a value is one line"
    return f"holds the invisible character U+{ord(stray):04X}; remove it"
