"""What does the agent answer to which address?

Everything but HTTP itself: the pages, the status as JSON, the exposition. What takes long is drawn
in a thread, few at a time, so that no reader holds up a check.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from agent.adapters.clock import Clock
from agent.domain.finding import Rule
from agent.exposition import as_json
from agent.exposition.pages import render, view
from agent.exposition.pages.view import Query, Situation, SubjectPage
from agent.exposition.piece import Piece
from agent.exposition.scrape import Scrape
from agent.exposition.text_format import negotiate
from agent.probes.base import Probe
from agent.runtime.board import Board, Standing

T = TypeVar("T")
HTML = "text/html; charset=utf-8"
JSON = "application/json"
PLAIN = "text/plain; charset=utf-8"
_DRAWN_AT_ONCE = 2
_MANY_FOUND = 500


@dataclass(frozen=True, slots=True)
class Content:
    """What goes out: pieces to be sent in turn, and what they are."""

    type: str
    pieces: tuple[bytes | Piece, ...]
    status: int = 200
    encoding: str = ""

    @property
    def length(self) -> int:
        """The length in octets."""
        return sum(map(len, self.pieces))


class Answers:
    """All that can be read from the agent."""

    def __init__(
        self,
        board: Board,
        scrape: Scrape,
        probes: Iterable[Probe[Any, Any]],
        clock: Clock,
        situation: Callable[[], Situation],
    ) -> None:
        self._board = board
        self._scrape = scrape
        self._clock = clock
        self._situation = situation
        self._rules: dict[str, tuple[Rule, list[str]]] = {}
        for probe in probes:
            for rule in probe.all_rules:
                self._rules.setdefault(rule.code, (rule, []))[1].append(probe.kind)
        self._drawing = asyncio.Semaphore(_DRAWN_AT_ONCE)

    async def metrics(self, accept: str, *, gzip: bool) -> Content:
        """Return the exposition in the format that the scraper prefers."""
        into = negotiate(accept)
        body = await self._scrape.body(into, gzip=gzip)
        return Content(into.value, body.pieces, encoding="gzip" if body.is_gzip else "")

    async def overview(self, given: Mapping[str, str]) -> Content:
        """Return the first page, filtered as the parameters of the address say."""
        return await self._page(self._draw_overview, Query.read(given))

    async def subject(self, tenant: str, kind: str, name: str) -> Content:
        """Return the page of one subject."""
        return await self._page(self._draw_subject, tenant, kind, name)

    async def rule(self, code: str) -> Content:
        """Return the page of one rule."""
        return await self._page(self._draw_rule, code)

    async def status(self) -> Content:
        """Return the state of every check as JSON."""
        async with self._drawing:
            body = await asyncio.to_thread(self._draw_status, self._board.runs())
        return Content(JSON, (body,))

    def refusal(self, status: int, title: str, text: str, *, html: bool) -> Content:
        """Return an answer that says no, for a person or for a program."""
        if not html:
            return Content(PLAIN, (f"{title}: {text}\n".encode(),), status)
        return Content(HTML, (render.message(title, text, self._situation()),), status)

    async def _page(self, draw: Callable[..., bytes | None], *given: object) -> Content:
        async with self._drawing:
            body = await asyncio.to_thread(draw, self._board.runs(), *given)
        if body is None:
            text = "There is no such thing here. A reload may have removed it."
            return self.refusal(404, "Not found", text, html=True)
        return Content(HTML, (body,))

    def _draw_overview(self, standings: tuple[Standing, ...], query: Query) -> bytes:
        page = view.overview(standings, self._clock.now(), query)
        return render.overview(page, self._situation())

    def _draw_subject(
        self, standings: tuple[Standing, ...], tenant: str, kind: str, name: str
    ) -> bytes | None:
        key = (tenant, kind, name)
        now = self._clock.now()
        its = [standing for standing in standings if view.key_of(standing) == key]
        if not its:
            return None
        changes = tuple(
            change
            for change in self._board.changes()
            if (change.check.tenant, change.check.target.kind, change.check.subject) == key
        )
        (subject,) = view.subjects(its, now)
        return render.subject(SubjectPage(now, subject, changes[:50]), self._situation())

    def _draw_rule(self, standings: tuple[Standing, ...], code: str) -> bytes | None:
        if code not in self._rules:
            return None
        rule, kinds = self._rules[code]
        now = self._clock.now()
        its = [standing for standing in standings if code in standing.consecutive]
        found = [
            (subject, check)
            for subject in view.subjects(its[:_MANY_FOUND], now)
            for check in subject.checks
        ]
        return render.rule(rule, kinds, found, self._situation(), now)

    def _draw_status(self, standings: tuple[Standing, ...]) -> bytes:
        now = self._clock.now()
        situation = self._situation()
        head = {
            "generated_at": now.isoformat(),
            "version": situation.version,
            "vantage": situation.vantage,
            "started_at": situation.started_at.isoformat(),
            "config_errors": list(situation.reload_errors),
        }
        # One by one, because the encoder lets no other thread run before it is done.
        checks = [
            json.dumps(_check(standing, view.view_check(standing, now))) for standing in standings
        ]
        start = json.dumps(head).removesuffix("}")
        return f'{start}, "checks": [{", ".join(checks)}]}}\n'.encode()


def _check(standing: Standing, seen: view.CheckView) -> dict[str, Any]:
    """Return one check as plain data; ``state`` is pending or stale where nothing is known."""
    tenant, kind, subject = view.key_of(standing)
    run = seen.run
    return {
        "check": seen.identity,
        "tenant": tenant,
        "kind": kind,
        "subject": subject,
        "probe": seen.kind,
        "state": seen.state.key,
        "severity": None if run is None else run.outcome.severity.word,
        "last_run": None if run is None else run.finished_at.isoformat(),
        "changed_at": None if seen.changed_at is None else seen.changed_at.isoformat(),
        "interval_seconds": seen.interval.total_seconds(),
        "findings": [
            as_json.finding_as_json(finding)
            | {"consecutive": seen.consecutive.get(finding.rule.code, 0)}
            for finding in seen.findings
        ],
    }
