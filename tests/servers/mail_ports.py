"""When are the servers of the mail world ready?"""

import asyncio
from contextlib import suppress
from pathlib import Path

_TRIES = 400


async def until_greeted(
    port: int, greeting: bytes, process: asyncio.subprocess.Process, log: Path
) -> None:
    """Connect until somebody greets so: neither Postfix nor Dovecot tells when it is ready."""
    for _ in range(_TRIES):
        assert process.returncode is None, _said(log)
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            said = await reader.readline()
            writer.close()
            if said.startswith(greeting):
                return
        await asyncio.sleep(0.03)  # between two tries, not for a state
    raise AssertionError(_said(log))


def _said(log: Path) -> str:
    return log.read_text(errors="replace") if log.is_file() else ""
