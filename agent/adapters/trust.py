"""Whom do we trust, and how do we speak TLS?

A context costs some 15 ms to make when it loads the system's roots, a handshake 1 ms: so there is
one context of each kind for a trust set, made once and off the event loop. Everything that Python
changes between versions (verify flags, lowest version) is set here in words, so that an upgrade of
the interpreter raises no alarm.
"""

import asyncio
import re
import ssl
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from agent.adapters.tls import TlsClient
from agent.adapters.tls_learning import LearningClient
from agent.adapters.tls_verifying import VerifyingClient
from agent.adapters.x509 import MAX_CHAIN, Anchors, UnreadableError, read
from agent.adapters.x509_making import KeyPair, load_pair
from agent.adapters.x509_staple import read_staple
from agent.domain.knowledge.exchange_tls import EXCHANGE_CIPHERS
from agent.domain.tls import Certificate, Presented, Trust

# Python 3.13 adds VERIFY_X509_STRICT and VERIFY_X509_PARTIAL_CHAIN by itself; we do not.
_VERIFY_FLAGS = ssl.VerifyFlags.VERIFY_X509_TRUSTED_FIRST

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_MAX_KNOWN = 1024  # chains that are not followed again
_MAX_SHOWN = 16  # certificates of ours that a context is kept for


class TrustStore:
    """One set of trusted roots, and the TLS contexts that go with it.

    ``roots`` are further roots in PEM; ``system`` says whether the system's count too. Raises
    ValueError where *roots* hold no certificate. Making one reads files: see :meth:`load`.
    """

    def __init__(self, *, roots: Iterable[bytes] = (), system: bool = True) -> None:
        ders = [der for pem in (*roots, *(_system_roots() if system else ())) for der in _read(pem)]
        self._ders = ders
        self._verifying = _context()
        _trust(self._verifying, self._ders)
        self._verifier = VerifyingClient(self._verifying)
        # To say that a server is too old one has to be able to speak with it.
        self._learner = LearningClient()
        self._as_exchange = LearningClient(
            ciphers=":".join(EXCHANGE_CIPHERS), oldest=LearningClient.TLS_1_2
        )
        self.anchors = Anchors(ders)
        self._trusted_until: dict[tuple[bytes, ...], datetime] = {}
        self._showing: dict[KeyPair, TlsClient] = {}

    @classmethod
    async def load(cls, *, roots: Iterable[bytes] = (), system: bool = True) -> "TrustStore":
        """Make a trust store in a thread, because it reads files and computes."""
        return await asyncio.to_thread(lambda: cls(roots=roots, system=system))

    @property
    def verifying(self) -> ssl.SSLContext:
        """The shared context that verifies chain and name, with TLS 1.2 or later."""
        return self._verifying

    def client(self, *, verify: bool) -> TlsClient:
        """Return the shared client that verifies chain and name, or the one that only learns.

        Nothing secret may be sent over a connection made with the second.
        """
        return self._verifier if verify else self._learner

    def as_exchange(self) -> TlsClient:
        """Return the client that only learns and offers what Exchange Online offers."""
        return self._as_exchange

    def showing(self, pair: KeyPair) -> TlsClient:
        """Return a client that only learns and shows *pair* where it is asked to.

        It is cheap to make, because it loads no roots. Raises ValueError for a pair that cannot be
        read or does not fit.
        """
        return LearningClient(pair=pair)

    def verifying_with(self, pair: KeyPair) -> TlsClient:
        """Return the client that verifies chain and name, and shows *pair* where it is asked to.

        The first time it costs the loading of all roots and a file: leave that to a thread. After
        that it is the same object until the pair is another. Raises ValueError for a pair that
        cannot be read or does not fit.
        """
        known = self._showing.get(pair)
        if known is not None:
            return known
        load_pair(pair)
        context = _context()
        _trust(context, self._ders)
        _show(context, pair)
        if len(self._showing) >= _MAX_SHOWN:
            self._showing.clear()
        made = self._showing[pair] = VerifyingClient(context)
        return made

    def present(
        self, chain: tuple[bytes, ...], at: datetime, staple: bytes = b""
    ) -> Presented | None:
        """Return the facts of a chain as a server sent it; None where it cannot be read.

        *staple* is what the server said of its certificate's revocation.
        """
        try:
            leaf, *others = map(read, chain[:MAX_CHAIN])
        except (UnreadableError, ValueError):
            return None
        said = read_staple(staple, chain[:MAX_CHAIN])
        trust, detail = self._follow(chain, leaf, others, at)
        return Presented(leaf, tuple(others), trust, detail, said)

    def _follow(
        self, chain: tuple[bytes, ...], leaf: Certificate, others: list[Certificate], at: datetime
    ) -> tuple[Trust, str]:
        if at < self._trusted_until.get(chain, at):
            return Trust.TRUSTED, ""
        trust, detail = self.anchors.follow(chain, at)
        if trust is Trust.TRUSTED:
            if len(self._trusted_until) >= _MAX_KNOWN:
                self._trusted_until.clear()
            # Time takes trust away only where a certificate ends.
            self._trusted_until[chain] = min(each.not_after for each in (leaf, *others))
        return trust, detail


def _system_roots() -> list[bytes]:
    """Return the system's roots. They are read by us, so that contexts and chains know the same."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile:
        return [Path(paths.cafile).read_bytes()]
    folder = Path(paths.capath or "/etc/ssl/certs")
    bundle = folder / "ca-certificates.crt"  # Debian keeps all of them in one file as well
    if bundle.is_file():
        return [bundle.read_bytes()]
    return [path.read_bytes() for path in sorted(folder.glob("*.0"))]


def _read(pem: bytes) -> list[bytes]:
    blocks = _BLOCK.findall(pem.decode("ascii", "replace"))
    if not blocks:
        message = "holds no certificate in PEM"
        raise ValueError(message)
    return [ssl.PEM_cert_to_DER_cert(block) for block in blocks]


def _trust(context: ssl.SSLContext, ders: list[bytes]) -> None:
    if not ders:
        return
    try:
        context.load_verify_locations(cadata=b"".join(ders))
    except (ssl.SSLError, ValueError) as error:
        message = f"holds a certificate that cannot be read: {error}"
        raise ValueError(message) from None


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags = _VERIFY_FLAGS
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def server_context(pair: KeyPair) -> ssl.SSLContext:
    """Return a context for a server of ours that shows *pair*."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _show(context, pair)
    return context


def _show(context: ssl.SSLContext, pair: KeyPair) -> None:
    # The library takes a key from a file only.
    with tempfile.TemporaryDirectory(prefix="mailflow-") as folder:
        path = Path(folder, "pair.pem")
        path.touch(mode=0o600)
        path.write_bytes(pair.key + b"\n" + pair.certificates)  # a secret has no last line break
        context.load_cert_chain(path)
