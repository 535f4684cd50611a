"""For how long does a service ask to be left alone?

RFC 9110 section 10.2.3 allows seconds or a date. Services have been seen to send neither, a
negative number and years. What is obeyed is between a second and, unless the caller has more time,
five minutes, so that nobody is hammered and nobody is forgotten.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LEAST, MOST = timedelta(seconds=1), timedelta(minutes=5)
DEFAULT = timedelta(seconds=30)  # where the service says nothing that can be read
_SECONDS = re.compile(r"[+-]?[0-9]+")
_DIGITS = 18  # of a number of seconds that is read as one


def read_retry_after(headers: Mapping[str, str], most: timedelta = MOST) -> timedelta:
    """Return how long to wait, by the fields ``retry-after`` and ``date`` of a reply.

    It is at most *most*. A date is compared with the service's own clock: ours may be wrong.
    """
    said = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(said):
        seconds = min(max(float(said[:_DIGITS]), 0.0), most.total_seconds())
        return max(LEAST, timedelta(seconds=seconds))
    until, at = _read_date(said), _read_date(headers.get("date", ""))
    if until is None or at is None:
        return DEFAULT
    return min(max(until - at, LEAST), most)


def _read_date(text: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)
