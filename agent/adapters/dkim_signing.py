"""How does a message of ours get its DKIM signature? The only importer of dkimpy.

A signature that the servers on an honest way break tells nothing of the way. So white space may
change (relaxed/relaxed, RFC 6376 section 3.4), and of the header only what no gateway has a reason
to touch is signed: not the subject, which they tag, and not the fields that tell how the body is
encoded.
"""

import base64
import re
from dataclasses import dataclass, field

# From twice: nobody shall add a second one (RFC 6376 section 8.15).
SIGNED = ("from", "from", "to", "date", "message-id", "x-mailflow-token", "auto-submitted")

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_PEM = re.compile(
    r"-----BEGIN (RSA PRIVATE KEY|PRIVATE KEY)-----([A-Za-z0-9+/=\s]+)-----END \1-----"
)
# What stands before the key itself in DER, RFC 8410 section 7.
_ED25519 = bytes.fromhex("302e020100300506032b657004220420")
_ED25519_OCTETS = 32


class SigningError(Exception):
    """A message cannot be signed; the text says why to an operator, without a word of the key."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for a domain with a key of a selector, in PEM; RSA, or Ed25519 where PyNaCl is there.

    Raises SigningError for names that are none and for a text that holds no private key.
    """

    domain: str
    selector: str
    key_pem: bytes = field(repr=False)

    def __post_init__(self) -> None:
        for name in (self.domain, self.selector):
            if not _NAME.fullmatch(name):
                message = f"{name!r} is no name for a DKIM signature"
                raise SigningError(message)
        _body_of(self.key_pem)

    def sign(self, octets: bytes) -> bytes:
        """Return the message *octets* with its DKIM-Signature in front.

        Computes for some 10 ms, and for a second where the message is large: leave that to a
        thread. Raises SigningError.
        """
        import dkim

        der = _body_of(self.key_pem)
        is_ed25519 = der.startswith(_ED25519)
        key = base64.b64encode(der[-_ED25519_OCTETS:]) if is_ed25519 else self.key_pem
        try:
            signature: bytes = dkim.sign(
                octets,
                self.selector.encode("ascii"),
                self.domain.encode("ascii"),
                key,
                canonicalize=(b"relaxed", b"relaxed"),
                signature_algorithm=b"ed25519-sha256" if is_ed25519 else b"rsa-sha256",
                include_headers=[each.encode("ascii") for each in SIGNED],
            )
        except dkim.NaClNotFoundError:
            message = "a key of the type Ed25519 needs the package PyNaCl; use RSA without it"
            raise SigningError(message) from None
        except (dkim.DKIMException, ValueError, TypeError, IndexError) as error:
            message = f"cannot sign as {self.selector}._domainkey.{self.domain}: {_words(error)}"
            raise SigningError(message) from None
        return signature + octets


def _body_of(pem: bytes) -> bytes:
    """Return the key in DER. Raises SigningError."""
    text = pem.decode("ascii", "replace")
    match = _PEM.search(text)
    try:
        if match is not None:
            return base64.b64decode(re.sub(r"\s", "", match[2]), validate=True)
    except ValueError:
        pass
    message = "the DKIM key is no RSA or Ed25519 private key in PEM"
    if "ENCRYPTED" in text:
        message = "the DKIM key is encrypted; give it without a passphrase"
    raise SigningError(message)


def _words(error: Exception) -> str:
    """Return the reason in our own words: those of the library may quote what it could not read."""
    return "the message has no From" if "From" in str(error) else "the key is no usable RSA key"
