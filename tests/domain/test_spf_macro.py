"""Do macros expand as RFC 7208 section 7.4 shows?"""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.spf_macro import (
    EXP_LETTERS,
    MacroError,
    dotted,
    expand,
    lower,
    octets,
    parse_macros,
    query_name,
)

VALUES = {
    "s": "strong-bad@email.example.com",
    "l": "strong-bad",
    "o": "email.example.com",
    "d": "email.example.com",
    "i": "192.0.2.3",
    "p": "mx.example.org",
    "v": "in-addr",
    "h": "mx.example.org",
    "c": "192.0.2.3",
    "r": "receiver.example",
    "t": "0",
}
RFC_TABLE = [
    ("%{s}", "strong-bad@email.example.com"),
    ("%{o}", "email.example.com"),
    ("%{d}", "email.example.com"),
    ("%{d4}", "email.example.com"),
    ("%{d3}", "email.example.com"),
    ("%{d2}", "example.com"),
    ("%{d1}", "com"),
    ("%{dr}", "com.example.email"),
    ("%{d2r}", "example.email"),
    ("%{l}", "strong-bad"),
    ("%{l-}", "strong.bad"),
    ("%{lr}", "strong-bad"),
    ("%{lr-}", "bad.strong"),
    ("%{l1r-}", "strong"),
    ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
    ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
    ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
    ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
    ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
    ("%{S}", "strong-bad%40email.example.com"),
    ("%{d2147483648}", "email.example.com"),
    ("%{d99999999999999999999}", "email.example.com"),
    ("%%%_%-x", "% %20x"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "expanded"), RFC_TABLE)
def test_a_macro_expands(text: str, expanded: str) -> None:
    assert expand(parse_macros(text), VALUES) == expanded


def test_an_ipv6_address_is_nibbles() -> None:
    values = VALUES | {"i": dotted(ip_address("2001:db8::cb01")), "v": "ip6"}
    text = "%{ir}.%{v}._spf.%{d2}"
    nibbles = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
    assert expand(parse_macros(text), values) == f"{nibbles}.ip6._spf.example.com"


@pytest.mark.parametrize("text", ["%{c}", "%{x}", "%{}", "%", "%a", "%{d", "%{d00}", "a b", "\x7f"])
def test_a_faulty_string_names_the_place(text: str) -> None:
    with pytest.raises(MacroError) as caught:
        parse_macros(text)
    assert 0 <= caught.value.offset < len(text)


def test_explanations_know_more() -> None:
    string = parse_macros("%{c} and %{R} at %{t}", EXP_LETTERS)
    assert expand(string, VALUES) == "192.0.2.3 and receiver.example at 0"


NAMES = [
    pytest.param("Example.COM.", "example.com", id="case and dot"),
    pytest.param("a..b", None, id="empty label"),
    pytest.param("", None, id="empty"),
    pytest.param("x" * 64 + ".com", None, id="long label"),
    pytest.param(".".join(["abcdefghi"] * 30), ".".join(["abcdefghi"] * 25), id="cut on the left"),
    pytest.param("x" * 300, None, id="too long without a dot"),
]


@pytest.mark.parametrize(("text", "name"), NAMES)
def test_a_name_to_ask_for(text: str, name: str | None) -> None:
    assert query_name(text) == name


def test_only_ascii_letters_are_lowered() -> None:
    assert lower("A\u00c0") == "a\u00c0"
    assert octets("\u00e9") == "\u00c3\u00a9"


@given(st.text(alphabet="%{}slodiphvcrt0123456789rR.-+,/_= aX", max_size=40))
def test_any_string_is_read_or_refused(text: str) -> None:
    try:
        string = parse_macros(text, EXP_LETTERS)
    except MacroError:
        return
    assert isinstance(expand(string, VALUES), str)
