"""How does text from a peer become safe to show?

Every byte read from a socket is hostile: it may hold terminal escapes, markup, line breaks, broken
UTF-8 or a megabyte of nothing. One stray byte, kept as it came, has been seen to lose a whole
scrape, a log line and a database row. This is the one gate. What passed it is printable ASCII of
bounded length, and stays so however often it passes again.
"""

from typing import Self

LIMIT = 200  # characters, unless the caller has a reason for more
_CUT = "..."
_ESCAPES = {
    octet: chr(octet) if 0x20 <= octet < 0x7F else f"\\x{octet:02x}"  # noqa: PLR2004
    for octet in range(256)
}


class PeerText(str):
    """Printable ASCII of bounded length, made from whatever a peer sent."""

    __slots__ = ()

    def __new__(cls, raw: bytes | str, limit: int = LIMIT) -> Self:
        r"""Make *raw* printable, escaping other octets as ``\xNN``, and cut it at *limit*."""
        if isinstance(raw, bytes):
            raw = raw[: limit + 1]
            if raw.isascii():
                raw = raw.decode("ascii")
        if isinstance(raw, str):
            if len(raw) <= limit and raw.isascii() and raw.isprintable():
                return super().__new__(cls, raw)
            raw = _octets(raw[: limit + 1])
        # One octet gives at least one character: no need to look at more than the limit.
        text = "".join(map(_ESCAPES.__getitem__, raw[: limit + 1]))
        if len(text) > limit:
            text = (text[: max(0, limit - len(_CUT))] + _CUT)[:limit]
        return super().__new__(cls, text)


def _octets(text: str) -> bytes:
    """Return the octets that *text* was decoded from.

    In names and records out of DNS every character stands for one octet; whoever searches the
    record for what a finding shows must find it.
    """
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        pass
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # Half a surrogate pair, as JSON may carry it, comes from no octets at all.
        return text.encode("utf-8", "backslashreplace")
