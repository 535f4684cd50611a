"""Who can mend it?

A person on call wants to know whose it is before what it is. Where a message was followed, it is
the host that has it; where a server was talked to, that server; else whoever keeps what is checked.
"""

import re
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
# What the check of the agent itself finds is not always the agent's.
_OF_RULE: Mapping[str, str] = {
    **dict.fromkeys(
        ("self-resolver-down", "self-resolver-invents"),
        "The DNS team: whoever runs the resolver that the agent asks",
    ),
    "self-uplink-down": "The network team: whoever runs the line of the agent's machine",
    "self-credential-refused": "The Entra administrator",
}
# These talk to hosts by name: the title of a walk names the one that was met.
_MEETS_HOSTS = frozenset({"connector", "exchange"})
_AGENT_AND_END = 2
_IT = re.compile(r"\bit\b")
# What to type to look again, where the agent runs; by the kind of probe. Without a place for the
# lab's resolver it needs more of the lab than a command can reach.
_AGAIN: Mapping[str, str] = {
    "spf": "mailflow-agent check {name}{resolver}",
    "mx": "mailflow-agent check {name}{resolver}",
    **dict.fromkeys(
        ("autodiscover", "dkim", "dmarc", "mta-sts", "nameservers", "reverse", "tls-rpt"),
        "mailflow-agent check {name}{resolver}",
    ),
    "dane": "mailflow-agent check --walk {name}",
    "exchange": "mailflow-agent check --walk {name}",
    "connector": "mailflow-agent connector {name}{config}",
    "inbound": "mailflow-agent connector {name}{config}",
    "route": "mailflow-agent doctor {name}{config}",
}
_CONFIG = "/etc/mailflow-agent/config.yaml"  # as the runbooks have it
_ASKS_DNS = "mailflow-agent check "


@dataclass(frozen=True, slots=True)
class Typing:
    """What a command has to be told to see what the agent sees.

    ``config`` is where its configuration is; empty where that is not to be shown. ``resolver`` is
    the lab's, as ``HOST:PORT``; empty where the agent watches the world.
    """

    config: str = ""
    resolver: str = ""

    def again(self, kind: str, name: str) -> str:
        """Return what to type to have a check of *kind* look at *name* again, perhaps nothing."""
        command = _AGAIN.get(kind, "")
        if self.resolver and "{resolver}" not in command:
            return ""
        config = f" --config {quote(self.config)}" if self.config else ""
        return command.format(name=quote(name), config=config, resolver=self._asking())

    def is_out_of_reach(self, kind: str) -> bool:
        """Tell whether a check of *kind* could be typed, were its subject not in the lab."""
        return bool(_AGAIN.get(kind)) and not self.again(kind, "")

    def filled(self, lines: list[str]) -> list[str]:
        """Return the lines of a runbook with what is known of this agent."""
        config = quote(self.config or _CONFIG)
        lines = [line.replace(_CONFIG, config) for line in lines]
        return [
            line + (self._asking() if line.startswith(_ASKS_DNS) and "--walk" not in line else "")
            for line in lines
        ]

    def _asking(self) -> str:
        return f" --resolver {quote(self.resolver)}" if self.resolver else ""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who it is; ``note`` is what is known of why, a whole sentence, perhaps nothing."""

    name: str
    note: str = ""


def holder_of(kind: str, outcome: Outcome) -> Holder | None:
    """Return who can mend what *outcome* of a check of *kind* found; None where all is well."""
    if outcome.severity is Severity.OK:
        return None
    if any(each.rule is DEPENDENCY_DOWN for each in outcome.findings):
        return Holder("Whoever runs this agent", "What it depends on is down.")
    gravest = max(outcome.findings, key=lambda finding: finding.severity)
    keeper = _OF_RULE.get(gravest.rule.code) or KEEPERS.get(kind, "Not known yet")
    return _who_was_met(kind, outcome, keeper) or Holder(keeper)


def _who_was_met(kind: str, outcome: Outcome, keeper: str) -> Holder | None:
    """Return the host at which it ended, of a message or of a session; None where none is known."""
    for fact in outcome.facts.values():
        if isinstance(fact, Path) and (held := _of_path(fact, keeper)) is not None:
            return held
    if kind in _MEETS_HOSTS:
        for title, fact in outcome.facts.items():
            if isinstance(fact, Walk) and (words := _ended(fact)):
                return Holder(f"Whoever runs {title.removeprefix('Walk of ')}", words)
    return None


def _of_path(path: Path, keeper: str) -> Holder | None:
    """Return who had the message where something went wrong, or else who had it last."""
    worst = _worst(path)
    if worst is None:
        return None
    if worst is not path.stops[-1]:
        return Holder(_named(worst), _sentence(worst))
    # The end is a place of ours, or no place at all, as in "(bounced)".
    if not worst.host.startswith("("):
        return Holder(keeper, _arrived(worst))
    came_to = worst.host.strip("()")
    if len(path.stops) <= _AGENT_AND_END:
        return Holder(keeper, f"The message was {came_to}.")
    return Holder(
        _named(path.stops[-2]), f"It is the last that had the message, which was {came_to}."
    )


def _named(stop: Stop) -> str:
    whose = _OWNERS.get(stop.owner)
    return f"{stop.host}, {whose}" if whose else f"Whoever runs {stop.host}"


def _sentence(stop: Stop) -> str:
    """Make a sentence of the note at a host, which begins with what it did, or what it has."""
    if stop.link == "not encrypted" and stop.mood == "bad":
        return "It got the message without encryption."
    if stop.note.startswith(("its ", "clocks ", "as ")):
        return f"{_capital(stop.note)}."
    words = _IT.sub("the message", stop.note, count=1).removesuffix(".")
    return f"It {words}." if words else ""


def _arrived(end: Stop) -> str:
    """Make a sentence of the note where a message came to its end."""
    if " after " in end.note:
        return f"The message was {end.note}."
    return f"{_capital(end.note)}." if end.note else ""


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


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
            said = phase.detail.removeprefix(f"{phase.name}: ").removesuffix(".")
            return f"The session ended at {phase.name}{': ' if said else ''}{said}."
    return ""
