"""How is a TXT record written as a line of a zone, for somebody to paste?"""

from typing import Final

from agent.domain.peer_text import PeerText

_STRING: Final = 255  # octets of one string of a TXT record, RFC 1035 section 3.3.14
UNSURE: Final = frozenset('"\\')  # would have to be escaped in what is typed


def txt(name: str, text: str) -> str:
    """Return the line at *name*; a text that is longer than one string can be is several."""
    pieces = (text[start : start + _STRING] for start in range(0, len(text), _STRING))
    strings = " ".join(f'"{piece}"' for piece in pieces)
    return f"{name}. 3600 IN TXT {strings}"


def txt_of(name: str, text: bytes, longest: int) -> str:
    """Return the line, or nothing where *text* is too long or must not be typed as it is."""
    shown = PeerText(text, longest)
    return "" if len(shown) != len(text) or UNSURE & set(shown) else txt(name, shown)
