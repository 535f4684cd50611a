"""How is the mail of any domain doing, right now, and what is to be mended first?

No configuration is needed.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from typing import Any

import click

from agent.adapters.trust import TrustStore
from agent.cli.draw import Pen, draw_fact, draw_run, join
from agent.cli.draw_priority import draw_items, draw_kinds, headline, items_as_json
from agent.cli.exits import exit_for
from agent.cli.looking import Looked, look, public_probes, read_names
from agent.cli.resolvers import Server, option, resolving
from agent.cli.senders import left_out, senders_option
from agent.cli.sight import doubts, unless_doubted
from agent.cli.toolbox import lending
from agent.domain.finding import Severity
from agent.exposition.as_json import outcome_as_json
from agent.probes import exchange
from agent.runtime.board import Run

_SKETCH = 24  # characters of the progress bar


@click.command("check")
@click.argument("domains", nargs=-1, required=True, metavar="DOMAIN...")
@option
@senders_option
@click.option(
    "--walk",
    "walks",
    is_flag=True,
    help="Also walk every exchange over SMTP, without a message; needs port 25 open from here.",
)
@click.option("--brief", is_flag=True, help="Findings only: no records, trees and tables.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of text.")
def command(  # noqa: PLR0913 - the options of one command, by keyword
    *,
    domains: tuple[str, ...],
    servers: tuple[Server, ...],
    senders: tuple[str, ...],
    walks: bool,
    brief: bool,
    as_json: bool,
) -> int:
    """Check all that DNS says of the mail of any DOMAIN, now, and what to mend first.

    What the domain looks like is guessed from its records, and it is held against that. The list
    puts first what loses mail, then what lets others in; the records follow, one probe after the
    other. With --walk its exchanges are met over SMTP as well: reachability, STARTTLS, certificate.
    The exit code is that of a monitoring plugin: 0 ok, 1 warning, 2 critical, 3 unknown.

    \b
    Examples:
      mailflow-agent check example.com
      mailflow-agent check example.com example.net --brief
      mailflow-agent check example.com --sender 192.0.2.25 --sender mailchimp
    """  # noqa: D301 - click wants the character
    looked = asyncio.run(_look(read_names(domains), servers, senders, walks=walks))
    if as_json:
        click.echo(json.dumps([_as_json(each) for each in looked], indent=2))
    else:
        pen = Pen.of_terminal(colour=sys.stdout.isatty())
        click.echo(join(as_text(looked, pen, facts=not brief)), nl=False)
    return exit_for(max(each.severity for each in looked))


async def _look(
    names: tuple[str, ...], servers: tuple[Server, ...], senders: tuple[str, ...], *, walks: bool
) -> tuple[Looked, ...]:
    probes = (*public_probes(), *((exchange.PROBE,) if walks else ()))
    progress = _Progress(len(names) * len(probes))
    trust = await TrustStore.load()
    async with resolving(servers) as resolver, lending(resolver, trust) as tools:
        looked, doubt = await asyncio.gather(
            look(names, tools, probes, senders=senders, on_run=progress.advance),
            doubts(resolver, names),
        )
    progress.end()
    doubt.tell()
    return tuple(unless_doubted(each, doubt) for each in looked)


class _Progress:
    """A line that moves while many domains are looked at; on a terminal only."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._shown = sys.stderr.isatty()

    def advance(self, run: Run) -> None:
        self._done += 1
        if self._shown:
            filled = _SKETCH * self._done // self._total
            bar = "█" * filled + "·" * (_SKETCH - filled)
            text = f"\r{bar} {self._done}/{self._total} {run.check.subject:.40}\033[K"
            click.echo(text, nl=False, err=True)

    def end(self) -> None:
        if self._shown:
            click.echo("\r\033[K", nl=False, err=True)


def as_text(looked: tuple[Looked, ...], pen: Pen, *, facts: bool) -> Iterator[str]:
    """Return the lines of the answer, with what each probe saw where *facts* are wanted."""
    for each in looked:
        yield headline(each.severity, each.domain, each.items, pen)
        yield from pen.wrap(f"looks like: {each.guess.title}", "    ", "      ")
        if each.left_out:
            yield from pen.wrap(left_out(each.left_out), "    ", "      ")
        yield from draw_items(each.items, pen)
        if facts:
            yield from _draw_facts(each, pen)
        else:
            yield draw_kinds(each.outcomes, pen)
        yield ""
    if len(looked) > 1:
        counts = dict.fromkeys(Severity, 0)
        for each in looked:
            counts[each.severity] += 1
        said_of = (f"{count} {severity.word}" for severity, count in counts.items() if count)
        yield f"{len(looked)} domains: {', '.join(said_of)}"


def _draw_facts(looked: Looked, pen: Pen) -> Iterator[str]:
    """Return what each probe saw."""
    for kind, outcome in looked.outcomes.items():
        yield ""
        yield from (f"  {line}" for line in draw_run(outcome, kind, pen))
        for title, fact in outcome.facts.items():
            yield f"    {pen.paint(title, None, bold=True)}"
            yield from (f"      {line}" for line in draw_fact(fact, pen))


def _as_json(looked: Looked) -> dict[str, Any]:
    return {
        "domain": looked.domain,
        "severity": looked.severity.word,
        "looks_like": {"topology": looked.guess.topology, "title": looked.guess.title},
        "left_out": list(looked.left_out),
        "findings": items_as_json(looked.items),
        "checks": {kind: outcome_as_json(outcome) for kind, outcome in looked.outcomes.items()},
    }
