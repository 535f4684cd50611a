"""A real Postfix that takes mail of routes, hands it on, and whose log is the judge of both.

    async with onward(sink_port) as relay:   # 0.5 s
        ... send to relay.port ...
        relay.taken()                        # what it took, by its queue

Mail for TO_SINK goes on to the agent's own server at *sink_port*, and waits where nobody listens;
mail for TO_MAILDIR is delivered by Postfix itself into ``relay.maildir``, and TO_KEPT into
``relay.kept``. It offers STARTTLS with a certificate for HOST. What Postfix asks of other programs
is nothing: all tables are in its configuration, so that no other process spends time for it. Each
address may be extended by ``+`` and what one likes, so that every route has one of its own.
"""

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, STDOUT

from agent.adapters.x509_making import KeyPair
from servers.mail_ports import free_port, until_greeted
from servers.mail_relay import _QUEUES, MASTER
from servers.mail_world import issued

HOST = "localhost"
MAIL_FROM = "probe@contoso.com"
TO_SINK = "probe@sink.contoso.com"
TO_MAILDIR = "probe@boxes.contoso.com"
TO_KEPT = "kept@boxes.contoso.com"
_NOBODY = 65534  # Debian's user and group without rights
_SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
_CLEANUP = re.compile(r"/cleanup\[\d+\]: ([0-9A-Za-z]+): message-id=<([^>]*)>")
_ACTIVE = re.compile(r"/qmgr\[\d+\]: ([0-9A-Za-z]+): from=<[^>]*>, .*\(queue active\)")
_SENT = re.compile(r"/(?:smtp|virtual)\[\d+\]: ([0-9A-Za-z]+): to=<([^>]*)>.* status=(\w+)")


@dataclass(frozen=True, slots=True)
class Taken:
    """One message in the relay's queue, as its log tells: what it was, and what became of it."""

    queue_id: str
    message_id: str
    statuses: tuple[str, ...]  # in the order in which the relay tried to hand it on
    recipient: str


@dataclass(frozen=True)
class Onward:
    """A relay that runs."""

    port: int
    folder: Path = field(repr=False)

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return (self.folder / "log").read_text(errors="replace")

    @property
    def maildir(self) -> Path:
        """Where mail for TO_MAILDIR lies."""
        return self.folder / "boxes" / "probe"

    @property
    def kept(self) -> Path:
        """Where mail for TO_KEPT lies."""
        return self.folder / "boxes" / "kept"

    async def flush(self) -> None:
        """Try again at once what is deferred.

        Postfix leaves alone for minutes what it finds locked, which fast retries provoke.
        """
        command = ("postqueue", "-c", str(self.folder / "etc"), "-f")
        process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL)
        await process.wait()

    def begun(self) -> list[str]:
        """Return the Message-IDs of all that was begun to be handed over, whole or not."""
        return [message_id for _, message_id in _CLEANUP.findall(self.log)]

    def taken(self) -> list[Taken]:
        """Return what it took over from its clients; what was broken off is not in its queue."""
        log = self.log
        names = dict(_CLEANUP.findall(log))
        tries: dict[str, list[tuple[str, str]]] = {}
        for queue_id, to, status in _SENT.findall(log):
            tries.setdefault(queue_id, []).append((to, status))
        return [
            Taken(
                each,
                names[each],
                tuple(status for _, status in tries.get(each, ())),
                tries[each][-1][0] if each in tries else "",
            )
            for each in dict.fromkeys(_ACTIVE.findall(log))
            if each in names
        ]


@asynccontextmanager
async def onward(sink_port: int) -> AsyncIterator[Onward]:
    """Run the relay."""
    with tempfile.TemporaryDirectory(prefix="mailflow-onward-") as name:
        one = Onward(free_port(), Path(name))
        _configure(one, issued()[1], sink_port)
        with (one.folder / "log").open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(str(MASTER), "-c", str(one.folder / "etc"), "-s"),
                stdin=DEVNULL,
                stdout=output,
                stderr=STDOUT,
            )
            try:
                await until_greeted(one.port, b"220", process, one.folder / "log")
                yield one
            finally:
                with suppress(ProcessLookupError):
                    process.terminate()
                await process.wait()


def _configure(one: Onward, pair: KeyPair, sink_port: int) -> None:
    folder = one.folder
    _folders(folder)
    path = folder / "etc" / "pair.pem"
    path.write_bytes(pair.key + pair.certificates)
    path.chmod(0o600)
    values = {
        "compatibility_level": "3.6",
        "config_directory": folder / "etc",
        "queue_directory": folder / "spool",
        "data_directory": folder / "data",
        "myhostname": "relay.contoso.com",
        "enable_long_queue_ids": "yes",  # never used again
        "mydestination": "",
        "inet_interfaces": "127.0.0.1",
        "inet_protocols": "ipv4",
        "alias_maps": "",
        "alias_database": "",
        "biff": "no",
        "notify_classes": "",
        "recipient_delimiter": "+",
        "maillog_file": "/dev/stdout",
        "disable_dns_lookups": "yes",
        "mynetworks": "127.0.0.99/32",  # not us: only the domains below are taken
        "relay_domains": "sink.contoso.com",
        "transport_maps": f"inline:{{{{sink.contoso.com=smtp:[127.0.0.1]:{sink_port}}}}}",
        "virtual_mailbox_domains": "boxes.contoso.com",
        "virtual_mailbox_maps": f"inline:{{{{{TO_MAILDIR}=probe/}} {{{TO_KEPT}=kept/}}}}",
        "virtual_mailbox_base": folder / "boxes",
        "virtual_uid_maps": f"static:{_NOBODY}",
        "virtual_gid_maps": f"static:{_NOBODY}",
        "smtpd_client_connection_count_limit": "0",
        "smtpd_client_message_rate_limit": "0",
        "smtpd_tls_security_level": "may",
        "smtpd_tls_chain_files": path,
        "smtpd_tls_received_header": "yes",
        "smtp_tls_security_level": "none",
        # What is deferred while the agent is away is tried again soon.
        "in_flow_delay": "0",
        "queue_run_delay": "1s",
        "minimal_backoff_time": "1s",
        "maximal_backoff_time": "2s",
        "smtp_connect_timeout": "5s",
        "smtp_data_done_timeout": "10s",
        "smtp_helo_timeout": "5s",
        # Nobody is given up for being away.
        "default_destination_concurrency_failed_cohort_limit": "1000",
    }
    lines = "".join(f"{key} = {value}\n" for key, value in values.items())
    for name, text in (("main.cf", lines), ("master.cf", _SERVICES.format(port=one.port))):
        (folder / "etc" / name).write_text(text)
        # Postfix waits for two seconds where it finds that the file may still be written.
        os.utime(folder / "etc" / name, (0, 0))


def _folders(folder: Path) -> None:
    folder.chmod(0o755)
    for each in ("etc", "spool", "data", "spool/pid", "boxes"):
        (folder / each).mkdir(mode=0o755)
    shutil.chown(folder / "data", "postfix")
    for each in _QUEUES:
        (folder / "spool" / each).mkdir(mode=0o700)
        shutil.chown(folder / "spool" / each, "postfix")
    for each, mode in (("maildrop", 0o730), ("public", 0o710)):
        (folder / "spool" / each).mkdir()
        (folder / "spool" / each).chmod(mode)
        shutil.chown(folder / "spool" / each, "postfix", "postdrop")
    for box in ("probe", "kept"):
        # A place of pick-up has to be there before the first mail comes.
        for part in ("", "new", "cur", "tmp"):
            place = folder / "boxes" / box / part
            place.mkdir(exist_ok=True)
            shutil.chown(place, _NOBODY, _NOBODY)
