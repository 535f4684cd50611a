import gzip as reference
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.exposition.piece import Piece, gzip


@given(texts=st.lists(st.binary(max_size=3000), max_size=6))
def test_pieces_are_one_gzip_file_whatever_is_in_them(texts: list[bytes]) -> None:
    pieces = [Piece(text) for text in texts]
    file = b"".join(gzip(pieces))
    assert reference.decompress(file) == b"".join(texts)
    one = zlib.decompressobj(16 + zlib.MAX_WBITS)  # one member, for readers that stop after it
    assert one.decompress(file) == b"".join(texts)
    assert one.eof
    assert one.unused_data == b""


@given(text=st.binary(max_size=3000))
def test_the_text_is_the_same_before_and_after(text: bytes) -> None:
    piece = Piece(text)
    assert bytes(piece) == text
    piece.deflated()
    assert bytes(piece) == text
    assert len(piece) == len(text)


def test_a_damaged_piece_does_not_pass_the_checksum() -> None:
    file = bytearray(b"".join(gzip([Piece(b"up 1\n" * 100), Piece(b"lost 0\n" * 100)])))
    file[-5] ^= 1
    with pytest.raises(reference.BadGzipFile, match="CRC"):
        reference.decompress(bytes(file))


def test_what_was_compressed_once_is_kept_compressed_only() -> None:
    tracemalloc.start()
    try:
        piece = Piece(b'mailflow_x{tenant="contoso"} 1.0\n' * 20_000)
        piece.deflated()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < len(piece) / 10
    assert piece.deflated() is piece.deflated()
