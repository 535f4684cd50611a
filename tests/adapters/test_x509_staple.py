"""A stapled answer is believed from the authority, and from whom it has certified for that."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from agent.adapters.x509_staple import MAX_STAPLE, read_staple
from agent.domain.tls import Revocation

NOW = datetime(2030, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certify(
    subject: str, key: Key, issuer: str, signer: Key, *, for_ocsp: bool | None = None
) -> x509.Certificate:
    builder = x509.CertificateBuilder(
        name(issuer), name(subject), key.public_key(), x509.random_serial_number(), NOW, NOW + DAY
    )
    if for_ocsp is not None:
        usage = ExtendedKeyUsageOID.OCSP_SIGNING if for_ocsp else ExtendedKeyUsageOID.SERVER_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    hashed = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(signer, hashed)


class World:
    """An authority, a certificate of its, and others."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.authority = certify("Root", key, "Root", key)
        self.leaf_key = ec.generate_private_key(ec.SECP256R1())
        self.leaf = certify("mx.example.net", self.leaf_key, "Root", key)
        self.other = certify("other.example.net", self.leaf_key, "Root", key)
        self.responder_key = ec.generate_private_key(ec.SECP256R1())

    @property
    def chain(self) -> tuple[bytes, ...]:
        return tuple(each.public_bytes(Encoding.DER) for each in (self.leaf, self.authority))

    def answer(
        self,
        status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
        *,
        about: x509.Certificate | None = None,
        signer: Key | None = None,
        responder: x509.Certificate | None = None,
        identity: x509.Certificate | None = None,
    ) -> bytes:
        is_revoked = status is ocsp.OCSPCertStatus.REVOKED
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=about or self.leaf,
            issuer=self.authority,
            algorithm=hashes.SHA256(),
            cert_status=status,
            this_update=NOW,
            next_update=NOW + DAY,
            revocation_time=NOW - DAY if is_revoked else None,
            revocation_reason=None,
        )
        builder = builder.responder_id(
            ocsp.OCSPResponderEncoding.NAME, identity or responder or self.authority
        )
        if responder is not None:
            builder = builder.certificates([responder])
        key = signer or self.key
        hashed = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        return builder.sign(key, hashed).public_bytes(Encoding.DER)

    def responder(self, *, for_ocsp: bool | None, signer: Key | None = None) -> x509.Certificate:
        return certify(
            "Responder", self.responder_key, "Root", signer or self.key, for_ocsp=for_ocsp
        )


EC = World(ec.generate_private_key(ec.SECP256R1()))
RSA = World(rsa.generate_private_key(65_537, 2048))
ED = World(ed25519.Ed25519PrivateKey.generate())


def delegated(*, for_ocsp: bool | None = True, signer: Key | None = None) -> bytes:
    responder = EC.responder(for_ocsp=for_ocsp, signer=signer)
    return EC.answer(signer=EC.responder_key, responder=responder)


def forged() -> bytes:
    impostor = certify("Root", EC.leaf_key, "Root", EC.leaf_key)
    return EC.answer(signer=EC.leaf_key, identity=impostor)


@pytest.mark.parametrize(
    ("world", "make", "status"),
    [
        pytest.param(EC, EC.answer, Revocation.GOOD, id="good"),
        pytest.param(
            EC, lambda: EC.answer(ocsp.OCSPCertStatus.REVOKED), Revocation.REVOKED, id="revoked"
        ),
        pytest.param(
            EC, lambda: EC.answer(ocsp.OCSPCertStatus.UNKNOWN), Revocation.UNKNOWN, id="unknown"
        ),
        pytest.param(RSA, RSA.answer, Revocation.GOOD, id="signed with RSA"),
        pytest.param(ED, ED.answer, None, id="signed with a key that we do not verify"),
        pytest.param(EC, delegated, Revocation.GOOD, id="by a responder"),
        pytest.param(EC, lambda: delegated(for_ocsp=False), None, id="by another server"),
        pytest.param(EC, lambda: delegated(for_ocsp=None), None, id="by an unmarked certificate"),
        pytest.param(
            EC, lambda: delegated(signer=RSA.key), None, id="by a responder of another authority"
        ),
        pytest.param(EC, lambda: EC.answer(about=EC.other), None, id="of another certificate"),
        pytest.param(EC, forged, None, id="forged"),
        pytest.param(EC, lambda: b"", None, id="none"),
        pytest.param(EC, lambda: b"garbage", None, id="garbage"),
        pytest.param(EC, lambda: EC.answer() + bytes(MAX_STAPLE), None, id="too long"),
        pytest.param(
            EC,
            lambda: ocsp.OCSPResponseBuilder.build_unsuccessful(
                ocsp.OCSPResponseStatus.TRY_LATER
            ).public_bytes(Encoding.DER),
            None,
            id="try later",
        ),
    ],
)
def test_an_answer_is_believed_from_whom_it_may_come(
    world: World, make: Callable[[], bytes], status: Revocation | None
) -> None:
    said = read_staple(make(), world.chain)
    assert (said and said.status) == status
    if said is not None:
        assert (said.this_update, said.next_update) == (NOW, NOW + DAY)
        assert said.revoked_at == (NOW - DAY if status is Revocation.REVOKED else None)


def test_without_its_issuer_nobody_vouches_for_an_answer() -> None:
    assert read_staple(EC.answer(), EC.chain[:1]) is None
    assert read_staple(EC.answer(), (EC.chain[0], RSA.chain[1])) is None
