"""Who signed a message, and under which selector?

Receivers tell the domain of a signature and often not the selector; the signature itself does.
Whether it is valid is not asked here: what a message of ours is signed with is what receivers look
up, and what the domain must publish.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from agent.domain.dkim_selectors import is_selector
from agent.domain.tag_list import MAX_TAGS, pieces

MAX_SIGNATURES = 10  # of one message that are read
MAX_LENGTH = 8 * 1024  # characters of one


@dataclass(frozen=True, slots=True)
class Signer:
    """The domain (``d=``) and selector (``s=``) of a DKIM-Signature field, in lower case."""

    domain: str
    selector: str


def read_signers(values: Iterable[str]) -> tuple[Signer, ...]:
    """Read the values of DKIM-Signature fields (RFC 6376 section 3.5); what is none is left out."""
    found = (_read(value) for value in tuple(values)[:MAX_SIGNATURES])
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _read(value: str) -> Signer | None:
    tags: dict[str, str] = {}
    for number, (piece, _) in enumerate(pieces(value[:MAX_LENGTH], ";", " \t\r\n")):
        if number < MAX_TAGS:
            name, _, text = piece.partition("=")
            tags.setdefault(name.strip(), text.strip().lower().removesuffix("."))
    domain, selector = tags.get("d", ""), tags.get("s", "")
    is_whole = is_selector(selector) and is_selector(domain)
    return Signer(domain, selector) if is_whole else None


def selectors_for(signers: Iterable[Signer], domain: str) -> tuple[str, ...]:
    """Return the selectors under which a message was signed in the name of *domain*."""
    return tuple(dict.fromkeys(one.selector for one in signers if one.domain == domain.lower()))
