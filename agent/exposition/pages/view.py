"""What does a page say, before it is markup?

Plain values made from the board: which state each check is in, worst first, grouped by subject and
tenant, filtered as the query says. No data yet is not "fine", and an old result is not a result.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from urllib.parse import quote, urlencode

from agent.domain.finding import Finding, by_rule
from agent.exposition.pages.state import State, state_of
from agent.probes.base import DEPENDENCY_DOWN
from agent.runtime.board import Change, Run, Standing

PER_PAGE = 100  # subjects
MANY = 60  # subjects, above which only those with trouble are listed unless asked for
IN_FULL = 24  # subjects, up to which the overview draws the facts too
DRIFT = "drift"  # the kind of check that sees what changed
_CODE = re.compile(r"`([^`]+)`")

Key = tuple[str, str, str]  # tenant, kind and name of a subject


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
    def alike(self) -> list[tuple[Finding, tuple[Finding, ...]]]:
        """The first finding of each rule with the others of the same rule, the worst first."""
        return [(found[0], found[1:]) for _, found in by_rule(self.findings)]

    @property
    def is_waiting(self) -> bool:
        """True where nothing could be looked at, for a reason that is told elsewhere."""
        return bool(self.findings) and all(each.rule is DEPENDENCY_DOWN for each in self.findings)

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
    # Read once: a run may come in while a page is rendered in its thread.
    run, check = standing.run, standing.check
    age = now - (standing.known_since if run is None else run.finished_at)
    findings = () if run is None else run.outcome.findings
    return CheckView(
        identity=check.identity,
        kind=check.probe.kind,
        state=state_of(standing, now),
        run=run,
        age=max(age, timedelta()),
        interval=check.settings.interval,
        changed_at=standing.changed_at,
        findings=tuple(sorted(findings, key=lambda finding: -finding.severity)),
        consecutive=standing.consecutive,
    )


def key_of(standing: Standing) -> Key:
    """Return which subject a standing is about."""
    check = standing.check
    return check.tenant, check.target.kind, check.subject


def _view_subject(key: Key, standings: Iterable[Standing], now: datetime) -> SubjectView:
    checks = [view_check(standing, now) for standing in standings]
    checks.sort(key=lambda check: (check.state, check.is_waiting, check.kind))
    return SubjectView(*key, tuple(_with_cause(checks)))


def _with_cause(checks: list[CheckView]) -> Iterator[CheckView]:
    """Yield the checks with what changed right behind the worst of what may have come of it."""
    is_due = checks[0].state is State.CRITICAL
    changed = [each for each in checks[1:] if is_due and each.kind == DRIFT and _tells(each)]
    yield checks[0]
    yield from changed
    yield from (each for each in checks[1:] if each not in changed)


def _tells(check: CheckView) -> bool:
    """Tell whether a check says anything that is to be believed."""
    return bool(check.findings) and not check.is_old and not check.is_waiting


def _by_subject(standings: Iterable[Standing]) -> dict[Key, list[Standing]]:
    grouped: dict[Key, list[Standing]] = {}
    for standing in standings:
        grouped.setdefault(key_of(standing), []).append(standing)
    return grouped


def subjects(standings: Iterable[Standing], now: datetime) -> list[SubjectView]:
    """Return the subjects by tenant, kind and name, each with its checks."""
    return [_view_subject(key, its, now) for key, its in sorted(_by_subject(standings).items())]


def overview(standings: Iterable[Standing], now: datetime, query: Query) -> Overview:
    """Return the first page as *query* wants it; only what it shows is looked at closely."""
    grouped = _by_subject(standings)
    states = {key: min(state_of(standing, now) for standing in its) for key, its in grouped.items()}
    tally = Counter(states.values())
    show = query.show or ("trouble" if len(states) > MANY else "all")
    matching = _ordered({key: s for key, s in states.items() if _matches(key, s, query, show)})
    pages = max(1, -(-len(matching) // PER_PAGE))
    page = min(query.page, pages)
    shown = matching[(page - 1) * PER_PAGE : page * PER_PAGE]
    return Overview(
        now=now,
        query=query,
        show=show,
        counts={state: tally[state] for state in State},
        tenants=tuple(
            (tenant, tuple(_view_subject(key, grouped[key], now) for key in keys))
            for tenant, keys in groupby(shown, lambda key: key[0])
        ),
        tenant_names=tuple(sorted({key[0] for key in states})),
        matching=len(matching),
        total=len(states),
        pages=pages,
        in_full=len(shown) <= IN_FULL,
    )


def _ordered(states: Mapping[Key, State]) -> list[Key]:
    """Sort subjects: tenants by their worst, so that trouble comes first, and so within each."""
    worst: dict[str, State] = {}
    for (tenant, _, _), state in states.items():
        worst[tenant] = min(worst.get(tenant, State.OK), state)
    return sorted(states, key=lambda key: (worst[key[0]], key[0], states[key], key))


def _matches(key: Key, state: State, query: Query, show: str) -> bool:
    tenant, _, name = key
    if query.tenant and tenant != query.tenant:
        return False
    if query.text and query.text not in name.lower():
        return False
    if show == "trouble":
        return state is not State.OK
    return show in ("all", state.key)


def pieces(text: str) -> list[tuple[str, bool]]:
    """Take *text* apart where backticks quote code: each piece, and whether it is code.

    A backtick without a partner stays as it is.
    """
    return [(piece, n % 2 == 1) for n, piece in enumerate(_CODE.split(text)) if piece]


def brief(length: timedelta) -> str:
    """Write a length of time as people say it: ``12 s``, ``5 min``, ``3 h``, ``2 d``."""
    seconds = length.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86400:.0f} d"
