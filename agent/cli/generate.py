"""Are the files that derive from declarations as they should be?"""

from pathlib import Path

import click

from agent.cli.exits import Exit
from agent.exposition.generated import rendered, stale, write


@click.command("generate")
@click.option("--check", is_flag=True, help="Write nothing; fail where a file is stale.")
@click.option(
    "--root",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    default=Path(),
    help="The folder of the project. Default: here.",
)
def command(*, check: bool, root: Path) -> int:
    """Render docs, metrics, alerts, runbooks, the example and the schema from the declarations."""
    old = stale(root)
    if check:
        for path in old:
            click.echo(f"{path} is stale; run: make generate", err=True)
        return Exit.WARNING if old else Exit.OK
    write(root)
    click.echo(f"{len(rendered())} files rendered, {len(old)} of them changed")
    return Exit.OK
