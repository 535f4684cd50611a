"""Where would this message go, and why? Step by step, before anything is sent."""

import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from agent.adapters.plans import drive
from agent.cli.configuration import config_option, read
from agent.cli.draw import MARKS, Pen, draw_fact, join
from agent.cli.exits import Exit
from agent.cli.resolvers import Server, option, resolving
from agent.cli.sight import doubts
from agent.cli.tenancies import imported, tenancies_of
from agent.domain.finding import Severity
from agent.domain.names import DomainName
from agent.domain.tenancy.journey import Journey, Message, travel
from agent.domain.tenancy.journey_values import INTERNET, OF_SERVERS, OF_TENANT, RecipientClass
from agent.domain.tenancy.landscape import Landscape, Surroundings, Tenancy
from agent.domain.tenancy.loop_messages import OUTSIDE, own_domain
from agent.domain.tenancy.picture import journey_path, journey_picture
from agent.domain.tenancy.seeing import look
from agent.domain.tenancy.ways import Ways
from agent.exposition.as_json import fact_as_json

DEADLINE = 60.0  # seconds for DNS; what it has not said by then is not known
_SERVER = "server:"


@click.command("path")
@click.option(
    "--from",
    "origin",
    default=INTERNET,
    show_default=True,
    metavar="WHO",
    help="internet, an address, or server:TENANT for a tenant's own servers. An address of an"
    " accepted domain is somebody in the tenant; with --spoofed, somebody outside.",
)
@click.option("--to", "recipient", required=True, metavar="ADDRESS", help="The recipient.")
@click.option("--unknown", is_flag=True, help="The tenant has no such mailbox.")
@click.option(
    "--remote", is_flag=True, help="The mailbox is on other servers, and the tenant knows of it."
)
@click.option("--spoofed", is_flag=True, help="Comes from the internet, whoever writes it.")
@click.option(
    "--conditions",
    is_flag=True,
    help="Meets the conditions of mail flow rules that only its content decides.",
)
@click.option(
    "--import",
    "files",
    multiple=True,
    metavar="[TENANT=]PATH",
    help="Read this export: a file, a folder, a pattern; may be repeated. Those without a name are"
    " one tenant. Default: the tenants of the configuration.",
)
@config_option
@option
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of text.")
def command(  # noqa: PLR0913 - an option each
    *,
    origin: str,
    recipient: str,
    unknown: bool,
    remote: bool,
    spoofed: bool,
    conditions: bool,
    files: tuple[str, ...],
    path: Path,
    servers: tuple[Server, ...],
    as_json: bool,
) -> int:
    """Follow a message through MX records, connectors, rules and attribution; nothing is sent.

    The exit code is 2 for a loop, or a refusal of a recipient that there is, and 3 where it is not
    known how it goes on, or not documented which of several ways is taken.

    Example: mailflow-agent path --to user@contoso.com --import export.json
    """
    tenancies = tuple(imported(files) if files else tenancies_of(read(path)))
    if not tenancies:
        complaint = f"{path} has no tenant that imports an export; give --import"
        raise click.UsageError(complaint)
    to = _domain(recipient, "--to")
    landscape = asyncio.run(_landscape(tenancies, to, servers))
    message = _message(origin, to, landscape, spoofed=spoofed)
    if unknown or remote:
        message = replace(message, rcpt_class="unknown" if unknown else "remote")
    journey, other = (
        travel(replace(message, meets_conditions=each), landscape)
        for each in (conditions, not conditions)
    )
    if as_json:
        click.echo(json.dumps(_as_json(journey), indent=2))
    else:
        assumed = not (unknown or remote)
        lines = _as_text(journey, differs=journey.end != other.end, assumed=assumed)
        click.echo(join(lines), nl=False)
    return _exit(journey)


def _domain(address: str, name: str) -> str:
    try:
        return DomainName.parse(address.rpartition("@")[2]).ascii
    except ValueError as error:
        message = f"{name} {address!r} {error}"
        raise click.UsageError(message) from None


async def _landscape(
    tenancies: tuple[Tenancy, ...], to: str, servers: tuple[Server, ...]
) -> Landscape:
    """Put the tenants into what DNS says around them."""
    accepted = (domain for each in tenancies for domain in each.export.domains or ())
    domains = tuple(dict.fromkeys((to, *(domain.name for domain in accepted))))
    seen = Surroundings()
    async with resolving(servers) as resolver:
        try:
            async with asyncio.timeout(DEADLINE):
                doubt = await doubts(resolver, domains)
                if not doubt.tell(domains):
                    seen = await drive(look(tenancies, (to,)), resolver)
        except TimeoutError:
            click.echo(f"DNS has not said all within {DEADLINE:.0f} s", err=True)
    landscape = Landscape(seen)
    for tenancy in tenancies:
        landscape.put(tenancy)
    return landscape


def _message(origin: str, to: str, landscape: Landscape, *, spoofed: bool) -> Message:
    ways = Ways(landscape)
    sender, start = _start(origin, ways, spoofed=spoofed)
    rcpt_class: RecipientClass = "external" if ways.owner(to) is None else "known"
    return Message(
        sender_domain=sender,
        rcpt_domain=to,
        rcpt_class=rcpt_class,
        origin=start,
    )


def _start(origin: str, ways: Ways, *, spoofed: bool) -> tuple[str, str]:
    """Return the sender's domain and where the message comes from."""
    if origin == INTERNET:
        return OUTSIDE, INTERNET
    if origin.startswith(_SERVER):
        name = origin.removeprefix(_SERVER)
        if name not in ways.landscape:
            known = ", ".join(each.name for each in ways.landscape)
            message = f"--from: there is no tenant {name!r}, but {known}"
            raise click.UsageError(message)
        return own_domain(ways.landscape[name].export), OF_SERVERS + name
    sender = _domain(origin, "--from")
    owner = None if spoofed else ways.owner(sender)
    return sender, INTERNET if owner is None else OF_TENANT + owner.name


def _exit(journey: Journey) -> Exit:
    if journey.doubt and journey.end.kind != "looped":
        return Exit.UNKNOWN
    match journey.end.kind:
        case "looped":
            return Exit.CRITICAL
        case "refused":
            return Exit.OK if journey.message.rcpt_class == "unknown" else Exit.CRITICAL
        case "unknown":
            return Exit.UNKNOWN
    return Exit.OK


_SEVERITIES = {
    Exit.OK: Severity.OK,
    Exit.CRITICAL: Severity.CRITICAL,
    Exit.UNKNOWN: Severity.UNKNOWN,
}


def _as_text(journey: Journey, *, differs: bool, assumed: bool) -> Iterator[str]:
    pen = Pen.of_terminal(colour=sys.stdout.isatty())
    said = f"{journey.doubt}; this way it is {journey.end}" if journey.doubt else str(journey.end)
    yield from pen.wrap(f"{MARKS[_SEVERITIES[_exit(journey)]]} {said}", "", "  ")
    yield ""
    yield from draw_fact(journey_path(journey), pen)
    if assumed and journey.end.kind == "delivered":
        text = "That there is such a mailbox is assumed: see --unknown, and --remote."
        yield from ("", *pen.wrap(text, "", "  "))
    if differs:
        with_or = "without" if journey.message.meets_conditions else "with"
        text = f"Mail flow rules send other messages another way: try {with_or} --conditions."
        yield from ("", *pen.wrap(text, "", "  "))


def _as_json(journey: Journey) -> dict[str, Any]:
    end, loop = journey.end, journey.end.loop
    return {
        "end": end.kind,
        "place": end.place or None,
        "text": end.text or None,
        "sentence": str(end),
        "doubt": journey.doubt or None,
        "hop": loop.hop if loop is not None else None,
        "change": str(loop.edge.by) if loop is not None else None,
        "steps": [
            {
                "place": step.place,
                "action": step.action,
                "why": step.why,
                "by": {
                    "kind": step.by.kind,
                    "name": step.by.name,
                    "tenant": step.by.tenant or None,
                },
            }
            for step in journey.steps
        ],
        "picture": fact_as_json(journey_picture(journey)),
    }
