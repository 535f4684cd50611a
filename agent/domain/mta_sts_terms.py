"""What does an MTA-STS policy consist of (RFC 8461)?"""

import enum
from dataclasses import dataclass

from agent.domain.peer_text import PeerText

MAX_POLICY = 65_536  # octets that are read, RFC 8461 section 3.3 leaves it to us
MAX_AGE = 31_557_600  # seconds, a year; section 3.2


class Mode(enum.StrEnum):
    """How much a policy demands, in falling order."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"

    @property
    def rank(self) -> int:
        """The order as a number: 0 none, 1 testing, 2 enforce."""
        return (Mode.NONE, Mode.TESTING, Mode.ENFORCE).index(self)


class PolicyError(ValueError):
    """A text is no policy; says why in words of ours."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A place that does not follow the grammar.

    ``at`` counts from 1, characters of a record or lines of a policy; 0 where something is missing.
    ``text`` is a stranger's. With ``is_fatal``, senders have no policy because of it; without, they
    read on, or the strict ones among them do not.
    """

    at: int
    text: str
    problem: str
    hint: str = ""
    is_fatal: bool = True


def describe(fault: Fault, unit: str) -> str:
    """Say in words where a fault is, in what its places count, and which."""
    where = f"{unit} {fault.at} " if fault.at else ""
    text = f"({PeerText(fault.text, 80)}) " if fault.text else ""
    return f"{where}{text}{fault.problem}"


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy; ``max_age`` is in seconds."""

    mode: Mode
    patterns: tuple[str, ...]
    max_age: int

    def pattern_for(self, exchange: str) -> str:
        """Return the pattern that *exchange* fits, empty without; ``*.`` is one label.

        RFC 8461 section 4.1.
        """
        name = exchange.lower().removesuffix(".")
        behind = name.partition(".")[2]
        fits = (each for each in (name, f"*.{behind}") if each in self.patterns)
        return next(fits, "")

    def covers(self, exchange: str) -> bool:
        """Tell whether *exchange* is one of the policy's hosts."""
        return bool(self.pattern_for(exchange))
