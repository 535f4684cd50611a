"""TLSA records are read as others read them, and say where they are wrong."""

import hashlib

import dns.exception
import dns.rdata
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.domain.dnssec_key import ds_of
from agent.domain.tlsa import Tlsa, TlsaError, parse, print_of, read_tlsa

SHORT = st.text(alphabet="0123456789abcdefABCDEF xgz-\t.", max_size=40)
SHAPED = st.builds(
    "{} {} {} {}".format,
    st.integers(0, 260),
    st.integers(0, 260),
    st.integers(0, 9),
    st.text(alphabet="0123456789abcdef ", max_size=140),
)


@pytest.mark.parametrize(
    ("text", "at", "problem"),
    [
        ("", 0, "the usage is missing"),
        ("3", 0, "the selector is missing"),
        ("3 1", 0, "the matching type is missing"),
        ("x 1 1 ab", 1, "the usage is no number from 0 to 255"),
        ("3 256 1 ab", 3, "the selector is no number from 0 to 255"),
        ("3 1 -1 ab", 5, "the matching type is no number from 0 to 255"),
        ("3 1 1 abxd", 9, "no hexadecimal digit"),
        ("3 1 1 ab cg", 11, "no hexadecimal digit"),
        ("3 1 1 ab c", 10, "half an octet: a digit is missing"),
    ],
)
def test_a_fault_has_its_place(text: str, at: int, problem: str) -> None:
    with pytest.raises(TlsaError) as caught:
        parse(text)
    assert (caught.value.at, caught.value.problem) == (at, problem)
    assert str(caught.value) == (f"character {at}: {problem}" if at else problem)
    assert read_tlsa((text,)) == ()


@pytest.mark.parametrize(
    ("record", "flaw"),
    [
        (Tlsa(3, 1, 1, bytes(32)), ""),
        (Tlsa(2, 0, 2, bytes(64)), ""),
        (Tlsa(3, 1, 0, b"x"), ""),
        (Tlsa(0, 1, 1, bytes(32)), "usage 0 counts for nothing with SMTP"),
        (Tlsa(4, 1, 1, bytes(32)), "usage 4 means nothing"),
        (Tlsa(3, 2, 1, bytes(32)), "selector 2 means nothing"),
        (Tlsa(3, 1, 3, bytes(32)), "matching type 3 means nothing"),
        (Tlsa(3, 1, 0, b""), "it has no data"),
        *((Tlsa(3, 1, 1, bytes(n)), f"it has {n} octets, and SHA-256 has 32") for n in (0, 31, 64)),
        *((Tlsa(3, 1, 2, bytes(n)), f"it has {n} octets, and SHA-512 has 64") for n in (32, 65)),
    ],
)
def test_what_mail_cannot_use(record: Tlsa, flaw: str) -> None:
    assert record.flaw == flaw
    assert record.is_usable is (flaw == "")
    assert record.meaning


def test_every_length_but_the_right_one_is_unusable() -> None:
    for matching, right in ((1, 32), (2, 64)):
        usable = [n for n in range(130) if Tlsa(3, 1, matching, bytes(n)).is_usable]
        assert usable == [right]


def test_a_print_has_what_every_form_needs() -> None:
    shown = print_of(b"certificate", b"key")
    assert len(shown) == 192
    for selector, octets in ((0, b"certificate"), (1, b"key")):
        digests = (octets, hashlib.sha256(octets).digest(), hashlib.sha512(octets).digest())
        for matching, data in enumerate(digests):
            assert Tlsa(3, selector, matching, data).fits(shown)
            assert not Tlsa(3, 1 - selector, matching, data).fits(shown)
            assert not Tlsa(3, selector, matching, data + b"x").fits(shown)


def assert_within(place: int, text: str) -> None:
    assert 0 <= place <= len(text)


def _misfits(record: Tlsa) -> bool:
    return len(record.data) != {1: 32, 2: 64}.get(record.matching, len(record.data))


@given(st.one_of(SHORT, SHAPED))
@example("3 1 1")
@example("3 1 1 ")
@example("003 1 1 aa")
def test_the_grammar_is_that_of_another_reader(text: str) -> None:
    """Where it is read, both read the same; what only one takes is in the table below."""
    try:
        ours = parse(text)
    except TlsaError as error:
        place, ours = error.at, None
        assert_within(place, text)
    try:
        record = dns.rdata.from_text("IN", "TLSA", text)
    except (dns.exception.DNSException, ValueError):
        # dnspython reads no record without data or of a length that its matching type has not.
        assert ours is None or not ours.data or _misfits(ours)
        return
    assert ours is not None
    theirs = tuple(getattr(record, name) for name in ("usage", "selector", "mtype", "cert"))
    assert (ours.usage, ours.selector, ours.matching, ours.data) == theirs
    assert parse(record.to_text()) == ours


@pytest.mark.parametrize(
    "key", ["", "x", "257 3", "257 3 13 A", "99999 3 13 AAAA", "256 3 13 AAAA"]
)
def test_what_is_no_key_that_the_parent_vouches_for_has_no_ds_record(key: str) -> None:
    assert ds_of("contoso.com", key) == ""


def test_the_ds_record_of_a_key_is_the_published_one() -> None:
    # RFC 6605 section 6.1.
    key = (
        "257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edb"
        "krSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA=="
    )
    assert ds_of("example.net", key) == (
        "55648 13 2 B4C8C1FE2E7477127B27115656AD6256F424625BF5C1E2770CE6D6E37DF61D17"
    )
