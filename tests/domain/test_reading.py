import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.antispam import Destination
from agent.domain.authentication_results import AuthResult
from agent.domain.estate import Estate
from agent.domain.header_fields import MAX_HEAD, Field
from agent.domain.owners import Owners
from agent.domain.reading import Reading, read_message
from servers.budget import best_cpu
from servers.heads import FILTERED

OWNERS = Owners(us=Estate.read(["*.contoso.com", "192.0.2.0/28"]))


def test_a_message_is_read_as_a_whole() -> None:
    reading = read_message(FILTERED, OWNERS)
    assert reading.message_id == "<20261103101417.4711@fabrikam.com>"
    assert (reading.subject, reading.author) == ("The offer", "Toni <toni@fabrikam.com>")
    assert reading.date == datetime(2026, 11, 3, 10, 14, 17, tzinfo=UTC)
    assert len(reading.trace.hops) == 7
    assert reading.authentication.dmarc is AuthResult.PASS
    assert reading.antispam.destination is Destination.INBOX
    assert reading.stamps.directionality == "Incoming"


def test_a_forgers_opinion_of_himself_is_a_claim() -> None:
    reading = read_message(
        b"Received: from evil.example ([198.51.100.1]) by mx.contoso.com; 3 Nov 2026 12:00 GMT\r\n"
        b"Received: from x by mx.contoso.com; 3 Nov 2026 11:59 GMT\r\n"
        b"Authentication-Results: mx.contoso.com; dmarc=pass header.from=contoso.com\r\n\r\n",
        OWNERS,
    )
    assert reading.authentication.is_claim


@pytest.mark.parametrize(
    "client",
    [
        pytest.param(b"evil.example (evil.example [203.0.113.9])", id="a stranger"),
        pytest.param(b"mx2.contoso.com (unknown [203.0.113.9])", id="says that it is ours"),
    ],
)
def test_directly_below_our_only_hop_a_stranger_speaks(client: bytes) -> None:
    reading = read_message(
        b"Received: from " + client + b" by mx.contoso.com; 3 Nov 2026 12:00 GMT\r\n"
        b"Authentication-Results: evil.example; spf=pass; dkim=pass; dmarc=pass\r\n"
        b"Received: from x by mx2.contoso.com; 3 Nov 2026 11:59 GMT\r\n\r\n",
        OWNERS,
    )
    assert reading.authentication.is_claim
    assert reading.trace.believed == 1


def test_the_body_is_not_looked_at() -> None:
    assert read_message(b"Subject: a\r\n\r\nMessage-ID: <b>\r\n", OWNERS).message_id == ""


@given(st.binary(max_size=300))
def test_no_octets_break_the_reader(raw: bytes) -> None:
    assert isinstance(read_message(raw, OWNERS), Reading)
    read_message(b"Received: " + raw + b"\r\nAuthentication-Results: " + raw, OWNERS)


@given(st.lists(st.tuples(st.integers(0, len(FILTERED)), st.binary(max_size=3)), max_size=8))
def test_no_damage_to_a_real_head_breaks_the_reader(damages: list[tuple[int, bytes]]) -> None:
    raw = bytearray(FILTERED)
    for place, octets in damages:
        raw[place : place + len(octets)] = octets
    read_message(bytes(raw), OWNERS)


def test_an_ordinary_head_is_cheap() -> None:
    assert (
        best_cpu(lambda: read_message(FILTERED, OWNERS), 20) < 0.01
    )  # it takes about a tenth of that


def full(line: bytes) -> bytes:
    return (line * (MAX_HEAD // len(line) + 1))[:MAX_HEAD]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"Received: from x " + b"(" * MAX_HEAD, id="one field of brackets"),
        pytest.param(full(b"Received: from a" + b"(" * 600 + b";" * 30 + b"\r\n"), id="brackets"),
        pytest.param(full(b"Received: a\r\n"), id="short hops"),
        pytest.param(
            full(
                b"Received: from a.b (c.d [1.2.3.4]) by e.f with ESMTPS (using TLSv1.2 with cipher"
                b" A-B-C-D) id 1 for <x@y>; Tue, 3 Nov 2026 10:15:08 +0000\r\n"
            ),
            id="hundreds of hops",
        ),
        pytest.param(full(b"Received: from " + b"[1.2.3.4" * 1000 + b"\r\n"), id="long hops"),
        pytest.param(full(b"Received: from a by b; " + b"1 Jan 20 1:" * 700 + b"\r\n"), id="dates"),
        pytest.param(full(b"Authentication-Results: a; spf=pass (x)\r\n"), id="opinions"),
        pytest.param(full(b"Authentication-Results: a; " + b"dkim=pass " * 800 + b"\r\n"),
                     id="long opinions"),
        pytest.param(
            b"".join(
                b"ARC-Authentication-Results: i=%d; " % number + b"dkim=pass " * 120 + b"\r\n"
                for number in range(1, 51)
            ),
            id="fifty rounds of ARC",
        ),
        pytest.param(full(b"X-Forefront-Antispam-Report: " + b"A:1;" * 2000 + b"\r\n"), id="pairs"),
        pytest.param(b"".join(b"X-MS-%d: 1\r\n" % number for number in range(6000)), id="stamps"),
        pytest.param(bytes(MAX_HEAD), id="nothing but NUL"),
        pytest.param(full(b"Received: " + bytes(8000) + b"\r\n"), id="NUL in fields"),
        pytest.param(b"Received: a" + b"\r\n " * MAX_HEAD, id="folds"),
        pytest.param(random.Random(1).randbytes(MAX_HEAD), id="noise"),
    ],
)  # fmt: skip
def test_a_hostile_head_is_read_in_fifty_milliseconds(raw: bytes) -> None:
    assert best_cpu(lambda: read_message(raw, OWNERS)) < 0.05


def test_what_is_kept_of_a_hostile_head_is_printable() -> None:
    reading = read_message(b"Subject: \x1b[31m\xff<script>\r\nMessage-ID: \x00\r\n", OWNERS)
    assert reading.subject == "\\x1b[31m\\xff<script>"
    assert reading.message_id == "\\x00"
    assert Field("subject", reading.subject).value.isprintable()
