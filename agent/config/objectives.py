"""Can the objectives of routes be watched at the intervals at which messages are sent?"""

from collections.abc import Iterable, Iterator
from typing import Any

from agent.config.errors import Path
from agent.config.semantics import ROUTE_PROBE, places_of_routes
from agent.domain.objective import highest_objective, longest_interval, misfit
from agent.probes.base import Check
from agent.settings.durations import write_duration


def unwatchable(file: Any, checks: Iterable[Check[Any, Any]]) -> Iterator[tuple[Path, str]]:
    """Yield the routes of *file* whose interval and objective do not fit together, and why."""
    places = places_of_routes(file)
    for check in checks:
        place = places.get(f"{check.tenant}/{check.subject}")
        if check.probe.kind == ROUTE_PROBE and place is not None:
            why = _why(check.settings)
            if why:
                yield place, why


def _why(settings: Any) -> str:
    interval, objective = settings.interval, getattr(settings, "objective", None)
    if objective is None:
        return ""  # a probe of that name from elsewhere
    reason = misfit(interval, objective)
    if not reason:
        return ""
    longest = longest_interval(objective)
    seconds = longest - longest % type(longest)(seconds=1)
    highest = highest_objective(interval)
    ways = [f"send one every {write_duration(seconds)} or more often"] if seconds else []
    if interval <= longest_interval(0.0) and highest > 0:
        ways.append(f"set the objective to {highest:g} at most")
    return (
        f"sends a message every {write_duration(interval)} for an objective of {objective:g},"
        f" which do not fit together: {reason}; {', or '.join(ways)}"
    )
