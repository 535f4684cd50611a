"""Which folders of a mailbox are looked into, and what has been seen of each?

Junk, Sent and Deleted are found by their SPECIAL-USE attribute (RFC 6154), which holds in every
language, and else by the names that servers give them. What has been seen of a folder is a UID and
the UIDVALIDITY under which it counts (RFC 9051 section 2.3.1.1): once that changes all numbers mean
something else, and the folder is looked into as if for the first time.
"""

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agent.adapters.mailbox import Folder

INBOX = b"INBOX"
MAX_UID = 2**32 - 1  # RFC 9051 section 9

_SPECIAL = {
    Folder.JUNK: (b"\\Junk", ("Junk", "Junk Email", "Junk-E-Mail", "Spam")),
    Folder.SENT: (b"\\Sent", ("Sent", "Sent Items", "Sent Messages")),
    Folder.DELETED: (b"\\Trash", ("Trash", "Deleted Items", "Deleted Messages")),
}
_KEY = re.compile(r"(\d{1,10})-(\d{1,10})-(.{1,1000})", re.DOTALL)

FIELDS = (
    "Received Return-Path Delivered-To From Sender Reply-To To Cc Date Subject Message-ID "
    "In-Reply-To References MIME-Version Content-Type Content-Transfer-Encoding Content-Class "
    "Content-Disposition Auto-Submitted Precedence List-Id X-Auto-Response-Suppress X-Autoreply "
    "X-Auto-Reply X-Autoreply-From X-Autorespond X-Autoresponder X-Mail-Autoreply X-Vacation "
    "X-Precedence X-Delivery-Agent X-Apple-Action X-Failed-Recipients X-Original-Message-ID "
    "X-Mailflow-Token X-Mailflow-Route Authentication-Results Authentication-Results-Original "
    "Received-SPF DKIM-Signature ARC-Seal ARC-Message-Signature ARC-Authentication-Results "
    "X-Forefront-Antispam-Report X-Microsoft-Antispam X-Microsoft-Antispam-Mailbox-Delivery "
    "X-CustomSpam X-Sender-IP X-OriginatorOrg X-EOPTenantAttributedMessage "
    "X-EOPAttributedMessage X-CrossPremisesHeadersFilteredBySendConnector "
    "X-CrossPremisesHeadersFilteredByDsnGenerator X-MS-Office365-Filtering-Correlation-Id "
    "X-MS-PublicTrafficType X-MS-TrafficTypeDiagnostic X-MS-Has-Attach "
    "X-MS-Exchange-Message-Is-Ndr X-MS-Exchange-Inbox-Rules-Loop "
    "X-MS-Exchange-Generated-Message-Source X-MS-Exchange-ExternalOriginalInternetSender "
    "X-MS-Exchange-SkipListedInternetSender X-MS-Exchange-Organization-SCL "
    "X-MS-Exchange-Organization-PCL X-MS-Exchange-Organization-AuthAs "
    "X-MS-Exchange-Organization-AuthSource X-MS-Exchange-Organization-AuthMechanism "
    "X-MS-Exchange-Organization-MessageDirectionality "
    "X-MS-Exchange-Organization-Network-Message-Id "
    "X-MS-Exchange-Organization-ExpirationInterval X-MS-Exchange-CrossTenant-Id "
    "X-MS-Exchange-CrossTenant-AuthAs X-MS-Exchange-CrossTenant-AuthSource "
    "X-MS-Exchange-CrossTenant-FromEntityHeader X-MS-Exchange-CrossTenant-Network-Message-Id "
    "X-MS-Exchange-CrossTenant-OriginalArrivalTime "
    "X-MS-Exchange-CrossTenant-OriginalAttributedTenantConnectingIp "
    "X-MS-Exchange-CrossPremises-AuthAs X-MS-Exchange-CrossPremises-AuthSource "
    "X-MS-Exchange-CrossPremises-AuthMechanism "
    "X-MS-Exchange-Transport-CrossTenantHeadersStamped "
    "X-MS-Exchange-Transport-CrossTenantHeadersStripped X-MS-Exchange-Transport-EndToEndLatency"
)
"""The header fields that are fetched: those that something is read from, and no other."""


@dataclass(slots=True)
class Watched:
    """A folder that is looked into; ``name`` is as the server writes it.

    ``seen`` is the highest UID that was found under ``validity``; ``pending`` are those that were
    found and not yet fetched.
    """

    folder: Folder
    name: bytes
    validity: int | None = None
    seen: int = 0
    pending: deque[int] = field(default_factory=deque)

    def begin(self, validity: int | None) -> None:
        """Forget what was seen, under another UIDVALIDITY."""
        self.validity, self.seen = validity, 0
        self.pending.clear()

    def found(self, uids: Iterable[int]) -> None:
        """Take in which messages are there."""
        new = sorted({uid for uid in uids if self.seen < uid <= MAX_UID})
        if new:
            self.seen = new[-1]
            self.pending.extend(new)

    def key(self, uid: int) -> str:
        """Return what finds the message again."""
        return f"{self.validity or 0}-{uid}-{self.name.decode('ascii', 'replace')}"


def read_key(key: str) -> tuple[int, int, bytes] | None:
    """Return UIDVALIDITY, UID and folder of a key; None where it is none."""
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    return int(found[1]), int(found[2]), found[3].encode("ascii", "replace")


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of LIST: a folder's attributes, and its name as the server writes it."""

    flags: tuple[bytes, ...]
    delimiter: bytes
    name: bytes

    @property
    def last(self) -> str:
        """The last part of the name, in lower case."""
        parts = self.name.split(self.delimiter) if self.delimiter else [self.name]
        return parts[-1].decode("ascii", "replace").lower()


def choose(
    listed: Sequence[Listed], others: Sequence[bytes], known: Sequence[Watched]
) -> list[Watched]:
    """Return the folders to look into, the Inbox last; what is *known* of one is kept.

    *others* are folders that the operator named, as the server would write them; they are looked
    into even where they are not listed, so that their absence shows.
    """
    chosen = {name: Folder.OTHER for name in others if name.upper() != INBOX}
    for folder, (flag, names) in _SPECIAL.items():
        name = _find(listed, flag, names)
        if name is not None:
            chosen.setdefault(name, folder)
    chosen[INBOX] = Folder.INBOX
    before = {each.name: each for each in known}
    return [before.get(name) or Watched(folder, name) for name, folder in chosen.items()]


def _find(listed: Sequence[Listed], flag: bytes, names: Sequence[str]) -> bytes | None:
    usable = [each for each in listed if b"\\noselect" not in map(bytes.lower, each.flags)]
    for each in usable:
        if flag.lower() in map(bytes.lower, each.flags):
            return each.name
    for name in names:
        for each in usable:
            if each.last == name.lower():
                return each.name
    return None
