"""How do octets get to and from one server, and when did they arrive?

A line notes the time in the callback of the event loop, because an ``await`` returns only when
other work lets it. TLS is done over memory buffers of our own: asyncio's TLS transport pins 300 KiB
for each open connection, and starting it mid-connection leaves open what happened to octets that
came too early. A peer that sends faster than it is read is paused, so it cannot fill memory.
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from agent.domain.peer_text import PeerText
from agent.domain.smtp import Reason

_HIGH_WATER = 65_536  # octets that wait to be read
_RECORD = 16_384
_OLD = ("UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE", "TLSV1_ALERT_PROTOCOL_VERSION")
_TOO_LITTLE = ("TLSV1_ALERT_INSUFFICIENT_SECURITY", "NO_SHARED_CIPHER", "DH_KEY_TOO_SMALL")


class TlsError(Exception):
    """The handshake failed; ``reason`` is of a closed set, the text is printable."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Secured:
    """What a handshake agreed on: version, cipher, and the chain that was sent, in DER."""

    version: str
    cipher: str
    chain: tuple[bytes, ...]


class Line(asyncio.Protocol):
    """One connection. Used by one task at a time."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._buffer = bytearray()
        self._is_over = False
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._closed = asyncio.get_running_loop().create_future()
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.arrived_at = monotonic()
        self.connect_seconds = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the transport, for asyncio."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self._transport = transport
        self.arrived_at = self._monotonic()

    def data_received(self, data: bytes) -> None:
        """Keep what arrived, and when, for asyncio."""
        self.arrived_at = self._monotonic()
        self._buffer += data
        if len(self._buffer) > _HIGH_WATER and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Note the end, for asyncio; the transport closes itself."""
        self._end()

    def connection_lost(self, _error: Exception | None) -> None:
        """Note the end, for asyncio."""
        self._end()
        if not self._closed.done():
            self._closed.set_result(None)

    def _end(self) -> None:
        self.arrived_at = self._monotonic()
        self._is_over = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    @property
    def is_quiet(self) -> bool:
        """True when nothing has arrived that was not read."""
        return not self._buffer

    async def receive(self) -> bytes:
        """Wait for octets and return all there are; nothing at the end of the connection."""
        while self._tls is not None:
            try:
                # At its end TLS gives nothing or an error, as polite as the peer is.
                return self._read_records(self._tls)
            except ssl.SSLWantReadError:
                self._flush()
                if not await self._refill():
                    return b""
            except ssl.SSLError:
                return b""
        return await self._take()

    def _read_records(self, tls: ssl.SSLObject) -> bytes:
        """Read all that is there: a reply too many may have come in a record of its own."""
        data = piece = tls.read(_RECORD)
        with suppress(ssl.SSLError):
            while piece:
                piece = tls.read(_RECORD)
                data += piece
        return data

    async def _take(self) -> bytes:
        if not self._buffer and not self._is_over:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        data = bytes(self._buffer)
        self._buffer.clear()
        if self._transport is not None and not self._is_over:
            self._transport.resume_reading()
        return data

    async def _refill(self) -> bool:
        """Give TLS what arrived; False at the end of the connection."""
        data = await self._take()
        self._incoming.write(data)
        return bool(data)

    def send(self, data: bytes) -> None:
        """Send octets, through TLS once there is one. A dead connection shows when reading."""
        if self._tls is None:
            self._write(data)
            return
        with suppress(ssl.SSLError):
            self._tls.write(data)
        self._flush()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._write(self._outgoing.read())

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    async def secure(self, context: ssl.SSLContext, server_name: str | None) -> Secured:
        """Do the TLS handshake, sending *server_name* in it. Raises TlsError."""
        if not self.is_quiet:
            raise TlsError(Reason.TLS_INJECTION, "plaintext before the handshake")
        try:
            tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        except ValueError:  # a name that TLS cannot carry
            raise TlsError(Reason.TLS_HANDSHAKE, "the name cannot be sent in TLS") from None
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                if not await self._refill():
                    detail = "the connection ended in the handshake"
                    raise TlsError(Reason.CONNECTION_LOST, detail) from None
            except ssl.SSLError as error:
                self._flush()  # the alert tells the server why
                raise _translated(error) from None
        self._flush()
        self._tls = tls
        cipher = tls.cipher()
        return Secured(tls.version() or "", cipher[0] if cipher else "", _chain(tls))

    async def close(self) -> None:
        """Close at once, whatever waits to be sent."""
        if self._transport is not None:
            self._transport.abort()
            await self._closed


def _translated(error: ssl.SSLError) -> TlsError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsError(Reason.TLS_CERTIFICATE, PeerText(error.verify_message or str(error)))
    name = error.reason or ""
    reason = Reason.TLS_VERSION if name in (*_OLD, *_TOO_LITTLE) else Reason.TLS_HANDSHAKE
    return TlsError(reason, PeerText(name.replace("_", " ").lower() or str(error)))


def _chain(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    """Return what the server sent, in its order, trusted or not."""
    if hasattr(tls, "get_unverified_chain"):  # Python 3.13 made it public
        return tuple(tls.get_unverified_chain())
    hidden = tls._sslobj.get_unverified_chain()  # type: ignore[attr-defined] # noqa: SLF001
    return tuple(ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in hidden or ())
