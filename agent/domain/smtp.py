"""How did it go with an SMTP server: yes, no, or nobody can tell?

The three must never be mixed up. A yes and a no are the server's own words and carry its reply;
the third says at which phase it came to nothing and why, in words of ours. An errand is what a
session is for. :mod:`agent.domain.smtp_conversation` carries errands out.
"""

import enum
import re
from collections.abc import Collection
from dataclasses import dataclass, field

from agent.domain.peer_text import PeerText
from agent.domain.smtp_reply import Reply

_UNSAFE = re.compile(r"[^\x21-\x7e]|[<>]")


class Phase(enum.StrEnum):
    """A part of a session, in the order they come."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    CERTIFICATE = "certificate"  # the TLS handshake, in which the server shows its certificate
    EHLO_AGAIN = "ehlo-again"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    FINAL = "final"  # from the first octet of the message to the reply that takes or rejects it
    QUIT = "quit"


class Reason(enum.StrEnum):
    """Why there is no yes and no no: a closed set, fit for a label value."""

    UNRESOLVED = "unresolved"  # the name has no address
    DNS_UNANSWERED = "dns-unanswered"
    FORBIDDEN_ADDRESS = "forbidden-address"  # we do not connect there
    NO_ROUTE = "no-route"  # this machine cannot reach that network
    EXHAUSTED = "exhausted"  # this machine is out of sockets
    BUSY = "busy"  # the host sees as many connections from us as it may
    NO_EGRESS = "no-egress"  # nobody greeted us at that port, so it may be closed here
    HELD_BACK = "held-back"  # the host has asked to slow down, and is left alone for a while
    REFUSED = "refused"
    TIMEOUT = "timeout"
    CONNECTION_LOST = "connection-lost"
    PROTOCOL = "protocol"
    TLS_NOT_OFFERED = "tls-not-offered"
    TLS_INJECTION = "tls-injection"
    TLS_VERSION = "tls-version"
    TLS_HANDSHAKE = "tls-handshake"
    TLS_CERTIFICATE = "tls-certificate"
    CLIENT_CERTIFICATE = "client-certificate"  # the server demands one that we do not have
    AUTH_NOT_OFFERED = "auth-not-offered"

    @property
    def is_ours(self) -> bool:
        """True where the cause is on this side, so that nothing is known about the server."""
        return self in _OURS


_OURS = frozenset(
    {
        Reason.DNS_UNANSWERED,
        Reason.FORBIDDEN_ADDRESS,
        Reason.NO_ROUTE,
        Reason.EXHAUSTED,
        Reason.BUSY,
        Reason.NO_EGRESS,
        Reason.HELD_BACK,
        Reason.CLIENT_CERTIFICATE,
    }
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server said yes to all that was asked; ``reply`` is its last yes."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Refused:
    """The server said no."""

    phase: Phase
    reply: Reply


@dataclass(frozen=True, slots=True)
class Unreached:
    """No answer that can be believed; ``detail`` is for people and no part of the identity."""

    phase: Phase
    reason: Reason
    detail: str = field(default="", compare=False)

    @property
    def is_uncertain(self) -> bool:
        """True where the server may have taken the message, if one was sent."""
        return self.phase in (Phase.FINAL, Phase.QUIT)


Dialogue = Accepted | Refused | Unreached


class Tls(enum.StrEnum):
    """Whether the session is to be encrypted."""

    NEVER = "never"
    IF_OFFERED = "if-offered"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Login:
    """A way to log in: a SASL mechanism and what is said in it, secrets that have no repr.

    ``response`` is the initial response in base64, empty where the mechanism has none; ``more`` are
    the responses to what the server asks then; ``otherwise`` is the login for a server that does
    not offer the mechanism.
    """

    mechanism: str
    response: bytes = field(repr=False)
    more: tuple[bytes, ...] = field(default=(), repr=False)
    otherwise: "Login | None" = None

    def among(self, offered: Collection[str]) -> "Login | None":
        """Return the first login whose mechanism is *offered*, given in capitals."""
        login: Login | None = self
        while login is not None and login.mechanism not in offered:
            login = login.otherwise
        return login


@dataclass(frozen=True, slots=True)
class Errand:
    """What a session is for: how far it goes and what it says.

    Without ``mail_from`` it ends after EHLO; without ``rcpt_to`` after MAIL; without ``message``
    after RCPT. The empty ``mail_from`` is the null sender. Raises ValueError for words that would
    break out of their command, and for a login that could go in the clear.
    """

    helo: str
    tls: Tls = Tls.IF_OFFERED
    mail_from: str | None = None
    rcpt_to: tuple[str, ...] = ()
    message: bytes | None = field(default=None, repr=False)
    login: Login | None = None

    def __post_init__(self) -> None:
        for word in (self.helo, self.mail_from or "", *self.rcpt_to):
            if _UNSAFE.search(word):
                message = f"cannot be said in SMTP: {PeerText(word)}"
                raise ValueError(message)
        if self.login is not None and self.tls is Tls.IF_OFFERED:
            message = "a login needs TLS for certain"
            raise ValueError(message)
        if not self.helo:
            message = "EHLO needs a name"
            raise ValueError(message)
