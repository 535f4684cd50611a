"""Who may send in a domain's name, and what would an enforced policy break?

The matrix that the dmarc check saw, with those who would lose mail first, so that one sees them
before the policy is enforced and not after.
"""

from dataclasses import dataclass

from agent.domain.fact import Mood, Table
from agent.domain.sender_matrix import COLUMNS, Chance
from agent.exposition.pages.view import SubjectView

_KIND, _TITLE = "dmarc", "senders"
_MOODS: dict[str, Mood] = {Chance.FAIL: "bad", Chance.UNKNOWN: "unknown", Chance.PASS: "good"}
_ORDER = tuple(_MOODS)


@dataclass(frozen=True, slots=True)
class Cell:
    """Whether something can pass, in a word, and why."""

    word: str
    mood: Mood
    why: str


@dataclass(frozen=True, slots=True)
class Row:
    """One sender: SPF, SPF aligned, DKIM aligned and DMARC, and what becomes of its mail."""

    sender: str
    cells: tuple[Cell, ...]
    fate: str

    @property
    def dmarc(self) -> str:
        """Whether DMARC can pass, in a word."""
        return self.cells[-1].word


@dataclass(frozen=True, slots=True)
class Matrix:
    """The rows under their columns, and what they come to in a sentence."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def summary(self) -> str:
        """Say how many would lose mail."""
        words = [row.dmarc for row in self.rows]
        lost, unsure = words.count(Chance.FAIL), words.count(Chance.UNKNOWN)
        if not lost + unsure:
            return f"All {len(words)} can pass DMARC." if len(words) > 1 else "It can pass DMARC."
        if not lost:
            can = len(words) - unsure
            return f"{can} of {len(words)} can pass DMARC; of {unsure} it cannot be told."
        said = f"{lost} of {len(words)} would lose mail under an enforced policy"
        return f"{said}; of {unsure} it cannot be told." if unsure else f"{said}."


def senders_of(subject: SubjectView) -> Matrix | None:
    """Return the matrix of a domain; None where none was seen, or it is too old to be believed."""
    for check in subject.checks:
        if check.kind == _KIND and check.run is not None and not check.is_old:
            fact = check.run.outcome.facts.get(_TITLE)
            if isinstance(fact, Table) and fact.columns == COLUMNS:
                rows = sorted(map(_row, fact.rows), key=lambda row: _ORDER.index(row.dmarc))
                return Matrix(fact.columns, tuple(rows))
    return None


def _row(cells: tuple[str, ...]) -> Row:
    sender, *said, fate = cells
    return Row(sender, tuple(map(_cell, said)), fate)


def _cell(said: str) -> Cell:
    word, _, why = said.partition(": ")
    return Cell(word, _MOODS[word], why)
