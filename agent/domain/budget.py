"""How many synthetic messages may be sent, so that no fault makes the agent a source of spam?

An allowance is a promise: never more than ``limit`` messages in any span of ``per``. A bucket is
what is left of it. Both are values over time passed in; who spends one stores it in the same
transaction as the message, so that a crash loop cannot spend twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_HEADROOM = 0.05  # runs start a little early or late; an interval must leave this much room
_ALMOST = 1e-6  # of a message, for the rounding of floating point


@dataclass(frozen=True, slots=True)
class Allowance:
    """At most ``limit`` messages in any span of ``per``."""

    limit: int
    per: timedelta

    def __post_init__(self) -> None:
        if self.limit < 1:
            message = "an allowance is for at least one message"
            raise ValueError(message)

    @property
    def burst(self) -> int:
        """How many messages may go at once."""
        return max(1, self.limit // 4)

    @property
    def spacing(self) -> timedelta:
        """The time in which one message's worth flows back.

        A full bucket and what flows back within ``per`` must not exceed the limit together.
        """
        return self.per / (self.limit - self.burst + 1)

    def fits(self, interval: timedelta) -> bool:
        """Whether messages at this interval never have to be held back."""
        return interval * (1 - _HEADROOM) >= self.spacing


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left of an allowance: ``level`` messages at ``at``."""

    allowance: Allowance
    level: float
    at: datetime

    @classmethod
    def full(cls, allowance: Allowance, at: datetime) -> Self:
        """Return the bucket of somebody who has not sent yet."""
        return cls(allowance, float(allowance.burst), at)

    def refilled(self, now: datetime) -> Self:
        """Return the bucket at *now*; a clock that was set back gives nothing and takes nothing."""
        gained = max(now - self.at, timedelta()) / self.allowance.spacing
        level = min(self.level + gained, float(self.allowance.burst))
        return type(self)(self.allowance, level, now)

    def spend(self, now: datetime) -> Self | None:
        """Return the bucket after one message, or None where there is nothing left."""
        bucket = self.refilled(now)
        if bucket.level < 1 - _ALMOST:
            return None
        return type(self)(self.allowance, max(bucket.level - 1, 0.0), now)

    def wait(self, now: datetime) -> timedelta:
        """Return the time until the next message may go."""
        missing = max(1 - self.refilled(now).level, 0.0)
        return missing * self.allowance.spacing


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The allowances of an agent; the defaults are far below what Exchange Online takes."""

    route: Allowance = Allowance(2, _MINUTE)
    minute: Allowance = Allowance(10, _MINUTE)
    day: Allowance = Allowance(2000, _DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a route sends: one message each ``interval``, to one recipient.

    ``allowance`` is what the route may send, where it is not what the budget says for each.
    """

    route: str
    interval: timedelta
    mail_from: str
    rcpt_to: str
    allowance: Allowance | None = None

    @property
    def leaves_the_tenant_from_onmicrosoft(self) -> bool:
        """Whether Exchange Online counts it against the limit of the tenant's first domain."""
        sender = _domain(self.mail_from)
        return sender.endswith(".onmicrosoft.com") and sender != _domain(self.rcpt_to)


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of Exchange Online that a load can break."""

    name: str
    allowance: Allowance
    reply: str


# Exchange Online service description, "Sending limits", and the posts on onmicrosoft.com senders.
MAILBOX_PER_MINUTE = Limit("messages per minute and mailbox", Allowance(30, _MINUTE), "4.3.2")
MAILBOX_PER_DAY = Limit("recipients per day and mailbox", Allowance(10_000, _DAY), "5.1.90")
FROM_ONMICROSOFT_PER_DAY = Limit(
    "external recipients per day from onmicrosoft.com", Allowance(100, _DAY), "5.7.236"
)
# 3,600 messages an hour, of which one sender may have a third.
RECEIVED_FROM_ONE_PER_HOUR = Limit(
    "messages per hour from one sender to one mailbox",
    Allowance(1188, timedelta(hours=1)),
    "5.2.121",
)


@dataclass(frozen=True, slots=True)
class Excess:
    """Loads that cannot fit, with the arithmetic in one sentence."""

    routes: tuple[str, ...]
    arithmetic: str


def excesses(loads: tuple[Load, ...], budget: Budget) -> tuple[Excess, ...]:
    """Return what cannot fit: in the agent's own budget, or in Exchange Online's limits."""
    own = [found for load in loads if (found := _too_often(load, budget.route)) is not None]
    groups = [("the budget of the agent", limit, loads) for limit in (budget.minute, budget.day)]
    for limit, members in _exchange_online(loads):
        groups.append((f"Exchange Online's limit of {limit.name} ({limit.reply})", *members))
    return (*own, *(found for group in groups if (found := _over(*group)) is not None))


def _too_often(load: Load, usual: Allowance) -> Excess | None:
    """Compare the interval of a route with what that route may send."""
    may = load.allowance or usual
    if may.fits(load.interval):
        return None
    often = f"a message every {_span(load.interval)} is more often than the budget of the route"
    if load.allowance is not None:
        often = f"its interval of {_span(load.interval)} is shorter than its messages_per_minute"
    return Excess(
        (load.route,),
        f"{often} allows: {may.limit} in {_span(may.per)}, evenly spread one every"
        f" {_span(may.spacing)}",
    )


def _exchange_online(
    loads: tuple[Load, ...],
) -> list[tuple[Limit, tuple[Allowance, tuple[Load, ...]]]]:
    """Pair each limit with each group of loads that it counts together."""
    keyed: dict[tuple[str, str], tuple[Limit, list[Load]]] = {}
    for load in loads:
        sender = load.mail_from.lower()
        for limit, key in (
            (MAILBOX_PER_MINUTE, sender),
            (MAILBOX_PER_DAY, sender),
            (RECEIVED_FROM_ONE_PER_HOUR, f"{sender} {load.rcpt_to.lower()}"),
        ):
            keyed.setdefault((limit.name, key), (limit, []))[1].append(load)
        if load.leaves_the_tenant_from_onmicrosoft:
            limit = FROM_ONMICROSOFT_PER_DAY
            keyed.setdefault((limit.name, _domain(sender)), (limit, []))[1].append(load)
    return [(limit, (limit.allowance, tuple(group))) for limit, group in keyed.values()]


def _over(name: str, allowance: Allowance, loads: tuple[Load, ...]) -> Excess | None:
    """Compare what the loads send in the span of an allowance with what it allows."""
    sent = sum(allowance.per / load.interval for load in loads)
    if sent <= allowance.limit:
        return None
    return Excess(
        tuple(load.route for load in loads),
        f"{len(loads)} routes send {sent:,.0f} messages in {_span(allowance.per)}, and {name}"
        f" is {allowance.limit:,}",
    )


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _span(value: timedelta) -> str:
    """Write a duration for people, in its largest fitting unit."""
    seconds = value.total_seconds()
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"
