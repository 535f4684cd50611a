"""The lab holds up the agent's scheduler, as a bug would, until the fault is mended."""

import asyncio

from agent.lab.faults import World
from agent.lab.stall import Stall


async def test_the_scheduler_waits_while_the_fault_is_on() -> None:
    world = World()
    gate = Stall(world)
    async with asyncio.timeout(5):
        await gate()
    world.break_("scheduler-stalled")
    waiting = asyncio.create_task(gate())
    done, _ = await asyncio.wait({waiting}, timeout=0.05)
    assert not done
    world.break_("spf-missing")
    world.mend("scheduler-stalled")
    async with asyncio.timeout(5):
        await waiting
