"""How does a program read a runbook?

As plain data, which becomes JSON: the sections with their blocks in order, text as it was written.
"""

from typing import Any

from agent.exposition.runbooks.book import Runbook
from agent.exposition.runbooks.markup import Block, Items, Listing, Paragraph


def as_data(book: Runbook) -> dict[str, Any]:
    """Return a runbook as dictionaries, lists and text."""
    rule = book.rule
    return {
        "name": book.name,
        "title": book.title,
        "severity": book.severity,
        "alerts": list(book.alerts),
        "probes": list(book.kinds),
        "remedy": None if rule is None else rule.remedy,
        "reference": None if rule is None else rule.reference,
        "sections": {
            section.lower(): [_block(block) for block in blocks]
            for section, blocks in book.sections.items()
        },
    }


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Paragraph():
            return {"paragraph": block.text}
        case Items():
            return {"list": list(block.items), "ordered": block.ordered}
        case Listing():
            return {"listing": block.text, "language": block.language}
