"""In which order do the stations of a diagram stand, so that few roads cross?

A layered drawing: every station is an item of its column. A road runs between neighbouring columns,
and where it passes a column it has a lane of its own there. A road back to the left is a lane like
any other, with its arrow at the other end; a road within a column turns round in the next one.
The order is found with the barycentre method (Sugiyama, Tagawa and Toda, 1981).
"""

from bisect import bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from agent.domain.diagram import Shown, Way
from agent.domain.fact import Station

_SWEEPS = 6
MOST_SEGMENTS = 1500


@dataclass(slots=True, eq=False)
class Item:
    """A station, or the lane of a road that passes (``station`` is ``None``).

    ``top`` and ``height`` are pixels, ``head`` is the height that the text of a station needs,
    ``natural`` the least that its roads need too, and ``place`` counts from the top of the column.
    """

    column: int
    station: Station | None = None
    left: list["Segment"] = field(default_factory=list)
    right: list["Segment"] = field(default_factory=list)
    place: int = 0
    top: float = 0.0
    height: float = 0.0
    head: float = 0.0
    natural: float = 0.0

    @property
    def bottom(self) -> float:
        """Where it ends."""
        return self.top + self.height


@dataclass(slots=True, eq=False)
class Segment:
    """The part of a road between two neighbouring columns, with its heights at both ends.

    The offsets are those below the tops of the items, where no station is drawn higher.
    ``lines`` and ``room`` are the label that it bears, and its width with the sign of the mood.
    """

    first: Item
    last: Item
    number: int
    lines: tuple[str, ...] = ()
    room: float = 0.0
    first_offset: float = 0.0
    last_offset: float = 0.0
    first_y: float = 0.0
    last_y: float = 0.0


@dataclass(slots=True, eq=False)
class Track:
    """The segments that one way runs over, from left to right; a turn has two, side by side."""

    way: Way
    segments: list[Segment]
    towards: Literal["right", "left", "turn"]

    @property
    def labelled(self) -> Segment:
        """The segment that bears the label: the one that is nearest to the end."""
        return self.segments[-1] if self.towards == "right" else self.segments[0]


@dataclass(frozen=True, slots=True)
class Grid:
    """The items by column from left to right and top to bottom, and the tracks between them."""

    columns: list[list[Item]]
    tracks: list[Track]
    more_roads: int = 0


def grid(given: Shown) -> Grid:
    """Return stations and roads in columns, in an order in which few roads cross."""
    drawing = _drawing(given)
    _arrange(drawing.columns)
    for column in drawing.columns:
        for item in column:
            item.left.sort(key=lambda x: (x.first.place, x.number))
    for column in drawing.columns:
        for item in column:
            item.right.sort(key=lambda x: (x.last.place, x.last.left.index(x)))
    return drawing


def _drawing(given: Shown) -> Grid:
    """Return the items in the order of the diagram: lanes back above, lanes onward below."""
    items = {station.key: Item(station.column, station) for station in given.stations}
    tracks: list[Track] = []
    segments = 0
    for number, way in enumerate(given.ways):
        if segments < MOST_SEGMENTS:
            tracks.append(_track(way, number, items[way.start.key], items[way.end.key]))
            segments += len(tracks[-1].segments)
    lanes = [(x, _lanes(x)) for x in tracks]
    back = [lane for track, passed in lanes if track.towards == "left" for lane in passed]
    onward = [lane for track, passed in lanes if track.towards != "left" for lane in passed]
    everything = [*back, *items.values(), *onward]
    columns: list[list[Item]] = [
        [] for _ in range(1 + max((x.column for x in everything), default=0))
    ]
    for item in everything:
        columns[item.column].append(item)
    left_out = sum(way.roads for way in given.ways[len(tracks) :])
    return Grid(columns, tracks, left_out)


def _lanes(track: Track) -> Iterable[Item]:
    return dict.fromkeys(x.last for x in track.segments if x.last.station is None)


def _track(way: Way, number: int, start: Item, end: Item) -> Track:
    if start.column == end.column:
        lane = Item(start.column + 1)
        return Track(way, [_join(x, lane, number) for x in (start, end)], "turn")
    first, last = (start, end) if start.column < end.column else (end, start)
    passed = [Item(column) for column in range(first.column + 1, last.column)]
    stops = [first, *passed, last]
    segments = [_join(x, y, number) for x, y in pairwise(stops)]
    return Track(way, segments, "right" if first is start else "left")


def _join(first: Item, last: Item, number: int) -> Segment:
    segment = Segment(first, last, number)
    first.right.append(segment)
    last.left.append(segment)
    return segment


def _arrange(columns: list[list[Item]]) -> None:
    """Sort the items of each column by where their neighbours stand; keep the best seen."""
    _number(columns)
    best, fewest = [list(column) for column in columns], _crossings(columns)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        for column in columns if sweep % 2 == 0 else reversed(columns):
            wanted = {x: _barycentre(x, columns, leftwards=sweep % 2 == 0) for x in column}
            column.sort(key=wanted.__getitem__)
            _number([column])
        if (crossings := _crossings(columns)) < fewest:
            best, fewest = [list(column) for column in columns], crossings
    for column, order in zip(columns, best, strict=True):
        column[:] = order
    _number(columns)


def _number(columns: list[list[Item]]) -> None:
    for column in columns:
        for place, item in enumerate(column):
            item.place = place


def _barycentre(item: Item, columns: list[list[Item]], *, leftwards: bool) -> float:
    """Return where its neighbours on one side stand on average, 0 at the top and 1 below."""
    others = [x.first for x in item.left] if leftwards else [x.last for x in item.right]
    others = others or [item]
    return sum((x.place + 0.5) / len(columns[x.column]) for x in others) / len(others)


def _crossings(columns: list[list[Item]]) -> int:
    """Return how often segments cross between neighbouring columns."""
    crossings = 0
    for column in columns:
        seen: list[int] = []
        ends = sorted((x.first.place, x.last.place) for item in column for x in item.right)
        for _, end in ends:
            crossings += len(seen) - bisect_right(seen, end)
            insort(seen, end)
    return crossings
