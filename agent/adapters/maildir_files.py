"""How are the files of a Maildir read and removed without leaving it?

Every folder is opened relative to the one above it and no link is followed, so that a name in the
Maildir, whoever made it, leads nowhere else, however it changes meanwhile. All of this blocks.
"""

import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from agent.adapters.mailbox import MAX_BODY, MAX_HEAD, Folder, Letter, PickupError, Trouble

PARTS = ("new", "cur")  # where letters are; under tmp they are not whole yet
MAX_FILES = 100_000  # of one folder that are looked at
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def times(root: str, name: str) -> tuple[int, ...]:
    """Return when a folder last changed, in nanoseconds; nothing where there is none."""
    found = []
    for part in PARTS:
        with suppress(FileNotFoundError, NotADirectoryError):
            found.append(os.lstat(os.path.join(root, name, part)).st_mtime_ns)  # noqa: PTH118
    return tuple(found)


@contextmanager
def _opened(root: str, name: str, part: str) -> Iterator[int | None]:
    """Open a part of a folder; None where there is none, or a link in its place."""
    descriptors: list[int] = []
    try:
        # The Maildir itself is the operator's own word, and may be a link.
        descriptors.append(os.open(root, _FOLDER))
        for each in (name, part):
            if each:
                flags = _FOLDER | os.O_NOFOLLOW
                descriptors.append(os.open(each, flags, dir_fd=descriptors[-1]))
    except (FileNotFoundError, NotADirectoryError):
        yield None
    else:
        yield descriptors[-1]
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def check(root: str) -> None:
    """Raise FileNotFoundError unless *root* is a Maildir, and OSError where it is kept from us."""
    for part in PARTS:
        with _opened(root, "", part) as descriptor:
            if descriptor is None:
                raise FileNotFoundError


def uniques(root: str, name: str) -> dict[str, tuple[str, str]]:
    """Return part and file name of each letter in a folder, by its unique name.

    The unique name stays when a reader moves the file to ``cur`` and when a flag is set. Raises
    PickupError where there are more files than are looked at.
    """
    found = {}
    for part in PARTS:
        with _opened(root, name, part) as descriptor:
            if descriptor is None:
                continue
            with os.scandir(descriptor) as entries:
                for count, entry in enumerate(entries):
                    if count >= MAX_FILES:
                        # Who sees a part only must not say that the rest is not there.
                        raise _too_many(root, name, part)
                    if not entry.name.startswith("."):
                        found[entry.name.partition(":")[0]] = (part, entry.name)
    return found


def _too_many(root: str, name: str, part: str) -> PickupError:
    path = os.path.join(root, name, part)  # noqa: PTH118
    fix = "Remove old mail from it."
    return PickupError(Trouble.UNAVAILABLE, f"more than {MAX_FILES} files in {path}", fix=fix)


def read(root: str, name: str, place: tuple[str, str], folder: Folder, key: str) -> Letter | None:
    """Return the letter in a file; None for what is none. Raises FileNotFoundError, OSError."""
    part, file = place
    with _opened(root, name, part) as descriptor:
        if descriptor is None:
            raise FileNotFoundError
        # Not even opened: a pipe or a device may do something when it is.
        if not stat.S_ISREG(os.lstat(file, dir_fd=descriptor).st_mode):
            return None
        with open(os.open(file, _FILE, dir_fd=descriptor), "rb") as opened:  # noqa: PTH123
            facts = os.fstat(opened.fileno())
            octets = opened.read(MAX_HEAD + MAX_BODY)
    head, gap, body = _parted(octets)
    kept = head[:MAX_HEAD] + gap + body[:MAX_BODY]
    return Letter(
        key=key,
        folder=folder,
        octets=kept,
        is_whole=len(kept) == facts.st_size,
        size=facts.st_size,
        received_at=arrived(facts.st_mtime),
    )


def _parted(octets: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the header, the empty line, and the body of a message."""
    places = [(at, gap) for gap in (b"\r\n\r\n", b"\n\n") if (at := octets.find(gap)) >= 0]
    if not places:
        return octets, b"", b""
    at, gap = min(places)
    return octets[:at], gap, octets[at + len(gap) :]


def arrived(seconds: float) -> datetime | None:
    """Return the time of a file; None for one that no calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def age_of(root: str, name: str, place: tuple[str, str], now: float) -> float:
    """Return for how many seconds a file has been there. Raises FileNotFoundError."""
    path = os.path.join(root, name, *place)  # noqa: PTH118
    return now - os.lstat(path).st_mtime


def remove(root: str, name: str, doomed: Collection[str]) -> None:
    """Remove the files of letters, given by their unique names."""
    places = uniques(root, name)
    for unique in doomed:
        part, file = places.get(unique, ("", ""))
        with _opened(root, name, part) as descriptor, suppress(FileNotFoundError):
            if file and descriptor is not None:
                os.unlink(file, dir_fd=descriptor)
