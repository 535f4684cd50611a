"""Each message is in exactly one state, and what was counted stays counted."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.domain import ledger
from agent.domain.ledger import BLIND, FAILURES, UNJUDGED, Entry, Place, State, Witness
from agent.domain.tally import Tally, tally

START = datetime(2026, 11, 23, tzinfo=UTC)
WITHIN = timedelta(seconds=60)
LOST = timedelta(minutes=15)
SECOND = timedelta(seconds=1)


def planned(sequence: int = 1) -> Entry:
    return Entry(
        nonce=f"n{sequence}",
        route="r",
        sequence=sequence,
        within=WITHIN,
        lost_after=LOST,
        planned_at=START,
    )


SENDING = ledger.sending(planned(), START)
ACCEPTED = ledger.accepted(SENDING, START + SECOND, "250 ok")
REJECTED = ledger.rejected(SENDING, START + SECOND, "refused", "550 no")
UNCERTAIN = ledger.uncertain(SENDING, START + SECOND)
AWAY = ledger.recovered(ACCEPTED, START)
LOST_ONE = ledger.judged(ACCEPTED, START + LOST, LOST)
FIVE = timedelta(seconds=5)
MINUTE = timedelta(minutes=1)
WAITING = ledger.deferred(SENDING, START + SECOND, MINUTE, "451 4.7.1 greylisted")
AGAIN = ledger.sending(WAITING, START + MINUTE)
GIVEN_UP = ledger.judged(WAITING, START + LOST, SECOND)
KEPT = replace(ACCEPTED, home="imap", is_kept=True)  # in a mailbox that keeps it for us
UNSEEN = ledger.judged(KEPT, START, LOST + BLIND, MINUTE)
HELD = ledger.quarantined(ACCEPTED, START, "message trace: quarantined")


def arrive(entry: Entry, after: timedelta = FIVE, place: Place = Place.INBOX) -> Entry:
    return ledger.arrived(entry, START + after, duration=after, place=place)


@pytest.mark.parametrize(
    ("entry", "state", "failure", "unjudged"),
    [
        pytest.param(planned(), "planned", "", "", id="planned"),
        pytest.param(SENDING, "sending", "", "", id="sending"),
        pytest.param(ACCEPTED, "accepted", "", "", id="accepted"),
        pytest.param(REJECTED, "rejected", "refused", "", id="rejected"),
        pytest.param(UNCERTAIN, "uncertain", "", "", id="uncertain"),
        pytest.param(arrive(ACCEPTED), "delivered", "", "", id="arrived in time"),
        pytest.param(arrive(SENDING), "delivered", "", "", id="arrived before the reply"),
        pytest.param(
            ledger.accepted(arrive(SENDING), START + FIVE), "delivered", "", "", id="reply after"
        ),
        pytest.param(
            ledger.rejected(arrive(SENDING), START + FIVE, "deferred"),
            "delivered",
            "",
            "",
            id="delivered though the reply was no",
        ),
        pytest.param(
            ledger.uncertain(arrive(SENDING), START + FIVE), "delivered", "", "", id="reply lost"
        ),
        pytest.param(arrive(UNCERTAIN), "delivered", "", "", id="uncertain settled by arrival"),
        pytest.param(arrive(ACCEPTED, 2 * WITHIN), "late", "late", "", id="arrived too late"),
        pytest.param(arrive(REJECTED), "delivered", "refused", "", id="refused and yet arrived"),
        pytest.param(arrive(ACCEPTED, FIVE, Place.JUNK), "junked", "", "", id="junk"),
        pytest.param(
            arrive(ACCEPTED, 2 * WITHIN, Place.JUNK), "junked", "late", "", id="junk, and late"
        ),
        pytest.param(
            arrive(LOST_ONE, 2 * LOST, Place.JUNK), "junked", "lost", "", id="lost, then in junk"
        ),
        pytest.param(
            arrive(AWAY, 2 * WITHIN, Place.JUNK),
            "junked",
            "",
            "interrupted",
            id="crash, and late in junk",
        ),
        pytest.param(
            arrive(ACCEPTED, FIVE, Place.QUARANTINE), "quarantined", "quarantined", "", id="held"
        ),
        pytest.param(
            arrive(arrive(ACCEPTED, FIVE, Place.QUARANTINE), LOST),
            "late",
            "quarantined",
            "",
            id="released from quarantine",
        ),
        pytest.param(arrive(ACCEPTED, FIVE, Place.ORIGIN), "looped", "looped", "", id="looped"),
        pytest.param(
            arrive(ACCEPTED, FIVE, Place.ELSEWHERE), "misrouted", "misrouted", "", id="misrouted"
        ),
        pytest.param(
            ledger.bounced(ACCEPTED, START, "5.4.14"), "bounced", "bounced", "", id="bounced"
        ),
        pytest.param(
            ledger.bounced(arrive(ACCEPTED), START), "delivered", "", "", id="bounce after arrival"
        ),
        pytest.param(LOST_ONE, "lost", "lost", "", id="lost"),
        pytest.param(arrive(LOST_ONE, 2 * LOST), "late", "lost", "", id="lost and came after all"),
        pytest.param(
            ledger.bounced(LOST_ONE, START), "bounced", "lost", "", id="lost and bounced after all"
        ),
        pytest.param(
            ledger.judged(UNCERTAIN, START + LOST, LOST), "uncertain", "", "uncertain", id="never"
        ),
        pytest.param(
            ledger.judged(SENDING, START + LOST, LOST), "uncertain", "", "uncertain", id="stuck"
        ),
        pytest.param(
            ledger.judged(planned(), START + LOST, LOST), "rejected", "", "not-sent", id="not begun"
        ),
        pytest.param(ledger.judged(ACCEPTED, START, WITHIN), "accepted", "", "", id="too early"),
        pytest.param(ledger.judged(LOST_ONE, START, 2 * LOST), "lost", "lost", "", id="once"),
        pytest.param(
            ledger.recovered(SENDING, START), "uncertain", "", "interrupted", id="crash in sending"
        ),
        pytest.param(
            ledger.recovered(planned(), START), "rejected", "", "interrupted", id="crash before"
        ),
        pytest.param(AWAY, "accepted", "", "interrupted", id="crash after"),
        pytest.param(ledger.away(WAITING), "planned", "", "", id="put off, and nobody there"),
        pytest.param(ledger.away(KEPT), "accepted", "", "", id="kept, and nobody there"),
        pytest.param(ledger.away(LOST_ONE), "lost", "lost", "", id="lost, and nobody there"),
        pytest.param(arrive(AWAY), "delivered", "", "", id="crash, and in time"),
        pytest.param(arrive(AWAY, 2 * WITHIN), "late", "", "interrupted", id="crash, and late"),
        pytest.param(
            ledger.judged(AWAY, START, LOST), "uncertain", "", "interrupted", id="crash, and never"
        ),
        pytest.param(
            arrive(ledger.judged(AWAY, START, LOST), 2 * LOST),
            "late",
            "",
            "interrupted",
            id="crash, and after all",
        ),
        pytest.param(
            ledger.bounced(AWAY, START), "bounced", "bounced", "", id="crash, and bounced"
        ),
        pytest.param(
            ledger.recovered(LOST_ONE, START), "lost", "lost", "", id="crash after it was lost"
        ),
        pytest.param(
            ledger.withdrawn(SENDING, START, "not-sent"), "rejected", "", "not-sent", id="withdrawn"
        ),
        pytest.param(WAITING, "planned", "", "", id="put off"),
        pytest.param(AGAIN, "sending", "", "", id="sent again"),
        pytest.param(
            ledger.accepted(AGAIN, START + MINUTE), "accepted", "", "", id="put off, then taken"
        ),
        pytest.param(
            ledger.rejected(AGAIN, START + MINUTE, "refused"),
            "rejected",
            "refused",
            "",
            id="put off, then refused",
        ),
        pytest.param(
            ledger.judged(WAITING, START + LOST - SECOND, 2 * LOST),
            "planned",
            "",
            "",
            id="put off, and not yet for too long",
        ),
        pytest.param(GIVEN_UP, "rejected", "deferred", "", id="put off for too long"),
        pytest.param(
            arrive(GIVEN_UP),
            "delivered",
            "deferred",
            "",
            id="put off for too long, and yet it came",
        ),
        pytest.param(arrive(WAITING), "delivered", "", "", id="put off, and yet it came"),
        pytest.param(
            ledger.deferred(arrive(SENDING), START + FIVE, MINUTE),
            "delivered",
            "",
            "",
            id="delivered though the reply was not now",
        ),
        pytest.param(
            ledger.withdrawn(arrive(AGAIN), START + MINUTE, "not-sent"),
            "delivered",
            "",
            "",
            id="came while it could not be sent again",
        ),
        pytest.param(
            ledger.withdrawn(AGAIN, START + MINUTE, "not-sent"),
            "rejected",
            "",
            "not-sent",
            id="put off, then withdrawn",
        ),
        pytest.param(ledger.recovered(WAITING, START), "planned", "", "", id="crash while put off"),
        pytest.param(
            ledger.recovered(AGAIN, START),
            "uncertain",
            "",
            "interrupted",
            id="crash while it was sent again",
        ),
        pytest.param(
            ledger.bounced(ACCEPTED, START, is_loop=True), "looped", "looped", "", id="5.4.14"
        ),
        pytest.param(
            arrive(ledger.bounced(ACCEPTED, START, is_loop=True)),
            "delivered",
            "looped",
            "",
            id="reported as a loop, and yet it came",
        ),
        pytest.param(
            ledger.bounced(WAITING, START), "bounced", "bounced", "", id="put off, and yet bounced"
        ),
        pytest.param(HELD, "quarantined", "quarantined", "", id="trace says quarantine"),
        pytest.param(
            ledger.quarantined(arrive(ACCEPTED), START), "delivered", "", "", id="trace is behind"
        ),
        pytest.param(
            ledger.quarantined(LOST_ONE, START), "quarantined", "lost", "", id="lost, then found"
        ),
        pytest.param(arrive(HELD, LOST), "late", "quarantined", "", id="released"),
        pytest.param(ledger.hinted(ACCEPTED, "delayed"), "accepted", "", "", id="a hint"),
        pytest.param(
            ledger.judged(KEPT, START, LOST, LOST - SECOND), "accepted", "", "", id="no last look"
        ),
        pytest.param(
            ledger.judged(KEPT, START, LOST + SECOND, LOST), "lost", "lost", "", id="a last look"
        ),
        pytest.param(
            ledger.judged(KEPT, START, LOST + BLIND - SECOND, MINUTE),
            "accepted",
            "",
            "",
            id="nobody could look for nearly a day",
        ),
        pytest.param(UNSEEN, "uncertain", "", "unseen", id="nobody could look for a day"),
        pytest.param(arrive(UNSEEN), "delivered", "", "unseen", id="unseen, and there at last"),
        pytest.param(
            ledger.bounced(UNSEEN, START), "bounced", "", "unseen", id="unseen, and bounced"
        ),
        pytest.param(
            ledger.judged(replace(AWAY, home="imap"), START, LOST + BLIND, MINUTE),
            "uncertain",
            "",
            "interrupted",
            id="crash, and nobody could look",
        ),
        pytest.param(ledger.recovered(KEPT, START), "accepted", "", "", id="kept in a crash"),
        pytest.param(
            ledger.judged(ledger.recovered(KEPT, START), START, LOST, LOST),
            "lost",
            "lost",
            "",
            id="kept in a crash, and not there",
        ),
        pytest.param(
            ledger.recovered(replace(SENDING, is_kept=True), START),
            "uncertain",
            "",
            "",
            id="crash in sending to where it is kept",
        ),
        pytest.param(
            arrive(ledger.recovered(KEPT, START), 2 * WITHIN),
            "late",
            "late",
            "",
            id="kept in a crash, and late by the clock of the server",
        ),
    ],
)
def test_a_message_is_in_one_state_and_counted_once(
    entry: Entry, state: str, failure: str, unjudged: str
) -> None:
    assert (entry.state.value, entry.failure, entry.unjudged) == (state, failure, unjudged)


def test_a_second_arrival_is_a_mark_and_no_state() -> None:
    twice = ledger.arrived(
        arrive(ACCEPTED), START + LOST, duration=LOST, damaged=True, place=Place.JUNK
    )
    assert (twice.state, twice.duplicates, twice.damaged) == (State.DELIVERED, 1, True)
    assert twice.duration == FIVE


def test_what_is_put_off_waits_for_its_time_and_says_why() -> None:
    assert WAITING.is_waiting
    assert WAITING.is_in_flight
    assert WAITING.retry_at == START + SECOND + MINUTE
    assert (WAITING.attempts, WAITING.detail) == (1, "451 4.7.1 greylisted")
    twice = ledger.deferred(AGAIN, START + 2 * MINUTE, 5 * MINUTE)
    assert (twice.attempts, twice.retry_at) == (2, START + 7 * MINUTE)
    assert not GIVEN_UP.is_waiting
    assert GIVEN_UP.detail == WAITING.detail


def test_a_second_sending_counts_from_its_own_start_and_knows_the_first() -> None:
    assert (AGAIN.sent_at, AGAIN.first_sent_at) == (START + MINUTE, START)
    assert AGAIN.deferral == MINUTE
    assert (AGAIN.retry_at, AGAIN.answered_at, AGAIN.detail) == (None, None, "")
    assert AGAIN.witness is Witness.NOBODY
    assert ACCEPTED.deferral == planned().deferral == timedelta()
    assert replace(AGAIN, first_sent_at=START + LOST).deferral == timedelta()


def test_who_told_the_fate_is_kept_with_it() -> None:
    assert ACCEPTED.witness is WAITING.witness is REJECTED.witness is Witness.SUBMISSION
    assert UNCERTAIN.witness is Witness.NOBODY
    assert arrive(ACCEPTED).witness is Witness.SINK
    assert LOST_ONE.witness is Witness.CLOCK
    assert HELD.witness is Witness.TRACE
    assert ledger.bounced(ACCEPTED, START).witness is Witness.REPORT
    traced = ledger.bounced(ACCEPTED, START, "failed", witness=Witness.TRACE)
    assert (traced.witness, traced.detail) == (Witness.TRACE, "failed")
    found = ledger.arrived(
        KEPT, START, duration=FIVE, witness=Witness.MAILBOX, folder="other", place=Place.FOLDER
    )
    assert (found.witness, found.folder, found.state) == (
        Witness.MAILBOX,
        "other",
        State.DELIVERED,
    )


@pytest.mark.parametrize("tell", [ledger.bounced, ledger.quarantined])
def test_what_others_tell_of_a_message_that_arrived_is_a_hint(
    tell: Callable[[Entry, datetime, str], Entry],
) -> None:
    entry = tell(arrive(ACCEPTED), START, "550 5.1.1")
    assert entry == replace(arrive(ACCEPTED), hint="550 5.1.1")


def test_a_hint_decides_nothing() -> None:
    assert ledger.hinted(ACCEPTED, "delayed") == replace(ACCEPTED, hint="delayed")


def test_a_step_that_cannot_be_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="accepted cannot take this step"):
        ledger.sending(ACCEPTED, START)
    with pytest.raises(ValueError, match="cannot take this step"):
        ledger.withdrawn(ACCEPTED, START, "not-sent")


class Book(RuleBasedStateMachine):
    """Messages take any steps in any order, the agent crashes now and then, nothing is lost.

    Half of them go where nobody need look, the others into a mailbox that keeps them, and that is
    looked into now and then.
    """

    @initialize()
    def open(self) -> None:
        self.entries: dict[int, Entry] = {}
        self.tally = Tally()
        self.now = START
        self.looked = START
        self.before: Counter[str] = Counter()
        self.gone: set[int] = set()  # perhaps taken by a server: never to be sent again

    def put(self, number: int, entry: Entry) -> None:
        self.tally.change(self.entries.get(number), entry)
        self.entries[number] = entry
        if entry.state in (State.ACCEPTED, State.UNCERTAIN):
            self.gone.add(number)

    def step(self, data: st.DataObject, change: Callable[[Entry], Entry]) -> None:
        number = data.draw(st.sampled_from(sorted(self.entries)))
        self.put(number, change(self.entries[number]))

    def age(self, entry: Entry) -> timedelta:
        return self.now - (entry.sent_at or entry.planned_at)

    @rule(seconds=st.integers(0, 1200))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def a_day_passes(self) -> None:
        self.now += BLIND

    @rule()
    def look(self) -> None:
        self.looked = self.now

    @rule(is_kept=st.booleans(), is_begun=st.booleans())
    def plan(self, *, is_kept: bool, is_begun: bool) -> None:
        number = len(self.entries) + 1
        entry = replace(planned(number), planned_at=self.now, is_kept=is_kept)
        self.put(number, ledger.sending(entry, self.now) if is_begun else entry)

    @precondition(lambda self: self.entries)
    @rule(
        data=st.data(),
        reply=st.sampled_from(("accepted", "uncertain", "not now", *FAILURES[:3])),
    )
    def answer(self, data: st.DataObject, reply: str) -> None:
        match reply:
            case "accepted":
                self.step(data, lambda entry: ledger.accepted(entry, self.now))
            case "uncertain":
                self.step(data, lambda entry: ledger.uncertain(entry, self.now))
            case "not now":
                self.step(data, lambda entry: ledger.deferred(entry, self.now, MINUTE))
            case _:
                self.step(data, lambda entry: ledger.rejected(entry, self.now, reply))

    @precondition(lambda self: any(e.is_waiting for e in self.entries.values()))
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from([n for n, e in self.entries.items() if e.is_waiting]))
        assert number not in self.gone
        self.put(number, ledger.sending(self.entries[number], self.now))

    @precondition(lambda self: self.entries)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        self.step(
            data,
            lambda entry: (
                entry
                if entry.is_in_flight and entry.state in (State.ACCEPTED, State.UNCERTAIN)
                else ledger.withdrawn(entry, self.now, "not-sent")
            ),
        )

    @precondition(lambda self: self.entries)
    @rule(data=st.data(), place=st.sampled_from(Place), damaged=st.booleans())
    def arrive(self, data: st.DataObject, place: Place, *, damaged: bool) -> None:
        self.step(
            data,
            lambda entry: ledger.arrived(
                entry, self.now, duration=self.age(entry), place=place, damaged=damaged
            ),
        )

    @precondition(lambda self: self.entries)
    @rule(
        data=st.data(),
        is_loop=st.booleans(),
        witness=st.sampled_from((Witness.REPORT, Witness.TRACE)),
    )
    def bounce(self, data: st.DataObject, witness: Witness, *, is_loop: bool) -> None:
        self.step(
            data, lambda entry: ledger.bounced(entry, self.now, witness=witness, is_loop=is_loop)
        )

    @precondition(lambda self: self.entries)
    @rule(data=st.data(), is_held=st.booleans())
    def trace(self, data: st.DataObject, *, is_held: bool) -> None:
        self.step(
            data,
            lambda entry: (
                ledger.quarantined(entry, self.now) if is_held else ledger.hinted(entry, "pending")
            ),
        )

    @rule()
    def judge(self) -> None:
        for number, entry in self.entries.items():
            age = self.age(entry)
            looked = max(age - (self.now - self.looked), timedelta()) if entry.is_kept else None
            after = ledger.judged(entry, self.now, age, looked)
            if after.state is State.LOST is not entry.state:
                assert looked is None or looked >= LOST
            self.put(number, after)

    @rule()
    def crash(self) -> None:
        self.tally = tally(self.entries.values())
        waiting = [n for n, e in self.entries.items() if e.is_waiting]
        for number, entry in self.entries.items():
            self.put(number, ledger.recovered(entry, self.now))
        assert waiting == [n for n, e in self.entries.items() if e.state is State.PLANNED]
        assert not any(e.state is State.SENDING for e in self.entries.values())
        assert not any(e.is_kept and e.is_interrupted and e.is_in_flight for e in self.all())

    def all(self) -> tuple[Entry, ...]:
        return tuple(self.entries.values())

    @invariant()
    def every_message_is_either_judged_or_in_flight(self) -> None:
        for entry in self.all():
            assert entry.is_in_flight is (entry.judged_at is None)
            assert not entry.is_waiting or entry.is_in_flight
            assert not (entry.failure and entry.unjudged)
            assert bool(entry.failure) <= (entry.judged_at is not None)
            assert entry.failure in ("", *FAILURES)
            assert entry.unjudged in ("", *UNJUDGED)

    @invariant()
    def every_message_is_counted_in_one_class(self) -> None:
        counts = self.tally.counts
        unjudged = sum(counts[f"unjudged {reason}"] for reason in UNJUDGED)
        assert counts["messages"] + unjudged + self.tally.in_flight == len(self.entries)
        assert sum(counts[f"failed {reason}"] for reason in FAILURES) <= counts["messages"]

    @invariant()
    def what_arrived_is_in_the_histogram_once(self) -> None:
        delivered = sum(entry.is_delivered for entry in self.all())
        assert sum(self.tally.durations) == delivered
        bounds, held = self.tally.with_bound(45.0)
        assert held == tuple(sorted(held))
        assert (bounds, held[-1]) == (tuple(sorted(bounds)), delivered)
        assert self.tally.counts["in time"] <= delivered

    @invariant()
    def no_counter_falls(self) -> None:
        counts = self.tally.counts
        assert all(counts[name] >= number for name, number in self.before.items())
        self.before = Counter(counts)

    @invariant()
    def adding_up_again_gives_the_same(self) -> None:
        again = tally(self.entries.values())
        assert +again.counts == +self.tally.counts
        assert again.durations == self.tally.durations
        assert again.in_flight == self.tally.in_flight
        assert abs(again.duration_sum - self.tally.duration_sum) < 1e-6


TestBook = Book.TestCase
TestBook.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
