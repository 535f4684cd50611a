"""What does a run show beside its findings?

Facts are what a person wants to look at: the record, the tree of includes, the walk through an SMTP
session. There are few shapes, so that the page, the command line and the JSON answer can draw any
fact of any probe without knowing the probe. Facts are bounded in size and never become labels.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Mood = Literal["plain", "good", "warning", "unknown", "bad"]


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text to be shown as it is, such as a DNS record."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns, such as the exchanges of a domain."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A branch of a tree: what it is, what to know about it, and what hangs below.

    ``count`` is a number worth showing at the branch (the lookups it costs, with those below it).
    """

    label: str
    detail: str = ""
    mood: Mood = "plain"
    count: int | None = None
    children: tuple["Node", ...] = ()


MOST_CHILDREN = 100  # that are drawn below one branch; a record may have thirty thousand terms
_LAST_KEPT = 20  # an evaluation ends where it was decided


def bounded(children: tuple[Node, ...]) -> tuple[Node, ...]:
    """Return *children*, or the first and the last of them and how many were left out."""
    left_out = len(children) - MOST_CHILDREN
    if left_out <= 0:
        return children
    first, last = children[: MOST_CHILDREN - _LAST_KEPT], children[-_LAST_KEPT:]
    return (*first, Node(f"{left_out} more that are not drawn"), *last)


@dataclass(frozen=True, slots=True)
class Phase:
    """One step of a walk, and the seconds it took; ``None`` where it was not reached."""

    name: str
    seconds: float | None
    mood: Mood = "plain"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Walk:
    """Steps in the order they were taken, such as the phases of an SMTP session."""

    phases: tuple[Phase, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """A place on the way of a message.

    ``owner`` says whose it is; ``seconds`` is the time since the place before, and ``link`` how the
    message came from there. ``note`` is what to know of it.
    """

    host: str
    owner: str = ""
    seconds: float | None = None
    link: str = ""
    mood: Mood = "plain"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Path:
    """The way of a message from its sender on, place by place, as far as it is known."""

    stops: tuple[Stop, ...]


StationKind = Literal["internet", "exchange", "gateway", "server", "mailbox", "service", "refused"]


@dataclass(frozen=True, slots=True)
class Station:
    """A place in a picture of ways. ``key`` is unique in it; columns count from 0, on the left."""

    key: str
    label: str
    kind: StationKind
    detail: str = ""
    mood: Mood = "plain"
    column: int = 0


@dataclass(frozen=True, slots=True)
class Road:
    """A way from one station to another, by their keys, and what decides that mail takes it."""

    start: str
    end: str
    label: str = ""
    mood: Mood = "plain"


@dataclass(frozen=True, slots=True)
class Diagram:
    """Where mail can go: places, and the roads between them, such as the routing of a tenant."""

    stations: tuple[Station, ...]
    roads: tuple[Road, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A certificate of a chain: whose, by whom, and from when until when it is valid."""

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """The certificates that a server shows, its own first, and where they lead.

    ``end`` says in words what the last was signed by, and ``mood`` whether that is trusted.
    """

    links: tuple[Link, ...]
    end: str
    mood: Mood = "plain"


Fact = Text | Table | Node | Walk | Path | Diagram | Chain
