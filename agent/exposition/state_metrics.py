"""How is that kept which must survive a restart?

Turns the counters of the store and of the ledger into measurements when a scrape comes.
"""

from collections.abc import Callable, Iterator

from agent.adapters.ledger import LedgerStats
from agent.adapters.store import StoreStats
from agent.domain.finding import Measurement, Signal

DEGRADED = Signal(
    "mailflow_store_degraded",
    "1 while the state cannot be written: no message is sent, and what is new is in memory only.",
)
WRITE_ERRORS = Signal(
    "mailflow_store_write_errors_total", "Attempts to write the state that failed.", kind="counter"
)
PENDING = Signal("mailflow_store_changes_pending", "Changes of the state that wait to be written.")
DROPPED = Signal(
    "mailflow_store_changes_dropped_total",
    "Changes of the state that were given up, because too many waited to be written.",
    kind="counter",
)
MOVED_ASIDE = Signal(
    "mailflow_store_moved_aside_total",
    "Damaged states found at the start and moved aside; what they knew is forgotten.",
    kind="counter",
)
IGNORED = Signal(
    "mailflow_ledger_tokens_ignored_total",
    "Tokens that came in and count for nothing: `forged` carry a message of ours with the wrong"
    " code, `foreign` are of no message that is known.",
    labels=("reason",),
    kind="counter",
)

STATE_SIGNALS = (DEGRADED, WRITE_ERRORS, PENDING, DROPPED, MOVED_ASIDE, IGNORED)


def read(store: StoreStats, ledger: LedgerStats) -> Callable[[], Iterator[Measurement]]:
    """Return what reads the counters, for ``OwnMetrics.watch``."""
    return lambda: _measure(store, ledger)


def _measure(store: StoreStats, ledger: LedgerStats) -> Iterator[Measurement]:
    yield DEGRADED.at(bool(store.degraded))
    yield WRITE_ERRORS.at(store.write_errors)
    yield PENDING.at(store.pending)
    yield DROPPED.at(store.dropped)
    yield MOVED_ASIDE.at(store.moved_aside)
    yield IGNORED.at(ledger.forged, "forged")
    yield IGNORED.at(ledger.foreign, "foreign")
