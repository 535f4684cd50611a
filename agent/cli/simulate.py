"""What would a planned change of a domain's DNS do to its mail?

Live DNS with the change laid over it: every probe looks at the domain as it is and as it would be.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from agent.adapters.https import Https
from agent.adapters.plans import Recall, drive
from agent.adapters.policies import KEEP, Found, Policies
from agent.adapters.resolver import Resolver
from agent.adapters.trust import TrustStore
from agent.cli.draw import Pen, join
from agent.cli.draw_simulation import Simulation, as_json, as_text
from agent.cli.exits import Exit, exit_for
from agent.cli.looking import Looked, guessed, look, public_probes, read_names
from agent.cli.resolvers import Server, option, resolving
from agent.cli.senders import senders_option
from agent.cli.sight import doubts
from agent.cli.toolbox import lending
from agent.domain import planned
from agent.domain.lookup import Plan, Query
from agent.domain.mta_sts_policy import Document, parse
from agent.domain.mta_sts_terms import describe
from agent.domain.overlay import Planned, overlay
from agent.domain.planned import PlanError, SilentError, Wishes
from agent.domain.simulation import Fate, fates, mail, selectors_to_declare
from agent.probes.base import Toolbox

T = TypeVar("T")
_WITHIN = timedelta(seconds=10)
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
@option
@senders_option
@click.option("--json", "is_json", is_flag=True, help="Write JSON instead of text.")
def command(
    *,
    domain: str,
    servers: tuple[Server, ...],
    senders: tuple[str, ...],
    policy: Path | None,
    is_json: bool,
    **texts: Any,
) -> int:
    """Say what a planned change of DOMAIN's records would do, before anybody makes it.

    DNS is asked as it is now, and the change is laid over what it says. The answer names who would
    lose mail first, then what is mended, what gets worse and what stays. Nothing is changed.

    The exit code is that of the state after the change: 0 ok, 1 warning, 2 critical, 3 unknown.

    \b
    Examples:
      mailflow-agent simulate example.com --dmarc reject
      mailflow-agent simulate example.com --spf 'v=spf1 include:spf.protection.outlook.com -all'
      mailflow-agent simulate example.com --mx '0 example-com.mail.protection.outlook.com'
      mailflow-agent simulate example.com --dmarc reject --sender 192.0.2.25 --sender mailchimp
    """  # noqa: D301 - click wants the character
    (name,) = read_names((domain,))
    document = _read_policy(policy) if policy is not None else None
    wishes = _wishes(texts, datetime.now().astimezone(), has_policy=document is not None)
    if wishes == Wishes():
        message = "say what is planned, such as --dmarc reject; --help shows examples"
        raise click.UsageError(message)
    try:
        found = asyncio.run(_simulate(name, servers, senders, wishes, document))
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
    return exit_for(found.after.severity)


def _wishes(texts: dict[str, Any], now: datetime, *, has_policy: bool) -> Wishes:
    return Wishes(
        spf=texts["spf"],
        dmarc=texts["dmarc"],
        mx=texts["mx"],
        dkim=dict(texts["dkim"]),
        tls_rpt=texts["tls_rpt"],
        mta_sts=f"v=STSv1; id={now:%Y%m%d%H%M%S}" if has_policy else None,
    )


def _read_policy(path: Path) -> Document:
    document = parse(path.read_bytes())
    if document.policy is None:
        message = f"{path}: {describe(document.faults[0], 'line')}"
        raise click.BadParameter(message, param_hint="--mta-sts-policy")
    return document


async def _simulate(
    name: str,
    servers: tuple[Server, ...],
    senders: tuple[str, ...],
    wishes: Wishes,
    document: Document | None,
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
        policies = tools.policies if document is None else _Served(tools, name, document)
        recall = _LaidOver(resolver, over)
        then = replace(tools, recall=recall, policies=policies)
        seen = await simulate(name, tools, then, senders, tuple(wishes.dkim))
    return Simulation(name, changes, *seen)


async def simulate(
    name: str, now: Toolbox, then: Toolbox, senders: tuple[str, ...], selectors: tuple[str, ...]
) -> tuple[Looked, Looked, tuple[Fate, ...]]:
    """Look at *name* by the tools that see the world as it is, and as it would be.

    *selectors* are those for which keys are planned.
    """
    if not senders:
        # Whoever is dropped from SPF goes on sending, for all that anybody knows.
        guesses = await asyncio.gather(guessed(name, now), guessed(name, then))
        senders = tuple(dict.fromkeys(one for each in guesses for one in each.senders))
    selectors = selectors_to_declare(selectors, senders)
    probes = public_probes()
    (before,), (after,), was, becomes = await asyncio.gather(
        look((name,), now, probes, senders=senders),
        look((name,), then, probes, "planned", senders=senders, dkim_selectors=selectors),
        now.recall.derive(f"{name}#mail", None, lambda: mail(name, senders, ())),
        then.recall.derive(f"{name}#mail", None, lambda: mail(name, senders, selectors)),
    )
    return before, after, fates(was, becomes)


class _LaidOver(Recall):
    """Runs plans with changes laid over what the resolver says."""

    def __init__(self, resolver: Resolver, changes: Mapping[Query, Planned]) -> None:
        super().__init__(resolver)
        self._changes = changes

    async def derive(self, key: str, owner: object, make: Callable[[], Plan[T]]) -> T:
        return await super().derive(key, owner, lambda: overlay(make(), self._changes))


class _Served(Policies):
    """Says of one domain what its policy's host would serve."""

    def __init__(self, tools: Toolbox, domain: str, document: Document) -> None:
        super().__init__(
            Https(resolver=tools.resolver, dialer=tools.dialer, trust=tools.trust), tools.clock
        )
        self._found = Found(document.policy, document=document)
        self._domain = domain

    async def of(
        self, domain: str, version: str, within: timedelta = _WITHIN, keep: timedelta = KEEP
    ) -> Found:
        if domain == self._domain:
            return self._found
        return await super().of(domain, version, within, keep)
