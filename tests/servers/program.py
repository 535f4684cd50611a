"""The program as a process, as a user runs it."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Ended:
    """What a finished command left behind."""

    code: int
    out: str
    err: str


async def mailflow_agent(*arguments: str, cwd: Path | None = None, **environment: str) -> Ended:
    """Run one command to its end and return its exit code and what it wrote."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "agent",
        *arguments,
        cwd=cwd or ROOT,
        env={**os.environ, "COLUMNS": "100", **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())
