"""Which step is missing until a route works?"""

import asyncio
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import click

from agent.adapters.trust import TrustStore
from agent.app.doctor import Doctor, Step, alone
from agent.app.mailroom import Mailroom
from agent.app.options import Overrides, pairs
from agent.cli.configuration import config_option, read
from agent.cli.connector import read_roots, trust_option
from agent.cli.draw import Pen, draw_outcome, draw_verdict, join
from agent.cli.exits import Exit, exit_for
from agent.cli.resolvers import Server, option, resolving
from agent.cli.toolbox import lending
from agent.config import Config
from agent.config.words import did_you_mean
from agent.domain.finding import Outcome
from agent.exposition.as_json import outcome_as_json
from agent.exposition.server import ListenError
from agent.probes.base import Check
from agent.probes.route import PROBE, RouteCheck, RouteSettings
from agent.settings import RouteSubject

_MARKS = {"good": ("✓", "green"), "bad": ("✗", "red"), "unknown": ("?", "magenta")}
_EXITS = {"good": Exit.OK, "unknown": Exit.UNKNOWN, "bad": Exit.CRITICAL}


@click.command("doctor")
@click.argument("route")
@config_option
@click.option("--send", is_flag=True, help="Send one message in the end, and follow it.")
@option
@trust_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of text.")
def command(  # noqa: PLR0913 - an option each
    *,
    route: str,
    path: Path,
    send: bool,
    servers: tuple[Server, ...],
    roots: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Walk the steps of ROUTE one by one, and say what to do at each that fails.

    Secrets, token, the server that takes the message, the mailbox where it arrives. No message is
    sent unless --send is given and no step failed. The exit code is that of a monitoring plugin.
    """
    config = read(path)
    check = _chosen(config, route, path)
    pen = Pen.of_terminal(colour=sys.stdout.isatty())
    steps, outcome = asyncio.run(
        _walk(config, check, servers, read_roots(roots), send=send, pen=None if as_json else pen)
    )
    if as_json:
        data: dict[str, Any] = {"route": route, "steps": [asdict(step) for step in steps]}
        if outcome is not None:
            data["message"] = outcome_as_json(outcome)
        click.echo(json.dumps(data, indent=2))
    worst = max((_EXITS[step.verdict] for step in steps), key=_rank, default=Exit.OK)
    return worst if outcome is None else max(worst, exit_for(outcome.severity), key=_rank)


def _rank(code: int) -> int:
    """Order exit codes as severities are: critical is worst, then unknown."""
    return [Exit.OK, Exit.WARNING, Exit.UNKNOWN, Exit.CRITICAL].index(Exit(code))


def _chosen(config: Config, route: str, path: Path) -> RouteCheck:
    checks = {each.subject: each for each in config.checks if each.probe is PROBE}
    if route not in checks:
        known = ", ".join(sorted(checks)) or "none"
        message = (
            f"{path} has no route {route!r}{did_you_mean(route, tuple(checks))}; known: {known}"
        )
        raise click.UsageError(message)
    return cast("Check[RouteSubject, RouteSettings]", checks[route])


async def _walk(  # noqa: PLR0913 - the options of the command
    config: Config,
    check: RouteCheck,
    servers: tuple[Server, ...],
    trust: TrustStore,
    *,
    send: bool,
    pen: Pen | None,
) -> tuple[list[Step], Outcome | None]:
    """Walk, showing each step on *pen* as it ends."""
    steps: list[Step] = []
    outcome = None
    async with resolving(servers) as resolver, lending(resolver, trust) as tools:
        assert tools.wallet is not None  # noqa: S101 - the toolbox of commands has one
        tools.wallet.replace(pairs(config))
        mailroom = Mailroom(tools, Overrides())
        mailroom.log_in(config)
        try:
            async for step in Doctor(config, check, tools, mailroom).examine():
                if pen is not None:
                    click.echo(join(_draw(_shortened(step, steps), pen)), nl=False)
                steps.append(step)
            if send and all(step.verdict != "bad" for step in steps):
                outcome = await _send(alone(config, check), check, mailroom, pen)
        finally:
            await mailroom.close()
    return steps, outcome


async def _send(
    config: Config, check: RouteCheck, mailroom: Mailroom, pen: Pen | None
) -> Outcome | None:
    """Send one message as the daemon does, and show what became of it."""
    if pen is not None:
        click.echo("… sending one message, and waiting for it")
    await mailroom.tools.ledger.start()  # so that nobody can make up its tokens
    try:
        await mailroom.open_sink(config)
    except ListenError as error:
        message = f"{error}; is the agent running?"
        raise click.ClickException(message) from None
    mailroom.apply(config)
    await mailroom.opened(check.target)
    outcome = await check.probe.run(check, mailroom.tools)
    if pen is not None:
        lines = (draw_verdict(outcome.severity, check.subject, pen), *draw_outcome(outcome, pen))
        click.echo(join(lines), nl=False)
    return outcome


def _shortened(step: Step, told: list[Step]) -> Step:
    """Return *step* without what was told of an earlier one that failed of the same."""
    for earlier in told:
        is_same = earlier.detail in step.detail and earlier.fix in step.detail + step.fix
        if is_same and earlier.fix and earlier.verdict == step.verdict == "bad":
            place = "" if earlier.name == step.name else f", at {earlier.name}"
            return replace(step, detail=f"as above{place}", fix="")
    return step


def _draw(step: Step, pen: Pen) -> list[str]:
    mark, colour = _MARKS[step.verdict]
    lines = [f"{pen.paint(mark, colour, bold=True)} {step.name}"]
    lines += pen.wrap(step.detail, "    ", "    ")
    if step.fix and step.verdict != "good":
        lines += pen.wrap(step.fix, "    → ", "      ")
    return lines
