"""The exchanges of a domain are tried in their order, as long as nobody took the message."""

from datetime import timedelta
from ipaddress import ip_address

import pytest

from agent.domain.lookup import Answer, Exchange, Reply, Silence, Unanswered, replay
from agent.domain.mx import Survey, survey
from agent.domain.mx_order import (
    Family,
    fell_back,
    gap_in,
    in_order,
    is_decided,
    is_deferral,
    nowhere,
    share,
    verdict,
)
from agent.domain.peer_text import PeerText
from agent.domain.smtp import Accepted, Dialogue, Phase, Reason, Refused, Unreached
from agent.domain.smtp_reply import Reply as SmtpReply

V4, V6 = Answer((ip_address("192.31.196.1"),)), Answer((ip_address("2001:4860::1"),))
NONE = Answer()
SERVFAIL = Unanswered(Silence.SERVFAIL)


def mx(*records: tuple[int, str]) -> Answer:
    return Answer(tuple(Exchange(*record) for record in records))


def seen(zone: dict[tuple[str, str], Reply]) -> Survey:
    """Survey contoso.com, which exists."""
    return replay(survey("contoso.com"), {("contoso.com", "TXT"): NONE, **zone})


TWO = seen(
    {
        ("contoso.com", "MX"): mx((20, "b.example"), (10, "a.example"), (20, "c.example")),
        ("a.example", "A"): V4,
        ("a.example", "AAAA"): V6,
        ("b.example", "A"): V4,
        ("c.example", "AAAA"): V6,
    }
)


def names(found: Survey, *, seed: int = 1, family: Family = "any") -> list[str]:
    return [each.exchange for each in in_order(found, seed=seed, family=family)]


def test_the_lowest_preference_comes_first_and_equal_ones_as_it_happens() -> None:
    orders = {tuple(names(TWO, seed=seed)) for seed in range(20)}
    assert orders == {
        ("a.example", "b.example", "c.example"),
        ("a.example", "c.example", "b.example"),
    }
    assert names(TWO, seed=3) == names(TWO, seed=3)


def test_only_addresses_of_the_family_count() -> None:
    assert names(TWO, family="ipv4") == ["a.example", "b.example"]
    assert names(TWO, family="ipv6")[0] == "a.example"
    (address,) = in_order(TWO, seed=1, family="ipv6")[0].addresses
    assert address.version == 6
    assert [each.version for each in in_order(TWO, seed=1)[0].addresses] == [4, 6]


def test_a_domain_without_mx_is_its_own_exchange() -> None:
    found = seen({("contoso.com", "A"): V4})
    assert names(found) == ["contoso.com"]


@pytest.mark.parametrize(
    ("zone", "family", "reason", "words"),
    [
        pytest.param(
            {("contoso.com", "MX"): SERVFAIL}, "any", Reason.DNS_UNANSWERED, "servfail", id="MX"
        ),
        pytest.param(
            {("contoso.com", "MX"): mx((10, "a.example")), ("a.example", "A"): SERVFAIL},
            "any",
            Reason.DNS_UNANSWERED,
            "a.example: servfail",
            id="addresses",
        ),
        pytest.param(
            {("contoso.com", "MX"): mx((0, ""))}, "any", Reason.UNRESOLVED, "null MX", id="null MX"
        ),
        pytest.param(
            {("contoso.com", "MX"): Answer(name_exists=False)},
            "any",
            Reason.UNRESOLVED,
            "does not exist",
            id="no such domain",
        ),
        pytest.param({}, "any", Reason.UNRESOLVED, "neither", id="nothing at all"),
        pytest.param(
            {("contoso.com", "MX"): mx((10, "a.example"))},
            "any",
            Reason.UNRESOLVED,
            "has an address",
            id="no addresses",
        ),
        pytest.param(
            {("contoso.com", "MX"): mx((10, "a.example")), ("a.example", "A"): V4},
            "ipv6",
            Reason.UNRESOLVED,
            "an IPv6 address",
            id="not of the family",
        ),
    ],
)
def test_a_domain_with_nobody_to_try_says_why(
    zone: dict[tuple[str, str], Reply], family: Family, reason: Reason, words: str
) -> None:
    found = seen(zone)
    assert in_order(found, seed=1, family=family) == ()
    unreached = nowhere(found, family)
    assert unreached == Unreached(Phase.RESOLVE, reason)
    assert words in unreached.detail.lower() or words in unreached.detail


def test_an_exchange_of_which_dns_told_no_address_is_a_gap() -> None:
    zone: dict[tuple[str, str], Reply] = {
        ("contoso.com", "MX"): mx((10, "a.example"), (20, "b.example")),
        ("a.example", "A"): V4,
        ("a.example", "AAAA"): SERVFAIL,
    }
    assert gap_in(seen(zone)) is None
    gap = gap_in(seen({**zone, ("b.example", "A"): SERVFAIL}))
    assert gap == Unreached(Phase.RESOLVE, Reason.DNS_UNANSWERED)


@pytest.mark.parametrize(
    ("left", "candidates", "turn"),
    [(60, 2, 30), (60, 10, 10), (8, 2, 8), (60, 1, 60)],
)
def test_every_exchange_has_a_fair_share_of_the_time(left: int, candidates: int, turn: int) -> None:
    assert share(timedelta(seconds=left), candidates) == timedelta(seconds=turn)


def no(phase: Phase, code: int) -> Refused:
    return Refused(phase, SmtpReply(code, "", (PeerText("no"),)))


YES = Accepted(SmtpReply(250, "", (PeerText("ok"),)))
GREYLISTED = no(Phase.RCPT, 450)
TURNED_AWAY = no(Phase.GREETING, 554)
SILENT = Unreached(Phase.CONNECT, Reason.TIMEOUT)
NO_IPV6 = Unreached(Phase.CONNECT, Reason.NO_ROUTE)
LOST = Unreached(Phase.FINAL, Reason.CONNECTION_LOST)
GAP = Unreached(Phase.RESOLVE, Reason.DNS_UNANSWERED)


@pytest.mark.parametrize(
    ("dialogue", "decided"),
    [
        pytest.param(YES, True, id="taken"),
        pytest.param(SILENT, False, id="no connection"),
        pytest.param(Unreached(Phase.DATA, Reason.CONNECTION_LOST), False, id="lost before"),
        pytest.param(LOST, True, id="the final reply is lost"),
        pytest.param(no(Phase.GREETING, 421), False, id="deferred at the door"),
        pytest.param(TURNED_AWAY, False, id="refused at the door"),
        pytest.param(no(Phase.EHLO, 550), False, id="refused at EHLO"),
        pytest.param(no(Phase.STARTTLS, 454), False, id="no TLS at present"),
        pytest.param(no(Phase.MAIL, 451), False, id="deferred at MAIL"),
        pytest.param(no(Phase.MAIL, 550), True, id="refused at MAIL"),
        pytest.param(GREYLISTED, False, id="greylisted"),
        pytest.param(no(Phase.RCPT, 550), True, id="refused at RCPT"),
        pytest.param(no(Phase.DATA, 451), False, id="deferred at DATA"),
        pytest.param(no(Phase.FINAL, 451), True, id="deferred at last"),
        pytest.param(no(Phase.FINAL, 554), True, id="refused at last"),
    ],
)
def test_the_next_exchange_is_tried_while_nobody_can_have_the_message(
    dialogue: Dialogue, *, decided: bool
) -> None:
    assert is_decided(dialogue) is decided


@pytest.mark.parametrize(
    ("dialogues", "gap", "place"),
    [
        pytest.param((), None, None, id="nobody"),
        pytest.param((SILENT, YES), None, 1, id="the second takes it"),
        pytest.param((GREYLISTED, LOST), GAP, 1, id="uncertain"),
        pytest.param((SILENT, GREYLISTED, TURNED_AWAY), None, 1, id="deferred"),
        pytest.param((GREYLISTED, no(Phase.RCPT, 451)), GAP, 0, id="deferred twice"),
        pytest.param((SILENT, TURNED_AWAY), None, 1, id="turned away"),
        pytest.param((NO_IPV6, SILENT), None, 1, id="unreached"),
        pytest.param((NO_IPV6,), None, 0, id="ours"),
        pytest.param((SILENT, TURNED_AWAY), GAP, None, id="DNS did not tell about another"),
    ],
)
def test_of_many_sessions_the_one_decides_that_tells_most(
    dialogues: tuple[Dialogue, ...], gap: Unreached | None, place: int | None
) -> None:
    assert verdict(dialogues, gap) == place


def test_a_deferral_is_a_no_for_the_time_being() -> None:
    assert is_deferral(GREYLISTED)
    assert not is_deferral(TURNED_AWAY)
    assert not is_deferral(SILENT)


@pytest.mark.parametrize(
    ("dialogue", "alone"),
    [
        pytest.param(no(Phase.STARTTLS, 454), True, id="STARTTLS refused"),
        pytest.param(Unreached(Phase.CERTIFICATE, Reason.TLS_HANDSHAKE), True, id="handshake"),
        pytest.param(Unreached(Phase.CERTIFICATE, Reason.CONNECTION_LOST), True, id="hung up"),
        pytest.param(Unreached(Phase.CERTIFICATE, Reason.TIMEOUT), False, id="silence"),
        pytest.param(Unreached(Phase.STARTTLS, Reason.TLS_INJECTION), False, id="an attack"),
        pytest.param(GREYLISTED, False, id="something else"),
    ],
)
def test_only_where_tls_alone_failed_it_goes_without(dialogue: Dialogue, *, alone: bool) -> None:
    assert fell_back(dialogue) is alone
