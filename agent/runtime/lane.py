"""What waits to be run, how much may run at once, and what has been run so far?"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from agent.probes.base import Check
from agent.runtime.board import Run


class Skip(StrEnum):
    """Why a check that was due did not run: a closed set, fit for a label value."""

    OVERLAP = "overlap"  # its last run is still going on
    OVERLOADED = "overloaded"  # it is still waiting since it was last due
    DEPENDENCY_DOWN = "dependency-down"
    DRAINING = "draining"  # the agent is stopping
    STALLED = "stalled"  # the process slept through more than an interval


@dataclass(slots=True)
class Tally:
    """What one kind of probe has done since the start. ``crashes`` are bugs of the agent."""

    runs: int = 0
    crashes: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    skipped: dict[Skip, int] = field(default_factory=lambda: dict.fromkeys(Skip, 0))


@dataclass(frozen=True, slots=True)
class Limits:
    """How many runs may go on at once: in all, and of one kind (by default, and by name)."""

    runs: int = 256
    runs_per_kind: int = 64
    by_kind: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


DEFAULT_LIMITS = Limits()


@dataclass(slots=True, eq=False)
class Lane:
    """What waits of one kind of probe."""

    limit: int
    waiting: "deque[Due]" = field(default_factory=deque)
    running: int = 0
    tally: Tally = field(default_factory=Tally)


@dataclass(slots=True, eq=False)
class Due:
    """A check between falling due and the end of its run."""

    check: Check[Any, Any]
    lane: Lane
    at: float
    started: bool = False
    asked: asyncio.Future[Run] | None = None
