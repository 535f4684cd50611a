"""What is remembered of a registration, so that nobody is asked again before the next day?

One text for when somebody was asked and what came of it, one for what the registry said last. Both
outlive a restart; a crash in a loop asks no more often than a quiet life.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from agent.domain.rdap import Registration

EVERY = timedelta(days=1)  # between two requests about one domain


@dataclass(frozen=True, slots=True)
class Book:
    """``asked_at`` is the last request, ``told_at`` the last answer, ``trouble`` what came instead.

    ``is_missing`` tells that the registry knew no such domain when it was asked last.
    """

    asked_at: datetime | None = None
    told_at: datetime | None = None
    trouble: str = ""
    is_missing: bool = False
    last: Registration | None = None

    def is_due(self, now: datetime) -> bool:
        """Tell whether the registry may be asked; a clock that was put back is believed."""
        return self.asked_at is None or not timedelta() <= now - self.asked_at < EVERY

    def asking(self, now: datetime) -> "Book":
        """Return the book as it is while the request is under way."""
        return replace(self, asked_at=now, trouble="no answer was waited for")

    def told(self, at: datetime, last: Registration) -> "Book":
        """Return the book after an answer."""
        return Book(at, at, last=last)

    def failed(self, trouble: str) -> "Book":
        """Return the book after a request that told nothing."""
        return replace(self, trouble=trouble)

    def missing(self, at: datetime) -> "Book":
        """Return the book after the registry knew no such domain."""
        return Book(at, at, is_missing=True)


def write_state(book: Book) -> str:
    """Write when somebody was asked, and what came of it."""
    return json.dumps(
        {
            "asked": _written(book.asked_at),
            "told": _written(book.told_at),
            "trouble": book.trouble,
            "missing": book.is_missing,
        }
    )


def write_last(book: Book) -> str:
    """Write what the registry said last: the same text for the same; empty for nothing."""
    if book.last is None:
        return ""
    values = asdict(book.last)
    values |= {key: _written(values[key]) for key in ("registered", "changed", "expires")}
    return json.dumps(values, sort_keys=True)


def read_book(state: str | None, last: str | None) -> Book:
    """Read what :func:`write_state` and :func:`write_last` wrote; nothing where it is spoilt."""
    try:
        known = json.loads(state or "{}")
        book = Book(
            _read(known.get("asked")),
            _read(known.get("told")),
            str(known.get("trouble", "")),
            known.get("missing") is True,
        )
    except (ValueError, TypeError, AttributeError):
        return Book()
    return replace(book, last=_registration(last or "null"))


def _registration(text: str) -> Registration | None:
    try:
        values = json.loads(text)
        values |= {key: _read(values[key]) for key in ("registered", "changed", "expires")}
        values |= {key: tuple(values[key]) for key in ("statuses", "servers")}
        return Registration(**values)
    except (ValueError, TypeError, KeyError):
        return None


def _written(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _read(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
