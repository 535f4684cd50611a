"""Is the web configuration right, and how is a login made for it?"""

from pathlib import Path

import click

from agent.cli.configuration import WrongConfiguration
from agent.cli.exits import Exit
from agent.config import ConfigError
from agent.config.web_config import WebConfig, read_web_config


@click.group("web-config")
def command() -> None:
    """Check the file that says who may log in, and make the logins for it."""


@command.command("check")
@click.argument("path", type=click.Path(path_type=Path), metavar="FILE")
def check(path: Path) -> int:
    """List every mistake in FILE at once, and in the files that it names."""
    try:
        config = read_web_config(path)
    except ConfigError as error:
        raise WrongConfiguration(error, path) from None
    for note in config.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"{path} is right: {_summary(config)}")
    return Exit.OK


def _summary(config: WebConfig) -> str:
    parts = ["TLS" if config.context is not None else "no TLS"]
    if config.requires_certificate:
        parts.append("a client certificate is required")
    count = len(config.users)
    if count or not config.requires_certificate:
        parts.append(f"{count} user{'' if count == 1 else 's'}" if count else "no login")
    return ", ".join(parts)


@command.command("hash")
@click.option("--user", default="NAME", help="Whose password it is.")
def make(user: str) -> int:
    """Ask for a password, and print the line for basic_auth_users."""
    from agent.exposition.http.logins import make_hash

    password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    try:
        click.echo(f"  {user}: {make_hash(password)}")
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return Exit.OK
