"""What would a planned change of a domain's DNS do to its mail?

Live DNS with the change laid over it: every probe looks at the domain as it is and as it would be.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from agent.adapters.plans import drive
from agent.adapters.trust import TrustStore
from agent.cli.draw import Pen, join
from agent.cli.draw_simulation import Simulation, as_text
from agent.cli.exits import Exit, exit_for
from agent.cli.laying_over import laid_over
from agent.cli.looking import read_names
from agent.cli.planned_policy import read_policy
from agent.cli.resolvers import Server, option, resolving
from agent.cli.senders import senders_option
from agent.cli.sight import doubts
from agent.cli.simulating import Declared, simulate
from agent.cli.simulation_as_json import as_json
from agent.cli.toolbox import lending
from agent.cli.topologies import topology_option
from agent.domain import planned
from agent.domain.mta_sts_policy import Document
from agent.domain.planned import PlanError, SilentError, Wishes

_MARGIN = 2  # spaces before a record in a message


class _Reading(click.ParamType[Any]):
    """Reads an option's text, and shows where it is wrong."""

    def __init__(self, name: str, read: Callable[[str], object]) -> None:
        self.name, self._read = name, read

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        try:
            return self._read(str(value))
        except PlanError as error:
            self.fail(_told(error), param, ctx)


def _told(error: PlanError) -> str:
    """Say what is wrong with a planned record, with a mark under the place."""
    lines = [error.problem]
    if error.position >= 0:
        lines[0] = f"at character {error.position + 1}: {error.problem}"
        shown = "".join(one if one.isprintable() else "?" for one in error.text)
        lines += [" " * _MARGIN + shown, " " * (_MARGIN + error.position) + "^"]
    return "\n".join((*lines, error.hint) if error.hint else lines)


@click.command("simulate")
@click.argument("domain")
@click.option(
    "--dmarc",
    type=_Reading("policy or record", planned.read_dmarc),
    metavar="POLICY|RECORD",
    help="The DMARC record. `none`, `quarantine` or `reject` changes the policy alone.",
)
@click.option("--spf", type=_Reading("record", planned.read_spf), help="The whole SPF record.")
@click.option(
    "--mx",
    multiple=True,
    type=_Reading("preference host", planned.read_mx),
    metavar="'PREF HOST'",
    help="An MX record; repeat it, for all of them. '0 .' for a domain that takes no mail.",
)
@click.option(
    "--dkim",
    multiple=True,
    type=_Reading("selector=record", planned.read_dkim),
    metavar="SELECTOR=RECORD",
    help="A DKIM key record, or the name that the selector is an alias for; repeat it.",
)
@click.option(
    "--tls-rpt",
    "--tlsrpt",
    type=_Reading("record", planned.read_tls_rpt),
    help="The record for TLS reports.",
)
@click.option(
    "--mta-sts-policy",
    "policy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The file that the policy's host would serve, under an id of its own.",
)
@topology_option
@option
@senders_option
@click.option("--json", "is_json", is_flag=True, help="Write JSON instead of text.")
def command(  # noqa: PLR0913 - the options of one command, by keyword
    *,
    domain: str,
    servers: tuple[Server, ...],
    senders: tuple[str, ...],
    meant: str | None,
    policy: Path | None,
    is_json: bool,
    **texts: Any,
) -> int:
    """Say what a planned change of DOMAIN's records would do, before anybody makes it.

    DNS is asked as it is now, and the change is laid over it. The answer names who would lose mail
    first, then what is mended, what gets worse and what stays. Nothing is changed.

    The change is held against what the domain looks like now: whoever takes its mail today is
    expected to take it afterwards, and whoever its SPF record lets pass to go on sending. For a
    move to another topology, say --topology.

    The exit code is that of the state after the change: 0 ok, 1 warning, 2 critical, 3 unknown.

    \b
    Examples:
      mailflow-agent simulate example.com --dmarc reject
      mailflow-agent simulate example.com --spf 'v=spf1 include:spf.protection.outlook.com -all'
      mailflow-agent simulate example.com --topology exchange-online \\
        --mx '0 example-com.mail.protection.outlook.com'
      mailflow-agent simulate example.com --dmarc reject --sender 192.0.2.25 --sender mailchimp
    """  # noqa: D301 - click wants the character
    (name,) = read_names((domain,))
    document = read_policy(policy) if policy is not None else None
    wishes = _wishes(texts, datetime.now().astimezone(), has_policy=document is not None)
    if wishes == Wishes():
        message = "say what is planned, such as --dmarc reject; --help shows examples"
        raise click.UsageError(message)
    declared = Declared(senders, tuple(wishes.dkim), meant or "")
    try:
        found = asyncio.run(_simulate(name, servers, wishes, document, declared))
    except SilentError as error:
        click.echo(f"the change {error.problem}", err=True)
        return Exit.UNKNOWN
    except PlanError as error:
        message = f"the change {error.problem}"
        raise click.UsageError(message) from None
    if is_json:
        click.echo(json.dumps(as_json(found), indent=2))
    else:
        click.echo(join(as_text(found, Pen.of_terminal(colour=sys.stdout.isatty()))), nl=False)
    return exit_for(found.severity)


def _wishes(texts: dict[str, Any], now: datetime, *, has_policy: bool) -> Wishes:
    """Put together what is planned."""
    return Wishes(
        spf=texts["spf"],
        dmarc=texts["dmarc"],
        mx=texts["mx"],
        dkim=dict(texts["dkim"]),
        tls_rpt=texts["tls_rpt"],
        mta_sts=f"v=STSv1; id={now:%Y%m%d%H%M%S}" if has_policy else None,
    )


async def _simulate(
    name: str,
    servers: tuple[Server, ...],
    wishes: Wishes,
    document: Document | None,
    declared: Declared,
) -> Simulation:
    trust = await TrustStore.load()
    async with resolving(servers) as resolver, lending(resolver, trust) as tools:
        doubt = await doubts(resolver, (name,))
        if doubt.names:
            message = f"has nothing to be laid over. {doubt.sentence}"
            raise SilentError(message)
        doubt.tell()
        changes = await drive(planned.changes(name, wishes), resolver)
        over = {change.query: change.planned for change in changes}
        then = laid_over(tools, over, name, document)
        return await simulate(name, tools, then, changes, declared)
