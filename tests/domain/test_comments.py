import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.comments import MAX_MARKS, pieces, without_comments


@pytest.mark.parametrize(
    ("value", "comments", "plain"),
    [
        pytest.param("a b", [], "a b", id="none"),
        pytest.param("a (b) c", ["b"], "a   c", id="one"),
        pytest.param("a (b (c) d) e", ["b (c) d"], "a   e", id="nested"),
        pytest.param("(a) (b)", ["a", "b"], "   ", id="two"),
        pytest.param(r"a (b \) c) d", [r"b \) c"], "a   d", id="escaped"),
        pytest.param("a (b c", [], "a (b c", id="never closed"),
        pytest.param("a b) c", [], "a b) c", id="never opened"),
        pytest.param("a (b (c) d", ["c"], "a (b   d", id="outer one never closed"),
        pytest.param("a ) b ( c", [], "a ) b ( c", id="the wrong way round"),
    ],
)
def test_comments_are_told_from_the_text(value: str, comments: list[str], plain: str) -> None:
    assert [text for is_comment, text in pieces(value) if is_comment] == comments
    assert without_comments(value) == plain


@given(st.text(alphabet="()\\a ", max_size=60))
def test_nothing_of_the_value_is_lost(value: str) -> None:
    joined = "".join(f"({text})" if is_comment else text for is_comment, text in pieces(value))
    assert joined == value


def test_brackets_beyond_the_bound_are_plain_text() -> None:
    found = pieces("(a)" * MAX_MARKS)
    assert sum(is_comment for is_comment, _ in found) == MAX_MARKS // 2


@pytest.mark.parametrize("value", ["(" * 8000, ")" * 8000, "()" * 4000, "(" * 4000 + ")" * 4000])
def test_a_field_of_brackets_is_read_at_once(value: str) -> None:
    start = time.process_time()
    pieces(value)
    assert time.process_time() - start < 0.05
