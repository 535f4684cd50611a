"""The command line: one word for each thing a person wants done."""

import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.metadata import version
from typing import IO, Any, Final

import click

from agent.adapters.uncollected import uncollected
from agent.cli.exits import MEANINGS, Exit

COMMANDS: Final = {
    "analyze": "agent.cli.analyze",
    "check": "agent.cli.check",
    "config": "agent.cli.configuration",
    "connector": "agent.cli.connector",
    "doctor": "agent.cli.doctor",
    "explain": "agent.cli.explain",
    "generate": "agent.cli.generate",
    "healthcheck": "agent.cli.healthcheck",
    "import": "agent.cli.import_",
    "lab": "agent.cli.laboratory",
    "path": "agent.cli.path",
    "run": "agent.cli.run",
    "schema": "agent.cli.configuration:schema",
    "simulate": "agent.cli.simulate",
    "smtp": "agent.cli.connector:smtp",
    "spf": "agent.cli.spf",
    "web-config": "agent.cli.web_configuration",
}


class OutputUnread(click.ClickException):
    """Whoever read our output has seen enough, as `head` has; that is no fault."""

    exit_code = Exit.OK

    def __init__(self) -> None:
        super().__init__("nobody reads the output")

    def show(self, file: IO[Any] | None = None) -> None:
        """Say nothing, and have Python say nothing more when it ends."""
        del file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _until_unread() -> Iterator[None]:
    """Tell a broken pipe in our own words, before click ends the process with code 1."""
    try:
        yield
    except BrokenPipeError:
        raise OutputUnread from None


class Commands(click.Group):
    """A group that imports a command when it is used, so that the daemon starts fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order of the alphabet."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        with uncollected():
            command = getattr(importlib.import_module(module), name or "command")
        assert isinstance(command, click.Command)  # noqa: S101 - says so to the type checker
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was perhaps meant."""
        near = [] if args[0] in COMMANDS else get_close_matches(args[0], COMMANDS, n=1)
        if near:
            ctx.fail(f"there is no command {args[0]!r}; did you mean {near[0]}?")
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments, and perhaps show the help."""
        with _until_unread():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        with _until_unread():
            return super().invoke(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the exit codes and three commands to begin with."""
        del ctx
        with formatter.section("Begin with"):
            formatter.write_dl(
                [
                    ("mailflow-agent check example.com", "look at any domain, now"),
                    ("mailflow-agent run --lab", "watch a small mail world with faults in it"),
                    (
                        "mailflow-agent explain spf-too-many-lookups",
                        "what it means, what to do",
                    ),
                ]
            )
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)), text) for code, text in MEANINGS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("mailflow-agent"), prog_name="mailflow-agent")
def cli() -> None:
    """Find broken mail flow before users do.

    Watches SPF, MX, connectors and routes of Exchange Online, all the time, and says what to do.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with a documented exit code."""
    sys.exit(_outcome(arguments))


def _outcome(arguments: Sequence[str] | None) -> int:
    try:
        code = cli.main(arguments, prog_name="mailflow-agent", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        return Exit.USAGE
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    return code if isinstance(code, int) else Exit.OK
