"""Words are taken out of HTML and flowed text, whatever a gateway made of them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.markup import squeezed, text_of_html, unflowed


@pytest.mark.parametrize(
    ("document", "text"),
    [
        pytest.param("plain", "plain", id="no markup"),
        pytest.param("<p class='x'>a <b>b</b></p>", "a b", id="tags"),
        pytest.param("a<style>p {color: red}</style>b", "ab", id="style"),
        pytest.param("a<SCRIPT src=x>if (a<b) {}</SCRIPT >b", "ab", id="script with a less-than"),
        pytest.param("<head><title>x</title></head>b", "b", id="head"),
        pytest.param("<header>b</header>", "b", id="header is no head"),
        pytest.param("a<!-- <b>no</b> > -->b", "ab", id="comment"),
        pytest.param("a<!--no-->b", "ab", id="comment in one piece"),
        pytest.param("a<!-- no end <b>no</b>", "a", id="comment without an end"),
        pytest.param("a<style>no end", "a", id="style without an end"),
        pytest.param("a<b no end", "a", id="tag without an end"),
        pytest.param("a&nbsp;&amp;&lt;&#65;&#x42;&unknown;", "a &<AB&unknown;", id="entities"),
        pytest.param("a&#9999999;b", "ab", id="no such character"),
    ],
)
def test_text_is_what_stands_between_tags(document: str, text: str) -> None:
    assert text_of_html(document) == text


@pytest.mark.parametrize(
    ("flowed", "without_space", "text"),
    [
        pytest.param("a \nb\nc", False, "a b\nc", id="joined"),
        pytest.param("a \nb\nc", True, "ab\nc", id="joined without the space"),
        pytest.param(" From x\n  y", False, "From x\n y", id="stuffing"),
        pytest.param("a\n-- \nb", False, "a\n-- \nb", id="the mark of a signature"),
        pytest.param("a\nb ", False, "a\nb ", id="flowed at the end"),
    ],
)
def test_flowed_lines_are_joined(flowed: str, text: str, *, without_space: bool) -> None:
    assert unflowed(flowed, without_space=without_space) == text


def test_what_nobody_sees_is_left_out() -> None:
    assert squeezed("a\u200b \u00a0\t\r\nb\u00ad") == "ab"


@pytest.mark.parametrize("unit", ["<", "<!--", "<!---->", "<style", "<style>", "</", "&#", "a \n"])
def test_the_work_on_malice_is_linear(unit: str) -> None:
    text = unit * (500_000 // len(unit))
    began = time.process_time()
    text_of_html(text)
    unflowed(text, without_space=False)
    squeezed(text)
    assert time.process_time() - began < 3  # 0.3 on an idle machine


@given(st.text(alphabet="<>!-/ &#;xstyle\n", max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    text_of_html(text)
    unflowed(text, without_space=True)
