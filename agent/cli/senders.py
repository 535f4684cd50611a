"""Who sends for a domain, as the command line is told?"""

from ipaddress import ip_network

import click

from agent.domain.knowledge.providers import PROFILES


class SenderType(click.ParamType[str]):
    """An address, a network, or the name of a provider's profile."""

    name = "sender"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Read one sender; a mistake becomes a usage error."""
        text = str(value)
        if text in PROFILES:
            return text
        try:
            return str(ip_network(text)) if "/" in text else str(ip_network(text).network_address)
        except ValueError:
            names = ", ".join(sorted(PROFILES))
            self.fail(f"{text!r} is no address or network, and none of: {names}", param, ctx)


senders_option = click.option(
    "--sender",
    "senders",
    multiple=True,
    type=SenderType(),
    metavar="SENDER",
    help="Who sends for the domain: an address, a network or a provider such as exchange-online;"
    " repeat it. They come to those that its records name.",
)


def left_out(names: tuple[str, ...]) -> str:
    """Say which senders of the records do not count, in a line; empty where all of them do."""
    if not names:
        return ""
    return f"does not count as a sender: {', '.join(names)}, because --sender names another cloud"
