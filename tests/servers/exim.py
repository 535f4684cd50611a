"""Real Exim servers on loopback: another hand, and with GnuTLS another TLS than everybody else's.

Debian's package cannot be installed beside Postfix, so it is unpacked (``.ci/unpacked``). The user
that it wants to become does not exist here; a library in front of it says that he does.
"""

import asyncio
import os
import pwd
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, STDOUT

from agent.adapters.x509_making import KeyPair
from servers.free_ports import free_port

ROOT = Path(os.environ.get("MAILFLOW_DEBIAN", str(Path(sys.prefix) / "debian")))
_PROGRAM = ROOT / "usr" / "sbin" / "exim4"
_USER = "Debian-exim"
_CONFIG = """\
primary_hostname = mail.contoso.com
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s
{settings}
domainlist local_domains = contoso.com
acl_smtp_connect = at_connect
acl_smtp_rcpt = at_rcpt
begin acl
at_connect:
  {at_connect}
  accept
at_rcpt:
  {at_rcpt}
  accept domains = +local_domains
         local_parts = probe
  deny domains = +local_domains
       message = 5.1.1 no such user here
  deny message = relay not permitted
begin routers
away:
  driver = accept
  transport = nowhere
begin transports
nowhere:
  driver = appendfile
  file = /dev/null
"""


@asynccontextmanager
async def exim(
    pair: KeyPair | None = None,
    settings: Mapping[str, str] | None = None,
    *,
    at_connect: str = "",
    at_rcpt: str = "",
) -> AsyncIterator[int]:
    """Run an Exim that shows *pair* in TLS, and give its port once it greets.

    *settings* are main options that differ from the ordinary; the rest are lines of its access
    lists. It knows one recipient, whose mail it throws away.
    """
    assert _PROGRAM.exists(), f"{_PROGRAM} is missing: make integration unpacks it"
    with tempfile.TemporaryDirectory(prefix="mailflow-exim-") as name:
        folder, port = Path(name), free_port()
        options = {**_tls(folder, pair), **(settings or {})}
        lines = "\n".join(f"{key} = {value}" for key, value in options.items())
        text = _CONFIG.format(
            folder=folder, port=port, settings=lines, at_connect=at_connect, at_rcpt=at_rcpt
        )
        _prepare(folder, text)
        with (folder / "said").open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                str(_PROGRAM),
                *("-C", str(folder / "conf"), "-bdf", "-oP", str(folder / "pid")),
                env=_environment(folder),
                stdin=DEVNULL,
                stdout=output,
                stderr=STDOUT,
            )
            try:
                await _until_greeted(port, process, folder)
                yield port
            finally:
                with suppress(ProcessLookupError):
                    process.terminate()
                await process.wait()


def _tls(folder: Path, pair: KeyPair | None) -> dict[str, str]:
    if pair is None:
        return {"tls_advertise_hosts": ""}
    path = folder / "pair.pem"
    path.write_bytes(pair.key + pair.certificates)
    return {"tls_advertise_hosts": "*", "tls_certificate": str(path)}


def _prepare(folder: Path, text: str) -> None:
    """Write the files, and let the user have them that Exim becomes."""
    (folder / "conf").write_text(text)
    owner = pwd.getpwnam("nobody")
    for each in ("spool", "log"):
        (folder / each).mkdir()
        shutil.chown(folder / each, owner.pw_uid, owner.pw_gid)
    if (folder / "pair.pem").exists():
        shutil.chown(folder / "pair.pem", owner.pw_uid)
    folder.chmod(0o755)
    users, groups = Path("/etc/passwd").read_text(), Path("/etc/group").read_text()
    line = f"{_USER}:x:{owner.pw_uid}:{owner.pw_gid}::/nonexistent:/bin/false\n"
    (folder / "passwd").write_text(users + line)
    (folder / "group").write_text(f"{groups}{_USER}:x:{owner.pw_gid}:\n")


def _environment(folder: Path) -> dict[str, str]:
    (libraries,) = {each.parent for each in ROOT.glob("usr/lib/*/libnss_wrapper.so")}
    return {
        "LD_LIBRARY_PATH": str(libraries),
        "LD_PRELOAD": str(libraries / "libnss_wrapper.so"),
        "NSS_WRAPPER_PASSWD": str(folder / "passwd"),
        "NSS_WRAPPER_GROUP": str(folder / "group"),
    }


async def _until_greeted(port: int, process: asyncio.subprocess.Process, folder: Path) -> None:
    """Connect until somebody greets: Exim does not tell when it is ready."""
    for _ in range(200):
        assert process.returncode is None, (folder / "said").read_text()
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            greeting = await reader.readline()
            writer.close()
            if greeting[:3].isdigit():  # perhaps it greets with a refusal
                return
        await asyncio.sleep(0.05)  # between two tries, not for a state
    raise AssertionError((folder / "said").read_text())
