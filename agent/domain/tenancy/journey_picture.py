"""How does a journey look, as a picture and as a list of stops?"""

from agent.domain.fact import Diagram, Mood, Path, Road, Station, StationKind, Stop
from agent.domain.tenancy.journey_values import By, End, Journey, Spot, Step

KINDS: dict[Spot, StationKind] = {
    "internet": "internet",
    "exchange": "exchange",
    "tenant": "exchange",
    "gateway": "gateway",
    "server": "server",
    "service": "service",
}


def key_of(step: Step) -> str:
    """Return the key of the place of a step; a tenant and the edge before it are two."""
    return f"{step.spot}:{step.name}"


def label_of(step: Step) -> str:
    """Return what the place of a step is called."""
    if step.spot == "internet":
        return "the internet"
    return f"tenant {step.name}" if step.spot == "tenant" else step.name


def by_label(by: By) -> str:
    """Return the object that decides, in few words for a road."""
    return f"MX of {by.name}" if by.kind == "MX" else by.name


def journey_picture(journey: Journey) -> Diagram:
    """Draw a journey from left to right; a loop leads back to where it began."""
    loop = journey.end.loop
    cycle = {key_of(step) for step in loop.steps} if loop is not None else set()
    stations: dict[str, Station] = {}
    for step in places_of(journey.steps):
        key = key_of(step)
        mood: Mood = "bad" if key in cycle else step.mood
        new = Station(key, label_of(step), KINDS[step.spot], step.why, mood, len(stations))
        stations.setdefault(key, new)
    roads = [
        Road(start, end, label, "bad" if {start, end} <= cycle else "plain")
        for start, end, label in legs(journey.steps)
    ]
    if loop is not None:
        # Twice round, so that the road from its last place to the first is among them.
        roads += [Road(*leg, "bad") for leg in legs(loop.steps * 2)]
    else:
        roads += _to_end(journey, stations)
    return Diagram(tuple(stations.values()), tuple(dict.fromkeys(roads)))


def places_of(steps: tuple[Step, ...]) -> list[Step]:
    """Return the steps that are places: attribution is one only where nothing follows."""
    last = len(steps) - 1
    return [step for number, step in enumerate(steps) if step.spot != "exchange" or number == last]


def legs(steps: tuple[Step, ...]) -> list[tuple[str, str, str]]:
    """Return the roads between the places of *steps*, each with what decides on it.

    That is the attribution, where the road leads into a tenant.
    """
    found = []
    start, by = None, None
    for number, step in enumerate(steps):
        if step.spot == "exchange" and number + 1 < len(steps):
            by = step.by
            continue
        if start is not None:
            found.append((key_of(start), key_of(step), by_label(by or start.by)))
        start, by = step, None
    return found


def _to_end(journey: Journey, stations: dict[str, Station]) -> list[Road]:
    """Add the end of a journey; return the road to it, none where the last place is the end."""
    last, end = places_of(journey.steps)[-1], journey.end
    if end.kind == "handed" and last.spot == "server":
        return []
    station = station_of(end, len(stations))
    stations[station.key] = station
    return [Road(key_of(last), station.key, by_label(last.by), station.mood)]


def station_of(end: End, column: int) -> Station:
    """Return the place where a journey ends."""
    match end.kind:
        case "delivered":
            return Station("end", "mailbox", "mailbox", f"of tenant {end.place}", "good", column)
        case "refused":
            return Station("end", "refused", "refused", end.text, "bad", column)
        case "handed":
            return Station("end", "own server", "server", end.place, "good", column)
        case "left":
            return Station("end", end.place, "internet", "", "plain", column)
    return Station("end", "not known", "internet", end.text, "unknown", column)


def journey_path(journey: Journey) -> Path:
    """Write a journey as stops: what each place does, and why, and the end."""
    stops = []
    link = ""
    for step in journey.steps:
        note = f"{step.action}, because {step.why}"
        stops.append(Stop(step.place, link=link, mood=step.mood, note=note))
        link = str(step.by)
    mood: Mood = _ENDS[journey.end.kind]
    stops.append(Stop(str(journey.end), link=link, mood=mood, note=_to_change(journey.end)))
    return Path(tuple(stops))


_ENDS: dict[str, Mood] = {
    "delivered": "good",
    "handed": "good",
    "left": "plain",
    "refused": "bad",
    "looped": "bad",
    "unknown": "unknown",
}


def _to_change(end: End) -> str:
    loop = end.loop
    if loop is None:
        return ""
    return f"cut at about hop {loop.hop}; to change: {loop.edge.by}"
