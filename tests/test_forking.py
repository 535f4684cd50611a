"""Is a command that a helper forks a process as any other, as far as tests can see?"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from agent.cli.main import COMMANDS
from servers.program import ROOT, Ended, end, launch, start
from servers.warm import compiled

ALONE = """\
# Libraries, and the lowest layer, which imports nothing of the others, are there already.
import importlib, os, pkgutil, sys
import aiohttp, apscheduler.schedulers.asyncio, cryptography.x509, dns.message, jinja2, pydantic
import agent.domain
for module in pkgutil.walk_packages(agent.domain.__path__, "agent.domain."):
    importlib.import_module(module.name)
for command in sys.argv[1:]:
    if not (child := os.fork()):
        __import__(command)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(command)
"""


async def ended(*arguments: str, is_fresh: bool, **environment: str) -> Ended:
    known = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PYTHONUNBUFFERED": "", "mailflow_test": "é"}
    process = await launch(
        *("servers.mirror", *arguments),
        cwd=ROOT / "docs",
        environment={**os.environ, **known, **environment},
        is_fresh=is_fresh,
    )
    async with asyncio.timeout(60):
        return await end(process)


@pytest.mark.parametrize(
    ("how", "code", "said"),
    [
        pytest.param("none", 0, "", id="none"),
        pytest.param("code", 3, "", id="code"),
        pytest.param("words", 1, "what went wrong\n", id="words"),
        pytest.param("crash", 1, "LookupError: crash\n", id="crash"),
        pytest.param("late", 0, "", id="threads and what is left for the end"),
        pytest.param("unread", 120, "Bad file descriptor\n", id="output that cannot be written"),
        pytest.param("SIGINT", -signal.SIGINT, "KeyboardInterrupt\n", id="SIGINT"),
        pytest.param("SIGTERM", -signal.SIGTERM, "", id="SIGTERM"),
        pytest.param("SIGKILL", -signal.SIGKILL, "", id="SIGKILL"),
    ],
)
async def test_it_sees_itself_and_ends_as_with_an_interpreter_of_its_own(
    how: str, code: int, said: str
) -> None:
    forked, fresh = await asyncio.gather(
        ended(how, "ö b", is_fresh=False), ended(how, "ö b", is_fresh=True)
    )
    assert forked.out == fresh.out
    assert forked.code == fresh.code == code
    assert forked.err.endswith(said)
    assert fresh.err.endswith(said)
    assert bool(forked.err) == bool(fresh.err) == bool(said)


@pytest.mark.parametrize("variable", ["PYTHONWARNINGS=error", "PYTHONUNBUFFERED=1", "COLUMNS=70"])
async def test_it_heeds_its_environment(variable: str) -> None:
    name, _, value = variable.partition("=")
    forked, fresh = await asyncio.gather(
        ended("none", is_fresh=False, **{name: value}),
        ended("none", is_fresh=True, **{name: value}),
    )
    assert forked == fresh
    assert forked.out != (await ended("none", is_fresh=False)).out


async def test_it_takes_a_signal_and_nobody_else_does(tmp_path: Path) -> None:
    first = await start("lab", "serve", "--state", str(tmp_path / "a"))
    second = await start("lab", "serve", "--state", str(tmp_path / "b"))
    for process in (first, second):
        assert process.stdout is not None
        assert await process.stdout.readline()
    first.send_signal(signal.SIGTERM)
    assert (await end(first)).code == 0
    with pytest.raises(ProcessLookupError):
        first.kill()
    assert second.returncode is None
    second.kill()
    assert (await end(second)).code == -signal.SIGKILL


async def test_every_command_imports_what_it_needs_itself() -> None:
    """What is forked has imported all before, in one order; here each begins with its own."""
    modules = sorted({module.partition(":")[0] for module in COMMANDS.values()})
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ALONE, *modules), cwd=ROOT, env=compiled(os.environ), stderr=PIPE
    )
    _, err = await process.communicate()
    assert (process.returncode, err.decode()) == (0, "")
