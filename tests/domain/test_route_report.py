"""Every fate of a message is told under its own rule, once for all messages that share it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent.domain import ledger
from agent.domain import route_report as report
from agent.domain import route_rules as rules
from agent.domain import route_signals as signals
from agent.domain.fact import Phase, Table
from agent.domain.finding import Distribution, Rule
from agent.domain.ledger import BLIND, FAILURES, UNJUDGED, Entry, Place, State
from agent.domain.message import Token
from agent.domain.tally import BUCKETS, Tally, tally
from proof import fires, quiet

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PLANNED = Entry(
    nonce="abcdefghij",
    route="r",
    sequence=7,
    within=60 * SECOND,
    lost_after=900 * SECOND,
    planned_at=NOON,
)
SENDING = ledger.sending(PLANNED, NOON)
ACCEPTED = ledger.accepted(SENDING, NOON + SECOND, "250 ok")
AWAY = ledger.recovered(ACCEPTED, NOON)
WAITING = ledger.deferred(SENDING, NOON, 60 * SECOND, "451 4.7.1 greylisted")
UNSEEN = ledger.judged(ACCEPTED, NOON, 900 * SECOND + BLIND, SECOND)


def arrive(seconds: int = 5, place: Place = Place.INBOX) -> Entry:
    duration = seconds * SECOND
    return ledger.arrived(ACCEPTED, NOON + duration, duration=duration, place=place, detail="sink")


def judge(entry: Entry) -> Entry:
    return ledger.judged(entry, NOON, 900 * SECOND)


def settled(entry: Entry) -> Entry:
    return ledger.arrived(entry, NOON, duration=5 * SECOND)


DELIVERED = arrive()


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param(SENDING, [], id="sending"),
        pytest.param(ACCEPTED, [], id="accepted"),
        pytest.param(DELIVERED, [], id="delivered"),
        pytest.param(ledger.rejected(SENDING, NOON, "refused"), [rules.REFUSED], id="refused"),
        pytest.param(ledger.rejected(SENDING, NOON, "deferred"), [rules.DEFERRED], id="deferred"),
        pytest.param(
            ledger.rejected(SENDING, NOON, "unreached"), [rules.UNREACHED], id="unreached"
        ),
        pytest.param(ledger.withdrawn(SENDING, NOON, "not-sent"), [rules.NOT_SENT], id="not sent"),
        pytest.param(ledger.uncertain(SENDING, NOON), [rules.UNCERTAIN], id="uncertain"),
        pytest.param(arrive(70), [rules.LATE], id="late"),
        pytest.param(judge(ACCEPTED), [rules.LOST], id="lost"),
        pytest.param(judge(AWAY), [rules.INTERRUPTED], id="lost while we were away"),
        pytest.param(
            ledger.arrived(AWAY, NOON, duration=70 * SECOND),
            [rules.INTERRUPTED],
            id="late while we were away",
        ),
        pytest.param(settled(AWAY), [], id="in time though we were away"),
        pytest.param(arrive(5, Place.JUNK), [rules.JUNKED], id="junked"),
        pytest.param(arrive(5, Place.QUARANTINE), [rules.QUARANTINED], id="quarantined"),
        pytest.param(arrive(5, Place.ORIGIN), [rules.LOOPED], id="looped"),
        pytest.param(arrive(5, Place.ELSEWHERE), [rules.MISROUTED], id="misrouted"),
        pytest.param(ledger.bounced(ACCEPTED, NOON), [rules.BOUNCED], id="bounced"),
        pytest.param(WAITING, [rules.DEFERRED], id="put off"),
        pytest.param(
            ledger.judged(WAITING, NOON + 900 * SECOND, SECOND),
            [rules.DEFERRED],
            id="put off for too long",
        ),
        pytest.param(UNSEEN, [rules.UNSEEN], id="unseen"),
        pytest.param(settled(UNSEEN), [], id="unseen, and come in time, as the server says"),
        pytest.param(
            ledger.arrived(UNSEEN, NOON, duration=70 * SECOND),
            [rules.LATE],
            id="unseen, and come late, as the server says",
        ),
        pytest.param(ledger.bounced(UNSEEN, NOON), [rules.BOUNCED], id="unseen, and bounced"),
        pytest.param(
            ledger.bounced(judge(AWAY), NOON), [rules.BOUNCED], id="bounced after we were away"
        ),
        pytest.param(
            ledger.arrived(judge(AWAY), NOON, duration=SECOND, place=Place.JUNK),
            [rules.JUNKED],
            id="junked after we were away",
        ),
        pytest.param(AWAY, [], id="under way since we were away"),
        pytest.param(
            ledger.bounced(ACCEPTED, NOON, is_loop=True), [rules.LOOPED], id="reported as a loop"
        ),
        pytest.param(ledger.quarantined(ACCEPTED, NOON), [rules.QUARANTINED], id="traced"),
        pytest.param(replace(DELIVERED, duplicates=1), [rules.DUPLICATE], id="duplicate"),
        pytest.param(replace(DELIVERED, damaged=True), [rules.DAMAGED], id="damaged"),
        pytest.param(
            replace(arrive(70), duplicates=2, damaged=True),
            [rules.LATE, rules.DUPLICATE, rules.DAMAGED],
            id="all at once",
        ),
    ],
)
def test_each_fate_has_its_rule(entry: Entry, expected: list[Rule]) -> None:
    found = report.findings((entry,))
    assert [finding.rule for finding in found] == expected
    for rule in expected:
        fires(rule, found)


NEARLY: list[tuple[Rule, str, Entry]] = [
    (rules.REFUSED, "deferred", ledger.rejected(SENDING, NOON, "deferred")),
    (rules.DEFERRED, "refused", ledger.rejected(SENDING, NOON, "refused")),
    (rules.UNREACHED, "refused", ledger.rejected(SENDING, NOON, "refused")),
    (rules.NOT_SENT, "unreached", ledger.rejected(SENDING, NOON, "unreached")),
    (rules.UNSEEN, "nobody could look for nearly a day",
     ledger.judged(ACCEPTED, NOON, 899 * SECOND + BLIND, SECOND)),
    (rules.UNSEEN, "lost", judge(ACCEPTED)),
    (rules.UNSEEN, "come after all", settled(UNSEEN)),
    (rules.LOST, "unseen", UNSEEN),
    (rules.UNCERTAIN, "unseen", UNSEEN),
    (rules.DEFERRED, "sent again", ledger.sending(WAITING, NOON)),
    (rules.QUARANTINED, "come before the trace", ledger.quarantined(DELIVERED, NOON)),
    (rules.LOOPED, "bounced", ledger.bounced(ACCEPTED, NOON)),
    (rules.BOUNCED, "looped", ledger.bounced(ACCEPTED, NOON, is_loop=True)),
    (rules.UNCERTAIN, "settled by its arrival", settled(ledger.uncertain(SENDING, NOON))),
    (rules.LATE, "at the deadline", arrive(60)),
    (rules.LATE, "late, but in the junk folder", arrive(70, Place.JUNK)),
    (rules.LOST, "not old enough", ledger.judged(ACCEPTED, NOON, 899 * SECOND)),
    (rules.LOST, "perhaps never taken", judge(ledger.uncertain(SENDING, NOON))),
    (rules.LOST, "come after all", settled(judge(ACCEPTED))),
    (rules.LOST, "while we were away", judge(AWAY)),
    (rules.INTERRUPTED, "in time though we were away", settled(AWAY)),
    (rules.JUNKED, "quarantined", arrive(5, Place.QUARANTINE)),
    (rules.QUARANTINED, "junked", arrive(5, Place.JUNK)),
    (rules.BOUNCED, "and arrived", ledger.bounced(DELIVERED, NOON)),
    (rules.LOOPED, "elsewhere", arrive(5, Place.ELSEWHERE)),
    (rules.MISROUTED, "at its origin", arrive(5, Place.ORIGIN)),
    (rules.DUPLICATE, "damaged", replace(DELIVERED, damaged=True)),
    (rules.DAMAGED, "twice", replace(DELIVERED, duplicates=1)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "entry"),
    [pytest.param(rule, entry, id=f"{rule.code}: {name}") for rule, name, entry in NEARLY],
)
def test_a_fate_that_is_nearly_another_breaks_its_own_rule_only(rule: Rule, entry: Entry) -> None:
    quiet(rule, report.findings((entry,)))


def test_a_message_that_arrived_well_breaks_no_rule() -> None:
    assert report.findings((DELIVERED,)) == ()


def test_a_remark_stands_with_the_message_it_is_about() -> None:
    late = arrive(70)
    (finding,) = report.findings((late,), remarks={late.nonce: "mx.example had it for 69 s"})
    assert finding.detail.endswith("after 70.0 s (sink); mx.example had it for 69 s")


def test_a_lost_message_is_found_by_its_message_id() -> None:
    lost = judge(ACCEPTED)
    token = Token(lost.nonce, "code")
    marks = report.marks_of_lost((lost, DELIVERED), lambda _: token, "probe@contoso.com")
    assert marks == {lost.nonce: f"its Message-ID is <{token}@contoso.com>"}


def test_messages_of_one_fate_make_one_finding() -> None:
    late = arrive(70)
    (finding,) = report.findings((late, replace(late, sequence=8)), overdue=(ACCEPTED,))
    assert finding.detail == "3 messages"
    assert finding.evidence == (
        "message 7 of 2026-11-23 12:00:00Z: arrived late, after 70.0 s (sink)",
        "message 8 of 2026-11-23 12:00:00Z: arrived late, after 70.0 s (sink)",
        "message 7 of 2026-11-23 12:00:00Z: under way (250 ok)",
    )


@pytest.mark.parametrize("folder", ["junk", "any"])
def test_a_message_in_junk_is_well_where_that_is_expected(folder: str) -> None:
    junked = replace(arrive(5, Place.JUNK), duplicates=1)
    found = report.findings((junked,), folder=folder)
    assert [finding.rule for finding in found] == [rules.DUPLICATE]


def test_a_message_that_is_put_off_says_how_often_and_until_when() -> None:
    (finding,) = report.findings((WAITING,))
    assert finding.detail == (
        "message 7 of 2026-11-23 12:00:00Z: put off 1 times, to be sent again from"
        " 2026-11-23 12:01:00Z (451 4.7.1 greylisted)"
    )
    (finding,) = report.findings((replace(WAITING, retry_at=None),))
    assert finding.detail.endswith("put off 1 times (451 4.7.1 greylisted)")


def test_what_another_witness_said_stands_beside() -> None:
    (finding,) = report.findings((ledger.hinted(judge(ACCEPTED), "message trace: pending"),))
    assert finding.detail.endswith("lost (250 ok) [message trace: pending]")


def test_every_counter_is_there_before_the_first_message() -> None:
    found = report.measurements(Tally(), 60 * SECOND)
    assert [m.labels[0] for m in found if m.signal is signals.FAILED] == list(FAILURES)
    assert [m.labels[0] for m in found if m.signal is signals.UNJUDGED_TOTAL] == list(UNJUDGED)
    assert {m.value for m in found if m.signal.kind == "counter"} == {0}
    assert not any(m.signal in (signals.LAST_SENT, signals.LAST_DELIVERED) for m in found)


def test_the_counters_follow_the_tally() -> None:
    values = {
        (m.signal, m.labels): m.value
        for m in report.measurements(tally((arrive(70),)), 60 * SECOND)
    }
    assert values[signals.MESSAGES, ()] == 1
    assert values[signals.FAILED, ("late",)] == 1
    assert values[signals.LATE_TOTAL, ()] == 1
    assert values[signals.LAST_SENT, ()] == NOON.timestamp()
    assert values[signals.LAST_DELIVERED, ()] == (NOON + 70 * SECOND).timestamp()
    assert values[signals.DELIVERY, ()] == Distribution(
        (0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1), 70.0, BUCKETS
    )


def test_the_configuration_is_told_with_the_route() -> None:
    found = report.constants(objective=0.99, within=60 * SECOND, interval=300 * SECOND)
    assert [m.value for m in found] == [0.99, 60.0, 300.0]


@pytest.mark.parametrize(
    ("entry", "seconds"),
    [
        pytest.param(DELIVERED, 4.0, id="from the yes to the arrival"),
        pytest.param(ACCEPTED, None, id="not arrived"),
        pytest.param(
            ledger.arrived(SENDING, NOON, duration=SECOND), None, id="arrived before the yes"
        ),
        pytest.param(replace(DELIVERED, duration=SECOND / 2), 0.0, id="never negative"),
    ],
)
def test_transit_is_from_the_yes_to_the_arrival(entry: Entry, seconds: float | None) -> None:
    assert report.transit(entry) == seconds


TIMINGS = {"connect": 0.1, "final": 0.9}


@pytest.mark.parametrize(
    ("entry", "moods"),
    [
        pytest.param(DELIVERED, ["good", "good", "good"], id="delivered"),
        pytest.param(ACCEPTED, ["good", "good", "plain"], id="under way"),
        pytest.param(arrive(70), ["good", "good", "warning"], id="late"),
        pytest.param(WAITING, ["good", "warning", "warning"], id="put off"),
        pytest.param(
            ledger.uncertain(SENDING, NOON), ["good", "unknown", "unknown"], id="uncertain"
        ),
        pytest.param(
            ledger.rejected(SENDING, NOON, "refused"), ["good", "bad", "bad"], id="refused"
        ),
        pytest.param(
            judge(ledger.uncertain(SENDING, NOON)),
            ["good", "unknown", "unknown"],
            id="uncertain for ever",
        ),
        pytest.param(
            replace(PLANNED, judged_at=NOON, state=State.ACCEPTED),
            ["good", "good", "plain"],
            id="nothing to say",
        ),
    ],
)
def test_the_walk_shows_where_it_ended(entry: Entry, moods: list[str]) -> None:
    walk = report.walk(TIMINGS, entry)
    assert [phase.mood for phase in walk.phases] == moods
    assert walk.phases[0] == Phase("connect", 0.1, "good")
    assert walk.phases[-1].name == "transit"


def test_the_table_has_a_row_for_each_message() -> None:
    twice = replace(DELIVERED, duplicates=1, damaged=True)
    table = report.table((twice, SENDING))
    assert table == Table(
        ("sent", "message", "state", "after", "witness", "marks", "detail"),
        (
            (
                "2026-11-23 12:00:00Z",
                "7 abcdefgh",
                "delivered",
                "5.00 s",
                "sink",
                "1 more, damaged",
                "sink",
            ),
            ("2026-11-23 12:00:00Z", "7 abcdefgh", "sending", "", "", "", ""),
        ),
    )


@pytest.mark.parametrize(("folder", "mark"), [("inbox", ""), ("junk", "junk"), ("other", "other")])
def test_the_table_marks_what_is_not_in_the_inbox(folder: str, mark: str) -> None:
    ((*_, marks, _),) = report.table((replace(DELIVERED, folder=folder),)).rows
    assert marks == mark


def test_what_a_reply_means_is_said_once_behind_all_messages_of_one_fate() -> None:
    advice = "Meaning: It went round. Usual cause: A connector. What helps: Mend it."
    looped = ledger.bounced(
        ACCEPTED, NOON, f"report: 554 5.4.14 hop count ({advice})", is_loop=True
    )
    entries = (looped, replace(looped, sequence=8))
    (finding,) = report.findings(entries)
    assert finding.rule is rules.LOOPED
    assert finding.detail == "2 messages"
    assert finding.evidence == (
        "message 7 of 2026-11-23 12:00:00Z: looped (report: 554 5.4.14 hop count)",
        "message 8 of 2026-11-23 12:00:00Z: looped (report: 554 5.4.14 hop count)",
        "Meaning: It went round.",
        "Usual cause: A connector.",
        "What helps: Mend it.",
    )
    assert "Meaning" not in str(report.table(entries)) + str(report.walk({}, looped))
    (alone,) = report.findings(entries[:1])
    assert (alone.detail, *alone.evidence) == (finding.evidence[0], *finding.evidence[2:])
