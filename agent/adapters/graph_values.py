"""What does a field of an object from Microsoft Graph hold?

JSON from a service is no less hostile than any other word of a peer: a field may be missing, of
another kind, or a megabyte.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from agent.domain.peer_text import PeerText

_LONGEST_TIME = 40  # characters


def read_text(value: Mapping[str, Any], name: str) -> PeerText:
    """Return the text in the field *name*; empty where it is no text."""
    found = value.get(name)
    return PeerText(found if isinstance(found, str) else "")


def read_time(value: Mapping[str, Any], name: str) -> datetime | None:
    """Return the time in the field *name* in UTC; None where it is none."""
    found = value.get(name)
    if not isinstance(found, str) or len(found) > _LONGEST_TIME:
        return None
    try:
        read = datetime.fromisoformat(found)
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
