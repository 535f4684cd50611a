"""Two real name servers: Knot with a zone, and Knot with the copy that it has fetched of it.

async with knot_pair("contoso.com", lines) as pair:
    pair.first, pair.second  # their addresses; both have the zone by now
    await pair.rewrite(other_lines)  # at the first only: nobody tells the second
"""

import asyncio
import contextlib
import os
import shutil
import tempfile
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from agent.adapters.clock import SystemClock
from agent.adapters.dns_direct import Direct
from agent.domain.direct import DirectQuery, Said
from servers.free_ports import free_port

_PATH = os.environ.get("PATH", "") + ":/usr/sbin"
PROGRAM, CONTROL = shutil.which("knotd", path=_PATH), shutil.which("knotc", path=_PATH)
_BOTH = """
server:
  listen: 127.0.0.1@{port}
  rundir: "{folder}"
database:
  storage: "{folder}"
log:
  - target: stderr
    any: error
"""
_FIRST = """
acl:
  - id: everybody
    address: 127.0.0.0/8
    action: transfer
zone:
  - domain: {origin}
    storage: "{folder}"
    file: zone
    acl: everybody
"""
_SECOND = """
remote:
  - id: first
    address: 127.0.0.1@{other}
zone:
  - domain: {origin}
    storage: "{folder}"
    file: zone
    master: first
"""
Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Pair:
    """Where the two listen."""

    first: Place
    second: Place
    folder: Path
    origin: str

    async def rewrite(self, lines: str) -> None:
        """Give the first another zone, and wait until it has it."""
        (self.folder / "zone").write_text(lines)
        words = ("-c", str(self.folder / "knot.conf"), "-b", "zone-reload", self.origin)
        assert CONTROL is not None
        process = await asyncio.create_subprocess_exec(CONTROL, *words, stdout=DEVNULL)
        assert await process.wait() == 0


@asynccontextmanager
async def knot_pair(origin: str, lines: str) -> AsyncIterator[Pair]:
    """Run both until they speak for *origin*."""
    async with AsyncExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        first, second = free_port(), free_port()
        (folders[0] / "zone").write_text(lines)
        for folder, port, more in zip(folders, (first, second), (_FIRST, _SECOND), strict=True):
            text = (_BOTH + more).format(port=port, folder=folder, origin=origin, other=first)
            await _start(stack, folder, origin, port, text)
        yield Pair(("127.0.0.1", first), ("127.0.0.1", second), folders[0], origin)


async def _start(stack: AsyncExitStack, folder: Path, origin: str, port: int, text: str) -> None:
    assert PROGRAM is not None, "install Debian's knot"
    path = folder / "knot.conf"
    path.write_text(text)
    process = await asyncio.create_subprocess_exec(PROGRAM, "-c", str(path), stdin=DEVNULL)
    stack.push_async_callback(process.wait)
    stack.callback(_ending(process))
    query = DirectQuery(ip_address("127.0.0.1"), origin, "SOA", port=port)
    direct = Direct(SystemClock())
    for _ in range(200):
        assert process.returncode is None, "knotd did not start"
        heard = await direct.ask(query, "any")
        if isinstance(heard, Said) and heard.authoritative and heard.records:
            return
        await asyncio.sleep(0.05)  # between two tries, not for a state
    message = "knotd does not answer"
    raise TimeoutError(message)


def _ending(process: Process) -> Callable[[], None]:
    def end() -> None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()

    return end
