"""How does a client speak TLS over octets that somebody else carries?

Two engines keep to the same few words, because a monitor wants two things of TLS. One verifies, and
stops before anything secret could be said to a stranger (:mod:`agent.adapters.tls_verifying`). The
other judges nothing and learns everything, also of a server whose certificate is wrong in three
ways (:mod:`agent.adapters.tls_learning`).
"""

from dataclasses import dataclass
from typing import Protocol

from agent.domain.peer_text import PeerText
from agent.domain.smtp import Reason

RECORD = 16_384  # octets of a TLS record, RFC 8446 section 5.1

_OLD = ("unsupported protocol", "no protocols available", "tlsv1 alert protocol version")
_TOO_LITTLE = (
    "tlsv1 alert insufficient security",
    "no shared cipher",
    "no ciphers available",
    "dh key too small",
)


class TlsError(Exception):
    """The handshake failed; ``reason`` is of a closed set, the text is printable."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Secured:
    """What a handshake agreed on.

    ``chain`` is what the server sent, in its order, in DER; ``staple`` the OCSP answer that it
    stapled, in DER; ``asked`` whether it asked for a certificate of the client's, None where that
    was not looked at.
    """

    version: str
    cipher: str
    chain: tuple[bytes, ...]
    staple: bytes = b""
    asked: bool | None = None


class TlsEnd(Protocol):
    """The client's end of one TLS connection, over memory."""

    def feed(self, data: bytes) -> None:
        """Take octets that came from the server."""
        ...

    def take(self) -> bytes:
        """Return octets that have to be sent to the server; perhaps none."""
        ...

    def shake(self) -> Secured | None:
        """Go on with the handshake; None while it waits for the server. Raises TlsError."""
        ...

    def read(self) -> bytes | None:
        """Return all text that has arrived; None while there is none, nothing at its end.

        Raises TlsError where the server says only now that it wants a certificate.
        """
        ...

    def write(self, text: bytes) -> None:
        """Encrypt *text*, for :meth:`take`."""
        ...


class TlsClient(Protocol):
    """Begins TLS connections that have roots, verification and the client's certificate alike."""

    def begin(self, server_name: str | None) -> TlsEnd:
        """Begin a connection that sends *server_name*. Raises TlsError where it cannot be sent."""
        ...


def translated(words: str) -> TlsError:
    """Return the error for what OpenSSL says in lower case, such as ``no shared cipher``."""
    is_version = any(known in words for known in (*_OLD, *_TOO_LITTLE))
    reason = Reason.TLS_VERSION if is_version else Reason.TLS_HANDSHAKE
    return TlsError(reason, PeerText(words))
