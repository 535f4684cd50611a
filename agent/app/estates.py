"""Which checks follow from what the tenants of the configuration have exported?

The files are looked at again and again, off the event loop. Where one has changed, its tenant is
taken in anew, with the checks of its objects, and nobody else is touched. A file that is broken
changes nothing but what is said of it, and neither does a file system that does not answer.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from agent.adapters.clock import Clock
from agent.adapters.drift_book import KEEP_FOR, DriftBook
from agent.adapters.export_watch import FAULTS, ExportWatch, Look, fault
from agent.adapters.sightings import Sightings
from agent.adapters.store import Store
from agent.adapters.tenancies import Known, Tenancies
from agent.app.belief import Belief, Beliefs, is_not_as_said
from agent.config import Config
from agent.config.imported import checks_of
from agent.config.tenant_whole import subject_of
from agent.domain.tenancy.landscape import Tenancy
from agent.probes.base import Check, discover
from agent.settings import TenantSubject
from agent.settings.tenancy import tenancy_of

_TIDY = 3600.0  # seconds
_GONE = timedelta(days=7)  # after which a host that nobody meets any more is forgotten
_SILENT = 30.0  # seconds at the files of one tenant, from which on nobody waits for them
_STEP = 0.2  # seconds between two looks at how a look goes
Checks = tuple[Check[Any, Any], ...]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Taken:
    """What was made of one tenant's export."""

    known: Known
    checks: Checks = ()


@dataclass(slots=True)
class _Wanted:
    """The tenants with an import, as a configuration has them."""

    config: Config
    tenants: Mapping[str, Any] = field(init=False)
    subjects: Mapping[str, TenantSubject] = field(init=False)

    def __post_init__(self) -> None:
        file = self.config.file
        self.tenants = {tenant.name: tenant for tenant in file.tenants}
        subjects = (subject_of(each, file.credentials) for each in file.tenants)
        self.subjects = {each.name: each for each in subjects if each.imports}


class Estates:
    """The tenants with an import, and the checks of what they have."""

    def __init__(self, clock: Clock, book: DriftBook) -> None:
        self.sightings = Sightings()
        self.tenancies = Tenancies(sightings=self.sightings, changes=book.recent)
        self.drifted: frozenset[str] = frozenset()
        self._clock = clock
        self._book = book
        self._beliefs = Beliefs(book)
        self._tidied = clock.monotonic()
        self._watch: ExportWatch | None = None
        self._file: Any = None
        self._taken: dict[str, _Taken] = {}
        self._reading = asyncio.Lock()
        self._looking: asyncio.Task[None] | None = None
        self._silence: tuple[str, datetime] | None = None  # what is said of it, and since when
        self._changed: set[str] = set()  # seen to be new, and not taken in yet

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

    @property
    def is_looking(self) -> bool:
        """Whether a look at the files goes on."""
        return self._looking is not None and not self._looking.done()

    async def read(self, config: Config) -> bool:
        """Look at the files of *config* and take in what is new; see :meth:`take`."""
        await self.look(config)
        return await self.take(config)

    async def look(self, config: Config) -> None:
        """Look at the files of *config*, for as long as the file system answers."""
        if self._watch is None:
            self._watch = ExportWatch(self._clock, config.folder.absolute())
        imports = {name: each.imports for name, each in _Wanted(config).subjects.items()}
        # A look that goes on may be at other files: those of the configuration before.
        if await self._wait(self._watch):
            self._looking = asyncio.create_task(self._poll(self._watch, imports))
            self._looking.add_done_callback(_log_failed)
            await self._wait(self._watch)

    async def _poll(self, watch: ExportWatch, imports: Mapping[str, Any]) -> None:
        self._changed |= await asyncio.to_thread(watch.poll, imports)

    async def _wait(self, watch: ExportWatch) -> bool:
        """Wait for the look that goes on; return whether it has ended."""
        while (looking := self._looking) is not None and not looking.done():
            if watch.busy[1] > _SILENT:
                return False
            await asyncio.wait({looking}, timeout=_STEP)
        return True

    async def take(self, config: Config) -> bool:
        """Take in what was seen to be new; return whether other checks may follow now.

        ``drifted`` are then the tenants in which something has changed.
        """
        async with self._reading:
            wanted, watch, now = _Wanted(config), self._watch, self._clock.now()
            assert watch is not None  # noqa: S101 - it has been looked
            is_other = config.file is not self._file
            fresh = self._changed | self._beliefs.open(wanted.subjects, now)
            names = [name for name in wanted.subjects if is_other or name in fresh]
            has_turned = self._listen(watch)
            self.drifted = frozenset()
            if not names and not is_other:
                self._tidy(wanted.subjects)
                self._retell(has_turned)
                return False
            looks = {name: watch[name] for name in names}
            taken = await asyncio.to_thread(self._made, wanted, looks)
            self._changed -= set(names)
            self._file = config.file
            self._settle(wanted.subjects, taken)
            self._retell(has_turned)
            return True

    def _made(self, wanted: _Wanted, looks: Mapping[str, Look]) -> dict[str, _Taken]:
        """Make tenancies and checks of what was read; in a thread, since they may be thousands."""
        return {name: self._of_tenant(wanted, name, look) for name, look in looks.items()}

    def _of_tenant(self, wanted: _Wanted, name: str, look: Look) -> _Taken:
        try:
            belief = self._beliefs.take(wanted.subjects[name], look, self._clock.now())
            return _taken(wanted, name, look, belief)
        except FAULTS as error:
            _log.exception("the export of a tenant cannot be judged", extra={"tenant": name})
            before = self._taken.get(name, _Taken(Known()))
            trouble, since = fault(error), before.known.broken_since or self._clock.now()
            return replace(before, known=replace(before.known, trouble=trouble, broken_since=since))

    def _settle(self, subjects: Mapping[str, TenantSubject], taken: Mapping[str, _Taken]) -> None:
        """Make known what was read."""
        now = self._clock.now()
        known = {**self._taken, **taken}
        self._taken = {name: known[name] for name in subjects}
        drifted = set()
        for name, each in taken.items():
            self.tenancies.tell(name, self._told(each.known))
            if each.known.tenancy is not None and self._note(subjects[name], each.known.tenancy):
                drifted.add(name)
        self.drifted = frozenset(drifted)
        self.tenancies.keep(subjects)
        self._book.keep(subjects, now)
        self._beliefs.keep(subjects)

    def _note(self, subject: TenantSubject, tenancy: Tenancy) -> bool:
        """Note what a tenant looks like; return whether something has changed in it."""
        now, name = self._clock.now(), subject.name
        last = self._book.last(name)
        if last is not None and is_not_as_said(subject, last):
            self._book.forget(name)
        before = self._book.recent(name, now, KEEP_FOR)
        self._book.note(name, tenancy.export, now)
        return self._book.recent(name, now, KEEP_FOR) != before

    def _listen(self, watch: ExportWatch) -> bool:
        """Note whether the file system answers; return whether that is otherwise than before."""
        tenant, seconds = watch.busy
        is_silent = self.is_looking and seconds > _SILENT
        was_silent = self._silence is not None
        if is_silent and not was_silent:
            what = f"the file system has not answered for {_SILENT:.0f} s"
            whose = f" at the files of {tenant}" if tenant else ""
            self._silence = f"{what}{whose}; no tenant's files are read", self._clock.now()
        elif not is_silent:
            self._silence = None
        return is_silent is not was_silent

    def _retell(self, has_turned: bool) -> None:  # noqa: FBT001 - passed through
        """Tell of all tenants that the file system has fallen silent, or answers again."""
        if has_turned:
            for name, each in self._taken.items():
                self.tenancies.tell(name, self._told(each.known))

    def _told(self, known: Known) -> Known:
        """Return what is told of a tenant: while nothing can be read, that is its trouble."""
        if self._silence is None:
            return known
        trouble, since = self._silence
        return replace(known, trouble=trouble, broken_since=known.broken_since or since)

    def _tidy(self, subjects: Iterable[str]) -> None:
        """Forget what is old, now and then."""
        if self._clock.monotonic() - self._tidied > _TIDY:
            self._tidied = self._clock.monotonic()
            now = self._clock.now()
            self._book.keep(subjects, now)
            self.sightings.forget(now - _GONE)


def _taken(wanted: _Wanted, name: str, look: Look, belief: Belief) -> _Taken:
    """Make a tenancy and checks of what is believed of a tenant."""
    if belief.export is None:
        return _Taken(Known(trouble=belief.trouble, broken_since=belief.since))
    file, tenant = wanted.config.file, wanted.tenants[name]
    checks, skipped = checks_of(file, tenant, belief.export, discover())
    known = Known(
        tenancy=tenancy_of(wanted.subjects[name], belief.export),
        trouble=belief.trouble,
        broken_since=belief.since,
        remarks=() if look.reading is None else tuple(map(str, look.reading.remarks)),
        unchecked=tuple((each.name, each.why) for each in skipped),
    )
    return _Taken(known, checks)


def _log_failed(look: asyncio.Task[None]) -> None:
    """Say that a look has failed: the next one is another try."""
    if not look.cancelled() and look.exception() is not None:
        _log.error("a look at the exports has failed", exc_info=look.exception())
