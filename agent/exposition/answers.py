"""What does the agent answer to which address?

Everything but HTTP itself: the pages, the status as JSON, the exposition. What takes long is drawn
in a thread, few at a time, so that no reader holds up a check.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from agent.adapters.chronicle import Chronicle
from agent.adapters.clock import Clock
from agent.domain.peer_text import PeerText
from agent.exposition.pages import public, render, rulebook
from agent.exposition.pages.drawing import Drawing
from agent.exposition.pages.first import Query
from agent.exposition.pages.holder import Typing
from agent.exposition.pages.view import Situation
from agent.exposition.piece import Piece
from agent.exposition.runbooks import Shelf
from agent.exposition.scrape import Scrape
from agent.exposition.text_format import negotiate
from agent.probes.base import Probe
from agent.runtime.board import Board, Standing

T = TypeVar("T")
HTML = "text/html; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"
_DRAWN_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Content:
    """What goes out: pieces to be sent in turn, and what they are.

    ``tag`` stands for what it says, so that who has got it already need not get it again.
    """

    type: str
    pieces: tuple[bytes | Piece, ...]
    status: int = 200
    encoding: str = ""
    tag: str = ""

    @property
    def length(self) -> int:
        """The length in octets."""
        return sum(map(len, self.pieces))


class Answers:
    """All that can be read from the agent."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that is shown comes from somewhere
        self,
        board: Board,
        scrape: Scrape,
        probes: Iterable[Probe[Any, Any]],
        clock: Clock,
        situation: Callable[[], Situation],
        chronicle: Chronicle | None = None,
    ) -> None:
        self._board = board
        self._scrape = scrape
        self._clock = clock
        self._situation = situation
        self._pages = Drawing(board, clock, situation, chronicle)
        self._shelf = Shelf(probes)
        self._drawing = asyncio.Semaphore(_DRAWN_AT_ONCE)

    async def metrics(self, accept: str, *, gzip: bool) -> Content:
        """Return the exposition in the format that the scraper prefers."""
        into = negotiate(accept)
        body = await self._scrape.body(into, gzip=gzip)
        return Content(into.value, body.pieces, encoding="gzip" if body.is_gzip else "")

    async def overview(self, given: Mapping[str, str]) -> Content:
        """Return the first page, filtered as the parameters of the address say."""
        return await self._page(self._pages.overview, Query.read(given))

    async def subject(self, tenant: str, kind: str, name: str) -> Content:
        """Return the page of one subject."""
        key = (tenant, kind, name)
        return await self._page(self._pages.subject, key, await self._pages.record(key))

    async def names(self, given: Mapping[str, str]) -> Content:
        """Return the first page for those who may see names and states only."""
        return await self._page(self._draw_names, Query.read(given))

    async def rule(self, name: str, *, found: bool = True) -> Content:
        """Return the runbook of a rule or of an alert; with *found*, with those it concerns now."""
        if self._shelf.find(name) is None:
            near = self._shelf.near(name)
            return Content(HTML, (render.no_rule(PeerText(name), near, self._quiet()),), 404)
        return await self._page(self._draw_rule, name, found)

    def refusal(self, status: int, title: str, text: str, *, html: bool) -> Content:
        """Return an answer that says no, for a person or for a program."""
        if not html:
            return Content(PLAIN, (f"{title}: {text}\n".encode(),), status)
        return Content(HTML, (render.message(title, text, self._quiet()),), status)

    def _quiet(self) -> Situation:
        """Return the situation without what the configuration says, for those who may not see."""
        return replace(self._situation(), reload_errors=(), reload_failed_at=None, typing=Typing())

    async def _page(self, draw: Callable[..., bytes | None], *given: object) -> Content:
        async with self._drawing:
            body = await asyncio.to_thread(draw, self._board.runs(), *given)
        if body is None:
            text = "There is no such thing here. A reload may have removed it."
            return self.refusal(404, "Not found", text, html=True)
        return Content(HTML, (body,))

    def _draw_names(self, standings: tuple[Standing, ...], query: Query) -> bytes:
        return public.names(self._pages.page(standings, query))

    def _draw_rule(
        self,
        standings: tuple[Standing, ...],
        name: str,
        with_found: bool,  # noqa: FBT001 - passed on by position
    ) -> bytes | None:
        book = self._shelf.find(name)
        if book is None:
            return None
        page = rulebook.page(book, standings, self._clock.now(), is_told=with_found)
        return render.rule(page, self._situation() if with_found else self._quiet())
