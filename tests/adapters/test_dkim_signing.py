"""Messages are signed so that others find the signature good, also behind a gateway."""

import base64
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from agent.adapters.dkim_signing import Signer, SigningError
from agent.domain.message import Message, Token
from agent.domain.payload import PLAIN, Kind, Payload

TOKEN = Token.make(bytes(range(16)), key=b"k" * 32, route="r", sequence=7, instance="i")
PKCS8 = serialization.PrivateFormat.PKCS8
PKCS1 = serialization.PrivateFormat.TraditionalOpenSSL
NONE = serialization.NoEncryption()
PEM = serialization.Encoding.PEM
RSA = rsa.generate_private_key(65537, 2048)
ED25519 = ed25519.Ed25519PrivateKey.generate().private_bytes(PEM, PKCS8, NONE)
NAME = "sel._domainkey.contoso.com."


def sent(payload: Payload = PLAIN) -> bytes:
    return Message(
        token=TOKEN,
        route="in",
        mail_from="probe@contoso.com",
        rcpt_to="sink@fabrikam.com",
        sent_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
        payload=payload,
    ).encode()


def signer(key: bytes) -> Signer:
    return Signer("contoso.com", "sel", key)


def is_good(signed: bytes) -> bool:
    """Verify a signature as a receiver does, with the key in DNS."""
    public = RSA.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    zone = {NAME.encode(): b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)}

    def look_up(name: bytes, timeout: float = 5) -> bytes | None:
        del timeout
        return zone.get(name)

    good: bool = dkim.verify(signed, dnsfunc=look_up)
    return good


@pytest.mark.parametrize("form", [PKCS1, PKCS8])
@pytest.mark.parametrize(
    "payload", [PLAIN, Payload(kind=Kind.HTML), Payload(kind=Kind.ATTACHMENT, size=9000)]
)
def test_a_signed_message_is_found_good(
    form: serialization.PrivateFormat, payload: Payload
) -> None:
    signed = signer(RSA.private_bytes(PEM, form, NONE)).sign(sent(payload))
    assert signed.startswith(b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=contoso.com")
    assert signed.endswith(sent(payload))
    assert is_good(signed)


SIGNED = signer(RSA.private_bytes(PEM, PKCS8, NONE)).sign(sent())


@pytest.mark.parametrize(
    ("signed", "good"),
    [
        pytest.param(b"Received: from x\r\n" + SIGNED, True, id="a trace field in front"),
        pytest.param(SIGNED.replace(b"Subject: ", b"Subject: [EXTERNAL] "), True, id="tagged"),
        pytest.param(
            SIGNED.replace(b"us-ascii", b"utf-8").replace(b" 7bit", b" 8bit"), True, id="charset"
        ),
        pytest.param(SIGNED.replace(b"To: <", b"To:   <"), True, id="white space in the header"),
        pytest.param(SIGNED.replace(b"it.\r\n", b"it. \r\n") + b"\r\n", True, id="in the body"),
        pytest.param(b"From: <x@y.z>\r\n" + SIGNED, False, id="another author in front"),
        pytest.param(
            SIGNED.replace(b"To: <sink", b"From: <x@y.z>\r\nTo: <sink"), False, id="and behind"
        ),
        pytest.param(SIGNED.replace(b"Date: Mon", b"Date: Tue"), False, id="date"),
        pytest.param(SIGNED.replace(b"Nobody", b"Somebody"), False, id="text"),
        pytest.param(SIGNED + b"A banner\r\n", False, id="banner"),
    ],
)
def test_a_signature_survives_what_gateways_do_and_nothing_else(
    signed: bytes, *, good: bool
) -> None:
    assert is_good(signed) is good


def test_a_key_of_ed25519_needs_another_package() -> None:
    with pytest.raises(SigningError, match="PyNaCl"):
        signer(ED25519).sign(sent())


ENCRYPTED = RSA.private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(b"x"))


@pytest.mark.parametrize(
    ("key", "words"),
    [
        pytest.param(b"", "private key in PEM", id="nothing"),
        pytest.param(b"\xff", "private key in PEM", id="noise"),
        pytest.param(ENCRYPTED, "is encrypted", id="encrypted"),
        pytest.param(
            RSA.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
            "private key in PEM",
            id="public",
        ),
        pytest.param(
            b"-----BEGIN PRIVATE KEY-----\nA=A=\n-----END PRIVATE KEY-----",
            "private key in PEM",
            id="no base64",
        ),
    ],
)
def test_what_is_no_private_key_is_an_error_at_once(key: bytes, words: str) -> None:
    with pytest.raises(SigningError, match=words):
        signer(key)


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(
            ec.generate_private_key(ec.SECP256R1()).private_bytes(PEM, PKCS8, NONE), id="of a curve"
        ),
        pytest.param(
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", id="no key inside"
        ),
        pytest.param(
            b"-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----", id="empty"
        ),
        pytest.param(
            b"-----BEGIN RSA PRIVATE KEY-----\n=\n-----END RSA PRIVATE KEY-----".replace(
                b"=", b"MAMCAQA="
            ),
            id="a short one",
        ),
    ],
)
def test_a_key_that_cannot_sign_is_an_error(key: bytes) -> None:
    with pytest.raises(SigningError, match=r"sel._domainkey.contoso.com: the key is no usable RSA"):
        signer(key).sign(sent())


def test_a_message_without_an_author_is_not_signed() -> None:
    good = signer(RSA.private_bytes(PEM, PKCS8, NONE))
    with pytest.raises(SigningError):
        good.sign(b"\xff no header\r\n\r\n")


@pytest.mark.parametrize(
    ("domain", "selector"), [("", "sel"), ("contoso.com", "a;b"), ("con toso.com", "sel")]
)
def test_what_is_no_name_is_an_error(domain: str, selector: str) -> None:
    with pytest.raises(SigningError, match="no name"):
        Signer(domain, selector, RSA.private_bytes(PEM, PKCS8, NONE))


def test_a_signer_does_not_show_its_key() -> None:
    key = RSA.private_bytes(PEM, PKCS8, NONE)
    assert "PRIVATE" not in repr(signer(key))
