"""Would Exchange Online deliver there, right now? For a connector of the file, or any server."""

import asyncio
import json
import sys
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import click

from agent.adapters.trust import TrustStore
from agent.cli.configuration import config_option, read
from agent.cli.draw import Pen, draw_outcome, draw_verdict, join
from agent.cli.exits import exit_for
from agent.cli.resolvers import Server, option, resolving
from agent.cli.sight import doubts, is_name, unseen
from agent.cli.toolbox import lending
from agent.config.words import did_you_mean
from agent.domain.finding import Outcome
from agent.exposition.as_json import outcome_as_json
from agent.probes.base import Check
from agent.probes.connector import PROBE, ConnectorSettings
from agent.runtime.board import Run
from agent.runtime.dependencies import Dependencies
from agent.runtime.lane import Limits
from agent.runtime.runner import Runner
from agent.settings import ConnectorSubject, TlsSettings

ConnectorCheck = Check[ConnectorSubject, ConnectorSettings]

_TLS = ("none", "encryption-only", "certificate-validation", "domain-validation")
_brief = click.option("--brief", is_flag=True, help="Findings only: no walks and transcripts.")
_json = click.option("--json", "as_json", is_flag=True, help="Write JSON instead of text.")
trust_option = click.option(
    "--trust",
    "roots",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Trust the authorities in this PEM file as well as the system's; may be repeated.",
)


@click.command("connector")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@config_option
@option
@trust_option
@_brief
@_json
def command(  # noqa: PLR0913 - an option each
    *,
    names: tuple[str, ...],
    path: Path,
    servers: tuple[Server, ...],
    roots: tuple[Path, ...],
    brief: bool,
    as_json: bool,
) -> int:
    """Walk the connectors NAME of the configuration, or all of them, as the daemon does.

    No message is sent. The exit code is that of a monitoring plugin.
    """
    checks = _chosen(path, names)
    return _report(checks, servers, read_roots(roots), brief=brief, as_json=as_json)


def _chosen(path: Path, names: tuple[str, ...]) -> list[ConnectorCheck]:
    """Return the checks of the connectors with these names; every unknown name is told."""
    checks = [cast("ConnectorCheck", check) for check in read(path).checks if check.probe is PROBE]
    known = sorted({check.subject for check in checks})
    if not known:
        message = f"{path} has no connector that is checked"
        raise click.UsageError(message)
    unknown = [f"{name!r}{did_you_mean(name, known)}" for name in names if name not in known]
    if unknown:
        message = f"{path} has no connector {', '.join(unknown)}; there is: {', '.join(known)}"
        raise click.UsageError(message)
    return [check for check in checks if not names or check.subject in names]


@click.command("smtp")
@click.argument("servers_to_walk", nargs=-1, required=True, metavar="HOST[:PORT]...")
@click.option(
    "--tls-settings",
    type=click.Choice(_TLS),
    default="none",
    show_default=True,
    help="TlsSettings of the connector: how strict Exchange Online would be.",
)
@click.option("--tls-domain", metavar="NAME", help="TlsDomain, with domain-validation.")
@click.option("--mail-from", default="", metavar="ADDRESS", help="MAIL FROM; by default none.")
@click.option(
    "--rcpt-to", multiple=True, metavar="ADDRESS", help="See that this recipient is accepted."
)
@click.option("--helo", metavar="NAME", help="Name given in EHLO.")
@click.option("--try-relay", is_flag=True, help="See that a stranger's recipient is refused.")
@click.option("--timeout", default=30.0, show_default=True, help="Seconds for the whole walk.")
@option
@trust_option
@_brief
@_json
def smtp(  # noqa: PLR0913 - an option each
    *,
    servers_to_walk: tuple[str, ...],
    tls_settings: TlsSettings,
    tls_domain: str | None,
    mail_from: str,
    rcpt_to: tuple[str, ...],
    helo: str | None,
    try_relay: bool,
    timeout: float,
    servers: tuple[Server, ...],
    roots: tuple[Path, ...],
    brief: bool,
    as_json: bool,
) -> int:
    """Walk any SMTP server as Exchange Online would, and judge it as a connector's smart host.

    Every address of HOST is tried: greeting, EHLO, STARTTLS, certificate, recipients. No message
    is sent. HOST is a name, an address or a range, with :PORT where it is not 25.

    Example: mailflow-agent smtp mail.example.com --tls-settings certificate-validation
    """
    written = {
        "name": "ad-hoc",
        "smart_hosts": servers_to_walk,
        "tls_settings": tls_settings,
        "tls_domain": tls_domain,
        "mail_from": mail_from,
        "validation_recipients": rcpt_to,
        "helo": helo,
    }
    check = _ad_hoc(written, {"timeout": timedelta(seconds=timeout), "try_relay": try_relay})
    return _report([check], servers, read_roots(roots), brief=brief, as_json=as_json)


def _ad_hoc(written: dict[str, Any], tuned: dict[str, Any]) -> ConnectorCheck:
    """Make a check of what the command line says; its mistakes are usage errors."""
    try:
        subject = ConnectorSubject.model_validate(written)
        settings = ConnectorSettings.model_validate(tuned)
    except ValueError as error:
        raise click.UsageError(_mistakes(error)) from None
    return Check("", subject, PROBE, settings)


def _mistakes(error: ValueError) -> str:
    """Say what is wrong, with the option it is wrong at."""
    lines: dict[str, str] = {}
    for each in getattr(error, "errors", list)():
        place = str(each["loc"][0]) if each["loc"] else ""
        reason = str(each.get("ctx", {}).get("error", each["msg"]))
        name = _ARGUMENTS.get(place, f"--{place.replace('_', '-')}")
        lines.setdefault(place, f"{name} {each['input']!r} {reason}" if place else reason)
    return "\n       ".join(lines.values())


_ARGUMENTS = {"smart_hosts": "HOST", "validation_recipients": "--rcpt-to"}


def read_roots(paths: tuple[Path, ...]) -> TrustStore:
    """Return what is trusted: the system's roots and those of *paths*."""
    try:
        return TrustStore(roots=[path.read_bytes() for path in paths])
    except (OSError, ValueError) as error:
        message = f"--trust: {error}"
        raise click.UsageError(message) from None


def _report(
    checks: list[ConnectorCheck],
    servers: tuple[Server, ...],
    trust: TrustStore,
    *,
    brief: bool,
    as_json: bool,
) -> int:
    outcomes = asyncio.run(_run(checks, servers, trust))
    if as_json:
        data = [
            {"connector": check.subject, **outcome_as_json(outcome)}
            for check, outcome in zip(checks, outcomes, strict=True)
        ]
        click.echo(json.dumps(data, indent=2))
    else:
        pen = Pen.of_terminal(colour=sys.stdout.isatty())
        lines: list[str] = []
        for check, outcome in zip(checks, outcomes, strict=True):
            title = check.subject if check.tenant else ", ".join(map(str, check.target.smart_hosts))
            lines += [draw_verdict(outcome.severity, pen.paint(title, None, bold=True), pen)]
            lines += [*draw_outcome(outcome, pen, facts=not brief), ""]
        click.echo(join(lines), nl=False)
    return exit_for(max(outcome.severity for outcome in outcomes))


async def _run(
    checks: list[ConnectorCheck], servers: tuple[Server, ...], trust: TrustStore
) -> tuple[Outcome, ...]:
    done: dict[str, Outcome] = {}

    def publish(run: Run) -> None:
        done[run.check.identity] = run.outcome

    async with resolving(servers) as resolver, lending(resolver, trust) as tools:
        runner = Runner(tools, publish, Dependencies(()), Limits(len(checks), len(checks)))
        domains, hosts = _names(checks)
        walking = asyncio.gather(*map(runner.run, checks))
        doubt, _ = await asyncio.gather(doubts(resolver, domains, hosts), walking)
    doubt.tell()
    return tuple(
        unseen(doubt) if doubt.is_about(*_names((check,))) else done[check.identity]
        for check in checks
    )


def _names(checks: Iterable[ConnectorCheck]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the domains and the hosts that DNS is asked for."""
    domains: list[str] = []
    hosts: list[str] = []
    for subject in (each.target for each in checks):
        if subject.use_mx_record:
            domains += subject.domains
        else:
            hosts += [each.host for each in subject.smart_hosts if is_name(each.host)]
    return tuple(dict.fromkeys(domains)), tuple(dict.fromkeys(hosts))
