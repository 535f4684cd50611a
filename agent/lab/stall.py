"""What does a scheduler look like that stands still, while everything else of the agent goes on?

The worst way for a monitor to fail: it answers, all that it shows was true once, and nobody is
called. So the lab can hold the scheduler up, as a bug would, to show who notices.
"""

import asyncio

from agent.lab.faults import World


class Stall:
    """Awaited by each tick of the scheduler; lets it pass unless the world's fault is on."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._open = asyncio.Event()
        world.subscribe(self._follow)
        self._follow()

    async def __call__(self) -> None:
        """Return once the fault is off."""
        await self._open.wait()

    def _follow(self) -> None:
        if self._world.is_stalled:
            self._open.clear()
        else:
            self._open.set()
