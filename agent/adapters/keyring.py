"""How does the agent log in, and with which key does it sign?

Credentials by their names in the configuration. A secret is read when it is used, so that one that
was rotated needs no restart, and nothing of it is in an error.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agent.adapters.dkim_signing import Signer, SigningError
from agent.adapters.imap_login import PasswordLogin, TokenLogin
from agent.adapters.smtp import password_login, token_login
from agent.adapters.token_trouble import TokenError
from agent.adapters.tokens import Tokens
from agent.domain.peer_text import PeerText
from agent.domain.smtp import Login

Reads = Callable[[], str]  # raises ValueError in words that do not quote the secret


class KeyringError(Exception):
    """A credential cannot be used now; ``fix`` is the missing step."""

    def __init__(self, detail: str, fix: str = "") -> None:
        super().__init__(detail)
        self.detail = PeerText(detail)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Password:
    """A user name, and where its password is."""

    username: str
    read: Reads = field(repr=False)


@dataclass(frozen=True, slots=True)
class Application:
    """An application of Entra, and the scope of the tokens that mail servers take from it."""

    scope: str


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A DKIM key: who signs, under which selector, and where the key is."""

    domain: str
    selector: str
    read: Reads = field(repr=False)


Key = Password | Application | SigningKey


class Keyring:
    """The credentials of the configuration, but for certificates that are shown in TLS."""

    def __init__(self, keys: Mapping[str, Key] | None = None, tokens: Tokens | None = None) -> None:
        self._keys = dict(keys or {})
        self.tokens = tokens

    def replace(self, keys: Mapping[str, Key], tokens: Tokens | None) -> None:
        """Hold these from now on."""
        self._keys, self.tokens = dict(keys), tokens

    def scope(self, name: str) -> str:
        """Return the scope of the tokens of an application. Raises KeyError for any other."""
        key = self._keys[name]
        if not isinstance(key, Application):
            raise KeyError(name)
        return key.scope

    async def smtp_login(self, name: str, mailbox: str) -> Login:
        """Return the login to an SMTP server; *mailbox* is whose, for an application.

        Raises KeyringError.
        """
        key = self._keys.get(name)
        if isinstance(key, Password):
            return password_login(key.username, await _reveal(name, key.read))
        return token_login(mailbox, await self._token(name, key))

    async def imap_login(self, name: str, mailbox: str) -> PasswordLogin | TokenLogin:
        """Return the login to an IMAP server, as :meth:`smtp_login` does."""
        key = self._keys.get(name)
        if isinstance(key, Password):
            return PasswordLogin(key.username, await _reveal(name, key.read))
        return TokenLogin(mailbox, await self._token(name, key))

    async def sign(self, name: str, message: bytes) -> bytes:
        """Return *message* with a signature of the key *name*. Raises KeyringError."""
        key = self._keys.get(name)
        if not isinstance(key, SigningKey):
            message_ = f"there is no DKIM key {name}"
            raise KeyringError(message_)
        pem = await _reveal(name, key.read)
        try:
            signer = Signer(key.domain, key.selector, pem.encode())
            return await asyncio.to_thread(signer.sign, message)
        except SigningError as error:
            detail = f"{name}: {error}"
            raise KeyringError(detail) from None

    async def _token(self, name: str, key: Key | None) -> str:
        if not isinstance(key, Application) or self.tokens is None:
            detail = f"there is no credential {name} to log in with"
            raise KeyringError(detail)
        try:
            return (await self.tokens.get(name, key.scope)).text
        except TokenError as error:
            detail = f"{name}: {error}"
            raise KeyringError(detail, error.fix) from None


async def _reveal(name: str, read: Reads) -> str:
    try:
        return await asyncio.to_thread(read)
    except ValueError as error:
        detail = f"{name}: {error}"
        raise KeyringError(detail) from None
