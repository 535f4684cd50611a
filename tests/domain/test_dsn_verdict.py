"""Which codes count and whether an address is at fault follows from who said what, and when."""

import pytest

from agent.domain.dsn_verdict import judge


@pytest.mark.parametrize(
    ("field", "diagnostic", "said", "status", "reply"),
    [
        ("5.0.0", "smtp; 550 5.1.1 gone", "", "5.1.1", 550),
        ("5.1.1", "smtp; 550 5.7.1 blacklisted", "", "5.7.1", 550),
        ("4.4.7", "smtp; 450 4.7.1 refused", "", "4.7.1", 450),
        ("5.0.0", "smtp; 550 5.0.0 unknown", "550 5.1.1 by us", "5.0.0", 550),
        ("4.0.0", "smtp; 554 blocked", "", "4.0.0", 0),
        ("5.0.0 (failure)", "smtp; 550-'5.7.1 <x@y>... denied'", "", "5.7.1", 550),
        ("5.3.0", "smtp; 552 5.2.2 ok 550 5.1.1 no", "", "5.2.2", 552),
        ("4.0.0", "", "host x said: 421 4.7.0 later", "4.7.0", 421),
        ("", "", "mail to x (#5.1.1)", "5.1.1", 0),
        ("", "", "from 5.1.1.2, version 4.94.2, 5.1.1@x.example", "", 0),
        ("x", "smtp; 250 5.1.1 no", "", "", 250),
        ("", "", "", "", 0),
    ],
)
def test_the_code_of_the_server_that_refused_counts(
    field: str, diagnostic: str, said: str, status: str, reply: int
) -> None:
    codes = judge(said, field, diagnostic).codes
    assert (codes.status, codes.reply) == (status, reply)


@pytest.mark.parametrize(
    "said",
    [
        "550 5.1.1 <a@x.example>... User unknown",
        "450 4.1.1 User unknown in virtual alias table",
        "550 5.1.0 Address rejected.",
        "550 5.4.1 Recipient address rejected: Access denied. [x.outlook.com]",
        "after RCPT TO:<a@x.example>: 550 User unknown",
        "550 5.2.1 User unknown (in reply to RCPT TO command)",
        "Host unknown",
        "554 5.5.0 the domain is not reachable, try again",
        "556 5.1.10 null MX",
        "User a@x.example not listed in Domino Directory",
        "551 5.1.6 not our customer",
    ],
)
def test_an_address_that_does_not_exist_is_hard(said: str) -> None:
    assert judge(said).is_hard


@pytest.mark.parametrize(
    "said",
    [
        "550 5.1.1 mailbox is full",
        "550 5.7.1 policy",
        "550 5.1.1 sender rejected",
        "550 User unknown (in reply to end of DATA command)",
        "550 User unknown",
        "450 User unknown (in reply to RCPT TO command)",
        "Host not found, try again",
        "450 4.1.2 Host unknown",
        "552 5.2.2 gone",
        "554 5.4.14 Hop count exceeded",
        "refused to talk to me: 421 no",
        "after MAIL FROM:<a@x.example>: 550 no",
    ],
)
def test_all_else_is_soft(said: str) -> None:
    assert not judge(said).is_hard


def test_a_program_behind_a_mailbox_says_nothing_of_the_address() -> None:
    assert not judge("", "5.1.1", "x-unix; cannot open: no such user").is_hard
    assert judge("", "5.1.1", "smtp; 550 5.1.1 no such user").is_hard


def test_the_words_that_decided_are_kept() -> None:
    assert judge("one\ntwo 550 5.1.1 gone\nthree").words == "two 550 5.1.1 gone\nthree"
    assert judge("no code at all").words == "no code at all"
