"""Is a running agent alive? For the container's HEALTHCHECK."""

import http.client
from urllib.parse import urlsplit

import click

from agent.cli.exits import Exit

DEFAULT = "http://127.0.0.1:16245/-/healthy"


@click.command("healthcheck")
@click.argument("url", default=DEFAULT)
@click.option("--timeout", default=3.0, show_default=True, help="Seconds to wait.")
def command(url: str, timeout: float) -> int:
    """Ask a running agent at URL whether it is healthy; exit 0 when it is, 2 when not."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        message = f"{url!r} is no address such as {DEFAULT}"
        raise click.UsageError(message)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        connection.request("GET", parts.path or "/-/healthy")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        click.echo(f"no answer from {url}: {error}", err=True)
        return Exit.CRITICAL
    finally:
        connection.close()
    healthy = status == http.client.OK
    click.echo("healthy" if healthy else f"not healthy: HTTP {status}")
    return Exit.OK if healthy else Exit.CRITICAL
