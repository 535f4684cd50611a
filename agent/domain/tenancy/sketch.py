"""How is a picture of ways put together, so that it stays readable?

Places and roads are named as they are found, some of them several times. Roads between the same two
places become one, and where many places are alike, one stands for them all.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from agent.domain.fact import Diagram, Mood, Road, Station

MOST_ALIKE = 6  # places of one kind in one column; more are drawn as one
MOST_LABELS = 2  # on one road
_RANKS: tuple[Mood, ...] = ("plain", "good", "unknown", "warning", "bad")
_PLURALS = {
    "internet": "hosts outside",
    "exchange": "tenants",
    "gateway": "gateways",
    "server": "servers",
    "mailbox": "mailboxes",
    "service": "services",
    "refused": "refusals",
}


@dataclass(slots=True)
class _Way:
    labels: dict[str, None]
    mood: Mood


class Sketch:
    """A picture that is being drawn."""

    def __init__(self) -> None:
        self._stations: dict[str, Station] = {}
        self._ways: dict[tuple[str, str], _Way] = {}

    def station(self, station: Station) -> str:
        """Draw a place that is not there yet; return its key."""
        self._stations.setdefault(station.key, station)
        return station.key

    def road(self, start: str, end: str, label: str = "", mood: Mood = "plain") -> None:
        """Draw a road, or one more reason for it and perhaps a worse mood."""
        way = self._ways.setdefault((start, end), _Way({}, mood))
        if label:
            way.labels[label] = None
        way.mood = _worst((way.mood, mood))

    def drawn(self) -> Diagram:
        """Return the picture, with one place for many that are alike."""
        stands_for = self._merged()
        stations: dict[str, Station] = {}
        for key, station in self._stations.items():
            drawn = stands_for.get(key, station)
            stations.setdefault(drawn.key, drawn)
        ways: dict[tuple[str, str], list[_Way]] = defaultdict(list)
        for (start, end), way in self._ways.items():
            ends = (_key(stands_for, start), _key(stands_for, end))
            ways[ends].append(way)
        roads = tuple(_road(start, end, alike) for (start, end), alike in ways.items())
        return Diagram(tuple(stations.values()), roads)

    def _merged(self) -> dict[str, Station]:
        """Return the place that stands for another one, by the key of that.

        Alike are those of one kind to which roads lead, from which they do, or both.
        """
        starts, ends = {start for start, _ in self._ways}, {end for _, end in self._ways}
        notable = {key for ends, way in self._ways.items() if way.mood == "bad" for key in ends}
        alike: dict[tuple[str, int, bool, bool], list[Station]] = defaultdict(list)
        for key, station in self._stations.items():
            if key not in notable:
                alike[station.kind, station.column, key in starts, key in ends].append(station)
        merged: dict[str, Station] = {}
        for number, group in enumerate(alike.values()):
            if len(group) > MOST_ALIKE:
                one = _group(group, f"many:{number}")
                merged |= {each.key: one for each in group}
        return merged


def _key(stands_for: dict[str, Station], key: str) -> str:
    return stands_for[key].key if key in stands_for else key


def _group(group: list[Station], key: str) -> Station:
    first = group[0]
    names = ", ".join(each.label for each in group)
    label = f"{len(group)} {_PLURALS[first.kind]}"
    return replace(first, key=key, label=label, detail=names, mood=_worst(e.mood for e in group))


def _road(start: str, end: str, alike: list[_Way]) -> Road:
    labels = tuple(dict.fromkeys(label for way in alike for label in way.labels))
    return Road(start, end, brief(labels), _worst(way.mood for way in alike))


def brief(labels: tuple[str, ...]) -> str:
    """Return the first few labels, and how many more there are."""
    more = len(labels) - MOST_LABELS
    shown = ", ".join(labels[:MOST_LABELS])
    return f"{shown} and {more} more" if more > 0 else shown


def _worst(moods: Iterable[Mood]) -> Mood:
    return max(moods, key=_RANKS.index)
