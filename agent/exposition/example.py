"""What does a configuration look like, with every option that there is?

Renders the example configuration from the declarations: descriptions become comments, options that
the example does not use stand there with their defaults, commented out. The example describes the
world of the lab, so that ``mailflow-agent run --lab`` has something to show; how fast the lab goes
is the lab's own affair, because the example is copied for the domains of people.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, get_origin

from agent.config.model import OFF, file_model
from agent.config.schema import as_written
from agent.config.strict_yaml import write
from agent.exposition.example_world import CREDENTIALS, REMARK, SECTIONS
from agent.probes.base import Probe

PATH: Final = "config.example.yaml"
SCHEMA_PATH: Final = "docs/config.schema.json"
WIDTH: Final = 100

_HEAD: Final = f"""\
# yaml-language-server: $schema={SCHEMA_PATH}
# Rendered from the program; do not edit in place, copy it: cp {PATH} config.yaml
# It describes the world of the lab (`mailflow-agent run --lab`), with faults in it. Only there is
# everything looked at every few seconds; elsewhere the intervals below hold.
# A line that begins with # and no space is an option with its default;
# one that begins with # and two spaces may stand below the option above it.
"""


def render(probes: Iterable[Probe[Any, Any]]) -> str:
    """Return the example configuration for *probes*."""
    probes = tuple(probes)
    model = file_model(probes)
    blocks = [_HEAD]
    for key, field in model.model_fields.items():
        if key == "credentials":
            text = _comment(field.description, 0) + textwrap.indent(CREDENTIALS, "# ").splitlines()
        elif key == "resolvers":
            text = [*_comment(field.description, 0), f"resolvers: {_flow(SECTIONS[key])}"]
        elif key in SECTIONS:
            text = [*_comment(field.description, 0), *_option(key, field, SECTIONS[key], 0)]
        else:
            text = [*_comment(field.description, 0), *_unused(key, field)]
        blocks.append("\n".join(text) + "\n")
    return "\n".join(blocks)


def _unused(key: str, field: Any) -> Iterator[str]:
    """Write a section that is not used: commented out, with every option below it."""
    yield f"#{key}:"
    for name, inner in _model(field.annotation).model_fields.items():
        yield from _comment(inner.description, 1)
        below = inner.get_default(call_default_factory=True)
        if hasattr(type(below), "model_fields"):
            yield f"  #{inner.alias or name}:"
            yield from _mapping(type(below), {}, 2)
        else:
            yield from _commented(inner.alias or name, inner, 1)


def _option(key: str, field: Any, value: Any, depth: int) -> list[str]:
    """Write one option with its value, and what stands below it."""
    indent = "  " * depth
    if isinstance(value, Mapping):
        below = list(_mapping(_model(field.annotation, of_items=False), value, depth + 1))
        # Empty with all options commented out would be read as null.
        empty = all(line.lstrip().startswith("#") for line in below)
        return [f"{indent}{key}: {{}}"] if empty else [f"{indent}{key}:", *below]
    if isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
        lines = [f"{indent}{key}:"]
        for number, item in enumerate(value):
            lines += _item(_model(field.annotation), item, depth + 1, first=number == 0)
        return lines
    return [f"{indent}{key}: {_flow(value)}"]


def _item(model: Any, item: Mapping[str, Any], depth: int, *, first: bool) -> list[str]:
    """Write an item of a list of mappings; only the *first* one shows what else there is."""
    given = {key: value for key, value in item.items() if key != REMARK}
    lines = list(_mapping(model, given, depth + 1, terse=not first))
    begin = next(n for n, line in enumerate(lines) if not line.lstrip().startswith("#"))
    body = lines[begin:]
    body[0] = "  " * depth + "- " + body[0].lstrip()
    return [*_comment(item.get(REMARK), depth), *_outdented(lines[:begin], depth), *body]


def _outdented(comments: list[str], depth: int) -> list[str]:
    """Move comments that stand before the dash of an item to the dash."""
    return ["  " * depth + line.lstrip() for line in comments]


def _mapping(
    model: Any, given: Mapping[str, Any], depth: int, *, terse: bool = False
) -> Iterator[str]:
    """Write the options of *model*: those *given*, and unless *terse* the others commented out."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key in given:
            if not terse:
                yield from _comment(field.description, depth)
            yield from _option(key, field, given[key], depth)
        elif not terse:
            yield from _comment(field.description, depth)
            yield from _commented(key, field, depth)


def _commented(key: str, field: Any, depth: int) -> Iterator[str]:
    """Write an option that is not used: commented out, with its default."""
    default: Any = None
    if not field.is_required():
        default = field.get_default(call_default_factory=True)
    if key == "checks":
        yield f"{'  ' * depth}#checks: {{}}"
    elif hasattr(type(default), "model_fields"):
        below = {
            inner.alias or name: as_written(getattr(default, name))
            for name, inner in type(default).model_fields.items()
        }
        line = f"{'  ' * depth}#{key}: {_flow(below)}"
        if len(line) <= WIDTH:
            yield line
        else:
            yield f"{'  ' * depth}#{key}:"
            inner = "  " * (depth + 1)
            yield from (f"{inner}#{name}:{_default(each)}" for name, each in below.items())
    else:
        yield f"{'  ' * depth}#{key}:{_default(default)}"
        if default is None and (model := _model(field.annotation)) is not None:
            yield from _below(model, depth)


def _below(model: Any, depth: int) -> Iterator[str]:
    """Write what may stand below an option that is not used, as a comment behind its #."""
    margin = 2 * (depth + 2)  # of lines that end where those written here do
    for line in _mapping(model, {}, depth + 2):
        text = line[margin:]
        yield f"{'  ' * depth}#  {text if text.startswith('# ') else text.removeprefix('#')}"


def _default(value: Any) -> str:
    return "" if value is None else f" {_flow(as_written(value))}"


def _flow(value: Any) -> str:
    """Write a value on one line."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_flow(item)}' for key, item in value.items())}}}"
    return OFF if value == OFF else write(value).removesuffix("...\n").strip()


def _model(annotation: Any, *, of_items: bool = True) -> Any:
    """Return the model that an annotation is about: of a section, of an item, of a switch.

    Where a list may stand in place of a section, ``of_items`` says which of the two is meant.
    """
    if hasattr(annotation, "model_fields"):
        return annotation
    if not of_items and get_origin(annotation) is tuple:
        return None
    inner = getattr(annotation, "__args__", ())
    return next((found for each in inner if (found := _model(each, of_items=of_items))), None)


def _comment(text: str | None, depth: int) -> list[str]:
    """Write *text* as lines of comment."""
    if not text:
        return []
    indent = "  " * depth + "# "
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)
