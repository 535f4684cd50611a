"""A report of failure is one sentence: who says so, with which code, and what that means."""

import pytest

from agent.domain.dsn import Report, read_report
from agent.domain.report_words import is_loop, sentence


def report(fields: str, *, reporter: str = "Reporting-MTA: dns; mx.fabrikam.com\r\n") -> Report:
    raw = (
        "From: MAILER-DAEMON@mx.fabrikam.com (Mail Delivery System)\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n'
        "\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
        "This is the mail system at host mx.fabrikam.com.\r\n"
        "\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"{reporter}\r\n{fields}\r\n--b--\r\n"
    )
    found = read_report(raw.encode("ascii"))
    assert found is not None
    return found


def of(status: str, diagnostic: str, *, address: str = "kim@fabrikam.com") -> str:
    return (
        f"Final-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {diagnostic}\r\n\r\n"
    )


LOOP = of("5.4.14", "550 5.4.14 Hop count exceeded - possible mail loop ATTR34")
UNKNOWN_USER = of("5.1.1", "550 5.1.1 <kim@fabrikam.com>: Recipient address rejected")
ODD = of("5.9.9", "the moon is full")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(LOOP, True, id="5.4.14"),
        pytest.param(of("5.4.6", "554 5.4.6 Routing loop detected"), True, id="5.4.6"),
        pytest.param(of("4.4.6", "too many hops"), True, id="4.4.6"),
        pytest.param(
            of("5.0.0", "554 5.4.0 Error: too many hops"), False, id="words that are not known"
        ),
        pytest.param(of("5.4.4", "550 5.4.4 Unable to route: no mail hosts"), False, id="no way"),
        pytest.param(UNKNOWN_USER, False, id="no such user"),
        pytest.param(UNKNOWN_USER + LOOP, True, id="one of two recipients"),
        pytest.param("", False, id="nobody is named"),
    ],
)
def test_a_report_of_a_loop_is_known_by_its_code(fields: str, *, expected: bool) -> None:
    assert is_loop(report(fields)) is expected


def test_a_known_failure_is_told_with_its_meaning() -> None:
    assert sentence(report(LOOP)).startswith(
        "report of mx.fabrikam.com: 550 5.4.14 Hop count exceeded - possible mail loop ATTR34"
        " (Meaning: The message went round in a circle. "
    )


def test_an_unknown_failure_is_told_in_the_words_of_the_server() -> None:
    assert sentence(report(ODD)) == "report of mx.fabrikam.com: the moon is full"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param(of("5.3.0", "disk on fire"), "5.3.0 disk on fire", id="the status"),
        pytest.param(of("5.2.0", "550 odd"), "5.2.0 550 odd", id="not the reply again"),
        pytest.param(of("5.2.0", "550 5.2.0 odd"), "550 5.2.0 odd", id="neither"),
    ],
)
def test_a_code_that_the_words_lack_stands_before_them(fields: str, said: str) -> None:
    assert sentence(report(fields)) == f"report of mx.fabrikam.com: {said}"


def test_the_first_recipient_stands_for_all() -> None:
    assert sentence(report(ODD + LOOP)).endswith("the moon is full")


def test_what_a_report_leaves_out_is_left_out() -> None:
    said = sentence(report("Final-Recipient: rfc822; kim@fabrikam.com\r\nAction: failed\r\n\r\n",
                           reporter="X-Nothing: 1\r\n"))  # fmt: skip
    assert said.startswith("report of mx.fabrikam.com: ")  # as its text has it
    nobody = report("", reporter="")
    assert sentence(nobody) == f"a report says {nobody.kind}"


def test_a_report_of_nobody_with_no_words_names_its_kind() -> None:
    raw = (
        b"From: <>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n"
        b"\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        b"X-Nothing: 1\r\n\r\nFinal-Recipient: rfc822; kim@fabrikam.com\r\nAction: failed\r\n"
        b"\r\n--b--\r\n"
    )
    found = read_report(raw)
    assert found is not None
    assert sentence(found) == "report: failed"


def test_what_a_peer_writes_is_printable_and_bounded() -> None:
    hostile = of("5.9.9", "\x1b[31m" + "x" * 5000)
    said = sentence(report(hostile))
    assert said.isprintable()
    assert len(said) < 700
