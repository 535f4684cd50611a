"""What do the files of a tenant's export say, as they lie there now?

Files, folders of them and patterns, as the configuration names them. Only regular files are opened,
all of a tenant's together are bounded, and what cannot be read is a mistake beside all others. All
of this blocks.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from glob import has_magic, iglob
from itertools import islice
from pathlib import Path

from agent.adapters.export_json import NotJsonError, decode, is_all_utf8, parse
from agent.domain.peer_text import PeerText
from agent.domain.tenancy.export_reader import (
    Document,
    ExportError,
    ExportReading,
    Remark,
    read_documents,
)

MAX_SIZE = 32 * 1024 * 1024  # octets of all files of a tenant
MAX_FILES = 1000  # of a tenant
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_SEE_IMPORT = "see what `import` says of the place of the export"


def read_tenant(paths: Iterable[str | Path], base: Path | None = None) -> ExportReading:
    """Read the files at *paths*, which are relative to *base*: files, folders, patterns.

    Raises ExportError with all mistakes; OSError never.
    """
    return read_files(find_files(paths, base))


@dataclass(slots=True)
class Files:
    """The files of a tenant, in the order of their names, and what is wrong with their places."""

    paths: dict[str, None] = field(default_factory=dict)
    mistakes: list[Remark] = field(default_factory=list)
    may_pass: bool = False  # what is wrong may be right the next time, with nothing changed


def find_files(paths: Iterable[str | Path], base: Path | None = None) -> Files:
    """Return the files that *paths* lead to. Hidden ones in folders are being written: not yet."""
    files = Files()
    for path in paths:
        written = os.path.join(base, path) if base else str(path)  # noqa: PTH118 - keeps ./
        try:
            found = list(islice(_at(written), MAX_FILES + 1))
        except (OSError, ValueError) as error:  # ValueError: a NUL in a name
            files.mistakes.append(_remark(written, f"cannot be read: {_reason(error)}"))
            files.may_pass |= isinstance(error, OSError)
            continue
        if not found:
            files.mistakes.append(_remark(written, _none_of(written), _SEE_IMPORT))
        files.paths |= dict.fromkeys(found)
    if len(files.paths) > MAX_FILES:
        what = f"and the others are more than {MAX_FILES} files"
        files.mistakes.append(_remark(next(iter(files.paths)), what, _SEE_IMPORT))
        files.paths = dict.fromkeys(islice(files.paths, MAX_FILES))
    return files


def _at(written: str) -> Iterator[str]:
    """Yield the files at one path."""
    if os.path.isdir(written):  # noqa: PTH112
        names = sorted(os.listdir(written))  # noqa: PTH208
        yield from (
            os.path.join(written, name)  # noqa: PTH118
            for name in names
            if name.lower().endswith(".json") and not name.startswith(".")
        )
    elif os.path.lexists(written):
        yield written
    elif has_magic(written):
        yield from sorted(islice(iglob(written), MAX_FILES + 1))  # noqa: PTH207


def _none_of(written: str) -> str:
    if os.path.isdir(written):  # noqa: PTH112
        return "is a folder without *.json files"
    return "leads to no file" if has_magic(written) else "is not there"


def read_files(files: Files) -> ExportReading:
    """Read what was found. Raises ExportError with all mistakes."""
    mistakes, may_pass = list(files.mistakes), files.may_pass
    documents: list[Document] = []
    remarks: list[Remark] = []
    left = MAX_SIZE
    for path in files.paths:
        try:
            raw, written_at = _read(path, left)
            left -= len(raw)
            text = decode(raw)
            del raw
            if not is_all_utf8(text):
                right = "write it with -Encoding utf8, so that names stay what they are"
                remarks.append(_remark(path, "is not UTF-8 throughout", right))
            documents.append(Document(path, parse(text), written_at))
        except NotJsonError as error:
            mistakes.append(_remark(path, error.what, error.right))
        except OSError as error:
            mistakes.append(_remark(path, f"cannot be read: {_reason(error)}"))
            may_pass = True
    try:
        reading = read_documents(documents, remarks) if documents else None
    except ExportError as error:
        mistakes += error.mistakes
    if mistakes or reading is None:
        none = [Remark("", "", "no file is named", _SEE_IMPORT)]
        raise ExportError(mistakes or none, may_pass=may_pass)
    return reading


def _read(path: str, left: int) -> tuple[bytes, datetime]:
    """Return the content of a file and when it was written. Raises NotJsonError, OSError."""
    # Not even opened: a pipe or a device may do something when it is.
    _see_regular(os.stat(path).st_mode)  # noqa: PTH116
    with open(os.open(path, _FLAGS), "rb") as file:  # noqa: PTH123
        before = os.fstat(file.fileno())
        _see_regular(before.st_mode)
        if before.st_size > left:
            raise _too_large(before.st_size, left)
        raw = file.read(left + 1)
        after = os.fstat(file.fileno())
    if len(raw) > left:
        raise _too_large(len(raw), left)
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, len(raw)):
        message = "changes while it is read"
        raise NotJsonError(
            message, "write it aside and rename it, as deploy/export-tenant.ps1 does"
        )
    return raw, _time(before.st_mtime)


def _see_regular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        what = "is a folder in a folder" if stat.S_ISDIR(mode) else "is no regular file"
        raise NotJsonError(what, _SEE_IMPORT)


def _too_large(size: int, left: int) -> NotJsonError:
    more = "" if left == MAX_SIZE else f", of which {left >> 20} MiB are left after other files"
    what = f"has {size >> 20} MiB; a tenant's export has at most {MAX_SIZE >> 20} MiB{more}"
    return NotJsonError(what, "select the properties that are needed, as deploy/export-tenant.ps1")


def _time(seconds: float) -> datetime:
    """Return the time of a file; the oldest for one that no calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _remark(path: str, what: str, right: str = "") -> Remark:
    return Remark(PeerText(path, 300), "", what, right)


def _reason(error: OSError | ValueError) -> str:
    return PeerText(getattr(error, "strerror", None) or str(error))


Stamp = tuple[tuple[str | int, ...], ...]


def stamp_of(files: Files) -> tuple[Stamp, int]:
    """Return what changes with the files, and when the last of them was written, in nanoseconds.

    Cheap: nothing is opened.
    """
    stamps: list[tuple[str | int, ...]] = [(str(each),) for each in files.mistakes]
    newest = 0
    for path in files.paths:
        try:
            found = os.stat(path)  # noqa: PTH116
        except OSError as error:
            stamps.append((path, _reason(error)))
        else:
            newest = max(newest, found.st_mtime_ns)
            # The time of change tells of rights, and of writes that hide their time.
            times = found.st_mtime_ns, found.st_ctime_ns
            stamps.append((path, *times, found.st_size, found.st_ino, found.st_dev))
    return tuple(stamps), newest


__all__: Sequence[str] = (
    "Document",
    "ExportError",
    "ExportReading",
    "Files",
    "Remark",
    "find_files",
    "read_files",
    "read_tenant",
    "stamp_of",
)
