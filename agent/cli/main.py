"""The command line: one word for each thing a person wants done."""

import importlib
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

import click

from agent.cli.exits import MEANINGS, Exit

COMMANDS: Final = {
    "check": "agent.cli.check",
    "config": "agent.cli.configuration",
    "explain": "agent.cli.explain",
    "generate": "agent.cli.generate",
    "healthcheck": "agent.cli.healthcheck",
    "lab": "agent.cli.laboratory",
    "run": "agent.cli.run",
    "schema": "agent.cli.configuration:schema",
    "spf": "agent.cli.spf",
}


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
        command = getattr(importlib.import_module(module), name or "command")
        assert isinstance(command, click.Command)  # noqa: S101 - says so to the type checker
        return command

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
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.UsageError as error:
        error.show()
        return Exit.USAGE
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    return code if isinstance(code, int) else Exit.OK
