"""Killed at whatever moment, the agent loses, doubles and repeats nothing: a real relay says so."""

import random
from pathlib import Path

import pytest

from servers.crash_run import Kill, crash
from servers.dying import ARRIVING, SENDING, STEPS

pytestmark = pytest.mark.integration


_CHANCE = random.Random(1)
_AT_STEPS = {step: Kill(step, _CHANCE.randrange(4)) for step in STEPS}
_WHENEVER = [Kill(after=_CHANCE.uniform(0, 2)) for _ in range(4)]
_STARTING = Kill(after=-_CHANCE.uniform(0.3, 1.2))
_LIVES = {
    "sending": [_AT_STEPS[step] for step in SENDING],
    "arriving": [*(_AT_STEPS[step] for step in ARRIVING), *_WHENEVER, _STARTING],
}


@pytest.mark.timeout(300)  # a dozen lives, each of which starts the whole program
@pytest.mark.parametrize("kills", _LIVES.values(), ids=_LIVES)
async def test_whenever_it_is_killed_no_message_is_lost_doubled_or_sent_again(
    tmp_path: Path, kills: list[Kill]
) -> None:
    judgement = await crash(tmp_path, kills)
    assert not judgement.violations, judgement.table()
    assert len(judgement.taken) > len(kills)
    assert sum(entry.has_arrived for entry in judgement.entries) >= len(judgement.taken)
