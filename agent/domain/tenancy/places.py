"""In which words is it said what is at a host, and where DNS leads mail?"""

from dataclasses import dataclass
from typing import Literal

PlaceKind = Literal["exchange", "legacy", "gateway", "server", "service", "stranger", "unclear"]


@dataclass(frozen=True, slots=True)
class Place:
    """What is at a host. ``operator`` is the tenant that runs it, ``title`` whose filter it is."""

    kind: PlaceKind
    host: str
    operator: str = ""
    title: str = ""

    @property
    def whose(self) -> str:
        """Who runs it, for people."""
        return f"tenant {self.operator}" if self.operator else self.title


@dataclass(frozen=True, slots=True)
class Mail:
    """Where DNS leads mail for a domain: a host, or why there is none."""

    host: str = ""
    lack: Literal["", "null", "none", "unknown"] = ""
