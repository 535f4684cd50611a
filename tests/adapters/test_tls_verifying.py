"""A client that verifies shows its own certificate, and hears when that is not liked.

Both ends live in memory: a server of asyncio hangs up without the alert that says why.
"""

import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TypedDict

import pytest

from agent.adapters.tls import Secured, TlsClient, TlsEnd, TlsError
from agent.adapters.trust import TrustStore, server_context
from agent.adapters.x509_making import Authority, KeyPair, ders_of
from agent.domain.smtp import Reason

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
HOST = "mx.example.net"


class Times(TypedDict):
    not_before: datetime
    not_after: datetime


TIMES = Times(not_before=NOW - DAY, not_after=NOW + 90 * DAY)
OURS, STRANGER = Authority("Ours", at=NOW), Authority("Stranger", at=NOW)
MIDDLE = Authority("Middle", at=NOW, parent=OURS)
PAIR = MIDDLE.issue("probe.contoso.com", **TIMES)
STORE = TrustStore(roots=(OURS.pem,), system=False)
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


class Server:
    """The server's end of a connection with a client that begins it."""

    def __init__(
        self,
        *,
        trusted: Authority = OURS,
        wanted: ssl.VerifyMode = ssl.CERT_REQUIRED,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ) -> None:
        context = server_context(OURS.issue(HOST, **TIMES))
        context.verify_mode = wanted
        context.maximum_version = newest
        context.load_verify_locations(cadata=trusted.pem.decode())
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def answer(self, end: TlsEnd) -> None:
        """Take what the client has sent, go on with the handshake, and send what comes of it."""
        self._incoming.write(end.take())
        with suppress(ssl.SSLError):  # it waits, or has put an alert into what it sends
            self.tls.do_handshake()
        end.feed(self._outgoing.read())


def shake(server: Server, client: TlsClient) -> tuple[TlsEnd, Secured]:
    end = client.begin(HOST)
    while (secured := end.shake()) is None:
        server.answer(end)
    server.answer(end)
    return end, secured


@pytest.mark.parametrize("newest", VERSIONS)
def test_the_certificate_is_shown_with_those_above_it(newest: ssl.TLSVersion) -> None:
    server = Server(newest=newest)
    end, secured = shake(server, STORE.verifying_with(PAIR))
    assert server.tls.getpeercert(binary_form=True) == ders_of(PAIR)[0]
    assert secured.version == newest.name.replace("_", ".")
    server.tls.write(b"220 hello\r\n")
    server.answer(end)
    assert end.read() == b"220 hello\r\n"


@pytest.mark.parametrize("newest", VERSIONS)
@pytest.mark.parametrize(
    ("pair", "trusted", "words"),
    [
        pytest.param(PAIR, STRANGER, "unknown ca", id="by an unknown issuer"),
        pytest.param(
            OURS.issue("a.example", not_before=NOW - 9 * DAY, not_after=NOW - DAY),
            OURS,
            "certificate expired",
            id="expired",
        ),
    ],
)
def test_a_certificate_that_the_server_does_not_like_is_our_trouble(
    pair: KeyPair, trusted: Authority, words: str, newest: ssl.TLSVersion
) -> None:
    server = Server(trusted=trusted, newest=newest)
    with pytest.raises(TlsError, match=words) as caught:
        shake(server, STORE.verifying_with(pair))[0].read()
    assert caught.value.reason is Reason.CLIENT_CERTIFICATE
    assert caught.value.reason.is_ours


def test_a_certificate_that_is_demanded_and_missing_is_our_trouble() -> None:
    with pytest.raises(TlsError, match="certificate required") as caught:
        shake(Server(), STORE.client(verify=True))[0].read()
    assert caught.value.reason is Reason.CLIENT_CERTIFICATE


def test_a_server_without_proof_is_shown_nothing() -> None:
    server = Server()
    with pytest.raises(TlsError) as caught:
        shake(server, TrustStore(system=False, roots=(STRANGER.pem,)).verifying_with(PAIR))
    assert caught.value.reason is Reason.TLS_CERTIFICATE
    with pytest.raises(ValueError, match="handshake not done"):
        server.tls.getpeercert()


def test_noise_after_the_handshake_is_the_end() -> None:
    end, _ = shake(Server(), STORE.verifying_with(PAIR))
    end.feed(b"\x17\x03\x03\x00\x20" + b"x" * 32)
    assert end.read() == b""
    end.write(b"QUIT\r\n")


def test_noise_in_the_handshake_fails_it() -> None:
    end = STORE.verifying_with(PAIR).begin(HOST)
    assert end.shake() is None
    end.feed(b"220 not TLS at all\r\n")
    with pytest.raises(TlsError) as caught:
        end.shake()
    assert caught.value.reason in (Reason.TLS_HANDSHAKE, Reason.TLS_VERSION)


def test_a_name_that_tls_cannot_carry_is_an_error() -> None:
    with pytest.raises(TlsError):
        STORE.verifying_with(PAIR).begin("")


def test_a_client_is_made_once_for_each_certificate() -> None:
    store = TrustStore(roots=(OURS.pem,), system=False)
    first = store.verifying_with(PAIR)
    assert store.verifying_with(KeyPair(PAIR.certificates, PAIR.key)) is first
    for number in range(20):
        store.verifying_with(OURS.issue(f"host{number}.example", **TIMES))
    assert store.verifying_with(PAIR) is not first


def test_a_certificate_without_its_key_is_an_error() -> None:
    broken = KeyPair(PAIR.certificates, OURS.issue(HOST, **TIMES).key)
    with pytest.raises(ValueError, match="do not fit"):
        STORE.verifying_with(broken)
