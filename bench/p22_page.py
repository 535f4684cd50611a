"""How long does a reader wait for a page where ten thousand subjects are watched?

A server over a board of 10,000 domains with two checks each, one in fifty of them broken, and a
month on record. Each page is asked for over one connection, with every check having run again since
the time before, so that nothing can be kept: the time until the first octet, and the CPU of the
whole process for it. There is no peer: what shows the same (Gatus, Uptime Kuma, a Checkmk) cannot
be run here.

`python bench/p22_page.py`
"""

import asyncio
import statistics
import sys
import time
from datetime import timedelta
from pathlib import Path

from harness import Goal, Variant, compare, conclude, measure

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
DOMAINS = 10_000
ROUNDS = 10
PAGES = {
    "first": "/",
    "everything": "/?show=all&page=50",
    "search": "/?q=domain00123&show=all",
    "tenant": "/?tenant=tenant07&show=all",
    "subject": "/subjects/tenant10/domain/domain00050.example",
    "status": "/api/v1/status",
}


async def first_octet(port: int, path: str) -> tuple[float, int]:
    """Return the seconds until the answer begins, and its length."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    start = time.perf_counter()
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    head = await reader.readexactly(12)
    took = time.perf_counter() - start
    assert head == b"HTTP/1.1 200", head
    length = len(await reader.read())
    while more := len(await reader.read()):
        length += more
    writer.close()
    return took, length


async def serve(path: str, extra: dict[str, float]) -> None:
    from agent.adapters.chronicle import Chronicle
    from agent.adapters.store import Store
    from agent.domain.timeline import Mark
    from servers.exposed import Agent
    from servers.standings import large_board, publish

    agent, store = Agent(), Store()
    await store.open()
    agent.chronicle = Chronicle(store)
    await agent.chronicle.start(agent.clock.now() - timedelta(days=30))
    agent.board = large_board(agent.clock, DOMAINS)
    for number, standing in enumerate(agent.board.runs()):
        identity, now = standing.check.identity, agent.clock.now()
        agent.chronicle.note(identity, Mark.OK, now - timedelta(days=29))
        if number % 100 == 0:
            agent.chronicle.note(identity, Mark.CRITICAL, now - timedelta(hours=2))
    await store.flush()
    agent.server = agent.make()
    port = await agent.server.start("127.0.0.1", 0)
    await first_octet(port, path)
    waits = []
    for _ in range(ROUNDS):
        for standing in agent.board.runs():
            assert standing.run is not None
            publish(agent.board, standing.check, standing.run.outcome, agent.clock.now())
        start = time.process_time()
        took, length = await first_octet(port, path)
        waits.append((took, time.process_time() - start))
        extra["KiB"] = length / 1024
    await agent.server.close()
    await store.close()
    extra["first ms"] = 1000 * statistics.median(took for took, _ in waits)
    extra["slowest ms"] = 1000 * max(took for took, _ in waits)
    extra["cpu ms"] = 1000 * statistics.median(cpu for _, cpu in waits)


def page(path: str) -> None:
    with measure(ROUNDS) as extra:
        asyncio.run(serve(path, extra))


def main() -> None:
    results = compare([Variant(name, "p22_page:page", (path,)) for name, path in PAGES.items()])
    conclude(
        results,
        *(Goal(name, "", "first ms", 100, 50) for name in PAGES if name != "status"),
    )


if __name__ == "__main__":
    sys.exit(main())
