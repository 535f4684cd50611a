"""Messages are built once and found again however a gateway has changed them."""

import base64
import email.policy
import quopri
import re
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.message import (
    MAX_SCAN,
    MAX_TOKENS,
    Message,
    Token,
    find_tokens,
    is_intact,
)
from agent.domain.payload import MAX_SIZE, Kind, Payload

KEY = b"k" * 32
TOKEN = Token.make(bytes(range(16)), key=KEY, route="contoso/in", sequence=7, instance="i1")
MESSAGE = Message(
    token=TOKEN,
    route="in",
    mail_from="probe@contoso.com",
    rcpt_to="sink@fabrikam.com",
    sent_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
)
RAW = MESSAGE.encode()
HEAD, BODY = RAW.split(b"\r\n\r\n", 1)


def test_a_message_carries_its_token_in_four_places_and_asks_for_no_answer() -> None:
    text = RAW.decode("ascii")
    assert text.count(str(TOKEN)) == 4
    assert f"Message-ID: <{TOKEN}@contoso.com>\r\n" in text
    assert "Auto-Submitted: auto-generated\r\n" in text
    assert "X-Auto-Response-Suppress: All\r\n" in text
    assert "Date: Mon, 23 Nov 2026 12:00:00 +0000\r\n" in text
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", RAW) is None
    assert max(map(len, RAW.split(b"\r\n"))) < 998


def test_a_null_sender_still_has_an_author() -> None:
    message = Message(
        token=TOKEN, route="in", mail_from="", rcpt_to="a@b.example", sent_at=MESSAGE.sent_at
    )
    assert b"From: <mailflow-agent@b.example>\r\n" in message.encode()


def test_the_author_may_be_another_than_the_sender() -> None:
    message = Message(
        token=TOKEN,
        route="in",
        mail_from="bounces@contoso.com",
        header_from="probe@mail.contoso.com",
        rcpt_to="a@b.example",
        sent_at=MESSAGE.sent_at,
    )
    text = message.encode()
    assert b"From: <probe@mail.contoso.com>\r\n" in text
    assert f"Message-ID: <{TOKEN}@mail.contoso.com>\r\n".encode() in text
    assert b"bounces" not in text


@pytest.mark.parametrize(
    ("payload", "types"),
    [
        pytest.param(Payload(), ["text/plain"], id="plain"),
        pytest.param(
            Payload(kind=Kind.HTML), ["multipart/alternative", "text/plain", "text/html"], id="html"
        ),
        pytest.param(
            Payload(kind=Kind.ATTACHMENT, content_type="application/pdf", size=5000),
            ["multipart/mixed", "text/plain", "application/pdf"],
            id="attachment",
        ),
    ],
)
def test_every_kind_is_a_message_that_other_software_reads(
    payload: Payload, types: list[str]
) -> None:
    raw = replace(MESSAGE, payload=payload).encode()
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert [part.get_content_type() for part in read.walk()] == types
    assert not [defect for part in read.walk() for defect in part.defects]
    assert find_tokens(raw) == (TOKEN,)
    assert max(map(len, raw.split(b"\r\n"))) < 998
    assert raw.endswith(b"\r\n")
    assert re.search(rb"(?<!\r)\n|\r(?!\n)|[^\t\r\n\x20-\x7e]", raw) is None
    assert raw == replace(MESSAGE, payload=payload).encode()
    texts = [part.get_content() for part in read.walk() if part.get_content_type() == "text/plain"]
    assert str(TOKEN) in texts[0]
    if payload.kind is Kind.ATTACHMENT:
        (file,) = read.iter_attachments()
        assert file.get_filename() == "mailflow-agent.pdf"
        assert file.get_content() == payload.attachment(str(TOKEN))


def test_fields_of_the_operator_come_as_they_are_written() -> None:
    payload = Payload(headers=(("X-Contoso-Bypass", "a secret; yes"), ("x-empty", "")))
    head = replace(MESSAGE, payload=payload).encode().partition(b"\r\n\r\n")[0]
    assert b"\r\nX-Contoso-Bypass: a secret; yes\r\nx-empty:\r\n" in head


def test_the_largest_attachment_is_made_in_linear_time() -> None:
    message = replace(MESSAGE, payload=Payload(kind=Kind.ATTACHMENT, size=MAX_SIZE))
    began = time.process_time()
    raw = message.encode()
    assert time.process_time() - began < 10  # 1 on an idle machine
    assert len(raw) > MAX_SIZE * 4 / 3


@pytest.mark.parametrize("field", ["route", "mail_from", "rcpt_to", "header_from"])
def test_a_line_break_in_a_field_is_refused(field: str) -> None:
    values = {"route": "in", "mail_from": "a@b.example", "rcpt_to": "c@d.example"}
    with pytest.raises(ValueError, match="does not fit"):
        Message(token=TOKEN, sent_at=MESSAGE.sent_at, **values | {field: "x\r\nBcc: y@z"})  # type: ignore[arg-type]


def test_a_token_needs_128_random_bits() -> None:
    with pytest.raises(ValueError, match="16 random octets"):
        Token.make(b"short", key=KEY, route="r", sequence=1, instance="i")


def test_a_token_is_genuine_for_its_own_claim_only() -> None:
    claim = {"key": KEY, "route": "contoso/in", "sequence": 7, "instance": "i1"}
    assert TOKEN.is_genuine(**claim)  # type: ignore[arg-type]
    for name, other in (
        ("key", b"x" * 32),
        ("route", "contoso/out"),
        ("sequence", 8),
        ("instance", "i2"),
    ):
        assert not TOKEN.is_genuine(**claim | {name: other})  # type: ignore[arg-type]


def _only(pattern: bytes) -> bytes:
    """Return the message with every copy of the token removed but those *pattern* matches."""
    kept = re.search(pattern, RAW)
    assert kept is not None
    return RAW.replace(str(TOKEN).encode(), b"gone")[:-4] + kept[0]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(_only(rb"Message-ID: [^\r]*"), id="only the message-id is left"),
        pytest.param(_only(rb"Subject: [^\r]*"), id="only the subject is left"),
        pytest.param(_only(rb"X-Mailflow-Token: [^\r]*"), id="only the header field is left"),
        pytest.param(_only(rb"Token: [^\r]*"), id="only the body is left"),
        pytest.param(RAW.upper(), id="upper case"),
        pytest.param(b"[EXTERNAL] " + str(TOKEN).encode() + b" (spam?)", id="subject tagged"),
        pytest.param(
            b"Subject: x\r\n\r\n" + str(TOKEN).encode()[:30] + b"=\r\n" + str(TOKEN).encode()[30:],
            id="soft line break of quoted-printable",
        ),
        pytest.param(b"Subject: mfa1-\r\n " + str(TOKEN).encode()[5:], id="folded header line"),
        pytest.param(
            b"Content-Transfer-Encoding: base64\r\n\r\n"
            + base64.encodebytes(BODY).replace(b"\n", b"\r\n"),
            id="body in base64",
        ),
        pytest.param(
            b"Subject: =?utf-8?B?" + base64.b64encode(str(TOKEN).encode()) + b"?=",
            id="subject as an encoded word",
        ),
    ],
)
def test_the_token_is_found_wherever_a_gateway_left_it(raw: bytes) -> None:
    assert find_tokens(raw) == (TOKEN,)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(str(TOKEN).encode()[:-1], id="truncated"),
        pytest.param(str(TOKEN).encode() + b"a", id="too long"),
        pytest.param(b"x" * MAX_SCAN + str(TOKEN).encode(), id="beyond what is looked at"),
    ],
)
def test_what_is_no_token_is_not_found(raw: bytes) -> None:
    assert find_tokens(raw) == ()


def test_the_number_of_candidates_is_bounded() -> None:
    tokens = [
        Token.make(bytes([n] * 16), key=KEY, route="r", sequence=n, instance="i") for n in range(50)
    ]
    assert len(find_tokens("\r\n".join(map(str, tokens)).encode())) == MAX_TOKENS


@given(st.binary(max_size=4096))
def test_any_octets_are_searched_without_an_exception(raw: bytes) -> None:
    find_tokens(raw)
    is_intact(raw, TOKEN)


@pytest.mark.parametrize(
    "unit",
    [
        pytest.param(b"mfa1-", id="beginnings of tokens"),
        pytest.param(b"mfa1-" + b"a" * 26 + b"-" + b"a" * 25 + b"!", id="tokens one short"),
        pytest.param(b"A", id="one endless run of base64"),
        pytest.param(b"AAAAAAAAAAAAAAAA ", id="many runs of base64"),
        pytest.param(b"A\r\n", id="base64 in short lines"),
        pytest.param(b"=\r\n", id="soft breaks"),
        pytest.param(b"\r\n ", id="folds"),
        pytest.param(b"(", id="parentheses"),
        pytest.param(b"--x\r\n\r\n", id="parts"),
    ],
)
def test_the_work_on_a_megabyte_of_malice_is_bounded(unit: bytes) -> None:
    raw = unit * (1024 * 1024 // len(unit))
    began = time.process_time()
    find_tokens(raw)
    is_intact(raw, TOKEN)
    assert time.process_time() - began < 0.5  # 0.05 on an idle machine


@pytest.mark.parametrize(
    ("raw", "intact"),
    [
        pytest.param(RAW, True, id="as sent"),
        pytest.param(RAW.replace(b"\r\n", b"\n"), True, id="other line ends"),
        pytest.param(RAW.replace(b"it.\r\n", b"it.  \r\n") + b"\r\n", True, id="white space"),
        pytest.param(b"Received: from x\r\n" + RAW, True, id="header fields added"),
        pytest.param(
            b"Content-Transfer-Encoding: Quoted-Printable\r\n\r\n" + quopri.encodestring(BODY),
            True,
            id="quoted-printable",
        ),
        pytest.param(
            b"X: y\r\nContent-Transfer-Encoding: BASE64\r\n\r\n" + base64.encodebytes(BODY),
            True,
            id="base64",
        ),
        pytest.param(b"Content-Transfer-Encoding: base64\r\n\r\nAAAAA", False, id="broken base64"),
        pytest.param(RAW + b"-- \r\nCAUTION: external\r\n", False, id="banner"),
        pytest.param(RAW.replace(b"\r\nFrom a", b"\r\n>From a"), False, id="mbox quoting"),
        pytest.param(RAW.replace(b"\r\n.a", b"\r\na"), False, id="lost dot"),
        pytest.param(HEAD, False, id="no body"),
    ],
)
def test_damage_to_the_body_is_told_from_harmless_rewriting(raw: bytes, *, intact: bool) -> None:
    assert is_intact(raw, TOKEN) is intact


def test_a_banner_is_no_damage_where_it_is_allowed() -> None:
    raw = RAW + b"-- \r\nCAUTION: external\r\n"
    assert is_intact(raw, TOKEN, banner_allowed=True)
    assert not is_intact(raw.replace(b"Nobody", b"Somebody"), TOKEN, banner_allowed=True)
