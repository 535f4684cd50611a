"""How are the rules written for those who load them?

As a rule file of Prometheus, as PrometheusRule objects for its operator, and as a mixin for those
who build their monitoring with jsonnet. All three are the same rules: the mixin reads the file.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from agent.exposition.alerting.alert import Alert, Group, Record
from agent.exposition.alerting.links import DASHBOARDS, urls

RULES = "grafana/alerts/mailflow.yaml"
MANIFEST = "grafana/alerts/mailflow-prometheusrule.yaml"
MIXIN = "grafana/alerts/mixin.libsonnet"
_HEAD = "# Rendered from the declarations of the probes: change those, then run make generate.\n"
_ABOUT_MANIFEST = """\
# One object for each group, because one alone would be too large for `kubectl apply`.
# The operator takes those that its `ruleSelector` selects: add the labels that yours asks for.
"""
_MIXIN = """\
// Rendered: change agent/exposition/alerting/files.py, then run make generate.
// Needs jsonnet 0.18 or later, for std.parseYaml. In `_config` the selector of the agents' targets
// can be changed, and labels added to every alert.
{
  _config+:: {
    mailflowSelector: 'job="mailflow"',
    mailflowAlertLabels: {},
  },

  local config = $._config,
  local groups = std.parseYaml(importstr 'mailflow.yaml').groups,
  local selected(rule) = rule {
    expr: std.strReplace(rule.expr, 'job="mailflow"', config.mailflowSelector),
  },
  local labelled(rule) = selected(rule) { labels+: config.mailflowAlertLabels },
  local having(key, change) = [
    group { rules: [change(rule) for rule in group.rules if std.objectHas(rule, key)] }
    for group in groups
    if std.length([rule for rule in group.rules if std.objectHas(rule, key)]) > 0
  ],

  prometheusAlerts+:: { groups+: having('alert', labelled) },
  prometheusRules+:: {
    groups+: [group { name+: '.rules' } for group in having('record', selected)],
  },
  grafanaDashboards+:: {
%s
  },
}
"""


def rule_file(groups: Iterable[Group]) -> str:
    """Return the rule file of Prometheus."""
    lines = ["groups:"]
    for group in groups:
        lines += _indented(_group(group), 2)
    return _HEAD + "\n".join(lines) + "\n"


def manifest(groups: Iterable[Group]) -> str:
    """Return the same rules as objects for Prometheus' operator."""
    return _HEAD + _ABOUT_MANIFEST + "".join(map(_object, groups))


def mixin() -> str:
    """Return the wrapper for jsonnet, which reads the rule file and the dashboards."""
    boards = (
        f"    '{uid}.json': (import '../dashboards/{uid}.json')," for uid in sorted(DASHBOARDS)
    )
    return _MIXIN % "\n".join(boards)


# Many pagers show the summary alone, as the title: it begins with whom it is about.
_SUBJECT = "{{ $labels.subject }}: "
_ANY = (
    "{{ with or $labels.credential $labels.place $labels.server $labels.subject $labels.tenant }}"
    "{{ . }}: {{ end }}"
)


def annotations(alert: Alert) -> Mapping[str, str]:
    """Return what goes with an alert to the person who is called."""
    about = _SUBJECT if alert.subject_kind else _ANY
    return {"summary": f"{about}{alert.summary}", "description": alert.description, **urls(alert)}


def labels(alert: Alert) -> Mapping[str, str]:
    """Return what an alert adds to the labels of what it was found on."""
    return {"severity": alert.severity, "component": alert.component, **dict(alert.labels)}


def _object(group: Group) -> str:
    lines = [
        "---",
        "apiVersion: monitoring.coreos.com/v1",
        "kind: PrometheusRule",
        "metadata:",
        f"  name: {group.name}",
        "  labels:",
        "    app.kubernetes.io/name: mailflow-agent",
        "    app.kubernetes.io/component: rules",
        "spec:",
        "  groups:",
        *_indented(_group(group), 4),
    ]
    return "\n".join(lines) + "\n"


def _group(group: Group) -> Iterator[str]:
    yield f"- name: {group.name}"
    yield "  rules:"
    for record in group.records:
        yield from _indented(_record(record), 4)
    for alert in group.alerts:
        yield from _indented(_alert(alert), 4)


def _record(record: Record) -> Sequence[str]:
    return (f"- record: {record.name}", f"  expr: {_quoted(record.expr)}")


def _alert(alert: Alert) -> Iterator[str]:
    yield f"- alert: {alert.name}"
    yield f"  expr: {_quoted(alert.expr)}"
    if alert.hold:
        yield f"  for: {alert.hold}"
    if alert.linger:
        yield f"  keep_firing_for: {alert.linger}"
    yield "  labels:"
    yield from (f"    {key}: {_quoted(value)}" for key, value in labels(alert).items())
    yield "  annotations:"
    yield from (f"    {key}: {_quoted(value)}" for key, value in annotations(alert).items())


def _indented(lines: Iterable[str], by: int) -> Iterator[str]:
    return (" " * by + line for line in lines)


def _quoted(text: str) -> str:
    """Write a YAML string; what JSON escapes, YAML reads the same way."""
    return json.dumps(text)
