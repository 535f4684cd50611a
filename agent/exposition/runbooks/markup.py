"""Of what does a part of a runbook consist, once it is no text any more?

Paragraphs, lists and listings, and in their words code and links: as much of Markdown as a runbook
needs, so that pages and terminals can draw it without a library. It reads our own files only.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

LANGUAGES = frozenset({"sh", "powershell", "dns", "promql", "text"})
_INLINE = re.compile(r"`([^`]+)`|\[([^\]]+)\]\(([^)\s]+)\)")
_BULLET = re.compile(r"- (.*)")
_NUMBER = re.compile(r"\d+\. (.*)")
_FENCE = "```"


@dataclass(frozen=True, slots=True)
class Span:
    """Words of one sort; a link's ``target`` is the name of a runbook, or an address."""

    text: str
    sort: Literal["plain", "code", "link"] = "plain"
    target: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences, on one line."""

    sort: ClassVar = "paragraph"
    text: str

    @property
    def spans(self) -> list[Span]:
        """Its words by their sorts."""
        return spans(self.text)


@dataclass(frozen=True, slots=True)
class Items:
    """A list, ``ordered`` where one comes after the other."""

    sort: ClassVar = "items"
    items: tuple[str, ...]
    ordered: bool = False

    @property
    def rows(self) -> list[list[Span]]:
        """The words of each item by their sorts."""
        return [spans(item) for item in self.items]


@dataclass(frozen=True, slots=True)
class Listing:
    """What to type, in one of LANGUAGES; what is in ``<>`` only the reader knows."""

    sort: ClassVar = "listing"
    language: str
    text: str

    @property
    def lines(self) -> list[str]:
        """What to type, line by line."""
        return self.text.splitlines()


Block = Paragraph | Items | Listing


def spans(text: str) -> list[Span]:
    """Take *text* apart into plain words, code in backticks, and links."""
    found, at = [], 0
    for match in _INLINE.finditer(text):
        if match.start() > at:
            found.append(Span(text[at : match.start()]))
        code, label, target = match.groups()
        found.append(Span(code, "code") if code else Span(label, "link", target))
        at = match.end()
    return [*found, Span(text[at:])] if at < len(text) else found


def parse(text: str) -> tuple[Block, ...]:
    """Return the blocks of *text*; raise ValueError for what is none of ours."""
    return tuple(_blocks(iter(text.splitlines())))


def _blocks(lines: Iterator[str]) -> Iterator[Block]:
    gathered: list[str] = []
    for line in lines:
        if line.startswith(_FENCE):
            yield from _gathered(gathered)
            gathered = []
            yield _listing(line.removeprefix(_FENCE), lines)
        elif line.strip():
            gathered.append(line)
        else:
            yield from _gathered(gathered)
            gathered = []
    yield from _gathered(gathered)


def _listing(language: str, lines: Iterator[str]) -> Listing:
    if language not in LANGUAGES:
        message = f"a listing is in one of {', '.join(sorted(LANGUAGES))}, not in {language!r}"
        raise ValueError(message)
    held: list[str] = []
    for line in lines:
        if line == _FENCE:
            return Listing(language, "\n".join(held))
        held.append(line)
    message = f"a listing does not end: {held[:1]}"
    raise ValueError(message)


def _gathered(lines: list[str]) -> Iterator[Block]:
    """Yield a list where the lines begin as one, else a paragraph."""
    if not lines:
        return
    for pattern, ordered in ((_BULLET, False), (_NUMBER, True)):
        if pattern.fullmatch(lines[0]):
            yield Items(tuple(_items(lines, pattern)), ordered)
            return
    yield Paragraph(" ".join(line.strip() for line in lines))


def _items(lines: Iterable[str], pattern: re.Pattern[str]) -> list[str]:
    items: list[str] = []
    for line in lines:
        match = pattern.fullmatch(line)
        if match:
            items.append(match[1])
        else:
            items[-1] += f" {line.strip()}"
    return items
