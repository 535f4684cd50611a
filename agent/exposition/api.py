"""What does the API answer?

The same as the pages, for programs. Lists come in pages, and everything is drawn in a thread, few
at a time and in portions, so that ten thousand subjects hold up no check.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import urlencode

from agent.adapters.clock import Clock
from agent.domain.entry import Entry
from agent.domain.finding import Rule
from agent.exposition import api_shapes as shapes
from agent.exposition import api_views as views
from agent.exposition import openapi
from agent.exposition.answers import Content
from agent.exposition.api_operations import PER_PAGE, Operation
from agent.exposition.http.tags import tag_of
from agent.exposition.pages.index import Indexer, chosen
from agent.exposition.pages.state import State, state_of
from agent.exposition.pages.view import Situation
from agent.probes.base import Check, Probe
from agent.runtime.board import Board, Standing
from agent.settings import RouteSubject

Given = Sequence[tuple[str, str]]
_DRAWN_AT_ONCE = 1  # more would only take the processor from each other, and from the loop
_PORTION = 500  # checks drawn between two turns of the loop
_MOST_LISTED = 1000
_CHANGES = 50  # of one subject
_BAD, _MISSING = 400, 404


@dataclass(frozen=True, slots=True)
class Sources:
    """What the API tells of, besides the board.

    ``dependencies`` says what is up, ``overdue`` which tasks show no sign of life, and ``messages``
    gives the last messages of a route, the oldest first.
    """

    situation: Callable[[], Situation]
    dependencies: Callable[[], Mapping[str, bool]] = dict
    overdue: Callable[[], tuple[str, ...]] = tuple
    messages: Callable[[Check[Any, Any]], Iterable[Entry]] = lambda _: ()


class _Asked(NamedTuple):
    """What is drawn from: the board as it was, what stands in the path, and the parameters."""

    standings: tuple[Standing, ...]
    path: Mapping[str, str]
    query: dict[str, str]


class Api:
    """All that programs can read."""

    def __init__(
        self, board: Board, probes: Iterable[Probe[Any, Any]], clock: Clock, sources: Sources
    ) -> None:
        self._board, self._clock, self._sources = board, clock, sources
        self._rules: dict[str, tuple[Rule, list[str]]] = {}
        for probe in probes:
            for rule in probe.all_rules:
                self._rules.setdefault(rule.code, (rule, []))[1].append(probe.kind)
        self._indexer = Indexer()
        self._drawing = asyncio.Semaphore(_DRAWN_AT_ONCE)

    async def answer(self, operation: Operation, path: Mapping[str, str], given: Given) -> Content:
        """Answer one question, or say what is wrong with it."""
        mistakes = operation.mistakes(given)
        if mistakes:
            return problem(_BAD, "Bad request", "See errors for each parameter.", mistakes)
        if operation.name == "openapi":
            body = openapi.render().encode()
            return Content(openapi.JSON, (body,), tag=tag_of(body))
        asked = _Asked(self._board.runs(), path, dict(given))
        async with self._drawing:
            if operation.name == "status":
                return await self._status(asked.standings)
            draw: Callable[[_Asked], object] = getattr(self, f"_draw_{operation.name}")
            drawn: bytes | None = await asyncio.to_thread(_draw, draw, asked)
        if drawn is None:
            return problem(_MISSING, "Not found", "A reload may have removed it.")
        return Content(openapi.JSON, (drawn,), tag=tag_of(drawn))

    async def _status(self, standings: tuple[Standing, ...]) -> Content:
        """Draw every check, in portions: the encoder lets no other thread run before it is done."""
        now = self._clock.now()
        head = json.dumps({"generated_at": now.isoformat(), **self._about()}).removesuffix("}")
        pieces: list[bytes] = [f'{head}, "checks": ['.encode()]
        for start in range(0, len(standings), _PORTION):
            portion = standings[start : start + _PORTION]
            drawn = await asyncio.to_thread(_joined, portion, now)
            pieces += [b", " if start else b"", drawn.encode()]
        pieces.append(b"]}\n")
        # Weak, because the time of the answer is in its head.
        return Content(openapi.JSON, tuple(pieces), tag=tag_of(*pieces[1:], weak=True))

    def _about(self) -> dict[str, object]:
        situation = self._sources.situation()
        return {
            "version": situation.version,
            "vantage": situation.vantage,
            "started_at": situation.started_at.isoformat(),
            "config_errors": list(situation.reload_errors),
        }

    def _draw_agent(self, asked: _Asked) -> shapes.Agent:
        situation = self._sources.situation()
        failed_at = situation.reload_failed_at
        states = self._indexer.index(asked.standings, self._clock.now()).tally
        return {
            "version": situation.version,
            "vantage": situation.vantage,
            "started_at": situation.started_at.isoformat(),
            "config_errors": list(situation.reload_errors),
            "config_failed_at": None if failed_at is None else failed_at.isoformat(),
            "dependencies": [
                {"name": name, "up": up}
                for name, up in sorted(self._sources.dependencies().items())
            ],
            "overdue_tasks": list(self._sources.overdue()),
            "subjects": {
                "critical": states.get(State.CRITICAL, 0),
                "unknown": states.get(State.UNKNOWN, 0),
                "stale": states.get(State.STALE, 0),
                "warning": states.get(State.WARNING, 0),
                "pending": states.get(State.PENDING, 0),
                "ok": states.get(State.OK, 0),
            },
        }

    def _draw_subjects(self, asked: _Asked) -> shapes.Subjects:
        shown, page = self._subjects(asked, "subjects", asked.query.get("kind"))
        return {**page, "subjects": shown}

    def _draw_routes(self, asked: _Asked) -> shapes.Routes:
        shown, page = self._subjects(asked, "routes", RouteSubject.kind)
        return {**page, "routes": shown}

    def _subjects(
        self, asked: _Asked, path: str, kind: str | None
    ) -> tuple[list[shapes.SubjectState], shapes.Page]:
        now, query = self._clock.now(), asked.query
        index = self._indexer.index(asked.standings, now)
        show, tenant = query.get("state", "all"), query.get("tenant", "")
        total = sum(kind in (None, key[1]) for key in index.entries)
        wanted = [
            entry
            for _, its in chosen(index, show, tenant, query.get("q", "").lower())
            for entry in its
            if kind in (None, entry.key[1])
        ]
        shown = [views.subject_state(e.key, e.standings, now) for e in wanted[_span(query)]]
        return shown, _page(len(wanted), total, path, query)

    def _draw_subject(self, asked: _Asked) -> shapes.Subject | None:
        key = (asked.path["tenant"], asked.path["kind"], asked.path["subject"])
        entry = self._indexer.entry(asked.standings, key)
        if entry is None:
            return None
        now, its = self._clock.now(), entry.standings
        changes = (each for each in self._board.changes() if views.key_of(each) == key)
        return {
            **views.subject_state(key, its, now),
            "details": [views.check(each, now) for each in its],
            "changes": [views.change(each) for each in islice(changes, _CHANGES)],
        }

    def _draw_checks(self, asked: _Asked) -> shapes.Checks:
        now, query = self._clock.now(), asked.query
        wanted = [
            each
            for each in asked.standings
            if _fits(each, query) and _stands(each, query.get("state", "all"), now)
        ]
        wanted.sort(key=lambda each: each.check.identity)
        return {
            **_page(len(wanted), len(asked.standings), "checks", query),
            "checks": [views.check(each, now) for each in wanted[_span(query)]],
        }

    def _draw_check(self, asked: _Asked) -> shapes.CheckWithRun | None:
        places = (asked.path[each] for each in ("tenant", "kind", "subject", "probe"))
        standing = self._board.standing("/".join(places))
        return None if standing is None else views.check_with_run(standing, self._clock.now())

    def _draw_changes(self, asked: _Asked) -> shapes.Changes:
        query = asked.query
        changes = (views.change(each) for each in self._board.changes())
        wanted = [
            each
            for each in changes
            if query.get("tenant", each["tenant"]) == each["tenant"]
            and query.get("q", "").lower() in each["subject"].lower()
        ]
        return {"changes": wanted[: int(query.get("limit", PER_PAGE))]}

    def _draw_rules(self, asked: _Asked) -> shapes.Rules:
        found = Counter(code for each in asked.standings for code in tuple(each.consecutive))
        return {
            "rules": [
                views.rule(rule, probes, found[code])
                for code, (rule, probes) in sorted(self._rules.items())
            ]
        }

    def _draw_rule(self, asked: _Asked) -> shapes.RuleWithChecks | None:
        code = asked.path["rule"]
        if code not in self._rules:
            return None
        its = [each for each in asked.standings if code in each.consecutive]
        now = self._clock.now()
        return {
            **views.rule(*self._rules[code], found=len(its)),
            "checks": [views.check_state(each, now) for each in its[:_MOST_LISTED]],
        }

    def _draw_route(self, asked: _Asked) -> shapes.Route | None:
        key = (asked.path["tenant"], RouteSubject.kind, asked.path["route"])
        entry = self._indexer.entry(asked.standings, key)
        if entry is None:
            return None
        its = entry.standings
        messages = tuple(self._sources.messages(its[0].check))
        return {
            **views.subject_state(key, its, self._clock.now()),
            "messages": [views.message(each) for each in reversed(messages)],
        }


def problem(status: int, title: str, detail: str, errors: Sequence[shapes.Mistake] = ()) -> Content:
    """Return a problem as RFC 9457 has it."""
    said: shapes.Problem = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
    }
    if errors:
        said["errors"] = list(errors)
    return Content(openapi.PROBLEM, (json.dumps(said).encode() + b"\n",), status)


def _draw(draw: Callable[[_Asked], object], asked: _Asked) -> bytes | None:
    drawn = draw(asked)
    return None if drawn is None else json.dumps(drawn).encode() + b"\n"


def _joined(standings: Iterable[Standing], now: datetime) -> str:
    return ", ".join(json.dumps(views.check(each, now)) for each in standings)


def _fits(standing: Standing, query: Mapping[str, str]) -> bool:
    """Tell whether a check is asked for, whatever its state."""
    check = standing.check
    return (
        query.get("tenant", check.tenant) == check.tenant
        and query.get("kind", check.target.kind) == check.target.kind
        and query.get("probe", check.probe.kind) == check.probe.kind
        and ("rule" not in query or query["rule"] in standing.consecutive)
        and ("q" not in query or query["q"].lower() in check.subject.lower())
    )


def _stands(standing: Standing, wanted: str, now: datetime) -> bool:
    """Tell whether the state of a check is the one that is asked for."""
    if wanted == "all":
        return True
    state = state_of(standing, now)
    return state is not State.OK if wanted == "trouble" else wanted == state.key


def _span(query: Mapping[str, str]) -> slice:
    size, page = int(query.get("per_page", PER_PAGE)), int(query.get("page", 1))
    return slice((page - 1) * size, page * size)


def _page(matching: int, total: int, path: str, query: Mapping[str, str]) -> shapes.Page:
    size, page = int(query.get("per_page", PER_PAGE)), int(query.get("page", 1))
    pages = max(1, -(-matching // size))
    following = urlencode({**query, "page": page + 1})
    return {
        "matching": matching,
        "total": total,
        "page": page,
        "pages": pages,
        "next": f"/api/v1/{path}?{following}" if page < pages else None,
    }
