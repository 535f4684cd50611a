"""The agent as a process, in the world of :mod:`servers.paging_world`.

``python -m servers.paging_agent FOLDER``: its configuration and the places of the world are files
there. It is the agent that `mailflow-agent run` starts, with the overrides that the lab uses too; a
lab's control socket holds up its scheduler on request.
"""

import asyncio
import json
import sys
from pathlib import Path

from agent.app import Agent, Overrides, serve
from agent.domain.knowledge.microsoft_endpoints import Endpoints
from agent.lab.control import Control
from agent.lab.faults import World
from agent.lab.stall import Stall

MAIL_SCOPE = "https://mail.example/.default"


async def run(folder: Path) -> int:
    """Run the agent until it is told to stop."""
    places = json.loads((folder / "world.json").read_text())
    world = World("")
    overrides = Overrides(
        resolvers=(tuple(places["resolver"]),),
        detours={
            (address, port): ("127.0.0.1", there) for address, port, there in places["detours"]
        },
        roots=(places["roots"].encode(),),
        microsoft=Endpoints(places["authority"], places["graph"], MAIL_SCOPE),
        sink=("127.0.0.1", places["sink"]),
        gate=Stall(world),
    )
    async with Control(world, folder):
        return await serve(folder / "config.yaml", overrides=overrides, started=_tell)


def _tell(agent: Agent) -> None:
    sys.stderr.write(f"Page {agent.url}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(asyncio.run(run(Path(sys.argv[1]))))
