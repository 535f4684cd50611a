"""How does a page come about, from the board and what is on record to what is sent?

What is asked of the store is asked in the event loop; the rest is done in a thread.
"""

from collections.abc import Callable

from agent.adapters.chronicle import Chronicle, Record
from agent.adapters.clock import Clock
from agent.adapters.store import StoreError
from agent.exposition.pages import first, render, subject
from agent.exposition.pages.index import Indexer, Key
from agent.exposition.pages.view import Situation, view_subject
from agent.runtime.board import Board, Standing


class Drawing:
    """Draws the first page and those of subjects, without and with what is on record."""

    def __init__(
        self,
        board: Board,
        clock: Clock,
        situation: Callable[[], Situation],
        chronicle: Chronicle | None = None,
    ) -> None:
        self._board = board
        self._clock = clock
        self._situation = situation
        self._chronicle = chronicle
        self._since = None if chronicle is None else chronicle.since
        self._indexer = Indexer()

    async def record(self, key: Key) -> Record | str | None:
        """Return what is on record of a subject, in words why it cannot be read; None: nothing."""
        if self._chronicle is None:
            return None
        entry = self._indexer.entry(self._board.runs(), key)
        identities = () if entry is None else entry.identities
        try:
            return await self._chronicle.read(identities, self._clock.now())
        except StoreError as error:
            return str(error)

    def page(self, standings: tuple[Standing, ...], query: first.Query) -> first.Overview:
        """Return the first page as plain values."""
        index = self._indexer.index(standings, self._clock.now())
        turns = () if self._chronicle is None else self._chronicle.recent()
        news = first.news_of(turns, self._board.standing)
        return first.overview(index, query, self._situation(), news, self._since)

    def overview(self, standings: tuple[Standing, ...], query: first.Query) -> bytes:
        """Return the first page."""
        return render.overview(self.page(standings, query), self._situation())

    def subject(
        self, standings: tuple[Standing, ...], key: Key, record: Record | str | None
    ) -> bytes | None:
        """Return the page of one subject; None where there is no such subject."""
        now = self._clock.now()
        entry = self._indexer.entry(standings, key)
        if entry is None:
            return None
        seen = view_subject(key, entry.standings, now, self._since)
        if isinstance(record, Record) and record.notes:
            page = subject.recorded(record, seen, now)
        else:
            kinds = {check.identity: check.kind for check in seen.checks}
            changes = subject.remembered(self._board.changes(), kinds)
            trouble = record if isinstance(record, str) else ""
            page = subject.SubjectPage(now, seen, changes, trouble=trouble)
        return render.subject(page, self._situation())
