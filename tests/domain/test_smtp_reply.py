"""Replies of SMTP servers, good and hostile."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.smtp_reply import MAX_LINE, MAX_LINES, Malformed, Reply, ReplyReader


@pytest.mark.parametrize(
    ("raw", "code", "enhanced", "text"),
    [
        pytest.param(b"220 mx ESMTP\r\n", 220, "", "220 mx ESMTP", id="greeting"),
        pytest.param(b"250\r\n", 250, "", "250", id="no text"),
        pytest.param(b"250 \r\n", 250, "", "250", id="empty text"),
        pytest.param(b"250 ok\n", 250, "", "250 ok", id="bare LF"),
        pytest.param(b"550 5.1.1 no\r\n", 550, "5.1.1", "550 5.1.1 no", id="enhanced"),
        pytest.param(b"550 5.1.1\r\n", 550, "5.1.1", "550 5.1.1", id="enhanced alone"),
        pytest.param(b"550 2.1.1 no\r\n", 550, "", "550 2.1.1 no", id="class contradicts"),
        pytest.param(b"550 5.1.1x no\r\n", 550, "", "550 5.1.1x no", id="no enhanced code"),
        pytest.param(b"250-a\r\n250 b\r\n", 250, "", "250 a b", id="two lines"),
        pytest.param(b"250 \xff\x1b<b>\r\n", 250, "", r"250 \xff\x1b<b>", id="hostile octets"),
        pytest.param(b"250 " + b"x" * 4000 + b"\r\n", 250, "", None, id="4 KB of text"),
    ],
)
def test_a_reply_is_read(raw: bytes, code: int, enhanced: str, text: str | None) -> None:
    reader = ReplyReader()
    (reply,) = reader.feed(raw)
    assert isinstance(reply, Reply)
    assert (reply.code, reply.enhanced) == (code, enhanced)
    assert text is None or reply.text == text
    assert reader.is_idle


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        pytest.param(b"599 no\r\n", Malformed.NOT_A_REPLY, id="599"),
        pytest.param(b"55\r\n", Malformed.NOT_A_REPLY, id="55"),
        pytest.param(b"5501 no\r\n", Malformed.NOT_A_REPLY, id="5501"),
        pytest.param(b"-55 no\r\n", Malformed.NOT_A_REPLY, id="-55"),
        pytest.param(b"+25 ok\r\n", Malformed.NOT_A_REPLY, id="+25"),
        pytest.param(b"250x\r\n", Malformed.NOT_A_REPLY, id="code runs on"),
        pytest.param(b"250\rok\r\n", Malformed.NOT_A_REPLY, id="bare CR after the code"),
        pytest.param(b"150 no\r\n", Malformed.NOT_A_REPLY, id="150"),
        pytest.param(b"650 no\r\n", Malformed.NOT_A_REPLY, id="650"),
        pytest.param(b"\r\n", Malformed.NOT_A_REPLY, id="empty line"),
        pytest.param(b"HTTP/1.1 400\r\n", Malformed.NOT_A_REPLY, id="HTTP"),
        pytest.param(b"\x15\x03\x03\x00\x02\x02", Malformed.NOT_A_REPLY, id="TLS, no line end"),
        pytest.param(b"250-a\r\n251 b\r\n", Malformed.MIXED_CODES, id="mixed codes"),
        pytest.param(b"250 " + b"x" * MAX_LINE, Malformed.LONG_LINE, id="endless line"),
        pytest.param(b"250 " + b"x" * MAX_LINE + b"\r\n", Malformed.LONG_LINE, id="long line"),
        pytest.param(b"250-x\r\n" * (MAX_LINES + 1), Malformed.LONG_REPLY, id="endless reply"),
        pytest.param(b"250-" + b"x" * 4000 + b"\r\n", None, id="long so far"),
        pytest.param((b"250-" + b"x" * 4000 + b"\r\n") * 17, Malformed.LONG_REPLY, id="64 KiB"),
    ],
)
def test_what_is_no_reply_is_a_fault(raw: bytes, fault: Malformed | None) -> None:
    reader = ReplyReader()
    assert reader.feed(raw) == ([fault] if fault else [])
    assert not reader.is_idle


def test_after_a_fault_nothing_is_read() -> None:
    reader = ReplyReader()
    reader.feed(b"nonsense\r\n")
    assert reader.feed(b"250 ok\r\n") == []


def test_classes_follow_the_code() -> None:
    assert Reply(450).is_transient
    assert Reply(450).is_negative
    assert Reply(550).is_negative
    assert not Reply(550).is_transient
    assert not Reply(250).is_negative


_pieces = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.sampled_from([b"250 ok\r\n", b"250-a\r\n", b"250-", b"\r", b"\n", b"x" * 5000, b"251 "]),
    ),
    max_size=12,
)


@given(_pieces, st.lists(st.integers(0, 20_000), max_size=8))
def test_events_do_not_depend_on_how_the_octets_are_cut(
    pieces: list[bytes], cuts: list[int]
) -> None:
    raw = b"".join(pieces)
    whole = ReplyReader()
    expected = whole.feed(raw)
    cut_up = ReplyReader()
    events = []
    edges = sorted({0, len(raw), *(cut for cut in cuts if cut < len(raw))})
    for start, end in pairwise(edges):
        events += cut_up.feed(raw[start:end])
    assert events == expected
    assert cut_up.is_idle == whole.is_idle
