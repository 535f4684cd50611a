"""The way of a message is drawn hop by hop, to where it ended or to who had it last."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent.domain import ledger
from agent.domain.entry import Entry, Place, Witness
from agent.domain.fact import Stop
from agent.domain.ledger import BLIND
from agent.domain.owners import Owner, Owners
from agent.domain.reading import Reading
from agent.domain.route_path import AGENT, Leaving, draw, times_by_owner, visible_after
from servers.heads import FILTERED
from servers.route_heads import (
    ACCEPTED,
    EXCHANGE,
    OWNERS,
    PLANNED,
    POSTFIX,
    SECOND,
    SENDING,
    SENT,
    arrive,
    changed,
    read,
    without,
)

NOW = SENT + 600 * SECOND
LOST = PLANNED.lost_after
GREYLISTED = ledger.deferred(SENDING, SENT + SECOND, 60 * SECOND, "451 4.7.1 greylisted")
UNCERTAIN = ledger.uncertain(SENDING, SENT + SECOND, "at final: connection-lost")


LEAVING = Leaving("relay.contoso.com", "probe.contoso.com")


def stops(entry: Entry, reading: Reading | None = None, **more: Any) -> tuple[Stop, ...]:
    return draw(entry, reading, **{"leaving": LEAVING, "owners": OWNERS, **more}).stops


def test_a_message_that_arrived_is_shown_from_end_to_end() -> None:
    assert stops(arrive(10), read(POSTFIX)) == (
        Stop(AGENT, "us", note="sent 12:00:00Z"),
        Stop("relay.contoso.com", "us", None, "TLS 1.3"),
        Stop("mx.fabrikam.com", "us", 6.0, "TLS 1.3"),
        Stop("store.fabrikam.com", "us", 1.0, "inside"),
        Stop(
            "imap kim",
            "us",
            2.0,
            "seen by the agent",
            "good",
            "delivered after 10.0 s, in inbox",
        ),
    )


def test_the_owner_of_each_host_on_the_way_is_shown() -> None:
    found = stops(arrive(10), read(EXCHANGE))
    assert [stop.owner for stop in found] == ["us", "us", *["microsoft"] * 4, "us"]
    found = stops(arrive(10), read(FILTERED, Owners()), leaving=Leaving("a filter"))
    assert [stop.owner for stop in found[1:-1]] == [
        "unknown",
        *["filter"] * 2,
        *["microsoft"] * 4,
    ]


@pytest.mark.parametrize(
    ("old", "new", "note", "mood"),
    [
        pytest.param(b"with ESMTPSA", b"with ESMTPA", "", "plain", id="as it is"),
        pytest.param(
            b"12:00:07 +0000", b"11:59:50 +0000", "clocks disagree", "plain", id="17 s behind"
        ),
        pytest.param(
            b"23 Nov 2026 12:00:07", b"23 Nov 2029 12:00:07", "its clock is wrong", "warning",
            id="three years ahead",
        ),
    ],
)  # fmt: skip
def test_a_clock_that_cannot_be_is_told(old: bytes, new: bytes, note: str, mood: str) -> None:
    stop = stops(arrive(10), read(changed(POSTFIX, old, new)))[2]
    assert (stop.host, stop.note, stop.mood) == ("mx.fabrikam.com", note, mood)


def test_a_hop_without_encryption_is_bad_and_a_claim_is_called_one() -> None:
    strange = b"Received: from a.example ([198.51.100.1]) by b.example with SMTP; \r\nDate:"
    first = stops(arrive(10), read(changed(POSTFIX, b"Date:", strange)))[1]
    assert first == Stop("b.example", "unknown", None, "not encrypted", "bad", "as somebody claims")
    skewed = strange.replace(b"; ", b"; 1 Jan 2001 00:00 GMT")
    first = stops(arrive(10), read(changed(POSTFIX, b"Date:", skewed)))[1]
    assert first.note == "its clock is wrong, as somebody claims"


def test_who_brought_a_message_that_went_another_way_is_drawn() -> None:
    found = stops(arrive(10), read(POSTFIX), leaving=Leaving("filter.example", "probe.contoso.com"))
    assert found[1] == Stop("filter.example", note="took it, as far as the agent saw")
    note = "brought it to relay.contoso.com, though it was given to filter.example"
    assert found[2] == Stop("agent.contoso.com", "us", None, "unknown", "warning", note)
    assert found[3].host == "relay.contoso.com"


@pytest.mark.parametrize(
    "leaving",
    [
        pytest.param(Leaving("other.example", "agent.contoso.com"), id="the agent itself"),
        pytest.param(Leaving("192.0.2.25"), id="an address"),
        pytest.param(Leaving("an MX of fabrikam.com"), id="not known yet"),
        pytest.param(Leaving("RELAY.contoso.com (192.0.2.1)"), id="who took it"),
    ],
)
def test_nobody_is_a_stranger_without_a_proof(leaving: Leaving) -> None:
    assert len(stops(arrive(10), read(POSTFIX), leaving=leaving)) == 5


def test_who_had_a_late_message_longest_is_marked() -> None:
    found = stops(arrive(61), read(POSTFIX))
    assert [stop.mood for stop in found] == ["plain", "warning", "plain", "plain", "warning"]
    assert found[1].note == "had it for 6 s"


def test_what_is_wrong_with_a_message_that_arrived_is_said_where_it_ended() -> None:
    end = stops(arrive(10), read(POSTFIX), wrong="it did not pass filter.example")[-1]
    assert end.mood == "bad"
    assert end.note == "delivered after 10.0 s, in inbox, but it did not pass filter.example"


def test_the_agents_own_server_is_drawn_once() -> None:
    found = stops(replace(arrive(10), witness=Witness.SINK, home="sink"), read(POSTFIX))
    assert [stop.host for stop in found[1:]] == ["relay.contoso.com", "mx.fabrikam.com", "sink"]
    assert found[-1].link == "inside"


def test_a_host_that_does_not_say_its_name_has_none() -> None:
    nameless = b"Received: from a.example ([198.51.100.1]) with SMTP\r\nDate:"
    first = stops(arrive(10), read(changed(POSTFIX, b"Date:", nameless)))[1]
    assert first.host == "a host without a name"


def test_encryption_of_an_unknown_version_is_encryption() -> None:
    assert stops(arrive(10), read(EXCHANGE))[1].link == "TLS"


def test_a_message_without_a_path_is_shown_by_its_first_server() -> None:
    arrived = arrive(10)
    for reading in (None, read(without(POSTFIX, b"Received"))):
        found = stops(arrived, reading)
        assert found[1] == Stop("relay.contoso.com", "us", 1.0, note="took it")
        assert (found[2].host, found[2].seconds) == ("imap kim", None)
        assert len(found) == 3


@pytest.mark.parametrize(
    ("server", "owner"),
    [
        pytest.param("Relay.contoso.com", "us", id="ours"),
        pytest.param("mx0a-001.pphosted.com (192.0.2.1)", "filter", id="a filter, with more words"),
        pytest.param("contoso-com.mail.protection.outlook.com", "microsoft", id="Microsoft's"),
        pytest.param("mx.example", "", id="a stranger's"),
        pytest.param("Microsoft Graph", "", id="no host"),
    ],
)
def test_the_first_server_is_whose_it_is_known_to_be(server: str, owner: str) -> None:
    (_, stop, _) = stops(ACCEPTED, leaving=Leaving(server))
    assert (stop.host, stop.owner) == (server, owner)


def test_the_server_that_took_it_counts_where_there_was_a_choice() -> None:
    taken = ledger.accepted(SENDING, SENT + SECOND, "250 ok", "mx2.fabrikam.com")
    assert [stop.host for stop in stops(taken)] == [AGENT, "mx2.fabrikam.com", "imap kim"]


HELD = "took it at 12:00:01Z, and is the last who is known to have it"
QUEUED = f"{HELD}: 250 2.0.0 Ok: queued as 4dFz1N6Zk2z9sXY"


@pytest.mark.parametrize(
    ("entry", "mood", "note"),
    [
        pytest.param(PLANNED, "plain", "is being talked to", id="planned"),
        pytest.param(SENDING, "plain", "is being talked to", id="sending"),
        pytest.param(ACCEPTED, "plain", QUEUED, id="taken"),
        pytest.param(replace(ACCEPTED, detail=""), "plain", HELD, id="taken without a word"),
        pytest.param(
            replace(ACCEPTED, answered_at=None, detail=""),
            "plain",
            HELD.replace("01Z", "00Z"),
            id="taken, and it is not known when",
        ),
        pytest.param(ledger.judged(ACCEPTED, NOW, LOST), "warning", QUEUED, id="lost"),
        pytest.param(
            ledger.judged(ACCEPTED, NOW, LOST + BLIND, SECOND), "unknown", QUEUED, id="unseen"
        ),
        pytest.param(GREYLISTED, "warning", "put it off: 451 4.7.1 greylisted", id="put off"),
        pytest.param(
            ledger.judged(GREYLISTED, SENT + LOST, LOST),
            "bad",
            "did not take it: 451 4.7.1 greylisted",
            id="put off for too long",
        ),
        pytest.param(
            ledger.rejected(SENDING, SENT, "refused", "550 5.1.1 no"),
            "bad",
            "did not take it: 550 5.1.1 no",
            id="refused",
        ),
        pytest.param(
            ledger.withdrawn(SENDING, SENT, "not-sent", "at resolve: dns-unanswered"),
            "unknown",
            "was not given it: at resolve: dns-unanswered",
            id="not sent for a reason of ours",
        ),
        pytest.param(
            UNCERTAIN,
            "unknown",
            "nobody knows whether it took it: at final: connection-lost",
            id="perhaps taken",
        ),
        pytest.param(
            ledger.uncertain(ledger.sending(GREYLISTED, SENT), SENT, "cut"),
            "unknown",
            "nobody knows whether it took it: cut",
            id="put off, then perhaps taken",
        ),
        pytest.param(ledger.bounced(ACCEPTED, SENT, "550"), "plain", "took it", id="bounced"),
    ],
)
def test_the_first_server_says_how_it_stands(entry: Entry, mood: str, note: str) -> None:
    stop = stops(entry)[1]
    assert (stop.host, stop.mood, stop.note) == ("relay.contoso.com", mood, note)


def test_the_time_to_the_reply_is_shown_where_it_is_known_and_never_negative() -> None:
    assert stops(ACCEPTED)[1].seconds == 1.0
    assert stops(SENDING)[1].seconds is None
    assert stops(replace(ACCEPTED, sent_at=None))[1].seconds is None
    assert stops(replace(ACCEPTED, answered_at=SENT - SECOND))[1].seconds == 0.0


@pytest.mark.parametrize(
    ("entry", "host", "mood", "note"),
    [
        pytest.param(arrive(10), "imap kim", "good", "delivered after 10.0 s, in inbox", id="well"),
        pytest.param(
            replace(arrive(10), detail=""), "imap kim", "good", "delivered after 10.0 s", id="mute"
        ),
        pytest.param(arrive(61), "imap kim", "warning", "late after 61.0 s, in inbox", id="late"),
        pytest.param(
            arrive(10, place=Place.JUNK, folder="junk"),
            "imap kim",
            "warning",
            "junked after 10.0 s, in junk",
            id="junk",
        ),
        pytest.param(
            arrive(10, place=Place.ORIGIN),
            "imap probe",
            "bad",
            "looped after 10.0 s, in inbox",
            id="back at its origin",
        ),
        pytest.param(
            arrive(10, place=Place.ELSEWHERE),
            "another place",
            "bad",
            "misrouted after 10.0 s, in inbox",
            id="elsewhere",
        ),
        pytest.param(
            ledger.bounced(ACCEPTED, SENT, "report: 5.1.1"),
            "(bounced)",
            "bad",
            "report: 5.1.1",
            id="bounced",
        ),
        pytest.param(
            ledger.bounced(ACCEPTED, SENT, "5.4.14", is_loop=True),
            "(looped)",
            "bad",
            "5.4.14",
            id="reported as a loop",
        ),
        pytest.param(
            ledger.quarantined(ACCEPTED, SENT, "trace"), "(quarantined)", "bad", "trace", id="held"
        ),
        pytest.param(
            ledger.hinted(ledger.judged(ACCEPTED, SENT, LOST), "delayed"),
            "imap kim",
            "bad",
            "it never came here; delayed",
            id="lost",
        ),
        pytest.param(ACCEPTED, "imap kim", "plain", "it is not here yet", id="under way"),
        pytest.param(
            replace(ACCEPTED, home=""), "sink", "plain", "it is not here yet", id="to the sink"
        ),
    ],
)
def test_the_end_is_where_it_arrived_or_should_have(
    entry: Entry, host: str, mood: str, note: str
) -> None:
    last = stops(entry)[-1]
    assert (last.host, last.mood, last.note) == (host, mood, note)


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(GREYLISTED, id="put off"),
        pytest.param(ledger.rejected(SENDING, SENT, "refused"), id="refused"),
        pytest.param(ledger.judged(UNCERTAIN, SENT, LOST), id="uncertain for ever"),
    ],
)
def test_what_nobody_carries_on_ends_at_the_first_server(entry: Entry) -> None:
    assert [stop.host for stop in stops(entry)] == [AGENT, "relay.contoso.com"]


def test_the_time_with_each_owner_is_added_up() -> None:
    assert times_by_owner(read(FILTERED, Owners())) == {
        Owner.UNKNOWN: 2.0,
        Owner.FILTER: 47.0,
        Owner.MICROSOFT: 4.0,
    }
    assert times_by_owner(read(EXCHANGE)) == {Owner.US: 6.0, Owner.MICROSOFT: 2.0}
    assert times_by_owner(read(without(POSTFIX, b"Received"))) == {}


def test_a_hop_whose_clock_is_wrong_holds_nothing() -> None:
    skewed = changed(POSTFIX, b"23 Nov 2026 12:00:07", b"23 Nov 2029 12:00:07")
    assert times_by_owner(read(skewed)) == {Owner.US: 7.0}
    timeless = changed(POSTFIX, b"; Mon, 23 Nov 2026 12:00:07 +0000 (UTC)", b"")
    assert times_by_owner(read(timeless)) == {Owner.US: 7.0}


@pytest.mark.parametrize(
    "new",
    [
        pytest.param(b"via Frontend Transport", id="no time"),
        pytest.param(b"via Frontend Transport; Fri, 23 Nov 2029 12:00:07 +0000", id="no such time"),
    ],
)
def test_what_a_hop_without_a_time_held_is_charged_to_the_one_before(new: bytes) -> None:
    edge = b"via Frontend Transport; Mon, 23 Nov 2026 12:00:07 +0000"
    head = changed(EXCHANGE, edge, new)
    assert times_by_owner(read(head)) == {Owner.US: 7.0, Owner.MICROSOFT: 1.0}


@pytest.mark.parametrize(
    ("head", "seconds"),
    [
        pytest.param(POSTFIX, 2.0, id="from the last hop"),
        pytest.param(without(POSTFIX, b"Received"), None, id="no hop"),
        pytest.param(
            changed(POSTFIX, b"; Mon, 23 Nov 2026 12:00:08 +0000", b""), None, id="no time"
        ),
        pytest.param(
            changed(POSTFIX, b"12:00:08 +0000", b"12:00:30 +0000"), 0.0, id="never negative"
        ),
        pytest.param(
            changed(POSTFIX, b"23 Nov 2026 12:00:08", b"23 Nov 2026 11:58:08"),
            10.0,
            id="no longer than it was under way",
        ),
        pytest.param(
            changed(POSTFIX, b"23 Nov 2026 12:00:08", b"23 Nov 2029 12:00:08"),
            3.0,
            id="not by a clock that cannot be",
        ),
    ],
)
def test_a_message_is_visible_some_time_after_its_last_hop(
    head: bytes, seconds: float | None
) -> None:
    assert visible_after(arrive(10), read(head)) == seconds


def test_what_has_not_arrived_is_not_visible() -> None:
    assert visible_after(ACCEPTED, read(POSTFIX)) is None
    assert timedelta(seconds=arrive(10).seconds) == arrive(10).duration
