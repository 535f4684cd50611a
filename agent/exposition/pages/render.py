"""How does a page become HTML?

Jinja2 with autoescape on and undefined names as errors. The policy of the pages forbids scripts and
inline styles, so what has a size is drawn as SVG, whose attributes are no style.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from agent.domain.diagram import about
from agent.domain.fact import Chain, Diagram, Fact, Link, Node, Path, Phase, Table, Text, Walk
from agent.domain.tenancy.powershell import form_of, gaps
from agent.domain.timeline import spoken
from agent.exposition.pages import view
from agent.exposition.pages.band import HEIGHTS
from agent.exposition.pages.diagram import picture
from agent.exposition.pages.first import MOST_TENANTS, Overview
from agent.exposition.pages.rulebook import RulePage
from agent.exposition.pages.senders import senders_of
from agent.exposition.pages.state import State
from agent.exposition.pages.subject import SubjectPage
from agent.exposition.pages.view import Situation

_FOLDER = files("agent.exposition.pages")
STYLE = (_FOLDER / "style.css").read_bytes()
SCRIPT = (_FOLDER / "live.js").read_bytes()
# A page that was made by another program than its style and script has to be fetched anew.
BUILD = hashlib.sha256(STYLE + SCRIPT).hexdigest()[:12]
_SOON = timedelta(days=14)  # before its end a certificate is drawn as a warning
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
        case Diagram() | Chain():
            return "diagram" if isinstance(fact, Diagram) else "chain"


@dataclass(frozen=True, slots=True)
class Validity:
    """A certificate of a chain at a time: from 0 to 100 of its validity, and what to say of it."""

    link: Link
    spent: float
    mood: str
    words: str


def _validities(chain: Chain, at: datetime) -> list[Validity]:
    return [_validity(link, at) for link in chain.links]


def _validity(link: Link, at: datetime) -> Validity:
    whole = max((link.not_after - link.not_before).total_seconds(), 1.0)
    spent = round(100 * (at - link.not_before).total_seconds() / whole, 1)
    if at > link.not_after:
        return Validity(link, 100, "bad", f"expired {spoken(at - link.not_after)} ago")
    if at < link.not_before:
        return Validity(link, 0, "bad", f"not valid for another {spoken(link.not_before - at)}")
    left = link.not_after - at
    return Validity(link, spent, "warning" if left < _SOON else "good", f"{spoken(left)} left")


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
        "form": form_of,
        "sign": _SIGNS.__getitem__,
        "senders": senders_of,
        "spoken": spoken,
        "validities": _validities,
        "day": "{:%Y-%m-%d}".format,
        "height": HEIGHTS.__getitem__,
        "state_key": lambda mark: mark.name.lower(),
        "dashboard": view.dashboard_of,
    }
    environment.globals |= {"State": State, "BUILD": BUILD, "MOST_TENANTS": MOST_TENANTS}
    return environment


_PAGES = _environment()


def _render(template: str, /, **values: Any) -> bytes:
    # Half a surrogate pair has no octets; it must not cost the page.
    return _PAGES.get_template(template).render(**values).encode("utf-8", "backslashreplace")


def overview(page: Overview, situation: Situation) -> bytes:
    """Return the first page."""
    return _render("overview.html", page=page, situation=situation)


def subject(page: SubjectPage, situation: Situation) -> bytes:
    """Return the page of one subject."""
    return _render("subject.html", page=page, situation=situation)


def rule(page: RulePage, situation: Situation) -> bytes:
    """Return the page of one rule or standing alert, with the subjects that it concerns now."""
    return _render("rule.html", page=page, book=page.book, situation=situation)


def no_rule(name: str, near: Iterable[str], situation: Situation) -> bytes:
    """Return the page for a *name* that no rule and no alert has, with those that are *near*."""
    return _render("no_rule.html", name=name, near=tuple(near), situation=situation)


def message(title: str, text: str, situation: Situation) -> bytes:
    """Return a page that says one thing, such as that there is no such subject."""
    return _render("message.html", title=title, text=text, situation=situation)
