"""What do registries say of domains, asked politely?

IANA's file tells which server is responsible (RFC 9224); it is fetched once a day at most. A server
that asks for rest gets it, from all domains that it is responsible for. Redirects are followed, a
few of them, over TLS and to public addresses only (RFC 7480 section 5.2). How often one domain may
be asked about is the caller's to keep, because that outlives this process; what was told is kept
here for that long, so that two names below one domain share an answer.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urljoin, urlsplit

from agent.adapters.clock import Clock
from agent.adapters.dialer import is_allowed
from agent.adapters.https_api import Api, Failure, Reply, Request
from agent.adapters.retry_after import read_retry_after
from agent.domain.peer_text import PeerText
from agent.domain.rdap import Registration, UnreadableError, read_domain, read_json, read_servers
from agent.domain.registration_book import EVERY

IANA = "https://data.iana.org/rdap/dns.json"
_MOST_OF_IANA = 1024 * 1024  # octets; the file has about a twentieth of that
MOST = 256 * 1024  # octets of one answer
_REDIRECTS = 3
_AGAIN = timedelta(hours=1)  # until IANA's file is tried again
_LONGEST_REST = timedelta(days=7)
_TYPES = ("application/rdap+json", "application/json")  # RFC 7480 section 4.2, and what some send
_LEADS = (301, 302, 303, 307, 308)
_OK, _NOT_FOUND = 200, 404
_BUSY = (429, 503)
_MAX_KNOWN = 10_000  # domains


@dataclass(frozen=True, slots=True)
class Told:
    """The registry's answer; no registration where it knows no such domain."""

    at: datetime
    registration: Registration | None


@dataclass(frozen=True, slots=True)
class Untold:
    """There is no answer. ``has_no_server`` tells that the registry offers none.

    ``was_sent`` tells that a server may have got the request.
    """

    trouble: str
    has_no_server: bool = False
    was_sent: bool = True


class Registries:
    """Asks registries by RDAP."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api, self._clock = api, clock
        self._file: Any = None
        self._file_trouble = ""
        self._file_until: datetime | None = None
        self._rests: dict[str, datetime] = {}  # by host
        self._known: dict[str, Told] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._fetching = asyncio.Lock()

    def turn(self, domain: str) -> asyncio.Lock:
        """Return what lets one caller at a time look after *domain*."""
        if len(self._turns) > _MAX_KNOWN:
            self._turns = defaultdict(
                asyncio.Lock, {name: lock for name, lock in self._turns.items() if lock.locked()}
            )
        return self._turns[domain]

    def known(self, domain: str) -> Told | None:
        """Return what was told of *domain* within a day."""
        told = self._known.get(domain)
        return told if told is not None and self._clock.now() - told.at < EVERY else None

    async def server_of(self, domain: str) -> str | Untold:
        """Return where to ask about *domain*, unless nobody may be asked now."""
        async with self._fetching:
            if self._file_until is None or self._clock.now() >= self._file_until:
                await self._fetch_file()
        if self._file is None:
            return Untold(f"IANA's list of servers: {self._file_trouble}")
        try:
            servers = read_servers(self._file, domain)
        except UnreadableError as error:
            return Untold(f"IANA's list of servers: {error}")
        if not servers:
            return Untold("the registry has no server", has_no_server=True)
        host = _host(servers[0])
        until = self._rests.get(host)
        if until is not None and self._clock.now() < until:
            return Untold(f"{PeerText(host)} asked for rest until {until:%Y-%m-%d %H:%M} UTC")
        return servers[0]

    async def ask(self, server: str, domain: str, within: timedelta) -> Told | Untold:
        """Send the one request about *domain*, and what redirects make of it."""
        url = f"{server.rstrip('/')}/domain/{domain}"
        deadline = self._clock.monotonic() + within.total_seconds()
        for _ in range(1 + _REDIRECTS):
            left = timedelta(seconds=max(deadline - self._clock.monotonic(), 0.1))
            reply = await self._get(url, MOST, left)
            if isinstance(reply, Reply) and reply.status in _LEADS:
                url = _joined(url, reply.headers.get("location", ""))
                if trouble := _unfollowed(url):
                    return Untold(trouble)
                continue
            return await self._understand(reply, url, domain)
        return Untold(f"more than {_REDIRECTS} redirects")

    async def _get(self, url: str, most: int, within: timedelta) -> Reply | Failure:
        # One connection to a registry is enough for a day: none is kept.
        accept = {"Accept": "application/rdap+json"}
        return await self._api.request(
            Request("GET", url, accept, most=most, within=within, is_alone=True)
        )

    async def _fetch_file(self) -> None:
        now = self._clock.now()
        reply = await self._get(IANA, _MOST_OF_IANA, timedelta(seconds=10))
        if isinstance(reply, Failure):
            trouble = reply.detail
        elif reply.status != _OK:
            trouble = PeerText(f"status {reply.status}")
        else:
            try:
                self._file = await asyncio.to_thread(read_json, reply.body)
                self._file_until = now + EVERY
            except UnreadableError as error:
                trouble = PeerText(str(error))
            else:
                return
        self._file_trouble = trouble  # and what is known from before goes on
        self._file_until = now + _AGAIN

    async def _understand(self, reply: Reply | Failure, url: str, domain: str) -> Told | Untold:
        host = PeerText(_host(url))
        if isinstance(reply, Failure):
            return Untold(f"{host}: {reply.detail}", was_sent=reply.was_sent)
        if reply.status in _BUSY:
            rest = read_retry_after(reply.headers, most=_LONGEST_REST)
            self._rests[_host(url)] = self._clock.now() + rest
            return Untold(f"{host} asked for rest (status {reply.status})")
        if reply.status == _NOT_FOUND:
            return self._note(domain, None)
        try:
            _refuse_others(reply)
            # A long answer of a stranger is read beside the loop.
            data = await asyncio.to_thread(read_json, reply.body)
            return self._note(domain, read_domain(data, domain))
        except UnreadableError as error:
            return Untold(f"{host}: {error}")

    def _note(self, domain: str, registration: Registration | None) -> Told:
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        told = self._known[domain] = Told(self._clock.now(), registration)
        return told


def _refuse_others(reply: Reply) -> None:
    """Raise UnreadableError for a reply that is no answer of RDAP."""
    if reply.status != _OK:
        message = f"status {reply.status}"
        raise UnreadableError(message)
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _TYPES:
        message = f"it is {PeerText(kind) or 'of no type'}, not {_TYPES[0]}"
        raise UnreadableError(message)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _joined(url: str, place: str) -> str:
    try:
        return urljoin(url, place)
    except ValueError:
        return place


def _unfollowed(url: str) -> str:
    """Say why a redirect is not followed; names are looked at when they are resolved."""
    host = _host(url)
    shown = PeerText(url)
    if not url.lower().startswith("https://") or not host:
        return f"a redirect to {shown} is not followed: it is not over TLS"
    try:
        address = ip_address(host)
    except ValueError:
        return ""
    if is_allowed(address, "public"):
        return ""
    return f"a redirect to {shown} is not followed: the address is not public"
