"""How can a signal be shown?"""

import enum
from dataclasses import dataclass

from agent.exposition.dashboards import words
from agent.exposition.dashboards.model import Shape, Steps, Words

ADVICE = "Open the page of the subject: the finding says what is wrong and what to type."
SEE = "The finding on the page of the subject has the session, line by line."
ENDS = "Renew it in time, and put the whole chain on every host that shows it."
CHANGED = "A change that nobody planned: compare with the record in the page's facts."


class Reading(enum.Enum):
    """What of the value is shown."""

    VALUE = "the value"
    AGE = "how long ago the time is"
    LEFT = "how long it is until the time"


@dataclass(frozen=True, slots=True)
class Look:
    """How a signal is shown; ``advice`` follows the signal's own explanation."""

    title: str
    advice: str = ADVICE
    shape: Shape = Shape.LINES
    reading: Reading = Reading.VALUE
    unit: str = "short"
    steps: Steps = words.PLAIN
    words: Words = ()
    stacked: bool = False
    limits: bool = False


def yes(title: str, advice: str, word: str = "yes", otherwise: str = "no") -> Look:
    """Return a look at what is 1 where all is well, and else 0."""
    return Look(
        title, advice, Shape.STAT, words=words.yes(word, otherwise), steps=words.RED_BELOW_ONE
    )


def number(title: str, advice: str, steps: Steps = words.PLAIN, unit: str = "short") -> Look:
    """Return a look at one number."""
    return Look(title, advice, Shape.STAT, unit=unit, steps=steps)


def left(title: str, advice: str, steps: Steps = words.TIME_LEFT) -> Look:
    """Return a look at how long it is until a time."""
    return Look(title, advice, Shape.STAT, Reading.LEFT, "s", steps)


def age(title: str, advice: str, steps: Steps = words.PLAIN) -> Look:
    """Return a look at how long ago a time is."""
    return Look(title, advice, Shape.STAT, Reading.AGE, "s", steps)
