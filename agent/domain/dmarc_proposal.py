"""Which DMARC record is proposed in place of the one that is there, as a line to paste?"""

from typing import Final

from agent.domain.dmarc_terms import Record
from agent.domain.peer_text import PeerText

_LONGEST: Final = 500  # octets of a record that is proposed whole
_UNSURE: Final = frozenset('"\\')  # would have to be escaped in what is typed


def publish(domain: str, text: bytes) -> str:
    """Write a record as a line of a zone; empty where it has octets that must not be typed so."""
    shown = PeerText(text, _LONGEST)
    if len(shown) != len(text) or _UNSURE & set(shown):
        return ""
    return f'_dmarc.{domain}. 3600 IN TXT "{shown}"'


def rewritten(record: Record, **values: str) -> bytes:
    """Return the text of *record* with tags replaced; an empty value takes the tag out."""
    pairs = {tag.name: tag.value for tag in record.tags} | values
    kept = (f"{name}={value}" for name, value in pairs.items() if value)
    return "; ".join(kept).encode("latin-1")


def reports_to(domain: str) -> str:
    """Return an address for reports: at *domain* itself, where no other has to agree."""
    return f"mailto:dmarc-reports@{domain}"
