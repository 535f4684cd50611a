"""Which letters of ours are in a mailbox of Exchange Online?

A mailbox in the sense of :mod:`agent.adapters.mailbox`, over Microsoft Graph. A look lists what was
put into each folder since the last one, which costs a request for fifty messages, and fetches only
those that bear a token of ours or look like a report about a message. With the permission
Mail.ReadBasic alone a letter is its header; Mail.Read gives the body too, and Mail.ReadWrite is
what removing takes.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.adapters.clock import Clock
from agent.adapters.graph import Call, Graph, Pages, path
from agent.adapters.graph_listing import SELECT, Listed, read_listed
from agent.adapters.graph_refusal import READ, READ_BASIC, READ_WRITE, refusal_of
from agent.adapters.graph_values import read_text, read_time
from agent.adapters.https_api import Failure
from agent.adapters.mailbox import (
    LOOK_BACK,
    MAX_BODY,
    MAX_HEAD,
    MAX_LETTERS,
    Folder,
    Letter,
    PickupError,
    Room,
    Trouble,
)
from agent.domain.peer_text import PeerText

POLL = timedelta(seconds=15)  # between two looks, unless the caller is in a greater hurry
OVERLAP = timedelta(minutes=10)  # of two looks: what is put there late, or by another clock
MAX_SEEN = 20_000  # ids that are remembered
_MAX_LISTED = 10_000  # messages of one folder and one look
_PAGE = 50
_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_OK, _NO_CONTENT, _FORBIDDEN, _NOT_FOUND = 200, 204, 403, 404
_NO_SUCH_ACTION = (400, 405, 501)
_WELL_KNOWN = {  # learn.microsoft.com/graph/api/resources/mailfolder
    Folder.INBOX: "inbox",
    Folder.JUNK: "junkemail",
    Folder.SENT: "sentitems",
    Folder.DELETED: "deleteditems",
}
ARRIVALS = (Folder.INBOX, Folder.JUNK)


@dataclass(frozen=True, slots=True)
class Found:
    """A message with a certain Message-ID; ``folder_id`` is Graph's name of where it lies."""

    key: str
    folder_id: PeerText
    received_at: datetime | None


@dataclass(slots=True)
class _Place:
    """A folder that is looked into, and from when on the next look reaches."""

    folder: Folder
    name: str  # in a path
    since: datetime
    seen: dict[str, None] = field(default_factory=dict)  # in the order they were seen


class GraphMailbox:
    """A mailbox over Graph.

    ``user`` is its address or id; ``others`` are names of folders as Outlook shows them, at the top
    level.
    """

    def __init__(
        self,
        graph: Graph,
        user: str,
        *,
        clock: Clock,
        folders: Sequence[Folder] = ARRIVALS,
        others: Sequence[str] = (),
    ) -> None:
        self._graph, self._user, self._clock = graph, user, clock
        self._others = others
        self._places = [
            _Place(folder, _WELL_KNOWN[folder], clock.now() - LOOK_BACK) for folder in folders
        ]
        self._has_bodies = True  # until Graph says that we may not read them
        self._left: list[tuple[_Place, Listed]] = []

    async def open(self) -> None:
        """Find the folders. Raises PickupError where one is missing, or may not be looked into."""
        for name in self._others:
            key = await self._folder(name)
            self._places.append(_Place(Folder.OTHER, key, self._clock.now() - LOOK_BACK))
        for place in self._places:
            where = path("users", self._user, "mailFolders", place.name)
            call = Call("GET", where, READ_BASIC, self._user, {"$select": "id"})
            await self._graph.fetch(call)

    async def look(self) -> tuple[Letter, ...]:
        """Return the letters that no earlier look has returned, oldest first."""
        if len(self._left) < MAX_LETTERS:
            for place in self._places:
                self._left += [(place, listed) for listed in await self._list(place)]
            self._left.sort(key=lambda each: each[1].received_at)
        taken, self._left = self._left[:MAX_LETTERS], self._left[MAX_LETTERS:]
        # As many at once as the client lets through.
        fetched = await asyncio.gather(
            *(self._letter(place, listed) for place, listed in taken), return_exceptions=True
        )
        for each in fetched:
            if isinstance(each, BaseException):
                raise each
        return tuple(each for each in fetched if isinstance(each, Letter))

    async def wait(self, most: timedelta) -> None:
        """Sleep: Graph does not call."""
        await asyncio.sleep(min(most, POLL).total_seconds())

    async def remove(self, keys: Collection[str]) -> None:
        """Delete letters beyond what their owner can recover. One that is gone is no error."""
        for key in keys:
            await self._remove(key)

    async def room(self) -> Room:
        """Graph does not say how full a mailbox is."""
        return Room()

    async def close(self) -> None:
        """Nothing is open: the connections are the client's."""

    async def find(self, internet_message_id: str) -> tuple[Found, ...]:
        """Return the messages with *internet_message_id*, in angle brackets, in any folder."""
        call = Call(
            "GET",
            path("users", self._user, "messages"),
            READ_BASIC,
            self._user,
            {
                "$filter": f"internetMessageId eq {_quoted(internet_message_id)}",
                "$select": "id,parentFolderId,receivedDateTime",
            },
        )
        return tuple(
            [
                Found(
                    str(read_text(each, "id")),
                    read_text(each, "parentFolderId"),
                    read_time(each, "receivedDateTime"),
                )
                async for each in self._graph.pages(call)
            ]
        )

    async def _folder(self, name: str) -> str:
        call = Call(
            "GET",
            path("users", self._user, "mailFolders"),
            READ_BASIC,
            self._user,
            {"$filter": f"displayName eq {_quoted(name)}", "$select": "id,displayName"},
        )
        async for each in self._graph.pages(call):
            if each.get("displayName") == name and isinstance(each.get("id"), str):
                return str(each["id"])
        raise PickupError(
            Trouble.NO_FOLDER,
            f"there is no folder {name} at the top level",
            fix=f"Name one of those that Get-MailboxFolderStatistics {self._user} shows.",
        )

    async def _list(self, place: _Place) -> list[Listed]:
        """Return what is of interest in a folder and was not seen before, oldest first."""
        found: list[Listed] = []
        count, newest, now = 0, place.since, self._clock.now()
        while True:
            pages = self._messages(place, newest)
            async for each in pages:
                listed = read_listed(each)
                count += 1
                newest = max(newest, min(listed.received_at, now))
                if listed.key not in place.seen:
                    place.seen[listed.key] = None
                    found += [listed] if listed.is_of_interest else []
            if not pages.is_cut:
                break
            if count >= _MAX_LISTED:
                detail = f"more than {_MAX_LISTED} messages came in {LOOK_BACK.days} days"
                fix = f"Give the agent a mailbox of its own instead of {self._user}."
                raise PickupError(Trouble.OVER_QUOTA, detail, fix=fix)
        place.since = max(place.since, newest - OVERLAP)
        while len(place.seen) > MAX_SEEN:
            del place.seen[next(iter(place.seen))]
        return found

    def _messages(self, place: _Place, since: datetime) -> Pages:
        call = Call(
            "GET",
            path("users", self._user, "mailFolders", place.name, "messages"),
            READ_BASIC,
            self._user,
            {
                "$filter": f"receivedDateTime ge {since:{_FORMAT}}",
                "$orderby": "receivedDateTime",
                "$select": SELECT,
                "$top": str(_PAGE),
            },
        )
        return self._graph.pages(call)

    async def _letter(self, place: _Place, listed: Listed) -> Letter | None:
        """Return a message as it is; None where it is no longer there."""
        octets, is_whole = listed.head, False
        if self._has_bodies:
            call = Call(
                "GET",
                path("users", self._user, "messages", listed.key, "$value"),
                READ,
                self._user,
                most=MAX_HEAD + MAX_BODY,
                cut=True,
            )
            reply = await self._graph.exchange(call)
            if isinstance(reply, Failure):
                raise self._graph.error_of(reply)
            if reply.status == _NOT_FOUND:
                return None
            if reply.status == _FORBIDDEN:
                self._has_bodies = False
            elif reply.status != _OK:
                raise refusal_of(reply, READ, self._user)
            else:
                octets, is_whole = reply.body, not reply.is_cut
        at = listed.received_at
        return Letter(listed.key, place.folder, octets, is_whole, len(octets), at)

    async def _remove(self, key: str) -> None:
        where = path("users", self._user, "messages", key)
        for method, action in (("POST", "/permanentDelete"), ("DELETE", "")):
            call = Call(method, where + action, READ_WRITE, self._user, body=None)
            reply = await self._graph.exchange(call)
            if isinstance(reply, Failure):
                raise self._graph.error_of(reply)
            if reply.status in (_NO_CONTENT, _OK, _NOT_FOUND):
                return
            # National clouds lack the action; what is deleted there can be recovered for a while.
            if reply.status not in _NO_SUCH_ACTION or method == "DELETE":
                raise refusal_of(reply, READ_WRITE, self._user)


def _quoted(text: str) -> str:
    """Return *text* as a string in a filter (OData 4.01 URL conventions section 5.1.1.14.1)."""
    return "'" + text.replace("'", "''") + "'"
