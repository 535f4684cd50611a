"""How do findings and facts look on a terminal?

Everything a run has to say is drawn from the same few shapes that the page draws: findings with
remedies, trees, tables, walks. Colour only says again what a word already says.
"""

import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

import click

from agent.domain.diagram import Way, shortened, shown
from agent.domain.fact import (
    Chain,
    Diagram,
    Fact,
    Mood,
    Node,
    Path,
    Station,
    Stop,
    Table,
    Text,
    Walk,
)
from agent.domain.finding import Finding, Outcome, Rule, Severity, by_rule
from agent.domain.tenancy.powershell import form_of, gaps

MARKS = {Severity.OK: "✓", Severity.WARNING: "!", Severity.UNKNOWN: "?", Severity.CRITICAL: "✗"}
_IDLE = "\N{EN DASH}"
_COLOURS = {
    Severity.OK: "green",
    Severity.WARNING: "yellow",
    Severity.UNKNOWN: "magenta",
    Severity.CRITICAL: "red",
}
_MOODS: dict[Mood, str | None] = {
    "plain": None,
    "good": "green",
    "warning": "yellow",
    "unknown": "magenta",
    "bad": "red",
}
_SIGNS: dict[Mood, str] = {"plain": "", "good": "✓ ", "warning": "! ", "unknown": "? ", "bad": "✗ "}
_NARROWEST = 40
_LONGEST_ROAD = 44  # characters of the label of a road
_LEAST_DETAIL = 12  # characters for what to know of a station, below which it is left out
_BAR = 24  # characters of the longest bar of a walk


@dataclass(frozen=True, slots=True)
class Pen:
    """Where the drawing goes: its width in characters, and whether it may use colour."""

    width: int = 100
    colour: bool = False

    @classmethod
    def of_terminal(cls, *, colour: bool) -> "Pen":
        """Return a pen as wide as the terminal, or as a page where there is none."""
        columns = shutil.get_terminal_size((100, 24)).columns
        return cls(max(_NARROWEST, min(columns, 120)), colour)

    def paint(self, text: str, colour: str | None, *, bold: bool = False) -> str:
        """Return *text* in a colour, where colour is wanted."""
        return click.style(text, fg=colour, bold=bold) if self.colour else text

    def wrap(self, text: str, first: str, rest: str) -> Iterator[str]:
        """Break *text* into lines that fit, behind an indent for the first and for the others."""
        yield from textwrap.wrap(
            text,
            self.width,
            initial_indent=first,
            subsequent_indent=rest,
            break_on_hyphens=False,
            drop_whitespace=True,
        ) or [first]


def draw_verdict(severity: Severity, title: str, pen: Pen) -> str:
    """Return the line that opens a subject or a check."""
    mark = pen.paint(f"{MARKS[severity]} {severity.word:8}", _COLOURS[severity], bold=True)
    return f"{mark} {title}"


def mark_of(outcome: Outcome) -> str:
    """Return the mark of one run: no tick where there was nothing to look at."""
    return _IDLE if outcome.idle else MARKS[outcome.severity]


def draw_run(outcome: Outcome, title: str, pen: Pen) -> Iterator[str]:
    """Return the line that opens a check, or says that it had nothing to look at, and why."""
    if not outcome.idle:
        yield draw_verdict(outcome.severity, title, pen)
        return
    said = pen.wrap(outcome.idle, f"{_IDLE:11}{title}: nothing to look at: ", " " * 13)
    yield from (pen.paint(line, "bright_black") for line in said)


def draw_outcome(outcome: Outcome, pen: Pen, *, facts: bool = True) -> Iterator[str]:
    """Return the lines for one run: its findings, worst first, then its facts."""
    for rule, alike in by_rule(outcome.findings):
        yield from draw_alike(rule, alike, pen)
    if facts:
        for title, fact in outcome.facts.items():
            yield f"    {pen.paint(title, None, bold=True)}"
            yield from (f"      {line}" for line in draw_fact(fact, pen))


def draw_alike(rule: Rule, findings: tuple[Finding, ...], pen: Pen) -> Iterator[str]:
    """Return the lines for findings of one rule: what, each one's evidence, and what to do once."""
    mark = pen.paint(MARKS[rule.severity], _COLOURS[rule.severity], bold=True)
    count = f" ({len(findings)} times)" if len(findings) > 1 else ""
    yield f"    {mark} {rule.summary}{count}"
    for finding in findings:
        first, rest = ("      - ", " " * 8) if count else (" " * 6, " " * 6)
        yield from pen.wrap(finding.detail, first, rest)
        for line in finding.evidence:
            yield from pen.wrap(line, f"{rest}> ", f"{rest}  ")
        if count:
            yield from _draw_fix(finding, pen, rest)
    yield from pen.wrap(rule.remedy, "      → ", "        ")
    if not count:
        yield from _draw_fix(findings[0], pen, " " * 6)
    names = ", ".join(filter(None, (rule.code, rule.source)))
    yield pen.paint(f"      rule {names}", "bright_black")


def _draw_fix(finding: Finding, pen: Pen, indent: str) -> Iterator[str]:
    """Return what to type, or to publish; not wrapped where it is there to be copied as it is."""
    if not finding.fix:
        return
    pieces = gaps(finding.fix)
    if not any(is_gap for _, is_gap in pieces):
        sign = "=" if form_of(finding.fix) == "record" else "$"
        yield f"{indent}{sign} {pen.paint(finding.fix, 'cyan')}"
        return
    yield f"{indent}fill in what is in <>, then type:"
    line = "".join(pen.paint(each, "yellow" if gap else "cyan", bold=gap) for each, gap in pieces)
    yield f"{indent}  {line}"


def draw_fact(fact: Fact, pen: Pen) -> Iterator[str]:
    """Return the lines for a fact of any shape."""
    match fact:
        case Text(text):
            yield from _draw_text(text, pen)
        case Table():
            yield from _draw_table(fact, pen)
        case Node():
            yield _branch(fact, pen)
            yield from _draw_children(fact, pen, "")
        case Walk():
            yield from _draw_walk(fact, pen)
        case Path(stops):
            yield from chain.from_iterable(_draw_stop(stop, pen) for stop in stops)
        case Diagram():
            yield from _draw_diagram(fact, pen)
        case Chain():
            yield from _draw_chain(fact, pen)


def _draw_chain(chain: Chain, pen: Pen) -> Iterator[str]:
    for link in chain.links:
        yield from pen.wrap(link.subject, "", "  ")
        valid = f"valid from {link.not_before:%Y-%m-%d} to {link.not_after:%Y-%m-%d}"
        yield from pen.wrap(f"{valid}; signed by:", "  ", "  ")
    yield pen.paint(f"{_SIGNS[chain.mood]}{chain.end}", _MOODS[chain.mood])


def _draw_text(text: str, pen: Pen) -> Iterator[str]:
    for line in text.splitlines() or [""]:
        yield from pen.wrap(line, "", "  ")


def _draw_children(node: Node, pen: Pen, indent: str) -> Iterator[str]:
    for number, child in enumerate(node.children, 1):
        last = number == len(node.children)
        yield f"{indent}{'└─ ' if last else '├─ '}{_branch(child, pen)}"
        yield from _draw_children(child, pen, indent + ("   " if last else "│  "))


def _branch(node: Node, pen: Pen) -> str:
    count = f" [{node.count}]" if node.count is not None else ""
    label = pen.paint(node.label, _MOODS[node.mood])
    detail = pen.paint(f"  {node.detail}", "bright_black") if node.detail else ""
    return label + pen.paint(count, "cyan") + detail


def _draw_table(table: Table, pen: Pen) -> Iterator[str]:
    rows = (table.columns, *table.rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield pen.paint("  ".join(cells).rstrip(), None if number else "bright_black")


def _draw_walk(walk: Walk, pen: Pen) -> Iterator[str]:
    longest = max((phase.seconds or 0 for phase in walk.phases), default=0) or 1
    width = max((len(phase.name) for phase in walk.phases), default=0)
    for phase in walk.phases:
        if phase.seconds is None:
            time, bar = "      -   ", ""
        else:
            time = f"{phase.seconds * 1000:7.1f} ms"
            bar = "█" * max(1, round(phase.seconds / longest * _BAR))
        line = f"{phase.name:{width}} {time} {pen.paint(bar, _MOODS[phase.mood])}"
        yield f"{line} {phase.detail}".rstrip()


def _draw_stop(stop: Stop, pen: Pen) -> Iterator[str]:
    """Draw a place on the way of a message, and above it how the message came there."""
    if stop.link or stop.seconds is not None:
        took = "" if stop.seconds is None else f"{stop.seconds:.1f} s"
        yield pen.paint(f"  │ {took} {stop.link}".replace("  │  ", "  │ ").rstrip(), "bright_black")
    whose = f" ({stop.owner})" if stop.owner else ""
    yield f"  ● {pen.paint(stop.host, _MOODS[stop.mood], bold=stop.mood == 'bad')}{whose}"
    if stop.note:
        yield from pen.wrap(stop.note, "  │ ", "  │ ")


def _draw_diagram(diagram: Diagram, pen: Pen) -> Iterator[str]:
    """Draw each station with the roads that leave it; a road with no fork goes on in its line."""
    drawn = shown(diagram)
    names, onward = drawn.names(), drawn.onward()
    leaving = dict(drawn.leaving())
    told: set[str] = set()
    for station, ways in leaving.items():
        if station.key in told:
            continue
        told.add(station.key)
        yield _station(station, pen)
        width = max(len(_words(way)) for way in ways)
        for way in ways:
            line, last = _road(way, names, pen, width), way.end
            room = pen.width - 2 - len(click.unstyle(line))
            while last.key in onward and last.key not in told:
                more = " " + _road(onward[last.key], names, pen, 0)
                if len(click.unstyle(more)) > room:
                    break
                told.add(last.key)
                line, last = line + more, onward[last.key].end
                room -= len(click.unstyle(more))
            yield f"  {line}{'' if last in leaving else _detail(last, pen, room)}"
    for station in drawn.lonely():
        yield _station(station, pen)
    if drawn.more_stations or drawn.more_roads:
        yield f"not drawn: {drawn.more_stations} more places, {drawn.more_roads} more ways"


def _words(way: Way) -> str:
    """Return what stands on a road: the sign of its mood and its label."""
    return f"{_SIGNS[way.mood]}{shortened(way.label, _LONGEST_ROAD)}"


def _road(way: Way, names: Mapping[str, str], pen: Pen, width: int) -> str:
    road = pen.paint(f"──{_words(way):─<{width}}──▶", _MOODS[way.mood])
    return f"{road} {pen.paint(names[way.end.key], _MOODS[way.end.mood])}"


def _station(station: Station, pen: Pen) -> str:
    label = pen.paint(f"{_SIGNS[station.mood]}{station.label}", _MOODS[station.mood], bold=True)
    return label + _detail(station, pen, pen.width - len(click.unstyle(label)))


def _detail(station: Station, pen: Pen, room: int) -> str:
    """Return what to know of a station, as far as the line has room for it."""
    if not station.detail or room < _LEAST_DETAIL:
        return ""
    return pen.paint(f"  {shortened(station.detail, room - 2)}", "bright_black")


def join(lines: Iterable[str]) -> str:
    """Return lines as one text that ends in a line break."""
    return "".join(f"{line}\n" for line in lines)
