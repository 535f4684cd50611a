"""A Postfix of one's own: its folders, its files, and its master while it runs.

What it is a relay for stands in the settings and services that it is given.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, STDOUT

from agent.adapters.x509_making import KeyPair
from servers.mail_ports import until_greeted

MASTER = Path("/usr/lib/postfix/sbin/master")  # where Debian has it
_QUEUES = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"),
    *("private", "saved", "trace"),
)
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
    "recipient_delimiter": "+",
    "notify_classes": "",
    "smtpd_client_connection_count_limit": "0",
    "smtpd_tls_security_level": "may",
    "smtpd_tls_received_header": "yes",
    # What is deferred is tried again while a test looks on.
    "in_flow_delay": "0",
    "queue_run_delay": "1s",
    # Of a second little may be left when times are cut to seconds: what is then tried again while
    # its last delivery is not put away stays in the queue for ever.
    "minimal_backoff_time": "2s",
    "maximal_backoff_time": "2s",
}


def configure(folder: Path, pair: KeyPair, settings: Mapping[str, object], services: str) -> None:
    """Make *folder* one that a Postfix can run in; *services* are the lines of its master.cf."""
    assert MASTER.is_file(), "install Debian's postfix"
    _make_folders(folder)
    path = folder / "etc" / "pair.pem"
    path.write_bytes(pair.key + pair.certificates)
    path.chmod(0o600)
    values = {
        **_MAIN,
        "config_directory": folder / "etc",
        "queue_directory": folder / "spool",
        "data_directory": folder / "data",
        "smtpd_tls_chain_files": path,
        **settings,
    }
    lines = "".join(f"{key} = {value}\n" for key, value in values.items())
    for name, text in (("main.cf", lines), ("master.cf", services)):
        (folder / "etc" / name).write_text(text)
        # Postfix waits for two seconds where it finds that the file may still be written.
        os.utime(folder / "etc" / name, (0, 0))


def _make_folders(folder: Path) -> None:
    # Postfix drops its rights, and all folders above its own must let it in.
    folder.chmod(0o755)
    for each in ("etc", "spool", "data", "spool/pid"):
        (folder / each).mkdir(mode=0o755)
    shutil.chown(folder / "data", "postfix")
    for each in _QUEUES:
        (folder / "spool" / each).mkdir(mode=0o700)
        shutil.chown(folder / "spool" / each, "postfix")
    for each, mode in (("maildrop", 0o730), ("public", 0o710)):
        (folder / "spool" / each).mkdir()
        (folder / "spool" / each).chmod(mode)
        shutil.chown(folder / "spool" / each, "postfix", "postdrop")


@asynccontextmanager
async def running(folder: Path, port: int) -> AsyncIterator[None]:
    """Run Postfix's master itself: the script around it takes two seconds for its checks."""
    with (folder / "log").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(str(MASTER), "-c", str(folder / "etc"), "-s"),
            stdin=DEVNULL,
            stdout=output,
            stderr=STDOUT,
        )
        try:
            await until_greeted(port, b"220", process, folder / "log")
            yield
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def log(folder: Path) -> str:
    """Return what it has logged so far."""
    return (folder / "log").read_text(errors="replace")


async def flush(folder: Path) -> None:
    """Try again at once to deliver what is deferred."""
    command = ("postqueue", "-c", str(folder / "etc"), "-f")
    process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL)
    await process.wait()
