"""Which colours and words do all dashboards share?

Green is for what is known to be well. What could not be told is purple, and what is not there is
grey: neither may be mistaken for the other, nor for well.
"""

from agent.domain.finding import Severity
from agent.exposition.dashboards.model import Steps, Words

GREEN, ORANGE, RED = "green", "orange", "red"
PURPLE, GREY, BLUE = "purple", "#808894", "blue"
NOTHING = "no data"  # more would be too small to read on a tile
NONE_FOUND = "nothing found"

DAY = 86400.0
COLOURS = {
    Severity.OK: GREEN,
    Severity.WARNING: ORANGE,
    Severity.UNKNOWN: PURPLE,
    Severity.CRITICAL: RED,
}
SEVERITIES: Words = tuple((str(int(each)), each.word, COLOURS[each]) for each in Severity)
SEVERITY_STEPS: Steps = (
    (None, GREEN),
    *((float(each), COLOURS[each]) for each in Severity if each),
)
SEVERITY_NAMES: Words = tuple((each.word, each.word, COLOURS[each]) for each in Severity)

RED_FROM_ONE: Steps = ((None, GREEN), (1, RED))
WARN_FROM_ONE: Steps = ((None, GREEN), (1, ORANGE))
UNSURE_FROM_ONE: Steps = ((None, GREEN), (1, PURPLE))
RED_BELOW_ONE: Steps = ((None, RED), (1, GREEN))
TIME_LEFT: Steps = ((None, RED), (7 * DAY, ORANGE), (21 * DAY, GREEN))
PLAIN: Steps = ((None, BLUE),)


def yes(word: str, otherwise: str) -> Words:
    """Return the words of what should be 1."""
    return (("1", word, GREEN), ("0", otherwise, RED))


def no(word: str, otherwise: str) -> Words:
    """Return the words of what should be 0."""
    return (("0", word, GREEN), ("1", otherwise, RED))
