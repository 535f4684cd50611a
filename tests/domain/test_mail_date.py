from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.mail_date import read_date

NOON = datetime(2026, 11, 3, 12, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Tue, 3 Nov 2026 12:00:05 +0000", id="RFC 5322"),
        pytest.param("Tue,  3 Nov 2026 13:00:05 +0100 (CET)", id="zone with a comment"),
        pytest.param("3 Nov 2026 12:00:05 -0000", id="no day of the week"),
        pytest.param("Mon, 03 Nov 2026 06:30:05 -0530", id="wrong day of the week"),
        pytest.param("Tue, 3 Nov 26 12:00:05 GMT", id="two-digit year"),
        pytest.param("Tue, 3 Nov 126 12:00:05 UT", id="three-digit year"),
        pytest.param("Tue, 3 Nov 2026 07:00:05 EST", id="obsolete zone"),
        pytest.param("Tue, 3 Nov 2026 04:00:05 PST", id="another obsolete zone"),
        pytest.param("Tue, 3 Nov 2026 12:00:05 Z", id="military zone"),
        pytest.param("Tue, 3 Nov 2026 12:00:05", id="no zone"),
        pytest.param("Tue, 3(x)Nov (y) 2026 12(z) :  00 :  05 +0000", id="comments everywhere"),
        pytest.param("Tue, 3 November 2026 12:00:05 +0000", id="long month"),
        pytest.param("Tue, 03-Nov-2026 12:00:05 GMT", id="dashes"),
        pytest.param("Tue Nov 3 12:00:05 2026", id="asctime"),
        pytest.param("Tue Nov  3 12:00:05 UTC 2026", id="date"),
        pytest.param("on Tue, 3 Nov 2026 12:00:05 +0000 id 0EFECD", id="text around it"),
    ],
)
def test_a_date_is_read_in_whatever_form_it_comes(text: str) -> None:
    assert read_date(text) == NOON


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("at noon: 12:00:05", id="no day"),
        pytest.param("Tue, 3 Nov 99999 12:00:05 +0000", id="year with five digits"),
        pytest.param("Tue, 31 Feb 2026 12:00:05 +0000", id="no such day"),
        pytest.param("Tue, 3 Xyz 2026 12:00:05 +0000", id="no such month"),
        pytest.param("Tue, 3 Nov 2026 25:00:05 +0000", id="no such hour"),
        pytest.param("Tue, 3 Nov 2026 12:00:05 +9900", id="no such zone"),
        pytest.param("Fri, 31 Dec 9999 23:00:05 -0500", id="after the end of time"),
        pytest.param("Mon, 1 Jan 0001 00:00:05 +0500", id="before its beginning"),
    ],
)
def test_what_cannot_be_is_no_date(text: str) -> None:
    assert read_date(text) is None


def test_seconds_may_be_missing_leap_or_in_parts() -> None:
    assert read_date("3 Nov 2026 12:00 +0000") == NOON.replace(second=0)
    assert read_date("31 Dec 2016 23:59:60 +0000") == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert read_date("3 Nov 2026 12:00:05.1234 (UTC)") == NOON.replace(microsecond=123400)


def test_two_digits_of_a_year_are_of_the_nearer_century() -> None:
    assert read_date("3 Nov 49 12:00:05 GMT") == NOON.replace(year=2049)
    assert read_date("3 Nov 50 12:00:05 GMT") == NOON.replace(year=1950)


@given(st.text(max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    read_date(text)
    read_date(f"3 Nov 2026 {text}")
