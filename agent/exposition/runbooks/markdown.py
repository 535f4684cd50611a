"""How does a runbook look in the repository?

As Markdown, one file each, with links to the pages of the checks. The files are rendered; a test
holds them to a fresh rendering.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agent.exposition import alerts
from agent.exposition.runbooks.book import Runbook, Shelf
from agent.exposition.runbooks.markup import Block, Items, Listing, Paragraph, Span, spans
from agent.probes.base import Probe

_HEAD = "<!-- Rendered from declarations and hand-written parts: run make generate. -->"


def rendered(probes: Iterable[Probe[Any, Any]]) -> Mapping[str, str]:
    """Return every runbook by its path."""
    shelf = Shelf(probes)
    found = (shelf.find(name) for name in shelf.names)
    return {f"{alerts.RUNBOOKS}/{book.name}.md": of_runbook(book) for book in found if book}


def of_runbook(book: Runbook) -> str:
    """Return the page of one runbook."""
    lines = [_HEAD, "", f"# {_words(book.title)}", "", _about(book), ""]
    for section, blocks in book.sections.items():
        lines += [f"## {section}", ""]
        for block in blocks:
            lines += [*_block(block), ""]
    return "\n".join(lines)


def _about(book: Runbook) -> str:
    if book.rule is None:
        names = " and ".join(f"`{name}`" for name in book.alerts)
        return f"Alert {names}, severity {book.severity}."
    kinds = ", ".join(f"[{kind}](../checks/{kind}.md)" for kind in book.kinds)
    looks = " or ".join(
        f"{'an' if subject[0] in 'aeiou' else 'a'} {subject}" for subject in book.subjects
    )
    return (
        f"Rule `{book.name}`, severity {book.severity}, found by {kinds}, which"
        f" {'look' if len(book.kinds) > 1 else 'looks'} at {looks}."
        + "".join(f" Alert `{name}`, after two runs in a row." for name in book.alerts)
    )


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph():
            yield _words(block.text)
        case Items():
            for number, item in enumerate(block.items, 1):
                yield f"{f'{number}.' if block.ordered else '-'} {_words(item)}"
        case Listing():
            yield f"```{block.language}"
            yield block.text
            yield "```"


def _words(text: str) -> str:
    return "".join(map(_span, spans(text)))


def _span(span: Span) -> str:
    match span.sort:
        case "code":
            return f"`{span.text}`"
        case "link" if span.target == span.text:
            return f"<{span.target}>"
        case "link":
            target = span.target if "://" in span.target else f"{span.target}.md"
            return f"[{span.text}]({target})"
        case _:
            return span.text.replace("<", "&lt;")
