"""How is a record of ``name=value`` and separators taken apart, with the place of each piece?

DKIM and DMARC share the tag list of RFC 6376 section 3.2; other records separate by the same
characters. Octets have become characters one by one, so that a position is the same in both.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

MAX_TAGS = 100  # that are read; DMARC has fourteen, DKIM seven
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fault:
    """A place in the record that does not follow the grammar.

    With ``voids``, receivers that keep to the letter have no use for the record because of it;
    without, the tag counts as absent. ``position`` counts octets from 0.
    """

    text: str
    problem: str
    hint: str = ""
    voids: bool = False
    position: int = field(default=0, compare=False)


def pieces(text: str, separator: str, blanks: str = " \t") -> Iterator[tuple[str, int]]:
    """Yield what stands between separators, without *blanks* around it, and where it begins."""
    start = 0
    for piece in text.split(separator):
        yield piece.strip(blanks), start + len(piece) - len(piece.lstrip(blanks))
        start += len(piece) + 1


def read_tags(
    text: str, read: Callable[[str, int], T | Fault], blanks: str = " \t"
) -> tuple[list[T], list[Fault]]:
    """Read a tag list, each piece with *read*; a separator at the end is no fault."""
    tags: list[T] = []
    faults: list[Fault] = []
    found = list(pieces(text, ";", blanks))
    if not found[-1][0]:
        found.pop()
    for piece, position in found:
        if len(tags) + len(faults) >= MAX_TAGS:
            faults.append(Fault("", f"more than {MAX_TAGS} tags; the rest is not read"))
            break
        tag = read(piece, position)
        if isinstance(tag, Fault):
            faults.append(tag)
        else:
            tags.append(tag)
    return tags, faults
