"""What does the page of one subject say?

First what a person on call has to know: what is broken, for whom, since when, who can mend it and
what to type. Then how it fared, and then all that its checks found and saw.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agent.adapters.chronicle import Record, Turn
from agent.domain.timeline import Mark
from agent.exposition.pages.band import History, history, turns_of
from agent.exposition.pages.state import State, of_mark
from agent.exposition.pages.view import SubjectView
from agent.runtime.board import Change

MOST_CHANGES = 30


@dataclass(frozen=True, slots=True)
class Moved:
    """A check of the subject became something else."""

    at: datetime
    kind: str
    before: State
    after: State


@dataclass(frozen=True, slots=True)
class SubjectPage:
    """The page of one subject. ``history`` is None where none is kept, or cannot be read now."""

    now: datetime
    subject: SubjectView
    changes: tuple[Moved, ...] = field(default=())
    history: History | None = None
    trouble: str = ""


def recorded(record: Record, subject: SubjectView, now: datetime) -> SubjectPage:
    """Return the page with what is on record of the subject."""
    kinds = {check.identity: check.kind for check in subject.checks}
    changes = tuple(_moved(turns_of(record, MOST_CHANGES), kinds.__getitem__))
    return SubjectPage(now, subject, changes, history(record, kinds, subject.since))


def _moved(turns: Iterable[Turn], kind_of: Callable[[str], str]) -> Iterable[Moved]:
    for turn in turns:
        yield Moved(turn.at, kind_of(turn.identity), of_mark(turn.before), of_mark(turn.after))


def remembered(changes: Iterable[Change], kinds: Mapping[str, str]) -> tuple[Moved, ...]:
    """Return what this process saw change in the checks *kinds*, newest first."""
    its = [change for change in changes if change.check.identity in kinds]
    turns = (
        Turn(
            change.at,
            change.check.identity,
            Mark.NO_DATA if change.before is None else Mark(int(change.before)),
            Mark(int(change.after)),
        )
        for change in its[:MOST_CHANGES]
    )
    return tuple(_moved(turns, kinds.__getitem__))
