"""Which tenants' exports have changed since the last look?

A look asks the file system for times and sizes only; what changed is read again. Where that is
broken, what was read last stays, and it is said since when and why. A file system may also not
answer at all: how long it has been silent can be asked while a look goes on.
"""

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.adapters.clock import Clock
from agent.adapters.export_files import (
    ExportError,
    ExportReading,
    Files,
    Remark,
    Stamp,
    find_files,
    read_files,
    stamp_of,
)

# What is raised by a mistake of ours. One tenant's files must not cost the others theirs.
FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
_UNSETTLED = 3.0  # seconds in which a file may change again without its time changing
_SKEW = timedelta(hours=1)  # by which the clocks of two machines may differ unnoticed
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """How it stands with the export of a tenant.

    ``reading`` is what was last read whole, None before; ``trouble`` why the files cannot be read
    as they are now, empty where they can, and ``broken_since`` since when. ``gone`` are the files
    that were there before, where nothing has come in their place.
    """

    reading: ExportReading | None = None
    trouble: str = ""
    broken_since: datetime | None = None
    gone: tuple[str, ...] = ()


_NOTHING = Look(trouble="the files have not been read yet")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look found; ``known`` are the files at the places ``named`` of the last good one."""

    stamp: Stamp
    is_settled: bool
    look: Look
    named: tuple[str, ...] = ()
    known: frozenset[str] = frozenset()


class ExportWatch:
    """The exports of all tenants, by their names. Its methods block; call them in a thread."""

    def __init__(self, clock: Clock, base: Path | None = None) -> None:
        self._clock = clock
        self._base = base
        self._seen: dict[str, _Seen] = {}
        self._lock = threading.Lock()
        self._at: tuple[str, float] | None = None  # whose files are looked at, and since when

    def __getitem__(self, tenant: str) -> Look:
        """Return how it stands with a tenant's export."""
        seen = self._seen.get(tenant)
        return _NOTHING if seen is None else seen.look

    @property
    def busy(self) -> tuple[str, float]:
        """Whose files are looked at, and for how many seconds; never blocks."""
        at = self._at
        return ("", 0.0) if at is None else (at[0], self._clock.monotonic() - at[1])

    def poll(self, tenants: Mapping[str, Iterable[str | Path]]) -> frozenset[str]:
        """Look at the files of all *tenants*; return those for which something is new.

        New is another reading, or that the files can no longer be read, or can again. Tenants that
        are not among them are forgotten.
        """
        self._at = "", self._clock.monotonic()
        with self._lock:
            for gone in self._seen.keys() - tenants.keys():
                del self._seen[gone]
            changed = set()
            for tenant, paths in tenants.items():
                self._at = tenant, self._clock.monotonic()
                if self._look(tenant, paths):
                    changed.add(tenant)
            self._at = None
            return frozenset(changed)

    def _look(self, tenant: str, paths: Iterable[str | Path]) -> bool:
        named = tuple(map(str, paths))
        files = find_files(named, self._base)
        stamp, written_ns = stamp_of(files)
        before = self._seen.get(tenant)
        if (
            before is not None
            and before.is_settled
            and (before.stamp, before.named)
            == (
                stamp,
                named,
            )
        ):
            return False
        now = self._clock.now()
        look, may_pass = self._read(tenant, files, before.look if before else Look(), now)
        # Two writes within one tick of the file system's clock look like one.
        is_settled = not may_pass and abs(now.timestamp() - written_ns / 1e9) > _UNSETTLED
        seen = _Seen(stamp, is_settled, look, named, frozenset(files.paths))
        self._seen[tenant] = seen = _with_gone(seen, before)
        return before is None or seen.look != before.look

    def _read(self, tenant: str, files: Files, last: Look, now: datetime) -> tuple[Look, bool]:
        """Read files; return how it stands with them, and whether that may pass by itself."""
        try:
            return Look(_bounded(read_files(files), now)), False
        except ExportError as error:
            trouble, may_pass = error.sentence, error.may_pass
        except FAULTS as error:
            _log.exception("the export of a tenant cannot be read", extra={"tenant": tenant})
            trouble, may_pass = fault(error), False
        since = last.broken_since if last.trouble else now
        return Look(last.reading, trouble, since, last.gone), may_pass


def fault(error: BaseException) -> str:
    """Say that it is the agent that is at fault, and neither the files nor the tenant."""
    return f"the agent fails at it, which is a fault of the agent's: {type(error).__name__}"


def _with_gone(seen: _Seen, before: _Seen | None) -> _Seen:
    """Note which files are there no more; where others have come, those are in their place."""
    if before is None or before.named != seen.named:
        return seen
    if seen.look.trouble:
        return replace(seen, known=before.known or seen.known)
    gone = before.known - seen.known
    if not gone or seen.known - before.known:
        return seen
    look = replace(seen.look, gone=tuple(sorted(gone)))
    return replace(seen, look=look, known=before.known)


def _bounded(reading: ExportReading, now: datetime) -> ExportReading:
    """Return a reading that was not made in the future: it would never be old, or never end."""
    at = reading.export.exported_at
    if at is None or at - now <= _SKEW:
        return reading
    what = f"it is dated {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, which is still to come"
    right = "see that the clock of the machine that exports is right"
    remark = Remark("", "", what, right)
    export = replace(reading.export, exported_at=now)
    return replace(reading, export=export, remarks=(*reading.remarks, remark))
