"""Is the server who it says it is? TLS that stops where it is not."""

import ssl
from contextlib import suppress

from agent.adapters.tls import RECORD, Secured, TlsEnd, TlsError, translated
from agent.domain.peer_text import PeerText
from agent.domain.smtp import Reason

# Alerts that a server sends about a certificate can be about the client's only.
_OF_OURS = ("certificate", "unknown ca", "access denied")


class VerifyingClient:
    """Begins connections of one context, which verifies chain and name."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context

    def begin(self, server_name: str | None) -> TlsEnd:
        """Begin a connection with the server that has *server_name*. Raises TlsError."""
        return _End(self._context, server_name)


class _End:
    def __init__(self, context: ssl.SSLContext, server_name: str | None) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        try:
            self._tls = context.wrap_bio(
                self._incoming, self._outgoing, server_hostname=server_name
            )
        except ValueError:  # a name that TLS cannot carry
            raise TlsError(Reason.TLS_HANDSHAKE, "the name cannot be sent in TLS") from None

    def feed(self, data: bytes) -> None:
        self._incoming.write(data)

    def take(self) -> bytes:
        return self._outgoing.read()

    def shake(self) -> Secured | None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLCertVerificationError as error:
            raise TlsError(Reason.TLS_CERTIFICATE, PeerText(error.verify_message)) from None
        except ssl.SSLError as error:
            _complain(error)
            raise translated(_words(error)) from None
        cipher = self._tls.cipher()
        leaf = self._tls.getpeercert(binary_form=True)
        return Secured(
            self._tls.version() or "", cipher[0] if cipher else "", (leaf,) if leaf else ()
        )

    def read(self) -> bytes | None:
        """At its end TLS gives nothing or an error, as polite as the server is."""
        try:
            text = piece = self._tls.read(RECORD)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLError as error:
            _complain(error)  # with TLS 1.3 it comes after the handshake: RFC 8446 section 6.2
            return b""
        with suppress(ssl.SSLError):  # a reply too many may have come in a record of its own
            while piece:
                piece = self._tls.read(RECORD)
                text += piece
        return text

    def write(self, text: bytes) -> None:
        with suppress(ssl.SSLError):
            self._tls.write(text)


def _complain(error: ssl.SSLError) -> None:
    """Raise TlsError where the server says that it does not like our certificate, or misses it."""
    words = _words(error)
    if "alert" in words and any(each in words for each in _OF_OURS):
        detail = f"the server wants another certificate of ours: {PeerText(words)}"
        raise TlsError(Reason.CLIENT_CERTIFICATE, detail) from None


def _words(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()
