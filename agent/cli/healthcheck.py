"""Is a running agent alive? For the container's HEALTHCHECK."""

import base64
import http.client
import os
import ssl
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import click

from agent.cli.exits import Exit

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
DEFAULT = "http://127.0.0.1:16245/-/healthy"


def _usual() -> str:
    """Return the address of the agent on this machine, at the port that `run` listens on."""
    port = os.environ.get("MAILFLOW_AGENT_LISTEN", "").rpartition(":")[2]
    return f"http://127.0.0.1:{port}/-/healthy" if port else DEFAULT


@click.command("healthcheck")
@click.argument("url", default=_usual, envvar="MAILFLOW_AGENT_HEALTH")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=3.0,
    show_default=True,
    help="Seconds to wait.",
)
@click.option("--ca", type=_FILE, help="With https: who vouches for the agent's certificate.")
@click.option("--cert", type=_FILE, help="With https: a certificate to show, with its key.")
@click.option("--user", default="", help="Whom to log in as, where URL is one that needs a login.")
@click.option("--password-file", type=_FILE, help="The password of that user.")
def command(  # noqa: PLR0913 - one for each option
    *,
    url: str,
    timeout: float,
    ca: Path | None,
    cert: Path | None,
    user: str,
    password_file: Path | None,
) -> int:
    """Ask a running agent at URL whether it is healthy; exit 0 when it is, 2 when not.

    Without URL it is that of MAILFLOW_AGENT_HEALTH, or of this machine at the port that
    MAILFLOW_AGENT_LISTEN has, or at 16245. With https, no certificate is verified without --ca: the
    question is whether it answers, and not who it is. No login is needed for that address.
    """
    if user and url.startswith("https:") and ca is None:
        message = "a password is shown only to who is known: --user needs --ca"
        raise click.UsageError(message)
    try:
        connection, path = _aim(url, timeout, _context(ca, cert))
        headers = _login(user, password_file) if user else {}
    except OSError as error:
        message = f"a certificate, key or password cannot be read: {error.strerror or error}"
        raise click.UsageError(message) from None
    try:
        connection.request("GET", path, headers=headers)
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


def _context(ca: Path | None, cert: Path | None) -> ssl.SSLContext:
    """Return how to speak TLS. Raises OSError for a file that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    else:
        context.load_verify_locations(ca)
    if cert is not None:
        context.load_cert_chain(cert)
    return context


def _login(user: str, password_file: Path | None) -> dict[str, str]:
    """Return the header field of a login (RFC 7617). Raises OSError."""
    password = "" if password_file is None else password_file.read_text().rstrip("\r\n")
    coded = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    return {"Authorization": f"Basic {coded}"}


def _aim(
    url: str, timeout: float, context: ssl.SSLContext
) -> tuple[http.client.HTTPConnection, str]:
    """Return a connection to the host of *url*, not yet made, and the path to ask for."""
    with suppress(ValueError):  # of an address or a port that is none
        parts = urlsplit(url)
        host, port, path = parts.hostname, parts.port, parts.path or "/-/healthy"
        if parts.scheme == "http" and host:
            return http.client.HTTPConnection(host, port, timeout=timeout), path
        if parts.scheme == "https" and host:
            return http.client.HTTPSConnection(host, port, timeout=timeout, context=context), path
    message = f"{url!r} is no address such as {DEFAULT}"
    raise click.UsageError(message)
