"""An answer to a message is told from a message, and which kind of answer it is."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.domain.letter_kind import LetterKind, kind_of
from agent.domain.message import Message, Token
from agent.domain.subject_words import words_of

TOKEN = Token.make(bytes(16), key=b"k", route="a-b", sequence=1, instance="i")
OURS = Message(
    token=TOKEN,
    route="a-b",
    mail_from="probe@contoso.com",
    rcpt_to="probe@fabrikam.com",
    sent_at=datetime(2026, 11, 1, tzinfo=UTC),
).encode()


def encoded(text: str, charset: str = "utf-8") -> str:
    octets = base64.b64encode(text.encode(charset)).decode()
    return f"=?{charset}?B?{octets}?="


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(OURS, id="as it was sent"),
        pytest.param(b"Return-Path: <>\r\nReceived: by x\r\n" + OURS, id="from the null sender"),
        pytest.param(
            b"Resent-From: <a@x.example>\r\nX-MS-Exchange-Inbox-Rules-Loop: a@x.example\r\n" + OURS,
            id="resent by a rule",
        ),
        pytest.param(b"Auto-Submitted: auto-replied\r\n" + OURS, id="marked on the way"),
        pytest.param(
            OURS.replace(b"X-Mailflow-Token", b"X-Gone").replace(b"Subject: ", b"Subject: Auto: "),
            id="known by its Message-ID",
        ),
        pytest.param(
            b"From: a@x.example\r\nIn-Reply-To: <x@y>\r\nAuto-Submitted: auto-replied\r\n"
            b"Subject: FW: mailflow-agent\r\n\r\n" + OURS,
            id="forwarded by a rule",
        ),
        pytest.param(b"Subject: WG: Out of office: a\r\n\r\nread this", id="forwarded by a person"),
        pytest.param(b"Subject: Out of office chairs\r\n\r\nfor sale", id="about offices"),
        pytest.param(b"Auto-Submitted: auto-generated\r\n\r\na cron job", id="of a machine"),
        pytest.param(b"X-Auto-Response-Suppress: All\r\n\r\nhi", id="that wants no answer"),
        pytest.param(b"Precedence: bulk\r\n\r\nnews", id="to a list"),
        pytest.param(
            b"Precedence: bulk\r\nIn-Reply-To: <x@y>\r\nList-Id: <l.x>\r\n\r\nhi", id="of a list"
        ),
        pytest.param(b"In-Reply-To: <x@y>\r\n\r\nPlease confirm", id="of a person who asks"),
        pytest.param(b"Subject: please confirm your address\r\n\r\nBob", id="who asks first"),
        pytest.param(b"", id="empty"),
    ],
)
def test_it_is_a_message(raw: bytes) -> None:
    assert kind_of(raw) is LetterKind.MESSAGE


@pytest.mark.parametrize(
    "head",
    [
        "Auto-Submitted: auto-replied (vacation)",
        "X-Autoreply: yes",
        "Precedence: auto_reply",
        "X-Apple-Action: VACATION",
        "Subject: Automatic reply: mailflow-agent",
        "Subject: Automatische Antwort: x",
        f"Subject: {encoded('Réponse automatique : x')}",
        "Subject: R\xc3\xa9ponse automatique : x",
        f"Subject: {encoded('自動応答: x', 'iso-2022-jp')}",
        f"Subject: {encoded('Автоматический ответ: x', 'koi8-r')}",
        "Subject: =?iso-8859-1?Q?R=E9ponse_automatique=3A_x?=",
        "Subject: =?utf-8?Q?Respuesta?= =?utf-8?Q?_autom=C3=A1tica:?=",
        "Subject: I am away until May\r\nIn-Reply-To: <x@y>",
        "X-MS-Exchange-Inbox-Rules-Loop: a@x.example\r\nReturn-Path: <>",
        "Precedence: bulk\r\nIn-Reply-To: <x@y>",
    ],
)
def test_it_is_an_automatic_answer(head: str) -> None:
    raw = f"{head}\r\nFrom: a@x.example\r\n\r\nI am away. {TOKEN}\r\n".encode("latin-1")
    assert kind_of(raw) is LetterKind.AUTO_REPLY


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(
            "X-Delivery-Agent: TMDA/1.0\r\nIn-Reply-To: <x@y>\r\n\r\nhello", id="tmda's mark"
        ),
        pytest.param(
            "Precedence: bulk\r\nSubject: Please confirm your message\r\n\r\nReply to this.",
            id="a subject of a machine",
        ),
        pytest.param(
            "In-Reply-To: <x@y>\r\nSubject: Verification required\r\n\r\n"
            "Your mail is held until you confirm it.",
            id="a subject and words",
        ),
        pytest.param(
            "Auto-Submitted: auto-replied\r\nSubject: Re: x\r\n\r\n"
            "Please confirm that you are a human by clicking here.",
            id="words of a machine",
        ),
    ],
)
def test_it_is_a_challenge(raw: str) -> None:
    assert kind_of(raw.encode()) is LetterKind.CHALLENGE


def report(report_type: str, part: str, fields: str = "") -> bytes:
    return (
        f"From: postmaster@x.example\r\nAuto-Submitted: auto-replied\r\n"
        f'Content-Type: multipart/report; report-type="{report_type}"; boundary=b\r\n\r\n'
        f"--b\r\n\r\nwords\r\n--b\r\nContent-Type: {part}\r\n\r\n{fields}\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\n"
    ).encode() + OURS


IN_WORDS = (
    b"From: MAILER-DAEMON@x.example\r\nAuto-Submitted: auto-replied\r\n\r\n"
    b"I wasn't able to deliver your message.\r\n<a@x.example>:\r\n550 no\r\n"
)


def status(action: str) -> bytes:
    fields = f"Final-Recipient: rfc822;a@x.example\r\nAction: {action}\r\n"
    return report("delivery-status", "message/delivery-status", fields)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (status("failed"), LetterKind.BOUNCE),
        (status("delayed"), LetterKind.DELAY),
        (status("delivered"), LetterKind.RECEIPT),
        (status("relayed"), LetterKind.RECEIPT),
        (status("expanded"), LetterKind.RECEIPT),
        (report("delivery-status", "text/plain"), LetterKind.BOUNCE),
        (report("disposition-notification", "text/plain"), LetterKind.RECEIPT),
        (report("x", "message/disposition-notification"), LetterKind.RECEIPT),
        (report("feedback-report", "message/feedback-report"), LetterKind.FEEDBACK),
        (report("feedback-report", "text/plain"), LetterKind.FEEDBACK),
        (b"Content-Class: urn:content-classes:mdn\r\nSubject: Read\r\n\r\n", LetterKind.RECEIPT),
        (IN_WORDS, LetterKind.BOUNCE),
    ],
)
def test_a_report_has_its_kind(raw: bytes, kind: LetterKind) -> None:
    assert kind_of(raw) is kind


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("=?utf-8?B?w6Q=?= =?utf-8?Q?_=C3=A4?=", "ä ä"),
        ("=?utf-8*de?Q?a?=", "a"),
        ("=?idna?Q?a?=", "=?idna?q?a?="),
        ("=?iso-8859-99?Q?a?=", "=?iso-8859-99?q?a?="),
        ("=?utf-8?B?A?=", "=?utf-8?b?a?="),
        ("=?utf-8?Q?=FF?=", "\ufffd"),
        (r"caf\xe9", "café"),
    ],
)
def test_encoded_words_are_undone_where_it_is_safe(subject: str, expected: str) -> None:
    assert words_of(subject) == expected


@settings(max_examples=150)
@given(st.lists(st.sampled_from([b"Subject: ", b"=?utf-8?q?", b"?=", b"\r\n", b"\xff", b"auto: "])))
def test_no_message_is_too_odd(pieces: list[bytes]) -> None:
    assert kind_of(b"".join(pieces)) in LetterKind


@given(st.text(max_size=100))
def test_no_subject_is_too_odd(subject: str) -> None:
    assert words_of(subject) == words_of(subject).strip()
