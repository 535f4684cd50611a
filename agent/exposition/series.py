"""How are a hundred thousand series kept so that a scrape costs next to nothing?

Each series is kept as the line that the scrape will hold. Setting a value replaces a line; a scrape
joins lines, a few thousand at a time with a turn of the event loop between, and a family in which
nothing changed since the last scrape is not even joined.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable, Mapping

from agent.domain.finding import Distribution
from agent.exposition import text_format
from agent.exposition.text_format import Format

CHUNK = 4096  # lines joined between two turns of the loop: well below a millisecond


class Family:
    """All series of one metric.

    ``labels`` are the names of its labels in declared order; a series is known by the values of
    them, or by any other *key* that stands for these values.
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
            into: text_format.heading(name, kind, explanation, into) for into in Format
        }
        self._lines: dict[Hashable, bytes] = {}
        self._version = self._joined_version = 0
        self._joined: tuple[bytes, ...] = ()

    def __len__(self) -> int:
        """Return the number of series; a histogram counts as one."""
        return len(self._lines)

    def set(self, key: Hashable, values: tuple[str, ...], value: float | Distribution) -> None:
        """Give the series with the label *values* a value; *key* stands for the label values.

        Raises ValueError where the label values do not fit the declared labels.
        """
        before = self._lines.get(key)
        if isinstance(value, Distribution):
            labels = self._named(values)
            line = text_format.histogram(self.name, labels, self._buckets, value).encode()
        else:
            if before is None:
                prefix = text_format.labelled(self.name, self._named(values)).encode()
            else:
                prefix = before[: before.rindex(b" ") + 1]  # a value has no space in it
            line = b"%b%b\n" % (prefix, text_format.go_float(value).encode())
        if line != before:
            self._lines[key] = line
            self._version += 1

    def remove(self, key: Hashable) -> None:
        """Drop a series, if it is there; the next scrape no longer has it."""
        if self._lines.pop(key, None) is not None:
            self._version += 1

    def _named(self, values: tuple[str, ...]) -> Mapping[str, str]:
        return dict(zip(self.labels, values, strict=True))

    async def render(self, into: Format) -> AsyncIterator[bytes]:
        """Yield the heading and the lines as they are now, in pieces."""
        yield self._headings[into]
        for piece in await self._join():
            yield piece

    async def _join(self) -> tuple[bytes, ...]:
        version = self._version
        if self._joined_version == version:
            return self._joined
        lines = list(self._lines.values())
        joined = []
        for start in range(0, len(lines), CHUNK):
            joined.append(b"".join(lines[start : start + CHUNK]))
            await asyncio.sleep(0)
        # What changed in between counts for the next scrape, because it raised the version.
        self._joined, self._joined_version = tuple(joined), version
        return self._joined
