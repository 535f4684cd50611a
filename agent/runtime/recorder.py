"""What is written down of the board, so that a page can show how a check fared?

Each change of a severity, which rules are found, when a check was not run in time, when one is no
longer configured, and that the agent is alive. All of it is cheap: a run that says what the last
one said costs a look into a dictionary, and the search for runs that did not come takes a slice of
the checks at a time.
"""

from contextlib import AsyncExitStack

from agent.adapters.chronicle import Chronicle
from agent.adapters.clock import Clock
from agent.adapters.store import Store
from agent.adapters.streak_book import StreakBook
from agent.domain.streak import Streaks
from agent.domain.timeline import Mark
from agent.runtime.board import Board, Standing

STALE_AFTER = 2.5  # intervals, as the alert has it
_SLICE = 500  # checks that one look goes over
_MARKS = tuple(Mark)


class Recorder:
    """Writes into the chronicle what becomes of the checks of a board."""

    def __init__(
        self, chronicle: Chronicle, book: StreakBook, found: dict[str, Streaks], clock: Clock
    ) -> None:
        self.chronicle = chronicle
        self._book, self._found = book, found
        self._clock = clock
        self._board = Board()
        self._place = 0

    @classmethod
    async def open(cls, store: Store, clock: Clock, stack: AsyncExitStack) -> "Recorder":
        """Begin to record; what *stack* closes ends it. Raises StoreError."""
        chronicle, book = Chronicle(store), StreakBook(store)
        await chronicle.start(clock.now())
        found = await book.read(chronicle.seen_before)
        recorder = cls(chronicle, book, found, clock)
        stack.callback(recorder.close)
        return recorder

    def follow(self, board: Board) -> None:
        """Record what becomes of the checks of *board* from now on."""
        self._board = board
        board.remember(self._found)
        board.subscribe(self._take, kept=self._kept)

    def look(self) -> None:
        """Give a sign of life, and look whether runs are missing; to be called each second."""
        now = self._clock.now()
        self.chronicle.beat(now)
        standings = self._board.runs()
        if self._place >= len(standings):
            self._place = 0
        for standing in standings[self._place : self._place + _SLICE]:
            stale_at = standing.last_run_at + STALE_AFTER * standing.check.settings.interval
            if now > stale_at:
                self.chronicle.note(standing.check.identity, Mark.STALE, stale_at)
        self._place += _SLICE

    def close(self) -> None:
        """Write down until when the agent ran, and what it found last."""
        self._book.end((each.check.identity, each.streaks) for each in self._board.runs())
        self.chronicle.end(self._clock.now())

    def _take(self, standing: Standing) -> None:
        if standing.run is not None:
            mark = _MARKS[standing.run.outcome.severity]
            self.chronicle.note(standing.check.identity, mark, standing.run.finished_at)
            self._book.note(standing.check.identity, standing.streaks)

    def _kept(self) -> None:
        """Note which checks are no longer configured."""
        now = self._clock.now()
        for identity in self.chronicle.known:
            if self._board.standing(identity) is None:
                self.chronicle.note(identity, Mark.NO_DATA, now)
        self._book.keep(each.check.identity for each in self._board.runs())
