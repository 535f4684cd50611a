"""What does a rule or an alert mean, and what is to be done?"""

import inspect
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import click

from agent.cli.draw import Pen, draw_verdict, join
from agent.domain.finding import Rule, Severity
from agent.exposition.runbooks import Runbook, Shelf
from agent.exposition.runbooks.as_data import as_data
from agent.exposition.runbooks.markup import Block, Items, Listing, Paragraph, Span, spans
from agent.probes.base import SHARED_RULES, Probe, discover

_SEVERITY = {"info": Severity.OK} | {severity.word: severity for severity in Severity}


@click.command("explain")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of text.")
def command(*, name: str | None, as_json: bool) -> None:
    """Explain a rule or an alert: meaning, impact, diagnosis, mitigation, escalation.

    NAME is the code of a rule (spf-missing), or the name of an alert or of its page
    (MailflowRouteDown, route-down). Without it, list every rule; with the kind of a probe (spf, mx,
    ...), explain the probe.
    """
    pen = Pen.of_terminal(colour=sys.stdout.isatty())
    probes = {probe.kind: probe for probe in discover()}
    data: Any
    lines: Iterable[str]
    if name is None:
        rules = _rules().values()
        data = [_declared(rule) for rule in rules]
        lines = (f"{rule.code:34} {rule.severity.word:9} {rule.summary}" for rule in rules)
    elif name in probes:
        data, lines = _probe_as_data(probes[name]), _probe(probes[name], pen)
    else:
        book = _found(Shelf(probes.values()), name, *probes)
        data, lines = as_data(book), _runbook(book, pen)
    click.echo(json.dumps(data, indent=2) + "\n" if as_json else join(lines), nl=False)


def _rules() -> dict[str, Rule]:
    rules = {rule.code: rule for probe in discover() for rule in probe.rules}
    return rules | {rule.code: rule for rule in SHARED_RULES}


def _found(shelf: Shelf, name: str, *kinds: str) -> Runbook:
    book = shelf.find(name)
    if book is None:
        near = shelf.near(name, *kinds)
        hint = f"did you mean {', '.join(near)}?" if near else "`explain` alone lists all."
        message = f"there is no rule or alert {name!r}; {hint}"
        raise click.UsageError(message)
    return book


def _declared(rule: Rule) -> dict[str, str]:
    return {"name": rule.code, "severity": rule.severity.word, "summary": rule.summary}


def _runbook(book: Runbook, pen: Pen) -> Iterator[str]:
    title = f"{book.name}: {book.title}"
    yield draw_verdict(_SEVERITY[book.severity], title, pen)
    if book.rule is not None:
        yield from pen.wrap(f"What to do: {book.rule.remedy}", "  ", "  ")
    for section, blocks in book.sections.items():
        yield ""
        yield pen.paint(section, None, bold=True)
        for before, block in zip((None, *blocks), blocks, strict=False):
            leads = isinstance(before, Paragraph) and isinstance(block, Listing)
            if before is not None and not leads:
                yield ""
            yield from _block(block, pen)


def _block(block: Block, pen: Pen) -> Iterator[str]:
    match block:
        case Paragraph():
            yield from pen.wrap(_plain(block.text), "  ", "  ")
        case Items():
            for number, item in enumerate(block.items, 1):
                sign = f"{number}." if block.ordered else "-"
                yield from pen.wrap(_plain(item), f"  {sign} ", " " * (len(sign) + 3))
        case Listing():
            # Never wrapped: a line is to be copied as it is.
            yield from (f"      {pen.paint(line, 'cyan')}" for line in block.lines)


def _plain(text: str) -> str:
    return "".join(map(_span, spans(text)))


def _span(span: Span) -> str:
    if span.sort == "code":
        return f"`{span.text}`"
    if span.sort == "link" and span.target != span.text:
        return f"{span.text} ({span.target})"
    return span.text


def _probe(probe: Probe[Any, Any], pen: Pen) -> Iterator[str]:
    yield from _about(probe).splitlines()
    yield ""
    yield f"Rules of {probe.kind}:"
    for rule in probe.rules:
        yield f"  {draw_verdict(rule.severity, rule.code, pen)}"
        yield from pen.wrap(rule.summary, " " * 13, " " * 13)


def _probe_as_data(probe: Probe[Any, Any]) -> dict[str, Any]:
    rules = [_declared(rule) for rule in probe.rules]
    return {
        "probe": probe.kind,
        "subject": probe.subject.kind,
        "about": _about(probe),
        "rules": rules,
    }


def _about(probe: Probe[Any, Any]) -> str:
    return inspect.getdoc(inspect.getmodule(probe.run)) or ""
