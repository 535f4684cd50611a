"""Who breaks this rule now, and what is to be done?

The page of a rule, or of a standing alert: above, the subjects that are concerned, each with the
evidence, since when, and the line to type; below, the whole runbook. For whom an alert fires that
stands on metrics only Prometheus knows, and the page says so; what the agent knows of it is which
of its own checks are not well in the way that leads to it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from agent.domain.finding import Finding, Severity
from agent.exposition.alerting.watching import TOLD_ELSEWHERE
from agent.exposition.pages.state import State, state_of
from agent.exposition.pages.view import address_of, key_of, since_of
from agent.exposition.runbooks import Runbook
from agent.exposition.runbooks.markup import Listing
from agent.probes.base import CRASHED
from agent.runtime.board import Standing

IN_FULL = 25  # checks that are shown with their evidence
_NAMED = 200  # further ones of which the name is shown
_FINDINGS = 5  # of one check
_EVIDENCE = 12  # lines of one finding
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # what no shell takes for more than a word

Concerned = Callable[[Standing, datetime], bool]


@dataclass(frozen=True, slots=True)
class Case:
    """A check that is concerned, with what it found; since when, and by how many runs in a row."""

    tenant: str
    subject_kind: str
    subject: str
    path: str
    kind: str
    state: State
    findings: tuple[Finding, ...]
    more: int
    runs: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class RulePage:
    """The page of a runbook. ``is_told`` is false where the reader may not see who is concerned."""

    now: datetime
    book: Runbook
    cases: tuple[Case, ...]
    others: tuple[tuple[str, str, str], ...]  # tenant, subject and address of further ones
    total: int
    is_told: bool = True

    @property
    def uncounted(self) -> int:
        """How many are concerned whose names are not shown."""
        return self.total - len(self.cases) - len(self.others)

    def lines(self, listing: Listing) -> list[str]:
        """Return what to type, filled in where only one subject can be meant."""
        if len(self.cases) != 1 or self.total != 1:
            return listing.lines
        (case,) = self.cases
        gap = f"<{case.subject_kind}>"
        # Exchange mostly knows a connector by the name it has here; by another it finds none.
        meant = {"<domain>", "<route>", "<connector>"}
        if gap not in meant or not _PLAIN.fullmatch(case.subject):
            return listing.lines
        return [line.replace(gap, case.subject) for line in listing.lines]

    @property
    def tells(self) -> bool:
        """True where the agent can know which of its subjects are concerned."""
        return self.book.rule is not None or self.book.name in _CONCERNED

    @property
    def query(self) -> str:
        """What to ask Prometheus for whom it fires; empty for a rule, whose findings are here."""
        if self.book.rule is not None:
            return ""
        names = "|".join(self.book.alerts)
        return f'ALERTS{{alertname{"=~" if "|" in names else "="}"{names}",alertstate="firing"}}'


def page(
    book: Runbook, standings: Iterable[Standing], now: datetime, *, is_told: bool = True
) -> RulePage:
    """Return the page of *book*: who is concerned at *now*, by tenant and name."""
    concerned = _concerned(book)
    its = [each for each in standings if is_told and concerned(each, now)]
    its.sort(key=key_of)
    named = ((key_of(each), address_of(key_of(each))) for each in its[IN_FULL : IN_FULL + _NAMED])
    return RulePage(
        now=now,
        book=book,
        cases=tuple(_case(each, book, now) for each in its[:IN_FULL]),
        others=tuple((tenant, subject, path) for (tenant, _, subject), path in named),
        total=len(its),
        is_told=is_told,
    )


def _concerned(book: Runbook) -> Concerned:
    if book.rule is not None:
        return lambda standing, _now: book.name in standing.consecutive
    return _CONCERNED.get(book.name, lambda _standing, _now: False)


def _case(standing: Standing, book: Runbook, now: datetime) -> Case:
    # Read once: a run may come in while a page is drawn in its thread.
    run, consecutive, streaks = standing.run, standing.consecutive, standing.streaks
    found = () if run is None else run.outcome.findings
    if book.rule is None:
        mine = [each for each in found if each.severity is not Severity.OK]
        mine.sort(key=lambda finding: -finding.severity)
        runs, since = 0, since_of(standing)
    else:
        mine = [each for each in found if each.rule.code == book.name]
        runs = consecutive.get(book.name, 0)
        since = streaks[book.name].since if book.name in streaks else None
    tenant, subject_kind, subject = key_of(standing)
    return Case(
        tenant=tenant,
        subject_kind=subject_kind,
        subject=subject,
        path=address_of(key_of(standing)),
        kind=standing.check.probe.kind,
        state=state_of(standing, now),
        findings=tuple(map(_shortened, mine[:_FINDINGS])),
        more=max(0, len(mine) - _FINDINGS),
        runs=runs,
        since=since,
    )


def _shortened(finding: Finding) -> Finding:
    """Return a finding with the first lines of its evidence; its subject's page has all."""
    more = len(finding.evidence) - _EVIDENCE
    if more <= 0:
        return finding
    kept = (*finding.evidence[:_EVIDENCE], f"and {more} more lines, on the page of the subject")
    return Finding(finding.rule, finding.detail, kept, finding.fix)


def _is_bad(kind: str) -> Concerned:
    """Return what tells a check of a kind of subject that is not well."""

    def concerned(standing: Standing, _now: datetime) -> bool:
        return standing.check.target.kind == kind and standing.severity not in {None, Severity.OK}

    return concerned


def _is_stale(standing: Standing, now: datetime) -> bool:
    # Most have run just now, which is told without the whole reckoning.
    run = standing.run
    if run is not None and now - run.started_at < standing.check.settings.interval:
        return False
    return state_of(standing, now) is State.STALE


def _cannot_tell(standing: Standing, _now: datetime) -> bool:
    run = standing.run
    if run is None or standing.severity not in {Severity.UNKNOWN, Severity.CRITICAL}:
        return False
    # A fault that is proven hides it in the check's severity, and not in the alert.
    unknown = (x.rule.code for x in run.outcome.findings if x.severity is Severity.UNKNOWN)
    return any(code not in TOLD_ELSEWHERE for code in unknown)


_CONCERNED: Mapping[str, Concerned] = MappingProxyType(
    {
        "agent-stuck": _is_bad("agent"),
        "cannot-tell": _cannot_tell,
        "check-stale": _is_stale,
        "one-agent-blind": _is_bad("agent"),
        "route-down": _is_bad("route"),
        "route-error-budget-burn": _is_bad("route"),
        "route-lands-in-junk": _is_bad("route"),
        "run-crashed-alert": lambda standing, _now: CRASHED.code in standing.consecutive,
        "store-degraded": _is_bad("agent"),
    }
)
