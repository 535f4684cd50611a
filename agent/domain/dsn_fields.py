"""What do the fields of a delivery report say?

A report for machines (RFC 3464) is groups of header fields, parted by empty lines: the first about
the message, then one for each recipient. Servers also write these fields into plain text, quote
them, leave out the empty lines, or put a blank before the colon; so they are looked for by name.
"""

import re
from collections.abc import Iterator

MAX_GROUPS = 50  # recipients in one report
_MAX_VALUE = 4000  # characters of one field, its folded lines together
_MAX_LINES = 4000

_NAMES = frozenset(
    (
        # RFC 3464 sections 2.2 and 2.3
        "original-envelope-id",
        "reporting-mta",
        "received-from-mta",
        "arrival-date",
        "original-recipient",
        "final-recipient",
        "action",
        "status",
        "remote-mta",
        "diagnostic-code",
        "last-attempt-date",
        "will-retry-until",
        "x-actual-recipient",
        "x-original-message-id",
        "original-rcpt-to",  # RFC 5965 section 3.2
    )
)
_FIELD = re.compile(r"[ \t]?([A-Za-z-]{6,24})[ \t]{0,4}:[ \t]*(.*)")
_ONCE = ("final-recipient", "status", "action")  # a second one begins another recipient

Group = dict[str, str]


def read_groups(text: str) -> list[Group]:
    """Return the groups of fields in *text*, names in lower case, empty ones left out."""
    groups: list[Group] = []
    group: Group = {}
    name = ""
    for line in _lines(text):
        match = _FIELD.fullmatch(line)
        if match and match[1].lower() in _NAMES:
            name = match[1].lower()
            if name in _ONCE and name in group:
                groups.append(group)
                group = {}
            group.setdefault(name, match[2].strip())
        elif name and line[:1] in " \t" and line.strip() and len(group[name]) < _MAX_VALUE:
            group[name] = f"{group[name]} {line.strip()}"  # RFC 5322 section 2.2.3
        else:
            name = ""
            if group and not line.strip():
                groups.append(group)
                group = {}
        if len(groups) > MAX_GROUPS:
            break
    return [*groups, group] if group else groups


def is_of_recipient(group: Group) -> bool:
    """Tell a group about a recipient from the one about the message."""
    return ("final-recipient" in group or "original-recipient" in group) or "action" in group


def without_type(value: str) -> str:
    """Return a typed value without its type: ``rfc822; a@b`` is ``a@b`` (section 2.1.2)."""
    kind, semicolon, rest = value.partition(";")
    return rest.strip() if semicolon and "@" not in kind and " " not in kind.strip() else value


def _lines(text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\n")):
        if number >= _MAX_LINES:
            return
        yield line[:_MAX_VALUE].rstrip("\r")
