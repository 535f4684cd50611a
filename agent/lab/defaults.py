"""What does the lab set where the configuration says nothing?

Nobody else is asked in the lab, so everything may be looked at every few seconds, and a newcomer
sees something move. None of it stands in the example configuration: who copies that for domains of
their own must get what is fit for the servers of others.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from agent.probes.base import discover
from agent.settings import write_duration

INTERVAL: Final = timedelta(seconds=10)
_BUDGET: Final = {  # enough for the routes of the example at that interval
    "messages_per_route_per_minute": 12,
    "messages_per_minute": 24,
    "messages_per_day": 20_000,
}
_MORE: Final[Mapping[str, Any]] = {
    "nameservers": {"answers_may_differ_for": "15s"},  # both are changed at once
    "reputation": {"lists": [{"zone": "blocklist.example", "refuses": True}]},
}
_AS_THEY_ARE: Final[Mapping[str, Any]] = {"registration": {}}  # the lab has no registry to ask


def settings() -> Mapping[str, Any]:
    """Return settings, as a file has them, to lay beneath those of the configuration."""
    interval = {"interval": write_duration(INTERVAL)}
    checks = {probe.kind: {**interval, **_MORE.get(probe.kind, {})} for probe in discover()}
    return {"budget": _BUDGET, "checks": {**checks, **_AS_THEY_ARE}}
