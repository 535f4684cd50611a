"""What did each tenant look like when it was last exported, and what has changed since?

Kept in memory for every tenant, written behind to the store only when an export says something new:
a tenant that stays as it is costs a comparison, and a row now and then, for when that was seen. A
tenant that is no longer configured is forgotten, but late: who deletes half a file by mistake, and
puts it back, has lost nothing.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from agent.adapters.store import Change as Write
from agent.adapters.store import Store, StoreError
from agent.adapters.store_file import legible
from agent.domain.tenancy.drift import Change, differences
from agent.domain.tenancy.export_codec import decode, decode_changes, encode, encode_changes
from agent.domain.tenancy.objects import Export
from agent.domain.tenancy.succession import together

MAX_CHANGES = 500  # of one tenant; the latest are kept
KEEP_FOR = timedelta(days=30)  # how long a change is remembered
FORGET_AFTER = timedelta(days=30)  # from when a tenant was first missing
_SAVE_AFTER = timedelta(hours=6)  # with nothing new but that it was exported again
_SKEW = timedelta(hours=1)  # between the clocks of two machines
_SAVE = "INSERT OR REPLACE INTO drift VALUES (?, ?, ?, ?)"
_DELETE = "DELETE FROM drift WHERE tenant = ?"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Page:
    """What is known of a tenant: all that was last said of it, and its changes, oldest first.

    ``written`` is when the export was made that the store has.
    """

    export: Export
    changes: tuple[Change, ...] = ()
    written: datetime | None = None


class DriftBook:
    """The last export and the changes of every tenant, over restarts."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pages: dict[str, _Page] = {}
        self._gone: dict[str, datetime] = {}  # since when nobody has wanted it

    async def start(self) -> None:
        """Read what is known. Raises StoreError where the store cannot be read."""
        rows = await self._store.read("SELECT tenant, export, changes, gone_at FROM drift")
        for row in rows:
            try:
                self._take(*row)
            except StoreError as error:
                # It is about one tenant, whose next export is taken as it is.
                what = "what is remembered of a tenant is damaged and dropped"
                _log.error(what, extra={"tenant": row[0], "error": repr(error.__cause__)})
                self._pages.pop(row[0], None)
                self._store.write(Write(f"drift {row[0]}", ((_DELETE, (row[0],)),)))

    def _take(self, tenant: str, export: str, changes: str, gone_at: float | None) -> None:
        with legible():
            found = decode(export)
            page = _Page(found, decode_changes(changes), found.exported_at)
            if gone_at is not None:
                self._gone[tenant] = datetime.fromtimestamp(gone_at, UTC)
            self._pages[tenant] = page

    def last(self, tenant: str) -> Export | None:
        """Return all that was last said of *tenant*; None where nothing is known of it."""
        page = self._pages.get(tenant)
        return None if page is None else page.export

    def forget(self, tenant: str) -> None:
        """Forget what *tenant* looked like: its name stands for another one from now on."""
        if self._pages.pop(tenant, None) is not None:
            self._store.write(Write(f"drift {tenant}", ((_DELETE, (tenant,)),)))

    def note(self, tenant: str, export: Export, now: datetime) -> tuple[Change, ...]:
        """Note what *tenant* looks like, and return all changes that are remembered of it.

        Oldest first, each with the time when it was seen. The same object comes back while nothing
        changes. A kind of object that *export* does not hold is compared once it is there again.
        """
        page = self._pages.get(tenant)
        if page is None:
            self._write(tenant, _Page(export))
            return ()
        seen = together(page.export, export).export
        # When it was asked for is no part of what a tenant looks like.
        if replace(seen, exported_at=page.export.exported_at) == page.export:
            self._again(tenant, page, seen)
            return page.changes
        found = tuple(replace(each, seen_at=now) for each in differences(page.export, seen))
        changes = page.changes
        if found:
            known = _kept(page, now)
            changes = (*known, *found)[-MAX_CHANGES:]
        self._write(tenant, _Page(seen, changes))
        return changes

    def _again(self, tenant: str, page: _Page, seen: Export) -> None:
        """Note that a tenant was exported again and is as it was."""
        at = seen.exported_at
        if at is None:
            return
        page = replace(page, export=seen)
        if page.written is None or abs(at - page.written) > _SAVE_AFTER:
            self._write(tenant, page)
        else:
            self._pages[tenant] = page

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
            known = _kept(page, now)
            if is_gone == (tenant in self._gone) and known == page.changes:
                continue
            if is_gone:
                self._gone.setdefault(tenant, now)
            else:
                self._gone.pop(tenant, None)
            self._write(tenant, replace(page, changes=known))

    def _write(self, tenant: str, page: _Page) -> None:
        self._pages[tenant] = replace(page, written=page.export.exported_at)
        gone = self._gone.get(tenant)
        gone_at = None if gone is None else gone.timestamp()
        row = (tenant, encode(page.export), encode_changes(page.changes), gone_at)
        self._store.write(Write(f"drift {tenant}", ((_SAVE, row),)))


def _kept(page: _Page, now: datetime) -> tuple[Change, ...]:
    """Return the changes of a page that are still worth remembering.

    A clock that was wrong for a moment must neither let go of all of them nor keep one for ever:
    how late it is at least, and at most, the exports tell by another clock.
    """
    exported = page.export.exported_at
    is_ahead = exported is not None and now - exported > KEEP_FOR
    is_behind = exported is not None and exported - now > _SKEW
    late = exported if is_ahead and exported is not None else now
    known = (each for each in page.changes if not _is_old(each, late))
    return tuple(known) if is_behind else tuple(_bounded(each, now) for each in known)


def _bounded(change: Change, now: datetime) -> Change:
    """Return a change that was seen by now, whatever the clock said then."""
    is_later = change.seen_at is not None and change.seen_at - now > _SKEW
    return replace(change, seen_at=now) if is_later else change


def _is_old(change: Change, now: datetime) -> bool:
    return change.seen_at is None or now - change.seen_at > KEEP_FOR
