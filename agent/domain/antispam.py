"""What did Exchange Online's spam filter make of the message, and where did it put it?

Three fields say it, in one grammar: ``KEY:value;`` again and again, without quoting. A value may
hold colons (IPv6), the last semicolon may be missing, ``(null)`` stands for nothing. Where a field
is there twice the upper one is of the last server. X-Forefront-Antispam-Report-Untrusted is another
tenant's and is not read.
"""

import enum
import re
from dataclasses import dataclass

from agent.domain.header_fields import Fields
from agent.domain.knowledge.antispam_words import BCL, SCL, WORDS

MAX_PAIRS = 60  # of one field
MAX_UNKNOWN = 20  # that are kept
_MAX_KEY = 20  # characters
_MAX_VALUE = 200
_MAX_REASONS = 10  # X-CustomSpam fields

_REPORT = "x-forefront-antispam-report"
_BULK = "x-microsoft-antispam"
_DELIVERY = "x-microsoft-antispam-mailbox-delivery"
_ORGANISATION = "x-ms-exchange-organization-scl"
_NUMBER = re.compile(r"-?[0-9]{1,2}")
_WORDS = ("SFV", "CAT", "IPV", "SRV", "DIR", "SFTY")
_KNOWN = frozenset(
    {
        *("CIP", "CTRY", "LANG", "SCL", "SRV", "IPV", "SFV", "H", "PTR", "CAT", "SFTY", "DIR"),
        *("SFS", "SFP", "EFV", "ARC"),  # the filter's inner affairs
    }
)


class Destination(enum.StrEnum):
    """Where the mailbox server put the message: a closed set, fit for a label value."""

    INBOX = "inbox"
    JUNK = "junk"
    UNKNOWN = "unknown"


_DESTINATIONS = {"I": Destination.INBOX, "J": Destination.JUNK}


@dataclass(frozen=True, slots=True)
class Meaning:
    """A key and its value, and what that means; ``meaning`` is empty where it is not known."""

    key: str
    value: str
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Antispam:
    """The verdict of the filter; None and empty for what is not said.

    ``scl`` is the spam confidence level, -1 to 9, ``bcl`` the bulk complaint level, 0 to 9; the
    other names are the keys in lower case. ``is_authenticated`` is the mailbox server's ``auth``.
    ``custom`` names the advanced settings that matched, ``rule`` what moved the message.
    """

    scl: int | None = None
    sfv: str = ""
    cat: str = ""
    ipv: str = ""
    srv: str = ""
    dir: str = ""
    cip: str = ""
    ctry: str = ""
    lang: str = ""
    ptr: str = ""
    helo: str = ""
    sfty: str = ""
    bcl: int | None = None
    destination: Destination = Destination.UNKNOWN
    rule: str = ""
    is_authenticated: bool | None = None
    custom: tuple[str, ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()

    def meanings(self) -> tuple[Meaning, ...]:
        """Return what is said, key by key, with its meaning."""
        found = []
        if self.scl is not None:
            found.append(Meaning("SCL", str(self.scl), SCL.get(self.scl, "")))
        words = ((key, getattr(self, key.lower())) for key in _WORDS)
        found += [
            Meaning(key, value, WORDS[key].get(value.upper(), "")) for key, value in words if value
        ]
        if self.bcl is not None:
            found.append(Meaning("BCL", str(self.bcl), BCL.get(self.bcl, "")))
        for letter, destination in _DESTINATIONS.items():
            if self.destination is destination:
                found.append(Meaning("dest", letter, WORDS["DEST"][letter]))
        found += [
            Meaning("X-CustomSpam", each, "a setting of an anti-spam policy matched")
            for each in self.custom
        ]
        return tuple(found)


def read_antispam(fields: Fields) -> Antispam:
    """Read what the filter wrote. Never raises."""
    found: dict[str, str] = {}
    custom: list[str] = []
    for field in fields:
        if field.name == "x-customspam" and len(custom) < _MAX_REASONS:
            custom.append(field.value[:_MAX_VALUE])
        elif field.name in (_REPORT, _BULK, _DELIVERY, _ORGANISATION):
            found.setdefault(field.name, field.value)
    report = read_pairs(found.get(_REPORT, ""))
    bulk, delivery = read_pairs(found.get(_BULK, "")), read_pairs(found.get(_DELIVERY, ""))
    level = _number(found.get(_ORGANISATION, ""))
    return Antispam(
        scl=level if level is not None else _number(report.get("SCL", "")),
        sfv=report.get("SFV", ""),
        cat=report.get("CAT", ""),
        ipv=report.get("IPV", ""),
        srv=report.get("SRV", ""),
        dir=report.get("DIR", ""),
        cip=report.get("CIP", ""),
        ctry=report.get("CTRY", ""),
        lang=report.get("LANG", ""),
        ptr=report.get("PTR", ""),
        helo=report.get("H", ""),
        sfty=report.get("SFTY", ""),
        bcl=_number(bulk.get("BCL", "")),
        destination=_DESTINATIONS.get(delivery.get("DEST", "").upper(), Destination.UNKNOWN),
        rule=delivery.get("OFR", ""),
        is_authenticated={"0": False, "1": True}.get(delivery.get("AUTH", "")),
        custom=tuple(custom),
        unknown=tuple((key, value) for key, value in report.items() if key not in _KNOWN)[
            :MAX_UNKNOWN
        ],
    )


def read_pairs(value: str) -> dict[str, str]:
    """Return the values by their keys in capitals; of two with one key the first counts."""
    pairs: dict[str, str] = {}
    for part in value.split(";", MAX_PAIRS)[:MAX_PAIRS]:
        key, colon, said = part.partition(":")
        key, said = key.strip().upper()[:_MAX_KEY], said.strip()[:_MAX_VALUE]
        if key and colon:
            pairs.setdefault(key, "" if said == "(null)" else said)
    return pairs


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if _NUMBER.fullmatch(text) else None
