"""What is known of the tenants whose configuration is imported?

The landscape of all of them, how reading their exports went, and what DNS says of the places that
their mail goes through. Whoever reads the files tells; the checks of tenants ask.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.adapters.plans import Recall
from agent.adapters.sightings import Sightings
from agent.domain.tenancy.drift import Change
from agent.domain.tenancy.landscape import Landscape, Surroundings, Tenancy
from agent.domain.tenancy.seeing import look
from agent.domain.tenancy.ways import Ways


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


@dataclass(slots=True)
class Tenancies:
    """All tenants with an import, by name.

    ``sightings`` are the certificates that other checks have seen; ``changes`` returns those of a
    tenant that were seen within a time.
    """

    landscape: Landscape = field(default_factory=Landscape)
    sightings: Sightings = field(default_factory=Sightings)
    changes: Changes = _no_changes
    _known: dict[str, Known] = field(default_factory=dict)
    _related: dict[str, tuple[Tenancy, ...]] = field(default_factory=dict)
    _seen: dict[str, Surroundings] = field(default_factory=dict)
    _ways: Ways | None = None

    def __getitem__(self, tenant: str) -> Known:
        """Return how it stands with *tenant*."""
        return self._known.get(tenant, _NOTHING)

    def tell(self, tenant: str, known: Known) -> frozenset[str]:
        """Take in how it stands with *tenant*; return whose findings may change."""
        before = self._known.get(tenant)
        self._known[tenant] = known
        self._forget()
        if known.tenancy is None or (before is not None and before.tenancy == known.tenancy):
            return frozenset({tenant})
        return self.landscape.put(known.tenancy)

    def keep(self, tenants: Iterable[str]) -> None:
        """Forget all tenants but these."""
        for gone in self._known.keys() - set(tenants):
            del self._known[gone]
            self._forget()
            if gone in self.landscape:
                self.landscape.remove(gone)

    @property
    def ways(self) -> Ways:
        """What was found out about the landscape as it is now, for all who ask for ways."""
        if self._ways is None:
            self._ways = Ways(self.landscape)
        return self._ways

    def _forget(self) -> None:
        """Forget what followed from a landscape that has changed."""
        self._related.clear()
        self._ways = None

    def related(self, tenancy: Tenancy) -> tuple[Tenancy, ...]:
        """Return the tenants that have anything in common with one, itself among them, by name.

        The same object comes back until something changes.
        """
        name = tenancy.name
        if name not in self.landscape:  # it is gone from the configuration
            return (tenancy,)
        if name not in self._related:
            others = (*self.landscape.exposed_to(name), *self.landscape.claiming_of(name))
            found = {name: tenancy} | {each.name: each for each in others}
            self._related[name] = tuple(found[each] for each in sorted(found))
        return self._related[name]

    async def see(self, recall: Recall, key: str, tenancy: Tenancy) -> Surroundings:
        """Ask DNS for what a tenant's mail goes through, and return all that is known of it.

        What DNS does not answer now stays as it was last seen.
        """
        related = self.related(tenancy)
        seen = await recall.derive(key, related, lambda: look(related))
        shown = {host: each.names for host, each in self.sightings.certificates().items()}
        known = self.landscape.surroundings
        if seen is not self._seen.get(key) or shown != known.certificates:
            self._seen[key] = seen
            known.exchanges.update(seen.exchanges)
            known.addresses.update(seen.addresses)
            known.certificates = shown
            # Who touches whom follows from hosts and certificates as well.
            # One of them may be gone from the configuration since DNS was asked.
            present = [each.name for each in related if each.name in self.landscape]
            touched = self.landscape.look_again(*present) if present else ()
            self._ways = None
            if touched:
                self._related.clear()
        return known
