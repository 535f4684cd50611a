"""Is a record read as RFC 7208 says, and every mistake in it told?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.lookup import TextRecord
from agent.domain.spf_record import is_record, parse, select
from agent.domain.spf_terms import Broken, Ip4, Record, UnknownModifier


def broken(terms: str) -> Broken:
    found = parse(f"v=spf1 {terms}".encode("latin-1"))
    assert isinstance(found, Broken), terms
    return found


BAD = [
    pytest.param("ipv4:192.0.2.1", "Write `ip4:192.0.2.1`.", id="ipv4"),
    pytest.param("ip:2001:db8::1", "Write `ip6:2001:db8::1`.", id="ip"),
    pytest.param("ip4:2001:db8::1", "Write `ip6:2001:db8::1`.", id="ip4 with IPv6"),
    pytest.param("ip6:192.0.2.1", "Write `ip4:192.0.2.1`.", id="ip6 with IPv4"),
    pytest.param("ip4:mail.example.com", "numeric address", id="ip4 with a name"),
    pytest.param("ip4:192.0.2.1,192.0.2.2", "by spaces", id="comma"),
    pytest.param("ip4:192.0.2.1;", "by spaces", id="semicolon"),
    pytest.param("ip4:192.0.2.01", "", id="leading zero in an octet"),
    pytest.param("ip4:192.0.2.0/024", "", id="leading zero in a prefix"),
    pytest.param("ip4:192.0.2.0/", "", id="empty prefix"),
    pytest.param("ip4:192.0.2.0/+24", "", id="signed prefix"),
    pytest.param("ip4:192.0.2.0/33", "", id="long prefix"),
    pytest.param("ip4:", "", id="empty ip4"),
    pytest.param("ip4", "", id="bare ip4"),
    pytest.param("ip6:fe80::1%eth0", "", id="scope id"),
    pytest.param("a:192.0.2.1", "Write `ip4:192.0.2.1`.", id="a with an address"),
    pytest.param("192.0.2.0/24", "Write `ip4:192.0.2.0/24`.", id="bare address"),
    pytest.param("mail.example.com", "a:mail.example.com", id="bare name"),
    pytest.param("a:/24", "digits only", id="a without a name"),
    pytest.param("a/24/64", "two slashes", id="single slash for IPv6"),
    pytest.param("a/-1", "digits only", id="negative"),
    pytest.param("a//129", "", id="long IPv6 prefix"),
    pytest.param("redirect:example.com", "equals sign", id="redirect as a mechanism"),
    pytest.param("-redirect=example.com", "no qualifier", id="qualifier on a modifier"),
    pytest.param("--all", "one qualifier", id="two qualifiers"),
    pytest.param("- all", "without a space", id="space after the qualifier"),
    pytest.param("-all.", "nothing after it", id="dot after all"),
    pytest.param("-all:x", "nothing after it", id="argument of all"),
    pytest.param("a:x.com/+24", "digits only", id="signed prefix of a"),
    pytest.param("include", "", id="include without a domain"),
    pytest.param("include:", "", id="include of nothing"),
    pytest.param("exists", "", id="exists without a domain"),
    pytest.param("includes:example.com", "`include:`", id="includes"),
    pytest.param("a:museum", "", id="single label"),
    pytest.param("a:%{d}x", "", id="macro and no top label"),
    pytest.param("a:example.com%%_", "", id="escaped percent before text"),
    pytest.param("a:%{d0}", "", id="no parts"),
    pytest.param("a:%{dx}", "", id="bad transformer"),
    pytest.param("a:%{d", "", id="open macro"),
    pytest.param("a:x%", "", id="percent at the end"),
    pytest.param("a:%{c}", "", id="letter for explanations only"),
    pytest.param('"-all"', "quotation", id="quotes"),
    pytest.param("\u2013all".encode().decode("latin-1"), "Retype", id="dash for hyphen"),
    pytest.param("=x", "", id="nameless modifier"),
    pytest.param("moo", "", id="unknown mechanism"),
    pytest.param("x=%", "", id="bad unknown modifier"),
]


@pytest.mark.parametrize(("terms", "hint"), BAD)
def test_a_wrong_term_is_told_with_its_place(terms: str, hint: str) -> None:
    found = broken(terms)
    fault = found.faults[0]
    assert found.text[fault.position :].startswith(fault.term)
    assert hint in fault.hint
    assert fault.message


GOOD = [
    pytest.param("IP4:192.0.2.1 -ALL", id="upper case"),
    pytest.param("ip4:192.0.2.1/0", id="zero prefix"),
    pytest.param("ip6:::1/128 ip6:2001:db8::/32", id="IPv6"),
    pytest.param("a/24 a//64 a/24//64 mx:example.com/24//64", id="prefixes"),
    pytest.param("a:%{d} a:%%%%%{d2r-} ptr ptr:example.com", id="macros"),
    pytest.param("exists:%{L}.%{i}._spf.example.com. redirect=%{d}", id="trailing dot"),
    pytest.param("ra=x rp= x.y-z_1=a%_b ip4=1 ip4=2", id="unknown modifiers"),
    pytest.param("a:example.xn--zckzah", id="A-label at the top"),
]


@pytest.mark.parametrize("terms", GOOD)
def test_a_right_record_is_read(terms: str) -> None:
    found = parse(f"v=spf1 {terms}".encode())
    assert isinstance(found, Record), found
    assert [term.text for term in found.terms] == terms.split()


def test_every_fault_is_told_in_the_order_of_the_text() -> None:
    found = broken("redirect=a.b ip4:x redirect=c.d exp=a.b moo exp=c.d")
    assert [fault.term for fault in found.faults] == ["ip4:x", "redirect=c.d", "moo", "exp=c.d"]


def test_what_an_evaluation_reaches_ends_at_all() -> None:
    found = parse(b"v=spf1 a -all mx redirect=example.com")
    assert isinstance(found, Record)
    assert [term.text for term in found.reached] == ["a", "-all"]
    assert found.redirect is not None


def test_host_bits_and_names_are_kept() -> None:
    found = parse(b"v=spf1 ip4:192.0.2.1/24 Foo=bar")
    assert isinstance(found, Record)
    first, second = found.terms
    assert isinstance(first, Ip4)
    assert first.has_host_bits
    assert isinstance(second, UnknownModifier)
    assert second.name == "foo"


SELECTION = [
    pytest.param("v=spf1", 1, 0, id="bare"),
    pytest.param("V=SpF1 -all", 1, 0, id="without case"),
    pytest.param("v=spf10 -all", 0, 1, id="version 10"),
    pytest.param("v=spf1\t-all", 0, 1, id="tab"),
    pytest.param("v=spf1\u00a0-all", 0, 1, id="no-break space"),
    pytest.param(" v=spf1 -all", 0, 1, id="leading space"),
    pytest.param('"v=spf1 -all"', 0, 1, id="quotes"),
    pytest.param("v=spf-1 -all", 0, 1, id="wrong version"),
    pytest.param("spf1 -all", 0, 1, id="no v"),
    pytest.param("v=spf2.0/pra", 0, 0, id="Sender ID"),
    pytest.param("v=DMARC1; p=none", 0, 0, id="DMARC"),
    pytest.param("MS=ms123", 0, 0, id="token"),
]


@pytest.mark.parametrize(("text", "records", "near"), SELECTION)
def test_records_are_picked_by_their_version(text: str, records: int, near: int) -> None:
    found = select((TextRecord((text.encode("latin-1"),)), "not text"))
    assert (len(found.records), len(found.near_misses)) == (records, near)


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_told(raw: bytes) -> None:
    text = b"v=spf1 " + raw
    found = parse(text)
    assert is_record(text)
    if isinstance(found, Broken):
        assert found.faults
        assert all(found.text[one.position :].startswith(one.term) for one in found.faults)


TERM = st.sampled_from(
    ["a", "mx", "ip4", "ip6", ":", "/", "//", "24", "%{", "%{d}", "}", "=", "-", "all", " ", "x.y",
     "redirect", "exp", "192.0.2.1", "::1", "%", "r", ".", "include", "\u00a0", '"']
)  # fmt: skip


@given(st.lists(TERM, max_size=12).map("".join))
def test_any_shuffled_grammar_is_read_or_told(text: str) -> None:
    found = parse(b"v=spf1 " + text.encode("latin-1"))
    assert isinstance(found, Record | Broken)
