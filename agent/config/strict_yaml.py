"""Does this text say what its author thinks it says?

YAML, read strictly. Of plain scalars only ``true``, ``false``, ``null``, decimal integers and
decimal fractions are more than text (the core schema of YAML 1.2 without its octal, hexadecimal
and infinite numbers), so ``no``, ``022`` and ``12:30:45`` stay what was written. Repeated keys,
tags, merge keys, invisible characters, several documents and aliases beyond a small bound are
errors, and depth and size are bounded. Events come from libyaml where it is there; the tree is
built here, without recursion.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import yaml

from agent.config.compose import MAX_NODES, Composer, Place
from agent.config.scalars import read_scalar
from agent.config.yaml_text import Path, Problem, StrictYamlError, decode
from agent.config.yaml_words import in_our_words

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Document:
    """The data of a file, and what is wrong with it although it can be read."""

    data: Any
    problems: tuple[Problem, ...]


def read(raw: bytes, *, loader: Any = _LOADER, max_nodes: int = MAX_NODES) -> Document:
    """Read *raw* as one YAML document of plain data: dict, tuple, str, int, float, bool, None.

    *max_nodes* bounds how many values it may have. Raises StrictYamlError where reading has to
    stop; milder problems are in the document.
    """
    composer = Composer(None, max_nodes)
    _compose(composer, decode(raw), loader)
    return Document(composer.result, tuple(composer.problems))


def locate(raw: bytes, *, loader: Any = _LOADER) -> Mapping[Path, Place]:
    """Return where each value of *raw* stands; as far as it can be read."""
    places: dict[Path, Place] = {}
    with suppress(StrictYamlError):
        _compose(Composer(places), decode(raw), loader)
    return places


def _compose(composer: Composer, text: str, loader: Any) -> None:
    """Read all of *text*. Raises StrictYamlError where that cannot go on."""
    take = {getattr(yaml, name): handler for name, handler in composer.handlers().items()}.get
    try:
        for event in _events(loader(text)):
            handler = take(event.__class__)
            if handler is not None:
                handler(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (0, 0) if mark is None else (mark.line, mark.column)
        message = in_our_words(error.problem or "", text, line, column)
        problem = Problem(line + 1, column + 1, composer.path(), message)
        raise StrictYamlError(problem) from None
    except yaml.YAMLError:
        message = "holds characters that YAML does not allow"
        raise StrictYamlError(Problem(1, 1, (), message)) from None


def _events(parser: Any) -> Iterator[Any]:
    """Yield the parser's events, and let go of its buffers at the end."""
    get = parser.get_event
    try:
        while True:
            event = get()
            yield event
            if event.__class__ is yaml.StreamEndEvent:
                return
    finally:
        parser.dispose()


def write(data: Any) -> str:
    """Write plain data as YAML that :func:`read` reads back."""
    return yaml.dump(
        data, Dumper=_Writer, sort_keys=False, allow_unicode=True, default_flow_style=False
    )


class _Writer(yaml.SafeDumper):
    """Puts in quotes what is text and looks like something else."""

    def ignore_aliases(self, _data: Any) -> bool:
        """Write everything out."""
        return True


def _write_text(writer: _Writer, text: str) -> yaml.ScalarNode:
    node: yaml.ScalarNode = writer.represent_scalar("tag:yaml.org,2002:str", text)
    if read_scalar(text) != text or text == "<<":
        node.style = '"'
    return node


_Writer.add_representer(str, _write_text)
