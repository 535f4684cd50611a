"""Who may read what?

On loopback everybody on this machine may read everything, and a foreign Host header is refused, so
that a web page cannot read it through a browser. Where the web configuration has users, everybody
has to log in. Beyond loopback, whoever has neither logged in nor shown a certificate that is
verified sees the metrics, and names and states, and nothing of why.
"""

import enum
import math
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import web

from agent.exposition.http.logins import Verdict
from agent.exposition.http.policy import BODY
from agent.exposition.http.web import Web

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="mailflow-agent", charset="UTF-8"'}  # RFC 7617
_CLOSED = (
    "Beyond loopback this needs a login. Set agent.web_config to a file with basic_auth_users, or"
    " with client_auth_type: RequireAndVerifyClientCert; docs/http.md shows how."
)
PROBE = "/probe"  # where something is looked at for whoever asks
TRUSTED = web.RequestKey("trusted", bool)  # whether who asks may read everything


class Access(enum.Enum):
    """Whom something is for."""

    HEALTH = "health"  # everybody, and without a login: it says one word
    PUBLIC = "public"  # everybody where there is no login
    DETAILS = "details"  # this machine, or who has logged in
    HIDDEN = "hidden"  # the same, and nobody else learns that it exists


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered."""

    status: int
    title: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Door:
    """Lets requests in; *hosts* are names under which loopback may be asked for."""

    def __init__(self, web_config: Web, hosts: Iterable[str]) -> None:
        self._web = web_config
        self._hosts = frozenset(host.lower() for host in hosts) | _LOOPBACK
        self.is_local = True  # whether only this machine can reach us

    async def admit(self, request: web.Request, access: Access) -> Refusal | None:
        """Return why *request* is refused; None lets it in, with ``TRUSTED`` set."""
        refusal = self._misfit(request)
        if refusal is None and access is not Access.HEALTH:
            refusal = self._limit() or await self._log_in(request) or self._judge(request, access)
        return refusal

    def _misfit(self, request: web.Request) -> Refusal | None:
        if self.is_local and not self._is_ours(request.headers.get("Host")):
            return Refusal(403, "Forbidden", "This host name is not served.")
        if (request.content_length or 0) > BODY:
            return Refusal(413, "Too large", "The request has too much in it.")
        return None

    def _judge(self, request: web.Request, access: Access) -> Refusal | None:
        request[TRUSTED] = self.is_local or self._is_known(request)
        if request[TRUSTED] or access is Access.PUBLIC:
            return None if comes_from_here(request) else _foreign()
        if access is Access.HIDDEN:
            return Refusal(404, "Not found", "See / for what there is.")
        return Refusal(403, "Forbidden", _CLOSED)

    def _limit(self) -> Refusal | None:
        wait = 0.0 if self._web.bucket is None else self._web.bucket.take()
        return (
            too_many("The rate limit of the web configuration is reached.", wait) if wait else None
        )

    async def _log_in(self, request: web.Request) -> Refusal | None:
        if not self._web.config.users:
            return None
        given = request.headers.getall("Authorization", [])
        verdict = Verdict.WRONG
        if len(given) == 1:
            verdict = await self._web.logins.check(given[0])
        if verdict is Verdict.BUSY:
            return too_many("Too many logins are being checked.", 1)
        if verdict is Verdict.WRONG:
            return Refusal(401, "Unauthorized", "Log in with a name and a password.", _CHALLENGE)
        return None

    def _is_known(self, request: web.Request) -> bool:
        """Tell whether who asks has logged in, or shown a certificate that was verified."""
        if self._web.config.users:
            return True  # or it would not have come here
        transport = request.transport
        shown = None if transport is None else transport.get_extra_info("ssl_object")
        return isinstance(shown, ssl.SSLObject) and bool(shown.getpeercert())

    def _is_ours(self, host: str | None) -> bool:
        if host is None:  # only programs leave it out; browsers, who could be misled, do not
            return True
        try:
            return (urlsplit(f"//{host}").hostname or "") in self._hosts
        except ValueError:
            return False


def comes_from_here(request: web.Request) -> bool:
    """Tell whether a page of ours asks, or a program, where something would be changed.

    Browsers say which site it is that asks. To ask ``/probe`` is to have something looked at, by
    whatever method.
    """
    if request.method in ("GET", "HEAD") and request.path != PROBE:
        return True
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    try:
        same = origin is None or urlsplit(origin).netloc == request.headers.get("Host")
    except ValueError:
        return False
    return same and site in ("same-origin", "none")


def too_many(detail: str, wait: float) -> Refusal:
    """Return the refusal of one who should ask again in *wait* seconds (RFC 6585 section 4)."""
    seconds = max(1, math.ceil(wait))
    return Refusal(429, "Too many requests", detail, {"Retry-After": str(seconds)})


def _foreign() -> Refusal:
    return Refusal(403, "Forbidden", "Another site may not do this.")
