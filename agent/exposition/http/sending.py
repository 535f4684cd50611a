"""How does an answer go out?

In pieces, one after the other, without a copy of the whole, to a reader that may be slow for a
while and not for ever. What somebody has already is not sent again.
"""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import web

from agent.exposition.answers import Answers, Content
from agent.exposition.api import problem
from agent.exposition.http.door import Refusal
from agent.exposition.http.gate import Gate
from agent.exposition.http.policy import POLICY, REVALIDATED, SENDING
from agent.exposition.http.tags import is_known
from agent.exposition.http.web import Web
from agent.exposition.piece import Piece

API = "/api/"
_NO_MORE: Mapping[str, str] = MappingProxyType({})
_NOT_MODIFIED = 304


class Sender:
    """Sends answers, and refusals in the form that suits who asks."""

    def __init__(self, answers: Answers, gate: Gate, web_config: Web) -> None:
        self._answers, self._gate, self._web = answers, gate, web_config
        self._unpacking = asyncio.Lock()

    async def send(
        self, request: web.Request, content: Content, headers: Mapping[str, str] = _NO_MORE
    ) -> web.StreamResponse:
        """Send a content, or that it has not changed."""
        response = self._head(request, content, headers)
        self._gate.sending_began(request.transport)
        try:
            async with asyncio.timeout(SENDING):
                await response.prepare(request)
                if request.method != "HEAD" and response.status != _NOT_MODIFIED:
                    for piece in content.pieces:
                        await response.write(await self._octets(piece))
                await response.write_eof()
        except ConnectionResetError:
            pass  # who asked has gone; that is no error of ours
        except (TimeoutError, ConnectionError):  # too slow, or gone: nobody's fault
            if request.transport is not None:
                request.transport.abort()
        return response

    async def _octets(self, piece: bytes | Piece) -> bytes:
        """Return what a piece is on the wire; one that has to be unpacked takes a millisecond."""
        if isinstance(piece, bytes):
            return piece
        async with self._unpacking:  # so that many readers do not take it in the same turn
            octets = bytes(piece)
            await asyncio.sleep(0)
        return octets

    def _head(
        self, request: web.Request, content: Content, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=content.status, headers={**POLICY, **headers})
        response.headers["Content-Type"] = content.type
        response.headers["Vary"] = "Accept, Accept-Encoding"
        if content.tag:
            response.headers["ETag"] = content.tag
            response.headers["Cache-Control"] = REVALIDATED
        if content.tag and is_known(content.tag, request.headers.getall("If-None-Match", ())):
            response.set_status(_NOT_MODIFIED)
        else:
            response.content_length = content.length
        if content.encoding:
            response.headers["Content-Encoding"] = content.encoding
        response.headers.update(self._web.config.headers)
        return response

    async def refuse(self, request: web.Request, refusal: Refusal) -> web.StreamResponse:
        """Say no: to a person with a page, to a program of the API with a problem, else in text."""
        if request.path.startswith(API):
            content = problem(refusal.status, refusal.title, refusal.detail)
        else:
            html = "text/html" in request.headers.get("Accept", "")
            content = self._answers.refusal(
                refusal.status, refusal.title, refusal.detail, html=html
            )
        return await self.send(request, content, refusal.headers)
