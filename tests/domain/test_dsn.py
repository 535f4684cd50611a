"""Reports of every form are read: what is known of each recipient, and of which message."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.domain.dsn import Report, ReportKind, read_report
from agent.domain.knowledge.reply import ReplyClass
from agent.domain.message import Token

TOKEN = Token.make(bytes(16), key=b"k", route="a-b", sequence=1, instance="i")
HUMAN = "Your message to a@contoso.com couldn't be delivered.\r\n"
ORIGINAL = (
    f"Message-ID: <{TOKEN}@fabrikam.com>\r\nX-Mailflow-Token: {TOKEN}\r\n"
    "Received: from 192.0.2.1 by x.example\r\nTo: <a@contoso.com>\r\n\r\nhello\r\n"
)


def read(raw: str) -> Report:
    report = read_report(raw.encode("latin-1"))
    assert report is not None
    return report


def dsn(fields: str, *, human: str = HUMAN, original: str = ORIGINAL, kind: str = "") -> str:
    """A report as RFC 3464 has it; *fields* of the recipients."""
    about = "Reporting-MTA: dns; mx.example\r\nOriginal-Envelope-Id: env-7\r\n\r\n"
    parts = (
        f"Content-Type: text/plain\r\n\r\n{human}",
        f"Content-Type: {kind or 'message/delivery-status'}\r\n\r\n{about}{fields}",
        f"Content-Type: message/rfc822\r\n\r\n{original}",
    )
    body = "".join(f"--b\r\n{part}\r\n" for part in parts)
    return (
        "From: Microsoft Outlook <postmaster@contoso.com>\r\n"
        "In-Reply-To: <answered@fabrikam.com>\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n'
        f"\r\n{body}--b--\r\n"
    )


def plain(said: str, *, head: str = "") -> str:
    return (
        f"From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered Mail\r\n{head}\r\n"
        f"The message could not be delivered.\r\n\r\n{said}\r\n"
    )


def test_a_report_for_machines_says_who_what_and_of_which_message() -> None:
    report = read(
        dsn(
            "Final-Recipient: rfc822;a@contoso.com\r\nAction: failed\r\nStatus: 5.7.64\r\n"
            "Diagnostic-Code: smtp;550 5.7.64 TenantAttribution; Relay Access\r\n"
            " Denied ATTR36 AS780090\r\nRemote-MTA: dns;mx2.example\r\n"
        )
    )
    (recipient,) = report.recipients
    assert (report.kind, report.reporting_mta, report.envelope_id) == (
        ReportKind.FAILED,
        "mx.example",
        "env-7",
    )
    assert report.tokens == (TOKEN,)
    assert report.original_message_id == f"<{TOKEN}@fabrikam.com>"
    assert report.tags == ("ATTR36", "AS780090")
    assert (recipient.address, recipient.status, recipient.reply) == (
        "a@contoso.com",
        "5.7.64",
        550,
    )
    assert recipient.diagnostic.endswith("Relay Access Denied ATTR36 AS780090")
    assert recipient.remote_mta == "mx2.example"
    assert recipient.is_remote
    assert not recipient.is_hard
    assert recipient.known is not None
    assert recipient.known.reply_class is ReplyClass.RELAY


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("failed", ReportKind.FAILED),
        ("delayed", ReportKind.DELAYED),
        ("Delivered (to mailbox)", ReportKind.DELIVERED),
        ("relayed", ReportKind.RELAYED),
        ("expanded", ReportKind.EXPANDED),
        ("expired", ReportKind.FAILED),
        ("deliverable", ReportKind.DELIVERED),
        ("feedback", ReportKind.FAILED),
        ("", ReportKind.FAILED),
    ],
)
def test_the_action_is_the_kind(action: str, kind: ReportKind) -> None:
    report = read(dsn(f"Final-Recipient: rfc822;a@contoso.com\r\nAction: {action}\r\n"))
    assert report.kind is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [("2.1.5", ReportKind.DELIVERED), ("4.4.1", ReportKind.DELAYED), ("5.1.1", ReportKind.FAILED)],
)
def test_without_an_action_the_class_of_the_status_tells(status: str, kind: ReportKind) -> None:
    report = read(dsn(f"Final-Recipient: rfc822;a@contoso.com\r\nStatus: {status}\r\n"))
    assert report.kind is kind


def test_the_worst_recipient_makes_the_kind_and_each_has_its_own_words() -> None:
    report = read(
        dsn(
            "Final-Recipient: rfc822;a@x.example\r\nAction: delivered\r\nStatus: 2.0.0\r\n\r\n"
            "Final-Recipient: rfc822;b@x.example\r\nAction: failed\r\nStatus: 5.0.0\r\n"
            "Final-Recipient: rfc822;c@x.example\r\nAction: delayed\r\nStatus: 4.4.1\r\n",
            human="<b@x.example>: host x said: 550 5.1.1 gone\r\n<c@x.example>: later\r\n",
        )
    )
    assert report.kind is ReportKind.FAILED
    assert [each.status for each in report.recipients] == ["2.0.0", "5.1.1", "4.4.1"]
    assert [each.is_hard for each in report.recipients] == [False, True, False]


def test_an_address_in_another_script_has_a_report_of_its_own_type() -> None:
    fields = "Final-Recipient: utf-8;d\xc3\xb6@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    report = read(dsn(fields, kind="message/global-delivery-status"))
    assert report.recipients[0].address == r"d\xc3\xb6@x.example"


def test_a_report_that_names_nobody_is_a_report() -> None:
    report = read(dsn("", human="Sorry.", original=ORIGINAL.replace("To: ", "X-To: ")))
    assert (report.kind, report.recipients) == (ReportKind.FAILED, ())
    assert report.tokens == (TOKEN,)


ARROW = "550 5.0.350 Remote server returned an error -> 550 5.7.23 SPF check failed"


@pytest.mark.parametrize(
    ("said", "status", "reply", "reply_class"),
    [
        pytest.param(ARROW, "5.7.23", 550, ReplyClass.SPF, id="arrow"),
        pytest.param(
            "mx.example #550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##",
            *("5.1.1", 550, ReplyClass.ADDRESS),
            id="exchange 2010",
        ),
        pytest.param(
            "mx.example #<mx.example #5.1.1 smtp;550 5.1.1 no such user> #SMTP#",
            *("5.1.1", 550, ReplyClass.ADDRESS),
            id="exchange 2007",
        ),
        pytest.param(
            "mx.example\r\nRemote Server returned '554 5.4.14 Hop count exceeded ATTR34'",
            *("5.4.14", 554, ReplyClass.LOOP),
            id="remote server returned",
        ),
        pytest.param("554 no", "", 554, ReplyClass.OTHER, id="no enhanced code"),
        pytest.param("250 5.1.1 odd, 450 4.2.2 full", "4.2.2", 450, ReplyClass.LIMIT, id="at odds"),
        pytest.param("550 5.0.0 no", "5.0.0", 550, ReplyClass.OTHER, id="unspecific"),
        pytest.param("no way -> somewhere", "", 0, ReplyClass.OTHER, id="nothing"),
    ],
)
def test_exchanges_words_for_administrators_are_read(
    said: str, status: str, reply: int, reply_class: ReplyClass
) -> None:
    report = read(
        plain(
            "Diagnostic information for administrators:\r\n\r\n"
            f"Generating server: AM0PR01.example\r\n\r\na@contoso.com\r\n{said}\r\n\r\n"
            f"Original message headers:\r\n\r\nMessage-ID: <{TOKEN}@x>\r\nSubject: 550 5.9.9\r\n"
        )
    )
    (recipient,) = report.recipients
    assert report.reporting_mta == "AM0PR01.example"
    assert report.tokens == (TOKEN,)
    assert report.original_message_id == f"<{TOKEN}@x>"
    assert (recipient.address, recipient.status, recipient.reply) == (
        "a@contoso.com",
        status,
        reply,
    )
    assert recipient.diagnosis.reply_class is reply_class
    assert recipient.is_remote is ("emote" in said)


def test_a_mark_of_exchange_is_enough() -> None:
    report = read("X-MS-Exchange-Message-Is-Ndr:\r\nSubject: Nicht zugestellt\r\n\r\nTja.\r\n")
    assert report.kind is ReportKind.FAILED
    assert report.reporting_mta == ""


def test_markup_alone_is_read_without_its_tags() -> None:
    markup = (
        "<style>x</style><p>Could not deliver to</p>"
        "a@x.example<br>550&nbsp;5.1.1 &lt;a@x.example&gt; User unknown"
    )
    head = "Subject: Undeliverable: x\r\nContent-Type: text/html\r\n\r\n"
    (recipient,) = read(head + markup).recipients
    assert (recipient.address, recipient.status) == ("a@x.example", "5.1.1")


def test_what_failed_stands_in_a_field_where_the_words_name_nobody() -> None:
    report = read(plain("552 5.2.2 full", head="X-Failed-Recipients: a@x.example, b@x.example\r\n"))
    assert [each.address for each in report.recipients] == ["a@x.example", "b@x.example"]
    assert {each.status for each in report.recipients} == {"5.2.2"}


def test_the_addressee_of_the_original_failed_where_nobody_else_is_named() -> None:
    report = read(plain("421 no\r\n--- Original message follows.\r\nTo: <a@x.example>\r\n\r\nx"))
    assert [each.address for each in report.recipients] == ["a@x.example"]
    two = plain("421 no\r\n--- Original message follows.\r\nTo: a@x.example, b@x.example\r\n\r\nx")
    assert read(two).recipients == ()


def test_an_address_in_the_midst_of_a_sentence_is_found() -> None:
    report = read(plain("There was an error delivering mail to <a@x.example>.\r\n552 5.2.2 full"))
    assert [(each.address, each.status) for each in report.recipients] == [("a@x.example", "5.2.2")]


def test_a_transcript_of_old_sendmail_is_parted_by_its_last_lines() -> None:
    said = (
        "   ----- Transcript of session follows -----\r\nWhile talking to a.example:\r\n"
        ">>> DATA\r\n<<< 550 no\r\n554 <a@a.example>... Remote protocol error\r\n"
        "While talking to b.example:\r\n>>> QUIT\r\n<<< 421 no\r\nWhile talking to c.example:\r\n"
        ">>> RCPT To:<b@b.example>\r\n<<< 550 No such user here\r\n550 <b@b.example>... unknown\r\n"
    )
    report = read(plain(said))
    found = [(each.address, each.reply, each.is_hard) for each in report.recipients]
    assert found == [("a@a.example", 550, False), ("b@b.example", 550, True)]


def test_a_bounce_that_somebody_forwards_is_read_through_its_quotes() -> None:
    said = "> Final-Recipient: rfc822; a@x.example\r\n> Action: failed\r\n> Status: 5.1.1\r\n"
    raw = f"Subject: Fwd: Undeliverable\r\n\r\n> Could not be delivered\r\n{said}"
    (recipient,) = read(raw).recipients
    assert (recipient.address, recipient.status) == ("a@x.example", "5.1.1")


def test_a_report_that_encloses_a_report_passes_on_its_fields() -> None:
    inner = dsn("Final-Recipient: rfc822;a@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n")
    inner = inner.replace('"b"', '"c"').replace("--b", "--c")
    outer = (
        "From: MAILER-DAEMON@x\r\nSubject: Returned mail\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        "--b\r\n\r\nThe following addresses had delivery errors\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--b--\r\n"
    )
    assert [each.address for each in read(outer).recipients] == ["a@x.example"]
    named = outer.replace("errors\r\n", "errors\r\nb@x.example\r\n")
    assert [each.address for each in read(named).recipients] == ["b@x.example"]


def test_a_delay_in_plain_words_is_a_delay() -> None:
    raw = plain("<a@x.example>: Connection timed out").replace(
        "Undelivered Mail", "Warning: failed"
    )
    assert read(raw).kind is ReportKind.DELAYED


def test_a_complaint_says_whose_it_is() -> None:
    report = read(
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\n\r\nA complaint.\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        "Feedback-Type: abuse\r\nOriginal-Rcpt-To: <a@x.example>\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{ORIGINAL}\r\n--b--\r\n"
    )
    assert report.kind is ReportKind.FEEDBACK
    assert [each.address for each in report.recipients] == ["a@x.example"]
    assert report.tokens == (TOKEN,)


def test_the_original_is_known_by_what_was_answered_where_it_is_not_quoted() -> None:
    fields = "Final-Recipient: rfc822;a@x.example\r\nAction: failed\r\n"
    assert read(dsn(fields, original="\r\n")).original_message_id == "<answered@fabrikam.com>"
    named = f"X-Original-Message-ID: <said@x>\r\n{fields}"
    assert read(dsn(named, original="\r\n")).original_message_id == "<said@x>"
    report = read(plain("<a@x.example>: no", head="References: <one@x> <two@x>\r\n"))
    assert report.original_message_id == "<two@x>"


INNER = dsn("Action: failed\r\n").replace('"b"', '"c"').replace("--b", "--c")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(ORIGINAL, id="ours"),
        pytest.param("", id="nothing"),
        pytest.param(
            "From: a@x.example\r\nSubject: the fair failed\r\n\r\nNobody came.", id="talk"
        ),
        pytest.param(
            "From: a@x.example\r\n\r\nMy mail could not be delivered, why?", id="question"
        ),
        pytest.param(
            'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nSee this.\r\n'
            f"--b\r\nContent-Type: message/rfc822\r\n\r\n{INNER}\r\n--b--\r\n",
            id="a report that somebody sends on",
        ),
    ],
)
def test_an_ordinary_message_is_no_report(raw: str) -> None:
    assert read_report(raw.encode()) is None


def test_a_hostile_report_is_printable_and_bounded() -> None:
    value = "\x1b[31m" + "x" * 5000
    (recipient,) = read(
        dsn(f"Final-Recipient: rfc822;{value}\r\nAction: failed\r\nDiagnostic-Code: x; {value}\r\n")
    ).recipients
    assert len(recipient.address) == 320
    assert len(recipient.diagnostic) == 500
    assert "\x1b" not in recipient.address + recipient.diagnostic
    many = "".join(f"Final-Recipient: rfc822;a{n}@x.example\r\n\r\n" for n in range(500))
    assert len(read(dsn(many)).recipients) == 50
    folded = "Final-Recipient: rfc822;a@x.example\r\nDiagnostic-Code: x;\r\n" + " y\r\n" * 9000
    assert len(read(dsn(folded)).recipients[0].diagnostic) == 500


PIECES = st.sampled_from(
    [
        *("From: MAILER-DAEMON\r\n", "Subject: failure\r\n", "\r\n", "\n", " ", "--b\r\n", "--b--"),
        *(
            "Content-Type: multipart/report; boundary=b\r\n",
            "> ",
            "550 5.1.1 ",
            "->",
            "<a@b.example>",
        ),
        *(
            "Content-Type: message/delivery-status\r\n",
            "Content-Type: message/rfc822\r\n",
            "...",
            ":",
        ),
        *("Final-Recipient: rfc822;a@b.example\r\n", "Action: ", "Status: 5.0.0\r\n", "failed\r\n"),
        *(
            "Diagnostic-Code: smtp; ",
            "could not be delivered\r\n",
            "X-Failed-Recipients: ",
            "=?utf-8?b?",
        ),
        *(
            "Content-Transfer-Encoding: base64\r\n",
            "Original message follows\r\n",
            "\xff",
            "\x00",
            ";",
        ),
    ]
)


@settings(max_examples=200)
@given(st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=40))
def test_no_message_is_too_odd(pieces: list[str]) -> None:
    raw = "".join(pieces).encode("utf-8", "surrogatepass")
    report = read_report(raw)
    assert report is None or all(each.address.isprintable() for each in report.recipients)
