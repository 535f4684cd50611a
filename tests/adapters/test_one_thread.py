"""Work that blocks, with a deadline."""

import asyncio
import threading

import pytest

from agent.adapters.mailbox import PickupError, Trouble
from agent.adapters.one_thread import OneThread


def there(name: str) -> bool:
    return any(thread.name.startswith(name) for thread in threading.enumerate())


async def test_a_job_gives_its_result_or_its_error() -> None:
    thread = OneThread("one-a")
    assert await thread.run(lambda: 4711, 5) == 4711
    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda: 1 // 0, 5)
    assert await thread.run(lambda: "again", 5) == "again"
    await thread.close()
    assert not there("one-a")


async def test_what_hangs_is_cut_off_and_comes_back() -> None:
    gate = threading.Event()
    thread = OneThread("one-b", gate.set)
    with pytest.raises(PickupError) as caught:
        await thread.run(gate.wait, 0.05)
    assert caught.value.trouble is Trouble.TIMEOUT
    with pytest.raises(PickupError):
        await thread.run(lambda: 0, 5)
    await thread.close()
    assert not there("one-b")


async def test_what_cannot_be_cut_off_holds_nobody_up() -> None:
    gate = threading.Event()
    thread = OneThread("one-c")
    with pytest.raises(PickupError):
        await thread.run(gate.wait, 0.05)
    await thread.close()  # returns, although the thread is still there
    assert there("one-c")
    gate.set()


async def test_who_is_cancelled_cuts_off_the_job() -> None:
    gate = threading.Event()
    began = asyncio.Event()
    loop = asyncio.get_running_loop()
    thread = OneThread("one-d", gate.set)

    def job() -> None:
        loop.call_soon_threadsafe(began.set)
        gate.wait()
        raise ValueError  # nobody hears of it

    task = asyncio.create_task(thread.run(job, 60))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await thread.close()
    assert not there("one-d")
