"""What was sent is known again however it was wrapped, and damage is told from additions."""

import base64
import quopri
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.integrity import Integrity, examine
from agent.domain.letter_text import html_text, plain_text
from agent.domain.message import Message, Token
from agent.domain.mime_parts import MAX_OCTETS
from agent.domain.payload import PLAIN, Kind, Payload
from servers.budget import best_cpu

TOKEN = Token.make(bytes(range(16)), key=b"k" * 32, route="r", sequence=7, instance="i")
NAME = str(TOKEN)
TEXT = plain_text(NAME)
HTML = Payload(kind=Kind.HTML)
FILE = Payload(kind=Kind.ATTACHMENT, size=4000)
PDF = Payload(kind=Kind.ATTACHMENT, size=4000, content_type="application/pdf")
LARGE = Payload(kind=Kind.ATTACHMENT, size=2 * MAX_OCTETS)


def sent(payload: Payload) -> bytes:
    return Message(
        token=TOKEN,
        route="in",
        mail_from="probe@contoso.com",
        rcpt_to="sink@fabrikam.com",
        sent_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
        payload=payload,
    ).encode()


def part(content: str, content_type: str = "text/plain", encoding: str = "7bit") -> bytes:
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    body = content.encode()
    if encoding == "base64":
        body = base64.encodebytes(body)
    if encoding == "quoted-printable":
        body = quopri.encodestring(body)
    return head.encode() + body


def wrapped(*parts: bytes, subtype: str = "mixed") -> bytes:
    head = f'Content-Type: multipart/{subtype}; boundary="b1"\r\n\r\n'.encode()
    return head + b"".join(b"--b1\r\n" + each + b"\r\n" for each in parts) + b"--b1--\r\n"


@pytest.mark.parametrize("payload", [PLAIN, HTML, FILE, PDF, LARGE])
def test_what_arrives_as_it_was_sent_is_intact(payload: Payload) -> None:
    raw = sent(payload)
    assert examine(raw, NAME, payload) is Integrity.INTACT
    assert examine(raw.replace(b"\r\n", b"\n"), NAME, payload) is Integrity.INTACT
    assert examine(b"Received: from x\r\n" + raw, NAME, payload) is Integrity.INTACT


def test_another_token_is_another_message() -> None:
    other = Token.make(bytes(16), key=b"k" * 32, route="r", sequence=8, instance="i")
    for payload in (PLAIN, HTML, FILE):
        assert examine(sent(payload), str(other), payload) is Integrity.CHANGED


WIDE = b"Content-Type: text/plain; charset=UTF-16LE\r\nContent-Transfer-Encoding: base64\r\n\r\n"
FLOWED = "Content-Type: text/plain; format=flowed; delsp={}\r\n\r\n" + TEXT.replace(
    "which watches", "which{}\r\nwatches"
).replace("From a", " From a")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(part(TEXT, encoding="quoted-printable"), id="quoted-printable"),
        pytest.param(part(TEXT, "text/plain; charset=iso-8859-1", "base64"), id="base64"),
        pytest.param(WIDE + base64.encodebytes(TEXT.encode("utf-16-le")), id="UTF-16"),
        pytest.param(part("\ufeff" + TEXT, "text/plain; charset=utf-8"), id="byte order mark"),
        pytest.param(part(TEXT.replace("\r\n", "  \r\n") + "\r\n\r\n"), id="white space"),
        pytest.param(FLOWED.format("no", " ").encode(), id="flowed"),
        pytest.param(FLOWED.format("yes", "  ").encode(), id="flowed, without the space"),
        pytest.param(wrapped(part(TEXT)), id="wrapped"),
        pytest.param(wrapped(part(TEXT), part(" \r\n", "text/html")), id="an empty part"),
    ],
)
def test_another_spelling_of_the_text_is_intact(raw: bytes) -> None:
    assert examine(raw, NAME) is Integrity.INTACT


@pytest.mark.parametrize(
    ("raw", "payload"),
    [
        pytest.param(part("CAUTION\r\n" + TEXT), PLAIN, id="before the text"),
        pytest.param(part(TEXT + "-- \r\nA disclaimer"), PLAIN, id="behind the text"),
        pytest.param(wrapped(part(TEXT), part("A footer")), PLAIN, id="as another part"),
        pytest.param(wrapped(part(TEXT), part("x", "image/png")), PLAIN, id="a logo"),
        pytest.param(part(html_text(NAME), "text/html"), PLAIN, id="made into HTML"),
        pytest.param(
            wrapped(part("A spam report"), part("Subject: x\r\n\r\n" + TEXT, "message/rfc822")),
            PLAIN,
            id="enclosed in another message",
        ),
        pytest.param(
            wrapped(
                part("CAUTION " + TEXT),
                part(html_text(NAME).replace("<body>", "<body><div>CAUTION</div>"), "text/html"),
                subtype="alternative",
            ),
            HTML,
            id="in both alternatives",
        ),
    ],
)
def test_what_was_added_is_a_banner(raw: bytes, payload: Payload) -> None:
    assert examine(raw, NAME, payload) is Integrity.BANNER


def test_html_written_anew_by_a_store_is_intact() -> None:
    """As Exchange does: the HTML gets a head and styles, and the text is made from it."""
    markup = html_text(NAME).replace("<p>", '<p class="MsoNormal"><span style="x">')
    markup = markup.replace("</p>", "<o:p></o:p></span></p>").replace(
        "Nobody needs", "Nobody\nneeds"
    )
    markup = markup.replace("<title>", "<style><!-- p {margin: 0} --></style><title>")
    text = re.sub("(?<=it.)\r\n", "\r\n\r\n", TEXT).replace("which watches", "which\r\nwatches")
    raw = wrapped(
        part(text, encoding="quoted-printable"),
        part(markup.replace("a mailbox", "a&nbsp;mailbox"), "text/html", "base64"),
        subtype="alternative",
    )
    assert examine(raw, NAME, HTML) is Integrity.INTACT


@pytest.mark.parametrize(
    ("raw", "payload"),
    [
        pytest.param(part(TEXT.replace("From a", ">From a")), PLAIN, id="mbox quoting"),
        pytest.param(part(TEXT.replace(".a line", "a line")), PLAIN, id="lost dot"),
        pytest.param(part(TEXT[:100]), PLAIN, id="cut on the way"),
        pytest.param(b"Subject: x\r\n", PLAIN, id="no body"),
        pytest.param(part(html_text(NAME)[:200], "text/html"), PLAIN, id="HTML, and cut"),
        pytest.param(part("x", "image/png"), PLAIN, id="only a picture"),
        pytest.param(part(TEXT), HTML, id="the HTML is gone"),
        pytest.param(part(html_text(NAME), "text/html"), HTML, id="the text is gone"),
        pytest.param(part(TEXT), FILE, id="the attachment is gone"),
        pytest.param(
            wrapped(part(TEXT), part("It held a virus.")), FILE, id="the attachment is replaced"
        ),
    ],
)
def test_what_is_missing_or_different_is_changed(raw: bytes, payload: Payload) -> None:
    assert examine(raw, NAME, payload) is Integrity.CHANGED


def test_an_attachment_in_another_encoding_is_intact() -> None:
    file = FILE.attachment(NAME).decode()
    raw = wrapped(part(TEXT), part(file, 'text/plain; name="x.txt"', "quoted-printable"))
    assert examine(raw, NAME, FILE) is Integrity.INTACT
    pdf = PDF.attachment(NAME).decode("latin-1")
    raw = wrapped(part(TEXT), part(pdf, "application/octet-stream", "base64"))
    assert examine(raw, NAME, PDF) is Integrity.INTACT
    raw = wrapped(part(TEXT), part(pdf.replace("\n", "\r\n"), "application/pdf", "base64"))
    assert examine(raw, NAME, PDF) is Integrity.CHANGED


def test_an_empty_attachment_cannot_be_missed() -> None:
    empty = Payload(kind=Kind.ATTACHMENT, size=0)
    assert examine(sent(empty), NAME, empty) is Integrity.INTACT
    assert examine(part(TEXT), NAME, empty) is Integrity.INTACT


@pytest.mark.parametrize(
    ("raw", "payload", "found"),
    [
        pytest.param(sent(PLAIN)[:-100], PLAIN, Integrity.UNKNOWN, id="in the text"),
        pytest.param(sent(PLAIN), PLAIN, Integrity.INTACT, id="behind the text"),
        pytest.param(b"Subject: x\r\n", PLAIN, Integrity.UNKNOWN, id="before the text"),
        pytest.param(sent(HTML)[:-200], HTML, Integrity.UNKNOWN, id="in the HTML"),
        pytest.param(sent(FILE)[:-900], FILE, Integrity.UNKNOWN, id="in the attachment"),
        pytest.param(
            sent(FILE)[:-900].replace(b"Nobody", b"Somebody"),
            FILE,
            Integrity.CHANGED,
            id="in the attachment, behind a text that was changed",
        ),
    ],
)
def test_a_copy_that_was_cut_may_not_tell(raw: bytes, payload: Payload, found: Integrity) -> None:
    assert examine(raw, NAME, payload, is_whole=False) is found


def test_a_large_attachment_that_is_encoded_anew_is_beyond_what_is_read() -> None:
    file = LARGE.attachment(NAME).decode()
    raw = wrapped(part(TEXT), part(file, encoding="quoted-printable"))
    assert examine(raw, NAME, LARGE) is Integrity.UNKNOWN
    banner = sent(LARGE).replace(b"This is", b"CAUTION\r\nThis is")
    assert examine(banner, NAME, LARGE) is Integrity.BANNER


@pytest.mark.parametrize(
    "unit", [b"<", b"--b1\r\n\r\n", b"=\r\n", b" \n", b"This is a synthetic ", b"\xff", b"A" * 76]
)
@pytest.mark.parametrize("content_type", ["text/plain; format=flowed", "text/html"])
def test_the_work_on_malice_is_bounded(unit: bytes, content_type: str) -> None:
    raw = part("", content_type) + unit * (1024 * 1024 // len(unit))

    def work() -> None:
        for payload in (PLAIN, HTML, FILE):
            examine(raw, NAME, payload)

    assert best_cpu(work, 1) < 5  # 0.5 on an idle machine


@given(st.binary(max_size=2000), st.sampled_from([PLAIN, HTML, FILE]), st.booleans())
def test_no_octets_make_it_fail(raw: bytes, payload: Payload, whole: bool) -> None:  # noqa: FBT001
    examine(raw, NAME, payload, is_whole=whole)
