"""G2: what is lost, doubled or sent again when the agent is killed, at whatever moment?

The real program with routes of a message a second through a real Postfix to its own server and into
Maildirs. It is killed with SIGKILL at every marked step, ``--rounds`` times, and at ``--random``
random points, and started again on the same state each time. In the end the relay's log, which is a
witness of its own, is compared with the ledger: nothing that the relay took is unknown or lost,
nothing is counted twice or sent again, no store is corrupt, and the agent is back within 3 s.

A fault in a marked step is one of order (what is written before what), a random point finds the
steps that nobody has marked. `python bench/crash_routes.py` (as root; about eight minutes)
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from harness import HERE

sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]

from servers.crash_run import Kill, crash  # noqa: E402 - found through the path above
from servers.dying import STEPS  # noqa: E402


def kills(rounds: int, points: int, seed: int) -> list[Kill]:
    """Return how the lives end: every step so many times, and at random points, mixed."""
    chance = random.Random(seed)
    marked = [Kill(step, chance.randrange(6)) for step in STEPS for _ in range(rounds)]
    # One in five dies while it starts.
    spans = [chance.uniform(-1.5, 0) if n % 5 == 0 else chance.uniform(0, 3) for n in range(points)]
    planned = [*marked, *(Kill(after=span) for span in spans)]
    chance.shuffle(planned)
    return planned


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="kills at each step (default 3)")
    parser.add_argument("--random", type=int, default=100, help="random points (default 100)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the random points")
    parser.add_argument("--log", type=Path, help="keep the relay's log here")
    given = parser.parse_args()
    print(f"seed {given.seed}")
    with tempfile.TemporaryDirectory(prefix="mailflow-crash-") as folder:
        planned = kills(given.rounds, given.random, given.seed)
        found = await crash(Path(folder), planned, is_patient=True, tell=_tell)
    if given.log:
        given.log.write_text(found.log)
    print(found.table())
    print("held" if not found.violations else "VIOLATED")
    return int(bool(found.violations))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
