"""What does a TLSA record say, and does a certificate fit it (RFC 6698, RFC 7672)?

Mail knows two usages: 2, an authority that must be in the chain, and 3, the server's certificate
itself. Usages 0 and 1 are unusable, and so is a digest of the wrong length: a sender then demands
TLS and does not look at the certificate. Of a certificate only digests are needed, so that those of
many servers can be remembered.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

AUTHORITY, ITSELF = 2, 3
WHOLE, KEY = 0, 1
EXACT, SHA256, SHA512 = 0, 1, 2
LENGTHS = {SHA256: 32, SHA512: 64}
_USAGES = {
    0: "an authority that is trusted anyway (PKIX-TA)",
    1: "this certificate, of a trusted authority (PKIX-EE)",
    AUTHORITY: "this authority (DANE-TA)",
    ITSELF: "the server itself (DANE-EE)",
}
_SELECTORS = {WHOLE: "whole certificate", KEY: "public key"}
_MATCHINGS = {EXACT: "all octets", SHA256: "SHA-256", SHA512: "SHA-512"}
_FIELDS = ("usage", "selector", "matching type")
_WORD = re.compile(r"[^ \t]+")
_NUMBER = re.compile(r"[0-9]{1,3}")
_NOT_HEX = re.compile(r"[^0-9A-Fa-f]")
_OCTET = 255
_HALF = 96  # octets of a print: SHA-256 and SHA-512 of the certificate, then of its key


class TlsaError(ValueError):
    """A text is no TLSA record; ``at`` is where, in characters from 1, or 0 where all is read."""

    def __init__(self, at: int, problem: str) -> None:
        self.at, self.problem = at, problem
        super().__init__(f"character {at}: {problem}" if at else problem)


@dataclass(frozen=True, slots=True)
class Tlsa:
    """A TLSA record, RFC 6698 section 2.1."""

    usage: int
    selector: int
    matching: int
    data: bytes

    @property
    def flaw(self) -> str:
        """Why a mail server's certificate cannot be held against it; empty where it can."""
        if self.usage not in (AUTHORITY, ITSELF):
            known = "counts for nothing with SMTP" if self.usage in _USAGES else "means nothing"
            return f"usage {self.usage} {known}"
        if self.selector not in _SELECTORS:
            return f"selector {self.selector} means nothing"
        if self.matching not in _MATCHINGS:
            return f"matching type {self.matching} means nothing"
        return self._misfit()

    def _misfit(self) -> str:
        wanted, found = LENGTHS.get(self.matching, 0), len(self.data)
        if wanted and found != wanted:
            name = _MATCHINGS[self.matching]
            return f"it has {found} octets, and {name} has {wanted}"
        return "" if found else "it has no data"

    @property
    def is_usable(self) -> bool:
        """True where the record can be held against a mail server's certificate."""
        return not self.flaw

    @property
    def meaning(self) -> str:
        """What it says, in words."""
        usage = _USAGES.get(self.usage, "no usage that is known")
        selector = _SELECTORS.get(self.selector, "no selector that is known")
        matching = _MATCHINGS.get(self.matching, "no matching type that is known")
        return f"{usage}, by {matching} of the {selector}"

    def fits(self, shown: bytes) -> bool:
        """Tell whether the certificate with the print *shown* is what the record speaks of."""
        half = shown[:_HALF] if self.selector == WHOLE else shown[_HALF:]
        if self.matching == SHA512:
            return self.data == half[LENGTHS[SHA256] :]
        octets = hashlib.sha256(self.data).digest() if self.matching == EXACT else self.data
        return octets == half[: LENGTHS[SHA256]]

    def __str__(self) -> str:
        return f"{self.usage} {self.selector} {self.matching} {self.data.hex()[:16]}..."


def print_of(certificate: bytes, key: bytes) -> bytes:
    """Return all that matching needs of a certificate, and of its SubjectPublicKeyInfo, in DER.

    192 octets: SHA-256 and SHA-512 of the certificate, then the same of its key.
    """
    return b"".join(
        hash_(octets).digest()
        for octets in (certificate, key)
        for hash_ in (hashlib.sha256, hashlib.sha512)
    )


def parse(text: str) -> Tlsa:
    """Read a record as zone files have it (RFC 6698 section 2.2); blanks may part the digits.

    Raises TlsaError, which says where. A record of the wrong length is read: see ``flaw``.
    """
    words = [(found.group(), found.start() + 1) for found in _WORD.finditer(text)]
    usage, selector, matching = (_number(words, place) for place in range(len(_FIELDS)))
    digits = words[len(_FIELDS) :]
    for word, at in digits:
        if found := _NOT_HEX.search(word):
            raise TlsaError(at + found.start(), "no hexadecimal digit")
    joined = "".join(word for word, _ in digits)
    if len(joined) % 2:
        last, at = digits[-1]
        raise TlsaError(at + len(last) - 1, "half an octet: a digit is missing")
    return Tlsa(usage, selector, matching, bytes.fromhex(joined))


def _number(words: list[tuple[str, int]], place: int) -> int:
    name = _FIELDS[place]
    if place >= len(words):
        raise TlsaError(0, f"the {name} is missing")
    word, at = words[place]
    if not _NUMBER.fullmatch(word) or int(word) > _OCTET:
        raise TlsaError(at, f"the {name} is no number from 0 to 255")
    return int(word)


def read_tlsa(texts: Iterable[object]) -> tuple[Tlsa, ...]:
    """Read records as the resolver gives them; what cannot be read is left out."""
    found = []
    for text in texts:
        try:
            found.append(parse(str(text)))
        except TlsaError:
            continue
    return tuple(found)
