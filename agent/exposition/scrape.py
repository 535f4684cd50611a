"""What is sent to a scraper?

The series about the world and the agent's own, joined once a second at most for each format however
many scrapers ask, and compressed in a thread, because compressing a megabyte would hold up every
check.
"""

import asyncio
from dataclasses import dataclass, field

from agent.adapters.clock import Clock
from agent.exposition import piece
from agent.exposition.metrics import Metrics
from agent.exposition.own_metrics import OwnMetrics
from agent.exposition.piece import Piece
from agent.exposition.text_format import Format

KEPT_FOR = 1.0  # seconds
WORTH_COMPRESSING = 16 * 1024  # octets


@dataclass(slots=True)
class _Kept:
    """The last rendering in one format. ``lock`` makes those who ask together wait for one."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    until: float = float("-inf")
    pieces: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class Body:
    """What goes out: pieces to be sent in turn, and whether they are compressed."""

    pieces: tuple[bytes | Piece, ...]
    is_gzip: bool


class Scrape:
    """The whole exposition, kept for a second."""

    def __init__(self, metrics: Metrics, own: OwnMetrics, clock: Clock) -> None:
        self._metrics = metrics
        self._own = own
        self._clock = clock
        self._kept = {into: _Kept() for into in Format}

    async def body(self, into: Format, *, gzip: bool) -> Body:
        """Return the exposition in a format, compressed if the scraper can and it pays."""
        kept = self._kept[into]
        async with kept.lock:
            if self._clock.monotonic() >= kept.until:
                await self._render(into, kept)
            if not gzip or sum(map(len, kept.pieces)) < WORTH_COMPRESSING:
                return Body(kept.pieces, is_gzip=False)
            return Body(await asyncio.to_thread(piece.gzip, kept.pieces), is_gzip=True)

    async def _render(self, into: Format, kept: _Kept) -> None:
        pieces = [each async for each in self._metrics.render(into)]
        kept.pieces = (*pieces, Piece(self._own.render(into)))
        kept.until = self._clock.monotonic() + KEPT_FOR
