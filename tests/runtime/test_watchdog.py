"""A loop that is really stuck, in a process of its own, is noticed, named, and in the end ended."""

import asyncio
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.cli.exits import Exit
from agent.runtime.watchdog import EXIT, Patience, Watchdog

SCRIPT = """
import asyncio, sys, threading, time
from agent.exposition import log
from agent.runtime.watchdog import Patience, Watchdog

class Clogged:
    # A log whose reader takes nothing: the first line is never done.
    def isatty(self): return False
    def flush(self): pass
    def write(self, text): time.sleep(3600)  # on purpose

def the_call_that_never_returns(seconds):
    time.sleep(seconds)  # on purpose

async def main(give_up, block):
    with Watchdog(Patience(pace=0.05, tell=3, give_up=give_up)):
        print("began", flush=True)
        await asyncio.sleep(0.2)
        eval(block)
        await asyncio.sleep(0.2)
        print("well", flush=True)

log.configure("json", stream=Clogged() if sys.argv[3:] else None)
asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
"""


@asynccontextmanager
async def process(give_up: int, block: str, *more: str) -> AsyncIterator[Process]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SCRIPT, str(give_up), block, *more, stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(60):
            yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


async def test_a_loop_that_stays_stuck_ends_the_process_and_the_log_says_where() -> None:
    async with process(10, "the_call_that_never_returns(3600)") as child:
        _, log = await child.communicate()
    stuck, over = log.decode().splitlines()
    assert '"event loop is stuck"' in stuck
    assert "in the_call_that_never_returns" in stuck
    assert '"event loop stays stuck, giving up"' in over
    assert child.returncode == EXIT == Exit.STUCK


async def test_a_loop_that_comes_round_again_is_told_of_once_and_goes_on() -> None:
    async with process(1000, "the_call_that_never_returns(1)") as child:
        out, log = await child.communicate()
    assert out == b"began\nwell\n"
    stuck, goes_on = log.decode().splitlines()
    assert '"event loop is stuck"' in stuck
    assert '"event loop goes on"' in goes_on
    assert child.returncode == 0


async def test_the_kernel_ends_it_where_even_the_log_is_stuck() -> None:
    block = "__import__('logging').error('never written')"
    async with process(4, block, "clogged") as child:
        await child.communicate()
    assert child.returncode == -signal.SIGALRM


async def test_a_process_that_was_stopped_is_not_to_blame() -> None:
    async with process(4, "None") as child:
        assert child.stdout is not None
        assert await child.stdout.readline() == b"began\n"
        child.send_signal(signal.SIGSTOP)
        await asyncio.to_thread(wait_until_stopped, child.pid)
        await asyncio.sleep(1)  # five times its patience; it must pass for the process, too
        child.send_signal(signal.SIGCONT)
        out, log = await child.communicate()
    assert (out, log) == (b"well\n", b"")
    assert child.returncode == 0


def wait_until_stopped(pid: int) -> None:
    while Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "T":
        time.sleep(0.01)  # on purpose: the kernel tells nobody


@pytest.mark.parametrize("ends", ["before the thread looks", "after it"])
async def test_an_end_that_follows_leaves_no_alarm_behind(
    caplog: pytest.LogCaptureFixture, ends: str
) -> None:
    with Watchdog(Patience(pace=0.1, tell=2, give_up=1000)):
        await asyncio.sleep(0)
        time.sleep(1)  # noqa: ASYNC251 - on purpose: this is what must be noticed
        if ends == "after it":
            await asyncio.sleep(0.3)
    assert [record.getMessage() for record in caplog.records] == [
        "event loop is stuck",
        "event loop goes on",
    ]
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
