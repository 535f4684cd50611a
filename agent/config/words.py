"""What does the validator mean to say, in the operator's words?

pydantic speaks of inputs, models and tuples. An operator has keys, values, lists and mappings, and
wants to know what to write instead.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from agent.config.errors import Path, follow
from agent.config.scalars import trap
from agent.config.schema import Guide
from agent.settings import write_duration

_NAME = (
    "is not a name: up to 64 lower-case letters, digits, hyphens and dots, with a letter or a"
    " digit at both ends"
)
_PATTERNS: Final = {
    "^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$": _NAME,
}
_KINDS: Final = {
    "tuple_type": "is not a list",
    "list_type": "is not a list",
    "dict_type": "is not a mapping of keys to values",
    "model_type": "is not a mapping of keys to values",
    "model_attributes_type": "is not a mapping of keys to values",
    "bool_type": "is not true or false",
    "int_type": "is not a whole number",
    "float_type": "is not a number",
    "finite_number": "is not a finite number",
}
_SPAN: Final = re.compile(r"(\d+) (microsecond|second|minute|hour|day)s?")
_UNITS: Final = {
    "microsecond": timedelta(microseconds=1),
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}
_BOUNDS: Final = {
    "greater_than_equal": ("ge", "must be at least"),
    "greater_than": ("gt", "must be more than"),
    "less_than_equal": ("le", "must be at most"),
    "less_than": ("lt", "must be less than"),
    "string_too_short": ("min_length", "has fewer characters than"),
    "string_too_long": ("max_length", "has more characters than"),
}


def explain(error: Mapping[str, Any], path: Path, data: object, guide: Guide) -> str:
    """Return what is wrong at *path* of *data*, and what would be right."""
    kind = error["type"]
    context = error.get("ctx", {})
    value = follow(data, path)
    if kind.startswith("model_") and path[-2:-1] == ("checks",):
        # What nobody is asked for without consent is off until that is given.
        sample = "enabled: true" if "enabled" in guide.keys(path, {}) else "interval: 1h"
        return f"is neither off nor a mapping of settings, such as {{{sample}}}"
    if value is None and kind in _KINDS:
        return "is empty; write a value, or leave the key out"
    explained: Callable[[], str] | None = {
        "extra_forbidden": lambda: _unknown_key(path, data, guide),
        "missing": lambda: _missing(path, data, guide),
        "value_error": lambda: str(context["error"]),
        "literal_error": lambda: _choice(str(context["expected"]), value),
        "union_tag_invalid": lambda: _choice(str(context["expected_tags"]), value),
        "union_tag_not_found": lambda: "is missing: How to log in",
        "string_type": lambda: "is not text; put it in quotes",
        "string_pattern_mismatch": lambda: _pattern(str(context["pattern"]), value),
        "too_short": lambda: f"needs at least {_count(context['min_length'])}",
        "too_long": lambda: f"has more than {_count(context['max_length'])}",
    }.get(kind)
    if explained is not None:
        return explained()
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"{words} {_written(context[name])}"
    return _of_kind(str(kind), str(error["msg"]), value)


def _of_kind(kind: str, message: str, value: object) -> str:
    """Explain a value of the wrong type, with the trap that it may have come from."""
    if kind not in _KINDS:
        return message[:1].lower() + message[1:]
    hint = trap(value) if isinstance(value, str) else None
    if hint is None and isinstance(value, str) and kind in {"int_type", "float_type", "bool_type"}:
        bare = value.removeprefix("-")
        hint = "write it without quotes" if bare.isdigit() or bare in {"true", "false"} else None
    return f"{_KINDS[kind]}; {hint}" if hint else _KINDS[kind]


def _unknown_key(path: Path, data: object, guide: Guide) -> str:
    keys = guide.keys(path[:-1], data)
    places = _places_of(str(path[-1]), path[:-1], keys, data, guide)
    if places:
        return f"unknown key here; it belongs under {' or '.join(places)}"
    nearest = did_you_mean(str(path[-1]), keys)
    if nearest:
        return f"unknown key{nearest}"
    return f"unknown key; here may stand: {', '.join(keys) or 'nothing'}"


def _places_of(key: str, path: Path, keys: Iterable[str], data: object, guide: Guide) -> list[str]:
    """Return which of *keys* have *key* one level down: it stands a level too high."""
    places = [each for each in keys if key in guide.keys((*path, each), data)]
    return places + [f"{each}[]" for each in keys if key in guide.keys((*path, each, 0), data)]


def _missing(path: Path, data: object, guide: Guide) -> str:
    description = guide.description(path, data).rstrip(".")
    return f"is missing: {description}" if description else "is missing"


def _choice(expected: str, value: object) -> str:
    """Name the words of a closed set, which pydantic lists in quotes."""
    choices = [word.strip().strip("'") for word in expected.replace(" or ", ", ").split(",")]
    words = ", ".join(filter(None, choices))
    return f"is not one of: {words}" + did_you_mean(value, choices)


def _pattern(pattern: str, value: object) -> str:
    if isinstance(value, str) and "${" in value:
        return "only secrets may come from the environment; write the value"
    return _PATTERNS.get(pattern, f"does not have the form {pattern}")


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return `` (did you mean "KEY"?)`` for the nearest of *known*, or nothing."""
    if not isinstance(word, str):
        return ""
    near = difflib.get_close_matches(word.lower().replace("-", "_")[:64], _spellings(known), 1, 0.6)
    return f' (did you mean "{_spellings(known)[near[0]]}"?)' if near else ""


def _spellings(known: Iterable[str]) -> dict[str, str]:
    """Map what is compared to what is written: hyphens and underscores count the same."""
    return {word.lower().replace("-", "_"): word for word in known}


def _count(number: int) -> str:
    return f"{number} item" if number == 1 else f"{number} items"


def _written(bound: object) -> str:
    """Write a bound; pydantic has durations as ``100000 microseconds`` or ``1 second``."""
    parts = _SPAN.findall(str(bound))
    if not parts:
        return str(bound)
    return write_duration(sum((int(n) * _UNITS[unit] for n, unit in parts), timedelta()))
