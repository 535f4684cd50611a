"""Does a server's certificate agree with what its zone says of it (DANE, RFC 7672)?

Records count only where DNSSEC vouches for them.
"""

from dataclasses import dataclass

from agent.domain.tlsa import ITSELF, Tlsa, print_of


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate of a chain, and its public key (SubjectPublicKeyInfo), in DER."""

    certificate: bytes
    key: bytes


def agrees(records: tuple[Tlsa, ...], chain: tuple[Shown, ...]) -> bool | None:
    """Tell whether a chain, the server's certificate first, agrees with one of the *records*.

    None where none of them is usable, so that the certificate is not looked at.
    """
    usable = [each for each in records if each.is_usable]
    if not usable:
        return None
    prints = tuple(print_of(each.certificate, each.key) for each in chain)
    return any(is_among(record, prints) for record in usable)


def is_among(record: Tlsa, prints: tuple[bytes, ...]) -> bool:
    """Tell whether *record* speaks of a certificate of the chain with these *prints*.

    Of the server's own where its usage says so.
    """
    speaks_of = prints[:1] if record.usage == ITSELF else prints
    return any(map(record.fits, speaks_of))
