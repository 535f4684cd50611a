"""Which checks follow from what the tenants of the configuration have exported?

The files are looked at again and again, off the event loop. Where one has changed, its tenant is
taken in anew, with the checks of its objects, and nobody else is touched. A file that is broken
changes nothing but what is said of it.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from agent.adapters.clock import Clock
from agent.adapters.drift_book import DriftBook
from agent.adapters.export_watch import ExportWatch, Look
from agent.adapters.sightings import Sightings
from agent.adapters.store import Store
from agent.adapters.tenancies import Known, Tenancies
from agent.config import Config
from agent.config.imported import checks_of, tenancy_of
from agent.config.tenant_whole import subject_of
from agent.probes.base import Check, discover
from agent.settings import TenantSubject

_TIDY = 3600.0  # seconds
_GONE = timedelta(days=7)  # after which a host that nobody meets any more is forgotten
Checks = tuple[Check[Any, Any], ...]


@dataclass(frozen=True, slots=True)
class _Taken:
    """What was made of one tenant's export."""

    known: Known
    checks: Checks = ()


class Estates:
    """The tenants with an import, and the checks of what they have."""

    def __init__(self, clock: Clock, book: DriftBook) -> None:
        self.sightings = Sightings()
        self.tenancies = Tenancies(sightings=self.sightings, changes=book.recent)
        self._clock = clock
        self._book = book
        self._tidied = clock.monotonic()
        self._watch: ExportWatch | None = None
        self._file: Any = None
        self._taken: dict[str, _Taken] = {}
        self._reading = asyncio.Lock()

    @classmethod
    async def open(cls, store: Store, clock: Clock) -> Self:
        """Read what is remembered of tenants. Raises StoreError."""
        book = DriftBook(store)
        await book.start()
        return cls(clock, book)

    @property
    def checks(self) -> Checks:
        """The checks of all imported objects, tenant by tenant."""
        return tuple(check for taken in self._taken.values() for check in taken.checks)

    async def read(self, config: Config) -> bool:
        """Look at the files of *config*; return whether other checks may follow now."""
        async with self._reading:
            tenants = {tenant.name: tenant for tenant in config.file.tenants}
            subjects = {
                name: subject_of(tenant, config.file.credentials)
                for name, tenant in tenants.items()
            }
            subjects = {name: each for name, each in subjects.items() if each.imports}
            if self._watch is None:
                self._watch = ExportWatch(self._clock, config.folder.absolute())
            imports = {name: each.imports for name, each in subjects.items()}
            changed: Iterable[str] = await asyncio.to_thread(self._watch.poll, imports)
            is_other = config.file is not self._file
            if not changed and not is_other:
                self._tidy(subjects)
                return False
            wanted = list(subjects) if is_other else [name for name in subjects if name in changed]
            looks = {name: self._watch[name] for name in wanted}
            taken = await asyncio.to_thread(_take, config, tenants, subjects, looks)
            self._file = config.file
            self._settle(subjects, taken)
            return True

    def _settle(self, subjects: dict[str, TenantSubject], taken: dict[str, _Taken]) -> None:
        """Make known what was read."""
        now = self._clock.now()
        known = self._taken | taken
        self._taken = {name: known[name] for name in subjects}
        for name, each in taken.items():
            self.tenancies.tell(name, each.known)
            if each.known.tenancy is not None:
                self._book.note(name, each.known.tenancy.export, now)
        self.tenancies.keep(subjects)
        self._book.keep(subjects, now)

    def _tidy(self, subjects: dict[str, TenantSubject]) -> None:
        """Forget what is old, now and then."""
        if self._clock.monotonic() - self._tidied > _TIDY:
            self._tidied = self._clock.monotonic()
            now = self._clock.now()
            self._book.keep(subjects, now)
            self.sightings.forget(now - _GONE)


def _take(
    config: Config,
    tenants: dict[str, Any],
    subjects: dict[str, TenantSubject],
    looks: dict[str, Look],
) -> dict[str, _Taken]:
    """Make tenancies and checks of what was read; in a thread, since they may be thousands."""
    return {
        name: _of_tenant(config, tenants[name], subjects[name], look)
        for name, look in looks.items()
    }


def _of_tenant(config: Config, tenant: Any, subject: TenantSubject, look: Look) -> _Taken:
    if look.reading is None:
        return _Taken(Known(trouble=look.trouble, broken_since=look.broken_since))
    export = look.reading.export
    checks, skipped = checks_of(config.file, tenant, export, discover())
    known = Known(
        tenancy=tenancy_of(subject, export),
        trouble=look.trouble,
        broken_since=look.broken_since,
        remarks=tuple(map(str, look.reading.remarks)),
        unchecked=tuple((each.name, each.why) for each in skipped),
    )
    return _Taken(known, checks)
