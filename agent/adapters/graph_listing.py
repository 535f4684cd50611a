"""Which of the messages that Microsoft Graph lists are worth fetching?

Those that bear a token of ours in what the list shows of them, and reports: a report about a
message of ours may quote it in its body alone. A stranger's letter in the same mailbox is not
fetched.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.adapters.graph_values import read_time
from agent.adapters.mailbox import MAX_HEAD, PickupError, Trouble
from agent.domain.header_fields import read_head
from agent.domain.message import find_tokens

SELECT = "id,internetMessageId,receivedDateTime,subject,from,internetMessageHeaders,parentFolderId"
_KEY = re.compile(r"[A-Za-z0-9+/=_-]{1,1000}")  # it becomes a part of a path
_MAX_FIELDS = 400
_REPORTERS = ("postmaster@", "mailer-daemon@", "microsoftexchange")
_BREAKS = str.maketrans({"\r": " ", "\n": " ", "\0": " "})


@dataclass(frozen=True, slots=True)
class Listed:
    """A message as a list shows it; ``head`` is its header as far as Graph gave it."""

    key: str
    received_at: datetime
    head: bytes = field(repr=False)
    is_of_interest: bool


def read_listed(value: dict[str, Any]) -> Listed:
    """Read an entry of a list of messages. Raises PickupError for what is none."""
    key, received_at = value.get("id"), read_time(value, "receivedDateTime")
    if not isinstance(key, str) or not _KEY.fullmatch(key) or received_at is None:
        raise PickupError(Trouble.PROTOCOL, "a message in the list has no id or no time")
    head = "".join(_fields(value)).encode("utf-8", "replace")[: MAX_HEAD - 2] + b"\r\n"
    return Listed(key, received_at, head, bool(find_tokens(head)) or _is_report(head))


def _fields(value: dict[str, Any]) -> Iterator[str]:
    """Yield header fields; Graph gives few of them for what never left Exchange."""
    given = value.get("internetMessageHeaders")
    pairs = [
        (each["name"], each["value"])
        for each in (given if isinstance(given, list) else [])[:_MAX_FIELDS]
        if isinstance(each, dict)
        and isinstance(each.get("name"), str)
        and isinstance(each.get("value"), str)
    ]
    known = {name.lower() for name, _ in pairs}
    for name, text in (
        ("Message-ID", value.get("internetMessageId")),
        ("Subject", value.get("subject")),
        ("From", _author(value)),
    ):
        if name.lower() not in known and isinstance(text, str):
            pairs.append((name, text))
    for name, text in pairs:
        yield f"{name}: {text.translate(_BREAKS)}\r\n"


def _author(value: dict[str, Any]) -> str | None:
    found: Any = value.get("from")
    for name in ("emailAddress", "address"):
        found = found.get(name) if isinstance(found, dict) else None
    return f"<{found}>" if isinstance(found, str) else None


def _is_report(head: bytes) -> bool:
    """Tell whether a message is a report or an automatic answer (RFC 3834, RFC 6522)."""
    fields = read_head(head)
    submitted = fields.first("auto-submitted").lower()
    return (
        fields.first("content-type").lower().startswith("multipart/report")
        or submitted.startswith("auto-")
        or any(name in fields.first("from").lower() for name in _REPORTERS)
    )
