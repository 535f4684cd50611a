"""How did a check fare over a stretch of time, and for how much of it is that known?

Notes say from when on a check was how; watches say when the agent ran. Between two watches nothing
is known, and after the start of a watch nothing until the first run: an old green lasts no longer
than somebody looked.
"""

import enum
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_TENTH = 1000  # a tenth of a percent


class Mark(enum.IntEnum):
    """How a check was: one of the severities, by their numbers, or why none is known."""

    OK = 0
    WARNING = 1
    UNKNOWN = 2
    CRITICAL = 3
    STALE = 4  # no run came in time
    NO_DATA = 5  # not run yet since the agent started, or not configured
    AWAY = 6  # the agent did not run, or had never heard of the check

    @property
    def word(self) -> str:
        """The word that a reader sees."""
        return _WORDS[self]

    @property
    def is_known(self) -> bool:
        """Whether something was found out: it is good, bad, or could not be told."""
        return self <= Mark.CRITICAL


_WORDS = {
    Mark.OK: "ok",
    Mark.WARNING: "warning",
    Mark.UNKNOWN: "unknown",
    Mark.CRITICAL: "critical",
    Mark.STALE: "stale",
    Mark.NO_DATA: "no data",
    Mark.AWAY: "not on record",
}
# What a picture shows where several are true; the first wins.
URGENCY = (
    Mark.CRITICAL,
    Mark.UNKNOWN,
    Mark.STALE,
    Mark.WARNING,
    Mark.NO_DATA,
    Mark.OK,
    Mark.AWAY,
)
_RANK = {mark: rank for rank, mark in enumerate(URGENCY)}
_BLANK = (Mark.NO_DATA, Mark.AWAY)


@dataclass(frozen=True, slots=True)
class Note:
    """From *at* on a check was so."""

    at: datetime
    mark: Mark


@dataclass(frozen=True, slots=True)
class Watch:
    """The agent ran from *began* to *seen*, at least."""

    began: datetime
    seen: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in which a check was so."""

    start: datetime
    end: datetime
    mark: Mark

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start


def spans(
    notes: Sequence[Note], watches: Sequence[Watch], start: datetime, end: datetime
) -> tuple[Span, ...]:
    """Return how a check was from *start* to *end*, without holes; both are given oldest first."""
    return tuple(_joined(_clipped(_raw(notes, watches, end), start, end)))


def _raw(notes: Sequence[Note], watches: Sequence[Watch], end: datetime) -> Iterator[Span]:
    """Yield spans from the first watch on; what is between them is not on record."""
    bounds = [*(watch.began for watch in watches[1:]), end]
    for watch, bound in zip(watches, bounds, strict=False):
        first = bisect_left(notes, watch.began, key=_at)
        its = notes[first : bisect_left(notes, bound, key=_at)]
        # The last sign of life is a little older than the last run of a process that crashed.
        seen = min(bound, max([watch.seen, *map(_at, its[-1:])]))
        at, mark = watch.began, Mark.NO_DATA if first else Mark.AWAY
        for note in its:
            yield Span(at, note.at, mark)
            at, mark = note.at, note.mark
        yield Span(at, seen, mark)


def _at(note: Note) -> datetime:
    return note.at


def _clipped(given: Iterable[Span], start: datetime, end: datetime) -> Iterator[Span]:
    at = start
    for span in given:
        first, last = max(span.start, at), min(span.end, end)
        if first < last:
            yield Span(at, first, Mark.AWAY)
            yield Span(first, last, span.mark)
            at = last
    yield Span(at, end, Mark.AWAY)


def _joined(given: Iterable[Span]) -> Iterator[Span]:
    """Join neighbours of one mark, and leave out what is empty."""
    last: Span | None = None
    for span in given:
        if span.start >= span.end:
            continue
        if last is not None and last.mark is span.mark:
            last = Span(last.start, span.end, span.mark)
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last


def together(lines: Sequence[tuple[Span, ...]]) -> tuple[Span, ...]:
    """Return the most urgent of several checks at each time; all cover the same stretch."""
    edges = sorted({span.start for line in lines for span in line} | {_end(x) for x in lines if x})
    places = [0] * len(lines)
    made: list[Span] = []
    for number, start in enumerate(edges[:-1]):
        marks = []
        for which, line in enumerate(lines):
            while line[places[which]].end <= start:
                places[which] += 1
            marks.append(line[places[which]].mark)
        made.append(Span(start, edges[number + 1], min(marks, key=_RANK.__getitem__)))
    return tuple(_joined(made))


def _end(line: tuple[Span, ...]) -> datetime:
    return line[-1].end


def slots(line: tuple[Span, ...], count: int) -> tuple[tuple[int, int, Mark], ...]:
    """Return *line* for a picture of *count* slots: runs of slots, each as first, number and mark.

    A slot shows the most urgent of what was in it, be it ever so short. A hole in the record wins
    over "ok" where it is half of the slot.
    """
    if not line:
        return ()
    start, length = line[0].start, (line[-1].end - line[0].start) / count
    marks, place = [], 0
    for number in range(count):
        first = start + number * length
        last = first + length
        while place < len(line) - 1 and line[place].end <= first:
            place += 1
        marks.append(_of_slot(line, place, first, last))
    runs: list[tuple[int, int, Mark]] = []
    for number, mark in enumerate(marks):
        if runs and runs[-1][2] is mark:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1, mark)
        else:
            runs.append((number, 1, mark))
    return tuple(runs)


def _of_slot(line: tuple[Span, ...], place: int, first: datetime, last: datetime) -> Mark:
    inside: dict[Mark, timedelta] = {}
    while place < len(line) and line[place].start < last:
        span = line[place]
        share = min(span.end, last) - max(span.start, first)
        inside[span.mark] = inside.get(span.mark, timedelta()) + share
        place += 1
    worst = min(inside, key=_RANK.__getitem__)
    if worst in (*_BLANK, Mark.OK):
        blank = {mark: inside[mark] for mark in _BLANK if mark in inside}
        if sum(blank.values(), timedelta()) * 2 >= last - first:
            return max(blank, key=blank.__getitem__)
        return Mark.OK
    return worst


@dataclass(frozen=True, slots=True)
class Account:
    """What a stretch adds up to: the time of each mark, incidents, and since when it is as it is.

    ``since`` is None where the record does not go back to the beginning of it.
    """

    spent: dict[Mark, timedelta]
    incidents: int
    mark: Mark
    since: datetime | None

    @property
    def recorded(self) -> timedelta:
        """For how long anything is on record."""
        return sum((x for mark, x in self.spent.items() if mark not in _BLANK), timedelta())

    def share(self, mark: Mark) -> str:
        """Return the share of a mark in what is on record, such as ``99.1 %``."""
        part, whole = self.spent.get(mark, timedelta()), self.recorded
        if not part or not whole:
            return "0 %"
        if part == whole:
            return "100 %"
        tenths = min(max(_TENTH * part // whole, 1), _TENTH - 1)  # neither none nor all
        return f"{tenths / 10:g} %"


def account(line: tuple[Span, ...]) -> Account:
    """Add a stretch up. Times with trouble are one incident until it is known to be over."""
    spent: dict[Mark, timedelta] = {}
    incidents, is_open = 0, False
    for span in line:
        spent[span.mark] = spent.get(span.mark, timedelta()) + span.length
        if span.mark is Mark.CRITICAL:
            incidents += not is_open
            is_open = True
        elif span.mark in (Mark.OK, Mark.WARNING):
            is_open = False
    mark = line[-1].mark if line else Mark.AWAY
    return Account(spent, incidents, mark, _since(line, mark))


def _since(line: tuple[Span, ...], mark: Mark) -> datetime | None:
    """Return since when it is *mark*; where nobody looked it is taken to have gone on."""
    since: datetime | None = None
    for span in reversed(line):
        if span.mark is mark:
            since = span.start
        elif span.mark not in _BLANK:
            return since
    return None


def spoken(length: timedelta) -> str:
    """Write a length of time in its two largest units: ``2 h 10 min``."""
    seconds = max(0, round(length.total_seconds()))
    for size, unit, smaller, small in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if seconds >= size:
            rest = seconds % size // smaller
            return f"{seconds // size} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{seconds} s"
