"""What headers of arrived messages tell is found, measured, drawn and put in words."""

from dataclasses import dataclass, replace

import pytest

from agent.domain import arrival_rules as rules
from agent.domain import ledger
from agent.domain import route_signals as signals
from agent.domain.entry import Entry, Place
from agent.domain.expectations import METHODS, Expected
from agent.domain.fact import Table
from agent.domain.finding import Finding, Rule
from agent.domain.lookup import Answer, Reply, Silence, TextRecord, Unanswered, replay
from agent.domain.route_path import Leaving
from agent.domain.route_story import (
    Story,
    chosen,
    measure,
    refusals,
    remark,
    sender,
    tell,
    words,
)
from proof import Proves, fires, named, quiet
from servers.heads import FILTERED
from servers.route_heads import (
    ACCEPTED,
    EXCHANGE,
    OWNERS,
    POSTFIX,
    SECOND,
    SENDING,
    SENT,
    TENANT,
    arrive,
    changed,
    read,
    without,
)

GONE = Answer()
LOST = ledger.judged(ACCEPTED, SENT, ACCEPTED.lost_after)
WAITING = ledger.deferred(SENDING, SENT, 60 * SECOND, "451 4.7.1 greylisted")


def number(entry: Entry, sequence: int) -> Entry:
    return replace(entry, nonce=f"n{sequence}", sequence=sequence)


def story(
    *recent: Entry,
    news: tuple[Entry, ...] | None = None,
    heads: dict[str, bytes] | None = None,
    expected: Expected | None = None,
) -> Story:
    known = {"n7": EXCHANGE} if heads is None else heads
    return tell(
        recent if news is None else news,
        recent,
        head=lambda entry: known.get(entry.nonce, b""),
        owners=OWNERS,
        expected=expected or Expected(),
        leaving=Leaving("relay.contoso.com"),
    )


def test_a_good_arrival_is_one_path_and_no_finding() -> None:
    told = story(arrive(), expected=Expected(methods=METHODS, attributed_to=TENANT))
    assert told.findings == ()
    assert list(told.paths) == ["Path of message 7: delivered"]
    assert list(told.facts) == ["What the receiver said"]
    assert told.readings["n7"].authentication.spf == "pass"
    assert {each.signal for each in told.measurements} == {
        signals.PHASE,
        signals.AUTH_PASS,
        signals.HOPS,
    }


def test_what_is_expected_is_held_against_new_arrivals_only() -> None:
    expected = Expected(never_through=("relay.contoso.com",))
    assert [each.rule for each in story(arrive(), expected=expected).findings] == [
        rules.THROUGH_FORBIDDEN
    ]
    assert story(arrive(), news=(), expected=expected).findings == ()
    assert story(arrive(), news=(), expected=expected).readings == {}


def test_what_has_not_arrived_or_left_no_header_tells_nothing() -> None:
    for entry, heads in ((ACCEPTED, {"n7": EXCHANGE}), (arrive(), {})):
        told = story(entry, heads=heads, expected=Expected(methods=METHODS))
        assert (told.findings, told.measurements, told.facts) == ((), (), {})
        assert told.readings == {}
        assert len(told.paths) == 1
    assert story() == Story()


def test_the_last_arrival_is_measured_while_later_messages_are_under_way() -> None:
    told = story(number(ACCEPTED, 8), arrive(), news=())
    assert signals.HOPS.at(5) in told.measurements
    assert list(told.paths) == ["Path of message 8: under way", "Path of message 7: delivered"]


def test_a_header_is_read_once() -> None:
    asked: list[str] = []

    def head(entry: Entry) -> bytes:
        asked.append(entry.nonce)
        return POSTFIX

    entry = arrive()
    tell(
        (entry,),
        (entry,),
        head=head,
        owners=OWNERS,
        expected=Expected(),
        leaving=Leaving("relay"),
    )
    assert asked == ["n7"]


def test_the_header_says_who_had_a_late_message_and_why_one_is_in_junk() -> None:
    assert remark(LATE, read(POSTFIX)) == "relay.contoso.com (us) had it for 6 s"
    assert remark(LATE, read(without(POSTFIX, b"Received"))) == ""
    assert remark(arrive(), read(POSTFIX)) == ""
    assert remark(JUNKED, read(EXCHANGE)).startswith("SCL 1: ")
    assert remark(JUNKED, read(POSTFIX)) == ""
    assert story(LATE).remarks == {"n7": remark(LATE, read(EXCHANGE))}


def test_what_is_wrong_with_an_arrival_shows_in_its_picture() -> None:
    told = story(arrive(), expected=Expected(through=("filter.example",)))
    (path,) = told.paths.values()
    assert path.stops[-1].note.endswith(", but message 7 did not pass filter.example")
    told = story(arrive(), heads={}, expected=Expected(through=("filter.example",)))
    (path,) = told.paths.values()
    assert path.stops[-1].mood == "good"


JUNKED = arrive(place=Place.JUNK, folder="junk")
LATE = arrive(61)


@pytest.mark.parametrize(
    ("recent", "titles"),
    [
        pytest.param((), [], id="nothing"),
        pytest.param((arrive(), arrive()), ["7: delivered"], id="all is well"),
        pytest.param((ACCEPTED,), ["7: under way"], id="under way"),
        pytest.param((WAITING,), ["7: under way"], id="put off"),
        pytest.param(
            (number(ACCEPTED, 9), number(arrive(), 8), number(LOST, 7)),
            ["9: under way", "7: lost", "8: delivered"],
            id="a trouble, and a good one to compare",
        ),
        pytest.param(
            (number(LOST, 9), number(LOST, 8), number(JUNKED, 7), number(LATE, 6)),
            ["9: lost", "7: junked", "6: late"],
            id="the last of each trouble",
        ),
        pytest.param(
            (number(arrive(), 9), number(ACCEPTED, 8), number(ledger.uncertain(SENDING, SENT), 7)),
            ["9: delivered", "7: under way"],
            id="one that may have been taken",
        ),
    ],
)
def test_the_last_message_and_the_last_of_each_trouble_are_drawn(
    recent: tuple[Entry, ...], titles: list[str]
) -> None:
    assert list(chosen(recent)) == [f"Path of message {title}" for title in titles]


def values(head: bytes, entry: Entry | None = None) -> dict[str, object]:
    return {
        each.labels[0] if each.labels else each.signal.name: each.value
        for each in measure(entry or arrive(), read(head))
    }


def test_the_times_and_the_verdicts_of_a_message_are_measured() -> None:
    assert values(EXCHANGE) == {
        "transit-us": 6.0,
        "transit-microsoft": 2.0,
        "visible": 1.0,
        **dict.fromkeys(METHODS, True),
        "mailflow_route_hops": 5,
    }
    assert values(b"Subject: a\r\n\r\n") == {"mailflow_route_hops": 0}


def test_only_what_the_receiver_could_tell_is_a_verdict() -> None:
    head = changed(changed(EXCHANGE, b"spf=pass", b"spf=temperror"), b"dkim=pass", b"dkim=fail")
    found = values(changed(head, b"compauth=pass", b"compauth=softpass"))
    assert "spf" not in found
    assert (found["dkim"], found["dmarc"], found["compauth"]) == (False, True, True)
    assert "compauth" not in values(POSTFIX)


def rows(head: bytes) -> dict[str, tuple[str, str]]:
    fact = words(read(head)).get("What the receiver said", Table((), ()))
    assert isinstance(fact, Table)
    return {of: (said, meaning) for of, said, meaning in fact.rows}


def test_the_receivers_words_are_shown_with_their_meaning() -> None:
    found = rows(EXCHANGE)
    assert found["spf"] == ("pass", "for the address 192.0.2.25")
    assert found["dkim"] == ("pass", "header.d=contoso.com")
    assert found["dmarc"] == ("pass", "header.from=contoso.com")
    assert found["compauth"][1].startswith("reason 100: ")
    assert found["SFV"][0] == "NSPM"
    assert found["AuthAs"] == ("Anonymous", "whether it counts as mail of the organisation")
    assert found["CrossTenant-Id"][0] == found["attributed to"][0] == TENANT
    assert found["FromEntityHeader"][0] == "Internet"


def test_a_receiver_that_says_little_leaves_little_to_show() -> None:
    assert rows(b"Subject: a\r\n\r\n") == {}
    short = b"Authentication-Results: mx; spf=none; dkim=none; dmarc=none; compauth=none\r\n\r\n"
    assert rows(short) == dict.fromkeys(METHODS, ("none", ""))
    odd = b"Authentication-Results: mx; compauth=fail reason=xyz\r\n\r\n"
    assert rows(odd) == {"compauth": ("fail", "reason xyz: not documented")}


@dataclass(frozen=True)
class Case:
    """What a receiver said of a message, and what is published now at contoso.com."""

    record: str = "v=spf1 ip4:192.0.2.25 -all"
    head: bytes = EXCHANGE
    mail_from: str = "probe@contoso.com"
    domain: str = "contoso.com"
    reply: Reply | None = None

    def findings(self) -> tuple[Finding, ...]:
        records = (TextRecord((self.record.encode(),)),)
        zone = {(self.domain, "TXT"): self.reply or Answer(records)}
        entry = arrive()
        told = story(entry, heads={"n7": self.head})
        return replay(sender((entry,), told, self.mail_from), zone)


def saying(result: bytes, record: str = "v=spf1 ip4:192.0.2.25 -all") -> Case:
    return Case(record, changed(EXCHANGE, b"spf=pass", b"spf=" + result))


NOBODY = "v=spf1 -all"
NULL_SENDER = changed(
    changed(POSTFIX, b"smtp.mailfrom=probe@contoso.com ", b""),
    b"domain of probe@contoso.com designates",
    b"domain of relay.contoso.com designates",
)
HOST = "relay.contoso.com"
FORGED = (
    b"Received: from x ([198.51.100.1]) by mx.fabrikam.com; 23 Nov 2026 12:00:02 GMT\r\n"
    b"Received: from y by x; 23 Nov 2026 12:00:01 GMT\r\n"
    b"Authentication-Results: mx.fabrikam.com; spf=pass (sender IP is 192.0.2.99)"
    b" smtp.mailfrom=contoso.com\r\n\r\n"
)

CASES = [
    (fires, rules.SENDER_MISSING, "-all", Case(NOBODY)),
    (fires, rules.SENDER_MISSING, "~all", Case("v=spf1 ~all")),
    (fires, rules.SENDER_MISSING, "?all", Case("v=spf1 ?all")),
    (fires, rules.SENDER_MISSING, "its neighbour", Case("v=spf1 ip4:192.0.2.24 -all")),
    (fires, rules.SENDER_MISSING, "the receiver could not ask", saying(b"temperror", NOBODY)),
    (fires, rules.SENDER_MISSING, "the null sender", Case(NOBODY, NULL_SENDER, "", HOST)),
    (quiet, rules.SENDER_MISSING, "it is in the record", Case()),
    (quiet, rules.SENDER_MISSING, "the null sender", Case(
        head=NULL_SENDER, mail_from="", domain=HOST)),
    (quiet, rules.SENDER_MISSING, "DNS is silent", Case(reply=Unanswered(Silence.TIMEOUT))),
    (quiet, rules.SENDER_MISSING, "no record", Case(reply=GONE)),
    (quiet, rules.SENDER_MISSING, "no address is told", Case(NOBODY, changed(
        POSTFIX, b"designates 192.0.2.25 as", b"designates a host as"))),
    (quiet, rules.SENDER_MISSING, "a forger's word", Case(NOBODY, FORGED)),
    (quiet, rules.SENDER_MISSING, "nothing is said of SPF", Case(NOBODY, without(without(
        EXCHANGE, b"Authentication-Results"), b"Received-SPF"))),
    (fires, rules.SPF_DIFFERS, "it is in the record now", saying(b"softfail")),
    (fires, rules.SPF_DIFFERS, "the record is gone", Case(reply=GONE)),
    (fires, rules.SPF_DIFFERS, "the record is broken", Case("v=spf1 ip4:192.0.2.25/64 -all")),
    (fires, rules.SPF_DIFFERS, "there was none", saying(b"none")),
    (quiet, rules.SPF_DIFFERS, "both pass", Case()),
    (quiet, rules.SPF_DIFFERS, "both find no record", replace(saying(b"none"), reply=GONE)),
    (quiet, rules.SPF_DIFFERS, "the address is missing", Case(NOBODY)),
    (quiet, rules.SPF_DIFFERS, "the receiver could not ask", saying(b"temperror")),
    (quiet, rules.SPF_DIFFERS, "an odd word", saying(b"splendid")),
    (quiet, rules.SPF_DIFFERS, "we cannot ask", Case(reply=Unanswered(Silence.TIMEOUT))),
    (quiet, rules.SPF_DIFFERS, "nobody to ask for", Case(
        head=changed(NULL_SENDER, b" smtp.helo=relay.contoso.com", b""), mail_from="")),
]  # fmt: skip


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_the_record_of_today_is_held_against_what_the_receiver_said(
    proves: Proves, rule: Rule, case: Case
) -> None:
    proves(rule, case.findings())


def test_a_finding_about_the_sender_has_the_address_and_both_verdicts() -> None:
    (finding,) = Case(NOBODY).findings()
    assert finding.detail == "message 7: the receiver saw 192.0.2.25"
    said, evaluated = finding.evidence
    assert said == "the receiver said spf=pass; the record of contoso.com gives fail"
    assert evaluated.startswith("fail: 192.0.2.25 for postmaster@contoso.com: ")


def test_the_newest_arrival_is_the_one_whose_sender_is_looked_up() -> None:
    old, new = number(arrive(), 1), number(arrive(), 2)
    heads = {"n1": changed(EXCHANGE, b"192.0.2.25", b"192.0.2.99"), "n2": EXCHANGE}
    told = story(new, old, news=(old, new), heads=heads)
    zone: dict[tuple[str, str], Reply] = {
        ("contoso.com", "TXT"): Answer((TextRecord((b"v=spf1 ip4:192.0.2.99 -all",)),))
    }
    (finding,) = replay(sender((old, new), told, "probe@contoso.com"), zone)
    assert finding.detail == "message 2: the receiver saw 192.0.2.25"
    assert replay(sender((), told, "probe@contoso.com"), zone) == ()


def test_a_whole_sender_of_the_receivers_is_taken_as_it_is() -> None:
    (finding,) = Case(NOBODY, POSTFIX, mail_from="other@example.com").findings()
    assert "fail: 192.0.2.25 for probe@contoso.com: " in finding.evidence[1]


def test_an_address_behind_a_filter_is_the_one_that_is_looked_up() -> None:
    told = story(arrive(), heads={"n7": FILTERED})
    zone: dict[tuple[str, str], Reply] = {
        ("fabrikam.com", "TXT"): Answer((TextRecord((b"v=spf1 -all",)),))
    }
    (finding,) = replay(sender((arrive(),), told, "probe@contoso.com"), zone)
    assert finding.detail.endswith("the receiver saw 205.220.168.10")


def refused(detail: str, sequence: int = 7, failure: str = "refused") -> Entry:
    return number(ledger.rejected(SENDING, SENT, failure, detail), sequence)


EOP = (
    "at rcpt: 550 5.4.1 Recipient address rejected: Access denied. For more information see"
    " https://aka.ms/EXOSmtpErrors [{}.eop-EUR02.prod.protection.outlook.com {} {}]"
)
EOP_ONE = EOP.format("DB5EUR02FT041", "2026-11-23T12:00:01.123Z", "08DE2A51A1B2C3D4")
EOP_TWO = EOP.format("AM7EUR02FT017", "2026-11-23T12:05:01.481Z", "08DE2A4FD4C3B2A1")
NO_USER = "at rcpt: 550 5.1.1 No such user"


@pytest.mark.parametrize(
    ("recent", "count"),
    [
        pytest.param((), 0, id="nothing"),
        pytest.param((arrive(),), 0, id="delivered"),
        pytest.param((refused(NO_USER),), 1, id="one"),
        pytest.param((refused(NO_USER),) * 3, 3, id="three alike"),
        pytest.param((refused(NO_USER), arrive(), refused(NO_USER)), 1, id="a good one between"),
        pytest.param((arrive(), refused(NO_USER)), 0, id="a good one since"),
        pytest.param((refused(NO_USER), refused(EOP_ONE)), 1, id="in other words"),
        pytest.param(
            (refused(NO_USER), refused(NO_USER.replace("5.1.1", "5.7.1"))), 1, id="another code"
        ),
        pytest.param(
            (refused(EOP_ONE), refused(EOP_TWO), refused(EOP_ONE)), 3, id="other time and host"
        ),
        pytest.param((refused(NO_USER, failure="deferred"),) * 3, 0, id="put off"),
        pytest.param(
            tuple(
                ledger.arrived(refused(NO_USER, n), SENT, duration=SECOND, detail="in inbox")
                for n in (3, 2, 1)
            ),
            0,
            id="refused, and yet they came",
        ),
    ],
)
def test_refusals_in_the_same_words_are_counted(recent: tuple[Entry, ...], count: int) -> None:
    assert refusals(recent) == recent[:count]
