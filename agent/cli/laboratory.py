"""Start the lab, and break and mend what is in it."""

import asyncio
import signal
from pathlib import Path

import click

from agent.cli.exits import Exit
from agent.lab.control import order
from agent.lab.export_folder import NAME as FOLDER
from agent.lab.faults import FAULTS
from agent.lab.lab import Lab

_STATE = Path("state")
_WIDTH = max(len(fault.name) for fault in FAULTS)
state_option = click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=_STATE,
    show_default=True,
    envvar="MAILFLOW_AGENT_STATE",
    show_envvar=True,
    help="The state folder that the lab runs with.",
)


@click.group("lab")
def command() -> None:
    """Play with the embedded mail world: break something, and watch it being found.

    `mailflow-agent run --lab` starts the agent together with the lab; then, in another terminal:

    \b
      mailflow-agent lab list
      mailflow-agent lab break spf-too-many-lookups
      mailflow-agent lab mend all
    """  # noqa: D301 - the backspace keeps click from joining the lines


@command.command("list")
@state_option
def list_(state: Path) -> int:
    """List the faults, and mark those that are on."""
    try:
        broken: tuple[str, ...] = order(state, "broken")
    except OSError:
        broken = ()
        click.echo("No lab is running here; these are the faults it has.\n", err=True)
    for fault in FAULTS:
        mark = "✗" if fault.name in broken else " "
        click.echo(f"{mark} {fault.name:{_WIDTH}} {fault.summary}")
        click.echo(f"  {'':{_WIDTH}} → {fault.shows}")
    return Exit.OK


@command.command("break")
@click.argument("fault", type=click.Choice([fault.name for fault in FAULTS]), metavar="FAULT")
@state_option
def break_(fault: str, state: Path) -> int:
    """Switch FAULT on in the lab that is running."""
    broken = _order(state, "break", fault)
    shows = next(each.shows for each in FAULTS if each.name == fault)
    click.echo(f"Broken: {', '.join(broken)}.\nSoon to be seen: {shows}.")
    return Exit.OK


@command.command("mend")
@click.argument(
    "fault", type=click.Choice(["all", *(fault.name for fault in FAULTS)]), metavar="FAULT|all"
)
@state_option
def mend(fault: str, state: Path) -> int:
    """Switch FAULT, or all of them, off again."""
    broken = _order(state, "mend", fault)
    left = f"still broken: {', '.join(broken)}" if broken else "nothing is broken any more"
    click.echo(f"Mended; {left}.")
    return Exit.OK


@command.command("serve")
@state_option
def serve(state: Path) -> int:
    """Run the lab without an agent, until interrupted, and say where its resolver listens."""
    try:
        asyncio.run(_serve(state))
    except OSError as error:
        message = f"the lab cannot start in {state}: {error.strerror or error}"
        raise NoLab(message) from None
    return Exit.OK


async def _serve(state: Path) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with Lab(state) as lab:
        host, port = lab.resolver
        click.echo(f"The lab's resolver listens on {host}:{port}. Try:")
        click.echo(f"  mailflow-agent check contoso.com adatum.com --resolver {host}:{port}")
        click.echo(f"  {judging('mailflow-agent', state, lab.resolver)}")
        await stopped.wait()


def judging(name: str, state: Path, resolver: tuple[str, int]) -> str:
    """Return the command that judges a tenant of the lab, by the lab's own DNS."""
    host, port = resolver
    return f"{name} import --check {state / FOLDER / 'contoso.json'} --resolver {host}:{port}"


def _order(state: Path, *words: str) -> tuple[str, ...]:
    try:
        return order(state, *words)
    except (OSError, ValueError) as error:
        message = (
            f"no lab answers in {state}: {error}. Start one by `make run`, or name its state"
            " folder by --state."
        )
        raise NoLab(message) from None


class NoLab(click.ClickException):
    """Nobody is there to take the order, or the machine does not allow it."""

    exit_code = Exit.UNAVAILABLE
