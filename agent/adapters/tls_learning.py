"""What does the server show? TLS that judges nothing. The only importer of pyOpenSSL.

The interpreter's own module hides the chain that was sent and cannot ask for a stapled OCSP answer,
takes a client's key from a file only, and does not tell whether the server asked for a certificate.
Nothing secret may be said over these connections: anybody may be at their other end.
"""

from typing import ClassVar

from OpenSSL import SSL, crypto

from agent.adapters.tls import RECORD, Secured, TlsEnd, TlsError, translated
from agent.adapters.x509_making import KeyPair, load_pair
from agent.domain.smtp import Reason

_MAX_NAME = 255  # octets, RFC 6066 section 3


class LearningClient:
    """Begins connections that accept every certificate.

    *ciphers* is OpenSSL's list for TLS up to 1.2, *oldest* the lowest version; *pair* what the
    client shows where the server asks for a certificate. Raises ValueError for a pair that cannot
    be read or whose key does not fit.
    """

    TLS_1_2: ClassVar[int] = SSL.TLS1_2_VERSION

    def __init__(
        self,
        *,
        ciphers: str = "DEFAULT:ALL:@SECLEVEL=0",
        oldest: int = SSL.TLS1_VERSION,
        pair: KeyPair | None = None,
    ) -> None:
        self._context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        self._context.set_min_proto_version(oldest)
        self._context.set_cipher_list(ciphers.encode("ascii"))
        self._context.set_verify(SSL.VERIFY_NONE, _accept)
        self._context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        self._context.set_ocsp_client_callback(_keep_staple)
        self._is_watching = pair is not None
        if pair is not None:
            _show(self._context, pair)
            self._context.set_info_callback(_watch)

    def begin(self, server_name: str | None) -> TlsEnd:
        """Begin a connection; raises TlsError for a name that TLS cannot carry."""
        connection = SSL.Connection(self._context, None)
        end = _End(connection, is_watching=self._is_watching)
        connection.set_app_data(end)
        if server_name is not None:
            try:
                name = server_name.encode("idna") if server_name else b""
            except UnicodeError:
                name = b""
            if not 0 < len(name) <= _MAX_NAME:
                raise TlsError(Reason.TLS_HANDSHAKE, "the name cannot be sent in TLS")
            connection.set_tlsext_host_name(name)
        connection.request_ocsp()
        connection.set_connect_state()
        return end


def _accept(*_: object) -> bool:
    return True


def _keep_staple(connection: SSL.Connection, staple: bytes, _: object) -> bool:
    connection.get_app_data().staple = staple
    return True


def _watch(connection: SSL.Connection, _where: int, _result: int) -> None:
    if b"certificate request" in connection.get_state_string().lower():
        connection.get_app_data().asked = True


def _show(context: SSL.Context, pair: KeyPair) -> None:
    """Have *context* show a certificate with those above it. Raises ValueError."""
    (leaf, *above), key = load_pair(pair)
    context.use_certificate(leaf)
    for each in above:
        context.add_extra_chain_cert(each)
    context.use_privatekey(key)


class _End:
    def __init__(self, connection: SSL.Connection, *, is_watching: bool) -> None:
        self._connection = connection
        self._is_watching = is_watching
        self.staple = b""
        self.asked = False

    def feed(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._connection.bio_write(bytes(rest)) :]

    def take(self) -> bytes:
        pieces = []
        try:
            while True:
                pieces.append(self._connection.bio_read(RECORD))
        except SSL.WantReadError:
            return b"".join(pieces)

    def shake(self) -> Secured | None:
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return None
        except SSL.Error as error:
            raise translated(_words(error)) from None
        chain = self._connection.get_peer_cert_chain() or ()
        return Secured(
            version=self._connection.get_protocol_version_name(),
            cipher=self._connection.get_cipher_name() or "",
            chain=tuple(crypto.dump_certificate(crypto.FILETYPE_ASN1, each) for each in chain),
            staple=self.staple,
            asked=self.asked if self._is_watching else None,
        )

    def read(self) -> bytes | None:
        text = b""
        try:
            while True:
                text += self._connection.recv(RECORD)
        except SSL.WantReadError:
            return text or None
        except SSL.Error as error:
            # With TLS 1.3 the server says it after the handshake: RFC 8446 section 6.2.
            if not text and "certificate required" in _words(error):
                detail = "the server demands a certificate"
                raise TlsError(Reason.CLIENT_CERTIFICATE, detail) from None
            return text

    def write(self, text: bytes) -> None:
        try:
            self._connection.sendall(text)
        except SSL.Error:
            return  # a dead connection shows when reading


def _words(error: SSL.Error) -> str:
    """Return why a handshake failed, as OpenSSL says it."""
    try:
        return str(error.args[0][-1][2]).lower() or "handshake failed"
    except (IndexError, TypeError):
        return "handshake failed"
