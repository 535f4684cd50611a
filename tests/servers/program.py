"""The program as a process, as a user runs it."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Ended:
    """What a finished command left behind."""

    code: int
    out: str
    err: str


async def start(
    *arguments: str,
    cwd: Path | None = None,
    stdout: IO[bytes] | int = PIPE,
    **environment: str,
) -> Process:
    """Start one command."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "agent",
        *arguments,
        cwd=cwd or ROOT,
        env={**os.environ, "COLUMNS": "100", **environment},
        stdin=DEVNULL,
        stdout=stdout,
        stderr=PIPE,
    )


async def end(process: Process) -> Ended:
    """Wait for the end of a command and return its exit code and what it wrote."""
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, (out or b"").decode(), err.decode())


async def mailflow_agent(
    *arguments: str,
    cwd: Path | None = None,
    stdout: IO[bytes] | int = PIPE,
    **environment: str,
) -> Ended:
    """Run one command to its end."""
    return await end(await start(*arguments, cwd=cwd, stdout=stdout, **environment))
