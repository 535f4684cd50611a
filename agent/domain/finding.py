"""What can be wrong, and what one run of a check found?

A rule is declared once, as a value: metrics, alerts, runbooks, pages and documentation are
rendered from it. A finding is a rule broken in one run, with the evidence. An outcome is all that
one run has to say.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

from agent.domain.fact import Fact

MAX_ALIKE = 20  # findings of one rule in one run
MAX_EVIDENCE = 100  # lines of one finding


class Severity(enum.IntEnum):
    """How much an operator should care, in rising order.

    UNKNOWN (we could not tell) ranks below CRITICAL (we know that it is broken), so that a proven
    failure is never hidden behind a resolver's hiccup in the same run.
    """

    OK = 0
    WARNING = 1
    UNKNOWN = 2
    CRITICAL = 3

    @property
    def word(self) -> str:
        """The name as people and label values have it: ``critical``."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be wrong, declared once.

    ``code`` starts with the kind of its probe and is unique; ``summary`` is a sentence without a
    full stop; ``remedy`` says what to do, in the words of the person who will do it; ``reference``
    names the clause or page that the rule comes from.
    """

    code: str
    severity: Severity
    summary: str
    remedy: str
    reference: str

    @property
    def source(self) -> str:
        """The reference to look up; empty where it is a page of ours: the runbook says it all."""
        return "" if self.reference.startswith("docs/") else self.reference

    def found(self, detail: str, *evidence: str, fix: str = "") -> "Finding":
        """Return this rule as broken, with what was seen.

        *detail* is one sentence; *evidence* are further lines, of which the first hundred are kept;
        *fix* is what to type to mend just this, where a line of PowerShell or a DNS record does.
        Text from a peer must have gone through :class:`agent.domain.peer_text.PeerText` before.
        """
        more = len(evidence) - MAX_EVIDENCE
        if more > 0:
            evidence = (*evidence[:MAX_EVIDENCE], f"and {more} more")
        return Finding(self, detail, evidence, fix)


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule broken in one run, with the evidence."""

    rule: Rule
    detail: str
    evidence: tuple[str, ...] = ()
    fix: str = ""

    @property
    def severity(self) -> Severity:
        """The severity that the rule was declared with."""
        return self.rule.severity


def bounded(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Keep the first few of each rule; the last one kept says how many more there are.

    A peer decides how often its records break a rule; how much is kept and drawn of it is ours.
    """
    alike: dict[Rule, list[Finding]] = {}
    for finding in findings:
        alike.setdefault(finding.rule, []).append(finding)
    for found in alike.values():
        more = len(found) - MAX_ALIKE
        if more > 0:
            del found[MAX_ALIKE:]
            last = found[-1]
            found[-1] = replace(last, evidence=(*last.evidence, f"and {more} more like this"))
    return tuple(finding for found in alike.values() for finding in found)


def by_rule(findings: Iterable[Finding]) -> list[tuple[Rule, tuple[Finding, ...]]]:
    """Put findings of one rule together, the gravest rules first, and else in their order."""
    alike: dict[Rule, list[Finding]] = {}
    for finding in findings:
        alike.setdefault(finding.rule, []).append(finding)
    ordered = sorted(alike, key=lambda rule: -rule.severity)
    return [(rule, tuple(alike[rule])) for rule in ordered]


@dataclass(frozen=True, slots=True)
class Signal:
    """A metric, declared once under its full literal name.

    ``labels`` are those beside ``tenant``, ``subject`` and ``probe``, which every signal has. Their
    values come from the configuration or from a closed set in code, never from a peer. ``buckets``
    are the upper bounds of a histogram, without the infinite one.
    """

    name: str
    help: str
    labels: tuple[str, ...] = ()
    kind: Literal["gauge", "counter", "histogram"] = "gauge"
    buckets: tuple[float, ...] = ()

    def at(self, value: float, *labels: str) -> "Measurement":
        """Return one value of this signal, with the values of its labels in declared order."""
        return _measured(self, value, labels)


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a histogram holds: cumulative counts for each bucket and +Inf, and the sum.

    ``bounds`` are its buckets, where a subject has others than the signal declares.
    """

    counts: tuple[int, ...]
    sum: float
    bounds: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value of a signal in one run."""

    signal: Signal
    value: float | Distribution
    labels: tuple[str, ...] = ()


@lru_cache(maxsize=1024, typed=True)
def _measured(signal: Signal, value: float | Distribution, labels: tuple[str, ...]) -> Measurement:
    """Return the same object for the same value: most are the small numbers that all have."""
    return Measurement(signal, value, labels)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one run of one check.

    ``facts`` is what the page and the command line show beside the findings, by title. ``failure``
    is the closed-set reason when the run could not tell, for ``mailflow_run_failures_total``.
    ``idle`` is why there was nothing to look at, in a sentence: such an outcome has no findings and
    is ok, but it is no proof of anything, and is not shown as if it were. Empty where something was
    looked at.
    """

    findings: tuple[Finding, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    failure: str = ""
    idle: str = ""

    @property
    def severity(self) -> Severity:
        """The worst severity among the findings."""
        return max((finding.severity for finding in self.findings), default=Severity.OK)
