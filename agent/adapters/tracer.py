"""What does Exchange Online's own message trace say of messages that do not arrive?

The second witness of a route, asked only where the first one has seen nothing for some minutes, and
within a quota that all who administer the tenant share. It is slow, so it judges no time.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.adapters.clock import Clock
from agent.adapters.graph_trace import Traced, Traces, TraceStatus
from agent.adapters.ledger import Ledger
from agent.adapters.mailbox import PickupError
from agent.domain import ledger as book
from agent.domain.entry import Entry, State, Witness
from agent.domain.message import message_id_of

_PATIENCE = timedelta(minutes=5)  # a trace knows a message after 5 to 10 minutes
_AGAIN = timedelta(minutes=5)
_LONGEST = timedelta(days=1)
_ROUND = 30.0  # seconds
_DECIDES = (TraceStatus.QUARANTINED, TraceStatus.FAILED)


@dataclass(frozen=True, slots=True)
class Traceable:
    """A route that has a second witness: where to ask, and the domain of its Message-IDs."""

    traces: Traces
    domain: str


class Tracer:
    """Asks the message trace, route by route."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self._routes: Mapping[str, Traceable] = {}
        self._asked: dict[str, datetime] = {}
        self.trouble: PickupError | None = None

    def replace(self, routes: Mapping[str, Traceable]) -> None:
        """Know these routes from now on, by the names the ledger knows them by."""
        self._routes = dict(routes)

    async def run(self) -> None:
        """Go round for ever."""
        while True:
            await self.go_round()
            await asyncio.sleep(_ROUND)

    async def go_round(self) -> None:
        """Ask once for every message that is due."""
        now = self._clock.now()
        self._asked = {n: at for n, at in self._asked.items() if now - at < _LONGEST}
        for route, traceable in self._routes.items():
            for entry in self._ledger.recent(route):
                if self._is_due(entry, now):
                    self._asked[entry.nonce] = now
                    await self._ask(entry, traceable)

    def _is_due(self, entry: Entry, now: datetime) -> bool:
        is_missing = entry.is_in_flight or entry.state is State.LOST
        age = now - (entry.sent_at or entry.planned_at)
        asked = self._asked.get(entry.nonce)
        is_rested = asked is None or now - asked >= _AGAIN
        is_out = entry.witness in (Witness.SUBMISSION, Witness.CLOCK)
        return is_missing and is_out and _PATIENCE <= age < _LONGEST and is_rested

    async def _ask(self, entry: Entry, traceable: Traceable) -> None:
        message_id = message_id_of(self._ledger.token_of(entry), traceable.domain)
        since = (entry.first_sent_at or entry.planned_at) - timedelta(minutes=5)
        try:
            found = await traceable.traces.trace(message_id, since)
        except PickupError as error:
            self.trouble = error
            return
        self.trouble = None
        if found:
            self._tell(entry, found)

    def _tell(self, entry: Entry, found: tuple[Traced, ...]) -> None:
        """Tell the ledger what was found; what decides goes before what does not."""
        worst = next((each for each in found if each.status in _DECIDES), found[0])
        words = f"message trace: {worst.status} for {worst.recipient}"
        if worst.status is TraceStatus.QUARANTINED:
            self._ledger.intake.traced(entry.nonce, lambda e, at: book.quarantined(e, at, words))
        elif worst.status is TraceStatus.FAILED:
            self._ledger.intake.traced(
                entry.nonce, lambda e, at: book.bounced(e, at, words, witness=Witness.TRACE)
            )
        else:
            self._ledger.intake.traced(entry.nonce, lambda e, _: book.hinted(e, words))
