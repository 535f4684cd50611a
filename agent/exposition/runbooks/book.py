"""What does the runbook of a rule, or of a standing alert, say?

Five sections, each made from what is declared and from the parts that are written by hand. What
is particular comes first, what holds for all rules of its probe after it; for impact and
escalation the particular stands alone, because two answers to "who?" are none.
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from agent.domain.finding import Rule, Severity
from agent.exposition import alerts
from agent.exposition.alerting.paging import TICKETS
from agent.exposition.runbooks.markup import Block, Items, Listing, Paragraph
from agent.exposition.runbooks.parts import SECTIONS, chosen, part
from agent.exposition.standing_alerts import CANNOT_TELL, Alert
from agent.probes.base import Probe

__all__ = ["SECTIONS", "Runbook", "Shelf"]

_OF_ANY_PROBE = "probe"
_OF_ANY_ALERT = "alert"
_MEANING = {
    Severity.OK: "Worth knowing; nothing is broken.",
    Severity.WARNING: "Mail still flows; this will break, or already goes wrong for some.",
    Severity.UNKNOWN: "The agent could not tell. Nothing is known to be wrong with the subject.",
    Severity.CRITICAL: "Mail is being lost, refused or exposed, or can be at any time.",
}
_NEAR = 4
_RISING = ("info", "warning", "critical")


@dataclass(frozen=True, slots=True)
class Runbook:
    """The page of a rule or of a standing alert, by the name that it is served under.

    ``alerts`` are the names that page with it, ``kinds`` the probes that find the rule and
    ``subjects`` the kinds of what they look at; ``sections`` hold SECTIONS in their order.
    """

    name: str
    title: str
    severity: str
    alerts: tuple[str, ...]
    sections: Mapping[str, tuple[Block, ...]]
    rule: Rule | None = None
    kinds: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()


class Shelf:
    """All runbooks, each made when it is first asked for."""

    def __init__(self, probes: Iterable[Probe[Any, Any]]) -> None:
        self._rules: dict[str, tuple[Rule, list[Probe[Any, Any]]]] = {}
        for probe in probes:
            for rule in probe.all_rules:
                self._rules.setdefault(rule.code, (rule, []))[1].append(probe)
        self._alerts: dict[str, list[Alert]] = {}
        for alert in alerts.standing():
            self._alerts.setdefault(alert.runbook, []).append(alert)
        told = [alerts.of_rule(rule) for rule, _ in self._rules.values() if _alerts_alone(rule)]
        self._known_as = {alert.name: alert.runbook for alert in (*told, *alerts.standing())}
        self._made: dict[str, Runbook] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all runbooks, in order."""
        return tuple(sorted({*self._rules, *self._alerts}))

    @property
    def alert_names(self) -> tuple[str, ...]:
        """The names of all alerts, in order."""
        return tuple(sorted(self._known_as))

    def find(self, name: str) -> Runbook | None:
        """Return the runbook of a rule's code, or of the name of an alert or of its page."""
        name = self._known_as.get(name, name)
        if name not in self._made:
            if name in self._rules:
                rule, probes = self._rules[name]
                self._made[name] = of_rule(rule, probes, self._alerts.get(name, ()))
            elif name in self._alerts:
                self._made[name] = of_alerts(self._alerts[name])
        return self._made.get(name)

    def near(self, name: str, *more: str) -> tuple[str, ...]:
        """Return the names that look most like *name*, of runbooks, of alerts and *more*."""
        known = {each.lower(): each for each in (*self.alert_names, *self.names, *more)}
        found = difflib.get_close_matches(name[:80].lower(), known, n=_NEAR)
        return tuple(known[each] for each in found)


def of_rule(rule: Rule, probes: Iterable[Probe[Any, Any]], those: Iterable[Alert] = ()) -> Runbook:
    """Return the runbook of a rule that *probes* find, and *those* standing alerts tell."""
    probes = tuple(probes)
    kinds = tuple(probe.kind for probe in probes)
    kind = kinds[0] if len(kinds) == 1 else _OF_ANY_PROBE
    sources = (rule.code, kind, _OF_ANY_PROBE)
    word = rule.severity.word
    own = part(rule.code)
    sections = {
        "Meaning": (
            *(chosen("Meaning", word, (kind,)) or (Paragraph(_MEANING[rule.severity]),)),
            *own.get("Meaning", ()),
            *_why_no_page(rule),
            *_origin(rule),
        ),
        "Impact": chosen("Impact", word, sources),
        "Diagnosis": (
            *_joined(own.get("Diagnosis", ()), chosen("Diagnosis", word, sources[1:])),
            *_wherever(rule.code),
        ),
        "Mitigation": (
            Paragraph(rule.remedy),
            *own.get("Mitigation", ()),
            *chosen("Mitigation", word, sources[1:]),
        ),
        "Escalation": chosen("Escalation", word, sources),
    }
    return Runbook(
        name=rule.code,
        title=rule.summary,
        severity=word,
        alerts=tuple(alert.name for alert in those) or _alerts_of(rule),
        sections=MappingProxyType(sections),
        rule=rule,
        kinds=kinds,
        subjects=tuple(dict.fromkeys(probe.subject.kind for probe in probes)),
    )


def of_alerts(those: Iterable[Alert]) -> Runbook:
    """Return the runbook of alerts that no rule stands behind; the first one tells the most."""
    those = tuple(those)
    first = those[0]
    severity = max((alert.severity for alert in those), key=_RISING.index)
    own = part(first.runbook)
    sources = (first.runbook, _OF_ANY_ALERT)
    expressions = tuple(block for alert in those for block in _expression(alert))
    sections = {
        "Meaning": (Paragraph(first.meaning), *own.get("Meaning", ()), *expressions),
        "Impact": chosen("Impact", severity, sources),
        "Diagnosis": (Items(first.steps, ordered=True), *own.get("Diagnosis", ())),
        "Mitigation": chosen("Mitigation", severity, sources),
        "Escalation": chosen("Escalation", severity, sources),
    }
    return Runbook(
        name=first.runbook,
        title=first.summary.removesuffix("."),
        severity=severity,
        alerts=tuple(dict.fromkeys(alert.name for alert in those)),
        sections=MappingProxyType(sections),
    )


def _joined(own: tuple[Block, ...], common: tuple[Block, ...]) -> tuple[Block, ...]:
    """Return *own* and behind it what *common* adds: nothing is to be typed a second time."""
    typed = {line for block in own if isinstance(block, Listing) for line in block.lines}
    joined = list(own)
    for block in common:
        if not isinstance(block, Listing) or not typed.issuperset(block.lines):
            joined.append(block)
        elif isinstance(joined[-1], Paragraph) and joined[-1] in common:
            joined.pop()  # it only led to the listing
    return tuple(joined)


def _alerts_alone(rule: Rule) -> bool:
    return rule.severity is not Severity.UNKNOWN


def _alerts_of(rule: Rule) -> tuple[str, ...]:
    """Return the alert that a rule causes; what another alert tells already causes none."""
    if _alerts_alone(rule):
        return (alerts.of_rule(rule).name,)
    return () if rule.code in CANNOT_TELL.expr else (CANNOT_TELL.name,)


def _why_no_page(rule: Rule) -> tuple[Block, ...]:
    """Say why a critical rule wakes nobody, where it does not."""
    return tuple(
        Paragraph(f"Its alert opens a ticket and wakes nobody. {reason}")
        for reason, codes in TICKETS.items()
        if rule.code in codes
    )


def _origin(rule: Rule) -> tuple[Block, ...]:
    """Say where a rule comes from, if not from ourselves."""
    where = rule.source
    if not where:
        return ()
    link = f"[{where}]({where})" if where.startswith("https://") else where
    return (Paragraph(f"The rule comes from {link}."),)


def _wherever(code: str) -> tuple[Block, ...]:
    return (
        Paragraph(
            f"Every subject that breaks it now, with evidence and since when, is listed at"
            f" `/rules/{code}` on the agent. In Prometheus this is the number of runs in a row"
            " that found it:"
        ),
        Listing("promql", f'mailflow_finding{{rule="{code}"}}'),
    )


def _expression(alert: Alert) -> tuple[Block, ...]:
    held = f" for {alert.hold}" if alert.hold else ""
    return (
        Paragraph(f"`{alert.name}`, severity {alert.severity}, fires when this is true{held}:"),
        Listing("promql", alert.expr),
    )
