"""Which files make up the configuration, and what do they say together?

One file, or the ``*.yaml`` files of a folder in the order of their names. Sections of several files
are put together: mappings key by key, lists one after the other. Where each piece came from is
remembered, so that an error names the right file.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from agent.config.compose import Place
from agent.config.errors import Path, Problem, write_path
from agent.config.strict_yaml import Document, locate, read
from agent.config.yaml_text import MAX_SIZE, StrictYamlError

_SUFFIXES = {".yaml", ".yml"}
_ATTEMPTS = 5  # to read all files twice with the same content
Contents = dict[str, bytes]


@dataclass(slots=True, eq=False)
class Source:
    """A file as it was read: its name for people, its content, and where things stand in it."""

    name: str
    raw: bytes
    document: Document
    _places: Mapping[Path, Place] | None = None

    @property
    def places(self) -> Mapping[Path, Place]:
        """Where each value stands. Found out when it is first asked for: after a mistake."""
        if self._places is None:
            self._places = locate(self.raw)
        return self._places


@dataclass(frozen=True, slots=True)
class Merged:
    """What all files say together."""

    data: dict[str, Any]
    sources: tuple[Source, ...]
    problems: tuple[Problem, ...]
    readable: bool
    """Whether every file could be read to its end, so that it makes sense to judge the whole."""
    digest: str
    origins: Mapping[Path, tuple[Source, Path]] = field(default_factory=dict)

    def place(self, path: Path) -> tuple[str, Place | None]:
        """Return the file and the place of the value at *path*, or of what it is missing in."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.origins:
                source, start = self.origins[path[:length]]
                return source.name, _nearest(source.places, (*start, *path[length:]))
        return (self.sources[0].name if self.sources else ""), None


def _nearest(places: Mapping[Path, Place], path: Path) -> Place | None:
    for length in range(len(path), 0, -1):
        if path[:length] in places:
            place = places[path[:length]]
            return place if length == len(path) else Place(place.line, place.column, None)
    return places.get(())


def gather(path: FilePath) -> Merged:
    """Read the file or folder *path*. Never raises; what is wrong is in the problems."""
    contents, problems = _read_stable(path)
    sources = []
    for name, raw in contents.items():
        try:
            document = read(raw)
        except StrictYamlError as error:
            wrong = error.problem
            problems.append(Problem(name, wrong.line, _inside(wrong.path), "", wrong.message))
            continue
        sources.append(Source(name, raw, document))
    whole = not problems
    for source in sources:
        problems += [
            Problem(source.name, found.line, write_path(found.path, source.document.data), "",
                    found.message)
            for found in source.document.problems
        ]  # fmt: skip
    digest = hashlib.sha256(b"\0".join(contents.values())).hexdigest()
    merge = _Merge(problems)
    for source in sources:
        merge.take(source, alone=len(sources) == 1)
    return Merged(merge.data, tuple(sources), tuple(problems), whole, digest, merge.origins)


def _inside(path: Path) -> str:
    """Write the path of something that could not be read, without the names that are not known."""
    return write_path(path[:4], None)


class _Merge:
    """Puts the sections of all files together, and notes where each piece came from."""

    def __init__(self, problems: list[Problem]) -> None:
        self.data: dict[str, Any] = {}
        self.origins: dict[Path, tuple[Source, Path]] = {}
        self._problems = problems

    def take(self, source: Source, *, alone: bool) -> None:
        """Take in all sections of *source*; only one that is *alone* must not be empty."""
        self.origins.setdefault((), (source, ()))
        sections = source.document.data
        if isinstance(sections, dict):
            for key, value in sections.items():
                self._section(source, key, value)
        elif sections is not None:
            message = "is not a mapping of sections to values"
            self._problems.append(Problem(source.name, 1, "", "", message))
        elif alone:
            self._problems.append(Problem(source.name, 0, "", "", "is empty"))

    def _section(self, source: Source, key: str, value: Any) -> None:
        before = self.data.get(key)
        self.origins.setdefault((key,), (source, (key,)))
        if key not in self.data:
            self.data[key] = dict(value) if isinstance(value, dict) else value
            parts = value if isinstance(value, dict) else _indices(value)
            for part in parts:
                self.origins[key, part] = (source, (key, part))
        elif isinstance(before, tuple) and isinstance(value, tuple):
            self.data[key] = before + value
            for index in _indices(value):
                self.origins[key, len(before) + index] = (source, (key, index))
        elif isinstance(before, dict) and isinstance(value, dict):
            self._keys(source, key, before, value)
        else:
            self._problems.append(_twice(source, (key,), self.origins[key,][0]))

    def _keys(self, source: Source, key: str, before: dict[str, Any], more: dict[str, Any]) -> None:
        for part, item in more.items():
            if part in before:
                first, _ = self.origins[key, part]
                self._problems.append(_twice(source, (key, part), first))
            else:
                before[part] = item
                self.origins[key, part] = (source, (key, part))


def _indices(value: object) -> range:
    return range(len(value)) if isinstance(value, tuple) else range(0)


def _twice(source: Source, path: Path, first: Source) -> Problem:
    place = _nearest(source.places, path)
    line = place.line if place else 0
    return Problem(source.name, line, write_path(path, None), "", f"is in {first.name}, too")


def _read_stable(path: FilePath) -> tuple[Contents, list[Problem]]:
    """Read until two readings agree, so that a file that is being replaced is not torn."""
    before = _read_once(path)
    for _ in range(_ATTEMPTS):
        again = _read_once(path)
        if again == before:
            return again
        before = again
    return {}, [Problem(str(path), 0, "", "", "changes while it is read; try again")]


def _read_once(path: FilePath) -> tuple[Contents, list[Problem]]:
    problems: list[Problem] = []
    contents: Contents = {}
    try:
        names = _files(path)
    except OSError as error:
        return {}, [_unreadable(path, error)]
    if not names:
        message = "holds no *.yaml file" if path.is_dir() else "is not a file or a folder"
        return {}, [Problem(str(path), 0, "", "", message)]
    for name in names:
        if _is_no_file(name):
            problems.append(Problem(str(name), 0, "", "", "is not a file"))
            continue
        try:
            with name.open("rb") as file:
                if os.fstat(file.fileno()).st_size > MAX_SIZE:
                    message = f"is larger than {MAX_SIZE >> 20} MiB"
                    problems.append(Problem(str(name), 0, "", "", message))
                else:
                    contents[str(name)] = file.read(MAX_SIZE + 1)
        except OSError as error:
            problems.append(_unreadable(name, error))
    return contents, problems


def _files(path: FilePath) -> list[FilePath]:
    """Return the files at *path*, whatever they are; hidden ones, of a ConfigMap's swap, are not.

    A link that leads nowhere is among them: what it was to say must not be missing unnoticed.
    """
    if path.is_dir():
        return sorted(
            file
            for file in path.iterdir()
            if file.suffix in _SUFFIXES and not file.name.startswith(".")
        )
    return [] if _is_no_file(path) else [path]


def _is_no_file(path: FilePath) -> bool:
    """Tell of a folder, a device or a pipe: reading one may never end."""
    return path.exists() and not path.is_file()


def _unreadable(path: FilePath, error: OSError) -> Problem:
    if isinstance(error, FileNotFoundError):
        message = "does not exist"
    else:
        message = f"cannot be read: {os.strerror(error.errno or 0)}"
    return Problem(str(path), 0, "", "", message)
