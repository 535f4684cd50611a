"""How does Microsoft's library reach the identity provider?

By our own HTTP client and nothing else, so that name resolution, address rules, trusted roots and
bounds are those of all other connections. The library is written for threads: it asks in a thread
of its own, and the loop does the work. What comes back is checked before the library sees it, and
only the provider that the operator named is asked, whatever its discovery document says.
"""

import asyncio
import concurrent.futures
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from agent.adapters.https_api import Api, Failure, Reply, Request
from agent.adapters.retry_after import read_retry_after
from agent.adapters.token_trouble import NoToken, TokenTrouble, classify, codes_in
from agent.domain.peer_text import PeerText

MAX_REPLY = 256 * 1024  # octets
MAX_LIFETIME = timedelta(days=2)
_WITHIN = timedelta(seconds=20)  # one request
_MARGIN = 5.0  # seconds until the thread gives the loop up
_MASK = "********"
_SECRETS = ("client_secret", "client_assertion")  # as named on the wire
_SHORTEST = 4  # characters of a secret that is looked for in a reply
_TOO_MANY, _UNAVAILABLE, _ERROR = 429, 503, 400
_MEANT = (2, 4)  # hundreds: an answer of the provider's, be it an error


class TokenHttpError(OSError):
    """The library gets no answer; why is kept in the client."""


@dataclass(slots=True)
class Response:
    """An answer in the form that the library expects."""

    status_code: int
    text: str = field(repr=False)
    headers: dict[str, str]


class LibraryHttp:
    """The HTTP client of one attempt to get a token; every method blocks its thread.

    ``why`` is the last thing that went wrong. ``origin`` is the only place that is asked; None
    leaves that to the platform, for a managed identity.
    """

    def __init__(self, api: Api, loop: asyncio.AbstractEventLoop, origin: str | None) -> None:
        self._api, self._loop, self._origin = api, loop, origin
        self._is_over = False
        self.why: NoToken | None = None

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> Response:
        """Ask. Raises TokenHttpError."""
        if self._origin is None:  # Azure Arc has its service at a name of this machine
            url = url.replace("http://localhost:", "http://127.0.0.1:", 1)
        query = f"{'&' if urlsplit(url).query else '?'}{urlencode(params)}" if params else ""
        return self._ask(Request("GET", url + query, headers or {}), ())

    def post(
        self,
        url: str,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> Response:
        """Send a form. Raises TokenHttpError."""
        form = {name: _text(value) for name, value in (data or {}).items()}
        hidden = tuple(form[name] for name in _SECRETS if name in form)
        lines = {**(headers or {}), "Content-Type": "application/x-www-form-urlencoded"}
        return self._ask(Request("POST", url, lines, urlencode(form).encode()), hidden)

    def close(self) -> None:
        """Nothing is to be closed: the connections are not ours."""

    def _ask(self, request: Request, hidden: tuple[str, ...]) -> Response:
        if self._origin is not None and origin_of(request.url) != self._origin:
            raise self._gave_up(TokenTrouble.MALFORMED, "the provider refers to another host")
        bounded = Request(
            request.method, request.url, request.headers, request.body, MAX_REPLY, within=_WITHIN
        )
        reply = self._wait_for(bounded)
        if reply is None:
            raise self._gave_up(TokenTrouble.UNREACHABLE, "the agent is stopping, or stuck")
        if isinstance(reply, Failure):
            raise self._gave_up(TokenTrouble.UNREACHABLE, reply.detail)
        return self._checked(reply, hidden)

    def _wait_for(self, request: Request) -> Reply | Failure | None:
        """Have the loop send a request; None where it does not any more."""
        if self._is_over:
            return None
        sending = self._api.request(request)
        try:
            asking = asyncio.run_coroutine_threadsafe(sending, self._loop)
        except RuntimeError:  # the loop is closed
            sending.close()
            return None
        try:
            return asking.result(request.within.total_seconds() + _MARGIN)
        except concurrent.futures.CancelledError:
            # The loop is ending: what the library tries next would be begun, and left half done.
            self._is_over = True
            return None
        except TimeoutError:
            asking.cancel()
            return None

    def _checked(self, reply: Reply, hidden: tuple[str, ...]) -> Response:
        if reply.status in (_TOO_MANY, _UNAVAILABLE):
            retry_after = read_retry_after(reply.headers)
            self.why = NoToken(TokenTrouble.THROTTLED, _status(reply), retry_after)
            raise TokenHttpError
        if reply.status // 100 not in _MEANT:
            raise self._gave_up(TokenTrouble.UNREACHABLE, _status(reply))
        # Azure Arc names the file with its secret in a header, beside an empty body.
        is_arc = self._origin is None and "www-authenticate" in reply.headers
        content = {} if is_arc and not reply.body else _object(reply.body)
        if content is None:
            detail = f"{_status(reply)}, and no JSON object in it"
            raise self._gave_up(TokenTrouble.MALFORMED, detail)
        if flaw := next(_flaws(content), None):
            raise self._gave_up(TokenTrouble.MALFORMED, flaw)
        if reply.status >= _ERROR or "error" in content:
            self._note(content, hidden)
        headers = {str(name): str(value) for name, value in reply.headers.items()}
        return Response(reply.status, json.dumps(content), headers)

    def _note(self, content: dict[str, Any], hidden: tuple[str, ...]) -> None:
        """Keep what the provider says is wrong, without what we have sent it."""
        description = str(content.get("error_description") or content.get("error") or "")
        for secret in hidden:
            if len(secret) >= _SHORTEST:
                description = description.replace(secret, _MASK)
        numbers = content.get("error_codes")
        listed = [each for each in numbers if isinstance(each, int)] if numbers else []
        trouble = classify((*codes_in(description), *listed))
        self.why = NoToken(trouble, PeerText(description.splitlines()[0] if description else ""))

    def _gave_up(self, trouble: TokenTrouble, detail: str) -> TokenHttpError:
        self.why = NoToken(trouble, PeerText(detail))
        return TokenHttpError(str(trouble))


def origin_of(url: str) -> str:
    """Return scheme, host and port of *url*, fit for comparison; empty where it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname else ""


def _text(value: Any) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)


def _status(reply: Reply) -> PeerText:
    return PeerText(f"status {reply.status}")


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


_KINDS: dict[str, type | tuple[type, ...]] = {
    "access_token": str,
    "token_type": str,
    "expires_in": (int, str),  # a string at a managed identity
    "error": str,
    "error_description": str,
    "error_codes": list,
    "token_endpoint": str,
    "authorization_endpoint": str,
}


def _flaws(content: dict[str, Any]) -> Iterator[str]:
    """Yield why the library must not see an answer."""
    for name, kind in _KINDS.items():
        if not isinstance(content.get(name, "" if name != "error_codes" else []), kind):
            yield f"{name} is of the wrong kind"
    if "access_token" in content and lifetime_of(content) is None:
        yield "expires_in is no time that a token may live"


def lifetime_of(content: Mapping[str, Any]) -> timedelta | None:
    """Return for how long a token is valid; None where that is no sensible time."""
    value = content.get("expires_in")
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) < 9 else None  # noqa: PLR2004
    if not isinstance(value, int) or not 0 < value <= MAX_LIFETIME.total_seconds():
        return None
    return timedelta(seconds=value)
