"""What can still be judged of a file with mistakes in it?

The validator stops at the first level that is wrong: no model, no further checks. So that an
operator sees every mistake at once, the wrong parts are cut out of the data and the rest is read
again, until it is valid or nothing is left.
"""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from agent.config.errors import Path, child, follow

MAX_ROUNDS = 8
_KIND_AT = 2
Errors = list[tuple[Path, dict[str, Any]]]


class Salvage:
    """Data that shrinks, and where its items stood in the data at first."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data: Any = data
        self._kept: dict[Path, list[int]] = {}  # original path of a list: original indices

    def original(self, path: Path) -> Path:
        """Return where the value at *path* of the data as it is now stood at first."""
        found: Path = ()
        for part in path:
            kept = self._kept.get(found)
            if kept is not None and isinstance(part, int) and part < len(kept):
                found = (*found, kept[part])
            else:
                found = (*found, part)
        return found

    def cut(self, paths: Iterable[Path]) -> None:
        """Remove what stands at *paths*; a path that leads nowhere removes what it would be in."""
        doomed: dict[str | int, Any] = {}
        for path in paths:
            while path and not self._exists(path):
                path = path[:-1]  # noqa: PLW2901 - climb to what is there
            node = doomed
            for part in path[:-1]:
                node = node.setdefault(part, {})
                if node is None:
                    break
            if node is not None and path:
                node[path[-1]] = None
            elif not path:
                self.data = {}
                return
        self.data = self._without(self.data, doomed, ())

    def _exists(self, path: Path) -> bool:
        above = follow(self.data, path[:-1])
        if isinstance(above, dict):
            return path[-1] in above
        return isinstance(above, tuple) and isinstance(path[-1], int) and path[-1] < len(above)

    def _without(self, data: Any, doomed: dict[str | int, Any], path: Path) -> Any:
        """Return a copy of *data* without what is marked None in *doomed*."""
        if isinstance(data, dict):
            return {
                key: self._without(value, doomed[key], (*path, key)) if key in doomed else value
                for key, value in data.items()
                if key not in doomed or doomed[key] is not None
            }
        original = self.original(path)
        kept = [i for i in range(len(data)) if i not in doomed or doomed[i] is not None]
        result = tuple(
            self._without(data[i], doomed[i], (*path, i)) if i in doomed else data[i] for i in kept
        )
        before = self._kept.get(original)
        self._kept[original] = kept if before is None else [before[i] for i in kept]
        return result


def validate(
    model: type[BaseModel], salvage: Salvage, context: dict[str, Any]
) -> tuple[BaseModel | None, Errors]:
    """Read the data of *salvage* as *model*.

    Returns what could be made of it, and every error with its path in the data as it was at first.
    """
    errors: Errors = []
    # What was cut, and all that it was in: an error there may only follow from the cut.
    spoilt: set[Path] = set()
    for _ in range(MAX_ROUNDS):
        try:
            return model.model_validate(salvage.data, context=context), errors
        except ValidationError as error:
            found: Errors = [(_path(item, salvage.data), item) for item in _items(error)]
        fresh = [(salvage.original(path), item) for path, item in found]
        # A list is said to be too short when its items are wrong: that is said of the items.
        above = {at[:-1] for at, _ in fresh}
        errors += [
            (at, item)
            for at, item in fresh
            if at not in spoilt and not (item["type"] == "too_short" and at in above)
        ]
        for at, item in fresh:
            if item["type"] != "extra_forbidden":
                spoilt.update(at[:length] for length in range(len(at) + 1))
        salvage.cut(_doomed(path, item) for path, item in found)
    return None, errors


def _items(error: ValidationError) -> list[dict[str, Any]]:
    return [dict(item) for item in error.errors(include_url=False)]


def _doomed(path: Path, item: dict[str, Any]) -> Path:
    """Return what has to go: for a missing key that which misses it."""
    return path[:-1] if item["type"] in {"missing", "union_tag_not_found"} else path


def _path(item: dict[str, Any], data: object) -> Path:
    """Return where an error is, without what is no key or index: branches and kinds."""
    path: Path = ()
    loc: Path = item["loc"]
    for number, part in enumerate(loc):
        # What stands third is the kind of a credential, which may be spelt like one of its keys.
        if number == _KIND_AT and loc[0] == "credentials":
            continue
        is_index = isinstance(data, tuple) and isinstance(part, int)
        if (part in data) if isinstance(data, dict) else is_index:
            path, data = (*path, part), child(data, part)
    if item["type"] == "missing":
        return (*path, loc[-1])
    if item["type"].startswith("union_tag"):
        return (*path, "kind")
    return path
