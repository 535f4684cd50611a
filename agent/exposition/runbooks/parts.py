"""What was written by hand for a runbook?

Files beside the code, one for a rule, a standing alert or a kind of probe, by its name. Each has
some of the sections of a runbook as level-two headings. In the file of a kind a heading may end in
a severity (``## Impact: warning``): it then stands for rules of this severity only.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from agent.exposition.runbooks.markup import Block, parse

SECTIONS = ("Meaning", "Impact", "Diagnosis", "Mitigation", "Escalation")
_FOLDER = files("agent.exposition") / "runbook_parts"
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_SEVERITIES = ("ok", "warning", "unknown", "critical")
_NOTHING: Mapping[str, tuple[Block, ...]] = MappingProxyType({})


@cache
def names() -> frozenset[str]:
    """Return the names of all parts."""
    entries = [entry.name for entry in _FOLDER.iterdir()]
    return frozenset(name.removesuffix(".md") for name in entries if name.endswith(".md"))


@cache
def part(name: str) -> Mapping[str, tuple[Block, ...]]:
    """Return the blocks of a part by its headings; nothing where there is no such part."""
    if name not in names():
        return _NOTHING
    try:
        return read((_FOLDER / f"{name}.md").read_text(encoding="utf-8"))
    except ValueError as error:
        message = f"{name}.md: {error}"
        raise ValueError(message) from error


def read(text: str) -> Mapping[str, tuple[Block, ...]]:
    """Return the blocks of *text* by its headings; raise ValueError for what does not belong."""
    before, *rest = _HEADING.split(text)
    if before.strip():
        message = f"something stands before the first section: {before.strip()[:40]!r}"
        raise ValueError(message)
    found: dict[str, tuple[Block, ...]] = {}
    for heading, body in zip(rest[::2], rest[1::2], strict=True):
        section, _, severity = heading.partition(": ")
        if section not in SECTIONS or heading in found or severity not in ("", *_SEVERITIES):
            message = f"{heading!r} is no section, or stands there twice"
            raise ValueError(message)
        found[heading] = parse(body)
    return MappingProxyType(found)


def chosen(section: str, severity: str, sources: Iterable[str]) -> tuple[Block, ...]:
    """Return what the first of *sources* that has the section says, for this severity if it can."""
    for name in sources:
        held = part(name)
        blocks = held.get(f"{section}: {severity}") or held.get(section)
        if blocks:
            return blocks
    return ()
