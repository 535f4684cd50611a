"""How does a planned change look on a terminal, and to a program?

Who would lose mail stands first; a change is made by people who read the first lines.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from agent.cli.draw import MARKS, Pen, draw_fact, draw_verdict
from agent.cli.draw_priority import draw_items, headline
from agent.cli.looking import Looked
from agent.cli.senders import left_out
from agent.domain.comparison import Difference, compare
from agent.domain.finding import Finding, Severity
from agent.domain.knowledge.topologies import TOPOLOGIES
from agent.domain.peer_text import PeerText
from agent.domain.planned import Change
from agent.domain.priority import Item, prioritise
from agent.domain.simulation import Fate, Loss, draw
from agent.domain.takers import Standard

_MOST_LOSSES = 12  # terms that are named


@dataclass(frozen=True)
class Simulation:
    """A domain as it is and as it would be.

    ``meant`` is the topology that the operator says is meant. ``more`` counts the addresses of the
    SPF record that are not in ``fates``; ``doubts`` are sentences on what DNS could not say.
    """

    domain: str
    changes: tuple[Change, ...]
    before: Looked
    after: Looked
    fates: tuple[Fate, ...]
    losses: tuple[Loss, ...]
    standard: Standard
    meant: str = ""
    more: int = 0
    doubts: tuple[str, ...] = ()

    @property
    def severity(self) -> Severity:
        """How bad it is after the change.

        Mail that would be lost by it is critical, and what may not be meant is worth a warning.
        Where a term goes that passes nobody knows whom, nobody knows what is lost.
        """
        known = [self.after.severity]
        if self.standard.notice:
            known.append(Severity.WARNING)
        if self.doubts or self.standard.is_unsure or self.is_anybodys_guess:
            known.append(Severity.UNKNOWN)
        if self.lost:
            known.append(Severity.CRITICAL)
        return max(known)

    @property
    def is_anybodys_guess(self) -> bool:
        """Whether a term is dropped that lets pass whom only the client decides."""
        return any(one.dropped.becomes is None for one in self.losses)

    @cached_property
    def lost(self) -> tuple[str, ...]:
        """Whose mail would be lost: senders, then terms of the SPF record."""
        senders = (str(PeerText(one.sender)) for one in self.fates if one.is_lost)
        return (*senders, *(one.subject for one in self.losses if one.is_lost))

    @cached_property
    def news(self) -> tuple[Item, ...]:
        """What the change brings that is as bad as the state after it, the most urgent first."""
        difference = self.difference
        new = (*difference.comes, *(pair.after for pair in difference.altered))
        return tuple(
            item
            for item in self.after.items
            if any(each in new and each.severity is self.severity for each in item.findings)
        )

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
    yield _first_line(found, pen)
    yield from _draw_notices(found, pen)
    yield _now(found)
    yield from _looks(found, pen)
    for change in found.changes:
        yield from _draw_change(change, pen)
    if found.fates or found.losses:
        yield from _draw_lost(found, pen)
    elif found.after.guess.topology != "parked":
        yield "  nobody is known to send, so that nobody is known to lose mail: see --sender"
    if found.losses:
        yield from _draw_losses(found.losses, pen)
    if found.fates:
        yield f"  {pen.paint('who may send', None, bold=True)}"
        yield from (f"    {line}" for line in draw_fact(draw(found.fates), pen))
    if found.more:
        yield f"    and {found.more} more addresses of the SPF record, which are not looked at"
    yield from _draw_difference(found, pen)


def _first_line(found: Simulation, pen: Pen) -> str:
    """Say how bad it is, and the first reason for it: one that the change brings, if any does."""
    subject = f"{found.domain} after the change"
    if found.after.severity is found.severity and not (found.lost and not found.news):
        return headline(found.severity, subject, found.news or found.after.items, pen)
    reason = "it looks like something else than now"
    if found.lost:
        reason = f"mail from {found.lost[0]} would be lost"
    elif found.severity is Severity.UNKNOWN:
        reason = "DNS could not say all"
        if found.is_anybodys_guess:
            reason = "whose mail would be lost cannot be told"
    elif found.standard.is_handover:
        reason = "others take its mail than now"
    return draw_verdict(found.severity, f"{pen.paint(subject, None, bold=True)}: {reason}", pen)


def _now(found: Simulation) -> str:
    """Say how bad it is now, and whether the first line tells of nothing else."""
    before, items = found.before, found.after.items
    is_old = found.after.severity is found.severity and not found.news and not found.lost
    same = ", for the same reason" if is_old and items else ""
    return f"    now: {MARKS[before.severity]} {before.severity.word}{same}"


def _draw_notices(found: Simulation, pen: Pen) -> Iterator[str]:
    """Say who else would take the mail, and what is not known."""
    standard = found.standard
    if standard.notice:
        way_out = (
            f" If that is meant, say --topology {standard.way_out}." if standard.way_out else ""
        )
        colour = "red" if standard.is_handover else "yellow"
        lines = pen.wrap(f"{standard.notice}{way_out}", "    ", "      ")
        yield from (pen.paint(line, colour, bold=True) for line in lines)
    for doubt in found.doubts:
        yield from pen.wrap(doubt, f"    {MARKS[Severity.UNKNOWN]} ", "      ")


def _looks(found: Simulation, pen: Pen) -> Iterator[str]:
    now, then = found.before.guess.title, found.after.guess.title
    text = f"looks like: {now}" + (f"; then like: {then}" if then != now else "")
    yield from pen.wrap(text, "    ", "      ")
    if found.meant:
        text = f"is meant to be {found.meant}: {TOPOLOGIES[found.meant].title}"
        yield from pen.wrap(text, "    ", "      ")
    if found.after.left_out:
        yield from pen.wrap(left_out(found.after.left_out), "    ", "      ")


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
        if not any(one.is_lost for one in found.losses):
            yield "  no sender that is known would lose mail for certain"
        return
    yield pen.paint(f"  would fail: {len(lost)} of {len(found.fates)} senders", "red", bold=True)
    for one in lost:
        row = one.after
        text = f"{PeerText(one.sender)}: {one.becomes}. SPF: {row.spf_aligned.why}."
        yield from pen.wrap(f"{text} DKIM: {row.dkim.why}.", "    ✗ ", "      ")


def _draw_losses(losses: tuple[Loss, ...], pen: Pen) -> Iterator[str]:
    """Name the terms of the SPF record that are dropped, and what becomes of mail from there."""
    count = f"{len(losses)} {'term' if len(losses) == 1 else 'terms'} of the record of now"
    colour = "red" if losses[0].is_lost else "yellow"
    yield pen.paint(f"  would not pass SPF any more: {count}", colour, bold=True)
    for one in losses[:_MOST_LOSSES]:
        mark = MARKS[Severity.CRITICAL if one.is_lost else Severity.WARNING]
        yield from pen.wrap(f"{one.subject}: {one.becomes}.", f"    {mark} ", "      ")
    if len(losses) > _MOST_LOSSES:
        yield f"      and {len(losses) - _MOST_LOSSES} more"


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
