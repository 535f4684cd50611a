"""Is a running agent alive? For the container's HEALTHCHECK."""

import http.client
from contextlib import suppress
from urllib.parse import urlsplit

import click

from agent.cli.exits import Exit

DEFAULT = "http://127.0.0.1:16245/-/healthy"


@click.command("healthcheck")
@click.argument("url", default=DEFAULT)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=3.0,
    show_default=True,
    help="Seconds to wait.",
)
def command(url: str, timeout: float) -> int:
    """Ask a running agent at URL whether it is healthy; exit 0 when it is, 2 when not."""
    connection, path = _aim(url, timeout)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or error
        click.echo(f"no answer from {url}: {reason}", err=True)
        click.echo("Is the agent running, and is that its `listen` address?", err=True)
        return Exit.CRITICAL
    finally:
        connection.close()
    healthy = status == http.client.OK
    click.echo("healthy" if healthy else f"not healthy: HTTP {status}")
    return Exit.OK if healthy else Exit.CRITICAL


def _aim(url: str, timeout: float) -> tuple[http.client.HTTPConnection, str]:
    """Return a connection to the host of *url*, not yet made, and the path to ask for."""
    with suppress(ValueError):  # of an address or a port that is none
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
            return connection, parts.path or "/-/healthy"
    message = f"{url!r} is no address such as {DEFAULT}"
    raise click.UsageError(message)
