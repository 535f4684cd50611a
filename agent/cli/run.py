"""Run the agent until it is told to stop."""

import asyncio
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from agent.app import Agent, Overrides, StartError, serve
from agent.cli.configuration import WrongConfiguration, config_option, listen_option, read
from agent.cli.exits import Exit
from agent.config import Config, ConfigError


class CannotStart(click.ClickException):
    """The machine does not allow it."""

    exit_code = Exit.UNAVAILABLE


@click.command("run")
@config_option
@click.option("--lab", is_flag=True, help="Start the lab too, and watch it instead of the world.")
@listen_option
@click.option(
    "--state",
    envvar="MAILFLOW_AGENT_STATE",
    show_envvar=True,
    metavar="FOLDER",
    help="Over `agent.state` of the configuration; relative to it.",
)
def command(*, path: Path, lab: bool, listen: str | None, state: str | None) -> int:
    """Watch everything in the configuration, all the time.

    SIGHUP loads the configuration again; SIGTERM and SIGINT stop the agent with exit code 0.
    """
    agent = {key: text for key, text in (("listen", listen), ("state", state)) if text}
    over = {"agent": agent} if agent else {}
    overrides = Overrides(settings=over)
    work = _run_in_lab(path, over) if lab else serve(path, overrides=overrides, started=_tell)
    try:
        return asyncio.run(work)
    except ConfigError as error:
        raise WrongConfiguration(error, path) from None
    except StartError as error:
        raise CannotStart(str(error)) from None


async def _run_in_lab(path: Path, over: Mapping[str, Any]) -> int:
    """Run the agent in a world where every address leads to the lab and nowhere else."""
    from agent.cli.laboratory import judging
    from agent.lab import defaults
    from agent.lab.lab import Lab

    beneath = defaults.settings()
    config = read(path, over, beneath)
    state, home = config.state, _home(config)

    def tell(agent: Agent) -> None:
        _tell(agent)
        name = _called()
        hint = "" if state == Path("state") else f" --state {state}"
        click.echo("The lab runs. In another terminal, break something:", err=True)
        click.echo(f"  {name} lab list{hint}", err=True)
        click.echo(f"  {name} lab break spf-too-many-lookups{hint}", err=True)
        click.echo("Its DNS answers commands, too; so have a tenant of it judged:", err=True)
        click.echo(f"  {judging(name, home, lab.resolver)}\n", err=True)

    try:
        async with Lab(state, home=home) as lab:
            overrides = Overrides(
                settings=over,
                beneath=beneath,
                resolvers=(lab.resolver,),
                detours=lab.detours,
                detours_only=True,
                gate=lab.gate,
                roots=(lab.authority,),
                sink=("127.0.0.1", lab.sink_port),
            )
            return await serve(path, overrides=overrides, started=tell)
    except OSError as error:
        message = f"the lab cannot start in {state}: {error.strerror or error}"
        raise StartError(message) from error


def _home(config: Config) -> Path:
    """Return where the configuration looks for the lab's mail and exports.

    It names them by their own places, wherever its state is.
    """
    from agent.lab.mailbox import NAME

    ends = (route.receive.maildir for tenant in config.file.tenants for route in tenant.routes)
    places = (config.folder / end.path for end in ends if end is not None)
    return next((place.parent for place in places if place.name == NAME), config.state)


def _called() -> str:
    """Return what to type to start the program again: `make run` does not put it on the path."""
    if shutil.which("mailflow-agent"):
        return "mailflow-agent"
    started = Path(sys.argv[0])
    return f"{sys.executable} -m agent" if started.name == "__main__.py" else str(started)


def _tell(agent: Agent) -> None:
    click.echo(f"\nPage     {agent.url}\nMetrics  {agent.url}metrics\nStop     Ctrl-C\n", err=True)
