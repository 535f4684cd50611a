"""Records and policies of MTA-STS, as RFC 8461 has them and as strangers write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.lookup import Answer, Silence, TextRecord, Unanswered
from agent.domain.mta_sts import MAX_AGE, Mode, Policy, PolicyError, announced, read_policy

POLICY = b"\r\n".join(
    (
        b"version: STSv1",
        b"mode: enforce",
        b"mx: mail.contoso.com",
        b"mx: *.filter.example",
        b"max_age: 604800",
        b"",
    )
)


def texts(*all_: str) -> Answer:
    return Answer(tuple(TextRecord((each.encode("latin-1"),)) for each in all_))


@pytest.mark.parametrize(
    "text",
    [
        "v=STSv1; id=20261124T0000;",
        "v=STSv1;id=1",
        "v=STSv1 ; id=abc ; more=yes",
        "v=STSv1; more=yes; id=abc;",
    ],
)
def test_a_record_announces_a_version(text: str) -> None:
    assert announced(texts(text, "v=spf1 -all")).version


@pytest.mark.parametrize(
    ("found", "word"),
    [
        pytest.param(texts("v=STSv1; id=1", "v=STSv1; id=2"), "2 records", id="two"),
        pytest.param(texts("v=STSv1;"), "malformed", id="no id"),
        pytest.param(texts("v=STSv1; id=a-b"), "malformed", id="a bad id"),
        pytest.param(texts("v=STSv1; id=" + "1" * 33), "malformed", id="a long id"),
        pytest.param(texts("v=STSv1; id=1; \x1b[31m"), "malformed", id="control characters"),
    ],
)
def test_a_record_that_cannot_be_read_is_told(found: Answer, word: str) -> None:
    said = announced(found)
    assert word in said.trouble
    assert not said.version
    assert "\x1b" not in said.trouble


def test_no_record_is_no_trouble_and_silence_is_not_absence() -> None:
    assert announced(texts("v=spf1 -all", "v=STSv10; id=1")).trouble == ""
    assert announced(Answer(("an alias",))).trouble == ""
    assert announced(Unanswered(Silence.SERVFAIL)).silence == "servfail"


def test_a_policy_is_read() -> None:
    assert read_policy(POLICY) == Policy(
        Mode.ENFORCE, ("mail.contoso.com", "*.filter.example"), 604800
    )
    assert read_policy(POLICY.replace(b"\r\n", b"\n")) == read_policy(POLICY)
    assert read_policy(POLICY.replace(b"604800", b"99999999")).max_age == MAX_AGE
    assert read_policy(b"version: STSv1\nmode: none\nmax_age: 1\n").patterns == ()


@pytest.mark.parametrize(
    ("body", "word"),
    [
        pytest.param(b"", "no field", id="empty"),
        pytest.param(b"<html>", "no field", id="a page"),
        pytest.param(POLICY.replace(b"STSv1", b"STSv2"), "version", id="another version"),
        pytest.param(POLICY.replace(b"enforce", b"enforced"), "mode", id="another mode"),
        pytest.param(POLICY.replace(b"604800", b"-1"), "max_age", id="a negative age"),
        pytest.param(POLICY.replace(b"604800", b"1" * 99), "max_age", id="an endless age"),
        pytest.param(POLICY.replace(b"*.filter", b"mx.*.filter"), "no host", id="a * inside"),
        pytest.param(b"version: STSv1\nmode: enforce\nmax_age: 1\n", "no mx", id="no mx"),
        pytest.param(POLICY.replace(b"mail", b"m\xc3\xa4il"), "no host", id="not ASCII"),
        pytest.param(POLICY.replace(b"mail", b"m\xe4il"), "line 3 is no UTF-8", id="not UTF-8"),
        pytest.param(b"\x00" * 9, "no field", id="NUL"),
    ],
)
def test_what_is_no_policy_is_told(body: bytes, word: str) -> None:
    with pytest.raises(PolicyError, match=word):
        read_policy(body)


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("mail.contoso.com", True),
        ("MAIL.contoso.com.", True),
        ("mx1.filter.example", True),
        ("a.mx1.filter.example", False),
        ("filter.example", False),
        ("contoso.com", False),
    ],
)
def test_a_wildcard_is_one_label(host: str, *, covered: bool) -> None:
    assert read_policy(POLICY).covers(host) is covered


@given(st.binary(max_size=300))
def test_nothing_but_a_policy_error_comes_out_of_a_strangers_text(body: bytes) -> None:
    said = "a policy"
    try:
        read_policy(body)
    except PolicyError as error:
        said = str(error)
    assert said.isprintable()
