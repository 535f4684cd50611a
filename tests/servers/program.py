"""The program as a process, as a user runs it.

A process that a helper forks is the rule (:mod:`servers.warm`); one with an interpreter of its own
is started where that is what a test is about, and where coverage is to trace it.
"""

import asyncio
import os
import sys
from asyncio import StreamReader
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from servers.warm import compiled, fork

ROOT = Path(__file__).parents[2]


class Process(Protocol):
    """What tests use of a process, however it was started."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    @property
    def stdout(self) -> StreamReader | None: ...
    @property
    def stderr(self) -> StreamReader | None: ...
    def send_signal(self, number: int, /) -> None: ...
    def kill(self) -> None: ...
    async def wait(self) -> int: ...
    async def communicate(self) -> tuple[bytes | None, bytes | None]: ...


@dataclass(frozen=True, slots=True)
class Ended:
    """What a finished command left behind."""

    code: int
    out: str
    err: str


async def launch(
    *command: str,
    cwd: Path,
    environment: Mapping[str, str],
    stdout: int = PIPE,
    stderr: int = PIPE,
    is_fresh: bool = False,
) -> Process:
    """Run a module, ``python -m``, with its arguments; *is_fresh*: with an interpreter of its own.

    *environment* is all that it has. A stream is a descriptor, or ``PIPE``.
    """
    is_fresh = is_fresh or "LD_PRELOAD" in environment
    is_traced = any(key.startswith("COVERAGE_") for key in environment)
    if not (is_fresh or is_traced):
        return await fork(command, cwd=cwd, environment=environment, stdout=stdout, stderr=stderr)
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *command),
        cwd=cwd,
        env=compiled(environment),
        stdin=DEVNULL,
        stdout=stdout,
        stderr=stderr,
    )


async def start(
    *arguments: str,
    cwd: Path | None = None,
    stdout: IO[bytes] | int = PIPE,
    is_fresh: bool = False,
    **environment: str,
) -> Process:
    """Start one command."""
    return await launch(
        *("agent", *arguments),
        cwd=cwd or ROOT,
        environment={**os.environ, "COLUMNS": "100", **environment},
        stdout=stdout if isinstance(stdout, int) else stdout.fileno(),
        is_fresh=is_fresh,
    )


async def end(process: Process) -> Ended:
    """Wait for the end of a command and return its exit code and what it wrote."""
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, (out or b"").decode(), (err or b"").decode())


async def mailflow_agent(
    *arguments: str,
    cwd: Path | None = None,
    stdout: IO[bytes] | int = PIPE,
    is_fresh: bool = False,
    **environment: str,
) -> Ended:
    """Run one command to its end."""
    process = await start(*arguments, cwd=cwd, stdout=stdout, is_fresh=is_fresh, **environment)
    return await end(process)
