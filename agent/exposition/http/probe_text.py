"""What came of a run that was asked for?

As metrics in the blackbox convention, with all that the run measured, or in words for a person who
wants to know why.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.config.strict_yaml import write
from agent.domain import streak
from agent.domain.finding import Finding, Severity, Signal
from agent.domain.streak import Streaks
from agent.exposition.as_json import fact_as_json
from agent.exposition.metrics import Metrics
from agent.exposition.text_format import Format, go_float, heading
from agent.probes.base import Check
from agent.runtime.board import Board, Run, Standing

SUCCESS = Signal("probe_success", "1 where the run found nothing worse than a warning, or else 0.")
DURATION = Signal("probe_duration_seconds", "How long the request waited for the run.")
TIMEOUT = Signal("probe_timeout_seconds", "How long it would have waited.")
UNKNOWN = Signal(
    "probe_unknown",
    "1 where the run could not tell, or had not ended in time: that is no fault of the target.",
)
PROBE_SIGNALS = (SUCCESS, DURATION, TIMEOUT, UNKNOWN)


@dataclass(frozen=True, slots=True)
class Probed:
    """A run that was asked for; without ``run`` it had not ended when the time was over.

    ``took`` is how long the request waited, ``timeout`` how long it would have, in seconds.
    ``streaks`` say since when, and in how many runs in a row, each rule was found.
    """

    check: Check[Any, Any]
    run: Run | None
    took: timedelta
    timeout: float
    streaks: Streaks

    @property
    def severity(self) -> Severity:
        """How bad it is; unknown where there is no result."""
        return Severity.UNKNOWN if self.run is None else self.run.outcome.severity

    @property
    def is_success(self) -> bool:
        """Whether nothing worse than a warning was found."""
        return self.severity <= Severity.WARNING


class _Still:
    """A clock for a single look."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return 0.0


async def metrics_of(probed: Probed, into: Format) -> bytes:
    """Return the metrics of one run, in the format that the scraper prefers."""
    values = (
        probed.is_success,
        probed.took.total_seconds(),
        probed.timeout,
        probed.severity is Severity.UNKNOWN,
    )
    text = b"".join(
        heading(signal.name, "gauge", signal.help, into)
        + f"{signal.name} {go_float(value)}\n".encode()
        for signal, value in zip(PROBE_SIGNALS, values, strict=True)
    )
    return text + await _measured(probed, into) + into.end


async def _measured(probed: Probed, into: Format) -> bytes:
    """Return what the run measured, as a scrape of all checks would have it."""
    run, check = probed.run, probed.check
    if run is None:
        return b""
    standing = Standing(check, run.started_at, run, run.outcome.severity)
    new = streak.after(streak.NONE, run.outcome, run.finished_at, check.settings.interval)
    standing.streaks = {code: probed.streaks.get(code, first) for code, first in new.items()}
    standing.consecutive = streak.in_a_row(standing.streaks)
    metrics = Metrics(Board(), (check.probe,), _Still())
    metrics.publish(standing)
    return b"".join([bytes(piece) async for piece in metrics.render(into)])


async def in_words(probed: Probed) -> list[str]:
    """Return the lines of a report for a person."""
    check = probed.check
    lines = [f"Check {check.identity}, timeout {probed.timeout:.3g} s"]
    if probed.run is None:
        lines.append("It had not ended by then. It goes on, and its result will be on the page.")
    else:
        lines += _of_run(probed.run)
    lines += ["", "Metrics that would have been returned:", ""]
    text = await metrics_of(probed, Format.TEXT)
    return [*lines, *text.decode().splitlines(), ""]


def _of_run(run: Run) -> Iterator[str]:
    outcome = run.outcome
    yield (
        f"Started {run.started_at.isoformat(timespec='milliseconds')},"
        f" took {run.duration.total_seconds():.3f} s, result {outcome.severity.word}"
    )
    if outcome.failure:
        yield f"Could not tell: {outcome.failure}"
    if outcome.idle:
        yield f"Nothing to look at: {outcome.idle}"
    for finding in outcome.findings:
        yield from _of_finding(finding)
    for title, fact in outcome.facts.items():
        yield from ("", f"{title}:")
        data = fact_as_json(fact)
        text = data if isinstance(data, str) else write(json.loads(json.dumps(data)))
        yield from (f"  {line}" for line in text.splitlines())


def _of_finding(finding: Finding) -> Iterator[str]:
    rule = finding.rule
    yield from ("", f"{rule.severity.word} {rule.code}: {rule.summary}", f"  {finding.detail}")
    yield from (f"  - {line}" for line in finding.evidence)
    yield f"  Remedy: {rule.remedy}"
    if finding.fix:
        yield from (f"  Type: {line}" for line in finding.fix.splitlines())
