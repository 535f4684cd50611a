"""What is read of a registry's answer, and what is remembered."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.rdap import (
    Registration,
    UnreadableError,
    read_domain,
    read_json,
    read_servers,
)
from agent.domain.registration_book import Book, read_book, write_last, write_state
from servers.rdap_case import D, domain, iana
from servers.standings import NOON

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
KEYS = ("status", "events", "entities", "nameservers", "secureDNS")


def test_all_that_matters_is_read() -> None:
    assert read_domain(domain(), D) == Registration(
        registrar="Example Registrar",
        statuses=("clientTransferProhibited", "clientDeleteProhibited"),
        registered=datetime(1996, 9, 23, 4, tzinfo=UTC),
        changed=datetime(2026, 8, 1, 7, tzinfo=UTC),
        expires=NOON + timedelta(days=300),
        servers=(f"ns1.{D}",),
        signed=False,
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "not about a domain"),
        ({"objectClassName": "entity"}, "not about a domain"),
        (domain(name="other.example"), "about another domain"),
        ({**domain(), "ldhName": None}, "about another domain"),
    ],
)
def test_another_answer_is_none(data: Any, words: str) -> None:
    with pytest.raises(UnreadableError, match=words):
        read_domain(data, D)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 200_000, b"\xff", b"9" * 5000])
def test_garbage_is_no_answer(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_json(body)


@given(st.fixed_dictionaries(dict.fromkeys(KEYS, ANYTHING)))
def test_values_of_any_type_are_left_out(values: dict[str, Any]) -> None:
    found = read_domain({**domain(), **values}, D)
    assert read_book(None, write_last(Book(last=found))).last == found


@pytest.mark.parametrize(
    ("date", "expires"),
    [
        ("2027-01-02", datetime(2027, 1, 2, tzinfo=UTC)),
        ("2027-01-02T03:04:05", datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2027-01-02T03:04:05+02:00", datetime(2027, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("0001-01-01T00:00:00+23:00", None),
        ("soon", None),
        (7, None),
    ],
)
def test_times_are_read_as_registries_write_them(date: Any, expires: datetime | None) -> None:
    events = [
        {"eventAction": "Expiration", "eventDate": date},
        {"eventAction": 1, "eventDate": "2027-01-01"},
    ]
    assert read_domain(domain(events=events), D).expires == expires


def test_of_several_ends_the_first_counts() -> None:
    events = [
        {"eventAction": "expiration", "eventDate": "2028-01-01"},
        {"eventAction": "expiration", "eventDate": "2027-01-01"},
    ]
    assert read_domain(domain(events=events), D).expires == datetime(2027, 1, 1, tzinfo=UTC)


def test_statuses_are_told_by_the_names_of_epp() -> None:
    status = ["Client Hold", "redemption period", "serverHold", "active", "odd \x1b", 7, "active"]
    found = read_domain(domain(status=status), D)
    assert found.statuses == ("clientHold", "redemptionPeriod", "serverHold", "ok", "odd \\x1b")


def test_a_registrar_without_a_card_is_told_by_its_handle() -> None:
    cards: list[dict[str, Any]] = [
        {"roles": ["registrant"], "handle": "somebody"},
        {"roles": ["registrar"], "vcardArray": ["vcard"], "handle": 292},
        {"roles": ["registrar"], "vcardArray": ["vcard", [["fn", {}, "text", ""], ["fn"]]]},
        {"roles": ["registrar"], "handle": "292"},
    ]
    assert read_domain(domain(entities=cards), D).registrar == "292"
    assert read_domain(domain(entities=cards[:1]), D).registrar == ""


def test_a_long_answer_fits_into_what_is_remembered() -> None:
    servers = [{"ldhName": f"{'n' * 60}.{'s' * 60}.{'x' * 60}.{n:02}.example"} for n in range(40)]
    found = read_domain(domain(*(f"{n}" * 80 for n in range(60)), nameservers=servers), D)
    assert len(write_last(Book(last=found))) < 4096


def test_the_longest_match_with_tls_is_responsible() -> None:
    data = {
        "services": [
            *([None], [1, 2], [["uk"], ["http://plain.example/"]], [[7], ["https://x.example"]]),
            [["co.uk", "org.uk"], ["http://a.example/", 7, "https://b.example/"]],
            [["com"], ["https://c.example/"]],
        ]
    }
    assert read_servers(data, "contoso.co.uk") == ("https://b.example/",)
    assert read_servers(data, "contoso.uk") == ()
    assert read_servers(data, "contoso.net") == ()
    assert read_servers(iana("com"), "contoso.com") == ("https://rdap.registry.example/v1/",)
    nothing: tuple[Any, ...] = (None, [], {"services": {}})
    for spoilt in nothing:
        with pytest.raises(UnreadableError, match="no services"):
            read_servers(spoilt, D)


def test_a_book_is_read_as_it_was_written() -> None:
    book = Book().asking(NOON)
    assert read_book(write_state(book), write_last(book)) == book
    told = book.told(NOON, read_domain(domain(), D))
    assert read_book(write_state(told), write_last(told)) == told
    failed = told.failed("a reason")
    assert read_book(write_state(failed), write_last(failed)) == failed
    missing = told.missing(NOON)
    assert read_book(write_state(missing), write_last(missing)) == missing
    assert read_book(None, None) == Book()


@pytest.mark.parametrize("text", ["", "x", "[]", "7", '{"asked": 7}', '{"asked": "x"}'])
def test_a_book_that_is_spoilt_is_empty(text: str) -> None:
    assert read_book(text, None) == Book()
    assert read_book(None, text or "x") == Book()


def test_a_registration_that_is_spoilt_does_not_lose_when_somebody_was_asked() -> None:
    book = Book().asking(NOON)
    assert read_book(write_state(book), json.dumps({"registrar": "x"})) == book


def test_a_domain_is_due_once_a_day() -> None:
    book = Book().asking(NOON)
    assert Book().is_due(NOON)
    assert not book.is_due(NOON)
    assert not book.is_due(NOON + timedelta(hours=23, minutes=59))
    assert book.is_due(NOON + timedelta(days=1))
    assert book.is_due(NOON - timedelta(days=400))  # the clock was put back
