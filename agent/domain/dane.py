"""Does a server's certificate agree with what its zone says of it (DANE, RFC 7672)?

Exchange Online takes usages 2 (an authority that must be in the chain) and 3 (the certificate
itself); the others are unusable for SMTP: TLS is still demanded, the certificate is not looked at.
Records count only where DNSSEC vouches for them.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

_AUTHORITY, _ITSELF = 2, 3
_USAGES = (_AUTHORITY, _ITSELF)
_WHOLE, _KEY = 0, 1
_EXACT, _SHA256, _SHA512 = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Tlsa:
    """A TLSA record, RFC 6698 section 2.1."""

    usage: int
    selector: int
    matching: int
    data: bytes

    @property
    def is_usable(self) -> bool:
        """True where the record can be held against a mail server's certificate."""
        return (
            self.usage in _USAGES
            and self.selector in (_WHOLE, _KEY)
            and self.matching in (_EXACT, _SHA256, _SHA512)
            and bool(self.data)
        )

    def fits(self, shown: "Shown") -> bool:
        """Tell whether *shown* is what the record speaks of."""
        octets = shown.certificate if self.selector == _WHOLE else shown.key
        if self.matching == _SHA256:
            octets = hashlib.sha256(octets).digest()
        elif self.matching == _SHA512:
            octets = hashlib.sha512(octets).digest()
        return octets == self.data

    def __str__(self) -> str:
        return f"{self.usage} {self.selector} {self.matching} {self.data.hex()[:16]}..."


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate of a chain, and its public key (SubjectPublicKeyInfo), in DER."""

    certificate: bytes
    key: bytes


def read_tlsa(texts: Iterable[object]) -> tuple[Tlsa, ...]:
    """Read records as the resolver gives them; what cannot be read is left out."""
    found = []
    for text in texts:
        parts = str(text).split()
        try:
            usage, selector, matching = map(int, parts[:3])
            data = bytes.fromhex("".join(parts[3:]))
        except ValueError:
            continue
        found.append(Tlsa(usage, selector, matching, data))
    return tuple(found)


def agrees(records: tuple[Tlsa, ...], chain: tuple[Shown, ...]) -> bool | None:
    """Tell whether a chain, the server's certificate first, agrees with one of the *records*.

    None where none of them is usable, so that the certificate is not looked at.
    """
    usable = [each for each in records if each.is_usable]
    if not usable:
        return None
    return any(
        any(record.fits(each) for each in (chain[:1] if record.usage == _ITSELF else chain))
        for record in usable
    )
