"""What is remembered of a record, in words: since when it is known, and what came and went?"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime


def moment(at: datetime) -> str:
    """Return a time as people read it, to the second, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def remembered(first_seen: datetime, changed_at: datetime | None) -> list[str]:
    """Return a line for each time that is known of a record."""
    lines = [f"first seen: {moment(first_seen)}"]
    return lines if changed_at is None else [*lines, f"last change: {moment(changed_at)}"]


def gone(old: Sequence[str], new: Collection[str]) -> list[str]:
    """Return a line for each part that is no longer there, in its order."""
    return [f"- {part}" for part in old if part not in new]


def come(old: Collection[str], new: Sequence[str]) -> list[str]:
    """Return a line for each part that was not there before, in its order."""
    return [f"+ {part}" for part in new if part not in old]
