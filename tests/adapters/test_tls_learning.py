"""What a handshake that judges nothing learns, against servers of two TLS libraries."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_connection
from subprocess import PIPE, Popen

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from agent.adapters.tls import Secured, TlsEnd, TlsError
from agent.adapters.tls_learning import LearningClient
from agent.adapters.trust import TrustStore, server_context
from agent.adapters.x509_making import Authority, KeyPair, load_pair
from agent.domain.smtp import Reason

NOW = datetime.now(UTC)
YEAR = timedelta(days=365)
ROOT = Authority("Root", at=NOW)
PAIR = ROOT.issue("mx.example.net", not_before=NOW, not_after=NOW + YEAR)
OWN = ROOT.issue("client.example.net", not_before=NOW, not_after=NOW + YEAR)


class Server:
    """A server of the interpreter's library, over memory."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_side=True)
        self.refusal = ""

    def turn(self, data: bytes) -> bytes:
        self._in.write(data)
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.refusal = error.reason or ""
        return self._out.read()


def shake(end: TlsEnd, turn: Callable[[bytes], bytes]) -> Secured:
    for _ in range(10):
        secured = end.shake()
        end.feed(turn(end.take()))
        if secured is not None:
            return secured
    raise AssertionError


def asking(demand: ssl.VerifyMode, version: ssl.TLSVersion) -> ssl.SSLContext:
    context = server_context(PAIR)
    context.maximum_version = version
    context.load_verify_locations(cadata=ROOT.pem.decode())
    context.verify_mode = demand
    return context


VERSIONS = [
    pytest.param(ssl.TLSVersion.TLSv1_2, id="TLS 1.2"),
    pytest.param(ssl.TLSVersion.TLSv1_3, id="TLS 1.3"),
]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_certificate_is_shown_to_who_asks_for_it(version: ssl.TLSVersion) -> None:
    client = LearningClient(pair=OWN)
    server = Server(asking(ssl.CERT_OPTIONAL, version))
    assert shake(client.begin("mx.example.net"), server.turn).asked is True
    shown = server.tls.getpeercert()
    assert shown is not None
    assert (("commonName", "client.example.net"),) in shown["subject"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_that_does_not_ask_is_noticed(version: ssl.TLSVersion) -> None:
    server = Server(asking(ssl.CERT_NONE, version))
    assert shake(LearningClient(pair=OWN).begin("mx.example.net"), server.turn).asked is False


def test_without_a_pair_nobody_looks_whether_one_is_asked_for() -> None:
    server = Server(asking(ssl.CERT_OPTIONAL, ssl.TLSVersion.TLSv1_3))
    secured = shake(LearningClient().begin("mx.example.net"), server.turn)
    assert secured.asked is None
    assert secured.chain
    assert (secured.version, secured.staple) == ("TLSv1.3", b"")


def test_a_certificate_that_is_demanded_is_told_after_the_handshake() -> None:
    server = Server(asking(ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_3))
    end = LearningClient().begin("mx.example.net")
    shake(end, server.turn)
    assert server.refusal
    with pytest.raises(TlsError) as failure:
        end.read()
    assert failure.value.reason is Reason.CLIENT_CERTIFICATE


@contextmanager
def stapling(folder: Path, staple: bytes) -> Iterator[int]:
    """A server of OpenSSL's own that staples; gives its port."""
    (folder / "pair.pem").write_bytes(PAIR.key + PAIR.certificates)
    (folder / "staple.der").write_bytes(staple)
    given = "-accept 127.0.0.1:0 -key pair.pem -cert pair.pem -status_file staple.der"
    command = ("openssl", "s_server", *given.split())
    with Popen(command, cwd=folder, stdin=PIPE, stdout=PIPE) as server:
        try:
            assert server.stdout is not None
            ready = next(line for line in server.stdout if line.startswith(b"ACCEPT"))
            yield int(ready.rpartition(b":")[2])
        finally:
            server.kill()


@pytest.mark.integration
def test_a_staple_of_a_real_server_is_asked_for_and_kept(tmp_path: Path) -> None:
    later = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    staple = later.public_bytes(Encoding.DER)
    with (
        stapling(tmp_path, staple) as port,
        create_connection(("127.0.0.1", port), timeout=10) as wire,
    ):

        def turn(data: bytes) -> bytes:
            wire.sendall(data)
            return wire.recv(65_536)

        assert shake(LearningClient().begin("mx.example.net"), turn).staple == staple


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(KeyPair(PAIR.certificates, OWN.key), id="of another certificate"),
        pytest.param(KeyPair(b"nothing", OWN.key), id="no certificate"),
        pytest.param(KeyPair(PAIR.certificates, b"nothing"), id="no key"),
    ],
)
def test_a_pair_that_does_not_fit_is_refused(pair: KeyPair) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        LearningClient(pair=pair)


@pytest.mark.parametrize("name", ["", "a..b", "x" * 300, "\udcff"])
def test_a_name_that_tls_cannot_carry_is_a_failed_handshake(name: str) -> None:
    with pytest.raises(TlsError) as failure:
        LearningClient().begin(name)
    assert failure.value.reason is Reason.TLS_HANDSHAKE


def test_garbage_is_a_failed_handshake_and_text_goes_both_ways() -> None:
    end = LearningClient().begin(None)
    end.shake()
    end.feed(b"220 not TLS at all\r\n")
    with pytest.raises(TlsError) as failure:
        end.shake()
    assert failure.value.reason is Reason.TLS_HANDSHAKE
    server = Server(server_context(PAIR))
    end = LearningClient().begin(None)
    shake(end, server.turn)
    server.turn(b"")
    server.tls.write(b"250 ok\r\n")
    end.feed(server._out.read())
    assert end.read() == b"250 ok\r\n"
    assert end.read() is None
    end.write(b"QUIT\r\n")
    server._in.write(end.take())
    assert server.tls.read(100) == b"QUIT\r\n"


def test_a_chain_is_shown_with_the_clients_certificate() -> None:
    middle = Authority("Middle", at=NOW, parent=ROOT)
    pair = middle.issue("client.example.net", not_before=NOW, not_after=NOW + YEAR)
    assert len(load_pair(pair)[0]) == 2
    store = TrustStore(roots=(ROOT.pem,), system=False)
    server = Server(asking(ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_3))
    assert shake(store.showing(pair).begin("mx.example.net"), server.turn).asked is True
    assert server.refusal == ""
