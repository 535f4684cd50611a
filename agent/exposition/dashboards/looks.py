"""How is each signal of a probe shown, and what is to be done when it is red?

A signal that is not named here has a panel all the same: its unit follows from its name, and its
text from its declaration. So a new probe is on the dashboard of its subjects from its first day.
"""

from collections.abc import Mapping

from agent.domain.finding import Signal
from agent.exposition.dashboards.look import ADVICE, Look, age, left
from agent.exposition.dashboards.looks_of_domains import DOMAINS
from agent.exposition.dashboards.looks_of_others import OTHERS
from agent.exposition.dashboards.model import Shape

LOOKS: Mapping[str, Look] = {**DOMAINS, **OTHERS}


def look_of(signal: Signal) -> Look:
    """Return how to show a signal."""
    return LOOKS.get(signal.name) or _from_name(signal)


def _from_name(signal: Signal) -> Look:
    name = signal.name.removesuffix("_total")
    title = name.removeprefix("mailflow_").replace("_", " ").capitalize()
    if name.endswith("_timestamp_seconds"):
        title = title.removesuffix(" timestamp seconds")
        if "expiry" in name or "due" in name:
            return left(f"{title} in", ADVICE)
        return age(f"{title} since", ADVICE)
    if name.endswith("_info"):
        return Look(title.removesuffix(" info"), "It is as configured.", Shape.TABLE)
    units = {"_seconds": "s", "_bytes": "bytes", "_ratio": "percentunit"}
    unit = next((unit for ending, unit in units.items() if name.endswith(ending)), "short")
    return Look(title, unit=unit)
