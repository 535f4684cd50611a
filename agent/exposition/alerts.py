"""When should a person be told?

The Prometheus rule file: one alert for each rule that a probe declares, and a few about the agent
itself and about routes. A finding alerts when two runs in a row have it, whatever the interval; a
rule that says "we could not tell" shares one alert with the others of its sort, of lower severity.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from agent.domain.finding import Rule, Severity
from agent.exposition import mail_alerts, route_alerts
from agent.exposition.standing_alerts import AGENT, Alert
from agent.probes.base import Probe

PATH = "grafana/alerts/mailflow.yaml"
RUNBOOKS = "docs/runbooks"
_HEAD = "# Rendered from the declarations of the probes: change those, then run make generate.\n"
_WHO = "{{ $labels.subject }} of {{ $labels.tenant }}"
_RUNS = "{{ $value }} runs in a row"


def alerting(probes: Iterable[Probe[Any, Any]]) -> tuple[Rule, ...]:
    """Return the rules that have an alert of their own, by code."""
    rules = {rule.code: rule for probe in probes for rule in probe.all_rules}
    return tuple(
        rules[code] for code in sorted(rules) if rules[code].severity is not Severity.UNKNOWN
    )


def of_rule(rule: Rule) -> Alert:
    """Return the alert for one rule."""
    remedy = rule.remedy.replace("{{", '{{ "{{" }}')
    return Alert(
        name="Mailflow" + "".join(part.capitalize() for part in rule.code.split("-")),
        expr=f'max without (instance, pod) (mailflow_finding{{rule="{rule.code}"}}) >= 2',
        severity=rule.severity.word,
        component="check",
        summary=f"{rule.summary}.",
        description=f"{_WHO}, found by {_RUNS}. {remedy}",
        runbook=rule.code,
    )


def standing() -> tuple[Alert, ...]:
    """Return the alerts that exist whatever probes there are."""
    return (*AGENT, *route_alerts.ALERTS, *mail_alerts.ALERTS)


def render(probes: Iterable[Probe[Any, Any]]) -> str:
    """Return the rule file."""
    groups = (
        ("mailflow-agent", [_alert(alert) for alert in AGENT]),
        ("mailflow-findings", [_alert(of_rule(rule)) for rule in alerting(probes)]),
        ("mailflow-routes.rules", [_record(*record) for record in route_alerts.records()]),
        ("mailflow-routes", [_alert(alert) for alert in route_alerts.ALERTS]),
        ("mailflow-mailboxes", [_alert(alert) for alert in mail_alerts.ALERTS]),
    )
    lines = ["groups:"]
    for name, entries in groups:
        if entries:
            lines += [
                f"  - name: {name}",
                "    rules:",
                *(line for entry in entries for line in entry),
            ]
    return _HEAD + "\n".join(lines) + "\n"


def _alert(alert: Alert) -> Sequence[str]:
    labels = {"severity": alert.severity, "component": alert.component, **dict(alert.labels)}
    annotations = {
        "summary": alert.summary,
        "description": alert.description,
        "runbook_url": f"{RUNBOOKS}/{alert.runbook}.md",
    }
    return [
        f"      - alert: {alert.name}",
        f"        expr: {_quoted(alert.expr)}",
        *([f"        for: {alert.hold}"] if alert.hold else []),
        "        labels:",
        *(f"          {key}: {_quoted(value)}" for key, value in labels.items()),
        "        annotations:",
        *(f"          {key}: {_quoted(value)}" for key, value in annotations.items()),
    ]


def _record(name: str, expr: str) -> Sequence[str]:
    return [f"      - record: {name}", f"        expr: {_quoted(expr)}"]


def _quoted(text: str) -> str:
    """Write a YAML string; what JSON escapes, YAML reads the same way."""
    return json.dumps(text)
