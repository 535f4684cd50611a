"""Whose folder is this, and may we write there?

One process owns a state folder. The lock is the kernel's: it ends with the process that held it,
however that ended, so there is no stale lock to be removed by hand.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FILE_NAME = "mailflow.db"
LOCK_NAME = "mailflow.lock"
_COMPANIONS = ("", "-wal", "-shm")  # files that SQLite keeps beside the main one


class StoreError(Exception):
    """The state cannot be opened, read or written; the message is for the operator."""


@contextmanager
def legible() -> Iterator[None]:
    """Raise StoreError for rows that no agent wrote, instead of what reading them raises."""
    try:
        yield
    except (ValueError, LookupError, TypeError, OverflowError) as error:
        message = (
            f"the state holds what no mailflow-agent wrote: {type(error).__name__}: {error};"
            f" move {FILE_NAME} out of the state folder, or put back one from before"
        )
        raise StoreError(message) from error


class Folder:
    """The state folder of one process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: int | None = None

    def claim(self) -> Path:
        """Make the folder where need be, lock it for this process, and return it.

        Raises StoreError where it cannot be used.
        """
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            message = (
                f"the state folder {self._path} cannot be used: {error.strerror};"
                " make it writable for this user, or set agent.state to another folder"
            )
            raise StoreError(message) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(lock, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(lock)
            message = (
                f"the state folder {self._path} is used by another mailflow-agent (process"
                f" {holder}); stop that one, or set agent.state to another folder"
            )
            raise StoreError(message) from None
        # For the person who reads the refusal; a full disk must not keep us from starting.
        with suppress(OSError):
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode("ascii"), 0)
        self._lock = lock
        return self._path

    def release(self) -> None:
        """Give the lock back."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def move_aside(path: Path) -> Path:
    """Rename a damaged file and its companions to the first free name; return the new one."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for companion in _COMPANIONS:
        with suppress(FileNotFoundError):
            path.with_name(path.name + companion).rename(aside.with_name(aside.name + companion))
    return aside
