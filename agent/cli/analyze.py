"""What do the headers of a message, or a non-delivery report, tell?"""

import click

from agent.cli.analyze_headers import headers
from agent.cli.analyze_ndr import ndr


@click.group("analyze")
def command() -> None:
    """Read a message as the agent reads those that arrive.

    Save the message, or copy its headers, to a file; `-` reads standard input.

    \b
      mailflow-agent analyze headers message.eml
      mailflow-agent analyze ndr bounce.eml
    """  # noqa: D301 - the backspace keeps click from joining the lines


command.add_command(headers)
command.add_command(ndr)
