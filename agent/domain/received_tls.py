"""Was the message encrypted on its way to the server that says so?

Only places are looked at into which the client cannot write: the protocol, and comments that begin
with TLS. A client may call itself, or its address, what it likes.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_COMMENT = re.compile(
    r"\s*(?:version=|using |tls )?(TLS|SSL)[ v]{0,2}([0-9](?:[._][0-9])?)?(?![A-Za-z])",
    re.IGNORECASE,
)
_PROTOCOL = re.compile(r"(?:UTF8)?(?:E?SMTP|LMTP)SA?", re.IGNORECASE)  # RFC 3848
_WAY = re.compile(r"(?<![A-Za-z])(?:TLS|SSL)(?![A-Za-z])|\bencrypted\b", re.IGNORECASE)
_CIPHER = re.compile(
    r"cipher[= ]([A-Za-z0-9_-]{3,80})|[:/ ]((?:[A-Z0-9]{1,20}[-_]{1,2}){2,12}[A-Z0-9]{1,20})"
)
_CURVE = re.compile(r"_P[0-9]{3}$")  # Exchange appends the curve to the suite's name
_VERSIONS = {"1": "1.0", "1.0": "1.0", "1.1": "1.1", "1.2": "1.2", "1.3": "1.3"}
_OTHERS = ("Google Transport Security",)


@dataclass(frozen=True, slots=True)
class Tls:
    """What a field says of TLS; ``version`` and ``cipher`` are empty where it does not say."""

    version: str = ""
    cipher: str = ""
    is_encrypted: bool = False


def read_tls(comments: Iterable[str], way: str) -> Tls:
    """Return what *comments* and *way*, the words of the protocol, say of TLS."""
    for comment in comments:
        match = _COMMENT.match(comment)
        # A name in DNS may begin with TLS as well; it stands beside an address in brackets.
        if match is not None and "[" not in comment:
            return Tls(_version(match[1], match[2] or ""), _cipher(f"{comment} {way}"), True)  # noqa: FBT003
        if comment in _OTHERS:
            return Tls(is_encrypted=True)
    is_encrypted = bool(_PROTOCOL.fullmatch(way.partition(" ")[0]) or _WAY.search(way))
    return Tls("", _cipher(f" {way}") if is_encrypted else "", is_encrypted)


def _version(kind: str, number: str) -> str:
    number = number.replace("_", ".")
    if kind.upper() == "SSL":
        return "ssl3" if number[:1] == "3" else ""
    return _VERSIONS.get(number, "")


def _cipher(text: str) -> str:
    match = _CIPHER.search(text)
    return _CURVE.sub("", match[1] or match[2]) if match else ""
