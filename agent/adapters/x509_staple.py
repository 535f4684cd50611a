"""What does a server say of its certificate's revocation?

A server may staple its authority's answer (RFC 6960) to the handshake. It is believed only with
the signature of the authority, or of a responder that the authority has certified for that: else
anybody in between could say that a certificate is revoked, or that it is not.
"""

from collections.abc import Iterable
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from agent.adapters.x509 import UNREADABLE, is_issued_by
from agent.domain.tls import Revocation, Staple

MAX_STAPLE = 65_536  # octets

_STATUS = {
    ocsp.OCSPCertStatus.GOOD: Revocation.GOOD,
    ocsp.OCSPCertStatus.REVOKED: Revocation.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: Revocation.UNKNOWN,
}


def read_staple(der: bytes, chain: tuple[bytes, ...]) -> Staple | None:
    """Return what a stapled answer says of the first certificate of *chain*.

    None where there is no answer, it is about another certificate, or nobody vouches for it.
    """
    if not der or len(der) > MAX_STAPLE:
        return None
    try:
        leaf, *others = map(x509.load_der_x509_certificate, chain)
        response = ocsp.load_der_ocsp_response(der)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return None
        if response.serial_number != leaf.serial_number or not _is_vouched(response, leaf, others):
            return None
        return Staple(
            status=_STATUS[response.certificate_status],
            this_update=response.this_update_utc,
            next_update=response.next_update_utc,
            revoked_at=_revoked_at(response),
        )
    except UNREADABLE:
        return None


def _revoked_at(response: ocsp.OCSPResponse) -> datetime | None:
    return response.revocation_time_utc


def _is_vouched(
    response: ocsp.OCSPResponse, leaf: x509.Certificate, others: Iterable[x509.Certificate]
) -> bool:
    for issuer in others:
        if not is_issued_by(leaf, issuer):
            continue
        if _is_signed_by(response, issuer):
            return True
        for responder in response.certificates:
            if _may_answer(responder, issuer) and _is_signed_by(response, responder):
                return True
    return False


def _may_answer(responder: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether the authority has certified the responder: RFC 6960 section 4.2.2.2."""
    if not is_issued_by(responder, issuer):
        return False
    try:
        usage = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in usage.value


def _is_signed_by(response: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    key, hashed = signer.public_key(), response.signature_hash_algorithm
    try:
        match key:
            case rsa.RSAPublicKey() if hashed is not None:
                scheme = padding.PKCS1v15()
                key.verify(response.signature, response.tbs_response_bytes, scheme, hashed)
            case ec.EllipticCurvePublicKey() if hashed is not None:
                way = ec.ECDSA(hashed)
                key.verify(response.signature, response.tbs_response_bytes, way)
            case _:
                return False
    except (*UNREADABLE, InvalidSignature):
        return False
    return True
