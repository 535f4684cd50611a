"""Are public keys read out of DER as others read them, and hostile octets refused in words?"""

import hashlib

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.dkim_der import (
    NoKeyError,
    PrivateKeyError,
    PublicKey,
    plain_ed25519,
    read_ed25519,
    read_rsa,
)
from servers.dkim_case import ed25519, modulus, spki

REAL = rsa.generate_private_key(65537, 1024)


def bare(bits: int) -> bytes:
    public = rsa.RSAPublicNumbers(65537, modulus(bits)).public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.PKCS1)


def tlv(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    return bytes([tag, 0x82]) + length.to_bytes(2, "big") + content


def numbers(*values: int) -> bytes:
    parts = (value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True) for value in values)
    return tlv(0x30, b"".join(tlv(2, part) for part in parts))


@pytest.mark.parametrize("bits", [512, 1023, 1024, 2048, 4096, 16384])
def test_an_rsa_key_is_read_with_its_size(bits: int) -> None:
    found = read_rsa(spki(bits))
    assert (found.type, found.bits, found.exponent, found.is_bare) == ("rsa", bits, 65537, False)
    assert found.weakness == ""


def test_a_key_is_the_same_with_and_without_its_wrapping() -> None:
    found, plain = read_rsa(spki(2048)), read_rsa(bare(2048))
    assert plain.is_bare
    assert plain.fingerprint == found.fingerprint
    assert read_rsa(spki(2048, 1)).fingerprint != found.fingerprint


def test_an_ed25519_key_is_32_octets() -> None:
    octets = ed25519()[-32:]
    assert read_ed25519(octets) == PublicKey("ed25519", 256, hashlib.sha256(octets).hexdigest())
    assert plain_ed25519(ed25519()) == octets
    assert plain_ed25519(spki()) == b""


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        pytest.param(numbers(modulus(1024), 1), "exponent is 1", id="exponent 1"),
        pytest.param(numbers(3 * modulus(1024), 3), "divisor below 1000", id="small divisor"),
        pytest.param(numbers(2 * modulus(1024), 3), "divisor below 1000", id="even"),
    ],
)
def test_a_key_that_anybody_can_break_is_called_weak(octets: bytes, words: str) -> None:
    assert words in read_rsa(octets).weakness


def others() -> list[object]:
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    parameters = dsa.DSAParameterNumbers(modulus(1024), modulus(160), 2)
    signer = dsa.DSAPublicNumbers(3, parameters).public_key()
    wrapped = PublicFormat.SubjectPublicKeyInfo
    four48 = ed448.Ed448PrivateKey.generate().public_key()
    cases = [
        (curve.public_bytes(Encoding.DER, wrapped), "an elliptic-curve key"),
        (four48.public_bytes(Encoding.DER, wrapped), "an Ed448 key"),
        (signer.public_bytes(Encoding.DER, wrapped), "a DSA key"),
        (ed25519(), "an Ed25519 key"),
        (ed25519()[-32:], "32 octets, as an Ed25519 key has"),
        (b"", "no DER"),
        (b"\x31\x00", "no DER"),
        (b"\x30", "cut off: at least 1"),
        (b"\x30\x00", "DER, but no public key"),
        (b"\x30\x80\x00\x00", "a length in it is impossible"),
        (b"\x30\x84\x00\x00\x00\x00", "a length in it is impossible"),
        (spki()[:100], "cut off: at least 194 octets"),
        (spki() + b"\x00", "1 octets too many"),
        (b"\x30" * 9000, "longer than"),
        (tlv(0x30, tlv(0x30, b"") + tlv(3, b"\x00")), "names no kind of key"),
        (tlv(0x30, tlv(0x30, tlv(2, b"\x01")) + tlv(3, b"\x00")), "names no kind of key"),
        (tlv(0x30, tlv(0x30, tlv(6, b"\x2a")) + tlv(3, b"\x00")), "a kind that DKIM does not have"),
        (spki().replace(b"\x03\x82\x01\x0f\x00", b"\x03\x82\x01\x0f\x01"), "broken octets"),
        (tlv(0x30, spki()[4:19] + tlv(3, b"\x00" + tlv(0x30, b""))), "lacks a modulus"),
        (numbers(-5, 3), "not positive"),
        (numbers(5, 0), "not positive"),
        (numbers(modulus(1024), 4), "an even exponent"),
        (tlv(0x30, tlv(0x30, b"") * 2 + tlv(3, b"\x00")), "a certificate"),
        (tlv(0x30, tlv(2, b"\x01") * 40), "private key"),
    ]
    return [pytest.param(octets, words, id=words[:30]) for octets, words in cases]


@pytest.mark.parametrize(("octets", "words"), others())
def test_what_is_no_rsa_key_is_named(octets: bytes, words: str) -> None:
    with pytest.raises(NoKeyError, match=words):
        read_rsa(octets)


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        pytest.param(spki(), "an RSA key", id="RSA"),
        pytest.param(bare(2048), "an RSA key", id="bare RSA"),
        pytest.param(ed25519(), "takes its 32 octets alone", id="wrapped"),
        pytest.param(b"\x01" * 31, "31 octets", id="short"),
        pytest.param(b"\x30\x00", "no public key", id="empty"),
    ],
)
def test_what_is_no_ed25519_key_is_named(octets: bytes, words: str) -> None:
    with pytest.raises(NoKeyError, match=words):
        read_ed25519(octets)


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_a_private_key_is_known_for_one(form: PrivateFormat) -> None:
    octets = REAL.private_bytes(Encoding.DER, form, NoEncryption())
    for read in (read_rsa, read_ed25519):
        with pytest.raises(PrivateKeyError):
            read(octets)


def test_a_private_key_of_a_curve_is_known_for_one() -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    octets = curve.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    with pytest.raises(PrivateKeyError):
        read_rsa(octets)


@given(st.binary(max_size=400))
def test_any_octets_are_a_key_or_refused(octets: bytes) -> None:
    for read in (read_rsa, read_ed25519):
        try:
            words = str(read(octets).bits)
        except NoKeyError as error:
            words = str(error)
        assert words
        assert words.isascii()


@given(st.integers(0, 293), st.integers(0, 255))
def test_a_key_with_one_octet_changed_is_read_as_cryptography_does(place: int, value: int) -> None:
    octets = bytearray(spki())
    octets[place] = value
    try:
        found = read_rsa(bytes(octets))
    except NoKeyError:
        return  # the library is laxer in places that no key has
    try:
        public = load_der_public_key(bytes(octets))
    except (ValueError, UnsupportedAlgorithm):
        return  # stricter about the algorithm's parameters and the numbers
    assert isinstance(public, rsa.RSAPublicKey)
    assert found.bits == public.key_size
    assert found.exponent == public.public_numbers().e
