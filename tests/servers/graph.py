"""Mailboxes and message traces that speak as Microsoft Graph does, over a real socket.

Mail is really stored, found and removed; every request shows a token that the fake identity
provider has given out, and is allowed by what its application may do.
"""

import base64
import binascii
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from servers.entra import Application, Entra, Fault, listening
from servers.standings import HandClock
from servers.tls import Authorities

FOLDERS = ("inbox", "junkemail", "sentitems", "deleteditems")
READING = {"Mail.Read", "Mail.ReadWrite"}
LISTING = READING | {"Mail.ReadBasic.All"}
TRACE_APPLICATION = "8bd644d1-64a1-4d4b-ae52-2e0cbf64e373"


@dataclass
class Stored:
    """A message in a folder."""

    key: str
    folder: str
    octets: bytes
    received_at: datetime
    shows_headers: bool = True

    @property
    def message(self) -> Message:
        return message_from_bytes(self.octets)

    def listed(self, names: str) -> dict[str, Any]:
        message = self.message
        whole = {
            "id": self.key,
            "internetMessageId": message.get("Message-ID", ""),
            "receivedDateTime": self.received_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "subject": message.get("Subject", ""),
            "from": {"emailAddress": {"address": message.get("From", "").strip("<>")}},
            "parentFolderId": self.folder,
            "internetMessageHeaders": [
                {"name": name, "value": value} for name, value in message.items()
            ],
        }
        if not self.shows_headers:
            del whole["internetMessageHeaders"]
        return {name: whole[name] for name in names.split(",") if name in whole}


@dataclass
class Box:
    """A mailbox: its messages, and the folders it has beside those that all have."""

    messages: list[Stored] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)  # display name, key


class Graph:
    """The service. ``fault`` may answer a request in its place."""

    def __init__(self, provider: Entra, clock: HandClock) -> None:
        self.provider, self.clock = provider, clock
        self.boxes: dict[str, Box] = {}
        self.traces: list[dict[str, Any]] = []
        self.fault: Fault | None = None
        self.asked: Counter[str] = Counter()
        self.at_once: Counter[str] = Counter()  # the most requests for a mailbox at a time
        self._under_way: Counter[str] = Counter()
        self.page = 50
        self.has_permanent_delete = True
        self.has_trace_principal = True
        self.bounces = False
        self.url = ""
        self._keys = 0

    def box(self, user: str) -> Box:
        return self.boxes.setdefault(user, Box())

    def put(self, user: str, folder: str, octets: bytes, *, shows_headers: bool = True) -> Stored:
        self._keys += 1
        key = f"AAMk{self._keys:06}="
        stored = Stored(key, folder, octets, self.clock.now(), shows_headers)
        self.box(user).messages.append(stored)
        return stored

    def folder(self, user: str, name: str) -> list[Stored]:
        return [each for each in self.box(user).messages if each.folder == name]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        parts = [unquote(part) for part in request.path.split("/")[2:]]
        user = parts[1] if parts[0] == "users" else ""
        self._under_way[user] += 1
        self.at_once[user] = max(self.at_once[user], self._under_way[user])
        try:
            if self.fault is not None and (answer := await self.fault(request)) is not None:
                return answer
            return await self._answer(request, parts, user)
        finally:
            self._under_way[user] -= 1

    async def _answer(
        self, request: web.Request, parts: list[str], user: str
    ) -> web.StreamResponse:
        text = request.headers.get("Authorization", "").removeprefix("Bearer ")
        application = self.provider.holder(text, self.url)
        if application is None:
            return error(401, "InvalidAuthenticationToken", "Access token has expired.")
        if parts[0] == "admin":
            return self._traces(request, application)
        self.asked["/".join(parts[2:3]) + "/" + parts[-1]] += 1
        if user not in self.boxes:
            return error(404, "ErrorInvalidUser", f"The requested user '{user}' is invalid.")
        if application.mailboxes is not None and user not in application.mailboxes:
            return error(403, "ErrorAccessDenied", "Access to OData is disabled.")
        routes: dict[tuple[str, str], tuple[set[str], Handler]] = {
            ("POST", "sendMail"): ({"Mail.Send"}, self._send),
            ("GET", "mailFolders"): (LISTING, self._folders),
            ("GET", "messages"): (LISTING, self._list),
            ("GET", "$value"): (READING, self._raw),
            ("POST", "permanentDelete"): ({"Mail.ReadWrite"}, self._remove),
        }
        wanted, handler = routes.get(
            (request.method, parts[-1]),
            ({"Mail.ReadWrite"}, self._remove)
            if request.method == "DELETE"
            else (LISTING, self._folder),
        )
        if not wanted & application.permissions:
            return error(403, "ErrorAccessDenied", "Access is denied. Check credentials.")
        return await handler(request, parts, user)

    async def _send(self, request: web.Request, _parts: list[str], user: str) -> web.Response:
        assert request.content_type == "text/plain"
        try:
            octets = base64.b64decode(await request.read(), validate=True)
        except binascii.Error:
            text = "Invalid base64 string for MIME content."
            return error(400, "ErrorMimeContentInvalidBase64String", text)
        recipient = message_from_bytes(octets).get("To", "").strip("<>")
        if not recipient:
            return error(400, "ErrorInvalidRecipients", "At least one recipient is not valid.")
        self.put(user, "sentitems", octets)
        status = "delivered"
        if self.bounces or recipient not in self.boxes:
            status = "failed"
            self.put(user, "inbox", report_about(octets, recipient), shows_headers=False)
        else:
            self.put(recipient, "inbox", b"Received: from graph\r\n" + octets)
        self._trace(octets, user, recipient, status)
        return web.Response(status=202, headers={"request-id": "5f2c-request"})

    def _trace(self, octets: bytes, sender: str, recipient: str, status: str) -> None:
        self.traces.append(
            {
                "id": f"trace-{len(self.traces)}",
                "messageId": message_from_bytes(octets).get("Message-ID", ""),
                "senderAddress": sender,
                "recipientAddress": recipient,
                "status": status,
                "receivedDateTime": self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
                "size": len(octets),
                "fromIP": "192.0.2.1",
                "toIP": "",
            }
        )

    async def _folders(self, request: web.Request, _parts: list[str], user: str) -> web.Response:
        match = re.fullmatch(r"displayName eq '(.*)'", request.query["$filter"])
        assert match is not None
        name = match[1].replace("''", "'")
        key = self.boxes[user].others.get(name)
        return web.json_response({"value": [{"id": key, "displayName": name}] if key else []})

    async def _folder(self, _request: web.Request, parts: list[str], user: str) -> web.Response:
        if parts[-1] not in (*FOLDERS, *self.boxes[user].others.values()):
            return error(404, "ErrorItemNotFound", "The specified object was not found.")
        return web.json_response({"id": parts[-1]})

    async def _list(self, request: web.Request, parts: list[str], user: str) -> web.Response:
        terms, messages = request.query.get("$filter", ""), self.boxes[user].messages
        if (match := re.fullmatch(r"internetMessageId eq '(.*)'", terms)) is not None:
            wanted = match[1].replace("''", "'")
            messages = [each for each in messages if each.message.get("Message-ID") == wanted]
        else:
            match = re.fullmatch(r"receivedDateTime ge (\S+)", terms)
            assert match is not None
            assert request.query["$orderby"] == "receivedDateTime"
            since = datetime.fromisoformat(match[1])
            messages = [
                each for each in messages if each.folder == parts[3] and each.received_at >= since
            ]
        messages = sorted(messages, key=lambda each: each.received_at)
        start = int(request.query.get("$skip", "0"))
        end = start + min(self.page, int(request.query.get("$top", "10")))
        listed = [each.listed(request.query["$select"]) for each in messages[start:end]]
        content: dict[str, Any] = {"value": listed}
        if end < len(messages):
            query = {**request.query, "$skip": str(end)}
            content["@odata.nextLink"] = f"{self.url}{request.rel_url.with_query(query)}"
        return web.json_response(content)

    async def _raw(self, _request: web.Request, parts: list[str], user: str) -> web.Response:
        for each in self.boxes[user].messages:
            if each.key == parts[3]:
                return web.Response(body=each.octets, content_type="text/plain")
        return error(404, "ErrorItemNotFound", "The specified object was not found.")

    async def _remove(self, request: web.Request, parts: list[str], user: str) -> web.Response:
        if request.method == "POST" and not self.has_permanent_delete:
            return error(400, "BadRequest", "Resource not found for the segment.")
        box = self.boxes[user]
        left = [each for each in box.messages if each.key != parts[3]]
        if len(left) == len(box.messages):
            return error(404, "ErrorItemNotFound", "The specified object was not found.")
        box.messages = left
        return web.Response(status=204)

    def _traces(self, request: web.Request, application: Application) -> web.Response:
        self.asked["traces"] += 1
        if not self.has_trace_principal:
            text = f"The service principal for App ID {TRACE_APPLICATION} was not found."
            return error(401, "Unauthorized", text)
        if "ExchangeMessageTrace.Read.All" not in application.permissions:
            return error(403, "Forbidden", "Access is denied.")
        match = re.match(r"messageId eq '((?:[^']|'')*)'", request.query["$filter"])
        assert match is not None
        wanted = match[1].replace("''", "'")
        found = [each for each in self.traces if each["messageId"] == wanted]
        return web.json_response({"value": found})


Handler = Callable[[web.Request, list[str], str], Awaitable[web.Response]]


def error(status: int, code: str, message: str, **headers: str) -> web.Response:
    """Return an error in Graph's form."""
    content = {"error": {"code": code, "message": message, "innerError": {"request-id": "1"}}}
    return web.json_response(content, status=status, headers=headers)


def report_about(octets: bytes, recipient: str) -> bytes:
    """Return a non-delivery report that quotes the header of *octets* in its body alone."""
    head = octets.partition(b"\r\n\r\n")[0]
    return (
        b"From: <postmaster@contoso.com>\r\nSubject: Undeliverable\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        b"Final-Recipient: rfc822;" + recipient.encode() + b"\r\nStatus: 5.1.10\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + head + b"\r\n--b--\r\n"
    )


@asynccontextmanager
async def graph(provider: Entra, authorities: Authorities) -> AsyncIterator[Graph]:
    """Run the service, with tokens of *provider*."""
    service = Graph(provider, provider.clock)
    async with listening(service.handle, authorities) as url:
        service.url = url
        yield service
