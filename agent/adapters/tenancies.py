"""What is known of the tenants whose configuration is imported?

The landscape of all of them, how reading their exports went, and what DNS says of the places that
their mail goes through. Whoever reads the files tells; the checks of tenants ask. What is found out
of the landscape may take seconds, and is done in one thread of its own, where everything that
changes the landscape is done as well: nothing changes under an analysis, and nobody waits for one
but who asked.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from agent.adapters.plans import Recall
from agent.adapters.sightings import Sightings
from agent.domain.tenancy.drift import Change
from agent.domain.tenancy.landscape import Landscape, Tenancy
from agent.domain.tenancy.scene import Scene, Told, Work
from agent.domain.tenancy.seeing import look

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """How it stands with one tenant's exports.

    ``tenancy`` is what was last read whole, None before; ``trouble`` why the files cannot be read
    now, since ``broken_since``; ``remarks`` what of them was not understood; ``unchecked`` the
    objects that no check looks at by themselves, with the reason.
    """

    tenancy: Tenancy | None = None
    trouble: str = ""
    broken_since: datetime | None = None
    remarks: tuple[str, ...] = ()
    unchecked: tuple[tuple[str, str], ...] = ()


Changes = Callable[[str, datetime, timedelta], tuple[Change, ...]]


def _no_changes(tenant: str, now: datetime, window: timedelta) -> tuple[Change, ...]:
    """Know of no change, where nothing is remembered."""
    del tenant, now, window
    return ()


_NOTHING = Known(trouble="the files have not been read yet")


class Tenancies:
    """All tenants with an import, by name.

    ``sightings`` are the certificates that other checks have seen; ``changes`` returns those of a
    tenant that were seen within a time.
    """

    def __init__(self, sightings: Sightings | None = None, changes: Changes = _no_changes) -> None:
        self.sightings = sightings if sightings is not None else Sightings()
        self.changes = changes
        self._known: dict[str, Known] = {}
        self._told: Told = deque()
        self._scene = Scene(self._told)
        self._shown = -1  # how often certificates had changed when they were last taken in
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tenants")

    def __getitem__(self, tenant: str) -> Known:
        """Return how it stands with *tenant*."""
        return self._known.get(tenant, _NOTHING)

    def tell(self, tenant: str, known: Known) -> None:
        """Take in how it stands with *tenant*: at once, and before whatever is asked next."""
        self._known[tenant] = known
        if known.tenancy is not None:
            self._told.append((tenant, known.tenancy))

    def keep(self, tenants: Iterable[str]) -> None:
        """Forget all tenants but these."""
        for gone in self._known.keys() - set(tenants):
            del self._known[gone]
            self._told.append((gone, None))

    @property
    def landscape(self) -> Landscape:
        """All tenants together, as they are now. Only for when nothing is analysed."""
        self._scene.settle()
        return self._scene.landscape

    async def related(self, tenant: str) -> tuple[Tenancy, ...]:
        """Return the tenants that have anything in common with one, itself among them, by name.

        The same object comes back until one of them changes; empty where the tenant is gone.
        """
        return await self._run(lambda: self._scene.related(tenant))

    async def analyse(self, recall: Recall, key: str, tenant: str, work: Work[T]) -> T | None:
        """Ask DNS for what a tenant's mail goes through, and do *work* on all that is known.

        What DNS does not answer now stays as it was last seen. None where the tenant is gone from
        the configuration. Work that has begun goes on where nobody waits for it any more.
        """
        related = await self.related(tenant)
        if not related:
            return None
        seen = await recall.derive(key, related, lambda: look(related))
        self._note_certificates()

        def job() -> T | None:
            self._scene.see(seen)
            return self._scene.do(tenant, work)

        return await self._run(job)

    def _note_certificates(self) -> None:
        """Hand over the names that hosts show, where they are not as they were."""
        if self.sightings.changed != self._shown:
            self._shown = self.sightings.changed
            seen = self.sightings.certificates()
            self._scene.shown = {host: each.names for host, each in seen.items()}

    async def _run(self, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)
