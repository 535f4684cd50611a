"""Which DMARC record is proposed in place of the one that is there, as a line to paste?"""

from typing import Final

from agent.domain.dmarc_terms import Record
from agent.domain.zone_line import txt_of

_LONGEST: Final = 500  # octets of a record that is proposed whole


def publish(domain: str, text: bytes) -> str:
    """Write a record as a line of a zone; empty where it has octets that must not be typed so."""
    return txt_of(f"_dmarc.{domain}", text, _LONGEST)


def rewritten(record: Record, **values: str) -> bytes:
    """Return the text of *record* with tags replaced; an empty value takes the tag out."""
    pairs = {tag.name: tag.value for tag in record.tags} | values
    kept = (f"{name}={value}" for name, value in pairs.items() if value)
    return "; ".join(kept).encode("latin-1")


def reports_to(domain: str) -> str:
    """Return an address for reports: at *domain* itself, where no other has to agree."""
    return f"mailto:dmarc-reports@{domain}"
