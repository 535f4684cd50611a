"""How high do the stations of a picture stand, so that its roads run straight?

The fullest column is stacked from the top, and the others follow it outwards, each item as near to
the height of its neighbours as those above and below let it. A station with many roads is then
drawn as high as what it is connected to, so that sixty roads leave it side by side. All heights are
pixels, and grow downwards.
"""

from collections.abc import Iterable, Sequence

from agent.exposition.pages.grid import Grid, Item, Segment

GAP = 9.0  # between two items of a column
LINE = 14.0  # of a label above its road
_AIR = 9.0  # below a road and above its label, together
_EDGE = 8.0  # between a road and the corner of a station
_PORTS = 9.0  # between two roads that leave a station
_BRANCHES = 2  # roads on one side, from which on a station is drawn higher
_LEAP = 150.0  # the longest part of a station without a road


def settle(drawing: Grid) -> None:
    """Give all items their tops and heights, and all segments the heights of their ends.

    The stations know already what their text needs.
    """
    columns = [column for column in drawing.columns if column]
    items = [item for column in columns for item in column]
    for item in items:
        _set_offsets(item)
        item.height = item.natural
    _outwards(columns)
    top = min((item.top for item in items), default=0.0)
    for item in items:
        item.top -= top
    for item in items:
        _meet_lanes(item)
    for item in items:
        _meet_ports(item)


def _outwards(columns: list[list[Item]]) -> None:
    """Stack the fullest column, and put the others beside it on both sides, one after another."""
    stacked = [sum(item.height + GAP for item in column) for column in columns]
    anchor = stacked.index(max(stacked)) if stacked else 0
    before, after = columns[:anchor][::-1], columns[anchor:]
    for number, column in enumerate(after):
        _place(column, ("left",) if number else ())
    for column in before:
        _place(column, ("right",))
    for column in [*after, *before]:
        _stretch(column, ("left", "right"))


def _need(lane: Segment) -> float:
    """Return the height of a road where it comes to its station, with its label above it."""
    return _AIR + LINE * max(1, len(lane.lines))


def _set_offsets(item: Item) -> None:
    """Say how far below the item's top each road meets it, and how high it must be for that."""
    needs = list(map(_need, item.left))
    edges = 2 * _EDGE if item.station else 0
    item.natural = max(item.head, edges + max(_PORTS * len(item.right), sum(needs)))
    at = _start(item, sum(needs))
    for lane, need in zip(item.left, needs, strict=True):
        at += need
        lane.last_offset = at - _AIR / 2
    if item.station is None:
        for port in item.right:
            port.first_offset = item.left[0].last_offset  # it goes on as high as it came
        return
    if len(item.left) == 1:  # in the middle, where its label stays clear of what is above
        item.left[0].last_offset = max(item.head / 2, needs[0] - _AIR / 2 - GAP)
    at = _start(item, _PORTS * len(item.right)) + _PORTS / 2
    for number, port in enumerate(item.right):
        port.first_offset = at + _PORTS * number


def _offset(item: Item, road: Segment) -> float:
    return road.last_offset if road.last is item else road.first_offset


def _start(item: Item, block: float) -> float:
    """Return where the roads on one side begin: in the middle beside the text, if they fit."""
    return 0.0 if item.station is None else max(_EDGE, (item.head - block) / 2)


def _span(item: Item, road: Segment) -> tuple[float, float]:
    """Return between which heights *road* may meet the item, with room left for its others."""
    offset = _offset(item, road)
    return item.top + offset, item.bottom - (item.natural - offset)


def _reach(item: Item, road: Segment) -> tuple[float, float]:
    """Return the heights of the road's other end."""
    return _span(road.last if road.first is item else road.first, road)


def _nearest(item: Item, road: Segment) -> float:
    """Return the height of the road's other end that is nearest to where it would meet *item*."""
    low, high = _reach(item, road)
    return max(low, min(_span(item, road)[0], high))


def _roads(item: Item, sides: Iterable[str]) -> list[list[Segment]]:
    return [item.left if side == "left" else item.right for side in sides]


def _place(column: list[Item], sides: Sequence[str]) -> None:
    """Put items as near to their neighbours on the sides as their order and sizes allow."""
    wanted: list[float] = []
    cursor = 0.0
    for item in column:
        reached = [
            (low - offset, high - offset)
            for roads in _roads(item, sides)
            for road in roads
            for offset in [_offset(item, road)]
            for low, high in [_reach(item, road)]
        ]
        low, high = min(reached, default=(cursor, cursor))
        wanted.append(max(low, min(cursor, high)))
        cursor = wanted[-1] + item.height + GAP
    for item, top in zip(column, _spread(wanted, [x.height + GAP for x in column]), strict=True):
        item.top = top
    _stretch(column, sides)


def _spread(wanted: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Return tops nearest to those wanted, in the same order and without overlap.

    Least squares under an order: items that press on each other move as one block.
    """
    offsets = [sum(sizes[:number]) for number in range(len(sizes))]
    blocks: list[tuple[float, int]] = []
    for goal, offset in zip(wanted, offsets, strict=True):
        total, count = goal - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] >= total / count:
            before, many = blocks.pop()
            total, count = total + before, count + many
        blocks.append((total, count))
    levels = [total / count for total, count in blocks for _ in range(count)]
    return [level + offset for level, offset in zip(levels, offsets, strict=True)]


def _stretch(column: list[Item], sides: Sequence[str]) -> None:
    """Draw stations with many roads as high as what they lead to, where there is room."""
    floors = [*(item.top - GAP for item in column[1:]), float("inf")]
    ceiling = float("-inf")
    for item, floor in zip(column, floors, strict=True):
        branching = [roads for roads in _roads(item, sides) if len(roads) >= _BRANCHES]
        if item.station is not None and branching:
            tops = [_nearest(item, x) - _offset(item, x) for roads in branching for x in roads]
            low, high = _without_leaps(item.top, tops)
            bottom = max(item.bottom, min(high + item.natural, floor))
            item.top = min(item.top, max(low, ceiling))
            item.height = bottom - item.top
        ceiling = item.bottom + GAP


def _without_leaps(start: float, tops: Iterable[float]) -> tuple[float, float]:
    """Return how far up and down *tops* lead from *start* in small steps."""
    low = high = start
    for top in sorted(tops):
        if high < top <= high + _LEAP:
            high = top
    for top in sorted(tops, reverse=True):
        if low - _LEAP <= top < low:
            low = top
    return low, high


def _meet_lanes(item: Item) -> None:
    """Say where the roads on the left meet an item, each as high as its other end if it can be."""
    before = float("-inf")
    for lane in item.left:
        low, high = _span(item, lane)
        lane.last_y = max(before + _need(lane), low, min(_nearest(item, lane), high))
        before = lane.last_y


def _meet_ports(item: Item) -> None:
    """Say where the roads on the right leave an item, each as high as its lane if it can be."""
    before = float("-inf")
    for port in item.right:
        low, high = _span(item, port)
        port.first_y = max(before + _PORTS, low, min(port.last_y, high))
        before = port.first_y
