"""What can be done with a mailbox that the agent looks into, whatever protocol leads there?

One small protocol, which the adapters for IMAP, Microsoft Graph and Maildir fulfil. Whoever looks
after a mailbox opens it, looks, waits until something may have come, and looks again; anything that
goes wrong is a :class:`PickupError`, after which the mailbox is closed and opened anew.
"""

import enum
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from agent.domain.peer_text import PeerText

MAX_HEAD = 64 * 1024  # octets of a header that are fetched
MAX_BODY = 64 * 1024  # octets of a body that are fetched
MAX_LETTERS = 100  # of one look; the next look goes on
LOOK_BACK = timedelta(days=3)  # of the first look, as long as the ledger knows its messages


class Trouble(enum.StrEnum):
    """Why nobody can look: a closed set, fit for a label value."""

    UNRESOLVED = "unresolved"
    UNREACHED = "unreached"
    TLS = "tls"
    PROTOCOL = "protocol"  # the server says what no server may say, or too much of it
    TIMEOUT = "timeout"
    LOGIN_REFUSED = "login-refused"  # wrong password, or the token is not taken
    TOKEN = "token"  # noqa: S105 - the identity provider gives none
    PERMISSION = "permission"  # logged in, and not allowed to read this mailbox
    NO_MAILBOX = "no-mailbox"
    NO_FOLDER = "no-folder"
    THROTTLED = "throttled"
    OVER_QUOTA = "over-quota"
    UNAVAILABLE = "unavailable"  # the server says that it cannot just now


class PickupError(Exception):
    """A mailbox cannot be looked into; ``detail`` is printable, ``fix`` the missing step.

    ``retry_after`` is how long the server asks to be left alone.
    """

    def __init__(
        self, trouble: Trouble, detail: str, *, fix: str = "", retry_after: timedelta | None = None
    ) -> None:
        super().__init__(f"{trouble}: {detail}")
        self.trouble = trouble
        self.detail = PeerText(detail)
        self.fix = fix
        self.retry_after = retry_after


class Folder(enum.StrEnum):
    """Which kind of folder a letter was found in."""

    INBOX = "inbox"
    JUNK = "junk"
    OTHER = "other"  # a folder that the operator named
    SENT = "sent"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as found in a mailbox, cut to what may be kept of it.

    ``key`` is what the mailbox needs to remove it. ``octets`` are its header and the start of its
    body, parted by an empty line; ``is_whole`` tells whether nothing was cut off. ``received_at``
    is when the server says that it was put there.
    """

    key: str
    folder: Folder
    octets: bytes = field(repr=False)
    is_whole: bool
    size: int
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """How full a mailbox is, in octets; None where the server does not say."""

    used: int | None = None
    limit: int | None = None


class Mailbox(Protocol):
    """A mailbox that is open. Every method may raise PickupError, after which it is to be closed.

    Every method ends by itself, whatever the peer does.
    """

    async def look(self) -> tuple[Letter, ...]:
        """Return the letters that no earlier look of this object has returned, oldest first.

        At most MAX_LETTERS at a time: one who gets that many looks again at once. The first look
        reaches LOOK_BACK into the past. When it returns, all that was there when it was called has
        been seen, but for what that bound leaves to the next look.
        """
        ...

    async def wait(self, most: timedelta) -> None:
        """Return when something may have come, at the latest after *most*."""
        ...

    async def remove(self, keys: Collection[str]) -> None:
        """Delete letters for good. Only those that bear a genuine token of ours are ever passed."""
        ...

    async def room(self) -> Room:
        """Return how full the mailbox is."""
        ...

    async def close(self) -> None:
        """Leave. Never raises."""
        ...
