"""How is a message handed over? The only importer of aiosmtplib.

Sessions are spoken by our own conversation (:mod:`agent.adapters.smtp_session`), also those that
carry a message. aiosmtplib reads codes generously (``-55``, ``5501``), keeps a surplus reply that
came in the same segment and pairs it with the next command, and says after a lost final reply only
that the connection is gone: a monitor that must never report a message as accepted when it was not,
nor send it again when it was, cannot build its verdict on that. What the library does truly is
used: the responses of the SASL mechanisms for logging in.
"""

import asyncio
import re
import socket
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from ipaddress import ip_address
from typing import Literal

from aiosmtplib.auth import auth_login_encode, auth_plain_encode, auth_xoauth2_encode

from agent.adapters.clock import Clock
from agent.adapters.dialer import Address, Dialer, Reach
from agent.adapters.plans import Resolves, drive
from agent.adapters.smtp_session import Session, Target, hold
from agent.adapters.tls import TlsClient
from agent.adapters.trust import TrustStore
from agent.adapters.x509_making import KeyPair
from agent.domain.host import locate
from agent.domain.smtp import Errand, Login, Phase, Reason, Tls, Unreached

Expectation = Literal["never", "opportunistic", "required", "verified", "implicit"]

_NAME = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_TLS = {
    "never": Tls.NEVER,
    "opportunistic": Tls.IF_OFFERED,
    "required": Tls.REQUIRED,
    "verified": Tls.REQUIRED,
    "implicit": Tls.NEVER,  # STARTTLS, that is: the session is in TLS from its start
}


def password_login(username: str, password: str) -> Login:
    """Return the login with a password.

    By the mechanism PLAIN (RFC 4616), or by LOGIN where that is not offered, as at Exchange.
    """
    by_login = Login("LOGIN", b"", auth_login_encode(username, password))
    return Login("PLAIN", auth_plain_encode(username, password), otherwise=by_login)


def token_login(username: str, token: str) -> Login:
    """Return the login with an OAuth access token, as Exchange Online has it."""
    return Login("XOAUTH2", auth_xoauth2_encode(username, token))


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A server that takes a message: its host (a name or an address), port, and expected TLS.

    ``pair`` is the certificate of ours that is shown where the server asks for one. Raises
    ValueError for a certificate without TLS.
    """

    host: str
    port: int
    tls: Expectation = "opportunistic"
    pair: KeyPair | None = None

    def __post_init__(self) -> None:
        if self.pair is not None and self.tls == "never":
            message = "a certificate cannot be shown without TLS"
            raise ValueError(message)


async def submit(  # noqa: PLR0913 - what to send, and the world it is sent through
    destination: Destination,
    errand: Errand,
    *,
    resolver: Resolves,
    dialer: Dialer,
    trust: TrustStore,
    clock: Clock,
    deadline: timedelta,
) -> Session:
    """Hand over the message of *errand* and return the session that decided.

    ``errand.tls`` follows the destination and need not be set. The host's addresses are tried in
    turn until one is connected to; after that there is one verdict and no second try, because the
    message could arrive twice. A lost final reply is Unreached with ``is_uncertain``. Raises
    ValueError for a login without verified TLS.
    """
    if errand.login is not None and destination.tls not in ("verified", "implicit"):
        message = "a login needs verified TLS"
        raise ValueError(message)
    began = clock.monotonic()
    client = await client_for(destination.tls, destination.pair, trust)
    located = await drive(locate(destination.host), resolver)
    if located.reason is not None:
        unreached = Unreached(Phase.RESOLVE, located.reason, located.detail)
        return Session(unreached, {Phase.RESOLVE: clock.monotonic() - began})
    for address in located.addresses:
        left = deadline.total_seconds() - (clock.monotonic() - began)
        session = await hold(
            aim(destination, address, client),
            follow(errand, destination.tls),
            dialer=dialer,
            clock=clock,
            deadline=timedelta(seconds=max(left, 0.001)),
        )
        if not _try_next(session):
            break
    return session


async def client_for(tls: Expectation, pair: KeyPair | None, trust: TrustStore) -> TlsClient:
    """Return what does TLS as it is expected, showing *pair* where that is asked for.

    Raises ValueError for a pair that cannot be read or does not fit.
    """
    is_verified = tls in ("verified", "implicit")
    if pair is None:
        return trust.client(verify=is_verified)
    return await asyncio.to_thread(trust.verifying_with if is_verified else trust.showing, pair)


def aim(destination: Destination, address: Address, client: TlsClient) -> Target:
    """Return the target of a session at one address of a destination."""
    verified = destination.tls in ("verified", "implicit")
    is_name = not _is_address(destination.host)
    return Target(
        address=address,
        port=destination.port,
        tls=client,
        server_name=destination.host if is_name or verified else None,
        implicit=destination.tls == "implicit",
        reach=reach_of(destination.host),
    )


def follow(errand: Errand, tls: Expectation) -> Errand:
    """Return *errand* with the TLS that is expected."""
    return replace(errand, tls=_TLS[tls])


def reach_of(host: str) -> Reach:
    """Tell what a host that the operator wrote may lead to: see the dialer."""
    return "any" if _is_address(host) or host == "localhost" else "private"


@cache
def own_name() -> str:
    """Return the name of this machine for EHLO, where no other is given."""
    name = socket.gethostname()
    return name if _NAME.fullmatch(name) else "mailflow-agent.invalid"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _try_next(session: Session) -> bool:
    match session.dialogue:
        case Unreached(phase=Phase.CONNECT, reason=reason):
            return reason is not Reason.TIMEOUT  # nothing is left of the deadline then
    return False
