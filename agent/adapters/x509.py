"""What does this certificate say, and who vouches for it?

Certificates are read into facts and chains are followed to the roots of a trust store by the
library's own path builder, not by a TLS handshake that stops at the first fault: so an expired
certificate with a wrong name from an unknown issuer shows all three in one run, and a healthy one
costs one handshake. Extensions that older authorities lack (keyUsage) are not demanded.
:mod:`agent.adapters.x509_staple` reads what a server says of revocation, and
:mod:`agent.adapters.x509_making` makes certificates.
"""

import warnings
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509 import verification
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    NameOID,
)

from agent.domain.peer_text import PeerText
from agent.domain.tls import MAX_NAMES, Certificate, Trust

MAX_CHAIN = 16  # certificates of one server that are looked at
_MAX_PURPOSES = 12
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    CryptographyDeprecationWarning,  # where warnings are errors
)
# Peers and old roots have serial numbers that the library frowns upon, once for each.
warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning, module=__name__)


class UnreadableError(ValueError):
    """The octets are no certificate that can be read."""


@lru_cache(maxsize=1024)
def read(der: bytes) -> Certificate:
    """Return the facts of a certificate.

    Raises UnreadableError. Servers show the same certificate at every run, hence the cache.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        return _facts(certificate)
    except UNREADABLE as error:
        raise UnreadableError(str(PeerText(str(error)))) from None


def _facts(certificate: x509.Certificate) -> Certificate:
    names = _names(certificate)
    key_type, key_bits = _key(certificate)
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    hashed = certificate.signature_hash_algorithm
    return Certificate(
        subject=PeerText(certificate.subject.rfc4514_string()),
        issuer=PeerText(certificate.issuer.rfc4514_string()),
        common_name=PeerText(common[0].value if common else ""),
        names=tuple(PeerText(name.lower(), limit=255) for name in names[:MAX_NAMES]),
        name_count=len(names),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        key_type=key_type,
        key_bits=key_bits,
        signature=hashed.name if hashed else key_type,
        is_self_signed=is_issued_by(certificate, certificate),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        purposes=_purposes(certificate),
    )


_PURPOSES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "any",
}


def _purposes(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return what the certificate says it is for, RFC 5280 section 4.2.1.12; nothing: anything."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return ()
    return tuple(_PURPOSES.get(each, each.dotted_string) for each in usage.value)[:_MAX_PURPOSES]


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return extension.value.get_values_for_type(x509.DNSName)


def _key(certificate: x509.Certificate) -> tuple[str, int]:
    key = certificate.public_key()
    match key:
        case rsa.RSAPublicKey():
            return "RSA", key.key_size
        case ec.EllipticCurvePublicKey():
            return "EC", key.key_size
        case ed25519.Ed25519PublicKey():
            return "Ed25519", 256
        case ed448.Ed448PublicKey():
            return "Ed448", 448
        case _:
            return "other", 0


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether *issuer* has signed *certificate* and is named as its issuer."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (*UNREADABLE, InvalidSignature):
        return False
    return True


def key_of(der: bytes) -> bytes:
    """Return the public key of a certificate (SubjectPublicKeyInfo) in DER; raises ValueError."""
    try:
        key = x509.load_der_x509_certificate(der).public_key()
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except UNREADABLE as error:
        raise UnreadableError(str(PeerText(str(error)))) from None


class Anchors:
    """The roots that are trusted: what a chain has to lead to."""

    def __init__(self, ders: Iterable[bytes]) -> None:
        roots = {}
        for der in ders:
            try:
                root = x509.load_der_x509_certificate(der)
                roots[root.fingerprint(hashes.SHA256())] = root
            except UNREADABLE:
                continue  # a system's store may hold what no library reads any more
        self.count = len(roots)
        self._roots = tuple(roots.values())
        self._store = verification.Store(list(roots.values())) if roots else None

    def follow(self, chain: tuple[bytes, ...], at: datetime) -> tuple[Trust, str]:
        """Tell where a chain, the server's certificate first, leads at the time *at*.

        The second value says why it leads nowhere. A server's certificate out of its time is
        followed as if in it: that it has expired is another fault.
        """
        try:
            leaf, *others = map(x509.load_der_x509_certificate, chain[:MAX_CHAIN])
            inside = min(max(at, leaf.not_valid_before_utc), leaf.not_valid_after_utc)
            detail = self._verify(leaf, others, inside)
            if detail is None or (inside != at and self._vouches(leaf, others, at)):
                return Trust.TRUSTED, ""
            return _why_not(leaf, others), detail
        except UNREADABLE as error:
            return Trust.UNTRUSTED, str(PeerText(str(error)))

    def _vouches(
        self, leaf: x509.Certificate, others: list[x509.Certificate], at: datetime
    ) -> bool:
        """Tell whether an authority that is trusted at the time *at* has signed *leaf*.

        A root that was renewed since *leaf* ended was in its time together with it at no moment.
        """
        return any(
            _is_authority(each)
            and is_issued_by(leaf, each)
            and self._verify(each, others, at) is None
            for each in (*others, *self._roots)
            if each.subject == leaf.issuer
        )

    def _verify(
        self, leaf: x509.Certificate, others: list[x509.Certificate], at: datetime
    ) -> str | None:
        """Return why the chain is not trusted, or None where it is."""
        if self._store is None:
            return "the trust store is empty"
        policy = verification.PolicyBuilder().store(self._store).time(at)
        policy = policy.extension_policies(ca_policy=_AUTHORITY, ee_policy=_ANYTHING)
        try:
            # Names are judged by Exchange's rules in the domain: a verifier without a name.
            policy.build_client_verifier().verify(leaf, others)
        except verification.VerificationError as error:
            return str(PeerText(str(error).removeprefix("validation failed: ")))
        return None


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return constraints.value.ca


def _must_be_authority(
    _policy: verification.Policy,
    _certificate: x509.Certificate,
    constraints: x509.BasicConstraints,
) -> None:
    if not constraints.ca:
        message = "an issuer is no certificate authority"
        raise ValueError(message)


_ANYTHING = verification.ExtensionPolicy.permit_all()
_AUTHORITY = _ANYTHING.require_present(
    x509.BasicConstraints, verification.Criticality.AGNOSTIC, _must_be_authority
)


def _why_not(leaf: x509.Certificate, others: list[x509.Certificate]) -> Trust:
    if is_issued_by(leaf, leaf):
        return Trust.SELF_SIGNED
    if any(is_issued_by(leaf, other) for other in others):
        return Trust.UNTRUSTED
    # Nobody can tell an issuer that was left out from one that nobody knows; but an authority
    # that says where to fetch its certificate is one that is found that way.
    return Trust.INCOMPLETE if _says_where_issuer_is(leaf) else Trust.UNTRUSTED


def _says_where_issuer_is(leaf: x509.Certificate) -> bool:
    try:
        access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
    except x509.ExtensionNotFound:
        return False
    return AuthorityInformationAccessOID.CA_ISSUERS in [each.access_method for each in access.value]
