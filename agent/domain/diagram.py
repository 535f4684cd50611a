"""What of a diagram can be shown, and who stands where in it?

Names in a diagram were typed by administrators or came out of files, so they may be of any length
and hold anything. A diagram may have more roads than a person can follow. What is shown is bounded,
printable, and the same whatever the order in which the roads were found; what is in trouble is
never among the things left out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from agent.domain.fact import Diagram, Mood, Road, Station

MOST_STATIONS = 200
MOST_ROADS = 400
MOST_COLUMNS = 24  # what is further to the right stands in the last one
LONGEST_TEXT = 200  # characters of a label or a detail
_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_URGENCY: Mapping[Mood, int] = {"bad": 0, "warning": 1, "unknown": 2, "good": 3, "plain": 4}
_TROUBLE = _URGENCY["good"]  # whatever is more urgent than this


@dataclass(frozen=True, slots=True)
class Way:
    """All roads of one mood from one station to another: their labels, and how many they are."""

    start: Station
    end: Station
    labels: tuple[str, ...]
    mood: Mood
    roads: int = 1

    @property
    def label(self) -> str:
        """The labels as one text; empty where no road has one."""
        return ", ".join(self.labels)


@dataclass(frozen=True, slots=True)
class Shown:
    """What is drawn of a diagram, and how much of it is not.

    The columns of the stations count from 0 without a gap.
    """

    stations: tuple[Station, ...]
    ways: tuple[Way, ...]
    more_stations: int = 0
    more_roads: int = 0

    def leaving(self) -> list[tuple[Station, tuple[Way, ...]]]:
        """Return the stations that have a way out, in their order, with their ways."""
        ways = defaultdict(list)
        for way in self.ways:
            ways[way.start.key].append(way)
        return [(x, tuple(ways[x.key])) for x in self.stations if x.key in ways]

    def onward(self) -> dict[str, Way]:
        """Return the only way out of each station that has one way in and one out, by its key."""
        entered = Counter(way.end.key for way in self.ways)
        leaving = Counter(way.start.key for way in self.ways)
        return {
            x.start.key: x for x in self.ways if entered[x.start.key] == leaving[x.start.key] == 1
        }

    def names(self) -> dict[str, str]:
        """Return what to call each station, by its key: its label, and more if others share it."""
        labels = Counter(station.label for station in self.stations)
        return {
            x.key: x.label
            if labels[x.label] == 1
            else f"{x.label} ({x.detail or printable(x.key)})"
            for x in self.stations
        }

    def sentences(self) -> dict[Way, str]:
        """Return all there is to say of each way in one line, with nothing cut."""
        names = self.names()
        return {
            way: f"{names[way.start.key]} to {names[way.end.key]}"
            f"{', ' if way.label else ''}{way.label}{_mood(way.mood)}"
            for way in self.ways
        }

    def lonely(self) -> list[Station]:
        """Return the stations that no way leads to or from."""
        met = {key for way in self.ways for key in (way.start.key, way.end.key)}
        return [station for station in self.stations if station.key not in met]


def shown(diagram: Diagram) -> Shown:
    """Return what can be shown of *diagram*; roads that lead nowhere are left out."""
    stations: dict[str, Station] = {}
    for station in diagram.stations:
        stations.setdefault(station.key, _printable(station))
    kept = _most_urgent(stations, diagram.roads)
    grouped: dict[tuple[str, str, Mood], list[str]] = defaultdict(list)
    for road in diagram.roads:
        if road.start in kept and road.end in kept:
            grouped[road.start, road.end, road.mood].append(printable(road.label))
    place = {key: number for number, key in enumerate(kept)}
    urgent = sorted(grouped, key=lambda x: (_URGENCY[x[2]], place[x[0]], place[x[1]]))[:MOST_ROADS]
    columns = _columns(kept, urgent)
    kept = {key: replace(x, column=columns[key]) for key, x in kept.items()}
    ways = tuple(
        Way(kept[start], kept[end], tuple(sorted(set(filter(None, labels)))), mood, len(labels))
        for start, end, mood in sorted(urgent, key=lambda x: (place[x[0]], place[x[1]], x[2]))
        for labels in [grouped[start, end, mood]]
    )
    drawn = sum(way.roads for way in ways)
    return Shown(tuple(kept.values()), ways, len(stations) - len(kept), len(diagram.roads) - drawn)


def about(station: Station) -> str:
    """Return all there is to say of a station in one line."""
    detail = f": {station.detail}" if station.detail else ""
    return f"{station.label}{detail}{_mood(station.mood)}"


def _mood(mood: Mood) -> str:
    return "" if mood == "plain" else f" ({mood})"


def printable(text: str) -> str:
    """Return *text* without what could steer a screen, its middle cut out where it is too long."""
    text = shortened(text, LONGEST_TEXT)
    kept = (x if x.isprintable() else " " if x.isspace() else _UNPRINTABLE for x in text)
    return " ".join("".join(kept).split())


def shortened(text: str, most: int) -> str:
    """Return *text*, or its beginning and end in *most* characters."""
    half = most // 2
    return text if len(text) <= most else f"{text[: most - half - 1]}{_ELLIPSIS}{text[-half:]}"


def _printable(station: Station) -> Station:
    label = printable(station.label) or printable(station.key)
    return replace(station, label=label, detail=printable(station.detail))


def _most_urgent(stations: Mapping[str, Station], roads: Iterable[Road]) -> dict[str, Station]:
    """Return as many stations as are drawn, in their order."""
    troubled = {key for key, x in stations.items() if _URGENCY[x.mood] < _TROUBLE}
    for road in roads:
        if _URGENCY[road.mood] < _TROUBLE:
            troubled |= {road.start, road.end}
    urgent = sorted(stations, key=lambda key: key not in troubled)[:MOST_STATIONS]
    kept = set(urgent)
    return {key: station for key, station in stations.items() if key in kept}


def _columns(
    stations: Mapping[str, Station], roads: Iterable[tuple[str, str, Mood]]
) -> dict[str, int]:
    """Return the columns as given, closed up; or the longest way to each where none are given."""
    columns = {key: station.column for key, station in stations.items()}
    if not any(columns.values()):
        ends: dict[str, set[str]] = {key: set() for key in stations}
        for start, end, _ in roads:
            ends[start].add(end)
        columns = _longest_ways({x: [y for y in stations if y in ends[x]] for x in stations})
    ranks = {column: rank for rank, column in enumerate(sorted(set(columns.values())))}
    return {key: min(ranks[column], MOST_COLUMNS - 1) for key, column in columns.items()}


def _longest_ways(ends: Mapping[str, list[str]]) -> dict[str, int]:
    """Return the most roads that lead to each station, not counting those that close a circle."""
    finished = _finished(ends)
    position = {key: number for number, key in enumerate(finished)}
    longest = dict.fromkeys(ends, 0)
    for start in reversed(finished):
        for end in ends[start]:
            if position[end] < position[start]:
                longest[end] = max(longest[end], longest[start] + 1)
    return longest


def _finished(ends: Mapping[str, list[str]]) -> list[str]:
    """Return each station behind all that can be reached from it, circles left aside."""
    finished: list[str] = []
    entered: set[str] = set()
    todo = [(origin, False) for origin in reversed(list(ends))]
    while todo:
        here, is_done = todo.pop()
        if is_done:
            finished.append(here)
        elif here not in entered:
            entered.add(here)
            todo.append((here, True))
            todo.extend((end, False) for end in reversed(ends[here]))
    return finished
