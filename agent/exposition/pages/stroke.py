"""How is a road drawn between the cards of a picture?

As one path, so that its dashes run on, with the head of the arrow beside it: straight out of the
card, bent where nothing else stands, straight again below its label and into the next card.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.domain.diagram import Way
from agent.domain.fact import Mood
from agent.exposition.pages.grid import Segment, Track
from agent.exposition.pages.heights import LINE

MARGIN = 14.0  # around the picture
STUB = 14.0  # straight beside a card, with the head of an arrow
TURN = 12.0  # how far a road that turns round goes
_HEAD = 8.0  # the length of an arrow's head
_SIGN = 15.0  # the width of a mood's sign
_ABOVE = 6.0  # the base line of a label above its road
_STRAIGHT = 0.5  # a road that climbs less than this is drawn straight


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, by the left end of its base line; ``part`` is its class in the style."""

    x: float
    y: float
    text: str
    part: str
    is_again: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """Where a column begins and ends, and where the labels of the roads before it begin."""

    left: float
    right: float
    labels: float


@dataclass(frozen=True, slots=True)
class Stroke:
    """A road as it is drawn: its line, the head of its arrow, and its label."""

    way: Way
    line: str
    head: str
    lines: tuple[Line, ...]
    sign_at: tuple[float, float]


def sign_room(mood: Mood) -> float:
    """Return the width that the sign of a mood takes beside a text."""
    return 0.0 if mood == "plain" else _SIGN


def stroke(track: Track, columns: Sequence[Column]) -> Stroke:
    """Return how the road on *track* is drawn."""
    lane = track.labelled
    x = columns[lane.last.column].labels
    y = lane.last_y + MARGIN - _ABOVE - LINE * max(0, len(lane.lines) - 1)
    sign = sign_room(track.way.mood)
    return Stroke(
        way=track.way,
        line=_turn(track, columns) if track.towards == "turn" else _through(track, columns),
        head=_head(track, columns),
        lines=tuple(
            Line(x + sign, y + number * LINE, line, "small")
            for number, line in enumerate(lane.lines)
        ),
        sign_at=(x, y),
    )


def _through(track: Track, columns: Sequence[Column]) -> str:
    """Return the path from left to right, whichever way the arrow points."""
    first, last = track.segments[0], track.segments[-1]
    start = columns[first.first.column].right + (_HEAD if track.towards == "left" else 0)
    end = columns[last.last.column].left - (_HEAD if track.towards == "right" else 0)
    path = f"M{start:.1f} {first.first_y + MARGIN:.1f}"
    return path + "".join(_bend(x, columns) for x in track.segments) + f"H{end:.1f}"


def _turn(track: Track, columns: Sequence[Column]) -> str:
    """Return the path out of a column, round before the next one, and back."""
    out, back = track.segments
    start, edge = columns[out.first.column].right, columns[out.last.column].left
    y, z, far = out.last_y + MARGIN, back.last_y + MARGIN, edge + TURN
    return (
        f"M{start:.1f} {out.first_y + MARGIN:.1f}{_bend(out, columns)}H{edge:.1f}"
        f"C{far:.1f} {y:.1f} {far:.1f} {z:.1f} {edge:.1f} {z:.1f}"
        f"H{columns[out.last.column].labels:.1f}"
        f"{_curve(columns[out.last.column].labels, z, start + STUB, back.first_y + MARGIN)}"
        f"H{start + _HEAD:.1f}"
    )


def _bend(segment: Segment, columns: Sequence[Column]) -> str:
    """Return the path from a card's side to where the label begins."""
    begin = columns[segment.first.column].right + STUB
    y, z = segment.first_y + MARGIN, segment.last_y + MARGIN
    return f"H{begin:.1f}{_curve(begin, y, columns[segment.last.column].labels, z)}"


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    if abs(y - to_y) < _STRAIGHT:
        return f"H{to_x:.1f}"
    half = (x + to_x) / 2
    return f"C{half:.1f} {y:.1f} {half:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"


def _head(track: Track, columns: Sequence[Column]) -> str:
    """Return the path of the arrow's head, with its point at the card."""
    if track.towards == "right":
        lane = track.segments[-1]
        x, y, back = columns[lane.last.column].left, lane.last_y, -_HEAD
    else:
        lane = track.segments[-1 if track.towards == "turn" else 0]
        x, y, back = columns[lane.first.column].right, lane.first_y, _HEAD
    return f"M{x:.1f} {y + MARGIN:.1f}l{back:.1f} {-_HEAD / 2:.1f}v{_HEAD:.1f}z"
