"""Which topology is a domain meant to have, as the command line is told?"""

import click

from agent.config.words import did_you_mean
from agent.domain.knowledge.topologies import TOPOLOGIES


class _TopologyType(click.ParamType[str]):
    """The name of a topology."""

    name = "topology"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Read the name; a mistake becomes a usage error that says what was perhaps meant."""
        text = str(value).lower()
        if text not in TOPOLOGIES:
            names = ", ".join(TOPOLOGIES)
            self.fail(f"{value!r} is none of: {names}{did_you_mean(text, TOPOLOGIES)}", param, ctx)
        return text


topology_option = click.option(
    "--topology",
    "meant",
    type=_TopologyType(),
    metavar="NAME",
    help="What the domain is meant to be after the change, where it moves:"
    f" {', '.join(TOPOLOGIES)}. Default: what it looks like now.",
)
