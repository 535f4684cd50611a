"""Since when is a record as it is, and what was it before?

Kept in memory for every record, written behind to the store only when one changes: a check whose
record stays as it is costs a comparison. The records of a check that is no longer configured are
forgotten, but late: who deletes half a file by mistake, and puts it back, has lost nothing.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agent.adapters.store import Change, Store, StoreError
from agent.adapters.store_file import legible

MAX_TEXT = 4096  # characters of a record that are kept; a longer one keeps its digest
FORGET_AFTER = timedelta(days=30)  # from when its check was first missing
_NEVER = datetime.max.replace(tzinfo=UTC)
_STOOD = " kept"  # after a key: what had stood for long when the changes began that are news
_SAVE = "INSERT OR REPLACE INTO history VALUES (?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a record: ``changed_at`` and ``previous`` are None while it never changed.

    ``first_seen`` is when the record under this key was seen first, whatever it said then.
    """

    first_seen: datetime
    changed_at: datetime | None
    previous: str | None


class History:
    """The last two values of every record, over restarts; without a store, until the end.

    A record's key is the identity of its check, ``#``, and which record of it.
    """

    def __init__(self, store: Store | None) -> None:
        self._store = store
        self._known: dict[str, tuple[str, Seen]] = {}
        self._gone: dict[str, datetime] = {}  # since when nobody has wanted it
        self._prune_at = _NEVER

    async def start(self) -> None:
        """Read what is known. Raises StoreError where the store cannot be read."""
        if self._store is None:
            return
        rows = await self._store.read(
            "SELECT key, text, first_seen, changed_at, previous, gone_at FROM history"
        )
        with legible():
            for key, text, first_seen, changed_at, previous, gone_at in rows:
                changed = None if changed_at is None else datetime.fromtimestamp(changed_at, UTC)
                seen = Seen(datetime.fromtimestamp(first_seen, UTC), changed, previous)
                self._known[key] = (text, seen)
                if gone_at is not None:
                    self._gone[key] = datetime.fromtimestamp(gone_at, UTC)

    def note(self, key: str, text: str, now: datetime, news_for: timedelta | None = None) -> Seen:
        """Note that the record under *key* reads *text*, and return what is known of it.

        The same object comes back while nothing changes. *news_for* is how long a change of it is
        news, for :meth:`stood`.
        """
        if now > self._prune_at:
            self._prune(now)
        text = _bounded(text)
        known = self._known.get(key)
        if known is not None and known[0] == text:
            return known[1]
        if known is not None and news_for is not None:
            changed_at = known[1].changed_at
            if changed_at is None or now >= changed_at + news_for:
                self.note(f"{key}{_STOOD}", known[0], now)
        seen = Seen(now, None, None) if known is None else Seen(known[1].first_seen, now, known[0])
        self._known[key] = (text, seen)
        self._save(key)
        return seen

    def last(self, key: str) -> str | None:
        """Return what the record under *key* reads; None where nothing is known."""
        known = self._known.get(key)
        return None if known is None else known[0]

    def stood(self, key: str) -> str | None:
        """Return what the record read before all that is news of it, by the *news_for* of notes.

        None where it reads that again, or never changed: then there is no news.
        """
        text, seen = self._known[key]
        before = self.last(f"{key}{_STOOD}")
        before = seen.previous if before is None else before
        return None if before == text else before

    async def note_durably(self, key: str, text: str, now: datetime) -> bool:
        """Note it as :meth:`note` does, and tell whether it is on the disk before returning.

        Without a store it lasts as long as all else, which is what was asked for.
        """
        self.note(key, text, now)
        if self._store is None:
            return True
        try:
            await self._store.commit(self._change(key))
        except StoreError:
            return False
        return True

    def keep(self, checks: Iterable[str], now: datetime) -> None:
        """Forget what belongs to none of *checks*, identities, once that is so for long."""
        wanted = frozenset(checks)
        for key in self._known:
            is_gone = key.rpartition("#")[0] not in wanted
            if is_gone == (key in self._gone):
                continue
            if is_gone:
                self._gone[key] = now
            else:
                del self._gone[key]
            self._save(key)
        self._prune(now)

    def _prune(self, now: datetime) -> None:
        for key in [key for key, since in self._gone.items() if now - since > FORGET_AFTER]:
            del self._gone[key], self._known[key]
            sql = "DELETE FROM history WHERE key = ?"
            if self._store is not None:
                self._store.write(Change(f"history {key}", ((sql, (key,)),)))
        self._prune_at = min(self._gone.values()) + FORGET_AFTER if self._gone else _NEVER

    def _save(self, key: str) -> None:
        if self._store is not None:
            self._store.write(self._change(key))

    def _change(self, key: str) -> Change:
        text, seen = self._known[key]
        first_seen, changed_at = seen.first_seen.timestamp(), _stamp(seen.changed_at)
        row = (key, text, first_seen, changed_at, seen.previous, _stamp(self._gone.get(key)))
        return Change(f"history {key}", ((_SAVE, row),))


def _stamp(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _bounded(text: str) -> str:
    """Make a text fit for the store, cut so that two which differ still differ."""
    if not text.isascii():
        # A lone surrogate would make the whole write fail.
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    if len(text) <= MAX_TEXT:
        return text
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return f"{text[: MAX_TEXT - 80]}... sha256:{digest}"
