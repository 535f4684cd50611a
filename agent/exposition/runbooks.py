"""What does a person do who has just been woken?

A page for each alert: what it means, how to find out more, how to mend it. Rendered from the same
declarations as the alert, so that the two cannot disagree.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from agent.domain.finding import Rule, Severity
from agent.exposition import alerts
from agent.exposition.standing_alerts import CANNOT_TELL, Alert
from agent.probes.base import Probe

_MEANING = {
    Severity.OK: "Worth knowing; nothing is broken.",
    Severity.WARNING: "Mail still flows; this will break, or already goes wrong for some.",
    Severity.UNKNOWN: "The agent could not tell. Nothing is known to be wrong with the subject.",
    Severity.CRITICAL: "Mail is being lost, refused or exposed, or can be at any time.",
}


def rendered(probes: Iterable[Probe[Any, Any]]) -> Mapping[str, str]:
    """Return every runbook by its path."""
    kinds: dict[str, list[str]] = {}
    rules: dict[str, Rule] = {}
    for probe in probes:
        for rule in probe.all_rules:
            rules[rule.code] = rule
            kinds.setdefault(rule.code, []).append(probe.kind)
    pages = {_path(code): of_rule(rules[code], kinds[code]) for code in sorted(rules)}
    for alert in alerts.standing():
        if alert.meaning:
            pages[_path(alert.runbook)] = of_alert(alert)
    return pages


def of_rule(rule: Rule, kinds: Iterable[str]) -> str:
    """Return the runbook of a rule."""
    own = rule.severity is not Severity.UNKNOWN
    alert = alerts.of_rule(rule).name if own else CANNOT_TELL.name
    pages = ", ".join(f"[{kind}](../checks/{kind}.md)" for kind in kinds)
    return "\n".join(
        (
            f"# {rule.summary}",
            "",
            (
                f"Rule `{rule.code}`, severity {rule.severity.word}, found by {pages}."
                f" Alert `{alert}`, after two runs in a row."
            ),
            "",
            "## Meaning",
            "",
            f"{_MEANING[rule.severity]} The rule comes from {rule.reference}.",
            "",
            "## Diagnosis",
            "",
            (
                f"- Open `/rules/{rule.code}` on the agent: it lists every subject"
                " that breaks it now, each with the evidence."
            ),
            (
                f'- In Prometheus: `mailflow_finding{{rule="{rule.code}"}}` is the number'
                " of runs in a row that found it."
            ),
            f"- On a shell: `mailflow-agent explain {rule.code}`.",
            "",
            "## Mitigation",
            "",
            rule.remedy,
            "",
        )
    )


def of_alert(alert: Alert) -> str:
    """Return the runbook of an alert that no rule stands behind."""
    return "\n".join(
        (
            f"# {alert.summary.removesuffix('.')}",
            "",
            f"Alert `{alert.name}`, severity {alert.severity}.",
            "",
            "## Meaning",
            "",
            alert.meaning,
            "",
            "## What to do",
            "",
            *(f"- {step}" for step in alert.steps),
            "",
            "## Expression",
            "",
            "```promql",
            alert.expr,
            "```",
            "",
        )
    )


def _path(name: str) -> str:
    return f"{alerts.RUNBOOKS}/{name}.md"
