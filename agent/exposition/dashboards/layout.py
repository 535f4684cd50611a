"""Where does each panel stand, and by which number is it known?

Panels are put on lines of the grid in their order; a line holds panels of one height, and they are
widened until it is full. A panel's number follows from its title, so that links to it hold while
others come and go.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from agent.exposition.dashboards.model import Board, Panel, Row, Shape

COLUMNS = 24
_NUMBERS = 1_000_000
_WIDEST_TILE = 12  # one that says that there are no data would not fit its line


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle of the grid."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A row's heading, and its panels where they stand."""

    row: Row
    at: Place
    panels: tuple[tuple[Panel, Place], ...]


def number(title: str) -> int:
    """Return the number of a panel or a row."""
    return 1 + zlib.crc32(title.encode()) % _NUMBERS


def laid_out(board: Board) -> Iterator[PlacedRow]:
    """Yield the rows of a dashboard from top to bottom; what is folded takes no room."""
    y = 0
    for row in board.rows:
        heading = Place(0, y, COLUMNS, 1)
        y += 1
        placed: list[tuple[Panel, Place]] = []
        below = y
        for line in _lines(row.panels):
            placed += list(zip(line, _stretched(line, below), strict=True))
            below += line[0].h
        if not row.folded:
            y = below
        yield PlacedRow(row, heading, tuple(placed))


def _lines(panels: Iterable[Panel]) -> Iterator[Sequence[Panel]]:
    """Yield the panels of each line."""
    for _, alike in groupby(panels, key=lambda panel: panel.h):
        group = tuple(alike)
        if len({panel.w for panel in group}) == 1:
            yield from _even(group)
        else:
            yield from _filled(group)


def _even(group: Sequence[Panel]) -> Iterator[Sequence[Panel]]:
    """Share panels of one size out over as few lines as do, about as many on each."""
    count = -(-len(group) // (COLUMNS // group[0].w))
    start = 0
    for index in range(count):
        end = start + len(group) // count + (index < len(group) % count)
        yield group[start:end]
        start = end


def _filled(group: Sequence[Panel]) -> Iterator[Sequence[Panel]]:
    """Fill line after line, as text is set."""
    line: list[Panel] = []
    for panel in group:
        if sum(each.w for each in line) + panel.w > COLUMNS:
            yield line
            line = []
        line.append(panel)
    yield line


def _stretched(line: Sequence[Panel], y: int) -> Iterator[Place]:
    room = COLUMNS - sum(panel.w for panel in line)
    x = 0
    for index, panel in enumerate(line):
        w = panel.w + room // len(line) + (index < room % len(line))
        if panel.shape is Shape.STAT:
            w = max(panel.w, min(w, _WIDEST_TILE))
        yield Place(x, y, w, panel.h)
        x += w
