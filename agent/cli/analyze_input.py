"""What is said of a file that is not what was asked for?"""

import json
from typing import IO, Any

import click

from agent.cli.draw import Pen
from agent.cli.exits import Exit


class NotReadable(click.ClickException):
    """The command line is right, and the content of the file tells nothing; ``fix`` is what helps.

    Shown as the answer would be: as JSON on the standard output where JSON was asked for.
    """

    exit_code = Exit.UNKNOWN

    def __init__(self, file: str, lack: str, fix: str, *, as_json: bool) -> None:
        super().__init__(f"{'standard input' if file in _STANDARD else file} {lack}")
        self.fix = fix
        self.as_json = as_json

    def show(self, file: IO[Any] | None = None) -> None:
        """Say it and the next step."""
        if self.as_json:
            click.echo(json.dumps({"error": self.message, "fix": self.fix}, indent=2), file)
            return
        super().show(file)
        for line in Pen.of_terminal(colour=False).wrap(self.fix, "    → ", "      "):
            click.echo(line, file, err=True)


_STANDARD = ("-", "<stdin>")
