"""What does this certificate say, and who vouches for it? The only importer of cryptography.

Certificates are read into facts and chains are followed to the roots of a trust store by the
library's own path builder, not by a TLS handshake that stops at the first fault: so an expired
certificate with a wrong name from an unknown issuer shows all three in one run, and a healthy one
costs one handshake. Extensions that older authorities lack (keyUsage) are not demanded. The module
also makes authorities and certificates, for the lab and for the agent's own sink.
"""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509 import verification
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from agent.domain.peer_text import PeerText
from agent.domain.tls import MAX_NAMES, Certificate, Trust

MAX_CHAIN = 16  # certificates of one server that are looked at
_UNREADABLE = (
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
    except _UNREADABLE as error:
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
        is_self_signed=_is_issued_by(certificate, certificate),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
    )


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


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (*_UNREADABLE, InvalidSignature):
        return False
    return True


class Anchors:
    """The roots that are trusted: what a chain has to lead to."""

    def __init__(self, ders: Iterable[bytes]) -> None:
        roots = {}
        for der in ders:
            try:
                root = x509.load_der_x509_certificate(der)
                roots[root.fingerprint(hashes.SHA256())] = root
            except _UNREADABLE:
                continue  # a system's store may hold what no library reads any more
        self.count = len(roots)
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
            if detail is None:
                return Trust.TRUSTED, ""
            return _why_not(leaf, others), detail
        except _UNREADABLE as error:
            return Trust.UNTRUSTED, str(PeerText(str(error)))

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
    if _is_issued_by(leaf, leaf):
        return Trust.SELF_SIGNED
    if any(_is_issued_by(leaf, other) for other in others):
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


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate with those above it but the root, and its key, both in PEM."""

    certificates: bytes
    key: bytes


class Authority:
    """A certificate authority of our own, made on the spot and never stored."""

    def __init__(self, name: str, *, at: datetime, parent: "Authority | None" = None) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = _common_name(name)
        builder = _builder(subject, self._key, at - _DAY, at + 3650 * _DAY)
        builder = builder.issuer_name(parent.certificate.subject if parent else subject)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        builder = builder.add_extension(_SIGNS_CERTIFICATES, critical=True)
        self.certificate: x509.Certificate = (parent or self).sign(builder)
        # What a server sends after its own certificate: all but the root.
        self.above: list[x509.Certificate] = [self.certificate, *parent.above] if parent else []

    def sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        """Return what is being built, signed by this authority."""
        return builder.sign(self._key, hashes.SHA256())

    @property
    def pem(self) -> bytes:
        """The authority's certificate, to be trusted."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(
        self, *names: str, not_before: datetime, not_after: datetime, with_chain: bool = True
    ) -> KeyPair:
        """Return a certificate for *names* (or addresses), valid for the time given.

        ``with_chain`` false leaves out the intermediates that a server has to send.
        """
        key, builder = _leaf(names, not_before, not_after)
        builder = builder.issuer_name(self.certificate.subject)
        if self.above:
            builder = builder.add_extension(_WHERE_ISSUER_IS, critical=False)
        leaf = self.sign(builder)
        return _pair([leaf, *self.above] if with_chain else [leaf], key)


def self_signed(*names: str, not_before: datetime, not_after: datetime) -> KeyPair:
    """Return a certificate for *names* that nobody but itself vouches for."""
    key, builder = _leaf(names, not_before, not_after)
    builder = builder.issuer_name(_common_name(names[0]))
    return _pair([builder.sign(key, hashes.SHA256())], key)


_DAY = timedelta(days=1)
_SIGNING = ("digital_signature", "key_cert_sign", "crl_sign")
_OTHER_USAGES = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
_SIGNS_CERTIFICATES = x509.KeyUsage(
    **dict.fromkeys(_SIGNING, True),
    **dict.fromkeys((*_OTHER_USAGES, "encipher_only", "decipher_only"), False),
)
_WHERE_ISSUER_IS = x509.AuthorityInformationAccess(
    [
        x509.AccessDescription(
            AuthorityInformationAccessOID.CA_ISSUERS,
            x509.UniformResourceIdentifier("http://authority.invalid/issuer.crt"),
        )
    ]
)


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, not_before: datetime, not_after: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(subject_name=subject, public_key=key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(not_before).not_valid_after(not_after)


def _leaf(
    names: tuple[str, ...], not_before: datetime, not_after: datetime
) -> tuple[ec.EllipticCurvePrivateKey, x509.CertificateBuilder]:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_common_name(names[0]), key, not_before, not_after)
    alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
    return key, builder.add_extension(alternatives, critical=False)


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pair(chain: list[x509.Certificate], key: ec.EllipticCurvePrivateKey) -> KeyPair:
    return KeyPair(
        b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
