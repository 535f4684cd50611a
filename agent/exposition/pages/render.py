"""How does a page become HTML?

Jinja2 with autoescape on and undefined names as errors. The policy of the pages forbids scripts and
inline styles, so what has a size is drawn as SVG, whose attributes are no style.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from agent.domain.diagram import about
from agent.domain.fact import Diagram, Fact, Node, Path, Phase, Table, Text, Walk
from agent.domain.finding import Rule
from agent.domain.tenancy.powershell import gaps
from agent.exposition.pages import view
from agent.exposition.pages.diagram import picture
from agent.exposition.pages.state import State
from agent.exposition.pages.view import Overview, Situation, SubjectPage

STYLE = (files("agent.exposition.pages") / "style.css").read_bytes()
_SIGNS = {
    "plain": "",
    "good": "\N{CHECK MARK}",
    "warning": "!",
    "unknown": "?",
    "bad": "\N{MULTIPLICATION X}",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A phase of a walk as a bar, in percent of the whole walk."""

    phase: Phase
    start: float
    width: float


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _bars(walk: Walk) -> list[Bar]:
    """Place the phases one after the other on a line that is as long as the walk."""
    total = sum(phase.seconds or 0.0 for phase in walk.phases) or 1.0
    bars, start = [], 0.0
    for phase in walk.phases:
        share = 100 * (phase.seconds or 0.0) / total
        bars.append(Bar(phase, round(start, 2), round(share, 2)))
        start += share
    return bars


def _shape(fact: Fact) -> str:
    match fact:
        case Text():
            return "text"
        case Table():
            return "table"
        case Node():
            return "tree"
        case Walk():
            return "walk"
        case Path():
            return "path"
        case Diagram():
            return "diagram"


def _seconds(seconds: float) -> str:
    return view.brief(timedelta(seconds=seconds))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("agent.exposition.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "brief": view.brief,
        "moment": _moment,
        "seconds": _seconds,
        "bars": _bars,
        "shape": _shape,
        "picture": picture,
        "about": about,
        "pieces": view.pieces,
        "gaps": gaps,
        "sign": _SIGNS.__getitem__,
    }
    environment.globals |= {"State": State}
    return environment


_PAGES = _environment()


def _render(name: str, **values: Any) -> bytes:
    return _PAGES.get_template(name).render(**values).encode()


def overview(page: Overview, situation: Situation) -> bytes:
    """Return the first page."""
    return _render("overview.html", page=page, situation=situation)


def subject(page: SubjectPage, situation: Situation) -> bytes:
    """Return the page of one subject."""
    return _render("subject.html", page=page, situation=situation)


def rule(
    declared: Rule,
    kinds: Iterable[str],
    found: Iterable[tuple[view.SubjectView, view.CheckView]],
    situation: Situation,
    now: datetime,
) -> bytes:
    """Return the page of one rule, with the subjects that break it now."""
    return _render(
        "rule.html",
        rule=declared,
        kinds=tuple(kinds),
        found=tuple(found),
        situation=situation,
        now=now,
    )


def message(title: str, text: str, situation: Situation) -> bytes:
    """Return a page that says one thing, such as that there is no such subject."""
    return _render("message.html", title=title, text=text, situation=situation)
