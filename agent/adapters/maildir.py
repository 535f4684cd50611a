"""How is a mailbox looked into that is a Maildir on this machine?

For who runs the agent on the mail server itself, or has an ordinary delivery agent put the probe's
mail into a folder. It is read without any server in between: a file is whole as soon as it is
there. Subfolders are found as Maildir++ has them, with a dot in front of their names. Names and
octets come from strangers all the same.
"""

import asyncio
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from agent.adapters import maildir_files as files
from agent.adapters.clock import Clock, SystemClock
from agent.adapters.mailbox import (
    LOOK_BACK,
    MAX_LETTERS,
    Folder,
    Letter,
    PickupError,
    Room,
    Trouble,
)
from agent.adapters.one_thread import OneThread

T = TypeVar("T")

_FOLDERS = {
    "": Folder.INBOX,
    **dict.fromkeys((".Junk", ".Junk Email", ".Junk E-mail", ".Spam"), Folder.JUNK),
    **dict.fromkeys((".Sent", ".Sent Items", ".Sent Messages"), Folder.SENT),
    **dict.fromkeys((".Trash", ".Deleted Items", ".Deleted Messages"), Folder.DELETED),
}
_POLL = 0.05  # seconds between two glances at the folders' times
_DEADLINE = 20.0  # seconds for the disk, which may be across a network
_TICK = 100_000_000  # nanoseconds, within which a folder may change and its time may not


@dataclass(slots=True)
class _Watched:
    """A folder: what was seen in it, and its times when all of that had been seen."""

    folder: Folder
    name: str
    times: tuple[int, ...] | None = None
    seen: set[str] = field(default_factory=set)


class MaildirMailbox:
    """A Maildir; see :class:`agent.adapters.mailbox.Mailbox`."""

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._root = os.fspath(path)
        self._thread = OneThread("maildir")
        self._watched = [_Watched(folder, name) for name, folder in _FOLDERS.items()]
        self._is_first = True
        self._more = False

    async def look(self) -> tuple[Letter, ...]:
        """Return new letters: see the protocol. Raises PickupError."""
        return await self._do(self._look)

    async def wait(self, most: timedelta) -> None:
        """Return when something may have come. Raises PickupError."""
        clock = asyncio.get_running_loop().time
        until = clock() + most.total_seconds()
        while not self._more and (left := until - clock()) > 0:
            await asyncio.sleep(min(_POLL, left))
            if await self._do(self._is_changed):
                return

    async def remove(self, keys: Collection[str]) -> None:
        """Delete letters for good: see the protocol. Raises PickupError."""
        await self._do(lambda: self._remove(keys))

    async def room(self) -> Room:
        """Return nothing: a Maildir does not say how full it may be."""
        return Room()

    async def close(self) -> None:
        """Leave. Never raises."""
        await self._thread.close()

    async def _do(self, job: Callable[[], T]) -> T:
        try:
            return await self._thread.run(job, _DEADLINE)
        except (OSError, ValueError) as error:  # ValueError: for a path that can be none
            raise _trouble(error, self._root) from None

    def _is_changed(self) -> bool:
        return any(files.times(self._root, each.name) != each.times for each in self._watched)

    def _look(self) -> tuple[Letter, ...]:
        files.check(self._root)
        letters: list[Letter] = []
        self._more = False
        for watched in self._watched:
            times = files.times(self._root, watched.name)
            if times != watched.times:
                letters += self._news(watched, times, MAX_LETTERS - len(letters))
        if not self._more:
            self._is_first = False
        early = datetime.min.replace(tzinfo=UTC)
        return tuple(sorted(letters, key=lambda letter: letter.received_at or early))

    def _news(self, watched: _Watched, times: tuple[int, ...], room: int) -> list[Letter]:
        """Read what is new in a folder, as far as there is room."""
        places = files.uniques(self._root, watched.name)
        watched.seen &= places.keys()
        letters: list[Letter] = []
        for unique in self._in_order(watched, places):
            if len(letters) >= room:
                self._more, watched.times = True, None
                return letters
            key = f"{watched.name}/{unique}"
            try:
                letter = files.read(self._root, watched.name, places[unique], watched.folder, key)
            except FileNotFoundError:
                continue  # moved in this moment, so the folder's times have changed again
            watched.seen.add(unique)
            if letter is not None:
                letters.append(letter)
        now = int(self._clock.now().timestamp() * 1e9)
        is_calm = all(now - each > _TICK for each in times)
        watched.times = times if is_calm else None
        return letters

    def _in_order(self, watched: _Watched, places: dict[str, tuple[str, str]]) -> Iterator[str]:
        """Return what was not seen, the oldest first; at the first look not what is too old."""
        now, ages = self._clock.now().timestamp(), {}
        for unique in places.keys() - watched.seen:
            try:
                age = files.age_of(self._root, watched.name, places[unique], now)
            except FileNotFoundError:
                continue
            if self._is_first and age > LOOK_BACK.total_seconds():
                watched.seen.add(unique)
            else:
                ages[unique] = age
        return iter(sorted(ages, key=lambda unique: -ages[unique]))

    def _remove(self, keys: Collection[str]) -> None:
        for name in _FOLDERS:
            doomed = {key[len(name) + 1 :] for key in keys if key.partition("/")[0] == name}
            if doomed:
                files.remove(self._root, name, doomed)


def _trouble(error: OSError | ValueError, root: str) -> PickupError:
    """Return the error in words of ours."""
    match error:
        case FileNotFoundError() | NotADirectoryError():
            fix = "a Maildir has the folders new, cur and tmp"
            return PickupError(Trouble.NO_MAILBOX, f"there is no Maildir at {root}", fix=fix)
        case PermissionError():
            fix = "let the agent's user read it, and write into new and cur"
            return PickupError(Trouble.PERMISSION, f"{root}: {error.strerror}", fix=fix)
        case ValueError():
            return PickupError(Trouble.NO_MAILBOX, f"{root} is not a path: {error}")
    return PickupError(Trouble.UNAVAILABLE, f"{root}: {error.strerror or type(error).__name__}")
