"""Where does the job of the lab's administrators put what it exports of each tenant?

Into one file for each tenant in the state folder, which the agent imports as it would any other. It
runs every hour, and at once where a fault has changed a tenant.
"""

import asyncio
import json
import os
import threading
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from agent.adapters.clock import Clock
from agent.lab.faults import World
from agent.lab.tenants import NAMES, Document, export_of

NAME: Final = "lab-exports"  # in the state folder
EVERY: Final = 3600.0  # seconds between two runs of the job
_KINDS: Final = ("inbound", "outbound", "domains", "dkim")


class ExportFolder:
    """A folder with ``contoso.json`` and the other tenants' files."""

    def __init__(self, folder: Path, world: World, clock: Clock) -> None:
        self._folder = folder / NAME
        self._world = world
        self._clock = clock
        self._lock = threading.Lock()  # two faults may follow each other closely
        self._written: dict[str, Document] = {}
        self._changes: dict[str, tuple[Document, str]] = {}  # by Guid: an object, and since when

    def write(self, *, only_changed: bool = False) -> None:
        """Export every tenant, or those alone that have changed since. Raises OSError."""
        with self._lock:
            self._folder.mkdir(parents=True, exist_ok=True)
            for name in NAMES:
                found = export_of(self._world, name)
                if not only_changed or self._written.get(name) is not found:
                    self._put(f"{name}.json", self._dated(found, self._clock.now()))
                    self._written[name] = found

    async def repeat(self) -> None:
        """Run the job again and again, until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            await asyncio.to_thread(self.write)

    def _put(self, name: str, document: Document) -> None:
        """Write a file aside first, so that no reader sees half of it."""
        aside = self._folder / f".{name}.{os.getpid()}"
        aside.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        aside.replace(self._folder / name)

    def _dated(self, found: Document, at: datetime) -> Document:
        """Return an export as one that is made now."""
        objects = {kind: [self._stamped(each, at) for each in found[kind]] for kind in _KINDS}
        return {**found, "exportedUtc": _written(at), **objects}

    def _stamped(self, thing: dict[str, Any], at: datetime) -> dict[str, Any]:
        """Return an object with the times of its last change and of its last validation.

        One that is not as it was has been changed just now; validation is done every month.
        """
        before, since = self._changes.get(thing["Guid"], (thing, thing["WhenChangedUTC"]))
        if before != thing:
            since = _written(at)
        self._changes[thing["Guid"]] = thing, since
        stamped = {**thing, "WhenChangedUTC": since}
        if "LastValidationTimestamp" in thing:
            month = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            stamped["LastValidationTimestamp"] = _written(month).removesuffix("Z")
        return stamped


def _written(at: datetime) -> str:
    """Return a time in UTC as .NET writes it: seven digits of a second."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}0Z"
