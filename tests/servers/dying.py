"""The agent, run as its command line runs it, that kills itself at a marked step.

Arguments: the configuration, the step, and how many times to pass it before (0: die the first
time). Nothing in the agent knows of this: once it is built, and before it starts, the parts that
take the steps are made objects of classes that die in between. Without a step it just runs.
"""

import asyncio
import functools
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from agent.adapters.dialer import Dialer
from agent.adapters.ledger import Ledger
from agent.adapters.ledger_intake import Intake
from agent.adapters.line import Line
from agent.adapters.mailbox import Mailbox
from agent.adapters.outbox import Outbox
from agent.adapters.pickup import Place
from agent.adapters.pickups import Pickups
from agent.adapters.store import Change, Store
from agent.app import Agent, Overrides
from agent.domain.handover import Handed
from agent.domain.smtp import Reason
from agent.runtime.reload import read
from agent.runtime.signals import Signals
from agent.runtime.watchdog import Watchdog

SENDING = {
    "planning": "before the plan is written",
    "plan-in-transaction": "inside of the transaction that writes the plan",
    "planned": "the plan is on the disk, nothing is sent",
    "connected": "there is a connection",
    "mail": "MAIL is sent",
    "rcpt": "RCPT is sent",
    "data": "DATA is sent",
    "content": "the message is sent, no reply is read",
    "answered": "the reply is read, nothing is noted",
    "noted": "the reply is noted, in memory only",
    "kept": "at the end of a run, all is flushed",
}
ARRIVING = {
    "arrived": "an arrival is noted, in memory only",
    "settle-in-transaction": "inside of the transaction that writes the arrival",
    "settled": "the arrival is on the disk, nobody is told",
    "removing": "before a letter is removed from the mailbox",
    "removed": "a letter is removed",
}
STEPS = {**SENDING, **ARRIVING}
_WORDS = {b"MAIL": "mail", b"RCPT": "rcpt", b"DATA": "data"}


class Fate:
    """Which step is the last, and how often it is still passed."""

    step = ""
    left = 0

    @classmethod
    def passes(cls, step: str) -> None:
        """Die here, if this is the place and the time."""
        if step != cls.step:
            return
        if not cls.left:
            os.kill(os.getpid(), signal.SIGKILL)
        cls.left -= 1


class _Connection:
    """A connection to the store that passes a step before each commit."""

    def __init__(self, connection: sqlite3.Connection, step: str) -> None:
        self._connection, self._step = connection, step

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql == "COMMIT":
            Fate.passes(self._step)
        return self._connection.execute(sql, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class DyingStore(Store):
    """Dies around and inside of what is written durably."""

    async def commit(self, *changes: Change) -> None:
        is_plan = any(change.key.startswith("message ") for change in changes)
        if is_plan:
            Fate.passes("planning")
        await super().commit(*changes)
        if is_plan:
            Fate.passes("planned")

    def _transact(
        self, connection: sqlite3.Connection, changes: tuple[Change, ...], synchronous: str
    ) -> None:
        if synchronous == "FULL":
            is_plan = any(change.key.startswith("budget ") for change in changes)
            step = "plan-in-transaction" if is_plan else "settle-in-transaction"
            connection = cast("sqlite3.Connection", _Connection(connection, step))
        super()._transact(connection, changes, synchronous)


class DyingLine(Line):
    """Dies when a command of the dialogue has been handed to the kernel."""

    def send(self, data: bytes) -> None:
        super().send(data)
        word = _WORDS.get(data[:4].upper())
        if word is not None:
            Fate.passes(word)
        elif data.endswith(b"\r\n.\r\n"):
            Fate.passes("content")


class DyingDialer(Dialer):
    """Makes connections at which one dies."""

    @asynccontextmanager
    async def connect(self, *args: Any, **kwargs: Any) -> AsyncIterator[Line | Reason]:
        async with super().connect(*args, **kwargs) as line:
            if isinstance(line, Line):
                line.__class__ = DyingLine
                Fate.passes("connected")
            yield line


class DyingOutbox(Outbox):
    """Dies when the reply is there and nobody knows of it."""

    __slots__ = ()

    async def send(self, *args: Any, **kwargs: Any) -> Handed:
        handed = await Outbox.send(self, *args, **kwargs)
        Fate.passes("answered")
        return handed


class DyingLedger(Ledger):
    """Dies when something was noted, and when it has been kept."""

    def accepted(self, *args: Any, **kwargs: Any) -> None:
        super().accepted(*args, **kwargs)
        Fate.passes("noted")

    async def keep(self) -> None:
        await super().keep()
        Fate.passes("kept")


class DyingIntake(Intake):
    """Dies between noting an arrival and telling it."""

    def note_arrival(self, *args: Any, **kwargs: Any) -> None:
        super().note_arrival(*args, **kwargs)
        Fate.passes("arrived")

    async def settle(self) -> None:
        await super().settle()
        Fate.passes("settled")


class _Mailbox:
    """A mailbox at which one dies around removing."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def remove(self, keys: Collection[str]) -> None:
        Fate.passes("removing")
        await self._mailbox.remove(keys)
        Fate.passes("removed")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._mailbox, name)


async def _opened(opener: Callable[[], Awaitable[Mailbox]]) -> Mailbox:
    return cast("Mailbox", _Mailbox(await opener()))


class DyingPickups(Pickups):
    """Looks after mailboxes at which one dies."""

    def replace(self, places: Mapping[str, Place], **kwargs: Any) -> None:
        dying = {
            home: replace(place, open=functools.partial(_opened, place.open))
            for home, place in places.items()
        }
        super().replace(dying, **kwargs)


def arm(agent: Agent) -> None:
    """Have the parts of an agent that has not started yet die at the step."""
    tools = agent._tools
    tools.ledger.__class__ = DyingLedger
    tools.ledger.intake.__class__ = DyingIntake
    tools.ledger._store.__class__ = DyingStore
    tools.dialer.__class__ = DyingDialer
    assert tools.outbox is not None
    assert tools.pickups is not None
    object.__setattr__(tools.outbox, "__class__", DyingOutbox)  # which is frozen
    tools.pickups.__class__ = DyingPickups


async def main(path: Path, step: str, passes: int) -> None:
    """Run the agent as :func:`agent.app.serve` does, with the step before its eyes."""
    assert step in STEPS, step
    Fate.step, Fate.left = step, passes
    overrides = Overrides()
    with Signals() as signals, Watchdog(overrides.patience):
        config = await asyncio.to_thread(read, path, overrides.settings)
        async with AsyncExitStack() as stack:
            agent = await Agent.build(path, config, overrides, stack)
            arm(agent)
            await agent.start(stack)
            print(f"Page     {agent.url}", file=sys.stderr, flush=True)  # noqa: T201 - as it does
            await agent.watch(signals)
            await agent.drain(signals)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
