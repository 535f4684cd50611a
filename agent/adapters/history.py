"""Since when is a record as it is, and what was it before?

Kept in memory for every record, written behind to the store only when one changes: a check whose
record stays as it is costs a comparison.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.adapters.store import Change, Store
from agent.adapters.store_file import legible

MAX_TEXT = 4096  # characters of a record that are kept; a longer one keeps its digest


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a record: ``changed_at`` and ``previous`` are None while it never changed.

    ``first_seen`` is when the record under this key was seen first, whatever it said then.
    """

    first_seen: datetime
    changed_at: datetime | None
    previous: str | None


class History:
    """The last two values of every record, over restarts."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, tuple[str, Seen]] = {}

    async def start(self) -> None:
        """Read what is known. Raises StoreError where the store cannot be read."""
        rows = await self._store.read(
            "SELECT key, text, first_seen, changed_at, previous FROM history"
        )
        with legible():
            for key, text, first_seen, changed_at, previous in rows:
                changed = None if changed_at is None else datetime.fromtimestamp(changed_at, UTC)
                seen = Seen(datetime.fromtimestamp(first_seen, UTC), changed, previous)
                self._known[key] = (text, seen)

    def note(self, key: str, text: str, now: datetime) -> Seen:
        """Note that the record under *key* reads *text*, and return what is known of it.

        The same object comes back while nothing changes.
        """
        text = _bounded(text)
        known = self._known.get(key)
        if known is not None and known[0] == text:
            return known[1]
        seen = Seen(now, None, None) if known is None else Seen(known[1].first_seen, now, known[0])
        self._known[key] = (text, seen)
        changed_at = None if seen.changed_at is None else seen.changed_at.timestamp()
        row = (key, text, seen.first_seen.timestamp(), changed_at, seen.previous)
        sql = "INSERT OR REPLACE INTO history VALUES (?, ?, ?, ?, ?)"
        self._store.write(Change(f"history {key}", ((sql, row),)))
        return seen


def _bounded(text: str) -> str:
    """Make a text fit for the store, cut so that two which differ still differ."""
    if not text.isascii():
        # A lone surrogate would make the whole write fail.
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    if len(text) <= MAX_TEXT:
        return text
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return f"{text[: MAX_TEXT - 80]}... sha256:{digest}"
