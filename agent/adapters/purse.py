"""What is left of the budget, and how is that kept over restarts?"""

from datetime import datetime

from agent.adapters.store import Change
from agent.domain.budget import Allowance, Bucket, Budget


class Purse:
    """The buckets of the agent and of each of its routes."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._buckets: dict[str, Bucket] = {}
        self._stored: dict[str, tuple[float, datetime]] = {}

    def restore(self, name: str, level: float, at: datetime) -> None:
        """Take up what was left when the last process ended."""
        self._stored[name] = (level, at)

    def spend(self, route: str, now: datetime, allowance: Allowance | None = None) -> str:
        """Take one message from each bucket and return nothing; or say what must be waited for.

        What was taken is not given back where the message is not sent after all: a fault that
        repeats must not send more than one that does not.
        """
        wanted = {
            _name(route): allowance or self._budget.route,
            "minute": self._budget.minute,
            "day": self._budget.day,
        }
        spent: dict[str, Bucket] = {}
        for name, limit in wanted.items():
            bucket = self._bucket(name, limit, now)
            after = bucket.spend(now)
            if after is None:
                seconds = bucket.wait(now).total_seconds()
                return (
                    f"the budget is {limit.limit} messages in {limit.per} for"
                    f" {'this route' if name == _name(route) else 'all routes'};"
                    f" the next may go in {seconds:.0f} s"
                )
            spent[name] = after
        self._buckets.update(spent)
        return ""

    def left(
        self, route: str, now: datetime, allowance: Allowance | None = None
    ) -> dict[str, float]:
        """Return how many messages are left at once: of the route, and of the minute and day."""
        wanted = {
            "route": (_name(route), allowance or self._budget.route),
            "minute": ("minute", self._budget.minute),
            "day": ("day", self._budget.day),
        }
        return {
            key: self._bucket(name, limit, now).refilled(now).level
            for key, (name, limit) in wanted.items()
        }

    def changes(self, route: str) -> tuple[Change, ...]:
        """Return what must be written together with the message that was paid for."""
        return tuple(_change(name, self._buckets[name]) for name in (_name(route), "minute", "day"))

    def _bucket(self, name: str, allowance: Allowance, now: datetime) -> Bucket:
        """Return a bucket; one whose allowance was changed keeps its level, up to the new burst."""
        bucket = self._buckets.get(name)
        if bucket is None:
            level, at = self._stored.get(name, (float(allowance.burst), now))
        elif bucket.allowance == allowance:
            return bucket
        else:
            level, at = bucket.level, bucket.at
        return Bucket(allowance, min(level, float(allowance.burst)), at)


def _name(route: str) -> str:
    return f"route {route}"


def _change(name: str, bucket: Bucket) -> Change:
    sql = "INSERT OR REPLACE INTO budget VALUES (?, ?, ?)"
    return Change(f"budget {name}", ((sql, (name, bucket.level, bucket.at.timestamp())),))
