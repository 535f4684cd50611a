"""Sends a message and dies at a marked step: run as a program by the tests of the ledger.

Arguments: the state folder, and the step after which it waits to be killed.
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from agent.adapters.clock import SystemClock
from agent.adapters.ledger import Held, Ledger
from agent.adapters.store import Store
from agent.domain.message import Token

STEPS = ("opened", "planned", "accepted", "flushed", "arrived")


async def main(folder: Path, last: str) -> None:
    """Take the steps of a message up to *last*, say so, and wait to be killed."""
    store = Store(folder, flush_seconds=3600)
    await store.open()
    ledger = Ledger(store, SystemClock())
    await ledger.start()
    token: Token | None = None
    for step in STEPS[: STEPS.index(last) + 1]:
        token = await take(step, ledger, store, token)
    print(token or "", flush=True)  # noqa: T201 - for the test that waits
    await asyncio.Event().wait()


async def take(step: str, ledger: Ledger, store: Store, token: Token | None) -> Token | None:
    """Take one step, and return the token of the message."""
    if step == "planned":
        planned = await ledger.plan(
            "r", within=timedelta(minutes=1), lost_after=timedelta(minutes=15)
        )
        assert not isinstance(planned, Held)
        return planned
    if step == "accepted" and token is not None:
        ledger.accepted(token, "250 ok")
    elif step == "flushed":
        await store.read("SELECT 1")
    elif step == "arrived" and token is not None:
        ledger.intake.arrived(token)
        await store.read("SELECT 1")
    return token


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
