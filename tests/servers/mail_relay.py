"""A relay of the mail world: a real Postfix whose rules a test can change while it runs."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, STDOUT

from agent.adapters.x509_making import KeyPair
from servers.mail_ports import free_port, until_greeted
from servers.mail_rules import Rules, served

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
    "smtpd_error_sleep_time": "0",
    "smtpd_helo_required": "yes",
    "smtpd_tls_security_level": "may",
    "smtpd_tls_received_header": "yes",
    "smtpd_tls_auth_only": "yes",
    "smtpd_sasl_type": "dovecot",
    "smtpd_sasl_authenticated_header": "yes",
    "smtp_tls_security_level": "may",
    # What is deferred is tried again while a test looks on.
    "in_flow_delay": "0",
    "queue_run_delay": "1s",
    "minimal_backoff_time": "1s",
    "maximal_backoff_time": "2s",
}
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
plain unix - - n - - smtp -o smtp_tls_security_level=none
lmtp unix - - n - - lmtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Relay:
    """One relay. ``port`` takes mail and offers STARTTLS, ``tls_port`` is in TLS from the start."""

    name: str
    port: int
    tls_port: int
    rules: Rules
    folder: Path = field(repr=False)

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return (self.folder / "log").read_text(errors="replace")

    async def flush(self) -> None:
        """Try again at once to deliver what is deferred."""
        command = ("postqueue", "-c", str(self.folder / "etc"), "-f")
        process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL)
        await process.wait()


@asynccontextmanager
async def relay(
    name: str, port: int, pair: KeyPair, rules: Rules, settings: Mapping[str, str]
) -> AsyncIterator[Relay]:
    """Run a Postfix that is called *name* and listens at *port*, under *rules*.

    *settings* are the lines of main.cf that make it the relay that it is.
    """
    # Postfix drops its rights, and all folders above its own must let it in.
    with tempfile.TemporaryDirectory(prefix="mailflow-relay-") as folder:
        one = Relay(name, port, free_port(), rules, Path(folder))
        async with served(rules) as (policy, socketmap):
            asks = {
                "smtpd_recipient_restrictions": f"check_policy_service inet:127.0.0.1:{policy}",
                "header_checks": f"socketmap:inet:127.0.0.1:{socketmap}:headers",
            }
            _configure(one, pair, {**asks, **settings})
            async with _running(one):
                yield one


@asynccontextmanager
async def _running(one: Relay) -> AsyncIterator[None]:
    """Run Postfix's master itself: the script around it takes two seconds for its checks."""
    with (one.folder / "log").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(str(MASTER), "-c", str(one.folder / "etc"), "-s"),
            stdin=DEVNULL,
            stdout=output,
            stderr=STDOUT,
        )
        try:
            await until_greeted(one.port, b"220", process, one.folder / "log")
            yield
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def _configure(one: Relay, pair: KeyPair, settings: Mapping[str, str]) -> None:
    assert MASTER.is_file(), "install Debian's postfix"
    folder = one.folder
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
    path = folder / "etc" / "pair.pem"
    path.write_bytes(pair.key + pair.certificates)
    path.chmod(0o600)
    values = {
        **_MAIN,
        "config_directory": folder / "etc",
        "queue_directory": folder / "spool",
        "data_directory": folder / "data",
        "myhostname": one.name,
        "smtpd_tls_chain_files": path,
        **settings,
    }
    lines = "".join(f"{key} = {value}\n" for key, value in values.items())
    master = _MASTER.format(port=one.port, tls_port=one.tls_port)
    for name, text in (("main.cf", lines), ("master.cf", master)):
        (folder / "etc" / name).write_text(text)
        # Postfix waits for two seconds where it finds that the file may still be written.
        os.utime(folder / "etc" / name, (0, 0))
