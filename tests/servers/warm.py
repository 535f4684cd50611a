"""How does a test have a command run by the helper that forks, and how does it wait for its end?

There is one helper for each process of the tests, started when the first command is. What it runs
is a process like any other: it has an id, takes signals, and ends with a code.
"""

import asyncio
import atexit
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from asyncio import StreamReader
from asyncio.subprocess import PIPE
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

_ROOT = Path(__file__).parents[2]
BYTECODE = Path(tempfile.gettempdir()) / f"mailflow-agent-bytecode-{os.getuid()}"
_NEVER_PAUSED = 2**24  # octets that a command may write before somebody reads


def compiled(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which Python keeps its bytecode.

    An installed program has its bytecode; a checkout need not have it, or may be forbidden to.
    """
    kept = {key: value for key, value in environment.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {"PYTHONPYCACHEPREFIX": str(BYTECODE), **kept}


class Forked:
    """A process that the helper forked, with what tests use of :class:`asyncio.subprocess.Process`.

    Other than that one's, its ``wait`` also waits until nobody can write to its pipes any more.
    """

    def __init__(
        self, pid: int, status: StreamReader, stdout: "_Pipe | None", stderr: "_Pipe | None"
    ) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdout = None if stdout is None else stdout.reader
        self.stderr = None if stderr is None else stderr.reader
        self._pipes = [pipe.closed for pipe in (stdout, stderr) if pipe is not None]
        self._ending = asyncio.ensure_future(self._watch(status))

    async def _watch(self, status: StreamReader) -> int:
        self.returncode = int(await status.readline())
        assert not await status.read()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait for its end, and return its code; a negative one is the signal that ended it."""
        code = await asyncio.shield(self._ending)
        await asyncio.gather(*map(asyncio.shield, self._pipes))
        return code

    async def communicate(self) -> tuple[bytes | None, bytes | None]:
        """Wait for its end, and return all that it wrote to each pipe that there is."""
        out, err = await asyncio.gather(_all_of(self.stdout), _all_of(self.stderr))
        await self.wait()
        return out, err


async def _all_of(reader: StreamReader | None) -> bytes | None:
    return None if reader is None else await reader.read()


class _Pipe(asyncio.StreamReaderProtocol):
    """The end of a pipe from which we read; ``closed`` is done when its other end is closed."""

    def __init__(self) -> None:
        self.reader = StreamReader(limit=_NEVER_PAUSED)
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        super().__init__(self.reader)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.closed.set_result(None)


async def _pipe() -> tuple[_Pipe, int]:
    """Return a pipe, and the descriptor by which to write to it."""
    theirs, ours = os.pipe()
    file = os.fdopen(theirs, "rb", buffering=0)
    _, pipe = await asyncio.get_running_loop().connect_read_pipe(_Pipe, file)
    return pipe, ours


@functools.cache
def _helper() -> socket.socket:
    """Start the helper, and return the socket by which it is asked."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environment = compiled(os.environ) | {"PYTHONPATH": f"{_ROOT}:{_ROOT / 'tests'}"}
    for key in [key for key in environment if key.startswith("COVERAGE_")]:
        del environment[key]
    process = subprocess.Popen(
        [sys.executable, "-m", "servers.forking", str(theirs.fileno())],
        cwd=_ROOT,
        env=environment,
        pass_fds=[theirs.fileno()],
    )
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


async def fork(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    stdout: int,
    stderr: int,
) -> Forked:
    """Run a module with its arguments as a process; a stream is a descriptor, or ``PIPE``."""
    async with AsyncExitStack() as stack:
        null = os.open(os.devnull, os.O_RDONLY)
        stack.callback(os.close, null)
        pipes: list[_Pipe | None] = []
        descriptors = [null]
        for stream in (stdout, stderr, PIPE):  # the last one tells how it ends
            pipe, descriptor = await _pipe() if stream == PIPE else (None, stream)
            if pipe is not None:
                stack.callback(os.close, descriptor)
            pipes.append(pipe)
            descriptors.append(descriptor)
        request = {
            "module": command[0],
            "arguments": command[1:],
            "cwd": str(cwd),
            "environment": dict(environment),
        }
        socket.send_fds(_helper(), [json.dumps(request).encode()], descriptors)
    out, err, status = pipes
    assert status is not None
    pid = await status.reader.readline()
    assert pid, "the helper that forks has ended; its complaint is above"
    return Forked(int(pid), status.reader, out, err)
