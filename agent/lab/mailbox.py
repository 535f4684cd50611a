"""Where does the lab's Exchange Online put what it delivers to mailboxes?

Into a Maildir, by default in the state folder, which the agent reads as it would read any other.
Old messages that nobody takes away are dropped, so that a lab may run for long.
"""

import itertools
import os
import time
from pathlib import Path

NAME = "lab-mailbox"
_MOST = 200  # messages of a folder


class Maildrop:
    """A mailbox with an Inbox and a Junk folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / NAME
        self._numbers = itertools.count(1)

    def prepare(self) -> None:
        """Make the folders where need be. Raises OSError."""
        for place in (self._folder, self._folder / ".Junk"):
            for each in ("tmp", "new", "cur"):
                (place / each).mkdir(parents=True, exist_ok=True)

    def deliver(self, content: bytes, *, is_junk: bool = False) -> None:
        """Put a message there: written aside first, so that no reader sees half of it."""
        place = self._folder / ".Junk" if is_junk else self._folder
        name = f"{time.time():.6f}.{os.getpid()}_{next(self._numbers)}.lab"
        aside = place / "tmp" / name
        aside.write_bytes(content.replace(b"\r\n", b"\n"))
        aside.rename(place / "new" / name)
        old = sorted(each.name for each in (place / "new").iterdir())[:-_MOST]
        for each in old:
            (place / "new" / each).unlink(missing_ok=True)
