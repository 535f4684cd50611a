"""How does the list of what to mend look on a terminal?

Numbered, the most urgent first; under each what is mended with it, in a line of its own.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agent.cli.draw import Pen, draw_alike, draw_verdict, mark_of
from agent.domain.finding import Outcome, Severity
from agent.domain.priority import Item
from agent.exposition.as_json import finding_as_json

_INDENT = 4  # characters before a finding, into which its number is written


def headline(severity: Severity, subject: str, items: tuple[Item, ...], pen: Pen) -> str:
    """Return the first line: how bad it is, of what, and what to mend first."""
    first = f": {items[0].rule.summary}" if items else ""
    return draw_verdict(severity, pen.paint(subject, None, bold=True) + first, pen)


def draw_items(items: Iterable[Item], pen: Pen) -> Iterator[str]:
    """Return the lines of the list."""
    for number, item in enumerate(items, 1):
        first, *rest = draw_alike(item.rule, item.findings, pen)
        yield f"{number:2d}. {first[_INDENT:]}"
        yield from rest
        for each in item.explains:
            text = f"this explains {each.rule.code}: {each.findings[0].detail}"
            yield from pen.wrap(text, "      + ", "        ")


def draw_kinds(outcomes: Mapping[str, Outcome], pen: Pen) -> str:
    """Return one line with the verdict of each probe."""
    marked = (f"{mark_of(outcome)} {kind}" for kind, outcome in outcomes.items())
    return pen.paint(f"    looked at: {'  '.join(marked)}", "bright_black")


def items_as_json(items: Iterable[Item]) -> list[dict[str, Any]]:
    """Return the list as plain data: each finding by itself, in the same order."""
    return [
        {
            **finding_as_json(finding),
            "check": item.kind,
            "explains": sorted({each.rule.code for each in item.explains}),
        }
        for item in items
        for finding in item.findings
    ]
