"""When, according to a header field?

What a field says is a claim of the host that wrote it. The reader takes the date-time of RFC 5322
section 3.3 and the obsolete forms of section 4.3: comments, no day of the week, years of two or
three digits, named zones. What cannot be is no time at all, rather than a wrong one.
"""

import re
from datetime import UTC, datetime, timedelta

from agent.domain.comments import without_comments

MAX_LENGTH = 2000  # characters that are looked at

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_ZONES = {  # RFC 5322 section 4.3, in hours; every other name counts as UTC, as it says there
    "est": -5,
    "edt": -4,
    "cst": -6,
    "cdt": -5,
    "mst": -7,
    "mdt": -6,
    "pst": -8,
    "pdt": -7,
}
_DATE = re.compile(
    r"(?<![0-9.:])(?P<day>[0-9]{1,2})[ -](?P<month>[A-Za-z]{3})[a-z]{0,6}[ -](?P<year>[0-9]{2,9})"
    r" (?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?"
    r"(?:[.,](?P<fraction>[0-9]{1,9}))?"
    r"(?: ?(?P<zone>[+-][0-9]{4}(?![0-9])|[A-Za-z]{1,5}(?![A-Za-z0-9])))?"
)
_ASCTIME = re.compile(  # the form of the C library
    r"(?P<month>[A-Z][a-z]{2}) (?P<day>[0-9]{1,2})"
    r" (?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
    r"(?: (?P<zone>[+-][0-9]{4}|[A-Z]{1,5}))? (?P<year>[0-9]{4})(?![0-9])(?P<fraction>)"
)
_FIRST_OF_THIS_CENTURY = 50  # RFC 5322 section 4.3: 00 to 49 are 2000 to 2049
_TWO_DIGITS, _THREE_DIGITS = 2, 3
_LEAP_SECOND = 60
_NO_TIME = timedelta(0)
_LONGEST_ZONE = timedelta(hours=24)


def read_date(text: str) -> datetime | None:
    """Return the first date-time in *text*, in UTC; None where there is none that can be."""
    text = " ".join(without_comments(text[:MAX_LENGTH]).split())
    if ":" not in text:
        return None
    text = text.replace(" :", ":").replace(": ", ":")
    match = _DATE.search(text) or _ASCTIME.search(text)
    return None if match is None else _moment(match)


def _moment(match: re.Match[str]) -> datetime | None:
    month = _MONTHS.get(match["month"].lower())
    zone = _zone(match["zone"] or "")
    if month is None or zone is None:
        return None
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    if second == _LEAP_SECOND:  # RFC 5322 section 3.3 knows it, Python does not
        second -= 1
    fraction = int(match["fraction"][:6].ljust(6, "0")) if match["fraction"] else 0
    try:
        day = int(match["day"])
        local = datetime(  # noqa: DTZ001 - the zone comes off below
            _year(match["year"]), month, day, hour, minute, second, fraction
        )
        return (local - zone if zone else local).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _year(text: str) -> int:
    """Return the year that is meant (RFC 5322 section 4.3)."""
    year = int(text)
    if len(text) == _TWO_DIGITS:
        return year + (2000 if year < _FIRST_OF_THIS_CENTURY else 1900)
    return year + 1900 if len(text) == _THREE_DIGITS else year


def _zone(text: str) -> timedelta | None:
    """Return how far a zone is ahead of UTC; None for one that cannot be."""
    if text in {"+0000", "GMT"}:
        return _NO_TIME
    if text[:1] not in {"+", "-"}:
        return timedelta(hours=_ZONES.get(text.lower(), 0))
    ahead = timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))
    if ahead >= _LONGEST_ZONE:
        return None
    return -ahead if text[0] == "-" else ahead
