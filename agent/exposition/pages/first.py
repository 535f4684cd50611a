"""What does the first page say?

Three answers before anything else: does mail flow, can this page be trusted, what has changed. Then
the subjects with trouble, the most urgent tenant first, one page of them at a time.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from agent.adapters.chronicle import Turn
from agent.exposition.pages.index import Index, Tenant, chosen
from agent.exposition.pages.state import State, of_mark
from agent.exposition.pages.view import (
    Since,
    Situation,
    SubjectView,
    address_of,
    key_of,
    view_subject,
)
from agent.runtime.board import Standing

PER_PAGE = 100  # subjects
MANY = 60  # subjects, above which only those with trouble are listed unless asked for
IN_FULL = 24  # subjects, up to which the overview draws the facts too
MOST_TENANTS = 200  # that are listed with their counts
_MOST_LINES = 4
_MOST_NEWS = 4
_TOGETHER = timedelta(minutes=2)  # changes of one kind that are told as one


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
class Line:
    """A line of an answer, and where it leads."""

    text: str
    href: str
    state: State


@dataclass(frozen=True, slots=True)
class Answer:
    """A short answer to a question, with what it stands on."""

    state: State
    text: str
    lines: tuple[Line, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class News:
    """Checks that became something else at about the same time; the first is named."""

    at: datetime
    name: str
    kind: str
    href: str
    before: State
    after: State
    others: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """The first page."""

    now: datetime
    query: Query
    show: str
    counts: Mapping[State, int]
    tenants: tuple[tuple[Tenant, tuple[SubjectView, ...]], ...]
    every_tenant: tuple[Tenant, ...]
    flow: Answer
    trust: Answer
    news: tuple[News, ...]
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


def overview(
    index: Index, query: Query, situation: Situation, news: tuple[News, ...], since: Since | None
) -> Overview:
    """Return the first page as *query* wants it; only what it shows is looked at closely."""
    total = len(index.entries)
    show = query.show or ("trouble" if total > MANY else "all")
    its = list(chosen(index, show, query.tenant, query.text))
    matching = sum(len(entries) for _, entries in its)
    pages = max(1, -(-matching // PER_PAGE))
    first = (min(query.page, pages) - 1) * PER_PAGE
    shown, at = [], 0
    for tenant, entries in its:
        part = entries[max(0, first - at) : max(0, first + PER_PAGE - at)]
        at += len(entries)
        if part:
            seen = (view_subject(x.key, x.standings, index.now, since) for x in part)
            shown.append((tenant, tuple(seen)))
    return Overview(
        now=index.now,
        query=query,
        show=show,
        counts={state: index.tally.get(state, 0) for state in State},
        tenants=tuple(shown),
        every_tenant=index.tenants,
        flow=flow(index),
        trust=trust(index, situation),
        news=news,
        matching=matching,
        total=total,
        pages=pages,
        in_full=min(matching, PER_PAGE) <= IN_FULL,
    )


def flow(index: Index) -> Answer:
    """Say whether mail flows: whether the messages arrive that are sent on the routes."""
    counts = index.of_kind("route")
    total = sum(counts.values())
    if not total:
        return Answer(State.PENDING, "Not measured: no route is configured")
    worst = min(counts)
    what = "the route" if total == 1 else f"{counts[worst]} of {total} routes"
    text = {
        State.OK: "Yes, on the route" if total == 1 else f"Yes, on all {total} routes",
        State.WARNING: f"Yes, with remarks on {what}",
        State.CRITICAL: f"Not as it should on {what}",
        State.PENDING: f"Not known yet of {what}",
    }.get(worst, f"Cannot be told of {what}")
    wrong = (State.CRITICAL, State.UNKNOWN, State.STALE, State.WARNING)
    return Answer(worst, text, *_named(index, "route", wrong))


def trust(index: Index, situation: Situation) -> Answer:
    """Say whether the agent itself can be trusted, and where it is blind."""
    bad = (State.CRITICAL, State.UNKNOWN, State.STALE, State.WARNING)
    lines, more = _named(index, "agent", bad)
    found = list(lines)
    if situation.reload_errors:
        text = "The changed configuration was rejected; the one before is in force"
        found.insert(0, Line(text, "#reload", State.WARNING))
    own = index.of_kind("agent")
    for state, text in (
        (State.STALE, "not checked in time"),
        (State.UNKNOWN, "that it could not tell about"),
    ):
        count = index.tally.get(state, 0) - own.get(state, 0)
        if count:
            noun = "subject" if count == 1 else "subjects"
            found.append(Line(f"{count} {noun} {text}", f"/?show={state.key}", state))
    if not found:
        if index.tally.get(State.PENDING):
            return Answer(State.PENDING, "Not yet: not everything has been checked once")
        return Answer(State.OK, "Yes: the agent sees all that it has to")
    worst = min(line.state for line in found)
    text = "Not as it should be" if worst is State.CRITICAL else "Not of everything"
    if worst is State.WARNING:
        text = "Yes, with remarks"
    return Answer(worst, text, tuple(found), more)


def _named(index: Index, kind: str, states: Iterable[State]) -> tuple[tuple[Line, ...], int]:
    """Return lines about the subjects of a kind that are so, and how many more there are."""
    entries = [
        entry
        for state in states
        for tenant in index.tenants
        for entry in tenant.entries.get(state, ())
        if entry.key[1] == kind
    ]
    lines = []
    for entry in entries[:_MOST_LINES]:
        seen = view_subject(entry.key, entry.standings, index.now)
        lines.append(
            Line(f"{seen.name}: {seen.headline or seen.state.word}", seen.path, seen.state)
        )
    return tuple(lines), max(0, len(entries) - _MOST_LINES)


def news_of(turns: Iterable[Turn], find: Callable[[str], Standing | None]) -> tuple[News, ...]:
    """Tell what has changed lately, newest first; what changed together is told as one."""
    told: list[News] = []
    for turn in turns:
        standing = find(turn.identity)
        if standing is None:
            continue
        key, before, after = key_of(standing), of_mark(turn.before), of_mark(turn.after)
        last = told[-1] if told else None
        if (
            last is not None
            and (last.before, last.after) == (before, after)
            and last.at - turn.at <= _TOGETHER
        ):
            told[-1] = replace(last, others=last.others + 1)
            continue
        if len(told) == _MOST_NEWS:
            break
        kind = standing.check.probe.kind
        told.append(News(turn.at, key[2], kind, address_of(key), before, after))
    return tuple(told)
