"""Which resolvers does a command ask?"""

import contextlib
from collections.abc import AsyncIterator
from ipaddress import ip_address
from typing import TYPE_CHECKING

import click

from agent.adapters.clock import SystemClock
from agent.adapters.resolv_conf import PORT, system_resolvers

if TYPE_CHECKING:
    from agent.adapters.resolver import Resolver

Server = tuple[str, int]
_HIGHEST_PORT = 65535


class ServerType(click.ParamType[Server]):
    """An address with an optional port: ``192.0.2.53:5353``, ``[2001:db8::53]:5353``."""

    name = "host:port"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Server:
        """Read one server; a mistake becomes a usage error."""
        if isinstance(value, tuple):
            return value
        text = str(value)
        host, _, port = text.rpartition(":") if _has_port(text) else (text, "", str(PORT))
        host = host.removeprefix("[").removesuffix("]")
        try:
            address = str(ip_address(host))
        except ValueError:
            self.fail(
                f"{text!r} is no address; write 192.0.2.53 or [2001:db8::53]:5353", param, ctx
            )
        if not port.isdecimal() or not 0 < int(port) <= _HIGHEST_PORT:
            self.fail(f"{port!r} in {text!r} is no port", param, ctx)
        return address, int(port)


def _has_port(text: str) -> bool:
    """Tell a port's colon from those of an IPv6 address."""
    return text.count(":") == 1 or "]:" in text


option = click.option(
    "--resolver",
    "servers",
    multiple=True,
    type=ServerType(),
    metavar="HOST:PORT",
    help="Ask this resolver, and trust its word on DNSSEC; repeat it for a second one. Default:"
    " those of this machine.",
)


@contextlib.asynccontextmanager
async def resolving(servers: tuple[Server, ...]) -> AsyncIterator["Resolver"]:
    """Lend a resolver that asks *servers*, or those of this machine.

    One that somebody names is trusted where it says that DNSSEC vouches for an answer.
    """
    from agent.adapters.resolver import Resolver

    resolver = Resolver(servers or system_resolvers(), SystemClock(), trust_ad=bool(servers))
    await resolver.start()
    try:
        yield resolver
    finally:
        await resolver.close()
