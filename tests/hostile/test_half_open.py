"""A peer whose machine vanishes: our own deadline ends the session, and nothing is left of it."""

import asyncio
import json
import os
import shutil
import sys
from subprocess import PIPE

import pytest

from agent.domain.smtp import Phase
from servers.program import ROOT

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("place", "phase"),
    [
        pytest.param(1, Phase.EHLO, id="ehlo"),
        pytest.param(3, Phase.RCPT, id="rcpt"),
        pytest.param(5, Phase.FINAL, id="final"),
    ],
)
async def test_a_session_with_a_machine_that_vanishes(place: int, phase: Phase) -> None:
    unshare = shutil.which("unshare")
    assert unshare is not None, "install Debian's util-linux"
    process = await asyncio.create_subprocess_exec(
        *(unshare, "--net", sys.executable, "-m", "servers.half_open", str(place)),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        stdout=PIPE,
        stderr=PIPE,
    )
    said, trouble = await process.communicate()
    assert process.returncode == 0, trouble.decode()
    ended = json.loads(said)
    assert (ended["phase"], ended["reason"]) == (phase, "timeout")
    assert ended["took"] <= 1.1 * 1.5 + 0.3
    assert ended["left"] == 0
