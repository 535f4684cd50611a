"""What does a person read when a rule is broken?

Who, since when, and what to do about it, in the words of the rule.
"""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any

from agent.domain.finding import Rule, Severity
from agent.exposition.alerting import dependencies
from agent.exposition.alerting.alert import Alert
from agent.exposition.alerting.evidence import EVIDENCE
from agent.exposition.alerting.found import HOLD, found
from agent.exposition.alerting.links import subject_kinds
from agent.exposition.alerting.paging import severity_of
from agent.exposition.alerting.watching import AGENT_STUCK
from agent.probes.base import Probe

# These find what an alert of another name says.
_ELSEWHERE = MappingProxyType({**dependencies.OF_RULE, "self-task-overdue": AGENT_STUCK})
_ENDS = "{{ if $labels.server }} ({{ $labels.server }}){{ end }}"
_WHO = "{{ $labels.subject }} of {{ $labels.tenant }}"
_RUNS = "found by {{ $value }} runs in a row"
# The time as the page has it; over a restart the series is missed for a moment.
_SINCE = (
    "{{ with printf `min(last_over_time(mailflow_finding_since_timestamp_seconds"
    f"{{tenant=%q,subject=%q,probe=%q,rule=%q}}[{HOLD}]))` $labels.tenant $labels.subject"
    " $labels.probe $labels.rule | query }}, since"
    " {{ (. | first | value | toTime).UTC.Format `2006-01-02 15:04:05` }} UTC{{ end }}"
)


def alerting(probes: Iterable[Probe[Any, Any]]) -> tuple[Rule, ...]:
    """Return the rules that have an alert of their own, by code."""
    rules = {rule.code: rule for probe in probes for rule in probe.all_rules}
    return tuple(
        rules[code]
        for code in sorted(rules)
        if rules[code].severity is not Severity.UNKNOWN and code not in _ELSEWHERE
    )


def of_rule(rule: Rule) -> Alert:
    """Return the alert for one rule, which may be one that says more than the rule."""
    if rule.code in _ELSEWHERE:
        return _ELSEWHERE[rule.code]
    kind = _kind(rule)
    remedy = rule.remedy.replace("{{", '{{ "{{" }}')
    return Alert(
        name="Mailflow" + "".join(part.capitalize() for part in rule.code.split("-")),
        expr=found(rule.code),
        severity=severity_of(rule),
        component=kind,
        summary=f"{rule.summary}.",
        description=f"{_WHO}{_ENDS}, {_RUNS}{_SINCE}.{_proof(rule)} {remedy}",
        runbook=rule.code,
        subject_kind=kind,
    )


def _proof(rule: Rule) -> str:
    return EVIDENCE[rule.code].template if rule.code in EVIDENCE else ""


def _kind(rule: Rule) -> str:
    """Return the kind of subject that the rule is about: its code begins with that of the probe."""
    kinds = subject_kinds()
    parts = rule.code.split("-")
    starts = ("-".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next(kinds[start] for start in starts if start in kinds)
