"""A board with a month behind it, for pages that show how a subject fared."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from agent.adapters.chronicle import Chronicle
from agent.adapters.store import Store
from agent.domain.streak import Streak
from agent.domain.timeline import Mark
from servers.exposed import Agent
from servers.standings import DANGLING, TOO_MANY, HandClock, small_board

SPF, MX = "contoso/domain/contoso.com/spf", "contoso/domain/contoso.com/mx"


async def a_month(store: Store, clock: HandClock) -> Chronicle:
    """Return what is on record of a month in which the agent was restarted once, and crashed."""
    now = clock.now()
    for began, ended, notes in (
        (30.0, 12.0, ((29.9, SPF, Mark.OK), (29.9, MX, Mark.OK), (20.0, SPF, Mark.CRITICAL))),
        (11.5, 3.0, ((11.4, SPF, Mark.OK), (11.4, MX, Mark.OK), (6.0, MX, Mark.WARNING))),
        (2.9, 0.0, ((2.8, SPF, Mark.OK), (2.8, MX, Mark.OK), (130 / 1440, MX, Mark.CRITICAL))),
    ):
        chronicle = Chronicle(store)
        await chronicle.start(now - timedelta(days=began))
        for days, check, mark in notes:
            chronicle.note(check, mark, now - timedelta(days=days))
        if ended:
            chronicle.end(now - timedelta(days=ended))
    chronicle.note(SPF, Mark.CRITICAL, now - timedelta(hours=2, minutes=10))
    return chronicle


@asynccontextmanager
async def exposed_with_history() -> AsyncIterator[Agent]:
    """Run a server over the small board, with a month on record."""
    agent, store = Agent(), Store()
    await store.open()
    agent.chronicle = await a_month(store, agent.clock)
    since = agent.clock.now() - timedelta(hours=2, minutes=10)
    found = {SPF: TOO_MANY.code, MX: DANGLING.code}
    before = {check: {code: Streak(2, since, since)} for check, code in found.items()}
    agent.board = small_board(agent.clock, before)
    agent.server = agent.make()
    agent.port = await agent.server.start("127.0.0.1", 0)
    yield agent
    await agent.server.close()
    await store.close()
