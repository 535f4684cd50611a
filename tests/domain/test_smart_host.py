"""Names, addresses and ranges lead to the places that Exchange Online would connect to."""

from collections.abc import Mapping
from ipaddress import ip_address

import pytest

from agent.domain.lookup import Answer, Exchange, Reply, Silence, Unanswered, replay
from agent.domain.smart_host import Found, find
from agent.domain.smtp import Reason

Zone = Mapping[tuple[str, str], Reply]
V4, V6 = ip_address("192.0.2.1"), ip_address("2001:db8::1")


def look(host: str, zone: Zone | None = None) -> Found:
    return replay(find(host), zone or {})


def places(found: Found) -> list[tuple[str, str]]:
    return [(place.host, str(place.address)) for place in found.places]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        pytest.param("192.0.2.1", [("192.0.2.1", "192.0.2.1")], id="an address"),
        pytest.param("2001:db8::1", [("2001:db8::1", "2001:db8::1")], id="an IPv6 address"),
        pytest.param("192.0.2.9/32", [("192.0.2.9", "192.0.2.9")], id="a range of one"),
        pytest.param(
            "192.0.2.0/30", [(f"192.0.2.{n}", f"192.0.2.{n}") for n in (1, 2)], id="a range"
        ),
        pytest.param(
            "localhost", [("localhost", "127.0.0.1"), ("localhost", "::1")], id="this machine"
        ),
    ],
)
def test_what_is_no_name_is_not_looked_up(host: str, expected: list[tuple[str, str]]) -> None:
    assert places(look(host)) == expected


def test_a_name_without_mx_leads_to_its_own_addresses() -> None:
    zone: Zone = {("mail.a", "A"): Answer((V4,)), ("mail.a", "AAAA"): Answer((V6,))}
    found = look("mail.a", zone)
    assert places(found) == [("mail.a", "192.0.2.1"), ("mail.a", "2001:db8::1")]
    assert (found.how, found.gap) == ("", "")


def test_the_mx_records_of_a_name_count_more_than_its_address() -> None:
    zone: Zone = {
        ("mail.a", "MX"): Answer((Exchange(20, "two.a"), Exchange(10, "one.a"), Exchange(0, ""))),
        ("mail.a", "A"): Answer((ip_address("192.0.2.99"),)),
        ("one.a", "A"): Answer((V4,)),
        ("two.a", "AAAA"): Answer((V6,)),
    }
    found = look("mail.a", zone)
    assert places(found) == [("one.a", "192.0.2.1"), ("two.a", "2001:db8::1")]
    assert found.how == "its MX records"


def test_an_exchange_that_dns_says_nothing_of_is_a_gap() -> None:
    zone: Zone = {
        ("mail.a", "MX"): Answer((Exchange(10, "one.a"), Exchange(20, "two.a"))),
        ("one.a", "A"): Answer((V4,)),
        ("one.a", "AAAA"): Unanswered(Silence.TIMEOUT),
        ("two.a", "A"): Unanswered(Silence.SERVFAIL),
        ("two.a", "AAAA"): Unanswered(Silence.SERVFAIL),
    }
    found = look("mail.a", zone)
    assert places(found) == [("one.a", "192.0.2.1")]
    assert "one.a" in found.gap
    assert "two.a: servfail" in found.gap


@pytest.mark.parametrize(
    ("zone", "reason"),
    [
        pytest.param({}, Reason.UNRESOLVED, id="no such name"),
        pytest.param(
            {("mail.a", "MX"): Unanswered(Silence.TIMEOUT)},
            Reason.DNS_UNANSWERED,
            id="MX unanswered",
        ),
        pytest.param(
            {("mail.a", "MX"): Answer((Exchange(1, "one.a"), Exchange(2, "two.a")))}
            | {("two.a", kind): Unanswered(Silence.TIMEOUT) for kind in ("A", "AAAA")},
            Reason.DNS_UNANSWERED,
            id="one missing, one unanswered",
        ),
        pytest.param(
            {("mail.a", "MX"): Answer((Exchange(1, "one.a"),))},
            Reason.UNRESOLVED,
            id="an exchange that does not exist",
        ),
    ],
)
def test_nowhere_to_go_has_a_reason(zone: Zone, reason: Reason) -> None:
    found = look("mail.a", zone)
    assert (found.places, found.reason) == ((), reason)
    assert found.detail
