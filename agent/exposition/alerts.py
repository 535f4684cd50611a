"""When should a person be told?

One alert for each rule that a probe declares, and a few that exist whatever is configured. A
finding alerts when two runs in a row have it, whatever the interval; a rule that says "we could not
tell" shares one alert with the others of its sort, of lower severity.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from agent.exposition import mail_alerts, route_alerts
from agent.exposition.alerting import (
    dependencies,
    files,
    found,
    inhibiting,
    objectives,
    page,
    rules,
    watching,
)
from agent.exposition.alerting.alert import Alert, Group
from agent.exposition.alerting.links import RUNBOOKS
from agent.exposition.alerting.rules import alerting, of_rule
from agent.exposition.standing_alerts import AGENT, CHECKS
from agent.probes.base import Probe

__all__ = ["PATH", "RUNBOOKS", "alerting", "groups", "of_rule", "render", "rendered", "standing"]

PATH = files.RULES
_AT_MOST = 60  # alerts of a group


def standing() -> tuple[Alert, ...]:
    """Return the alerts that exist whatever probes there are."""
    return (
        *AGENT,
        *CHECKS,
        *dependencies.ALERTS,
        *mail_alerts.ALERTS,
        *route_alerts.ALERTS,
    )


def groups(probes: Iterable[Probe[Any, Any]]) -> tuple[Group, ...]:
    """Return all rules, in the groups in which they are evaluated."""
    by_component: dict[str, list[Alert]] = {}
    for rule in rules.alerting(probes):
        alert = of_rule(rule)
        by_component.setdefault(alert.component, []).append(alert)
    return (
        Group("mailflow-agent", watching.RECORDS, AGENT),
        # What stands on the findings is evaluated right after them, where it must not wait.
        Group("mailflow-checks", found.RECORDS, (*dependencies.ALERTS, *CHECKS)),
        *(
            group
            for component, those in sorted(by_component.items())
            for group in _findings(component, those)
        ),
        Group("mailflow-routes", objectives.records(), route_alerts.ALERTS),
        Group("mailflow-mailboxes", (), mail_alerts.ALERTS),
    )


def _findings(component: str, those: Sequence[Alert]) -> Iterator[Group]:
    """Yield groups none of which is too large to be applied as an object."""
    for start in range(0, len(those), _AT_MOST):
        part = f"-{start // _AT_MOST + 1}" if start else ""
        yield Group(
            f"mailflow-findings-{component}{part}", (), tuple(those[start : start + _AT_MOST])
        )


def render(probes: Iterable[Probe[Any, Any]]) -> str:
    """Return the rule file of Prometheus."""
    return files.rule_file(groups(probes))


def rendered(probes: Iterable[Probe[Any, Any]]) -> Mapping[str, str]:
    """Return every file about alerts, by its path."""
    probes = tuple(probes)
    made = groups(probes)
    return {
        files.RULES: files.rule_file(made),
        files.MANIFEST: files.manifest(made),
        files.MIXIN: files.mixin(),
        inhibiting.PATH: inhibiting.render(alerting(probes)),
        page.PATH: page.render(standing(), tuple(map(of_rule, alerting(probes)))),
    }
