"""What does a tag of a DKIM key record mean, in words for the page?"""

from agent.domain.dkim_der import PublicKey
from agent.domain.dkim_terms import GOOD_BITS, Record, Tag
from agent.domain.peer_text import PeerText

_USUAL_EXPONENTS = (3, 65537)
_FIXED = {
    "v": "the version",
    "k": "the type of the key",
    "n": "a note for people; receivers ignore it",
    "g": "of RFC 4871; receivers ignore it today",
}
_FLAGS = {
    "y": "a test: receivers may treat the mail as if it were not signed",
    "s": "the identity `i=` of a signature must be in the domain itself, not in a subdomain",
}
_SERVICES = {"*": "for every service", "email": "for mail", "tlsrpt": "for TLS reports"}
_HASHES = {"sha256": "SHA-256", "sha1": "SHA-1, which receivers no longer accept"}
_LISTS = {"t": _FLAGS, "s": _SERVICES, "h": _HASHES}


def meaning(tag: Tag, record: Record) -> str:
    """Say in a few words what *tag* of *record* means."""
    if tag.name in _FIXED:
        return _FIXED[tag.name]
    if tag.name in _LISTS:
        words = (word.strip() for word in tag.value.split(":")[:10])
        known = _LISTS[tag.name]
        return "; ".join(known.get(word, "unknown, and ignored") for word in words)
    if tag.name != "p":
        return "unknown; receivers ignore it"
    if record.key is not None:
        return describe(record.key)
    return "revoked: no signature is valid" if record.is_revoked else record.problem


def describe(key: PublicKey) -> str:
    """Say in a few words what kind of key it is."""
    if key.type != "rsa":
        return f"an Ed25519 key, fingerprint {mark(key)}"
    return f"an RSA key of {key.bits} bits, fingerprint {mark(key)}"


def mark(key: PublicKey) -> str:
    """Return the beginning of the fingerprint, enough for people to compare."""
    return f"sha256:{key.fingerprint[:16]}"


def notes(record: Record) -> str:
    """Say what is worth knowing of a record and no fault."""
    found = [f"t={':'.join(record.flags)}"] if record.flags else []
    if record.tag("v") is None and not record.is_void:
        found.append("without version")
    key = record.key
    if key is not None and key.type == "rsa":
        if key.is_bare:
            found.append("a bare RSAPublicKey, which some receivers do not read")
        if key.bits > GOOD_BITS:
            found.append("takes several strings, and more than 512 octets of DNS")
        if key.exponent not in _USUAL_EXPONENTS:
            found.append(f"exponent {str(key.exponent)[:20]}")
    if "sha1" in record.hashes and record.allows_sha256:
        found.append("allows SHA-1 as well")
    return PeerText(", ".join(found) or "-", 300)
