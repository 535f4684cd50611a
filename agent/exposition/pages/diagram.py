"""How does a diagram become a picture?

Stations are cards in columns; roads are lines from left to right, or back, that keep out of the
cards, with their labels on the straight part before the card to the right. All numbers are pixels:
the picture is drawn as large as it is, and scrolls where the window is smaller.
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from agent.domain.diagram import Shown, shown
from agent.domain.fact import Diagram, Mood, Station, StationKind
from agent.exposition.pages.grid import Grid, Item, Track, grid
from agent.exposition.pages.heights import settle
from agent.exposition.pages.lettering import LABEL_SIZE, SMALL_SIZE, fitted, width
from agent.exposition.pages.stroke import (
    MARGIN,
    STUB,
    TURN,
    Column,
    Line,
    Stroke,
    sign_room,
    stroke,
)

ICON = 16.0
_PAD = 9.0  # around the text of a card
_TEXT = _PAD + ICON + 7.0  # where the text of a card begins
_LABEL_LINE, _DETAIL_LINE = 17.0, 15.0
_NARROWEST = 96.0  # a card
# The most width of a card and of a road's label: the first that keep the picture within the window
# of a usual screen, where it may be drawn a little smaller; if none do, it scrolls.
_WIDTHS = ((240.0, 200.0), (210.0, 160.0), (196.0, 140.0), (180.0, 122.0))
_SCROLLING = _WIDTHS[1]
_WINDOW = 1170.0
_SMALLEST = 0.92  # of the size; letters of 12 pixels become 11
_CROWDED = 9  # stations in a column, from which on each gets a wide card with few lines
_CROWDED_CARD = 250.0
_BEND, _WIDEST_BEND = 18.0, 84.0
_STEEP = 0.22  # of the height that a road climbs, added to the width in which it may bend

_AGAIN, _TAIL = 720.0, 300.0  # after so much height a card says its name again, if so much is left
_URGENT: tuple[Mood, ...] = ("plain", "good", "unknown", "warning", "bad")  # the last is on top


@dataclass(frozen=True, slots=True)
class Card:
    """A station as it is drawn; a high one says more than once what it is."""

    x: float
    y: float
    width: float
    height: float
    station: Station
    lines: tuple[Line, ...]
    icons: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn, and what stands below it in words."""

    width: float
    height: float
    cards: tuple[Card, ...]
    strokes: tuple[Stroke, ...]
    shown: Shown
    more_roads: int

    @property
    def scale(self) -> float:
        """How large it is drawn: a little smaller where it then needs no scrolling."""
        scale = min(1.0, _WINDOW / self.width)
        return scale if scale >= _SMALLEST else 1.0

    @property
    def more_stations(self) -> int:
        """How many stations are not drawn."""
        return self.shown.more_stations

    @property
    def kinds(self) -> list[StationKind]:
        """The kinds of stations in it, for the legend."""
        return sorted({card.station.kind for card in self.cards})

    @property
    def moods(self) -> list[Mood]:
        """The moods of roads in it that have a sign, the worst first, for the legend."""
        seen = {stroke.way.mood for stroke in self.strokes}
        return [mood for mood in reversed(_URGENT) if mood in seen and mood != "plain"]

    @property
    def summary(self) -> str:
        """What the picture shows, for who cannot see it."""
        bad = sum(stroke.way.mood == "bad" for stroke in self.strokes)
        wrong = f", {bad} of them wrong" if bad else ""
        places, ways = _count(len(self.cards), "place"), _count(len(self.strokes), "way")
        return f"{places} and {ways} between them{wrong}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class _Text:
    """What stands on a card, broken into lines, and how much room it takes."""

    station: Station
    labels: tuple[str, ...]
    details: tuple[str, ...]
    width: float

    @property
    def height(self) -> float:
        return _LABEL_LINE * len(self.labels) + _DETAIL_LINE * len(self.details)


@lru_cache(maxsize=32)  # a page is asked for more often than its checks run
def picture(diagram: Diagram) -> Picture:
    """Return where everything in *diagram* is drawn. The same diagram is drawn the same always."""
    given = shown(diagram)
    drawing = grid(given)
    for card, label in _WIDTHS:
        drawn = _picture(given, drawing, card, label)
        if drawn.width * _SMALLEST <= _WINDOW:
            return drawn
    return _picture(given, drawing, *_SCROLLING)


def _picture(given: Shown, drawing: Grid, card: float, label: float) -> Picture:
    """Return the picture for the widths of cards and labels; the grid is written over."""
    items = [item for column in drawing.columns for item in column]
    crowd = Counter(station.column for station in given.stations)
    texts = {
        item: _text(item.station, card, is_crowded=crowd[item.column] >= _CROWDED)
        for item in items
        if item.station is not None
    }
    for item, text in texts.items():
        item.head = text.height + 2 * _PAD - 4
    for track in drawing.tracks:
        _letter(track, label)
    settle(drawing)
    columns = _columns(drawing, texts)
    tracks = sorted(drawing.tracks, key=lambda x: _URGENT.index(x.way.mood))
    return Picture(
        width=round(columns[-1].right + MARGIN, 1),
        height=round(max((item.bottom for item in items), default=0.0) + 2 * MARGIN, 1),
        cards=tuple(_card(item, columns[item.column], text) for item, text in texts.items()),
        strokes=tuple(stroke(track, columns) for track in tracks),
        shown=given,
        more_roads=given.more_roads + drawing.more_roads,
    )


def _text(station: Station, room: float, *, is_crowded: bool) -> _Text:
    sides = _TEXT + _PAD + sign_room(station.mood)
    room = (max(room, _CROWDED_CARD) if is_crowded else room) - sides
    labels = fitted(station.label, room, LABEL_SIZE, bold=True, most=3)
    details = fitted(station.detail, room, SMALL_SIZE)
    widths = [width(line, LABEL_SIZE, bold=True) for line in labels]
    widths += [width(line, SMALL_SIZE) for line in details]
    taken = sides + max(widths, default=0.0)
    return _Text(station, tuple(labels), tuple(details), max(_NARROWEST, taken))


def _letter(track: Track, room: float) -> None:
    """Write the label of a road on the part of it that is to bear it."""
    lane = track.labelled
    lane.lines = tuple(fitted(track.way.label, room, SMALL_SIZE, most=3))
    widths = [width(line, SMALL_SIZE) for line in lane.lines]
    lane.room = sign_room(track.way.mood) + max(widths, default=0.0)


def _columns(drawing: Grid, texts: dict[Item, _Text]) -> list[Column]:
    columns: list[Column] = []
    at = MARGIN
    for column in drawing.columns:
        labels = at
        if columns:
            lanes = [lane for item in column for lane in item.left]
            climb = max((abs(lane.first_y - lane.last_y) for lane in lanes), default=0.0)
            labels = at + STUB + min(_WIDEST_BEND, _BEND + _STEEP * climb)
            at = labels + max((lane.room for lane in lanes), default=0.0) + STUB
        right = at + max((texts[x].width for x in column if x in texts), default=2 * TURN)
        columns.append(Column(at, right, labels))
        at = right
    return columns or [Column(at, at, at)]


def _card(item: Item, column: Column, text: _Text) -> Card:
    top = item.top + MARGIN
    is_high = item.height > _AGAIN / 2
    first = top + (_PAD if is_high else (item.height - text.height) / 2)
    repeats = max(1, int((item.height - _TAIL) // _AGAIN) + 1)
    lines: list[Line] = []
    for number in range(repeats):
        y = first + number * _AGAIN
        for part, texts, height in (
            ("label", text.labels, _LABEL_LINE),
            ("detail", text.details, _DETAIL_LINE),
        ):
            for line in texts:
                y += height
                lines.append(Line(column.left + _TEXT, y - 4, line, part, is_again=number > 0))
    return Card(
        x=column.left,
        y=top,
        width=column.right - column.left,
        height=item.height,
        station=text.station,
        lines=tuple(lines),
        icons=tuple((column.left + _PAD, first + number * _AGAIN + 1) for number in range(repeats)),
    )
