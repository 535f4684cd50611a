"""What becomes of the checks of a board is written down, and so is what does not become of them."""

from contextlib import AsyncExitStack
from datetime import timedelta

from agent.adapters.store import Store
from agent.domain.finding import Outcome
from agent.domain.timeline import Mark
from agent.probes.base import DNS_UNANSWERED
from agent.runtime.board import Board
from agent.runtime.recorder import Recorder
from servers.standings import MX, NOON, SPF, TOO_MANY, HandClock, check, publish

ILL = Outcome((TOO_MANY.found("12 lookups."),))
MINUTE = timedelta(minutes=1)


async def test_changes_late_runs_and_removed_checks_are_written_down() -> None:
    clock, board, store = HandClock(), Board(), Store()
    await store.open()
    async with AsyncExitStack() as stack:
        recorder = await Recorder.open(store, clock, stack)
        recorder.follow(board)
        spf, mx = check("contoso", SPF, "contoso.com"), check("contoso", MX, "contoso.com")
        board.keep([spf, mx], clock.now())
        publish(board, spf, Outcome(), clock.now())
        for minute in range(1, 16):
            clock.advance(MINUTE)
            if minute % 5 == 0:
                publish(board, mx, ILL, clock.now())
            recorder.look()
        board.keep([mx], clock.now())
        clock.advance(MINUTE)
        record = await recorder.chronicle.read([spf.identity, mx.identity], clock.now())
    await store.close()
    begin = clock.now() - 16 * MINUTE
    told = {
        name: [(round((note.at - begin) / MINUTE, 1), note.mark) for note in notes]
        for name, notes in record.notes.items()
    }
    assert told[spf.identity] == [(0, Mark.OK), (12.5, Mark.STALE), (15, Mark.NO_DATA)]
    assert told[mx.identity] == [(5, Mark.CRITICAL)]
    assert len(record.watches) == 1, "it never slept for long"


async def test_what_was_found_goes_on_over_a_restart() -> None:
    clock, store = HandClock(), Store()
    await store.open()
    spf, told = check("contoso", SPF, "contoso.com"), []
    for away in (0, 9, 60 * 24):
        clock.advance(away * MINUTE)
        async with AsyncExitStack() as stack:
            board, recorder = Board(), await Recorder.open(store, clock, stack)
            recorder.follow(board)
            board.keep([spf], clock.now())
            (standing,) = board.runs()
            for outcome in (ILL, ILL, Outcome((DNS_UNANSWERED.found("silent"),)), ILL, ILL):
                clock.advance(MINUTE)
                publish(board, spf, outcome, clock.now())
                told.append(standing.consecutive.get(TOO_MANY.code, 0))
            assert standing.streaks[TOO_MANY.code].since == NOON + MINUTE
    await store.close()
    assert told == [1, 2, 0, 3, 4, 5, 6, 0, 7, 8, 1, 2, 0, 3, 4], "a day away is no row"


async def test_a_slice_of_the_checks_is_looked_over_at_a_time() -> None:
    clock, board, store = HandClock(), Board(), Store()
    await store.open()
    async with AsyncExitStack() as stack:
        recorder = await Recorder.open(store, clock, stack)
        recorder.follow(board)
        checks = [check("contoso", SPF, f"domain{number}.example") for number in range(700)]
        board.keep(checks, clock.now())
        for of in checks:
            publish(board, of, Outcome(), clock.now())
        clock.advance(timedelta(seconds=80))
        for _ in range(9):
            recorder.look()
            clock.advance(timedelta(seconds=80))
        assert {recorder.chronicle.noted(x.identity) for x in checks[:500]} == {Mark.OK}
        clock.advance(MINUTE)
        recorder.look()
        recorder.look()
        marks = [recorder.chronicle.noted(x.identity) for x in checks]
    await store.close()
    assert marks == [Mark.STALE] * 700
