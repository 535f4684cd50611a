"""How does a planned change look on a terminal, and to a program?

Who would lose mail stands first; a change is made by people who read the first lines.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from agent.cli.draw import MARKS, Pen, draw_fact
from agent.cli.draw_priority import draw_items, headline, items_as_json
from agent.cli.looking import Looked
from agent.domain.comparison import Difference, compare
from agent.domain.finding import Finding
from agent.domain.peer_text import PeerText
from agent.domain.planned import Change
from agent.domain.priority import prioritise
from agent.domain.simulation import Fate, draw
from agent.exposition.as_json import finding_as_json


@dataclass(frozen=True)
class Simulation:
    """A domain as it is and as it would be."""

    domain: str
    changes: tuple[Change, ...]
    before: Looked
    after: Looked
    fates: tuple[Fate, ...]

    @cached_property
    def difference(self) -> Difference:
        """What of all that is wrong goes, comes and stays, the most urgent first."""
        return compare(_in_order(self.before), _in_order(self.after))


def _in_order(looked: Looked) -> Iterator[Finding]:
    for item in looked.items:
        yield from item.findings
        for each in item.explains:
            yield from each.findings


def as_text(found: Simulation, pen: Pen) -> Iterator[str]:
    """Return the lines of the answer."""
    after, before = found.after, found.before
    yield headline(after.severity, f"{found.domain} after the change", after.items, pen)
    yield f"    now: {MARKS[before.severity]} {before.severity.word}"
    yield from _looks(found, pen)
    for change in found.changes:
        yield from _draw_change(change, pen)
    if found.fates:
        yield from _draw_lost(found, pen)
        yield f"  {pen.paint('who may send', None, bold=True)}"
        yield from (f"    {line}" for line in draw_fact(draw(found.fates), pen))
    yield from _draw_difference(found, pen)


def _looks(found: Simulation, pen: Pen) -> Iterator[str]:
    now, then = found.before.guess.title, found.after.guess.title
    text = f"looks like: {now}" + (f"; then like: {then}" if then != now else "")
    yield from pen.wrap(text, "    ", "      ")


def _draw_change(change: Change, pen: Pen) -> Iterator[str]:
    yield f"  {pen.paint(f'{change.query.type} {change.query.name}', None, bold=True)}"
    gone = [line for line in change.before if line not in change.after]
    new = [line for line in change.after if line not in change.before]
    for mark, lines, colour in (("-", gone, "red"), ("+", new, "green")):
        yield from (pen.paint(f"    {mark} {line}", colour) for line in lines)
    if not gone and not new:
        yield "    is like that already"


def _draw_lost(found: Simulation, pen: Pen) -> Iterator[str]:
    """Name the senders whose mail would be lost, and why."""
    lost = [one for one in found.fates if one.is_lost]
    if not lost:
        yield "  no sender that is known would lose mail for certain"
        return
    yield pen.paint(f"  would fail: {len(lost)} of {len(found.fates)} senders", "red", bold=True)
    for one in lost:
        row = one.after
        text = f"{PeerText(one.sender)}: {one.becomes}. SPF: {row.spf_aligned.why}."
        yield from pen.wrap(f"{text} DKIM: {row.dkim.why}.", "    ✗ ", "      ")


def _draw_difference(found: Simulation, pen: Pen) -> Iterator[str]:
    difference = found.difference
    yield f"  {pen.paint('comes', None, bold=True)}{'' if difference.comes else ': nothing'}"
    yield from draw_items(prioritise(_by_kind(found.after, difference.comes)), pen)
    yield f"  {pen.paint('goes', None, bold=True)}{'' if difference.goes else ': nothing'}"
    for finding in difference.goes:
        yield from _draw_line(finding, pen)
        yield from pen.wrap(finding.detail, "      ", "      ")
    if difference.altered:
        yield f"  {pen.paint('is different', None, bold=True)}"
        for pair in difference.altered:
            yield from _draw_line(pair.after, pen)
            yield from pen.wrap(f"now: {pair.before.detail}", "      ", "      ")
            yield from pen.wrap(f"then: {pair.after.detail}", "      ", "      ")
    if difference.stays:
        yield f"  {pen.paint('stays', None, bold=True)}"
        for finding in difference.stays:
            yield from _draw_line(finding, pen)


def _draw_line(finding: Finding, pen: Pen) -> Iterator[str]:
    text = f"{finding.rule.summary} ({finding.rule.code})"
    yield from pen.wrap(text, f"    {MARKS[finding.severity]} ", "      ")


def _by_kind(looked: Looked, findings: tuple[Finding, ...]) -> dict[str, list[Finding]]:
    """Return those of *findings* that a probe has, by its kind."""
    return {
        kind: [one for one in outcome.findings if one in findings]
        for kind, outcome in looked.outcomes.items()
    }


def as_json(found: Simulation) -> dict[str, Any]:
    """Return the answer as plain data."""
    difference = found.difference
    return {
        "domain": found.domain,
        "changes": [
            {
                "name": change.query.name,
                "type": change.query.type,
                "before": list(change.before),
                "after": list(change.after),
            }
            for change in found.changes
        ],
        "senders": [_sender(one) for one in found.fates],
        "comes": [finding_as_json(one) for one in difference.comes],
        "goes": [finding_as_json(one) for one in difference.goes],
        "stays": [finding_as_json(one) for one in difference.stays],
        "differs": [
            {"before": finding_as_json(one.before), "after": finding_as_json(one.after)}
            for one in difference.altered
        ],
        "before": _state(found.before),
        "after": _state(found.after),
    }


def _sender(one: Fate) -> dict[str, Any]:
    sides = {"before": (one.before, one.was), "after": (one.after, one.becomes)}
    told = {
        side: {
            "spf": row.spf_aligned.chance.value,
            "dkim": row.dkim.chance.value,
            "dmarc": row.dmarc.value,
            "mail": fate,
        }
        for side, (row, fate) in sides.items()
    }
    return {"sender": one.sender, "is_lost": one.is_lost, **told}


def _state(looked: Looked) -> dict[str, Any]:
    return {
        "severity": looked.severity.word,
        "looks_like": {"topology": looked.guess.topology, "title": looked.guess.title},
        "findings": items_as_json(looked.items),
    }
