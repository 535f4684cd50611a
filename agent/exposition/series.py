"""How are hundreds of thousands of series kept small, and a scrape of them cheap?

A series is its labels as they are written, which all metrics of one check share, and a value. Its
line is written when a scrape comes, some thousands at a time with a turn of the event loop between.
What was written is kept, compressed where scrapers want it so, until something in the family
changes.
"""

import asyncio
from collections.abc import AsyncIterator

from agent.domain.finding import Distribution
from agent.exposition import text_format
from agent.exposition.piece import Piece
from agent.exposition.text_format import Format, go_float

CHUNK = 2048  # lines written between two turns of the loop: about a millisecond


class Family:
    """All series of one metric.

    ``labels`` are the names of its labels in declared order; a series is known by their values as
    they are written, which :meth:`key` gives.
    """

    def __init__(
        self,
        name: str,
        explanation: str,
        labels: tuple[str, ...] = (),
        *,
        kind: str = "gauge",
        buckets: tuple[float, ...] = (),
    ) -> None:
        self.name = name
        self.kind = kind
        self.labels = labels
        self._buckets = buckets
        self._headings = {
            into: Piece(text_format.heading(name, kind, explanation, into)) for into in Format
        }
        self._series: dict[str, float | str] = {}  # a histogram as its lines
        self._version = self._written_version = 0
        self._written: tuple[Piece, ...] = ()

    def __len__(self) -> int:
        """Return the number of series; a histogram counts as one."""
        return len(self._series)

    def key(self, values: tuple[str, ...]) -> str:
        """Return what stands for a series; for equal labels and values it is equal in any family.

        Raises ValueError where the values do not fit the declared labels.
        """
        return text_format.labelled(dict(zip(self.labels, values, strict=True)))

    def set(self, values: tuple[str, ...], value: float | Distribution, key: str = "") -> None:
        """Give the series with the label *values* a value; *key* is theirs, if it is at hand.

        Raises ValueError where the label values do not fit the declared labels.
        """
        key = key or self.key(values)
        held: float | str
        if isinstance(value, Distribution):
            named = dict(zip(self.labels, values, strict=True))
            held = text_format.histogram(self.name, named, self._buckets, value)
        else:
            held = value
        if self._series.get(key) != held:
            self._series[key] = held
            self._version += 1

    def remove(self, key: str) -> None:
        """Drop a series, if it is there; the next scrape no longer has it."""
        if self._series.pop(key, None) is not None:
            self._version += 1

    async def render(self, into: Format) -> AsyncIterator[Piece]:
        """Yield the heading and the lines as they are now, in pieces."""
        yield self._headings[into]
        for piece in await self._write():
            yield piece

    async def _write(self) -> tuple[Piece, ...]:
        version = self._version
        if self._written_version == version:
            return self._written
        self._written = ()  # what is out of date is not kept while its successor grows
        series = list(self._series.items())
        written = []
        for start in range(0, len(series), CHUNK):
            written.append(Piece(self._lines(series[start : start + CHUNK])))
            await asyncio.sleep(0)
        # What changed in between counts for the next scrape, because it raised the version.
        self._written, self._written_version = tuple(written), version
        return self._written

    def _lines(self, series: list[tuple[str, float | str]]) -> bytes:
        name = self.name
        return "".join(
            [
                held if isinstance(held, str) else f"{name}{key}{go_float(held)}\n"
                for key, held in series
            ]
        ).encode()
