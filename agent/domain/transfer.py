"""How do octets travel as lines of text? (RFC 2045 section 6)"""

import binascii

_LINE = 76  # characters, RFC 2045 section 6.8


def in_base64(octets: bytes, end: bytes = b"\r\n") -> bytes:
    """Return *octets* in lines of base64, each of which has *end* at its end."""
    flat = binascii.b2a_base64(octets, newline=False)
    return b"".join(flat[at : at + _LINE] + end for at in range(0, len(flat), _LINE))
