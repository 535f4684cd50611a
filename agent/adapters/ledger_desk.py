"""What do those have in common who write in the ledger?

The entries and the store behind them, the key that tokens are made with, and the two clocks: a
message's age is by the one that does not step, as long as the process that sent it lives.
"""

import base64
import secrets
from datetime import UTC, datetime, timedelta

from agent.adapters.clock import Clock
from agent.adapters.ledger_shelf import Shelf
from agent.adapters.store import Change, Store
from agent.domain.ledger import Entry
from agent.domain.message import Token

STILL = timedelta(seconds=5)  # without a sign of life the sink was shut, as the process stood still
SINK = "sink"  # the home of messages that come to the agent's own SMTP server


class Desk:
    """The ledger's entries, and how old and how genuine they are."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.shelf = Shelf(store)
        self.looks: dict[str, float] = {}  # monotonic seconds of the last whole look, by home
        self._started: dict[str, float] = {}
        self._instance = ""
        self._key = b""

    async def identify(self) -> None:
        """Take the installation's name and key from the store, drawing them the first time.

        Raises StoreError.
        """
        known = dict(await self.store.read("SELECT key, value FROM meta"))
        if "key" not in known:
            known = {
                "instance": secrets.token_hex(8).encode("ascii"),
                "key": secrets.token_bytes(32),
            }
            sql = "INSERT INTO meta VALUES (?, ?)"
            await self.store.commit(Change("meta", tuple((sql, pair) for pair in known.items())))
        self._instance, self._key = known["instance"].decode("ascii"), known["key"]

    def draw(self, route: str, sequence: int) -> Token:
        """Return the token of a new message."""
        return self._token(secrets.token_bytes(16), route, sequence)

    def token_of(self, entry: Entry) -> Token:
        """Return the token that a message was given."""
        # 16 octets are 26 characters of base32, and six of padding that a nonce leaves out.
        random = base64.b32decode(f"{entry.nonce.upper()}======")
        return self._token(random, entry.route, entry.sequence)

    def _token(self, random: bytes, route: str, sequence: int) -> Token:
        return Token.make(
            random, key=self._key, route=route, sequence=sequence, instance=self._instance
        )

    def is_genuine(self, token: Token, entry: Entry) -> bool:
        """Tell whether *token* is the one that *entry* was given."""
        return token.is_genuine(
            key=self._key, route=entry.route, sequence=entry.sequence, instance=self._instance
        )

    def begin(self, nonce: str) -> None:
        """Note that a message is being sent from now on."""
        self._started[nonce] = self.clock.monotonic()

    def forget(self, nonce: str) -> None:
        """Forget when a message was sent."""
        self._started.pop(nonce, None)

    def age(self, entry: Entry, now: datetime) -> timedelta:
        """Return the time since sending, by the clock that does not step where we have it."""
        started = self._started.get(entry.nonce)
        if started is not None:
            return timedelta(seconds=self.clock.monotonic() - started)
        return max(now - (entry.sent_at or entry.planned_at), timedelta())

    def looked(self, entry: Entry, now: datetime) -> timedelta | None:
        """Return how old a message was when its home was last looked into.

        None where nobody need look, because what comes is seen at once.
        """
        is_sink = entry.home in ("", SINK)
        at = self.looks.get(SINK if is_sink else entry.home)
        if at is None:
            return None if is_sink else timedelta()
        since = timedelta(seconds=self.clock.monotonic() - at)
        if is_sink and since < STILL:
            return None
        return max(self.age(entry, now) - since, timedelta())

    def spent_on_the_way(
        self, entry: Entry, now: datetime, claimed: datetime | None, before: float | None
    ) -> timedelta:
        """Return how long a message took that is seen now.

        *claimed* is when the server says that it was put there, *before* when its home was looked
        into before, without finding it (monotonic seconds). The server's clock is believed only
        between that look and this one.
        """
        seen = self.age(entry, now)
        if claimed is None:
            return seen
        since = None if before is None else timedelta(seconds=self.clock.monotonic() - before)
        missed = timedelta() if since is None else max(seen - since, timedelta())
        told = claimed.astimezone(UTC) - (entry.sent_at or entry.planned_at)
        return min(max(told, missed), seen)
