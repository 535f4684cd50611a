"""How are an export and its changes kept as text, and read again?

As JSON in which all that is not said is left out, packed, because a tenant's objects repeat the
same words. Reading is strict: what no agent wrote is an error and never half an export.
"""

import base64
import json
import zlib
from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from agent.domain.tenancy.drift import Change
from agent.domain.tenancy.objects import Export

T = TypeVar("T")
Reader = Callable[[Any], Any]
MAX_TEXT = 64 * 1024 * 1024  # characters of unpacked JSON: more than any export that is read


def encode(export: Export) -> str:
    """Write an export; the same one gives the same text. Its times must have a time zone."""
    return _packed(_plain(export))


def decode(text: str) -> Export:
    """Read what :func:`encode` wrote. Raises ValueError for anything else."""
    export: Export = _read(Export, _unpacked(text))
    return export


def encode_changes(changes: tuple[Change, ...]) -> str:
    """Write changes in their order."""
    return _packed(_plain(changes))


def decode_changes(text: str) -> tuple[Change, ...]:
    """Read what :func:`encode_changes` wrote. Raises ValueError for anything else."""
    changes: tuple[Change, ...] = _read(tuple[Change, ...], _unpacked(text))
    return changes


def _packed(value: Any) -> str:
    raw = json.dumps(value, separators=(",", ":"), sort_keys=True)
    return base64.b85encode(zlib.compress(raw.encode("ascii"), 9)).decode("ascii")


def _unpacked(text: str) -> Any:
    """Undo :func:`_packed`; ValueError where that cannot be."""
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(base64.b85decode(text), MAX_TEXT)
    except zlib.error as error:
        message = f"it is not packed: {error}"
        raise ValueError(message) from None
    if not unpacker.eof or unpacker.unused_data:
        message = "it is cut off, or longer than any export, or more follows"
        raise ValueError(message)
    try:
        return json.loads(raw)
    except RecursionError:
        message = "it is nested too deeply"
        raise ValueError(message) from None


def _plain(value: Any) -> Any:
    """Return a value in the shapes that JSON has; fields that say nothing are left out."""
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, str | bool | int):
        return value
    told = ((each, getattr(value, each.name)) for each in fields(value))
    return {each.name: _plain(held) for each, held in told if held != each.default}


def _read(hint: Any, value: Any) -> Any:
    return _reader(hint)(value)


@cache
def _reader(hint: Any) -> Reader:
    """Return what reads a value of the type *hint*; made once for each type."""
    if hint in (str, bool, int):
        return _of(hint)
    if hint is datetime:
        return _time
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _one_of(inner)
    if origin is UnionType or NoneType in inner:
        return _optional(_reader(next(each for each in inner if each is not NoneType)))
    if origin is tuple:
        return _tuple(inner)
    return _object(hint)


def _of(kind: type) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not kind:  # in JSON a truth value is no number
            raise _wrong(value, kind.__name__)
        return value

    return read


def _time(value: Any) -> datetime:
    if not isinstance(value, str):
        raise _wrong(value, "a time")
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise _wrong(value, "a time with its zone")
    return found


def _one_of(words: tuple[Any, ...]) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, str) or value not in words:
            raise _wrong(value, f"one of {', '.join(words)}")
        return value

    return read


def _optional(reader: Reader) -> Reader:
    return lambda value: None if value is None else reader(value)


def _tuple(inner: tuple[Any, ...]) -> Reader:
    """Read a list of any length of one type, or one with a type for each place."""
    is_open = inner[-1] is Ellipsis

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _wrong(value, "a list")
        if not is_open and len(value) != len(inner):
            raise _wrong(value, f"{len(inner)} values")
        hints = inner[:1] * len(value) if is_open else inner
        return tuple(_read(hint, each) for hint, each in zip(hints, value, strict=True))

    return read


def _object(kind: type) -> Reader:
    readers = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}
    needed = {each.name for each in fields(kind) if each.default is MISSING}

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _wrong(value, "an object")
        if not needed <= value.keys() <= readers.keys():
            names = ", ".join(sorted(needed ^ value.keys()))
            raise _wrong(names, f"the properties of {kind.__name__}")
        return kind(**{name: readers[name](held) for name, held in value.items()})

    return read


def _wrong(value: Any, expected: str) -> ValueError:
    return ValueError(f"{str(value)[:60]!r} is not {expected}")
