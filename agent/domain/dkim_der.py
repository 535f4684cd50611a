"""Which public key do these octets hold?

A reader of the little DER (X.690) that a key record can have: SubjectPublicKeyInfo (RFC 5280
section 4.1), the bare RSAPublicKey (RFC 8017 appendix A.1.1), and 32 plain octets of Ed25519 (RFC
8463 section 4). It also knows what is put there by mistake: a private key, a certificate, a key of
a kind that DKIM does not have. The octets are hostile: lengths are bounded by what is there, and
nothing nests.
"""

import hashlib
import math
from dataclasses import dataclass

MAX_OCTETS = 8192  # of a key; RSA with 16384 bits takes 2100
ED25519_OCTETS = 32
_INTEGER, _BITS, _OCTETS, _OID, _SEQUENCE = 0x02, 0x03, 0x04, 0x06, 0x30
_EXPLICIT_0 = 0xA0  # the version of a certificate
_LONG_FORM = 0x80
_MOST_LENGTH_OCTETS = 3
_RSA = bytes.fromhex("2a864886f70d010101")
_ED25519 = bytes.fromhex("2b6570")
_OTHERS = {
    bytes.fromhex("2a8648ce3d0201"): "an elliptic-curve key",
    bytes.fromhex("2b6571"): "an Ed448 key",
    bytes.fromhex("2a8648ce380401"): "a DSA key",
    bytes.fromhex("2a864886f70d01010a"): "an RSA key for RSASSA-PSS only",
}
_PRIVATE_PARTS = 9  # integers of an RSAPrivateKey, RFC 8017 appendix A.1.2
_SMALL = math.factorial(999)  # has every prime below 1000 in it


class NoKeyError(ValueError):
    """The octets are no key that DKIM has; the text says what they are, to follow "it is"."""


class PrivateKeyError(NoKeyError):
    """The octets are a private key, which must never be published."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key. ``bits`` is the size of the modulus; ``exponent`` is 0 where there is none.

    ``is_bare`` tells that an RSA key came without SubjectPublicKeyInfo around it; ``fingerprint``
    is SHA-256 over the key itself, in 64 hexadecimal digits, the same in either form;
    ``weakness`` says in words why anybody can find the private key, whatever its size.
    """

    type: str
    bits: int
    fingerprint: str
    exponent: int = 0
    is_bare: bool = False
    weakness: str = ""


def read_rsa(octets: bytes) -> PublicKey:
    """Read an RSA key. Raises NoKeyError, or PrivateKeyError."""
    if len(octets) == ED25519_OCTETS:
        message = "32 octets, as an Ed25519 key has"
        raise NoKeyError(message)
    parts = _elements(_whole(octets, _SEQUENCE))
    tags = [tag for tag, _ in parts]
    if tags == [_INTEGER, _INTEGER]:
        return _rsa(parts, is_bare=True)
    if tags == [_SEQUENCE, _BITS]:
        algorithm = _algorithm(parts[0][1])
        if algorithm == _RSA:
            return _rsa(_elements(_whole(_plain_bits(parts[1][1]), _SEQUENCE)), is_bare=False)
        raise NoKeyError(_name_of(algorithm))
    raise _mistaken(tags)


def read_ed25519(octets: bytes) -> PublicKey:
    """Read an Ed25519 key. Raises NoKeyError, or PrivateKeyError."""
    if len(octets) == ED25519_OCTETS:
        return PublicKey("ed25519", 256, hashlib.sha256(octets).hexdigest())
    if not octets.startswith(bytes([_SEQUENCE])):
        message = f"{len(octets)} octets, and an Ed25519 key has {ED25519_OCTETS}"
        raise NoKeyError(message)
    if plain_ed25519(octets):
        message = "an Ed25519 key in SubjectPublicKeyInfo; DKIM takes its 32 octets alone"
        raise NoKeyError(message)
    parts = _elements(_whole(octets, _SEQUENCE))
    tags = [tag for tag, _ in parts]
    if tags == [_SEQUENCE, _BITS]:
        raise NoKeyError(_name_of(_algorithm(parts[0][1])))
    if tags == [_INTEGER, _INTEGER]:
        raise NoKeyError(_name_of(_RSA))
    raise _mistaken(tags)


def plain_ed25519(octets: bytes) -> bytes:
    """Return the 32 octets out of an Ed25519 SubjectPublicKeyInfo; empty for anything else."""
    head = bytes.fromhex("302a300506032b6570032100")  # RFC 8410 section 4
    is_one = octets.startswith(head) and len(octets) == len(head) + ED25519_OCTETS
    return octets[len(head) :] if is_one else b""


def _name_of(algorithm: bytes) -> str:
    known = {_RSA: "an RSA key", _ED25519: "an Ed25519 key", **_OTHERS}
    return known.get(algorithm, "a key of a kind that DKIM does not have")


def _mistaken(tags: list[int]) -> NoKeyError:
    """Say what a sequence of such elements is; the shapes are those of RFC 8017, 5958 and 5280."""
    is_rsa = len(tags) >= _PRIVATE_PARTS and set(tags[:_PRIVATE_PARTS]) == {_INTEGER}
    if is_rsa or tags[:3] in ([_INTEGER, _SEQUENCE, _OCTETS], [_INTEGER, _OCTETS, _EXPLICIT_0]):
        return PrivateKeyError("a private key")
    if tags == [_SEQUENCE, _SEQUENCE, _BITS]:
        return NoKeyError("a certificate, or a request for one, not its public key")
    return NoKeyError("DER, but no public key")


def _rsa(parts: list[tuple[int, bytes]], *, is_bare: bool) -> PublicKey:
    if [tag for tag, _ in parts] != [_INTEGER, _INTEGER]:
        message = "no RSA key: it lacks a modulus and an exponent"
        raise NoKeyError(message)
    modulus, exponent = (int.from_bytes(value, "big", signed=True) for _, value in parts)
    if modulus <= 0 or exponent <= 0:
        message = "an RSA key with a number that is not positive"
        raise NoKeyError(message)
    if exponent % 2 == 0:
        message = "an RSA key with an even exponent, which no signature fits"
        raise NoKeyError(message)
    digest = hashlib.sha256(parts[0][1].lstrip(b"\0") + b"," + parts[1][1].lstrip(b"\0"))
    bits, weakness = modulus.bit_length(), _weakness(modulus, exponent)
    return PublicKey("rsa", bits, digest.hexdigest(), exponent, is_bare, weakness)


def _weakness(modulus: int, exponent: int) -> str:
    """Say what breaks a key of any size (RFC 8017 section 3.1)."""
    if exponent == 1:
        return "its exponent is 1, so that anybody can write a signature that fits"
    if math.gcd(modulus, _SMALL) != 1:
        return "its modulus has a divisor below 1000, so that it is no product of two primes"
    return ""


def _algorithm(identifier: bytes) -> bytes:
    """Return the object identifier out of an AlgorithmIdentifier."""
    parts = _elements(identifier)
    if not parts or parts[0][0] != _OID:
        message = "DER, but names no kind of key"
        raise NoKeyError(message)
    return parts[0][1]


def _plain_bits(value: bytes) -> bytes:
    """Return the octets of a BIT STRING that has no unused bits."""
    if value[:1] != b"\0":
        message = "DER with a bit string of broken octets"
        raise NoKeyError(message)
    return value[1:]


def _whole(octets: bytes, tag: int) -> bytes:
    """Return the content of the one element that *octets* are."""
    if len(octets) > MAX_OCTETS:
        message = f"longer than {MAX_OCTETS} octets"
        raise NoKeyError(message)
    if octets[:1] != bytes([tag]):
        message = "no DER, as a public key is"
        raise NoKeyError(message)
    _, content, rest = _element(octets)
    if rest:
        message = f"a key with {len(rest)} octets too many at its end"
        raise NoKeyError(message)
    return content


def _elements(octets: bytes) -> list[tuple[int, bytes]]:
    """Return the elements side by side in *octets*, as tag and content; at most a dozen."""
    found: list[tuple[int, bytes]] = []
    while octets and len(found) <= _PRIVATE_PARTS + 2:
        tag, content, octets = _element(octets)
        found.append((tag, content))
    return found


def _element(octets: bytes) -> tuple[int, bytes, bytes]:
    """Return the tag and the content of the first element, and what follows it."""
    if len(octets) < 2:  # noqa: PLR2004 - a tag and a length
        raise NoKeyError(_cut(2 - len(octets)))
    tag, length, start = octets[0], octets[1], 2
    if length >= _LONG_FORM:
        more = length - _LONG_FORM
        if not 1 <= more <= _MOST_LENGTH_OCTETS:
            message = "no DER: a length in it is impossible"
            raise NoKeyError(message)
        start += more
        length = int.from_bytes(octets[2:start], "big")
    missing = start + length - len(octets)
    if missing > 0:
        raise NoKeyError(_cut(missing))
    return tag, octets[start : start + length], octets[start + length :]


def _cut(missing: int) -> str:
    return f"cut off: at least {missing} octets are missing"
