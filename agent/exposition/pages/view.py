"""What does a page say of checks and subjects, before it is markup?

Plain values made from the board: which state each check is in, worst first, since when, and whose
it is to mend it. No data yet is not "fine", and an old result is not a result.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from agent.domain.finding import Finding, by_rule
from agent.domain.priority import prioritise
from agent.domain.streak import Streaks
from agent.domain.timeline import Mark
from agent.exposition.pages.holder import Holder, Typing, holder_of
from agent.exposition.pages.index import Key, key_of
from agent.exposition.pages.state import IDLE, Sign, State, state_of
from agent.probes.base import DEPENDENCY_DOWN
from agent.runtime.board import Run, Standing

__all__ = ["Key", "key_of"]

DRIFT = "drift"  # the kind of check that sees what changed
_DASHBOARDS = ("domain", "connector", "route", "tenant", "agent")
_CODE = re.compile(r"`([^`]+)`")

Since = Callable[[str, Mark], datetime | None]  # of a check, by its identity, over restarts


@dataclass(frozen=True, slots=True)
class Situation:
    """What the pages say about the agent itself.

    ``reload_errors`` are the lines of the last load that was rejected; empty when it was accepted.
    ``grafana_url`` is where the dashboards are, without a slash at its end; empty: nowhere.
    ``typing`` is what commands have to be told, and not for everybody to see.
    """

    vantage: str
    version: str
    started_at: datetime
    reload_errors: tuple[str, ...] = ()
    reload_failed_at: datetime | None = None
    grafana_url: str = ""
    typing: Typing = field(default=Typing(), repr=False)


@dataclass(frozen=True, slots=True)
class CheckView:
    """One check as a page shows it; ``findings`` have the worst first.

    ``changed_at`` is when this process saw its severity change. ``since`` is when the first of its
    gravest findings was found, over restarts and over runs that could not tell; of a check that is
    well, since when it is. ``streaks`` say it of each rule; ``holder`` is who can mend it.
    """

    identity: str
    kind: str
    state: State
    run: Run | None
    age: timedelta
    interval: timedelta
    changed_at: datetime | None
    findings: tuple[Finding, ...]
    consecutive: Mapping[str, int]
    streaks: Streaks
    since: datetime | None = None
    holder: Holder | None = None

    @property
    def alike(self) -> list[tuple[Finding, tuple[Finding, ...]]]:
        """The first finding of each rule with the others of the same rule, the worst first."""
        return [(found[0], found[1:]) for _, found in by_rule(self.findings)]

    @property
    def idle(self) -> str:
        """Why there was nothing to look at; empty where there was, or where that is not known."""
        return self.run.outcome.idle if self.run is not None and self.state is State.OK else ""

    @property
    def badge(self) -> State | Sign:
        """What stands for its state: no tick where nothing was looked at."""
        return IDLE if self.idle else self.state

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
        return address_of((self.tenant, self.kind, self.name))

    @property
    def since(self) -> datetime | None:
        """Since when that is so which the headline says, as far as it is known."""
        worst, finding = self.checks[0], self.finding
        if worst.is_old:
            return None
        streak = None if finding is None else worst.streaks.get(finding.rule.code)
        return worst.since if streak is None else streak.since

    @property
    def finding(self) -> Finding | None:
        """What is to be mended first; None where nothing is, or nothing is known."""
        worst = self.checks[0]
        return None if worst.is_old or not worst.findings else worst.findings[0]

    @property
    def findings(self) -> int:
        """How much there is to be mended or looked at."""
        return sum(len(check.findings) for check in self.checks if not check.is_old)

    @property
    def idle(self) -> int:
        """How many checks had nothing to look at."""
        return sum(bool(check.idle) for check in self.checks)

    @property
    def fix(self) -> str:
        """What to type to mend what is worst, where a line does."""
        worst = self.checks[0]
        grave = (x for x in worst.findings if x.fix and x.severity is worst.findings[0].severity)
        return "" if worst.is_old else next((each.fix for each in grave), "")

    @property
    def headline(self) -> str:
        """What to say of it in one line."""
        worst = self.checks[0]
        if worst.findings and not worst.is_old:
            return worst.findings[0].rule.summary
        return {State.STALE: "has not been checked in time", State.PENDING: "not checked yet"}.get(
            worst.state, ""
        )


def address_of(key: Key) -> str:
    """Return the address of a subject's page."""
    return "/subjects/" + "/".join(quote(each, safe="") for each in key)


def dashboard_of(key: Key, grafana_url: str) -> str:
    """Return the address of a subject's dashboard, empty where there are none."""
    tenant, kind, name = key
    if not grafana_url:
        return ""
    if kind not in _DASHBOARDS:
        return f"{grafana_url}/d/mailflow-overview"
    return f"{grafana_url}/d/mailflow-{kind}?" + urlencode(
        {"var-tenant": tenant, "var-subject": name}
    )


def view_check(standing: Standing, now: datetime, since: Since | None = None) -> CheckView:
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
        streaks=standing.streaks,
        since=since_of(standing, since),
        holder=None if run is None else holder_of(check.probe.kind, run.outcome),
    )


def since_of(standing: Standing, since: Since | None = None) -> datetime | None:
    """Return since when a check is as it is: since it was found first what is gravest.

    *since* knows it of a check in which nothing is found. None before the first run.
    """
    run, streaks = standing.run, standing.streaks
    if run is None:
        return None
    gravest = (
        each.rule.code for each in run.outcome.findings if each.severity is run.outcome.severity
    )
    starts = [streaks[code].since for code in gravest if code in streaks]
    if starts:
        return min(starts)
    told = (
        None if since is None else since(standing.check.identity, Mark(int(run.outcome.severity)))
    )
    return told or standing.changed_at


def view_subject(
    key: Key, standings: Iterable[Standing], now: datetime, since: Since | None = None
) -> SubjectView:
    """Return one subject with its checks, the most urgent first, and behind it what changed."""
    checks = [view_check(standing, now, since) for standing in standings]
    ranks = _ranks(checks)
    checks = [_ordered(check, ranks) if len(check.findings) > 1 else check for check in checks]
    checks.sort(key=lambda check: (check.state, check.is_waiting, _rank(check, ranks), check.kind))
    return SubjectView(*key, tuple(_with_cause(checks)))


def _ranks(checks: Iterable[CheckView]) -> Mapping[str, int]:
    """Return in which place each rule is to be mended, by its code: a cause before what follows.

    It is the order of ``mailflow-agent check``, and of what inhibits what in Alertmanager.
    """
    telling = [check for check in checks if _tells(check)]
    if sum(len(check.findings) for check in telling) < 2:  # noqa: PLR2004 - nothing to order
        return {}
    items = prioritise({check.kind: check.findings for check in telling})
    followers = [each for item in items for each in item.explains]
    return {item.rule.code: place for place, item in enumerate((*items, *followers))}


def _ordered(check: CheckView, ranks: Mapping[str, int]) -> CheckView:
    last = len(ranks)
    found = sorted(check.findings, key=lambda each: ranks.get(each.rule.code, last))
    return replace(check, findings=tuple(found))


def _rank(check: CheckView, ranks: Mapping[str, int]) -> int:
    return min((ranks.get(each.rule.code, 0) for each in check.findings), default=0)


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
    return [view_subject(key, its, now) for key, its in sorted(_by_subject(standings).items())]


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
