"""What does a rule mean, and what is to be done?"""

import difflib
import inspect
import sys
from collections.abc import Iterator

import click

from agent.cli.draw import Pen, draw_verdict, join
from agent.domain.finding import Rule
from agent.probes.base import SHARED_RULES, Probe, discover


@click.command("explain")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Explain a rule: what it means, what to do, and where it comes from.

    Without a CODE, list every rule; with the kind of a probe (spf, mx, ...), explain the probe.
    """
    pen = Pen.of_terminal(colour=sys.stdout.isatty())
    click.echo(join(_explain(code, pen)), nl=False)


def _explain(code: str | None, pen: Pen) -> Iterator[str]:
    rules = {rule.code: rule for probe in discover() for rule in probe.rules}
    rules |= {rule.code: rule for rule in SHARED_RULES}
    probes = {probe.kind: probe for probe in discover()}
    if code is None:
        yield from (
            f"{rule.code:34} {rule.severity.word:9} {rule.summary}" for rule in rules.values()
        )
    elif code in rules:
        yield from _rule(rules[code], pen)
    elif code in probes:
        yield from _probe(probes[code], pen)
    else:
        near = difflib.get_close_matches(code, [*rules, *probes], n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "`explain` alone lists all."
        message = f"there is no rule {code!r}; {hint}"
        raise click.UsageError(message)


def _rule(rule: Rule, pen: Pen) -> Iterator[str]:
    yield draw_verdict(rule.severity, f"{rule.code}: {rule.summary}", pen)
    yield ""
    yield from pen.wrap(rule.remedy, "  What to do: ", "  ")
    yield from pen.wrap(rule.reference, "  Comes from: ", "  ")


def _probe(probe: "Probe[object, object]", pen: Pen) -> Iterator[str]:  # type: ignore[type-var]
    yield from (inspect.getdoc(inspect.getmodule(probe.run)) or "").splitlines()
    yield ""
    yield f"Rules of {probe.kind}:"
    for rule in probe.rules:
        yield f"  {draw_verdict(rule.severity, rule.code, pen)}"
        yield from pen.wrap(rule.summary, " " * 13, " " * 13)
