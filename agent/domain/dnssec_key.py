"""Which DS record belongs to a zone's key (RFC 4034 section 5)?"""

import binascii
import hashlib

_ENTRY = 0x0001  # the flag of a key that the parent is to vouch for
_SHA256 = 2


def ds_of(zone: str, key: str) -> str:
    """Return the DS record of *key*, a DNSKEY record as zone files have it; empty without one.

    *key* is a stranger's text. A key that does not vouch for others has no DS record.
    """
    words = key.split(None, 3)
    try:
        flags, protocol, algorithm = map(int, words[:3])
        octets = binascii.a2b_base64("".join(words[3:]).replace(" ", ""))
        head = flags.to_bytes(2, "big") + bytes((protocol, algorithm))
    except (ValueError, OverflowError):
        return ""
    if not flags & _ENTRY:
        return ""
    rdata = head + octets
    labels = (label.encode("latin-1") for label in zone.split("."))
    owner = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    digest = hashlib.sha256(owner + rdata).hexdigest().upper()
    return f"{_tag(rdata)} {algorithm} {_SHA256} {digest}"


def _tag(rdata: bytes) -> int:
    """RFC 4034 appendix B."""
    total = sum(octet << 8 if place % 2 == 0 else octet for place, octet in enumerate(rdata))
    return (total + (total >> 16)) & 0xFFFF
