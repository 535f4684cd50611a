"""Is a reader quick enough? CPU seconds, of which a tracer may take its share."""

import os
import sys
import time
from collections.abc import Callable

# Coverage traces every line that the code under test runs; measured, it costs two to three times.
_TRACED = 4.0


def best_cpu(work: Callable[[], object], rounds: int = 3) -> float:
    """Return the least CPU seconds that *work* took, as if nobody had traced it."""
    return min(_once(work) for _ in range(rounds)) / (1.0 if sys.gettrace() is None else _TRACED)


def untraced() -> dict[str, str]:
    """Return our environment for a program that runs long: tracing it would double what it costs.

    Commands that end by themselves are traced, and so is the agent in the tests' own process.
    """
    return {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE_")}


def _once(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
