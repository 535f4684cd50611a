"""An address, its name, and the way back."""

from ipaddress import ip_address

import pytest

from agent.domain.lookup import Answer, Reply, Silence, Unanswered, replay
from agent.domain.reverse import Reversal, reverse

FOUR, SIX = ip_address("192.31.196.1"), ip_address("2001:db8::1")
SILENT = Unanswered(Silence.TIMEOUT)


def names(*all_: str) -> Answer:
    return Answer(tuple(all_))


@pytest.mark.parametrize(
    ("told", "reversal"),
    [
        pytest.param({}, Reversal.MISSING, id="no PTR"),
        pytest.param({"PTR": SILENT}, Reversal.UNANSWERED, id="silent PTR"),
        pytest.param(
            {"PTR": names("mx.example"), "mx.example": Answer((FOUR,))},
            Reversal.CONFIRMED,
            id="there and back",
        ),
        pytest.param(
            {"PTR": names("mx.example"), "mx.example": Answer((ip_address("192.31.196.2"),))},
            Reversal.UNCONFIRMED,
            id="elsewhere",
        ),
        pytest.param(
            {"PTR": names("a.example", "mx.example"), "mx.example": Answer((FOUR,))},
            Reversal.CONFIRMED,
            id="one of two",
        ),
        pytest.param(
            {"PTR": names("a.example", "b.example"), "b.example": SILENT},
            Reversal.UNANSWERED,
            id="one of two cannot be asked",
        ),
    ],
)
def test_what_an_address_leads_back_to(told: dict[str, Reply], reversal: Reversal) -> None:
    zone = {(FOUR.reverse_pointer, "PTR"): told["PTR"]} if "PTR" in told else {}
    zone |= {(name, "A"): reply for name, reply in told.items() if name != "PTR"}
    found = replay(reverse(FOUR), zone)
    assert found.reversal is reversal
    if reversal is Reversal.CONFIRMED:
        assert found.names[0] == "mx.example"


def test_an_ipv6_address_is_sought_among_ipv6_addresses() -> None:
    zone = {
        (SIX.reverse_pointer, "PTR"): names("mx.example"),
        ("mx.example", "AAAA"): Answer((SIX,)),
    }
    assert replay(reverse(SIX), zone).reversal is Reversal.CONFIRMED


def test_each_name_is_told_apart() -> None:
    zone: dict[tuple[str, str], Reply] = {
        (FOUR.reverse_pointer, "PTR"): names("a.example", "b.example", "c.example"),
        ("b.example", "A"): Answer((FOUR,), aliases=("d.example",)),
        ("c.example", "A"): SILENT,
    }
    found = replay(reverse(FOUR), zone)
    assert found.names == ("b.example", "a.example", "c.example")
    assert (found.confirmed, found.aliases) == (("b.example",), ("b.example",))
    assert (found.strays, found.silence) == (("a.example",), Silence.TIMEOUT)
