"""Time is passed in: nothing here waits."""

import itertools
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from agent.probes.base import Check
from agent.runtime.timetable import COARSE, FINE, Due, Missed, Timetable
from servers.checks import check, many, probe

START = 1_800_000_000.0
TICK = COARSE.total_seconds()


def fired(timetable: Timetable, now: float) -> list[tuple[float, Check[Any, Any]]]:
    """Return each check that is due, with its time."""
    return [
        (due.at, check)
        for due in timetable.due(now)
        if isinstance(due, Due)
        for check in due.checks
    ]


def missed(timetable: Timetable, now: float) -> int:
    return sum(some.count for some in timetable.due(now) if isinstance(some, Missed))


def settled(checks: Iterable[Check[Any, Any]]) -> Timetable:
    """Return a timetable whose first runs are over, at START."""
    timetable = Timetable()
    timetable.replace(checks, START - 3600)
    fired(timetable, START)
    return timetable


@pytest.mark.parametrize(
    "interval",
    [
        pytest.param(timedelta(seconds=60), id="a whole number of slots"),
        pytest.param(timedelta(seconds=7, milliseconds=100), id="slots of uneven length"),
        pytest.param(timedelta(seconds=1), id="fine slots"),
        pytest.param(timedelta(seconds=3, milliseconds=333), id="fine and uneven"),
    ],
)
def test_the_mean_period_over_a_thousand_fires_is_the_interval(interval: timedelta) -> None:
    timetable = settled([check(interval=interval)])
    step = 0.05
    times = [
        at
        for number in range(int(1001.5 * interval.total_seconds() / step))
        for at, _ in fired(timetable, START + number * step)
    ]
    assert len(times) >= 1001
    periods = {round(later - sooner, 4) for sooner, later in itertools.pairwise(times)}
    assert periods == {interval.total_seconds()}
    assert (times[1000] - times[0]) / 1000 == pytest.approx(interval.total_seconds(), abs=1e-9)


def test_late_ticks_do_not_shift_the_phase() -> None:
    timetable = settled([check()])
    times = []
    now = START
    for number in range(4000):
        now += TICK * (1 + number % 3)  # two of three ticks come late
        times += [at for at, _ in fired(timetable, now)]
    assert {round(b - a, 6) for a, b in itertools.pairwise(times)} == {60.0}


def test_a_stall_of_ten_seconds_loses_no_run() -> None:
    checks = many(500)
    timetable = settled(checks)
    runs: Counter[str] = Counter()
    now = START
    while now < START + 120:
        now += 10.0 if START + 20 <= now < START + 20 + TICK else TICK
        runs.update(check.identity for _, check in fired(timetable, now))
    assert set(runs.values()) <= {2, 3}
    assert len(runs) == 500
    assert sum(runs.values()) == pytest.approx(1000, abs=10)  # what is left over of the last tick


def test_a_stall_of_several_intervals_runs_each_check_once_and_counts_the_rest() -> None:
    checks = many(300)
    timetable = settled(checks)
    later = START + 60 * 4 + 30
    events = list(timetable.due(later))
    ran = Counter(c.identity for e in events if isinstance(e, Due) for c in e.checks)
    assert set(ran.values()) == {1}
    assert len(ran) == 300
    lost = sum(event.count for event in events if isinstance(event, Missed))
    # Three whole intervals of the four and a half, and the half of those whose slot it had.
    per_slot = sum(ran.values()) + lost
    assert per_slot == pytest.approx(300 * 4.5, rel=0.1)
    assert missed(timetable, later + TICK) == 0


def test_load_is_flat_and_the_phase_is_the_same_in_every_process() -> None:
    timetable = settled(many(24_000))
    sizes = [len(fired(timetable, START + number * TICK + 0.001)) for number in range(1, 241)]
    assert sum(sizes) == 24_000
    assert max(sizes) < 170  # 100 on average
    (at, _) = fired(settled([check()]), START + 60)[-1]
    assert at % 60 == pytest.approx(PHASE_OF_CONTOSO)


PHASE_OF_CONTOSO = 23.0  # of contoso/domain/contoso.com/spf, a hash: it must never change


def test_a_few_new_checks_run_within_two_seconds() -> None:
    timetable = Timetable()
    timetable.replace(many(10, interval=timedelta(hours=1)), START)
    assert len(fired(timetable, START + 2)) == 10


def test_ten_thousand_new_checks_are_spread_over_their_interval() -> None:
    timetable = Timetable()
    checks = many(10_000, interval=timedelta(minutes=5))
    timetable.replace(checks, START)
    sizes = []
    seen: set[str] = set()
    for second in range(1, 302):
        due = fired(timetable, START + second)
        sizes.append(len(due))
        seen.update(check.identity for _, check in due)
    assert len(seen) == 10_000
    assert max(sizes) < 150


def test_a_check_whose_slot_comes_first_has_no_first_run_of_its_own() -> None:
    timetable = Timetable()
    timetable.replace([check()], START + PHASE_OF_CONTOSO - 0.01)
    assert len(fired(timetable, START + 50)) == 1


def test_a_reload_keeps_the_phase_of_what_stays_and_runs_what_is_new_soon() -> None:
    staying, going, coming = many(3, interval=timedelta(minutes=10))
    timetable = settled([staying, going])
    timetable.replace([staying, coming], START + 1)
    assert going not in timetable
    assert coming in timetable
    assert [check for _, check in fired(timetable, START + 4)] == [coming]
    times = {check: at for at, check in fired(timetable, START + 600)}
    assert times.keys() == {staying, coming}
    whole = settled([staying])
    assert times[staying] == fired(whole, START + 600)[0][0]


def test_two_hundred_reloads_lose_and_double_nothing() -> None:
    checks = many(200, interval=timedelta(seconds=20))
    timetable = settled(checks)
    runs: Counter[str] = Counter()
    for number in range(1, 81):
        timetable.replace(checks, START + number * TICK - 0.01)
        runs.update(check.identity for _, check in fired(timetable, START + number * TICK + 0.001))
    assert len(runs) == 200
    assert set(runs.values()) == {1}


def test_a_first_run_that_a_reload_cancels_does_not_take_place() -> None:
    gone = check(interval=timedelta(hours=1))
    timetable = Timetable()
    timetable.replace([gone], START)
    timetable.replace([], START)
    assert fired(timetable, START + 5) == []


def test_short_intervals_have_a_finer_pulse_of_their_own() -> None:
    quick = check(interval=timedelta(seconds=1))
    slow = check(probe(kind="mx"))
    timetable = settled([quick, slow])
    assert timetable.pulses == {COARSE, FINE}
    names = [
        check.probe.kind
        for due in timetable.due(START + 61, FINE)
        if isinstance(due, Due)
        for check in due.checks
    ]
    assert set(names) == {"spf"}


def test_without_checks_there_is_still_a_pulse() -> None:
    assert Timetable().pulses == {COARSE}
    assert fired(Timetable(), START) == []
