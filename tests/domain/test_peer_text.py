"""Does text from a peer become safe to show, whatever it was?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.peer_text import LIMIT, PeerText

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=400)
ANYTHING = st.one_of(st.binary(max_size=400), ANY_TEXT)
LIMITS = st.integers(min_value=0, max_value=250)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        pytest.param(b"250 OK", "250 OK", id="printable octets"),
        pytest.param("250 OK", "250 OK", id="printable text"),
        pytest.param(b"", "", id="nothing"),
        pytest.param(b"\x1b[31mred", r"\x1b[31mred", id="terminal escape"),
        pytest.param(b"one\r\ntwo", r"one\x0d\x0atwo", id="line break"),
        pytest.param(b"\x00\x7f\x80\xff", r"\x00\x7f\x80\xff", id="octets outside ASCII"),
        pytest.param("\xe2\x80\x9d", r"\xe2\x80\x9d", id="octets as characters"),
        pytest.param("\u20ac5", r"\xe2\x82\xac5", id="text outside ASCII"),
        pytest.param("\udcff", r"\xff", id="an octet that was no UTF-8"),
        pytest.param("\ud800", r"\ud800", id="half a surrogate pair"),
        pytest.param("\u202egnp.exe", r"\xe2\x80\xaegnp.exe", id="text that turns direction"),
    ],
)
def test_octets_that_are_not_printable_are_escaped(raw: bytes | str, text: str) -> None:
    assert PeerText(raw) == text


def test_long_text_is_cut_and_says_so() -> None:
    text = PeerText(b"x" * 10_000_000)
    assert len(text) == LIMIT
    assert text.endswith("x...")
    assert PeerText(b"x" * LIMIT) == "x" * LIMIT
    assert PeerText("x" * 10, 5) == "xx..."


def test_a_limit_too_small_for_the_mark_still_holds() -> None:
    assert [PeerText(b"abcdef", limit) for limit in (0, 1, 2, 3, 4)] == [
        "",
        ".",
        "..",
        "...",
        "a...",
    ]


@given(ANYTHING, LIMITS)
def test_what_passed_is_printable_ascii_and_bounded(raw: bytes | str, limit: int) -> None:
    text = PeerText(raw, limit)
    assert isinstance(text, PeerText)
    assert all(0x20 <= ord(character) < 0x7F for character in text)
    assert len(text) <= limit


@given(ANYTHING, LIMITS)
def test_passing_again_changes_nothing(raw: bytes | str, limit: int) -> None:
    once = PeerText(raw, limit)
    assert PeerText(once, limit) == once
    assert PeerText(once.encode(), limit) == once


@given(ANYTHING, LIMITS)
def test_what_is_cut_begins_as_the_whole(raw: bytes | str, limit: int) -> None:
    cut = PeerText(raw, limit)
    whole = PeerText(raw, 10_000)
    assert cut == whole or whole.startswith(cut[:-3])


@given(st.binary(max_size=60))
def test_text_is_treated_as_the_octets_it_came_from(raw: bytes) -> None:
    assert PeerText(raw.decode("latin-1"), 1000) == PeerText(raw, 1000)
    assert PeerText(raw.decode("ascii", "surrogateescape"), 1000) == PeerText(raw, 1000)
