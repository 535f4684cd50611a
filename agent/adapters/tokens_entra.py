"""How does Microsoft's library get a token for an application?

The only importer of msal, an extra that is needed for Exchange Online alone: it is imported when
the first token is asked for. The library asks afresh each time, because what it would cache is
cached by :mod:`agent.adapters.tokens`, where a forced renewal, a rotated secret and a stepped clock
are known. Its loggers are cut off: they quote what the provider says, whole and as it came.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

from agent.adapters.https_api import Api
from agent.adapters.token_credentials import (
    ClientCertificate,
    ClientSecret,
    Credential,
    ManagedIdentity,
    WorkloadIdentity,
)
from agent.adapters.token_trouble import NoToken, TokenTrouble
from agent.adapters.tokens_http import LibraryHttp, lifetime_of, origin_of
from agent.adapters.x509 import read
from agent.adapters.x509_making import KeyPair, ders_of
from agent.domain.peer_text import PeerText

_NOT_A_TENANT = frozenset({"common", "organizations", "consumers", ""})
_DEFAULT_SCOPE = "/.default"


@dataclass(frozen=True, slots=True)
class Grant:
    """A token, as the provider gave it, and for how long it is valid.

    ``secret_expires_at`` is when the certificate that it was got with ends, if it was.
    """

    text: str = field(repr=False)
    lifetime: timedelta
    secret_expires_at: datetime | None = None


class _UnusableError(Exception):
    """What the credential refers to cannot be used; why is a value of ours."""

    def __init__(self, why: NoToken) -> None:
        super().__init__(str(why.trouble))
        self.why = why


def obtain(
    credential: Credential, scope: str, api: Api, loop: asyncio.AbstractEventLoop
) -> Grant | NoToken:
    """Ask for a token for *scope*, such as ``https://graph.microsoft.com/.default``.

    It blocks: it is for a thread, while *loop* runs in another. Never raises.
    """
    msal = _library()
    if msal is None:
        return NoToken(TokenTrouble.LIBRARY_MISSING, PeerText("msal is not installed"))
    origin = None if isinstance(credential, ManagedIdentity) else origin_of(credential.authority)
    http = LibraryHttp(api, loop, origin)
    try:
        proof = _read_proof(credential)
    except _UnusableError as error:
        return error.why
    result = _ask(msal, credential, proof, scope, http)
    if isinstance(result, dict) and isinstance(result.get("access_token"), str):
        lifetime = lifetime_of(result)
        if lifetime is not None and result["access_token"].isascii():
            return Grant(result["access_token"], lifetime, proof.expires_at)
    why = http.why or NoToken(TokenTrouble.MALFORMED, PeerText("no token and no error"))
    if origin is None and why.trouble is TokenTrouble.REFUSED:
        return NoToken(TokenTrouble.UNKNOWN_APPLICATION, why.detail)
    return why


def _library() -> ModuleType | None:
    try:
        import msal
    except ImportError:
        return None
    logging.getLogger("msal").propagate = False
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "msal":
            logging.getLogger(name).disabled = True
    return msal  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class _Proof:
    """What the library takes as the credential."""

    value: Any = field(repr=False)
    expires_at: datetime | None = None


def _read_proof(credential: Credential) -> _Proof:
    """Read the secret now. Raises _UnusableError."""
    try:
        match credential:
            case ClientSecret():
                return _Proof(credential.secret())
            case ClientCertificate():
                return _certificate(credential.certificate(), credential.key())
            case WorkloadIdentity():
                assertion = credential.assertion().strip()
                # A plain text would make the library warn that it ends some day.
                return _Proof({"client_assertion": lambda: assertion})
            case _:
                return _Proof(None)
    except (ValueError, OSError) as error:
        # A codec's words quote what it could not read.
        trouble = "is not text" if isinstance(error, UnicodeError) else str(error)
    raise _UnusableError(NoToken(TokenTrouble.UNREADABLE_SECRET, PeerText(trouble)))


def _certificate(certificate: str, key: str) -> _Proof:
    """Return the proof of a certificate. Raises ValueError where its key cannot sign for it."""
    pair = KeyPair(certificate.encode(), key.encode())
    facts = read(ders_of(pair)[0])
    if facts.key_type != "RSA":
        message = "Entra takes RSA keys only"
        raise ValueError(message)
    return _Proof({"private_key": key, "public_certificate": certificate}, facts.not_after)


def _ask(
    msal: ModuleType, credential: Credential, proof: _Proof, scope: str, http: LibraryHttp
) -> Any:
    """Return what the library returns; None where it raises, for then *http* knows why."""
    try:
        if isinstance(credential, ManagedIdentity):
            return _ask_platform(msal, credential, scope, http)
        if credential.tenant.lower() in _NOT_A_TENANT:
            http.why = NoToken(TokenTrouble.UNKNOWN_TENANT, PeerText(credential.tenant))
            return None
        application = msal.ConfidentialClientApplication(
            credential.client_id,
            client_credential=proof.value,
            authority=f"{credential.authority.rstrip('/')}/{credential.tenant}",
            http_client=http,
            instance_discovery=False,  # it would ask Microsoft's global cloud of a national one
            azure_region=False,
        )
        return application.acquire_token_for_client([scope])
    except (ValueError, LookupError, TypeError, RuntimeError, OSError, msal.exceptions.MsalError):
        return None


def _ask_platform(
    msal: ModuleType, credential: ManagedIdentity, scope: str, http: LibraryHttp
) -> Any:
    identity = (
        msal.UserAssignedManagedIdentity(client_id=credential.client_id)
        if credential.client_id
        else msal.SystemAssignedManagedIdentity()
    )
    client = msal.ManagedIdentityClient(identity, http_client=http)
    return client.acquire_token_for_client(resource=scope.removesuffix(_DEFAULT_SCOPE))
