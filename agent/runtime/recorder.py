"""What is written down of the board, so that a page can show how a check fared?

Each change of a severity, when a check was not run in time, when one is no longer configured, and
that the agent is alive. All of it is cheap: a run that says what the last one said costs a look
into a dictionary, and the search for runs that did not come takes a slice of the checks at a time.
"""

from contextlib import AsyncExitStack

from agent.adapters.chronicle import Chronicle
from agent.adapters.clock import Clock
from agent.adapters.store import Store
from agent.domain.timeline import Mark
from agent.runtime.board import Board, Standing

STALE_AFTER = 2.5  # intervals, as the alert has it
_SLICE = 500  # checks that one look goes over
_MARKS = tuple(Mark)


class Recorder:
    """Writes into the chronicle what becomes of the checks of a board."""

    def __init__(self, chronicle: Chronicle, clock: Clock) -> None:
        self.chronicle = chronicle
        self._clock = clock
        self._board = Board()
        self._place = 0

    @classmethod
    async def open(cls, store: Store, clock: Clock, stack: AsyncExitStack) -> "Recorder":
        """Begin to record; what *stack* closes ends it. Raises StoreError."""
        recorder = cls(Chronicle(store), clock)
        await recorder.chronicle.start(clock.now())
        stack.callback(recorder.close)
        return recorder

    def follow(self, board: Board) -> None:
        """Record what becomes of the checks of *board* from now on."""
        self._board = board
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
        """Write down until when the agent ran."""
        self.chronicle.end(self._clock.now())

    def _take(self, standing: Standing) -> None:
        if standing.run is not None:
            mark = _MARKS[standing.run.outcome.severity]
            self.chronicle.note(standing.check.identity, mark, standing.run.finished_at)

    def _kept(self) -> None:
        """Note which checks are no longer configured."""
        now = self._clock.now()
        for identity in self.chronicle.known:
            if self._board.standing(identity) is None:
                self.chronicle.note(identity, Mark.NO_DATA, now)
