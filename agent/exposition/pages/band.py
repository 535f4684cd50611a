"""How did a subject fare in the last day, week and month, as a picture and in words?

A band is a line of time in which every state has a height of its own, so that it can be read
without colours. What it shows is said beside it in words, for those who see no picture.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from agent.adapters.chronicle import Record, Turn
from agent.domain.timeline import Account, Mark, Span, account, slots, spans, spoken, together

SLOTS = 360
HEIGHT = 24
HEIGHTS = {
    Mark.OK: 9,
    Mark.WARNING: 15,
    Mark.STALE: 18,
    Mark.UNKNOWN: 20,
    Mark.CRITICAL: 24,
    Mark.NO_DATA: 3,
    Mark.AWAY: 0,
}
_TOLD = (Mark.CRITICAL, Mark.UNKNOWN, Mark.STALE, Mark.WARNING)
_SHORTEST = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time up to now that a band shows, and how many parts it has."""

    name: str
    length: timedelta
    parts: int


WINDOWS = (
    Window("24 h", timedelta(hours=24), 24),
    Window("7 d", timedelta(days=7), 7),
    Window("30 d", timedelta(days=30), 30),
)


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a band in which it shows one mark; numbers are slots and units of height."""

    x: int
    width: int
    y: int
    height: int
    key: str


@dataclass(frozen=True, slots=True)
class Band:
    """How something fared in a window; ``words`` say the same as the blocks."""

    window: Window
    blocks: tuple[Block, ...]
    ticks: tuple[float, ...]
    words: str


@dataclass(frozen=True, slots=True)
class CheckBand:
    """The last day of one check."""

    kind: str
    band: Band


@dataclass(frozen=True, slots=True)
class History:
    """How a subject fared; ``now`` says for how long it has been as it is."""

    now: str
    mark: Mark
    bands: tuple[Band, ...]
    checks: tuple[CheckBand, ...]
    marks: tuple[Mark, ...]


def history(record: Record, kinds: Mapping[str, str], since: datetime | None = None) -> History:
    """Return how the subject fared that the checks with the identities *kinds* look at.

    *since* is when that began which is wrong with it now, where a run in between could not tell.
    """
    longest, now = WINDOWS[-1].length, record.at
    lines = {x: spans(record.notes[x], record.watches, now - longest, now) for x in kinds}
    whole = together(tuple(lines.values()))
    told = account(whole)
    bands = tuple(_band(whole, window, now) for window in WINDOWS)
    checks = tuple(CheckBand(kinds[x], _band(line, WINDOWS[0], now)) for x, line in lines.items())
    return History(_now(told, now, since), told.mark, bands, checks, tuple(sorted(told.spent)))


def turns_of(record: Record, most: int) -> tuple[Turn, ...]:
    """Return what became of the checks of a record, newest first."""
    turns = [
        Turn(after.at, identity, before.mark, after.mark)
        for identity, notes in record.notes.items()
        for before, after in pairwise(notes)
        if before.mark is not after.mark
    ]
    return tuple(sorted(turns, key=lambda turn: turn.at, reverse=True)[:most])


def _now(told: Account, now: datetime, since: datetime | None) -> str:
    if told.mark in (Mark.NO_DATA, Mark.AWAY):
        return "Nothing is known of it now."
    if told.since is None:
        return f"{told.mark.word.capitalize()} for as long as it is on record."
    start = told.since
    if since is not None and told.mark in (Mark.CRITICAL, Mark.WARNING):
        start = min(start, since)
    return f"{told.mark.word.capitalize()} for {spoken(now - start)}."


def _band(line: tuple[Span, ...], window: Window, now: datetime) -> Band:
    start = now - window.length
    part = tuple(
        Span(max(span.start, start), span.end, span.mark) for span in line if span.end > start
    )
    blocks = tuple(
        Block(first, count, HEIGHT - HEIGHTS[mark], HEIGHTS[mark], mark.name.lower())
        for first, count, mark in slots(part, SLOTS)
        if HEIGHTS[mark]
    )
    ticks = tuple(round(SLOTS * tick / window.parts, 1) for tick in range(1, window.parts))
    return Band(window, blocks, ticks, _words(account(part), window))


def _words(told: Account, window: Window) -> str:
    if not told.recorded:
        return "Nothing is on record."
    parts = [f"ok {told.share(Mark.OK)}"]
    for mark in _TOLD:
        if spent := told.spent.get(mark):
            incidents = ""
            if mark is Mark.CRITICAL:
                plural = "" if told.incidents == 1 else "s"
                incidents = f" in {told.incidents} incident{plural}"
            parts.append(f"{mark.word} {told.share(mark)} ({spoken(spent)}{incidents})")
    missing = window.length - told.recorded
    gap = f" Not on record: {spoken(missing)}." if missing >= _SHORTEST else ""
    return f"{', '.join(parts)}.{gap}"
