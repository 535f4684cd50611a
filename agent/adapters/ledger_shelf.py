"""What is in memory of the ledger, and how is it written behind?

Every message that is kept, by its nonce, and for each route what its messages add up to.
"""

import zlib
from collections import deque
from collections.abc import Iterable

from agent.adapters.entry_codec import decode_tally, encode_entry, encode_tally
from agent.adapters.store import Change, Store
from agent.domain.ledger import Entry
from agent.domain.tally import Tally

_RECENT = 20  # messages of a route that a page shows
_NEWS = 100  # messages whose fate a run has not reported yet
_HEAD = 32 * 1024  # octets of a header that are kept


class _Route:
    """What is in memory of one route; ``settled`` adds up the messages that are forgotten."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.settled = Tally()
        self.sequence = 0
        self.in_flight: dict[str, None] = {}
        self.recent: deque[str] = deque(maxlen=_RECENT)
        self.news: deque[str] = deque(maxlen=_NEWS)


class Shelf:
    """The entries of a ledger."""

    def __init__(self, store: Store) -> None:
        self.entries: dict[str, Entry] = {}
        self._heads: dict[str, bytes] = {}  # of recent messages, deflated
        self._store = store
        self._routes: dict[str, _Route] = {}
        self._forgotten = 0

    def restore(self, name: str, sequence: int, settled: str) -> None:
        """Take up what the forgotten messages of a route add up to."""
        route = self._route(name)
        route.tally, route.settled = decode_tally(settled), decode_tally(settled)
        route.sequence = sequence

    def next_sequence(self, name: str) -> int:
        """Return the number of the next message of a route."""
        route = self._route(name)
        route.sequence += 1
        return route.sequence

    def step(self, before: Entry, after: Entry) -> None:
        """Take a message from one state to the next, here and in the store."""
        if after == before:
            return
        self.save(before, after)
        if after.judged_at != before.judged_at or after.has_arrived:
            self._route(after.route).news.append(after.nonce)

    def save(self, before: Entry | None, after: Entry) -> None:
        """Keep an entry here and in the store; *before* is None for a new one."""
        self.put(before, after)
        self._store.write(saved(after))

    def put(self, before: Entry | None, after: Entry) -> None:
        """Keep an entry here, because the store has it already."""
        route = self._route(after.route)
        route.tally.change(before, after)
        self.entries[after.nonce] = after
        if before is None:
            if len(route.recent) == _RECENT:
                self._drop_head(route.recent[0])
            route.recent.append(after.nonce)
            route.sequence = max(route.sequence, after.sequence)
        if after.is_in_flight:
            route.in_flight[after.nonce] = None
        else:
            route.in_flight.pop(after.nonce, None)

    def forget(self, nonces: Iterable[str]) -> None:
        """Drop messages whose fate is known, but keep what they add up to."""
        old: dict[str, list[Entry]] = {}
        for nonce in nonces:
            entry = self.entries[nonce]
            if not entry.is_in_flight:
                self._drop_head(nonce)
                old.setdefault(entry.route, []).append(self.entries.pop(nonce))
        for name, entries in old.items():
            self._fold(name, entries)

    def _fold(self, name: str, entries: list[Entry]) -> None:
        route = self._route(name)
        for entry in entries:
            route.settled.change(None, entry)
        settled = (name, route.sequence, encode_tally(route.settled))
        self._forgotten += 1
        self._store.write(
            Change(
                # Never replaced by the next one: each deletes other messages.
                f"forget {self._forgotten}",
                (
                    *(("DELETE FROM message WHERE nonce = ?", (e.nonce,)) for e in entries),
                    ("INSERT OR REPLACE INTO settled VALUES (?, ?, ?)", settled),
                ),
            )
        )

    def keep_head(self, entry: Entry, head: bytes) -> None:
        """Keep the header of a message as it arrived, as long as the message is a recent one."""
        if entry.nonce in self._route(entry.route).recent:
            packed = self._heads[entry.nonce] = zlib.compress(head[:_HEAD])
            sql = "INSERT OR REPLACE INTO reading VALUES (?, ?)"
            change = Change(f"reading {entry.nonce}", ((sql, (entry.nonce, packed)),))
            self._store.write(change)

    def _drop_head(self, nonce: str) -> None:
        if self._heads.pop(nonce, None) is not None:
            sql = "DELETE FROM reading WHERE nonce = ?"
            self._store.write(Change(f"reading {nonce}", ((sql, (nonce,)),)))

    def restore_heads(self, rows: Iterable[tuple[str, bytes]]) -> None:
        """Take up the headers that were kept; those of messages that are not recent are dropped."""
        self._heads = dict(rows)
        recent = {nonce for route in self._routes.values() for nonce in route.recent}
        for nonce in self._heads.keys() - recent:
            self._drop_head(nonce)

    def head(self, nonce: str) -> bytes:
        """Return the header of a recent message; empty where it is not known."""
        packed = self._heads.get(nonce)
        return b"" if packed is None else zlib.decompress(packed)

    def in_flight(self, name: str) -> tuple[Entry, ...]:
        """Return the messages of a route whose fate is open."""
        return tuple(self.entries[nonce] for nonce in self._route(name).in_flight)

    def news(self, name: str) -> tuple[Entry, ...]:
        """Return the messages whose fate has changed since the last call, and forget the list."""
        news = self._route(name).news
        nonces = dict.fromkeys(news)
        news.clear()
        return tuple(self.entries[nonce] for nonce in nonces if nonce in self.entries)

    def recent(self, name: str) -> tuple[Entry, ...]:
        """Return the last messages of a route, the newest first."""
        nonces = reversed(self._route(name).recent)
        return tuple(self.entries[nonce] for nonce in nonces if nonce in self.entries)

    def tally(self, name: str) -> Tally:
        """Return what all messages of a route add up to."""
        return self._route(name).tally

    def _route(self, name: str) -> _Route:
        route = self._routes.get(name)
        if route is None:
            route = self._routes[name] = _Route()
        return route


def saved(entry: Entry) -> Change:
    """Return the change that writes an entry down; keyed, so that only the latest waits."""
    row = (entry.nonce, entry.route, entry.planned_at.timestamp(), encode_entry(entry))
    sql = "INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?)"
    return Change(f"message {entry.nonce}", ((sql, row),))
