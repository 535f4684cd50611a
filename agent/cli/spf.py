"""May this client send mail for this sender? One evaluation, with every step."""

import asyncio
import json
import sys
from ipaddress import IPv4Address, IPv6Address, ip_address

import click

from agent.adapters.plans import drive
from agent.cli.draw import Pen, draw_fact, join
from agent.cli.exits import Exit
from agent.cli.resolvers import Server, option, resolving
from agent.cli.sight import Doubt, doubts
from agent.domain.spf import check_host
from agent.domain.spf_terms import Result
from agent.domain.spf_trace import Evaluation, tree
from agent.exposition.as_json import fact_as_json

DEADLINE = 60.0  # seconds; RFC 7208 section 4.6.4 asks for at least 20
_EXITS = {
    Result.PASS: Exit.OK,
    Result.NONE: Exit.WARNING,
    Result.NEUTRAL: Exit.WARNING,
    Result.SOFTFAIL: Exit.WARNING,
    Result.FAIL: Exit.CRITICAL,
    Result.PERMERROR: Exit.CRITICAL,
    Result.TEMPERROR: Exit.UNKNOWN,
}


@click.command("spf")
@click.option("--ip", required=True, metavar="ADDRESS", help="Address of the client that sends.")
@click.option("--mail-from", default="", help="MAIL FROM: an address; empty for the null sender.")
@click.option("--helo", default="", help="The name given in HELO; judged for the null sender.")
@option
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of text.")
def command(
    *, ip: str, mail_from: str, helo: str, servers: tuple[Server, ...], as_json: bool
) -> int:
    """Evaluate SPF once: the result on the first line, then how it came about.

    Example: mailflow-agent spf --ip 192.0.2.1 --mail-from info@example.com
    """
    try:
        address = ip_address(ip)
    except ValueError:
        message = f"--ip {ip!r} is no address, such as 192.0.2.1 or 2001:db8::1"
        raise click.UsageError(message) from None
    if not mail_from.strip("<>") and not helo:
        message = "give --mail-from, or --helo for the null sender"
        raise click.UsageError(message)
    evaluation, doubt = asyncio.run(_evaluate(address, mail_from, helo, servers))
    if evaluation is None:
        click.echo(f"temperror\nno result within {DEADLINE:.0f} s", err=True)
        return Exit.UNKNOWN
    if doubt.names:
        click.echo(_unknown(doubt, as_json=as_json))
        return Exit.UNKNOWN
    doubt.tell()
    click.echo(_as_json(evaluation) if as_json else _as_text(evaluation), nl=False)
    return _EXITS[evaluation.result]


async def _evaluate(
    address: IPv4Address | IPv6Address, mail_from: str, helo: str, servers: tuple[Server, ...]
) -> tuple[Evaluation | None, Doubt]:
    sender = mail_from.strip("<>").rpartition("@")[2] or helo
    async with resolving(servers) as resolver:
        try:
            async with asyncio.timeout(DEADLINE):
                return await asyncio.gather(
                    drive(check_host(address, mail_from, helo), resolver),
                    doubts(resolver, (sender.lower().removesuffix("."),)),
                )
        except TimeoutError:
            return None, Doubt()


def _unknown(doubt: Doubt, *, as_json: bool) -> str:
    """Say that nobody knows, as what a resolver says that does not see DNS is no result."""
    if not as_json:
        return f"{Result.TEMPERROR}\n{doubt.sentence}"
    return json.dumps({"result": Result.TEMPERROR, "sentence": doubt.sentence}, indent=2)


def _as_text(evaluation: Evaluation) -> str:
    pen = Pen.of_terminal(colour=sys.stdout.isatty())
    lines = [str(evaluation.result), *pen.wrap(evaluation.sentence, "", "  "), ""]
    return join((*lines, *draw_fact(tree(evaluation), pen)))


def _as_json(evaluation: Evaluation) -> str:
    data = {
        "result": evaluation.result,
        "sentence": evaluation.sentence,
        "lookups": evaluation.terms,
        "void_lookups": evaluation.voids,
        "void_queries": evaluation.void_queries,
        "differs": evaluation.differs or None,
        "explanation": evaluation.explanation or None,
        "trace": fact_as_json(tree(evaluation)),
    }
    return json.dumps(data, indent=2) + "\n"
