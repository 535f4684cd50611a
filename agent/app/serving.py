"""How does the agent run, from its configuration until it is told to stop?"""

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from agent.adapters.store import StoreError
from agent.adapters.supervisor import Supervisor
from agent.app.options import Overrides, StartError
from agent.app.root import Agent
from agent.exposition.server import ListenError
from agent.runtime.reload import read
from agent.runtime.signals import Signals
from agent.runtime.watchdog import Watchdog

_log = logging.getLogger(__name__)


async def serve(
    path: Path,
    *,
    overrides: Overrides | None = None,
    started: Callable[["Agent"], None] = lambda _: None,
) -> int:
    """Run the agent with the configuration at *path* until it is told to stop, and return 0.

    *started* is called once everything runs, with the agent; its ``url`` is where the page is.
    Raises ConfigError with every mistake of the file, and StartError where this machine does not
    let the agent start.
    """
    overrides, supervisor = overrides or Overrides(), Supervisor.of(os.environ)
    with Signals() as signals, Watchdog(overrides.patience):
        config = await asyncio.to_thread(read, path, overrides.settings, overrides.beneath)
        for note in config.warnings:
            _log.warning("configuration note", extra={"note": str(note)})
        async with AsyncExitStack() as stack:
            try:
                agent = await Agent.build(path, config, overrides, stack)
                await agent.start(stack)
            except (StoreError, ListenError) as error:
                raise StartError(str(error)) from error
            agent.supervisor = supervisor
            supervisor.ready(f"Watching; the page is {agent.url}")
            started(agent)
            await agent.watch(signals)
            await agent.drain(signals)
    return 0
