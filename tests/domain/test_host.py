"""Addresses of mail hosts."""

from ipaddress import ip_address

import pytest

from agent.domain.host import locate
from agent.domain.lookup import Answer, Reply, Silence, Unanswered, replay
from agent.domain.smtp import Reason

FOUR = ip_address("192.0.2.1")
SIX = ip_address("2001:db8::1")
HOST = "mx.example.com"


def test_both_address_families_are_found_once() -> None:
    located = replay(
        locate(HOST), {(HOST, "A"): Answer((FOUR, FOUR)), (HOST, "AAAA"): Answer((SIX,))}
    )
    assert located.addresses == (FOUR, SIX)
    assert (located.reason, located.gap) == (None, "")


def test_an_address_is_itself() -> None:
    assert replay(locate("192.0.2.1"), {}).addresses == (FOUR,)


def test_localhost_is_no_question_for_dns() -> None:
    assert all(address.is_loopback for address in replay(locate("localhost"), {}).addresses)


@pytest.mark.parametrize(
    ("zone", "reason"),
    [
        pytest.param({}, Reason.UNRESOLVED, id="no such name"),
        pytest.param({(HOST, "TXT"): Answer()}, Reason.UNRESOLVED, id="no address"),
        pytest.param(
            {(HOST, "A"): Unanswered(Silence.TIMEOUT)}, Reason.DNS_UNANSWERED, id="silence"
        ),
    ],
)
def test_no_address_and_no_answer_are_told_apart(
    zone: dict[tuple[str, str], Reply], reason: Reason
) -> None:
    assert replay(locate(HOST), zone).reason is reason


def test_a_family_without_answer_is_a_gap() -> None:
    zone: dict[tuple[str, str], Reply] = {
        (HOST, "A"): Answer((FOUR,)),
        (HOST, "AAAA"): Unanswered(Silence.SERVFAIL),
    }
    located = replay(locate(HOST), zone)
    assert located.addresses == (FOUR,)
    assert "servfail" in located.gap
