"""What is believed of a tenant, after another look at its files?

A new export is taken in only if it can be the next one of the same tenant. What it leaves out, and
what was in a file that has vanished, is believed as it was for as long as an export may be old;
after that the files are right. Whatever is not as it should be is the trouble that is told.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agent.adapters.drift_book import DriftBook
from agent.adapters.export_watch import Look
from agent.domain.tenancy.drift import differences
from agent.domain.tenancy.objects import Export
from agent.domain.tenancy.succession import (
    called,
    initial_domains,
    tenant_id_of,
    together,
    why_not,
)
from agent.settings import TenantSubject

_MOST = 5  # things of one sentence


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of a tenant: ``export`` is None where nothing ever was.

    ``trouble`` is why that is not what the files say, since ``since``. ``is_doubted``: it is a
    question of time until the files are believed after all.
    """

    export: Export | None = None
    trouble: str = ""
    since: datetime | None = None
    is_doubted: bool = False


@dataclass(slots=True)
class Beliefs:
    """What is believed of each tenant, and since when its files are doubted."""

    book: DriftBook
    _held: dict[str, Belief] = field(default_factory=dict)
    _since: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _owners: dict[str, str] = field(default_factory=dict)  # tenants, by what only one can have

    def keep(self, tenants: Iterable[str]) -> None:
        """Forget all tenants but these."""
        for gone in self._held.keys() - set(tenants):
            self._release(gone)
            del self._held[gone]
            self._since.pop(gone, None)

    def open(self, subjects: Mapping[str, TenantSubject], now: datetime) -> frozenset[str]:
        """Return the tenants whose files are to be judged anew, though they have not changed."""
        return frozenset(
            name
            for name, held in self._held.items()
            if name in subjects
            and (_is_claimed(held) or (held.is_doubted and self._is_over(subjects[name], now)))
        )

    def take(self, subject: TenantSubject, look: Look, now: datetime) -> Belief:
        """Return what is believed after a look, and remember it."""
        found = self._judge(subject, look, now)
        self._release(subject.name)
        self._held[subject.name] = found
        for mark in _marks(found.export):
            self._owners.setdefault(mark, subject.name)
        return found

    def _release(self, name: str) -> None:
        held = self._held.get(name)
        for mark in _marks(held.export if held else None):
            if self._owners.get(mark) == name:
                del self._owners[mark]

    def _judge(self, subject: TenantSubject, look: Look, now: datetime) -> Belief:
        name = subject.name
        last = self._last(subject)
        if look.trouble or look.reading is None:
            held = self._held.get(name)
            export = held.export if held is not None and held.export is not None else last
            return Belief(export, look.trouble, look.broken_since)
        new = look.reading.export
        refusal = is_not_as_said(subject, new) or self._claimed(name, new)
        if not refusal and last is not None:
            refusal = why_not(last, new)
        if refusal:
            trouble = f"what the files hold {refusal}"
            return Belief(last, trouble, self._begun(name, trouble, now))
        return self._doubted(subject, last, look, new, now)

    def _last(self, subject: TenantSubject) -> Export | None:
        """Return the last good export, unless the configuration says that it is another's."""
        last = self.book.last(subject.name)
        return None if last is not None and is_not_as_said(subject, last) else last

    def _claimed(self, name: str, new: Export) -> str:
        """Say which tenant has this export already: two that are one would clash in everything."""
        owners = {self._owners.get(mark, name) for mark in _marks(new)} - {name}
        return f"{_CLAIMED} {min(owners)!r} as well: {called(new)}" if owners else ""

    def _doubted(
        self, subject: TenantSubject, last: Export | None, look: Look, new: Export, now: datetime
    ) -> Belief:
        """Believe what is missing to be as it was, for a time."""
        if last is None:
            self._since.pop(subject.name, None)
            return Belief(new)
        whole = together(last, new)
        is_lost = bool(look.gone) and any(
            each.what == "removed" for each in differences(last, whole.export)
        )
        trouble = _sentence(look.gone if is_lost else (), whole.taken_over)
        if not trouble:
            self._since.pop(subject.name, None)
            return Belief(whole.export)
        since = self._begun(subject.name, trouble, now)
        if self._is_over(subject, now):
            return Belief(new)
        return Belief(last if is_lost else whole.export, trouble, since, is_doubted=True)

    def _begun(self, name: str, trouble: str, now: datetime) -> datetime:
        """Return since when there has been this trouble."""
        known = self._since.get(name)
        if known is None or known[0] != trouble:
            known = self._since[name] = trouble, now
        return known[1]

    def _is_over(self, subject: TenantSubject, now: datetime) -> bool:
        known = self._since.get(subject.name)
        return known is not None and now - known[1] > subject.max_age


_CLAIMED = "is imported by the tenant"


def _marks(export: Export | None) -> frozenset[str]:
    """Return what no two tenants have in common."""
    if export is None:
        return frozenset()
    return initial_domains(export) | {each for each in (tenant_id_of(export),) if each}


def _is_claimed(held: Belief) -> bool:
    return _CLAIMED in held.trouble


def is_not_as_said(subject: TenantSubject, export: Export) -> str:
    """Say that an export is not of the tenant whose id the configuration has; else nothing."""
    said, found = subject.tenant_id.lower(), tenant_id_of(export).lower()
    if not said or not found or said == found:
        return ""
    return f"is of another tenant: its id is {found}, and `tenant_id` of the configuration {said}"


def _sentence(gone: tuple[str, ...], taken_over: tuple[str, ...]) -> str:
    parts = []
    if gone:
        parts.append(f"{_some(gone)} is gone, with objects that no other file holds")
    if taken_over:
        parts.append(f"the files no longer hold {_some(taken_over)}")
    return f"{', and '.join(parts)}; they are believed as they were" if parts else ""


def _some(things: tuple[str, ...]) -> str:
    more = len(things) - _MOST
    shown = ", ".join(things[:_MOST])
    return f"{shown} and {more} more" if more > 0 else shown
