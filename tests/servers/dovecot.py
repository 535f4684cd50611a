"""A real Dovecot on loopback that knows one password, for the servers that let people log in."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, STDOUT

from servers.free_ports import free_port

PROGRAM = shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin")
USERNAME, PASSWORD = "probe@contoso.com", "a secret, with a space"
_CONFIG = """\
base_dir = {folder}/run
log_path = {folder}/log
protocols =
listen = 127.0.0.1
ssl = no
default_internal_user = dovecot
default_login_user = dovenull
auth_mechanisms = plain login
auth_failure_delay = 0
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  inet_listener {{
    port = {port}
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""


@asynccontextmanager
async def dovecot() -> AsyncIterator[int]:
    """Run a Dovecot that only answers for passwords, and give the port of its SASL service."""
    assert PROGRAM is not None, "install Debian's dovecot-core"
    with tempfile.TemporaryDirectory(prefix="mailflow-dovecot-") as name:
        folder = Path(name)
        port = _prepare(folder)
        process = await asyncio.create_subprocess_exec(
            *(PROGRAM, "-F", "-c", str(folder / "conf")),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=STDOUT,
        )
        try:
            await _until_it_speaks(port, process, folder)
            yield port
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def _prepare(folder: Path) -> int:
    """Write the configuration, and return the port in it."""
    folder.chmod(0o755)
    port = free_port()
    (folder / "conf").write_text(_CONFIG.format(folder=folder, port=port))
    (folder / "users").write_text(f"{USERNAME}:{{PLAIN}}{PASSWORD}::::::\n")
    return port


async def _until_it_speaks(port: int, process: asyncio.subprocess.Process, folder: Path) -> None:
    """Connect until its service says its version: Dovecot does not tell when it is ready."""
    for _ in range(200):
        assert process.returncode is None, (folder / "log").read_text()
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            spoken = await reader.readline()
            writer.close()
            if spoken.startswith(b"VERSION"):
                return
        await asyncio.sleep(0.05)  # between two tries, not for a state
    raise AssertionError((folder / "log").read_text())
