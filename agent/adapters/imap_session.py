"""What is said to an IMAP server, command by command? The only importer of IMAPClient.

Everything here blocks and runs in the one thread of its connection, which is shut down by the event
loop when it takes too long. The module is imported only once a mailbox is opened by IMAP.
"""

import socket
import ssl
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from imapclient import IMAPClient
from imapclient.imap_utf7 import encode as encode_utf7

from agent.adapters.clock import Clock
from agent.adapters.imap_folders import FIELDS, INBOX, Listed, Watched, choose, read_key
from agent.adapters.imap_login import ImapLogin
from agent.adapters.imap_wire import ProtocolError, ServerNoError, Wire
from agent.adapters.mailbox import LOOK_BACK, MAX_BODY, MAX_HEAD, MAX_LETTERS, Folder, Letter, Room

MAX_MESSAGES = 10_000_000  # of a folder; who says more is not believed
_MAX_LOOK = 4 * 1024 * 1024  # octets of letters in one look
_WINDOW = 4096  # messages that are searched at a time, so that the answer fits in a line
_WINDOWS = 32  # that the first look searches
_BATCH = 10  # letters that are fetched at a time
_LIST_AGAIN = 300.0  # seconds, after which new folders are looked for
_KIBI = 1024  # octets, the unit of STORAGE in RFC 9208 section 5.1
_COMES = frozenset({"EXISTS", "RECENT", "EXPUNGE", "FETCH"})
_ITEMS = (
    "INTERNALDATE",
    "RFC822.SIZE",
    f"BODY.PEEK[HEADER.FIELDS ({FIELDS})]<0.{MAX_HEAD}>",
    f"BODY.PEEK[TEXT]<0.{MAX_BODY}>",
)


@dataclass(frozen=True, slots=True)
class Plug:
    """A connected socket, and how TLS is done over it: see :class:`Wire`."""

    connection: socket.socket
    tls: ssl.SSLContext | None
    implicit: bool
    server_name: str


class _Client(IMAPClient):  # type: ignore[misc]
    """IMAPClient over a connection that is made and bounded by us."""

    def __init__(self, plug: Plug) -> None:
        self._plug = plug
        super().__init__(plug.server_name, 0, ssl=False)
        self.normalise_times = False  # a time of arrival keeps its zone
        self.folder_encode = False  # names stay as the server writes them

    def _create_IMAP4(self) -> Wire:  # noqa: N802 - the name is the library's
        plug = self._plug
        return Wire(
            plug.connection,
            tls=plug.tls,
            implicit=plug.implicit,
            server_name=plug.server_name,
        )


class Session:
    """One conversation with a server. The constructor takes its greeting and does TLS."""

    def __init__(self, plug: Plug, others: tuple[str, ...], clock: Clock) -> None:
        self._client = _Client(plug)
        self.wire: Wire = self._client._imap  # noqa: SLF001 - what _create_IMAP4 returned
        self._others = [encode_utf7(name) for name in others]
        self._clock = clock
        self._watched: list[Watched] = []
        self._listed_at = 0.0
        self._selected: tuple[bytes, bool] | None = None
        self._tag = b""
        self.more = False

    def log_in(self, login: ImapLogin) -> None:
        """Log in, and find the folders."""
        self.wire.log_in(login)
        self._find()
        for each in self._watched:
            if each.folder is Folder.OTHER:
                self._client.folder_status(each.name, ["UIDNEXT"])  # says no where it is missing

    @property
    def can_idle(self) -> bool:
        """Whether the server tells by itself that something has come."""
        return bool(self._client.has_capability("IDLE"))

    def _find(self) -> None:
        listed = [
            Listed(tuple(flag for flag in flags if isinstance(flag, bytes)), mark or b"", name)
            for flags, mark, name in self._client.list_folders()
            if isinstance(name, bytes) and name.isascii()
        ]
        self._watched = choose(listed, self._others, self._watched)
        self._listed_at = self._clock.monotonic()

    def look(self) -> tuple[Letter, ...]:
        """Return new letters of all folders, oldest first; ``more`` says whether some wait."""
        if self._clock.monotonic() - self._listed_at > _LIST_AGAIN:
            self._find()
        letters: list[Letter] = []
        for watched in self._watched:
            try:
                is_changed = self._examine(watched)
            except ServerNoError:
                self._find()
                if any(each.name == watched.name for each in self._watched):
                    raise
                continue  # it was there once, and is not any more
            if is_changed or watched.pending:
                letters += self._fetch(watched, letters)
        self.more = any(watched.pending for watched in self._watched)
        early = datetime.min.replace(tzinfo=UTC)
        return tuple(sorted(letters, key=lambda letter: letter.received_at or early))

    def _examine(self, watched: Watched) -> bool:
        """Find what is new in a folder; False where nothing is, after one round trip.

        The Inbox is always examined, because IDLE needs it selected. A folder is asked for its
        status only while another is selected (RFC 9051 section 6.3.11).
        """
        if watched.folder is not Folder.INBOX and not self._has_news(watched):
            return False
        facts = self._select(watched.name, readonly=True)
        validity, following = facts.get(b"UIDVALIDITY"), facts.get(b"UIDNEXT", 0)
        exists = facts.get(b"EXISTS", 0)
        if validity is None or not 0 <= exists <= MAX_MESSAGES:
            message = f"a folder of {exists} messages, UIDVALIDITY {validity}"
            raise ProtocolError(message)
        is_first = watched.validity != validity
        if is_first:
            watched.begin(validity)
        elif 0 < following <= watched.seen + 1:
            return False
        watched.found(self._search(exists, None if is_first else watched.seen))
        # What is gone already, or lies further back than anybody looks, counts as seen.
        watched.seen = max(watched.seen, following - 1)
        return True

    def _has_news(self, watched: Watched) -> bool:
        status = self._client.folder_status(watched.name, ["UIDNEXT", "UIDVALIDITY"])
        if status.get(b"UIDVALIDITY") != watched.validity or watched.pending:
            return True
        following = status.get(b"UIDNEXT")
        return not isinstance(following, int) or following > watched.seen + 1

    def _select(self, name: bytes, *, readonly: bool) -> dict[bytes, int]:
        self._selected = None
        facts = self._client.select_folder(name, readonly=readonly)
        self._selected = (name, readonly)
        return {key: value for key, value in facts.items() if isinstance(value, int)}

    def _search(self, exists: int, seen: int | None) -> Iterator[int]:
        """Yield the UIDs of messages above *seen*, or of the last days, the newest first.

        Sequence numbers follow the UIDs, so a window without anything new is the last one.
        """
        # A day more: the server's days are not ours.
        since = self._clock.now() - LOOK_BACK - timedelta(days=1)
        wanted = f"SINCE {since:%d-%b-%Y}" if seen is None else f"UID {seen + 1}:*"
        high, windows = exists, 0
        while high > 0 and windows < _WINDOWS:
            low = max(1, high - _WINDOW + 1)
            # The star: some message may be gone by now, and its number be out of range.
            upper = high if windows else "*"
            found = [uid for uid in self._client.search(f"{low}:{upper} {wanted}") if uid > 0]
            yield from found
            # The last message is always in n:*, new or not.
            if seen is not None and not any(uid > seen for uid in found):
                return
            high, windows = low - 1, windows + 1

    def _fetch(self, watched: Watched, before: list[Letter]) -> list[Letter]:
        """Fetch what is pending in the folder that is selected, as far as it may be."""
        letters: list[Letter] = []
        octets = sum(len(letter.octets) for letter in before)
        room = MAX_LETTERS - len(before)
        while watched.pending and room > 0 and octets < _MAX_LOOK:
            uids = [watched.pending[0]]
            while len(uids) < min(_BATCH, room, len(watched.pending)):
                uids.append(watched.pending[len(uids)])
            fetched = self._client.fetch(uids, _ITEMS)
            for uid in uids:
                watched.pending.popleft()
                if uid in fetched:
                    letters.append(_letter(watched, uid, fetched[uid]))
                    octets += len(letters[-1].octets)
            room -= len(uids)
        return letters

    def begin_idle(self) -> None:
        """Begin to wait in the Inbox for what comes."""
        if self._selected != (INBOX, True):
            following = self._select(INBOX, readonly=True).get(b"UIDNEXT", 0)
            # What came before it was selected is not told.
            self.more = following > self._watched[-1].seen + 1
        before = len(self.wire.untagged_responses.get("EXISTS", ()))
        self._tag = self.wire.idle()
        if len(self.wire.untagged_responses.get("EXISTS", ())) > before:
            self.more = True

    def idle(self, seconds: float) -> bool:
        """Wait so long; tell whether something came. Returns early where it did."""
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0:
            if self.wire.has_line(left) and self.wire.heard() in _COMES:
                return True
        return False

    def end_idle(self, *, prove: bool) -> None:
        """Wait no more; *prove* that the connection is alive in both directions."""
        self.wire.done(self._tag)
        if prove:
            self.wire.noop()

    def remove(self, keys: Collection[str]) -> None:
        """Delete messages for good, and no other that somebody else has marked."""
        doomed: dict[tuple[int, bytes], list[int]] = {}
        for key in keys:
            if (parts := read_key(key)) is not None:
                validity, uid, name = parts
                doomed.setdefault((validity, name), []).append(uid)
        for (validity, name), uids in doomed.items():
            try:
                facts = self._select(name, readonly=False)
            except ServerNoError:
                continue  # the folder is gone, and they with it
            # Under another UIDVALIDITY the numbers mean other messages.
            if facts.get(b"UIDVALIDITY") == validity:
                self._client.delete_messages(uids, silent=True)
                self._expunge(uids)

    def _expunge(self, uids: list[int]) -> None:
        if self._client.has_capability("UIDPLUS"):
            self._client.uid_expunge(uids)
        elif set(self._client.search("DELETED")) <= set(uids):
            self._client.expunge()  # of nobody else's, whom it would take along

    def room(self) -> Room:
        """Return how full the mailbox is, where the server tells (RFC 9208)."""
        if not self._client.has_capability("QUOTA"):
            return Room()
        try:
            quotas = self._client.get_quota("INBOX")
        except ServerNoError:
            return Room()
        for quota in quotas:
            if quota.resource.upper() == "STORAGE":
                return Room(int(quota.usage) * _KIBI, int(quota.limit) * _KIBI)
        return Room()


def _letter(watched: Watched, uid: int, items: dict[bytes, object]) -> Letter:
    head = _part(items, b"BODY[HEADER")
    body = _part(items, b"BODY[TEXT]")
    is_whole = len(head) < MAX_HEAD and len(body) < MAX_BODY
    head = head[:MAX_HEAD].rstrip(b"\r\n") + b"\r\n\r\n"
    size, at = items.get(b"RFC822.SIZE"), items.get(b"INTERNALDATE")
    return Letter(
        key=watched.key(uid),
        folder=watched.folder,
        octets=head + body[:MAX_BODY],
        is_whole=is_whole,
        size=size if isinstance(size, int) else len(head) + len(body),
        received_at=_in_utc(at) if isinstance(at, datetime) else None,
    )


def _part(items: dict[bytes, object], name: bytes) -> bytes:
    for key, value in items.items():
        if key.startswith(name) and isinstance(value, bytes):
            return value
    return b""


def _in_utc(at: datetime) -> datetime | None:
    try:
        return at.astimezone(UTC)
    except (OverflowError, ValueError):  # at the ends of the calendar
        return None
