"""Are the files that derive from declarations as they should be?"""

from pathlib import Path

import click

from agent.cli.exits import Exit
from agent.exposition.dashboards import LibraryMissingError
from agent.exposition.generated import rendered, stale, write


class Undrawn(click.ClickException):
    """A tool of development is missing, so that not everything can be rendered."""

    exit_code = Exit.UNAVAILABLE


@click.command("generate")
@click.option("--check", is_flag=True, help="Write nothing; fail where a file is stale.")
@click.option(
    "--root",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    default=Path(),
    help="The folder of the project. Default: here.",
)
def command(*, check: bool, root: Path) -> int:
    """Render docs, alerts, dashboards, runbooks, example and schema from the declarations."""
    try:
        old = stale(root)
    except LibraryMissingError as error:
        raise Undrawn(str(error)) from None
    if check:
        for path in old:
            click.echo(f"{path} is stale; run: make generate", err=True)
        return Exit.WARNING if old else Exit.OK
    write(root)
    click.echo(f"{len(rendered())} files rendered, {len(old)} of them changed")
    return Exit.OK
