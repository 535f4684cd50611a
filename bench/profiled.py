"""Run the command line under cProfile, and leave the profile beside the configuration.

`python bench/profiled.py run --config FILE`, then `python -m pstats FILE.profile`. Wants no
variable of the environment, and profiles the main thread, in which the event loop runs.
"""

import cProfile
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def main() -> None:
    profile = cProfile.Profile()
    profile.enable()
    try:
        from agent.cli.main import main as command

        command()
    finally:
        profile.disable()
        profile.dump_stats(sys.argv[-1] + ".profile")


main()
