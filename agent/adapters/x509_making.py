"""How are authorities and certificates made, for the lab and for the agent's own sink?

They are made on the spot, live in memory and are never stored.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate with those above it but the root, and its key, both in PEM."""

    certificates: bytes
    key: bytes = field(repr=False)


Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def load_pair(pair: KeyPair) -> tuple[list[x509.Certificate], Key]:
    """Return the certificates of *pair*, its own first, and the key.

    Raises ValueError where one cannot be read, or the key is another certificate's.
    """
    try:
        chain = x509.load_pem_x509_certificates(pair.certificates)
        key = serialization.load_pem_private_key(pair.key, password=None)
        if isinstance(key, Key) and chain[0].public_key() == key.public_key():
            return chain, key
    except (TypeError, ValueError, UnsupportedAlgorithm):
        pass
    message = "the certificate and its key cannot be read, or do not fit"
    raise ValueError(message)


def ders_of(pair: KeyPair) -> tuple[bytes, ...]:
    """Return the certificates of *pair* in DER. Raises ValueError as :func:`load_pair` does."""
    return tuple(each.public_bytes(serialization.Encoding.DER) for each in load_pair(pair)[0])


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
        builder = builder.add_extension(_FOR_BOTH_ENDS, critical=False)
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
_FOR_BOTH_ENDS = x509.ExtendedKeyUsage(
    [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
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
