"""Real Postfix servers on loopback, each with a configuration of its own."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL, STDOUT

from agent.adapters.x509_making import KeyPair
from servers.free_ports import free_port
from servers.smart_host import RECIPIENT

PROGRAM = shutil.which("postfix", path=os.environ.get("PATH", "") + ":/usr/sbin")
_MAIN = {
    "compatibility_level": "3.6",
    "mydestination": "",
    "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4",
    "alias_maps": "",
    "alias_database": "",
    "biff": "no",
    "maillog_file": "/dev/stdout",
    "disable_dns_lookups": "yes",
    "mynetworks": "127.0.0.99/32",  # not us: relaying must be earned
    "smtpd_client_connection_count_limit": "0",
    "virtual_mailbox_domains": "contoso.com",
    "virtual_mailbox_maps": f"inline:{{{RECIPIENT}=x}}",
    "virtual_transport": "discard:",
    "smtpd_tls_security_level": "may",
    "smtpd_helo_required": "yes",
}
_MASTER = """127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


@asynccontextmanager
async def postfix(
    pair: KeyPair | None = None, settings: Mapping[str, str] | None = None
) -> AsyncIterator[int]:
    """Run a Postfix that shows *pair* in TLS, and give its port once it greets.

    *settings* are lines of main.cf that differ from the ordinary. It takes mail for one recipient
    and throws it away.
    """
    assert PROGRAM is not None, "install Debian's postfix"
    # Postfix drops its rights, and all folders above its own must let it in.
    with tempfile.TemporaryDirectory(prefix="mailflow-postfix-") as name:
        folder, port = Path(name), free_port()
        _configure(folder, port, pair, settings or {})
        log = folder / "log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(PROGRAM, "-c", str(folder / "etc"), "start-fg"),
                stdin=DEVNULL,
                stdout=output,
                stderr=STDOUT,
            )
            try:
                await _until_greeted(port, process, log)
                yield port
            finally:
                stop = await asyncio.create_subprocess_exec(
                    *(PROGRAM, "-c", str(folder / "etc"), "stop"), stdout=DEVNULL, stderr=DEVNULL
                )
                await stop.wait()
                await process.wait()


def _configure(folder: Path, port: int, pair: KeyPair | None, settings: Mapping[str, str]) -> None:
    folder.chmod(0o755)
    for each in ("etc", "spool", "data"):
        (folder / each).mkdir(mode=0o755)
    shutil.chown(folder / "data", "postfix")
    values = {
        **_MAIN,
        "config_directory": str(folder / "etc"),
        "queue_directory": str(folder / "spool"),
        "data_directory": str(folder / "data"),
        "myhostname": "mail.contoso.com",
    }
    if pair is not None:
        path = folder / "etc" / "pair.pem"
        path.write_bytes(pair.key + pair.certificates)
        path.chmod(0o600)
        values["smtpd_tls_chain_files"] = str(path)
    lines = [f"{key} = {value}" for key, value in {**values, **settings}.items()]
    (folder / "etc" / "main.cf").write_text("\n".join(lines) + "\n")
    (folder / "etc" / "master.cf").write_text(_MASTER.format(port=port))


async def _until_greeted(port: int, process: asyncio.subprocess.Process, log: Path) -> None:
    """Connect until somebody greets: Postfix does not tell when it is ready."""
    for _ in range(200):
        assert process.returncode is None, _said(log)
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            greeting = await reader.readline()
            writer.close()
            if greeting[:3].isdigit():  # perhaps it greets with a refusal
                return
        await asyncio.sleep(0.1)  # between two tries, not for a state
    raise AssertionError(_said(log))


def _said(log: Path) -> str:
    return log.read_text()
