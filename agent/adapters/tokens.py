"""Which token shows the agent to Microsoft's services, and who asks for it?

One place asks, and all others wait: however many checks want a token, the identity provider sees
one request per expiry. A token is replaced five minutes before its end. Where that fails the old
one serves as long as it is valid, the trouble is noted, and asking again is put off a little longer
each time. :mod:`agent.adapters.tokens_entra` talks to the provider, in a thread.
"""

import asyncio
import concurrent.futures
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.adapters.clock import Clock
from agent.adapters.https_api import Api
from agent.adapters.token_credentials import ClientSecret, Credential, ManagedIdentity
from agent.adapters.token_trouble import NoToken, TokenError, TokenTrouble
from agent.adapters.tokens_entra import Grant, obtain
from agent.domain.peer_text import PeerText

AHEAD = timedelta(minutes=5)  # before its end a token is replaced
PATIENCE = timedelta(seconds=2)  # for the new token, where the old one is still valid
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)  # after failures
_AWAY_PAUSE = timedelta(seconds=10)  # while the provider cannot be reached at all
_YOUNG = timedelta(minutes=1)  # a token that is not replaced because a service refuses it
_THREADS = 4


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token; ``text`` is the secret. ``expires_at`` is by our wall clock."""

    text: str = field(repr=False)
    expires_at: datetime

    def __str__(self) -> str:
        return "Token(********)"


@dataclass(frozen=True, slots=True)
class CredentialStatus:
    """How it stands with a credential.

    ``expires_at`` is the end of the token that ends first, ``secret_expires_at`` that of the client
    secret or certificate, where it is known. ``failure`` is what went wrong at ``failed_at``, for
    the last of so many ``failures`` in a row; it is None once a token has been got since.
    ``is_blind``: there is no old token either that would still serve.
    """

    name: str
    expires_at: datetime | None
    secret_expires_at: datetime | None
    failure: NoToken | None
    failed_at: datetime | None
    failures: int = 0
    is_blind: bool = False


@dataclass(slots=True)
class _Entry:
    """One credential for one scope."""

    token: Token | None = None
    got_at: float = 0.0  # monotonic
    until: float = 0.0  # monotonic; the wall clock may step
    asking: asyncio.Task[None] | None = None
    failure: NoToken | None = None
    failed_at: datetime | None = None
    failures: int = 0
    pause: timedelta = _FIRST_PAUSE
    not_before: float = 0.0  # monotonic
    secret_expires_at: datetime | None = None


class Tokens:
    """Tokens by the names of credentials.

    ``api`` reaches the identity provider; ``platform`` what a cloud's machines ask for theirs,
    where it is another.
    """

    def __init__(
        self,
        credentials: Mapping[str, Credential],
        *,
        api: Api,
        clock: Clock,
        platform: Api | None = None,
    ) -> None:
        self._credentials = dict(credentials)
        self._api, self._platform, self._clock = api, platform or api, clock
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._threads = concurrent.futures.ThreadPoolExecutor(_THREADS, thread_name_prefix="tokens")

    async def get(self, credential_name: str, scope: str) -> Token:
        """Return a token for *scope* that is valid now, such as the resource and ``/.default``.

        Raises TokenError where there is none. Ends by itself within a minute, whatever the provider
        does.
        """
        entry = self._entry(credential_name, scope)
        left = self._left(entry)
        if left > AHEAD.total_seconds() and entry.token is not None:
            return entry.token
        asking = self._ask(credential_name, scope, entry)
        if asking is not None and left > 0:
            await asyncio.wait({asking}, timeout=PATIENCE.total_seconds())
        if asking is not None and self._left(entry) <= 0:
            await asyncio.wait({asking})
        if entry.token is not None and self._left(entry) > 0:
            return entry.token
        stopped = NoToken(TokenTrouble.UNREACHABLE, PeerText("the agent is stopping"))
        raise TokenError(entry.failure or stopped)

    async def renew(self, credential_name: str, scope: str, refused: Token) -> Token:
        """Return another token than *refused*, which a service did not take.

        However many were refused the same token, one new one is asked for. A token that is younger
        than a minute is returned again: another one would fare no better. Raises TokenError.
        """
        entry = self._entry(credential_name, scope)
        age = self._clock.monotonic() - entry.got_at
        if entry.token is refused and age >= _YOUNG.total_seconds():
            entry.token = None
        return await self.get(credential_name, scope)

    def status(self) -> tuple[CredentialStatus, ...]:
        """Return how it stands with each credential, in the order of the configuration."""
        return tuple(self._status(name) for name in self._credentials)

    def hurry(self) -> None:
        """Ask again when next a token is wanted: what kept the agent from asking is over."""
        for entry in self._entries.values():
            entry.not_before, entry.pause = 0.0, _FIRST_PAUSE

    async def close(self) -> None:
        """Stop asking. Never raises."""
        asking = [entry.asking for entry in self._entries.values() if entry.asking is not None]
        for task in asking:
            task.cancel()
        if asking:
            await asyncio.wait(asking)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _entry(self, name: str, scope: str) -> _Entry:
        if name not in self._credentials:
            detail = PeerText(f"there is no credential {name}")
            raise TokenError(NoToken(TokenTrouble.UNKNOWN_APPLICATION, detail))
        return self._entries.setdefault((name, scope), _Entry())

    def _left(self, entry: _Entry) -> float:
        """Return for how many seconds the token is valid, by the clock that says less."""
        if entry.token is None:
            return 0.0
        by_wall = (entry.token.expires_at - self._clock.now()).total_seconds()
        return min(by_wall, entry.until - self._clock.monotonic())

    def _ask(self, name: str, scope: str, entry: _Entry) -> asyncio.Task[None] | None:
        """Return the task that asks, which all share; None while asking is put off."""
        if entry.asking is None:
            if self._clock.monotonic() < entry.not_before:
                return None
            entry.asking = asyncio.create_task(self._refresh(name, scope, entry))
        return entry.asking

    async def _refresh(self, name: str, scope: str, entry: _Entry) -> None:
        credential = self._credentials[name]
        api = self._platform if isinstance(credential, ManagedIdentity) else self._api
        loop = asyncio.get_running_loop()
        # Before asking: it is valid from the moment it was made, on the provider's clock.
        at, began = self._clock.now(), self._clock.monotonic()
        try:
            told = await loop.run_in_executor(self._threads, obtain, credential, scope, api, loop)
        finally:
            entry.asking = None
        if isinstance(told, Grant):
            entry.token = Token(told.text, at + told.lifetime)
            entry.got_at = began
            entry.until = began + told.lifetime.total_seconds()
            entry.secret_expires_at = told.secret_expires_at
            entry.failure, entry.failed_at, entry.failures = None, None, 0
            entry.pause = _FIRST_PAUSE
            return
        entry.failure, entry.failed_at = told, self._clock.now()
        entry.failures += 1
        pause = max(entry.pause, told.retry_after or timedelta())
        entry.not_before = self._clock.monotonic() + pause.total_seconds()
        is_away = told.trouble is TokenTrouble.UNREACHABLE  # nobody is bothered by trying soon
        entry.pause = min(entry.pause * 2, _AWAY_PAUSE if is_away else _LONGEST_PAUSE)

    def _status(self, name: str) -> CredentialStatus:
        entries = [entry for (of, _), entry in self._entries.items() if of == name]
        ends = [entry.token.expires_at for entry in entries if entry.token is not None]
        failing = [entry for entry in entries if entry.failure is not None]
        failed = min(failing, key=self._left, default=_Entry())
        credential = self._credentials[name]
        known = (
            credential.secret_expires_at
            if isinstance(credential, ClientSecret)
            else next((entry.secret_expires_at for entry in entries), None)
        )
        return CredentialStatus(
            name,
            min(ends, default=None),
            known,
            failed.failure,
            failed.failed_at,
            failed.failures,
            is_blind=failed.failure is not None and self._left(failed) <= 0,
        )
