"""What does it cost to wait: for each of 10,000 messages that are under way at once?

"ledger" are messages planned and taken by their server, of 200 routes: nobody waits for them, they
are entries that each run of their route looks through. "awaited" are the same while the run that
sent them still waits for them. The peer is what many would write: a task for each message, that
sleeps until the message comes or is lost; it is not on the disk, and forgets who it was.

"bytes" is what the resident set grows by, for each; "look_us" what a run of its route spends on
each, to see whether it is late or lost. "cpu us" is the whole of the wait for one message: it is
taken, looked at ten times, and arrives, both written to the disk; it has no goal.

Goal: no more octets than a sleeping task (moonshot half), and 20 us for a look (moonshot 5): with
10,000 in flight and runs every 30 s that is 0.7 % of a core.
"""

import asyncio
import gc
import os
import resource
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness import Goal, Variant, compare, conclude, measure

COUNT, ROUTES, LOOKS = 10_000, 200, 10
PAGE = os.sysconf("SC_PAGE_SIZE")


def resident() -> int:
    """Return the octets in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def ledger() -> None:
    asyncio.run(_ledger(awaited=False))


def awaited() -> None:
    asyncio.run(_ledger(awaited=True))


async def _ledger(*, awaited: bool) -> None:
    from agent.adapters.clock import SystemClock
    from agent.adapters.ledger import Ledger
    from agent.adapters.store import Store
    from agent.domain.budget import Allowance, Budget

    wide = Allowance(1_000_000, timedelta(minutes=1))
    routes = [f"contoso/route{number}" for number in range(ROUTES)]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        await store.open()
        book = Ledger(store, SystemClock(), budget=Budget(route=wide, minute=wide, day=wide))
        await book.start()
        before = resident()
        tokens: list[Any] = [
            await book.plan(
                routes[number % ROUTES],
                within=timedelta(hours=1),
                lost_after=timedelta(hours=2),
            )
            for number in range(COUNT)
        ]
        with measure(COUNT) as extra:
            for token in tokens:
                book.accepted(token, "250 2.0.0 Ok: queued as 4jc2ZD3S3qzJB4n")
            hour = timedelta(hours=1)
            waiting = [asyncio.create_task(book.wait(t, hour)) for t in tokens] if awaited else []
            await asyncio.sleep(0)
            await book.keep()
            begun = cpu()
            for _ in range(LOOKS):
                for route in routes:
                    book.judge(route)
                    assert not book.overdue(route)
            extra["look_us"] = (cpu() - begun) / COUNT / LOOKS * 1e6
            extra["bytes"] = (resident() - before) / COUNT
            for token in tokens:
                book.intake.arrived(token)
            await asyncio.gather(*waiting)
            await book.keep()
        await store.close()


def tasks() -> None:
    asyncio.run(_tasks())


async def _tasks() -> None:
    """Have a task for each message, which sleeps until the message is lost."""
    before = resident()

    async def message(number: int, arrival: asyncio.Event) -> int:
        try:
            async with asyncio.timeout(7200):
                await arrival.wait()
        except TimeoutError:
            return -number
        return number

    arrivals = [asyncio.Event() for _ in range(COUNT)]
    with measure(COUNT) as extra:
        made = [asyncio.create_task(message(n, event)) for n, event in enumerate(arrivals)]
        await asyncio.sleep(0)
        extra["look_us"] = 0.0
        extra["bytes"] = (resident() - before) / COUNT
        for event in arrivals:
            event.set()
        await asyncio.gather(*made)


if __name__ == "__main__":
    names = ("ledger", "awaited", "tasks")
    results = compare([Variant(name, f"p20_in_flight:{name}") for name in names])
    conclude(
        results,
        Goal("ledger", "tasks", "bytes", gate=1.0, moonshot=0.5),
        Goal("ledger", "", "look_us", gate=20.0, moonshot=5.0),
    )
