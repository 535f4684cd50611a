"""How long did the message stay between two hops, as far as their clocks can be believed?

Clocks of neighbouring servers differ by seconds even inside of Exchange Online, so that a hop may
seem to be before the one it followed: such a delay counts as nothing, and is marked. A clock that
cannot be right is found by what the other hops and the Date field say, and gives no delay at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST = timedelta(days=5)  # RFC 5321 section 4.5.4.1: senders give up after four or five days
LARGEST_STEP_BACK = timedelta(days=1)  # more is no clock that is a little slow
DATE_TOLERANCE = timedelta(hours=1)  # by which a hop may be before the Date field
NO_TIME = timedelta(0)


@dataclass(frozen=True, slots=True)
class Clock:
    """A hop's time judged: the delay since the hop before, None where it cannot be told.

    ``is_corrected``: the delay was negative and counts as nothing. ``is_skewed``: the time cannot
    be.
    """

    delay: timedelta | None = None
    is_corrected: bool = False
    is_skewed: bool = False


@dataclass(frozen=True, slots=True)
class Timing:
    """The clocks of all hops, oldest first; ``total`` is from the first to the last believed."""

    clocks: tuple[Clock, ...] = ()
    total: timedelta | None = None
    is_date_skewed: bool = False


def judge(times: Sequence[datetime | None], date: datetime | None) -> Timing:
    """Judge the *times* of hops, oldest first, with what the Date field says."""
    known = [each for each in times if each is not None]
    if not known:
        return Timing(tuple(Clock() for _ in times))
    votes = known if date is None else [*known, date]
    if len(votes) % 2 == 0:
        votes = [*votes, known[-1]]  # written by whoever keeps the mailbox: the best of them
    votes = sorted(votes)
    middle = votes[len(votes) // 2]
    skewed = {number for number, at in enumerate(times) if at and abs(at - middle) > LONGEST}
    skewed |= _steps_back(times, skewed)
    is_date_skewed = date is not None and _is_wrong(date, times, skewed)
    if date is not None and not is_date_skewed:
        earliest = date - DATE_TOLERANCE
        skewed |= {number for number, at in enumerate(times) if at and at < earliest}
    return _measure(times, skewed, is_date_skewed=is_date_skewed)


def _steps_back(times: Sequence[datetime | None], skewed: set[int]) -> set[int]:
    """Return the hops that contradict a neighbour: one of the two lies, and nobody knows which."""
    found: set[int] = set()
    before: int | None = None
    for number, at in enumerate(times):
        if at is None or number in skewed:
            continue
        if before is not None and (earlier := times[before]) and earlier - at > LARGEST_STEP_BACK:
            found |= {before, number}
        before = number
    return found


def _is_wrong(date: datetime, times: Sequence[datetime | None], skewed: set[int]) -> bool:
    """Tell whether the Date field is later than every hop that is believed, or far before them."""
    believed = [at for number, at in enumerate(times) if at and number not in skewed]
    if not believed:
        return False
    return date > max(believed) + DATE_TOLERANCE or min(believed) - date > LONGEST


def _measure(times: Sequence[datetime | None], skewed: set[int], *, is_date_skewed: bool) -> Timing:
    clocks: list[Clock] = []
    first: datetime | None = None
    last: datetime | None = None
    for number, at in enumerate(times):
        if at is None or number in skewed:
            clocks.append(Clock(is_skewed=at is not None))
            continue
        delay = None if last is None else at - last
        is_corrected = delay is not None and delay < NO_TIME
        clocks.append(Clock(NO_TIME if is_corrected else delay, is_corrected=is_corrected))
        first, last = first or at, at
    total = None if first is None or last is None else max(last - first, NO_TIME)
    return Timing(tuple(clocks), total, is_date_skewed)
