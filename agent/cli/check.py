"""How is the mail of any domain doing, right now? No configuration needed."""

import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from agent.adapters.trust import TrustStore
from agent.cli.draw import Pen, draw_outcome, draw_verdict, join
from agent.cli.exits import exit_for
from agent.cli.resolvers import Server, option, resolving
from agent.cli.toolbox import lending
from agent.domain.finding import Outcome, Severity
from agent.domain.lookup import Answer, Exchange, Query, Reply
from agent.domain.names import DomainName
from agent.exposition.as_json import outcome_as_json
from agent.probes import exchange
from agent.probes.base import Check, Probe, discover
from agent.runtime.board import Run
from agent.runtime.dependencies import Dependencies
from agent.runtime.lane import Limits
from agent.runtime.runner import Runner
from agent.settings import DomainSubject

AT_ONCE = 50  # runs
_OF_DNS = ("mx", "spf")
_NULL_MX = Exchange(0, "")  # RFC 7505 section 3
_SKETCH = 24  # characters of the progress bar


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of one domain: an outcome for each probe, by kind."""

    domain: str
    outcomes: dict[str, Outcome]

    @property
    def severity(self) -> Severity:
        """The worst of them."""
        return max(outcome.severity for outcome in self.outcomes.values())


@click.command("check")
@click.argument("domains", nargs=-1, required=True, metavar="DOMAIN...")
@option
@click.option(
    "--walk",
    "walks",
    is_flag=True,
    help="Also walk every exchange over SMTP, without a message; needs port 25 open from here.",
)
@click.option("--brief", is_flag=True, help="Findings only: no records, trees and tables.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of text.")
def command(
    *,
    domains: tuple[str, ...],
    servers: tuple[Server, ...],
    walks: bool,
    brief: bool,
    as_json: bool,
) -> int:
    """Check the DNS side of any DOMAIN, now: SPF and MX in full depth, with remedies.

    With --walk its exchanges are met over SMTP as well: reachability, STARTTLS, certificate.
    The exit code is that of a monitoring plugin: 0 ok, 1 warning, 2 critical, 3 unknown.
    """
    names = _parse(domains)
    looked = asyncio.run(_look(names, servers, walks=walks))
    if as_json:
        click.echo(json.dumps([_as_json(each) for each in looked], indent=2))
    else:
        pen = Pen.of_terminal(colour=sys.stdout.isatty())
        click.echo(join(_as_text(looked, pen, facts=not brief)), nl=False)
    return exit_for(max(each.severity for each in looked))


def _parse(domains: tuple[str, ...]) -> tuple[str, ...]:
    """Read the names; every one that is wrong is told at once."""
    names, wrong = [], []
    for domain in domains:
        try:
            names.append(DomainName.parse(domain).ascii)
        except ValueError as error:
            wrong.append(f"{domain!r} {error}")
    if wrong:
        raise click.UsageError("\n       ".join(wrong))
    return tuple(dict.fromkeys(names))


async def _look(
    names: tuple[str, ...], servers: tuple[Server, ...], *, walks: bool
) -> tuple[Looked, ...]:
    kinds = (*_OF_DNS, exchange.PROBE.kind) if walks else _OF_DNS
    probes = [probe for probe in discover() if probe.kind in kinds]
    trust = await TrustStore.load() if walks else None
    done: dict[str, dict[str, Outcome]] = {name: {} for name in names}
    progress = _Progress(len(names) * len(probes))

    def publish(run: Run) -> None:
        done[run.check.subject][run.check.probe.kind] = run.outcome
        progress.advance(run.check.subject)

    async with resolving(servers) as resolver, lending(resolver, trust) as tools:
        runner = Runner(tools, publish, Dependencies(()), Limits(AT_ONCE, AT_ONCE))
        replies = await resolver.resolve_all(tuple(Query(name, "MX") for name in names))
        subjects = map(_subject, names, replies)
        checks = (_check(subject, probe) for subject in subjects for probe in probes)
        await asyncio.gather(*map(runner.run, checks))
    progress.end()
    return tuple(Looked(name, dict(sorted(done[name].items()))) for name in names)


def _subject(name: str, mx: Reply) -> DomainSubject:
    """Expect nothing of a stranger's domain, but that it means what it says by a null MX."""
    parked = isinstance(mx, Answer) and mx.records == (_NULL_MX,)
    return DomainSubject(name=name, topology="parked" if parked else "custom")


def _check(subject: DomainSubject, probe: Probe[Any, Any]) -> Check[Any, Any]:
    return Check("", subject, probe, probe.settings())


class _Progress:
    """A line that moves while many domains are looked at; on a terminal only."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._shown = sys.stderr.isatty()

    def advance(self, name: str) -> None:
        self._done += 1
        if self._shown:
            filled = _SKETCH * self._done // self._total
            bar = "█" * filled + "·" * (_SKETCH - filled)
            click.echo(f"\r{bar} {self._done}/{self._total} {name:.40}\033[K", nl=False, err=True)

    def end(self) -> None:
        if self._shown:
            click.echo("\r\033[K", nl=False, err=True)


def _as_text(looked: tuple[Looked, ...], pen: Pen, *, facts: bool) -> Iterator[str]:
    for each in looked:
        yield draw_verdict(each.severity, pen.paint(each.domain, None, bold=True), pen)
        for kind, outcome in each.outcomes.items():
            yield f"  {draw_verdict(outcome.severity, kind, pen)}"
            yield from draw_outcome(outcome, pen, facts=facts)
        yield ""
    if len(looked) > 1:
        counts = dict.fromkeys(Severity, 0)
        for each in looked:
            counts[each.severity] += 1
        said = (f"{count} {severity.word}" for severity, count in counts.items() if count)
        yield f"{len(looked)} domains: {', '.join(said)}"


def _as_json(looked: Looked) -> dict[str, Any]:
    return {
        "domain": looked.domain,
        "severity": looked.severity.word,
        "checks": {kind: outcome_as_json(outcome) for kind, outcome in looked.outcomes.items()},
    }
