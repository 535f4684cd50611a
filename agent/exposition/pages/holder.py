"""Who can mend it?

A person on call wants to know whose it is before what it is. Where a message was followed, it is
the host that has it; where a server was talked to, that server; else whoever keeps what is checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote

from agent.domain.fact import Path, Stop, Walk
from agent.domain.finding import Outcome, Severity
from agent.probes.base import DEPENDENCY_DOWN

_OWNERS = {
    "us": "yours",
    "filter": "of the filter service",
    "microsoft": "of Microsoft",
    "partner": "of the partner",
}
# By the kind of probe.
KEEPERS: Mapping[str, str] = {
    "spf": "Whoever publishes the domain's DNS",
    "mx": "Whoever publishes the domain's DNS",
    "dkim": "Whoever publishes the domain's DNS",
    "dmarc": "Whoever publishes the domain's DNS",
    "mta-sts": "Whoever publishes the domain's DNS, or serves its policy",
    "tls-rpt": "Whoever publishes the domain's DNS",
    "nameservers": "Whoever runs the domain's name servers, or holds it at the registrar",
    "dane": "Whoever publishes the DNS of the hosts that take the domain's mail",
    "autodiscover": "Whoever publishes the domain's DNS",
    "reverse": "Whoever lends the addresses that send: only they can name them",
    "registration": "Whoever holds the contract with the registrar",
    "reputation": "Whoever runs the server that sends from the address",
    "exchange": "Whoever runs the hosts that take the domain's mail",
    "connector": "Whoever runs the smart host, or the connector in Exchange Online",
    "inbound": "Whoever administers the connector in Exchange Online",
    "refusal": "Whoever runs the host that did not refuse",
    "route": "Not known yet: see the way of the message below",
    "attribution": "Whoever administers the tenant's connectors in Exchange Online",
    "drift": "Whoever changed the tenant",
    "export": "Whoever runs the job that exports the tenant",
    "hygiene": "Whoever administers the tenant in Exchange Online",
    "loop": "Whoever administers the tenant's connectors in Exchange Online",
    "retirement": "Whoever administers the tenant in Exchange Online",
    "self": "Whoever runs this agent",
}
# What to type to look again, where the agent runs; by the kind of probe.
_AGAIN: Mapping[str, str] = {
    "spf": "mailflow-agent check {}",
    "mx": "mailflow-agent check {}",
    "nameservers": "mailflow-agent check {}",
    "dane": "mailflow-agent check --walk {}",
    "exchange": "mailflow-agent check --walk {}",
    "connector": "mailflow-agent connector {}",
    "inbound": "mailflow-agent connector {}",
    "route": "mailflow-agent doctor {}",
}


def again(kind: str, name: str) -> str:
    """Return what to type to have a check of *kind* look at *name* once more, perhaps nothing."""
    return _AGAIN.get(kind, "").format(quote(name))


@dataclass(frozen=True, slots=True)
class Holder:
    """Who it is; ``note`` is what is known of why, perhaps nothing."""

    name: str
    note: str = ""


def holder_of(kind: str, outcome: Outcome) -> Holder | None:
    """Return who can mend what *outcome* of a check of *kind* found; None where all is well."""
    if outcome.severity is Severity.OK:
        return None
    if any(each.rule is DEPENDENCY_DOWN for each in outcome.findings):
        return Holder("Whoever runs this agent", "What it depends on is down.")
    for fact in outcome.facts.values():
        if isinstance(fact, Path) and (stop := _worst(fact)) is not None:
            whose = _OWNERS.get(stop.owner)
            return Holder(f"{stop.host}, {whose}" if whose else stop.host, stop.note)
    for title, fact in outcome.facts.items():
        if isinstance(fact, Walk) and (words := _ended(fact)):
            return Holder(title.removeprefix("Walk of "), words)
    keeper = KEEPERS.get(kind)
    return None if keeper is None else Holder(keeper)


def _worst(path: Path) -> Stop | None:
    """Return the first stop where something is wrong: what comes after it suffers from it.

    Where a message ends is only where one sees what went wrong before.
    """
    on_the_way = [stop for stop in path.stops[:-1] if stop.mood in ("bad", "warning")]
    at_the_end = [stop for stop in path.stops[-1:] if stop.mood == "bad"]
    return next(iter(on_the_way + at_the_end), None)


def _ended(walk: Walk) -> str:
    for phase in walk.phases:
        if phase.mood == "bad":
            return f"The session ended at {phase.name}. {phase.detail}".strip()
    return ""
