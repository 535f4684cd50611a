"""Is the configuration right, and what does it say?"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from agent.cli.exits import Exit
from agent.config import Config, ConfigError, load
from agent.config import schema as json_schema
from agent.settings import AgentSubject

VARIABLE = "MAILFLOW_AGENT_CONFIG"  # where the file is, for a container
argument = click.argument(
    "path",
    type=click.Path(path_type=Path),
    default=Path("config.yaml"),
    envvar=VARIABLE,
    metavar="[FILE]",
)


config_option = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=Path("config.yaml"),
    show_default=True,
    envvar=VARIABLE,
    show_envvar=True,
    help="The configuration: a file, or a folder of files.",
)


class WrongConfiguration(click.ClickException):
    """The file has mistakes; all of them are shown, one line each."""

    exit_code = Exit.CONFIG

    def __init__(self, error: ConfigError, path: Path) -> None:
        super().__init__(str(error))
        self.error = error
        self.path = path

    def show(self, file: object = None) -> None:
        """Write the mistakes, and how many there are."""
        del file
        for warning in self.error.warnings:
            click.echo(f"warning: {warning}", err=True)
        for problem in self.error.problems:
            click.echo(problem, err=True)
        count = len(self.error.problems)
        click.echo(f"{count} mistake{'s' if count > 1 else ''}", err=True)
        if not self.path.exists():
            click.echo("To begin, copy config.example.yaml, and edit the copy.", err=True)


listen_option = click.option(
    "--listen",
    envvar="MAILFLOW_AGENT_LISTEN",
    show_envvar=True,
    metavar="ADDRESS:PORT",
    help="Over `agent.listen` of the configuration.",
)


def read(
    path: Path,
    over: Mapping[str, Any] | None = None,
    beneath: Mapping[str, Any] | None = None,
) -> Config:
    """Load *path* with *over* over it, and *beneath* where it says nothing.

    Mistakes end the command with the code for such.
    """
    try:
        return load(path, override=over, beneath=beneath)
    except ConfigError as error:
        raise WrongConfiguration(error, path) from None


@click.group("config")
def command() -> None:
    """Check, show and describe the configuration."""


@command.command("check")
@argument
@listen_option
def check(*, path: Path, listen: str | None) -> int:
    """List every mistake in FILE (a file, or a folder of files) at once."""
    config = read(path, {"agent": {"listen": listen}} if listen else None)
    for warning in config.warnings:
        click.echo(f"warning: {warning}", err=True)
    checks = [each for each in config.checks if each.target.kind != AgentSubject.kind]
    subjects = {(each.tenant, each.target.kind, each.subject) for each in checks}
    click.echo(f"{path} is right: {len(subjects)} subjects, {len(checks)} checks")
    return Exit.OK


@command.command("show")
@argument
def show(path: Path) -> int:
    """Print what is in force: FILE with all defaults, secrets masked."""
    sys.stdout.write(read(path).shown())
    return Exit.OK


@click.command("schema")
def schema() -> int:
    """Print the JSON Schema of the configuration, for editors."""
    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return Exit.OK


command.add_command(schema)
