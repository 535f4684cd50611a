"""Trust stores, and certificates read and made."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypedDict

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from agent.adapters.trust import TrustStore, server_context
from agent.adapters.x509 import Anchors, UnreadableError, read
from agent.adapters.x509_making import Authority, KeyPair, self_signed
from agent.domain.tls import Flaw, Trust, judge
from servers.tls import Authorities

NOW = datetime(2030, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


class Times(TypedDict):
    not_before: datetime
    not_after: datetime


TIMES = Times(not_before=NOW - DAY, not_after=NOW + 90 * DAY)


def ders(pair: KeyPair) -> tuple[bytes, ...]:
    text = pair.certificates.decode()
    blocks = [block + ssl.PEM_FOOTER for block in text.split(ssl.PEM_FOOTER)[:-1]]
    return tuple(ssl.PEM_cert_to_DER_cert(block.strip()) for block in blocks)


ROOT = Authority("Root", at=NOW)
MIDDLE = Authority("Middle", at=NOW, parent=ROOT)
LOWER = Authority("Lower", at=NOW, parent=MIDDLE)
STRANGER = Authority("Stranger", at=NOW)
STORE = TrustStore(roots=(ROOT.pem,), system=False)


@pytest.mark.parametrize(
    ("pair", "trust"),
    [
        pytest.param(ROOT.issue("mx.example.net", **TIMES), Trust.TRUSTED, id="by the root"),
        pytest.param(LOWER.issue("mx.example.net", **TIMES), Trust.TRUSTED, id="by two between"),
        pytest.param(
            LOWER.issue("mx.example.net", **TIMES, with_chain=False),
            Trust.INCOMPLETE,
            id="none between sent",
        ),
        pytest.param(STRANGER.issue("mx.example.net", **TIMES), Trust.UNTRUSTED, id="unknown"),
        pytest.param(
            Authority("Below", at=NOW, parent=STRANGER).issue("mx.example.net", **TIMES),
            Trust.UNTRUSTED,
            id="unknown, with one between",
        ),
        pytest.param(self_signed("mx.example.net", **TIMES), Trust.SELF_SIGNED, id="by itself"),
        pytest.param(
            ROOT.issue("mx.example.net", not_before=NOW - 9 * DAY, not_after=NOW - DAY),
            Trust.TRUSTED,
            id="expired is another fault",
        ),
    ],
)
def test_a_chain_is_followed_to_the_root(pair: KeyPair, trust: Trust) -> None:
    presented = STORE.present(ders(pair), NOW)
    assert presented is not None
    assert presented.trust is trust


def test_a_chain_is_trusted_again_until_a_certificate_of_it_ends() -> None:
    middle = Authority("Short", at=NOW - 3649 * DAY, parent=ROOT)  # ends tomorrow
    chain = ders(middle.issue("mx.example.net", **TIMES))
    store = TrustStore(roots=(ROOT.pem,), system=False)
    seen = [store.present(chain, NOW + days * DAY) for days in (0, 0, 2)]
    assert [each and each.trust for each in seen] == [
        Trust.TRUSTED,
        Trust.TRUSTED,
        Trust.UNTRUSTED,
    ]


def test_three_faults_of_one_certificate_are_seen_in_one_run() -> None:
    pair = self_signed("old.example.net", not_before=NOW - 9 * DAY, not_after=NOW - DAY)
    presented = STORE.present(ders(pair), NOW)
    assert presented is not None
    flaws = {fault.flaw for fault in judge(presented, expected="a.b", at=NOW, soon=DAY)}
    assert flaws == {Flaw.EXPIRED, Flaw.SELF_SIGNED, Flaw.NAME_MISMATCH}


LATER = NOW + 20 * 365 * DAY  # when its roots have been renewed
RENEWED = Authority("Renewed", at=LATER)
BELOW = Authority("Between", at=LATER, parent=RENEWED)
RENEWED_STORE = TrustStore(roots=(RENEWED.pem,), system=False)
ENDED = Times(not_before=LATER - 90 * DAY, not_after=LATER - 3 * DAY)
ENDS_AT_ONCE = Authority("Between", at=LATER - 3650 * DAY - 9 * DAY, parent=RENEWED)


@pytest.mark.parametrize(
    ("pair", "flaws"),
    [
        pytest.param(RENEWED.issue("a.b", **ENDED), {Flaw.EXPIRED}, id="by the root"),
        pytest.param(BELOW.issue("a.b", **ENDED), {Flaw.EXPIRED}, id="with one between"),
        pytest.param(
            BELOW.issue("a.b", **ENDED, with_chain=False),
            {Flaw.EXPIRED, Flaw.INCOMPLETE_CHAIN},
            id="none between sent",
        ),
        pytest.param(STRANGER.issue("a.b", **ENDED), {Flaw.EXPIRED, Flaw.UNTRUSTED}, id="unknown"),
        pytest.param(
            Authority("Renewed", at=LATER).issue("a.b", **ENDED),
            {Flaw.EXPIRED, Flaw.UNTRUSTED},
            id="unknown, of the same name",
        ),
        pytest.param(
            ENDS_AT_ONCE.issue("a.b", **ENDED),
            {Flaw.EXPIRED, Flaw.UNTRUSTED},
            id="one between has ended too",
        ),
        pytest.param(
            RENEWED.issue("a.b", not_before=LATER + DAY, not_after=LATER + 9 * DAY),
            {Flaw.NOT_YET_VALID},
            id="not begun",
        ),
    ],
)
def test_out_of_its_time_is_the_only_fault_where_the_root_is_younger(
    pair: KeyPair, flaws: set[Flaw]
) -> None:
    presented = RENEWED_STORE.present(ders(pair), LATER)
    assert presented is not None
    found = judge(presented, expected="a.b", at=LATER, soon=timedelta())
    assert {fault.flaw for fault in found} == flaws


def test_a_server_certificate_is_no_authority() -> None:
    leaf = ROOT.issue("mx.example.net", **TIMES)
    impostor = Anchors(ders(leaf)[:1])
    chain = (*ders(STRANGER.issue("x.example.net", **TIMES)), *ders(leaf))
    assert impostor.follow(chain, NOW)[0] is Trust.UNTRUSTED


@pytest.mark.parametrize(
    ("is_authority", "trust"),
    [
        pytest.param(True, Trust.TRUSTED, id="without key usage"),
        pytest.param(False, Trust.UNTRUSTED, id="no authority at all"),
    ],
)
def test_an_old_authority_is_judged_alike_everywhere(*, is_authority: bool, trust: Trust) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Old")])
    plain = x509.CertificateBuilder(name, name, key.public_key(), 7, NOW - DAY, NOW + DAY)
    constraints = x509.BasicConstraints(ca=is_authority, path_length=None)
    root = plain.add_extension(constraints, critical=True).sign(key, hashes.SHA256())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mx.example.net")])
    leaf = x509.CertificateBuilder(name, subject, key.public_key(), 8, NOW - DAY, NOW + DAY).sign(
        key, hashes.SHA256()
    )
    anchors = Anchors([root.public_bytes(Encoding.DER)])
    assert anchors.follow((leaf.public_bytes(Encoding.DER),), NOW)[0] is trust


@pytest.mark.parametrize(
    ("key", "kind", "bits"),
    [
        pytest.param(ed25519.Ed25519PrivateKey.generate(), "Ed25519", 256, id="Ed25519"),
        pytest.param(ed448.Ed448PrivateKey.generate(), "Ed448", 448, id="Ed448"),
    ],
)
def test_edwards_keys_are_told(
    key: ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey, kind: str, bits: int
) -> None:
    name = x509.Name([])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 9, NOW - DAY, NOW + DAY)
    certificate = read(builder.sign(key, None).public_bytes(Encoding.DER))
    assert (certificate.key_type, certificate.key_bits) == (kind, bits)
    assert certificate.common_name == ""


def test_a_folder_of_roots_is_read_where_there_is_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0123abcd.0").write_bytes(ROOT.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert TrustStore().anchors.count == 1
    (tmp_path / "ca-certificates.crt").write_bytes(ROOT.pem + STRANGER.pem)
    assert TrustStore().anchors.count == 2


def test_an_empty_store_trusts_nobody() -> None:
    store = TrustStore(system=False)
    presented = store.present(ders(ROOT.issue("mx.example.net", **TIMES)), NOW)
    assert presented is not None
    assert presented.trust is Trust.UNTRUSTED


@pytest.mark.parametrize(
    "chain",
    [
        pytest.param((), id="nothing"),
        pytest.param((b"no certificate",), id="noise"),
        pytest.param((b"",), id="empty"),
    ],
)
def test_what_is_no_chain_is_none(chain: tuple[bytes, ...]) -> None:
    assert STORE.present(chain, NOW) is None
    assert STORE.anchors.follow(chain, NOW)[0] is Trust.UNTRUSTED


def test_noise_is_no_certificate() -> None:
    with pytest.raises(UnreadableError):
        read(b"noise")


def test_hostile_texts_of_a_certificate_are_made_printable() -> None:
    pair = self_signed("<script>\x1b[31m", **TIMES)
    certificate = read(ders(pair)[0])
    assert certificate.subject.isprintable()
    assert certificate.common_name.isprintable()


def test_very_many_names_are_counted_and_not_kept() -> None:
    names = [f"n{number}.example.net" for number in range(3000)]
    certificate = read(ders(self_signed(*names, **TIMES))[0])
    assert certificate.name_count == 3000
    assert len(certificate.names) == 300


def test_an_address_is_no_dns_name() -> None:
    certificate = read(ders(ROOT.issue("127.0.0.1", **TIMES))[0])
    assert certificate.names == ()
    assert certificate.key_type == "EC"


def test_other_keys_are_told() -> None:
    rsa = trustme.CA(key_type=trustme.KeyType.RSA)
    (der,) = (ssl.PEM_cert_to_DER_cert(rsa.cert_pem.bytes().decode()),)
    assert (read(der).key_type, read(der).key_bits) == ("RSA", 2048)
    assert read(der).is_self_signed


@pytest.mark.parametrize(
    "pem",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff", id="noise"),
        pytest.param(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----", id="no base64"),
    ],
)
def test_roots_that_cannot_be_read_are_an_error(pem: bytes) -> None:
    with pytest.raises(ValueError, match="holds"):
        TrustStore(roots=(pem,), system=False)


async def test_the_systems_roots_are_known_and_contexts_shared() -> None:
    store = await TrustStore.load()
    assert store.anchors.count > 50
    assert store.client(verify=True) is store.client(verify=True)
    assert store.verifying.verify_flags == ssl.VerifyFlags.VERIFY_X509_TRUSTED_FIRST
    assert store.verifying.minimum_version is ssl.TLSVersion.TLSv1_2
    assert store.client(verify=False) is store.client(verify=False)
    assert store.as_exchange() is store.as_exchange()


def test_a_server_can_show_a_pair_of_ours() -> None:
    assert isinstance(server_context(ROOT.issue("mx.example.net", **TIMES)), ssl.SSLContext)


def test_trustmes_certificates_are_trusted() -> None:
    authorities = Authorities()
    leaf = authorities.known.issue_cert("mx.example.net").cert_chain_pems[0].bytes()
    presented = authorities.store.present(
        (ssl.PEM_cert_to_DER_cert(leaf.decode()),), datetime.now(UTC)
    )
    assert presented is not None
    assert presented.trust is Trust.TRUSTED
    assert x509.load_pem_x509_certificate(leaf).subject is not None
