"""What does a page say, before it is markup?

Plain values made from the board: which state each check is in, worst first, grouped by subject and
tenant, filtered as the query says. No data yet is not "fine", and an old result is not a result.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from urllib.parse import quote, urlencode

from agent.domain.finding import Finding, Severity
from agent.runtime.board import Change, Run, Standing

STALE_AFTER = 2.5  # intervals, as the alert has it
PER_PAGE = 100  # subjects
MANY = 60  # subjects, above which only those with trouble are listed unless asked for
IN_FULL = 24  # subjects, up to which the overview draws the facts too


class State(enum.IntEnum):
    """What a page shows of a check, in falling order of urgency."""

    CRITICAL = 0
    UNKNOWN = 1
    STALE = 2
    WARNING = 3
    PENDING = 4
    OK = 5

    @property
    def key(self) -> str:
        """The word in addresses and class names."""
        return self.name.lower()

    @property
    def word(self) -> str:
        """The word that a reader sees."""
        return _WORDS[self]

    @property
    def sign(self) -> str:
        """A sign of its own shape, because colour alone says nothing to some."""
        return _SIGNS[self]


_WORDS = {
    State.CRITICAL: "critical",
    State.UNKNOWN: "unknown",
    State.STALE: "stale",
    State.WARNING: "warning",
    State.PENDING: "no data yet",
    State.OK: "ok",
}
_SIGNS = {
    State.CRITICAL: "\N{MULTIPLICATION X}",
    State.UNKNOWN: "?",
    State.STALE: "\N{WHITE CIRCLE}",
    State.WARNING: "!",
    State.PENDING: "\N{HORIZONTAL ELLIPSIS}",
    State.OK: "\N{CHECK MARK}",
}
_OF_SEVERITY = {
    Severity.CRITICAL: State.CRITICAL,
    Severity.UNKNOWN: State.UNKNOWN,
    Severity.WARNING: State.WARNING,
    Severity.OK: State.OK,
}


@dataclass(frozen=True, slots=True)
class Situation:
    """What the pages say about the agent itself.

    ``reload_errors`` are the lines of the last load that was rejected; empty when it was accepted.
    """

    vantage: str
    version: str
    started_at: datetime
    reload_errors: tuple[str, ...] = ()
    reload_failed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CheckView:
    """One check as a page shows it; ``findings`` have the worst first."""

    identity: str
    kind: str
    state: State
    run: Run | None
    age: timedelta
    interval: timedelta
    changed_at: datetime | None
    findings: tuple[Finding, ...]
    consecutive: Mapping[str, int]

    @property
    def is_old(self) -> bool:
        """True where the findings shown are of a run that is no longer believed."""
        return self.state is State.STALE


@dataclass(frozen=True, slots=True)
class SubjectView:
    """One subject with its checks, the most urgent first."""

    tenant: str
    kind: str
    name: str
    checks: tuple[CheckView, ...]

    @property
    def state(self) -> State:
        """The most urgent state among its checks."""
        return min(check.state for check in self.checks)

    @property
    def path(self) -> str:
        """The address of its own page."""
        return "/subjects/" + "/".join(
            quote(x, safe="") for x in (self.tenant, self.kind, self.name)
        )

    @property
    def headline(self) -> str:
        """What to say of it in one line."""
        worst = self.checks[0]
        if worst.findings and not worst.is_old:
            return worst.findings[0].rule.summary
        return {State.STALE: "has not been checked in time", State.PENDING: "not checked yet"}.get(
            worst.state, ""
        )


@dataclass(frozen=True, slots=True)
class Query:
    """What a reader asked to see; ``show`` is empty for what suits the number of subjects."""

    show: str = ""
    tenant: str = ""
    text: str = ""
    page: int = 1

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Query":
        """Read the parameters of an address; what makes no sense is left out."""
        show = given.get("show", "")
        page = given.get("page", "")
        return cls(
            show=show if show in {*(state.key for state in State), "all", "trouble"} else "",
            tenant=given.get("tenant", "")[:64],
            text=given.get("q", "")[:253].lower(),
            page=max(1, int(page)) if page.isdecimal() and page.isascii() and len(page) < 6 else 1,  # noqa: PLR2004
        )

    def href(self, **changes: str | int) -> str:
        """Return the address of this view with *changes*."""
        values = {"show": self.show, "tenant": self.tenant, "q": self.text, "page": self.page}
        values |= changes
        wanted = {key: value for key, value in values.items() if value not in ("", 1)}
        return "/?" + urlencode(wanted) if wanted else "/"


@dataclass(frozen=True, slots=True)
class Overview:
    """The first page."""

    now: datetime
    query: Query
    show: str
    counts: Mapping[State, int]
    tenants: tuple[tuple[str, tuple[SubjectView, ...]], ...]
    tenant_names: tuple[str, ...]
    matching: int
    total: int
    pages: int
    in_full: bool

    @property
    def worst(self) -> State:
        """The most urgent state anywhere."""
        return min((state for state, count in self.counts.items() if count), default=State.PENDING)

    @property
    def verdict(self) -> str:
        """The worst of it in one line; the counts beside it say the rest."""
        if not self.total:
            return "Nothing is configured"
        count, worst = self.counts[self.worst], self.worst
        if worst is State.OK:
            return "All is fine" if self.total == 1 else f"All {self.total} subjects are fine"
        plural = self.total > 1 and count > 1
        verb = (
            ("have" if plural else "has") if worst is State.PENDING else "are" if plural else "is"
        )
        who = f"{count} of {self.total} subjects" if self.total > 1 else "The subject"
        return f"{who} {verb} {worst.word}"


@dataclass(frozen=True, slots=True)
class SubjectPage:
    """The page of one subject."""

    now: datetime
    subject: SubjectView
    changes: tuple[Change, ...] = field(default=())


def view_check(standing: Standing, now: datetime) -> CheckView:
    """Return what a page says of one check at *now*."""
    run = standing.run  # read once: a run may come in while a page is rendered in its thread
    check = standing.check
    age = now - (standing.known_since if run is None else run.finished_at)
    if age > STALE_AFTER * check.settings.interval:
        state = State.STALE
    elif run is None:
        state = State.PENDING
    else:
        state = _OF_SEVERITY[run.outcome.severity]
    findings = () if run is None else run.outcome.findings
    return CheckView(
        identity=check.identity,
        kind=check.probe.kind,
        state=state,
        run=run,
        age=max(age, timedelta()),
        interval=check.settings.interval,
        changed_at=standing.changed_at,
        findings=tuple(sorted(findings, key=lambda finding: -finding.severity)),
        consecutive=standing.consecutive,
    )


def subjects(standings: Iterable[Standing], now: datetime) -> list[SubjectView]:
    """Return the subjects by tenant, kind and name, each with its checks."""
    by_subject: dict[tuple[str, str, str], list[CheckView]] = {}
    for standing in standings:
        check = standing.check
        key = (check.tenant, check.target.kind, check.subject)
        by_subject.setdefault(key, []).append(view_check(standing, now))
    return [
        SubjectView(*key, tuple(sorted(checks, key=lambda check: (check.state, check.kind))))
        for key, checks in sorted(by_subject.items())
    ]


def overview(standings: Iterable[Standing], now: datetime, query: Query) -> Overview:
    """Return the first page as *query* wants it."""
    everything = subjects(standings, now)
    states = {subject.path: subject.state for subject in everything}
    counts = dict.fromkeys(State, 0)
    for state in states.values():
        counts[state] += 1
    show = query.show or ("trouble" if len(everything) > MANY else "all")
    matching = [subject for subject in everything if _matches(subject, query, show)]
    pages = max(1, -(-len(matching) // PER_PAGE))
    page = min(query.page, pages)
    # Worst first within a tenant; tenants by their worst, so that trouble is on the first page.
    worst: dict[str, State] = {}
    for subject in matching:
        state = states[subject.path]
        worst[subject.tenant] = min(worst.get(subject.tenant, State.OK), state)
    matching.sort(key=lambda subject: (worst[subject.tenant], subject.tenant, states[subject.path]))
    shown = matching[(page - 1) * PER_PAGE : page * PER_PAGE]
    return Overview(
        now=now,
        query=query,
        show=show,
        counts=counts,
        tenants=tuple(
            (tenant, tuple(group))
            for tenant, group in groupby(shown, lambda subject: subject.tenant)
        ),
        tenant_names=tuple(sorted({subject.tenant for subject in everything})),
        matching=len(matching),
        total=len(everything),
        pages=pages,
        in_full=len(shown) <= IN_FULL,
    )


def _matches(subject: SubjectView, query: Query, show: str) -> bool:
    if query.tenant and subject.tenant != query.tenant:
        return False
    if query.text and query.text not in subject.name.lower():
        return False
    if show == "trouble":
        return subject.state is not State.OK
    return show in ("all", subject.state.key)


def brief(length: timedelta) -> str:
    """Write a length of time as people say it: ``12 s``, ``5 min``, ``3 h``, ``2 d``."""
    seconds = length.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86400:.0f} d"
