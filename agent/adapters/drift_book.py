"""What did each tenant look like when it was last exported, and what has changed since?

Kept in memory for every tenant, written behind to the store only when an export says something new:
a tenant that stays as it is costs a comparison. A tenant that is no longer configured is forgotten,
but late: who deletes half a file by mistake, and puts it back, has lost nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from agent.adapters.store import Change as Write
from agent.adapters.store import Store
from agent.adapters.store_file import legible
from agent.domain.tenancy.drift import Change, differences, together
from agent.domain.tenancy.export_codec import decode, decode_changes, encode, encode_changes
from agent.domain.tenancy.objects import Export

MAX_CHANGES = 500  # of one tenant; the latest are kept
KEEP_FOR = timedelta(days=30)  # how long a change is remembered
FORGET_AFTER = timedelta(days=30)  # from when a tenant was first missing
_SAVE = "INSERT OR REPLACE INTO drift VALUES (?, ?, ?, ?)"
_DELETE = "DELETE FROM drift WHERE tenant = ?"


@dataclass(frozen=True, slots=True)
class _Page:
    """What is known of a tenant: all that was last said of it, and its changes, oldest first."""

    export: Export
    changes: tuple[Change, ...] = ()


class DriftBook:
    """The last export and the changes of every tenant, over restarts."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pages: dict[str, _Page] = {}
        self._gone: dict[str, datetime] = {}  # since when nobody has wanted it

    async def start(self) -> None:
        """Read what is known. Raises StoreError where the store cannot be read."""
        rows = await self._store.read("SELECT tenant, export, changes, gone_at FROM drift")
        with legible():
            for tenant, export, changes, gone_at in rows:
                self._pages[tenant] = _Page(decode(export), decode_changes(changes))
                if gone_at is not None:
                    self._gone[tenant] = datetime.fromtimestamp(gone_at, UTC)

    def note(self, tenant: str, export: Export, now: datetime) -> tuple[Change, ...]:
        """Note what *tenant* looks like, and return all changes that are remembered of it.

        Oldest first, each with the time when it was seen. The same object comes back while nothing
        changes. A kind of object that *export* does not hold is compared once it is there again.
        """
        page = self._pages.get(tenant)
        if page is None:
            self._write(tenant, _Page(replace(export, exported_at=None)))
            return ()
        # When it was asked for is no part of what a tenant looks like.
        seen = replace(together(page.export, export), exported_at=None)
        if seen == page.export:
            return page.changes
        found = tuple(replace(each, seen_at=now) for each in differences(page.export, seen))
        changes = page.changes
        if found:
            known = tuple(each for each in changes if not _is_old(each, now))
            changes = (*known, *found)[-MAX_CHANGES:]
        self._write(tenant, _Page(seen, changes))
        return changes

    def recent(self, tenant: str, now: datetime, window: timedelta) -> tuple[Change, ...]:
        """Return the changes of *tenant* that were seen within *window*, oldest first."""
        page = self._pages.get(tenant)
        changes = () if page is None else page.changes
        return tuple(each for each in changes if each.seen_at and now - each.seen_at <= window)

    def keep(self, tenants: Iterable[str], now: datetime) -> None:
        """Forget what belongs to none of *tenants* once that is so for long, and old changes."""
        wanted = frozenset(tenants)
        for tenant, page in tuple(self._pages.items()):
            is_gone = tenant not in wanted
            if is_gone and now - self._gone.get(tenant, now) > FORGET_AFTER:
                del self._gone[tenant], self._pages[tenant]
                self._store.write(Write(f"drift {tenant}", ((_DELETE, (tenant,)),)))
                continue
            known = tuple(each for each in page.changes if not _is_old(each, now))
            if is_gone == (tenant in self._gone) and len(known) == len(page.changes):
                continue
            if is_gone:
                self._gone.setdefault(tenant, now)
            else:
                self._gone.pop(tenant, None)
            self._write(tenant, replace(page, changes=known))

    def _write(self, tenant: str, page: _Page) -> None:
        self._pages[tenant] = page
        gone = self._gone.get(tenant)
        gone_at = None if gone is None else gone.timestamp()
        row = (tenant, encode(page.export), encode_changes(page.changes), gone_at)
        self._store.write(Write(f"drift {tenant}", ((_SAVE, row),)))


def _is_old(change: Change, now: datetime) -> bool:
    return change.seen_at is None or now - change.seen_at > KEEP_FOR
