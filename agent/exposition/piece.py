"""How is a part of an exposition sent compressed without being compressed again each time?

A gzip stream may be put together from parts that were deflated each by itself: each ends at an
octet and looks back at nothing before it (RFC 1951 section 3.2.3). The checksum over the whole
follows from the parts' own (a CRC is linear), so that a scrape in which little has changed
compresses little, and what has not changed need not be kept as text at all.
"""

import zlib
from collections.abc import Iterable, Sequence

LEVEL = 1  # level 9 costs nine times as much and saves a sixth
# RFC 1952 section 2.3: deflate, no name, no time, the fastest algorithm, unknown system.
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
_LAST_BLOCK = b"\x03\x00"  # final, of fixed codes, with nothing in it
_POLYNOMIAL = 0xEDB88320  # RFC 1952 section 8, lowest power in the highest bit
_ONE = 1 << 31


class Piece:
    """Some text, kept as such until somebody wants it compressed, and only compressed from then on.

    ``len`` gives the octets of the text, ``bytes`` the text itself.
    """

    __slots__ = ("_checksum", "_deflated", "_length", "_shift", "_text")

    def __init__(self, text: bytes) -> None:
        self._length = len(text)
        self._text: bytes | None = text
        self._deflated: bytes | None = None
        self._checksum = self._shift = 0

    def __len__(self) -> int:
        return self._length

    def __bytes__(self) -> bytes:
        text = self._text
        if text is None:
            text = zlib.decompressobj(-zlib.MAX_WBITS).decompress(self.deflated())
        return text

    def deflated(self) -> bytes:
        """Return the text deflated. The first time takes a while: 10 ms for each megabyte."""
        deflated, text = self._deflated, self._text
        if deflated is None:
            assert text is not None  # noqa: S101 - one of both is always there
            compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
            deflated = compressor.compress(text) + compressor.flush(zlib.Z_SYNC_FLUSH)
            self._checksum, self._shift = zlib.crc32(text), _power(8 * len(text))
            # In this order, because another thread may be looking for one or the other.
            self._deflated, self._text = deflated, None
        return deflated

    def append_to(self, checksum: int) -> int:
        """Return the CRC of a text with *checksum* that this piece is appended to."""
        return _product(self._shift, checksum) ^ self._checksum


def gzip(pieces: Sequence[Piece]) -> tuple[bytes, ...]:
    """Return the parts of a gzip file that holds all *pieces*, deflating those that are not."""
    deflated = [piece.deflated() for piece in pieces]
    return (_HEADER, *deflated, _LAST_BLOCK + _trailer(pieces))


def _trailer(pieces: Iterable[Piece]) -> bytes:
    """Write the checksum and the length of the whole text (RFC 1952 section 2.3.1)."""
    checksum = length = 0
    for piece in pieces:
        checksum = piece.append_to(checksum)
        length += len(piece)
    return checksum.to_bytes(4, "little") + (length % 2**32).to_bytes(4, "little")


def _product(one: int, other: int) -> int:
    """Multiply polynomials over GF(2), modulo that of the CRC."""
    product, power = 0, _ONE
    while power:
        if one & power:
            product ^= other
        other = (other >> 1) ^ (_POLYNOMIAL if other & 1 else 0)
        power >>= 1
    return product


def _power(exponent: int) -> int:
    """Return x to the power of *exponent*, modulo the polynomial of the CRC."""
    power, square = _ONE, _ONE >> 1
    while exponent:
        if exponent & 1:
            power = _product(square, power)
        square = _product(square, square)
        exponent >>= 1
    return power
