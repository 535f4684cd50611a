"""What is a dashboard, whoever draws it?

Plain values, free of Grafana's own types, so that what the dashboards ask and say can be read,
tested and documented without the library that writes their files.
"""

import enum
from dataclasses import dataclass

Steps = tuple[tuple[float | None, str], ...]
"""Colours by the value that they begin at, rising; the first begins at None."""
Words = tuple[tuple[str, str, str], ...]
"""Value, the word for it, and its colour."""


class Shape(enum.Enum):
    """How a panel shows its data; the values are Grafana's names."""

    STAT = "stat"
    LINES = "timeseries"
    BAND = "state-timeline"
    TABLE = "table"
    GAUGES = "bargauge"


@dataclass(frozen=True, slots=True)
class Query:
    """One query. *legend* names its series; of a table it is the title of its column."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """Where a click leads; ``url`` may hold Grafana's variables."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Column:
    """How a table shows a field, by the name that the field has in the end."""

    name: str
    unit: str = ""
    steps: Steps = ()
    words: Words = ()
    links: tuple[Link, ...] = ()
    hidden: bool = False
    width: int = 0


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. ``advice`` says what it shows and what to do when it is red.

    ``nothing`` is what it says where there are no data. ``w`` of the grid's 24 columns is the least
    that it needs; it is widened where its line has room. ``fixed`` gives series their colours, by
    legend; ``dashed`` names those that are limits. ``newest`` sorts a table by that column.
    """

    title: str
    advice: str
    queries: tuple[Query, ...]
    shape: Shape = Shape.LINES
    unit: str = "short"
    steps: Steps = ()
    words: Words = ()
    links: tuple[Link, ...] = ()
    columns: tuple[Column, ...] = ()
    fixed: tuple[tuple[str, str], ...] = ()
    dashed: tuple[str, ...] = ()
    sorted_by: str = ""
    descending: bool = False
    nothing: str = ""
    w: int = 8
    h: int = 8
    decimals: int | None = None
    bars: bool = False
    stacked: bool = False
    logarithmic: bool = False
    limits: bool = False
    bounds: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading; a folded one asks nothing until it is opened."""

    title: str
    panels: tuple[Panel, ...]
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the head of a dashboard, filled by a query.

    ``every`` offers all values at once; ``hidden`` is one that only links use.
    """

    name: str
    query: str
    label: str
    every: bool = False
    several: bool = True
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A mark on every panel where *expr* has a value; ``title`` may hold ``{{label}}``."""

    name: str
    expr: str
    colour: str
    title: str


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard. ``answers`` are the questions that it is there for."""

    uid: str
    title: str
    answers: tuple[str, ...]
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, also those of folded rows."""
        return tuple(panel for row in self.rows for panel in row.panels)
