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

import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from servers import postfix_master
from servers.free_ports import free_port
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
_MAIN = {
    "myhostname": "relay.contoso.com",
    "enable_long_queue_ids": "yes",  # never used again
    "mynetworks": "127.0.0.99/32",  # not us: only the domains below are taken
    "relay_domains": "sink.contoso.com",
    "virtual_mailbox_domains": "boxes.contoso.com",
    "virtual_mailbox_maps": f"inline:{{{{{TO_MAILDIR}=probe/}} {{{TO_KEPT}=kept/}}}}",
    "virtual_uid_maps": f"static:{_NOBODY}",
    "virtual_gid_maps": f"static:{_NOBODY}",
    "smtpd_client_message_rate_limit": "0",
    "smtp_tls_security_level": "none",
    "smtp_connect_timeout": "5s",
    "smtp_data_done_timeout": "10s",
    "smtp_helo_timeout": "5s",
    # Nobody is given up for being away.
    "default_destination_concurrency_failed_cohort_limit": "1000",
}
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
        return postfix_master.log(self.folder)

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
        await postfix_master.flush(self.folder)

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
        settings = {
            **_MAIN,
            "transport_maps": f"inline:{{{{sink.contoso.com=smtp:[127.0.0.1]:{sink_port}}}}}",
            "virtual_mailbox_base": one.folder / "boxes",
        }
        services = _SERVICES.format(port=one.port)
        postfix_master.configure(one.folder, issued()[1], settings, services)
        _make_boxes(one.folder / "boxes")
        async with postfix_master.running(one.folder, one.port):
            yield one


def _make_boxes(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    for box in ("probe", "kept"):
        # A place of pick-up has to be there before the first mail comes.
        for part in ("", "new", "cur", "tmp"):
            place = folder / box / part
            place.mkdir(exist_ok=True)
            shutil.chown(place, _NOBODY, _NOBODY)
