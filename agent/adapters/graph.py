"""What does Microsoft Graph answer, and what is wrong where it does not?

The client shows a token, has at most four requests under way for a mailbox, which is Graph's own
limit, and leaves a mailbox alone for as long as Graph asks. Answers are JSON within bounds; a link
to the next page is followed on the same host only and never twice. A refusal is turned into what an
operator has to do: which permission is missing, where, and with which cmdlet it is given.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from agent.adapters.clock import Clock
from agent.adapters.graph_refusal import BUSY, SPARE, Need, refusal_of
from agent.adapters.https_api import Api, Cause, Failure, Reply, Request
from agent.adapters.mailbox import PickupError, Trouble
from agent.adapters.retry_after import read_retry_after
from agent.adapters.token_trouble import TokenError
from agent.adapters.tokens import Token, Tokens

GLOBAL = "https://graph.microsoft.com"
"""Graph of the global cloud; graph.microsoft.us and microsoftgraph.chinacloudapi.cn are those of
the national ones."""

AT_ONCE = 4  # requests for one mailbox, learn.microsoft.com/graph/throttling-limits
MAX_PAGES = 20
MAX_JSON = 8 * 1024 * 1024  # octets
_LARGE = 128 * 1024  # octets of JSON that are not parsed in the loop
_UNAUTHORIZED, _ERROR = 401, 400


@dataclass(frozen=True, slots=True)
class Call:
    """One request to Graph.

    ``path`` is below ``/v1.0`` and its parts are quoted, see :func:`path`; ``user`` is the mailbox
    it is about, empty for the tenant; ``need`` is the permission it takes.
    """

    method: str
    path: str
    need: Need
    user: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    most: int = MAX_JSON
    cut: bool = False
    is_alone: bool = False


def path(*parts: str) -> str:
    """Return a path of *parts*, which may be what a server said."""
    return "".join(f"/{quote(part, safe='@$')}" for part in parts)


class Graph:
    """Microsoft Graph, as the application that a credential names.

    ``base_url`` is scheme, host and perhaps port. Every method may raise PickupError, and ends by
    itself.
    """

    def __init__(
        self, *, api: Api, tokens: Tokens, credential: str, clock: Clock, base_url: str = GLOBAL
    ) -> None:
        self._api, self._tokens, self._credential = api, tokens, credential
        self._clock = clock
        self._base_url = base_url.rstrip("/")
        self._scope = f"{self._base_url}/.default"
        self._lanes: dict[str, asyncio.Semaphore] = {}
        self._held: dict[str, float] = {}  # a mailbox, and until when (monotonic) it is left alone

    async def fetch(self, call: Call) -> dict[str, Any]:
        """Return the JSON object that answers *call*."""
        return await _object(await self.ask(call))

    def pages(self, call: Call) -> "Pages":
        """Return the objects of a collection, page after page."""
        return Pages(self, call)

    def next_page(self, link: object, seen: set[str]) -> str:
        """Return the address of the next page. Raises PickupError for one that leads astray."""
        if not isinstance(link, str) or not _is_below(link, self._base_url):
            raise PickupError(Trouble.PROTOCOL, "the link to the next page leads to another host")
        if link in seen:
            raise PickupError(Trouble.PROTOCOL, "the link to the next page leads in a circle")
        seen.add(link)
        return link

    async def ask(self, call: Call, url: str | None = None) -> Reply:
        """Return the reply to *call*, sent to *url* if it is given, where it is no error."""
        reply = await self.exchange(call, url)
        if isinstance(reply, Failure):
            raise self.error_of(reply)
        if reply.status >= _ERROR:
            raise refusal_of(reply, call.need, call.user)
        if reply.status // 100 != 2:  # noqa: PLR2004 - hundreds
            raise PickupError(Trouble.PROTOCOL, f"status {reply.status}", fix=_PROXY)
        return reply

    def error_of(self, failure: Failure) -> PickupError:
        """Return what it means that there is no reply."""
        trouble = _TROUBLES[failure.cause]
        is_foreign = trouble in (Trouble.PROTOCOL, Trouble.TLS)
        fix = _PROXY if is_foreign else f"Allow this machine to reach {self._base_url}."
        return PickupError(trouble, str(failure.detail), fix=fix)

    async def exchange(self, call: Call, url: str | None = None) -> Reply | Failure:
        """Return whatever comes of *call*, an error too.

        Raises PickupError where there is no token, or the mailbox is to be left alone.
        """
        async with self._lane(call.user):
            token = await self._token(None)
            reply = await self._send(call, url, token)
            if isinstance(reply, Reply) and reply.status == _UNAUTHORIZED:
                renewed = await self._token(token)
                if renewed is not token:
                    reply = await self._send(call, url, renewed)
        if isinstance(reply, Reply) and reply.status in BUSY:
            pause = read_retry_after(reply.headers)
            self._held[call.user] = self._clock.monotonic() + pause.total_seconds()
        return reply

    async def _token(self, refused: Token | None) -> Token:
        try:
            if refused is None:
                return await self._tokens.get(self._credential, self._scope)
            return await self._tokens.renew(self._credential, self._scope, refused)
        except TokenError as error:
            failed = error
        detail = f"{failed.trouble}: {failed.detail}"
        raise PickupError(Trouble.TOKEN, detail, fix=failed.fix, retry_after=failed.retry_after)

    async def _send(self, call: Call, url: str | None, token: Token) -> Reply | Failure:
        query = f"?{urlencode(call.query, quote_via=quote)}" if call.query else ""
        request = Request(
            call.method,
            url or f"{self._base_url}/v1.0{call.path}{query}",
            {**call.headers, "Authorization": f"Bearer {token.text}"},
            call.body,
            call.most,
            call.cut,
            is_alone=call.is_alone,
        )
        return await self._api.request(request)

    @asynccontextmanager
    async def _lane(self, user: str) -> AsyncIterator[None]:
        """Wait for a place among a mailbox's requests; raises while it is to be left alone."""
        async with self._lanes.setdefault(user, asyncio.Semaphore(AT_ONCE)):
            left = self._held.get(user, 0.0) - self._clock.monotonic()
            if left > 0:
                detail = "Graph has asked to be left alone"
                raise PickupError(
                    Trouble.THROTTLED, detail, fix=SPARE, retry_after=timedelta(seconds=left)
                )
            yield


class Pages:
    """The objects of a collection, at most MAX_PAGES pages of them.

    Iterating may raise PickupError. After it ``is_cut`` tells whether there were more.
    """

    def __init__(self, graph: Graph, call: Call) -> None:
        self._graph, self._call = graph, call
        self.is_cut = False

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        seen: set[str] = set()
        url: str | None = None
        for _ in range(MAX_PAGES):
            page = await _object(await self._graph.ask(self._call, url))
            values = page.get("value")
            if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
                raise PickupError(Trouble.PROTOCOL, "the answer is no collection")
            for each in values:
                yield each
            link = page.get("@odata.nextLink")
            if link is None:
                return
            url = self._graph.next_page(link, seen)
        self.is_cut = True


def _is_below(link: str, base_url: str) -> bool:
    """Tell whether *link* is on the host of *base_url*, by the same scheme and port."""
    try:
        one, other = urlsplit(link), urlsplit(base_url)
        return (one.scheme, one.netloc.lower()) == (other.scheme, other.netloc.lower())
    except ValueError:
        return False


async def _object(reply: Reply) -> dict[str, Any]:
    """Return the object that the body of *reply* is. Raises PickupError."""
    try:
        if len(reply.body) > _LARGE:
            content = await asyncio.to_thread(json.loads, reply.body)
        else:
            content = json.loads(reply.body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise PickupError(Trouble.PROTOCOL, "the answer is no JSON object", fix=_PROXY)
    return content


_PROXY = "See whether a proxy answers in place of Microsoft Graph."
_TROUBLES = {
    Cause.UNRESOLVED: Trouble.UNRESOLVED,
    Cause.DNS_UNANSWERED: Trouble.UNRESOLVED,
    Cause.FORBIDDEN: Trouble.UNREACHED,
    Cause.UNREACHED: Trouble.UNREACHED,
    Cause.TLS: Trouble.TLS,
    Cause.TIMEOUT: Trouble.TIMEOUT,
    Cause.LOST: Trouble.UNREACHED,
    Cause.PROTOCOL: Trouble.PROTOCOL,
    Cause.TOO_MUCH: Trouble.PROTOCOL,
}
