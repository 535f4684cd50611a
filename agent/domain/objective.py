"""Can an objective be watched by so few messages?

Delivery is judged by how fast a route uses up what its objective allows to fail, over pairs of a
long and a short window. A synthetic message in five minutes is little traffic: under a high
objective a single loss is already many times what an hour allows. The rules then wait for a least
number of losses; but an objective that only that number guards is not the one that is watched.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Window:
    """A pair of windows, in Prometheus' spelling, and what must hold in both.

    ``factor`` is how many times too fast the allowance is used up; ``fewest`` the least number of
    failures in the long window; ``least`` for how long the route must be on record: a share of the
    first few messages is no share of the window.
    """

    long: str
    short: str
    factor: float
    fewest: int
    least: str


# Two, five, ten and ten per cent of what 30 days allow, as SRE workbooks have it.
PAGING = (Window("1h", "15m", 14.4, 2, "30m"), Window("6h", "30m", 6, 3, "2h"))
TICKETING = (Window("1d", "2h", 3, 3, "6h"), Window("3d", "6h", 1, 3, "12h"))

_HOUR = timedelta(hours=1)
_SHORTEST = timedelta(minutes=15)
_FACTOR = PAGING[0].factor


def longest_interval(objective: float) -> timedelta:
    """Return the longest interval at which a single loss in an hour is still allowed for."""
    return min(_HOUR * (_FACTOR * (1 - objective)), _SHORTEST)


def highest_objective(interval: timedelta) -> float:
    """Return the highest objective, in thousandths, that messages at this *interval* can show."""
    return max(int((1 - interval / _HOUR / _FACTOR) * 1000) / 1000, 0.0)


def misfit(interval: timedelta, objective: float) -> str:
    """Say why a route's *interval*, its *objective* and the windows do not fit; empty: they do."""
    if interval > _SHORTEST:
        return (
            f"the alerts look at windows of {_SHORTEST.seconds // 60} minutes and more, and many of"
            " those would hold no message"
        )
    if interval <= longest_interval(objective):
        return ""
    allowed = _HOUR / interval * (1 - objective)
    return (
        f"of {_HOUR / interval:.3g} messages in an hour {1 - objective:.3g} may fail, which is"
        f" {allowed:.2g} of one: a single loss is {1 / allowed:.0f} times that, and the alert waits"
        f" for {PAGING[0].fewest} instead"
    )
