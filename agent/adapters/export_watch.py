"""Which tenants' exports have changed since the last look?

A look asks the file system for times and sizes only; what changed is read again. Where that is
broken, what was read last stays, and it is said since when and why.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.adapters.clock import Clock
from agent.adapters.export_files import (
    ExportError,
    ExportReading,
    Stamp,
    find_files,
    read_files,
    stamp_of,
)

_UNSETTLED = 3.0  # seconds in which a file may change again without its time changing


@dataclass(frozen=True, slots=True)
class Look:
    """How it stands with the export of a tenant.

    ``reading`` is what was last read whole, None before; ``trouble`` why the files cannot be read
    as they are now, empty where they can, and ``broken_since`` since when.
    """

    reading: ExportReading | None = None
    trouble: str = ""
    broken_since: datetime | None = None


_NOTHING = Look(trouble="the files have not been read yet")


@dataclass(frozen=True, slots=True)
class _Seen:
    stamp: Stamp
    is_settled: bool
    look: Look


class ExportWatch:
    """The exports of all tenants, by their names. Its methods block; call them in a thread."""

    def __init__(self, clock: Clock, base: Path | None = None) -> None:
        self._clock = clock
        self._base = base
        self._seen: dict[str, _Seen] = {}
        self._lock = threading.Lock()

    def __getitem__(self, tenant: str) -> Look:
        """Return how it stands with a tenant's export."""
        seen = self._seen.get(tenant)
        return _NOTHING if seen is None else seen.look

    def poll(self, tenants: Mapping[str, Iterable[str | Path]]) -> frozenset[str]:
        """Look at the files of all *tenants*; return those for which something is new.

        New is another reading, or that the files can no longer be read, or can again. Tenants that
        are not among them are forgotten.
        """
        with self._lock:
            for gone in self._seen.keys() - tenants.keys():
                del self._seen[gone]
            return frozenset(
                tenant for tenant, paths in tenants.items() if self._look(tenant, paths)
            )

    def _look(self, tenant: str, paths: Iterable[str | Path]) -> bool:
        files = find_files(paths, self._base)
        stamp, written_ns = stamp_of(files)
        before = self._seen.get(tenant)
        if before is not None and before.is_settled and before.stamp == stamp:
            return False
        now = self._clock.now()
        last = before.look if before is not None else Look()
        try:
            look = Look(read_files(files))
        except ExportError as error:
            since = last.broken_since if last.trouble else now
            look = Look(last.reading, error.sentence, since)
        # Two writes within one tick of the file system's clock look like one.
        is_settled = abs(now.timestamp() - written_ns / 1e9) > _UNSETTLED
        self._seen[tenant] = _Seen(stamp, is_settled, look)
        return before is None or look != before.look
