"""Does the API keep its own description, whatever it is asked?

Schemathesis as a program of its own, against the server on a real socket: data that fit the
description and data that do not, with all its checks. MAILFLOW_API_CASES asks for about so many
requests more.
"""

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.domain.entry import Entry, State, Witness
from agent.exposition.api_operations import OPERATIONS
from servers.exposed import Agent
from servers.standings import small_board

MORE = int(os.environ.get("MAILFLOW_API_CASES", "0"))
SENT = datetime(2026, 11, 23, 11, 59, tzinfo=UTC)


@pytest.mark.timeout(120 + MORE)
async def test_the_api_is_as_it_is_described(tmp_path: Path) -> None:
    agent = Agent()
    agent.board = small_board(agent.clock)
    agent.server = agent.make(messages=lambda check: (message(check.subject),))
    agent.port = await agent.server.start("127.0.0.1", 0)
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"http://127.0.0.1:{agent.port}/api/v1/openapi.json",
        "--checks=all",
        "--mode=all",
        "--phases=coverage,fuzzing,stateful",
        f"--max-examples={max(5, MORE // len(OPERATIONS))}",
        "--generation-deterministic",
        "--no-color",
        cwd=tmp_path,
        stdout=PIPE,
        stderr=STDOUT,
    )
    out, _ = await process.communicate()
    await agent.server.close()
    told = out.decode()
    passed = re.search(r"(\d+) generated, (\d+) passed", told)
    assert process.returncode == 0, told
    assert passed is not None, told
    assert int(passed[1]) == int(passed[2]) > max(300, MORE // 2), told


def message(route: str) -> Entry:
    """Return a message of a route that has arrived."""
    return Entry(
        nonce="00",
        route=route,
        sequence=7,
        within=timedelta(minutes=1),
        lost_after=timedelta(minutes=15),
        planned_at=SENT,
        state=State.DELIVERED,
        sent_at=SENT,
        arrived_at=SENT,
        judged_at=SENT,
        duration=timedelta(seconds=2.5),
        witness=Witness.SINK,
    )
