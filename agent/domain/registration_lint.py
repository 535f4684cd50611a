"""Which rules does the registration of a domain break?"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from agent.domain import registration_rules as rules
from agent.domain.finding import Finding
from agent.domain.lookup import Answer, Reply
from agent.domain.rdap import Registration
from agent.domain.registration_book import EVERY, Book

_HOLDS = ("clientHold", "serverHold")
_DELETIONS = ("redemptionPeriod", "pendingDelete", "pendingRestore")
_LOCKS = frozenset({"clientTransferProhibited", "serverTransferProhibited"})
_STALE = 3 * EVERY  # after which an old answer is no answer


@dataclass(frozen=True, slots=True)
class Intent:
    """What the operator wants to be told, and when."""

    autorenew: bool = False
    warn_before: timedelta = timedelta(days=60)
    alarm_before: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that is known of the registration of *domain*, the part that was registered.

    ``delegation`` is what DNS says of its name servers. ``has_no_rdap`` tells that its registry has
    no server; ``resting`` is why nobody is asked now.
    """

    domain: str
    now: datetime
    delegation: Reply
    book: Book = field(default_factory=Book)
    has_no_rdap: bool = False
    resting: str = ""

    @property
    def is_fresh(self) -> bool:
        """True where the registry has answered lately."""
        return self.book.told_at is not None and self.now - self.book.told_at < _STALE

    @property
    def last(self) -> Registration | None:
        """What the registry said, unless that is too long ago."""
        return self.book.last if self.is_fresh else None

    @property
    def trouble(self) -> str:
        """Why nothing is known, or nothing new."""
        return self.resting or self.book.trouble


def lint(picture: Picture, intent: Intent) -> tuple[Finding, ...]:
    """Return what is wrong, the gravest first."""
    if picture.has_no_rdap:
        top = picture.domain.rpartition(".")[2]
        detail = f"IANA's list has no server for {top}."
        return (rules.NO_RDAP.found(detail),)
    if picture.book.is_missing and picture.is_fresh:
        return (_missing(picture),)
    last = picture.last
    if last is None:
        trouble = picture.trouble or "it has not been asked yet"
        return (rules.NOT_TOLD.found(f"{picture.domain}: {trouble}."),)
    return tuple(_of_registration(picture, last, intent))


def _missing(picture: Picture) -> Finding:
    """Judge the registry's word that there is no such domain by what DNS says."""
    if isinstance(picture.delegation, Answer) and not picture.delegation.name_exists:
        detail = f"{picture.domain}: the registry has no such domain, and neither has DNS."
        return rules.UNKNOWN_DOMAIN.found(detail)
    detail = f"{picture.domain}: the registry knows no such domain, and DNS does not agree."
    return rules.NOT_TOLD.found(detail)


def _of_registration(picture: Picture, last: Registration, intent: Intent) -> Iterator[Finding]:
    who = f" Its registrar is {last.registrar}." if last.registrar else ""
    if deletions := _among(_DELETIONS, last):
        yield rules.BEING_DELETED.found(f"{picture.domain} has the status {deletions}.{who}")
    if holds := _among(_HOLDS, last):
        yield rules.ON_HOLD.found(f"{picture.domain} has the status {holds}.{who}")
    yield from _expiry(picture, last, intent, who)
    if "pendingTransfer" in last.statuses:
        yield rules.TRANSFER.found(f"{picture.domain} has the status pendingTransfer.{who}")
    if _has_no_lock(picture.domain, last):
        statuses = ", ".join(last.statuses)
        yield rules.UNLOCKED.found(f"{picture.domain} has the status {statuses} only.{who}")


def _among(wanted: tuple[str, ...], last: Registration) -> str:
    return " and ".join(each for each in wanted if each in last.statuses)


def _expiry(picture: Picture, last: Registration, intent: Intent, who: str) -> Iterator[Finding]:
    if last.expires is None:
        return
    left = last.expires - picture.now
    day = last.expires.astimezone(UTC).strftime("%Y-%m-%d")
    if left <= timedelta():
        yield rules.EXPIRED.found(f"{picture.domain} expired on {day}.{who}")
        return
    detail = f"{picture.domain} expires on {day}, in {left.days} days.{who}"
    if left < intent.alarm_before and not intent.autorenew:
        yield rules.EXPIRES_NOW.found(detail)
    # Whoever renews by himself does so late; only then is it worth a look.
    elif left < (intent.alarm_before if intent.autorenew else intent.warn_before):
        yield rules.EXPIRES_SOON.found(detail)


def _has_no_lock(domain: str, last: Registration) -> bool:
    """Tell whether a lock is missing where the registry has such a thing and shows it.

    Country codes have two letters, or are written in another script; each has ways of its own.
    """
    top = domain.rpartition(".")[2]
    is_generic = len(top) > 2 and not top.startswith("xn--")  # noqa: PLR2004
    return is_generic and bool(last.statuses) and not _LOCKS & set(last.statuses)
