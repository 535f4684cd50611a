"""How does a command tell that files are no export?"""

import click

from agent.adapters.export_files import ExportError
from agent.cli.exits import Exit


class WrongExport(click.ClickException):
    """The files are no export that could be trusted; all mistakes are shown, one line each."""

    exit_code = Exit.CONFIG

    def __init__(self, error: ExportError) -> None:
        super().__init__("\n       ".join(map(str, error.mistakes)))
