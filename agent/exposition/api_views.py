"""What does the API say of each thing?

Plain data in the declared shapes, made from the board and the ledger. Nothing here knows of HTTP.
"""

import math
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote

from agent.domain.entry import Entry
from agent.domain.finding import Distribution, Finding, Measurement, Rule
from agent.exposition import api_shapes as shapes
from agent.exposition.as_json import fact_as_json, finding_as_json
from agent.exposition.pages.state import State, state_of
from agent.runtime import board
from agent.runtime.board import Standing

Key = tuple[str, str, str]  # tenant, kind and name of a subject


def key_of(thing: Standing | board.Change) -> Key:
    """Return which subject a standing, or a change, is about."""
    check = thing.check
    return check.tenant, check.target.kind, check.subject


def check_state(standing: Standing, now: datetime) -> shapes.CheckState:
    """Return how one check stands."""
    return {
        "check": standing.check.identity,
        "probe": standing.check.probe.kind,
        "state": _word(state_of(standing, now)),
    }


def check(standing: Standing, now: datetime) -> shapes.Check:
    """Return one check with what its last run found."""
    run, changed_at = standing.run, standing.changed_at
    tenant, kind, subject = key_of(standing)
    found = () if run is None else run.outcome.findings
    return {
        **check_state(standing, now),
        "tenant": tenant,
        "kind": kind,
        "subject": subject,
        "severity": None if run is None else _severity(run.outcome.severity.word),
        "idle": None if run is None else run.outcome.idle or None,
        "last_run": None if run is None else run.finished_at.isoformat(),
        "changed_at": _moment(changed_at),
        "interval_seconds": standing.check.settings.interval.total_seconds(),
        "findings": [
            _finding(each, standing) for each in sorted(found, key=lambda each: -each.severity)
        ],
    }


def check_with_run(standing: Standing, now: datetime) -> shapes.CheckWithRun:
    """Return one check with all that its last run has to say."""
    run = standing.run
    return {
        **check(standing, now),
        "timeout_seconds": standing.check.settings.timeout.total_seconds(),
        "runs": standing.runs,
        "run": None if run is None else _run(run),
    }


def _run(run: board.Run) -> shapes.Run:
    outcome = run.outcome
    return {
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat(),
        "duration_seconds": run.duration.total_seconds(),
        "failure": outcome.failure or None,
        "measurements": [_measurement(each) for each in outcome.measurements],
        "facts": [
            {"title": title, "shape": type(fact).__name__.lower(), "value": fact_as_json(fact)}
            for title, fact in outcome.facts.items()
        ],
    }


def _finding(finding: Finding, standing: Standing) -> shapes.Finding:
    told, code = finding_as_json(finding), finding.rule.code
    streak = standing.streaks.get(code)
    return {
        "rule": told["rule"],
        "severity": told["severity"],
        "summary": told["summary"],
        "detail": told["detail"],
        "evidence": told["evidence"],
        "remedy": told["remedy"],
        "fix": told["fix"],
        "reference": told["reference"],
        "consecutive": standing.consecutive.get(code, 0),
        "since": None if streak is None else streak.since.isoformat(),
    }


def _measurement(measurement: Measurement) -> shapes.Measurement:
    value, signal = measurement.value, measurement.signal
    told: float | shapes.Distribution | None
    if isinstance(value, Distribution):
        told = {"counts": list(value.counts), "sum": value.sum}
    else:
        told = float(value) if math.isfinite(value) else None
    labels = dict(zip(signal.labels, measurement.labels, strict=True))
    return {"name": signal.name, "labels": labels, "value": told}


def subject_state(key: Key, its: Iterable[Standing], now: datetime) -> shapes.SubjectState:
    """Return one subject with its checks, the most urgent first."""
    ordered = sorted(its, key=lambda each: (state_of(each, now), each.check.probe.kind))
    worst = ordered[0]
    tenant, kind, subject = key
    return {
        "tenant": tenant,
        "kind": kind,
        "subject": subject,
        "state": _word(state_of(worst, now)),
        "headline": _headline(worst, now),
        "page": "/subjects/" + "/".join(quote(part, safe="") for part in key),
        "checks": [check_state(each, now) for each in ordered],
    }


def _headline(worst: Standing, now: datetime) -> str:
    run, state = worst.run, state_of(worst, now)
    if state is State.STALE:
        return "has not been checked in time"
    if run is None:
        return "not checked yet"
    found = max(run.outcome.findings, key=lambda each: each.severity, default=None)
    return "" if found is None else found.rule.summary


def change(changed: board.Change) -> shapes.Change:
    """Return a change of severity."""
    of, before = changed.check, changed.before
    return {
        "at": changed.at.isoformat(),
        "check": of.identity,
        "tenant": of.tenant,
        "kind": of.target.kind,
        "subject": of.subject,
        "probe": of.probe.kind,
        "before": None if before is None else _severity(before.word),
        "after": _severity(changed.after.word),
    }


def rule(declared: Rule, probes: Iterable[str], found: int) -> shapes.Rule:
    """Return a rule, and in how many checks it was found."""
    return {
        "rule": declared.code,
        "severity": _severity(declared.severity.word),
        "summary": declared.summary,
        "remedy": declared.remedy,
        "reference": declared.reference,
        "probes": sorted(probes),
        "found": found,
    }


def message(entry: Entry) -> shapes.Message:
    """Return a message of the ledger; never its token, which would let others forge it."""
    return {
        "sequence": entry.sequence,
        "state": entry.state.value,
        "planned_at": entry.planned_at.isoformat(),
        "sent_at": _moment(entry.sent_at),
        "arrived_at": _moment(entry.arrived_at),
        "duration_seconds": None if entry.duration is None else entry.duration.total_seconds(),
        "failure": entry.failure or None,
        "unjudged": entry.unjudged or None,
        "witness": entry.witness.value or None,
        "detail": entry.detail,
        "duplicates": entry.duplicates,
        "damaged": entry.damaged,
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _word(state: State) -> shapes.StateWord:
    words: dict[State, shapes.StateWord] = {
        State.CRITICAL: "critical",
        State.UNKNOWN: "unknown",
        State.STALE: "stale",
        State.WARNING: "warning",
        State.PENDING: "pending",
        State.OK: "ok",
    }
    return words[state]


def _severity(word: str) -> shapes.SeverityWord:
    words: dict[str, shapes.SeverityWord] = {
        "ok": "ok",
        "warning": "warning",
        "unknown": "unknown",
        "critical": "critical",
    }
    return words[word]
