"""What does a run say to a program?

The same as to a person: findings with evidence and remedy, measurements, facts. The shape is part
of the command line's promise: keys are added, not changed.
"""

from typing import Any

from agent.domain.fact import Chain, Diagram, Fact, Node, Path, Table, Text, Walk
from agent.domain.finding import Distribution, Finding, Measurement, Outcome


def outcome_as_json(outcome: Outcome) -> dict[str, Any]:
    """Return one run's outcome as plain data."""
    return {
        "severity": outcome.severity.word,
        "findings": [finding_as_json(finding) for finding in outcome.findings],
        "measurements": [_measurement(measurement) for measurement in outcome.measurements],
        "facts": {title: fact_as_json(fact) for title, fact in outcome.facts.items()},
        "failure": outcome.failure or None,
        "idle": outcome.idle or None,
    }


def finding_as_json(finding: Finding) -> dict[str, Any]:
    """Return a finding as plain data."""
    rule = finding.rule
    return {
        "rule": rule.code,
        "severity": rule.severity.word,
        "summary": rule.summary,
        "detail": finding.detail,
        "evidence": list(finding.evidence),
        "remedy": rule.remedy,
        "fix": finding.fix or None,
        "reference": rule.reference,
    }


def _measurement(measurement: Measurement) -> dict[str, Any]:
    value = measurement.value
    return {
        "name": measurement.signal.name,
        "labels": dict(zip(measurement.signal.labels, measurement.labels, strict=True)),
        "value": {"counts": list(value.counts), "sum": value.sum}
        if isinstance(value, Distribution)
        else value,
    }


def fact_as_json(fact: Fact) -> Any:
    """Return a fact as plain data: text, rows by column, a tree, and so on."""
    match fact:
        case Text(text):
            return text
        case Table(columns, rows):
            return [dict(zip(columns, row, strict=True)) for row in rows]
        case Node():
            return _node(fact)
        case Walk(phases):
            return [
                {"phase": phase.name, "seconds": phase.seconds, "detail": phase.detail}
                for phase in phases
            ]
        case Path(stops):
            return [
                {
                    "host": stop.host,
                    "owner": stop.owner,
                    "seconds": stop.seconds,
                    "link": stop.link,
                    "mood": stop.mood,
                    "note": stop.note,
                }
                for stop in stops
            ]
        case Diagram() | Chain():
            return _diagram(fact) if isinstance(fact, Diagram) else _chain(fact)


def _node(node: Node) -> dict[str, Any]:
    return {
        "label": node.label,
        "detail": node.detail,
        "count": node.count,
        "mood": node.mood,
        "children": [_node(child) for child in node.children],
    }


def _diagram(diagram: Diagram) -> dict[str, Any]:
    return {
        "stations": [
            {
                "key": station.key,
                "label": station.label,
                "kind": station.kind,
                "detail": station.detail,
                "mood": station.mood,
                "column": station.column,
            }
            for station in diagram.stations
        ],
        "roads": [
            {"start": road.start, "end": road.end, "label": road.label, "mood": road.mood}
            for road in diagram.roads
        ],
    }


def _chain(chain: Chain) -> dict[str, Any]:
    return {
        "certificates": [
            {
                "subject": link.subject,
                "issuer": link.issuer,
                "not_before": link.not_before.isoformat(),
                "not_after": link.not_after.isoformat(),
                "detail": link.detail,
            }
            for link in chain.links
        ],
        "end": chain.end,
        "mood": chain.mood,
    }
