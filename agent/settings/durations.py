"""How long is what an operator writes as ``1h30m``?

Read and written in one place, so that what is shown of a setting can be pasted back.
"""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import PlainSerializer, WithJsonSchema
from pydantic.functional_validators import BeforeValidator

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII)
_MAX_DIGITS = 9  # of one number in a duration: 30 years in seconds
_LONGEST = timedelta(days=36_500)  # no calendar ends within it of any moment


def read_duration(text: object) -> timedelta:
    """Read ``30s``, ``5m``, ``1h30m``, ``60d`` or ``250ms``; raise ValueError for anything else.

    A day has 24 hours.
    """
    if isinstance(text, timedelta):
        return text
    match = _DURATION.fullmatch(text) if isinstance(text, str) and text else None
    if match is None or any(len(part or "") > _MAX_DIGITS for part in match.groups()):
        message = "is not a duration; write it as 30s, 5m, 1h30m or 60d"
        raise ValueError(message)
    numbers = (int(part or 0) for part in match.groups())
    units = (86_400_000, 3_600_000, 60_000, 1000, 1)
    milliseconds = sum(number * unit for number, unit in zip(numbers, units, strict=True))
    if milliseconds > _LONGEST // timedelta(milliseconds=1):
        message = f"is longer than {_LONGEST.days}d"
        raise ValueError(message)
    return timedelta(milliseconds=milliseconds)


def write_duration(value: timedelta) -> str:
    """Write a duration as :func:`read_duration` reads it."""
    milliseconds = value // timedelta(milliseconds=1)
    parts = []
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, milliseconds = divmod(milliseconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


Duration = Annotated[
    timedelta,
    BeforeValidator(read_duration),
    PlainSerializer(write_duration, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(?=[0-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$",
        }
    ),
]
