"""Real bounces of sixty kinds of server are read right, and hostile ones in bounded time."""

import gc
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import pytest

from agent.domain.dsn import Recipient, read_report
from agent.domain.letter_kind import LetterKind, kind_of
from servers.budget import best_cpu

CORPUS = Path(__file__).parents[3] / "shared/data/dsn"
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="the folder ../shared is absent")

# The collectors' own statuses for "none was given"; X.0.0 says the same in the standard's words.
INVENTED = re.compile(r"[245]\.0\.9\d\d")
REQUIRED = 0.95
BUDGET = 0.050  # seconds of CPU for any message of a megabyte

UNTOLD = "the report does not say at which command, and filters say 'unknown' too"
DIFFERENT = {
    (
        "lhost-amazonses-12.eml",
        0,
    ): "a notification in JSON of one provider's API, not by mail rules",
    ("lhost-exim-37.eml", 0): "'does not exist' is said of a domain that is not the recipient's",
    ("lhost-ezweb-02.eml", 0): "said at RCPT; that this provider means 'suspended' is its custom",
    ("lhost-verizon-02.eml", 0): f"{UNTOLD}: the same words are soft in lhost-apachejames-01",
    ("rfc3464-01.eml", 0): "the fields for machines say 'User Unknown', the text 'disk space'",
    ("rfc3464-01.eml", 1): "there is one recipient, not two",
    ("rfc3464-28.eml", 1): "there is one recipient, not two",
    ("rhost-gsuite-09.eml", 0): UNTOLD,
    ("rhost-messagelabs-03.eml", 0): "'Rejected' alone says nothing of the address",
    ("rhost-yahooinc-03.eml", 0): "said after DATA; lhost-x2-01 is soft for the same words",
}


class Expected(TypedDict):
    """What the collectors say of one recipient."""

    index: int
    status: str
    reply: str
    hard: bool
    reason: str


def expected() -> dict[str, list[Expected]]:
    found: dict[str, list[Expected]] = json.loads((CORPUS / "expected.json").read_text())
    return found


def agrees(recipient: Recipient | None, wanted: Expected) -> bool:
    """Whether status and hardness are the same; a recipient that is not found has neither."""
    status = recipient.status if recipient else ""
    if INVENTED.fullmatch(wanted["status"]):
        same = not status or status.endswith(".0.0")
    else:
        same = status == wanted["status"]
    return same and (recipient is not None and recipient.is_hard) == wanted["hard"]


@needs_corpus
def test_status_and_hardness_agree_with_the_collectors() -> None:
    differing, replies, total = set(), 0, 0
    for name, wanted in expected().items():
        report = read_report((CORPUS / "messages" / name).read_bytes())
        found = report.recipients if report else ()
        for number, each in enumerate(wanted):
            recipient = found[number] if number < len(found) else None
            total += 1
            replies += (str(recipient.reply or "") if recipient else "") == each["reply"]
            if not agrees(recipient, each):
                differing.add((name, number))
    right = total - len(differing)
    tally = f"{right} of {total} right ({right / total:.1%}), {replies} replies; {differing}"
    assert right >= REQUIRED * total, tally
    assert differing == set(DIFFERENT), tally
    assert replies >= REQUIRED * total, tally


@needs_corpus
def test_each_has_its_kind() -> None:
    others: dict[LetterKind, list[str]] = {}
    for path in sorted((CORPUS / "messages").iterdir()):
        kind = kind_of(path.read_bytes())
        if kind is not LetterKind.BOUNCE:
            others.setdefault(kind, []).append(path.stem)
    feedback = ["arf-11", "arf-12", "arf-14", "arf-16", "arf-25"]
    assert others == {
        LetterKind.FEEDBACK: feedback,
        LetterKind.AUTO_REPLY: ["rfc3834-01", "rfc3834-03", "rfc3834-04"],
        LetterKind.RECEIPT: ["rfc3464-28"],
        # A provider's form of a complaint without a mark, and two notifications in JSON.
        LetterKind.MESSAGE: ["arf-22", "lhost-amazonses-11", "lhost-amazonses-12"],
        LetterKind.DELAY: [
            *("lhost-gmail-06", "lhost-gmail-17", "lhost-messagingserver-07", "lhost-opensmtpd-04"),
            *("lhost-opensmtpd-13", "lhost-sendmail-29", "lhost-sendmail-55", "lhost-x1-04"),
            "rfc3464-09",
        ],
    }


@needs_corpus
def test_a_report_without_its_end_is_a_report() -> None:
    for path in sorted((CORPUS / "messages").glob("*office365*")):
        raw = path.read_bytes()
        for length in range(0, len(raw), len(raw) // 20):
            report = read_report(raw[:length])
            assert report is None or len(report.recipients) <= 1


MEGABYTE = 1 << 20
DAEMON = b"From: MAILER-DAEMON@a.example\r\nReturn-Path: <>\r\nSubject: Undelivered\r\n"
SAYS = DAEMON + b"\r\ncould not be delivered\r\n"
STATUS = b"Content-Type: message/delivery-status\r\n\r\n"
FIELDS = b"Final-Recipient: rfc822;a@b.example\r\nAction: failed\r\nStatus: 5.9.9\r\n"
REPORT = b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
NAMED = SAYS + b"<a@b.example>: "


def filled(start: bytes, piece: bytes) -> bytes:
    return start + piece * ((MEGABYTE - len(start)) // len(piece))


def nested(depth: int) -> bytes:
    levels = (
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (number, number)
        for number in range(depth)
    )
    return DAEMON + b"".join(levels) + b"\r\nhi"


def numbered(start: bytes, piece: bytes) -> bytes:
    return start + b"".join(piece % number for number in range(MEGABYTE // len(piece)))


BOMBS = {
    "multiparts 3,000 deep": nested(3000),
    "messages 30,000 deep": DAEMON + b"Content-Type: message/rfc822\r\n\r\n" * 30_000,
    "100,000 parts": DAEMON + REPORT + b"--b\r\n\r\nx\r\n" * 100_000,
    "5,000 reports": filled(DAEMON + REPORT, b"--b\r\n" + STATUS + FIELDS + b"\r\n"),
    "a subject of 1 MB": filled(b"Subject: ", b"A") + b"\r\n\r\nx",
    "a subject of encoded words": filled(b"Subject: ", b"=?utf-8?b?QUFB?= ") + b"\r\n\r\nx",
    "a subject that never ends": filled(b"Subject: ", b"=?utf-8?q?"),
    "20,000 parameters": DAEMON
    + b"Content-Type: multipart/report"
    + b"; a=b" * 20_000
    + b"\r\n\r\nx",
    "parameters of blanks": DAEMON + b"Content-Type: a/b;" + b" " * 20_000 + b"\r\n\r\nx",
    "a broken charset": DAEMON + b"Content-Type: text/plain; charset=\xff\xfe\r\n\r\n\xff\xfe\x80",
    "a slow charset": filled(b"Subject: =?idna?b?", b"QUFB") + b"?=\r\n\r\nx",
    "an empty Message-ID": b"Message-ID: <>\r\n\r\nx",
    "20 KB of brackets": DAEMON + b"To: " + b"(" * 20_000 + b"\r\n\r\n",
    "a megabyte of brackets": filled(SAYS, b"("),
    "200,000 fields": filled(DAEMON, b"X: y\r\n"),
    "a folded field": filled(b"Subject: a\r\n", b" \r\n"),
    "a field for machines folded": filled(
        DAEMON + STATUS + FIELDS + b"Diagnostic-Code: smtp;\r\n", b" x\r\n"
    ),
    "one recipient 5,000 times": filled(DAEMON + STATUS, FIELDS + b"\r\n"),
    "40,000 addresses": numbered(SAYS, b"a%06d@b.example: 550 5.9.9\r\n"),
    "40,000 addresses in a field": numbered(DAEMON + b"X-Failed-Recipients: ", b"a%d@b.example,"),
    "at signs": filled(SAYS, b"@"),
    "codes": filled(NAMED, b"550 "),
    "statuses": filled(NAMED, b"5.1.1"),
    "arrows": filled(NAMED, b"-> 550 "),
    "dashes": filled(SAYS, b"-"),
    "quotes": filled(SAYS, b"> "),
    "lines of quotes": filled(SAYS, b"> \n"),
    "words of challenges": filled(DAEMON + b"Precedence: bulk\r\n\r\n", b"confirm "),
    "words of failures": filled(SAYS, b"unable to "),
    "words of accounts": filled(NAMED, b"account"),
    "opened tags": filled(DAEMON + b"Content-Type: text/html\r\n\r\n", b"<"),
    "tags of breaks": filled(DAEMON + b"Content-Type: text/html\r\n\r\n", b"<br "),
    "entities": filled(DAEMON + b"Content-Type: text/html\r\n\r\n", b"&amp;lt;"),
    "base64": filled(DAEMON + b"Content-Transfer-Encoding: base64\r\n\r\n", b"QUJD"),
    "quoted-printable": filled(
        DAEMON + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n", b"=41"
    ),
    "a boundary of a dash": filled(
        DAEMON + b'Content-Type: multipart/a; boundary="-"\r\n\r\n', b"---  \n"
    ),
    "a boundary and blanks": filled(DAEMON + REPORT, b"\n--b" + b" " * 5000),
    "blanks": filled(DAEMON + b"\r\n", b" "),
    "empty lines": filled(DAEMON + b"\r\n", b"\n"),
    "halves of tokens": filled(SAYS, b"mfa1-aaaaaaaaaaaaaaaaaaaaaaaaaa-"),
    "NUL": filled(b"", b"\0"),
    "octets that are no text": filled(b"", b"\xff"),
}


@pytest.mark.parametrize("read", [kind_of, read_report], ids=lambda read: read.__name__)
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_read_in_no_time(bomb: str, read: Callable[[bytes], object]) -> None:
    raw = BOMBS[bomb]
    gc.disable()  # what other tests left behind is not this reader's work
    try:
        best = best_cpu(lambda: read(raw))
    finally:
        gc.enable()
    assert best < BUDGET, f"{best * 1000:.0f} ms for {len(raw)} octets"
