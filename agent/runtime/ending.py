"""How do the runs that are under way end, when the agent is told to stop?"""

import asyncio
import logging
from datetime import timedelta

from agent.runtime.runner import Runner
from agent.runtime.scheduler import Scheduler
from agent.runtime.signals import Signals

_log = logging.getLogger(__name__)


async def drain(
    runner: Runner, scheduler: Scheduler, signals: Signals, *, grace: timedelta
) -> None:
    """Start no more runs and let those end that go on, for *grace*; a second signal hurries."""
    _log.info("stopping", extra={"running": runner.running})
    scheduler.pause()
    draining = asyncio.create_task(runner.drain(grace))
    hurried = asyncio.create_task(signals.hurry.wait())
    await asyncio.wait({draining, hurried}, return_when=asyncio.FIRST_COMPLETED)
    cut = await draining if draining.done() else await runner.drain(timedelta())
    hurried.cancel()
    await asyncio.gather(draining, hurried, return_exceptions=True)
    await scheduler.stop()
    _log.info("stopped", extra={"cut_short": cut})
