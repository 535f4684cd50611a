"""A letter is a message of ours by what nobody else writes, and a quotation is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.identity import identity_of
from agent.domain.letter_text import html_text, plain_text
from agent.domain.message import Token

TOKEN = Token.make(bytes(16), key=b"k", route="a-b", sequence=1, instance="i")
OTHER = Token.make(bytes(15) + b"1", key=b"k", route="a-b", sequence=2, instance="i")
SUBJECT = f"Subject: mailflow-agent {TOKEN}"
TEXT = plain_text(str(TOKEN))
PARTS = "Content-Type: multipart/alternative; boundary=b"


def raw(*fields: str, body: str = "") -> bytes:
    return "\r\n".join((*fields, "", body)).encode()


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(raw(f"X-Mailflow-Token: {TOKEN}", f"Message-ID: <{OTHER}@x>"), id="our field"),
        pytest.param(raw(f"X-Mailflow-Token:\r\n {TOKEN}"), id="folded"),
        pytest.param(raw(f"X-MAILFLOW-TOKEN: {str(TOKEN).upper()}"), id="in upper case"),
        pytest.param(raw(f"Message-ID: <{TOKEN}@contoso.com>", "In-Reply-To: <x@y>"), id="its id"),
        pytest.param(raw(SUBJECT, body=TEXT), id="subject and text"),
        pytest.param(raw(SUBJECT, body=f"{TEXT}\r\n-- \r\nA footer"), id="with a footer"),
        pytest.param(
            raw(f"Subject: [EXTERNAL] [Spam?] mailflow-agent\r\n {TOKEN}", body=TEXT), id="tagged"
        ),
        pytest.param(
            raw(SUBJECT, PARTS, body=f"--b\r\n\r\n{TEXT}\r\n--b--\r\n"), id="in a multipart"
        ),
        pytest.param(
            raw(SUBJECT, "Content-Type: text/html", body=html_text(str(TOKEN))), id="as HTML"
        ),
    ],
)
def test_a_letter_is_the_message(octets: bytes) -> None:
    assert identity_of(octets) == TOKEN


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(raw(f"X-Mailflow-Token: about {TOKEN}"), id="more in our field"),
        pytest.param(raw(f"Message-ID: <re-{TOKEN}@x.example>"), id="an id made of ours"),
        pytest.param(raw(f"In-Reply-To: <{TOKEN}@x.example>"), id="an answer"),
        pytest.param(raw(SUBJECT, "In-Reply-To: <x@y>", body=TEXT), id="an answer with our text"),
        pytest.param(raw(SUBJECT, body=f"Ticket opened.\r\n{TEXT}"), id="our text further down"),
        pytest.param(raw(f"Subject: Re: mailflow-agent {TOKEN}", body=TEXT), id="Re:"),
        pytest.param(raw(f"Subject: Fwd: mailflow-agent {TOKEN}", body=TEXT), id="Fwd:"),
        pytest.param(raw(f"{SUBJECT} was held", body=TEXT), id="more in the subject"),
        pytest.param(raw("Subject: hello", body=TEXT), id="our text alone"),
        pytest.param(raw(SUBJECT), id="our subject alone"),
        pytest.param(raw(SUBJECT, PARTS, body=TEXT), id="without its parts"),
        pytest.param(raw(SUBJECT, "Content-Type: message/rfc822", body=TEXT), id="enclosed"),
    ],
)
def test_a_letter_only_quotes_the_message(octets: bytes) -> None:
    assert identity_of(octets) is None


@given(st.binary(max_size=400))
def test_whatever_comes_is_read(octets: bytes) -> None:
    assert identity_of(octets) is None
    assert identity_of(raw(SUBJECT).rstrip() + b"\r\n" + octets) in (None, TOKEN)
