"""Is what is called a domain name one, always in the same form?"""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agent.domain.names import MAX_LABEL, MAX_NAME, DomainName

LABEL = st.from_regex(r"\A[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\Z")


@pytest.mark.parametrize(
    ("text", "ascii_form"),
    [
        pytest.param("contoso.com", "contoso.com", id="plain"),
        pytest.param("  Contoso.COM. ", "contoso.com", id="case, blanks and trailing dot"),
        pytest.param("_dmarc.contoso.com", "_dmarc.contoso.com", id="underscore"),
        pytest.param("m\u00fcnchen.example", "xn--mnchen-3ya.example", id="umlaut"),
        pytest.param("M\u00dcNCHEN.example", "xn--mnchen-3ya.example", id="upper-case umlaut"),
        pytest.param("xn--mnchen-3ya.example", "xn--mnchen-3ya.example", id="A-label"),
        pytest.param("b\u00fccher\u3002example", "xn--bcher-kva.example", id="ideographic dot"),
        pytest.param(f"{'a' * 63}.example", f"{'a' * 63}.example", id="longest label"),
        pytest.param("3com.com", "3com.com", id="leading digit"),
    ],
)
def test_a_name_is_read_as_people_write_it(text: str, ascii_form: str) -> None:
    name = DomainName.parse(text)
    assert name.ascii == ascii_form
    assert str(name) == ascii_form


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "empty label", id="nothing"),
        pytest.param(".", "empty label", id="the root"),
        pytest.param("contoso", "single label", id="single label"),
        pytest.param("contoso..com", "empty label", id="two dots"),
        pytest.param(".contoso.com", "empty label", id="leading dot"),
        pytest.param("contoso.com..", "empty label", id="two trailing dots"),
        pytest.param("-contoso.com", "'-contoso'", id="leading hyphen"),
        pytest.param("contoso-.com", "'contoso-'", id="trailing hyphen"),
        pytest.param("con toso.com", "'con toso'", id="blank inside"),
        pytest.param("contoso.com\n.example", "'com\\n'", id="line break"),
        pytest.param("contoso\x00.com", "'contoso\\x00'", id="control character"),
        pytest.param("user@contoso.com", "'user@contoso'", id="mailbox"),
        pytest.param("https://contoso.com", "'https://contoso'", id="URL"),
        pytest.param("*.contoso.com", "'*'", id="wildcard"),
        pytest.param("192.0.2.1", "ends in a number", id="address"),
        pytest.param(f"{'a' * 64}.example", "label longer", id="label too long"),
        pytest.param(".".join(["a" * 62] * 5), "longer than 253", id="name too long"),
        pytest.param("a\u2028b.example", "international", id="character that names do not have"),
        pytest.param("\u00fc" * 70 + ".example", "international", id="long international label"),
    ],
)
def test_what_is_no_mail_domain_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the reason is looked at below
        DomainName.parse(text)
    assert reason in str(refused.value)


def test_people_see_their_own_writing() -> None:
    assert DomainName.parse("m\u00fcnchen.example").unicode == "m\u00fcnchen.example"
    assert DomainName.parse("contoso.com").unicode == "contoso.com"


def test_a_label_that_only_looks_international_is_shown_as_it_is() -> None:
    name = DomainName.parse("xn--a.example")
    assert name.unicode == "xn--a.example"


@given(st.lists(LABEL, min_size=2, max_size=5).map(".".join))
def test_every_well_formed_name_is_read_and_reading_again_changes_nothing(text: str) -> None:
    assume(len(text) <= MAX_NAME and not text.rpartition(".")[2].isdigit())
    name = DomainName.parse(text)
    assert name.ascii == text
    assert DomainName.parse(name.ascii) == name
    assert DomainName.parse(f"{text.upper()}.") == name


@given(st.text(max_size=300))
def test_whatever_is_written_is_a_name_or_refused(text: str) -> None:
    try:
        name = DomainName.parse(text)
    except ValueError:
        return
    assert name.ascii.isascii()
    assert name.ascii == name.ascii.lower()
    assert len(name.ascii) <= MAX_NAME
    labels = name.ascii.split(".")
    assert len(labels) >= 2
    assert all(0 < len(label) <= MAX_LABEL for label in labels)
    assert DomainName.parse(name.ascii) == name
    assert isinstance(name.unicode, str)
