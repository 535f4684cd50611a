"""What do the messages of a route add up to?

Each message is counted by what is known of it, and counted again when more is known; what it adds
never shrinks, so that the sums may be counters.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from agent.domain.ledger import Entry, State

BUCKETS = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)  # seconds


@dataclass(slots=True)
class Tally:
    """What the messages of one route add up to; no number ever falls but ``in_flight``.

    ``counts`` has ``messages``, ``late``, ``junk``, ``duplicates``, ``damaged``, ``in time`` (no
    matter in which folder), ``failed REASON`` and ``unjudged REASON``; ``durations`` counts
    deliveries by the first of BUCKETS they fit in.
    """

    counts: Counter[str] = field(default_factory=Counter)
    durations: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    duration_sum: float = 0.0
    in_flight: int = 0
    last_sent: datetime | None = None
    last_delivered: datetime | None = None

    def change(self, before: Entry | None, after: Entry) -> None:
        """Add what a step of one message has changed; *before* is None for a new one."""
        new = _counted(after)
        if before is not None:
            new.subtract(_counted(before))
            self.in_flight -= before.is_in_flight
        self.in_flight += after.is_in_flight
        self.counts.update(new)
        if after.sent_at is not None:
            self.last_sent = max(self.last_sent or after.sent_at, after.sent_at)
        if after.is_delivered and (before is None or not before.is_delivered):
            self._add_delivery(after)

    def _add_delivery(self, entry: Entry) -> None:
        at, seconds = entry.arrived_at or entry.planned_at, entry.seconds
        self.last_delivered = max(self.last_delivered or at, at)
        place = sum(bound < seconds for bound in BUCKETS)
        self.durations[place] += 1
        self.duration_sum += seconds

    @property
    def cumulative(self) -> tuple[int, ...]:
        """Deliveries up to each of BUCKETS, and all of them, as a histogram has it."""
        return tuple(sum(self.durations[: place + 1]) for place in range(len(self.durations)))

    def with_bound(self, bound: float) -> tuple[tuple[float, ...], tuple[int, ...]]:
        """Return BUCKETS with *bound*, the seconds within which a message is in time, among them.

        With the counts: so that the share of messages in time can be read off the histogram.
        """
        counts = self.cumulative
        if bound in BUCKETS:
            return BUCKETS, counts
        place = sum(each < bound for each in BUCKETS)
        below = counts[place - 1] if place else 0
        # What was in time by another bound, before the configuration changed, must not show.
        inside = min(max(self.counts["in time"], below), counts[place])
        return (
            (*BUCKETS[:place], bound, *BUCKETS[place:]),
            (*counts[:place], inside, *counts[place:]),
        )


def tally(entries: Iterable[Entry]) -> Tally:
    """Add up messages from nothing, as after a restart."""
    total = Tally()
    for entry in entries:
        total.change(None, entry)
    return total


def _counted(entry: Entry) -> Counter[str]:
    """Return what one message adds to its route's counts; it only ever grows."""
    counts: Counter[str] = Counter(duplicates=entry.duplicates, damaged=int(entry.damaged))
    if entry.judged_at is not None:
        key = f"unjudged {entry.unjudged}" if entry.unjudged else "messages"
        counts[key] += 1
    if entry.failure:
        counts[f"failed {entry.failure}"] += 1
    counts["late"] += entry.state is State.LATE and not entry.is_interrupted
    counts["junk"] += entry.state is State.JUNKED
    is_timed = entry.is_delivered and entry.duration is not None
    counts["in time"] += is_timed and entry.seconds <= entry.within.total_seconds()
    return counts
