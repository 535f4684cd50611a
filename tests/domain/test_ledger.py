"""Each message is in exactly one state, and what was counted stays counted."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.domain import ledger
from agent.domain.ledger import FAILURES, UNJUDGED, Entry, Place, State
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


def test_a_step_that_cannot_be_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="accepted cannot take this step"):
        ledger.sending(ACCEPTED, START)
    with pytest.raises(ValueError, match="cannot take this step"):
        ledger.withdrawn(ACCEPTED, START, "not-sent")


def test_a_tally_says_when_the_last_messages_went_and_came() -> None:
    total = tally((SENDING, arrive(ACCEPTED), arrive(ACCEPTED, 90 * SECOND)))
    assert total.last_sent == START
    assert total.last_delivered == START + 90 * SECOND
    assert total.in_flight == 1
    assert total.cumulative[-1] == 2
    assert total.duration_sum == 95.0
    assert total.cumulative[:4] == (0, 0, 0, 1)
    assert SENDING.seconds == 0.0


class Book(RuleBasedStateMachine):
    """Messages take any steps in any order, the agent crashes now and then, nothing is lost."""

    @initialize()
    def open(self) -> None:
        self.entries: dict[int, Entry] = {}
        self.tally = Tally()
        self.now = START
        self.before: Counter[str] = Counter()

    def put(self, number: int, entry: Entry) -> None:
        self.tally.change(self.entries.get(number), entry)
        self.entries[number] = entry

    def pick(self, data: st.DataObject, *states: State) -> int | None:
        numbers = [n for n, e in self.entries.items() if not states or e.state in states]
        return data.draw(st.sampled_from(numbers)) if numbers else None

    @rule(seconds=st.integers(0, 1200))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(is_begun=st.booleans())
    def plan(self, *, is_begun: bool) -> None:
        number = len(self.entries) + 1
        entry = replace(planned(number), planned_at=self.now)
        self.put(number, ledger.sending(entry, self.now) if is_begun else entry)

    @precondition(lambda self: self.entries)
    @rule(data=st.data(), reply=st.sampled_from(("accepted", "uncertain", *FAILURES[:3])))
    def answer(self, data: st.DataObject, reply: str) -> None:
        number = self.pick(data)
        assert number is not None
        entry = self.entries[number]
        if reply == "accepted":
            self.put(number, ledger.accepted(entry, self.now))
        elif reply == "uncertain":
            self.put(number, ledger.uncertain(entry, self.now))
        else:
            self.put(number, ledger.rejected(entry, self.now, reply))

    @precondition(lambda self: self.entries)
    @rule(data=st.data(), place=st.sampled_from(Place), damaged=st.booleans())
    def arrive(self, data: st.DataObject, place: Place, *, damaged: bool) -> None:
        number = self.pick(data, *(set(State) - {State.PLANNED}))
        if number is not None:
            entry = self.entries[number]
            age = self.now - entry.planned_at
            self.put(
                number,
                ledger.arrived(entry, self.now, duration=age, place=place, damaged=damaged),
            )

    @precondition(lambda self: self.entries)
    @rule(data=st.data())
    def bounce(self, data: st.DataObject) -> None:
        number = self.pick(data)
        assert number is not None
        self.put(number, ledger.bounced(self.entries[number], self.now))

    @rule()
    def judge(self) -> None:
        for number, entry in self.entries.items():
            self.put(number, ledger.judged(entry, self.now, self.now - entry.planned_at))

    @rule()
    def crash(self) -> None:
        self.tally = tally(self.entries.values())
        for number, entry in self.entries.items():
            self.put(number, ledger.recovered(entry, self.now))
        assert not any(e.state in (State.PLANNED, State.SENDING) for e in self.entries.values())

    @invariant()
    def every_message_is_counted_in_one_class(self) -> None:
        counts = self.tally.counts
        unjudged = sum(counts[f"unjudged {reason}"] for reason in UNJUDGED)
        assert counts["messages"] + unjudged + self.tally.in_flight == len(self.entries)
        assert sum(counts[f"failed {reason}"] for reason in FAILURES) <= counts["messages"]

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
