"""The mailboxes of the mail world: a real Dovecot with IMAP, LMTP, SASL and OAuth tokens.

It can be stopped and started again, at the same ports and with the same mail.
"""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL

from aiohttp import web

from agent.adapters.x509_making import KeyPair
from servers.free_ports import free_port
from servers.mail_ports import until_greeted

PROGRAM = shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin")
_OAUTH = """\
introspection_mode = post
introspection_url = http://127.0.0.1:{introspection}/introspect
username_attribute = username
active_attribute = active
active_value = true
"""
# The passwd-file as userdb, and no static one: LMTP needs to know who exists.
_CONFIG = """\
base_dir = {folder}/run
log_path = {folder}/log
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = dovecot
default_login_user = dovenull
ssl = yes
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = yes
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%u
mail_max_userip_connections = 200
mail_plugins = quota
first_valid_uid = 1
recipient_delimiter = +
lmtp_save_to_detail_mailbox = yes
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf.ext
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {folder}/users
  default_fields = uid=nobody gid=nogroup home={folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  mailbox Junk {{
    auto = create
    special_use = \\Junk
  }}
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
  mailbox Trash {{
    auto = create
    special_use = \\Trash
  }}
}}
plugin {{
  quota = maildir:Mailbox
  quota_rule = *:storage=64M
  quota_grace = 0
}}
protocol imap {{
  mail_plugins = quota imap_quota
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  unix_listener lmtp {{
    mode = 0
  }}
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
service auth {{
  inet_listener {{
    port = {sasl}
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""


@dataclass
class Store:
    """The ports of a Dovecot, whom it knows, and where it keeps their mail.

    ``imap`` offers STARTTLS, ``imaps`` is in TLS from the start. ``tokens`` has the user of each
    token that is good; a test may add and remove some at any time.
    """

    passwords: Mapping[str, str] = field(repr=False)
    tokens: dict[str, str] = field(repr=False)
    folder: Path = field(repr=False)
    imap: int = field(default_factory=free_port)
    imaps: int = field(default_factory=free_port)
    lmtp: int = field(default_factory=free_port)
    sasl: int = field(default_factory=free_port)
    introspection: int = 0
    _process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return (self.folder / "log").read_text(errors="replace")

    def maildir(self, user: str, folder: str = "") -> Path:
        """Return the Maildir of a user's inbox, or of one of their folders (Maildir++)."""
        return self.folder / "mail" / user / (f".{folder}" if folder else "")

    async def start(self) -> None:
        """Start it, and return when it greets."""
        assert PROGRAM is not None, "install Debian's dovecot-core, dovecot-imapd, dovecot-lmtpd"
        self._process = await asyncio.create_subprocess_exec(
            *(PROGRAM, "-F", "-c", str(self.folder / "conf")),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
            start_new_session=True,
        )
        await until_greeted(self.imap, b"* OK", self._process, self.folder / "log")

    async def stop(self) -> None:
        """Stop it and all its sessions, as if the power failed; the mail stays."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    async def deliver(self, octets: bytes, to: str, folder: str = "INBOX") -> None:
        """Put a message into a folder by LMTP (RFC 2033), as its final hop would."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.lmtp)
        local, _, domain = to.partition("@")
        content = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        stuffed = b"\r\n".join(
            b"." + line if line.startswith(b".") else line for line in content.split(b"\r\n")
        )
        said = [await reader.readline()]
        for command in (
            b"LHLO tests",
            b"MAIL FROM:<sender@contoso.com>",
            f"RCPT TO:<{local}+{folder}@{domain}>".encode(),
            b"DATA",
            stuffed.removesuffix(b"\r\n") + b"\r\n.",
        ):
            writer.write(command + b"\r\n")
            said.append(await reader.readline())
            while said[-1][3:4] == b"-":
                said.append(await reader.readline())
        writer.close()
        assert said[-1].startswith(b"2"), said


@asynccontextmanager
async def store(
    pair: KeyPair, passwords: Mapping[str, str], quotas: Mapping[str, str]
) -> AsyncIterator[Store]:
    """Run a Dovecot that shows *pair* and has a mailbox for each name in *passwords*.

    *quotas* has rules, such as ``*:bytes=1``, of mailboxes that may hold less than 64 MiB.
    """
    with tempfile.TemporaryDirectory(prefix="mailflow-store-") as folder:
        one = Store(passwords, {}, Path(folder))
        async with _introspection(one):
            _configure(one, pair, quotas)
            try:
                await one.start()
                yield one
            finally:
                await one.stop()


@asynccontextmanager
async def _introspection(one: Store) -> AsyncIterator[None]:
    """Answer Dovecot's questions about tokens (RFC 7662)."""

    async def introspect(request: web.Request) -> web.Response:
        user = one.tokens.get(str((await request.post()).get("token", "")))
        return web.json_response({"active": user is not None, "username": user})

    app = web.Application()
    app.router.add_post("/introspect", introspect)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    one.introspection = runner.addresses[0][1]
    try:
        yield
    finally:
        await runner.cleanup()


def _configure(one: Store, pair: KeyPair, quotas: Mapping[str, str]) -> None:
    folder = one.folder
    folder.chmod(0o755)
    (folder / "mail").mkdir()
    shutil.chown(folder / "mail", "nobody", "nogroup")
    (folder / "certificate.pem").write_bytes(pair.certificates)
    (folder / "key.pem").write_bytes(pair.key)
    (folder / "key.pem").chmod(0o600)
    users = "".join(
        f"{user}:{{PLAIN}}{password}::::::"
        + (f"userdb_quota_rule={quotas[user]}" if user in quotas else "")
        + "\n"
        for user, password in one.passwords.items()
    )
    (folder / "users").write_text(users)
    (folder / "oauth2.conf.ext").write_text(_OAUTH.format(introspection=one.introspection))
    ports = {name: getattr(one, name) for name in ("imap", "imaps", "lmtp", "sasl")}
    (folder / "conf").write_text(_CONFIG.format(folder=folder, **ports))
