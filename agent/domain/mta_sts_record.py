"""What does an MTA-STS record say, and where exactly is it wrong (RFC 8461 section 3.1)?

The record only announces a policy: its ``id`` changes when the policy does.
"""

import re
from dataclasses import dataclass

from agent.domain.mta_sts_fields import Field, begins, read_fields
from agent.domain.mta_sts_terms import Fault

VERSION = b"v=STSv1"
_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_NEARLY = re.compile(rb"[\s\"']*(?:v[\s:]*=?[\s]*)?\"?sts-?v?1?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Record:
    """A record as read; ``id`` is empty where a fault takes it out of force."""

    fields: tuple[Field, ...]
    faults: tuple[Fault, ...]
    id: str = ""

    @property
    def flaw(self) -> Fault | None:
        """The first fault because of which senders see no policy."""
        return next((each for each in self.faults if each.is_fatal), None)


def is_record(text: bytes) -> bool:
    """Tell whether senders take *text* for an MTA-STS record."""
    return begins(text, VERSION)


def is_nearly(text: bytes) -> bool:
    """Tell whether *text* was meant to be one, and is none."""
    return not is_record(text) and _NEARLY.match(text) is not None


def parse(text: bytes) -> Record:
    """Read a text for which :func:`is_record` holds. Never raises."""
    fields, faults = read_fields(text.decode("latin-1"), VERSION.decode())
    found = ""
    for field in fields:
        if field.name != "id":
            faults += _extension(field)
        elif found:
            faults.append(_fault(field, "appears twice; the first counts", is_fatal=False))
        elif _ID.fullmatch(field.value):
            found = field.value
        else:
            faults.append(_fault(field, "must have 1 to 32 letters and digits"))
    if not found and not any(each.is_fatal for each in faults):
        faults.append(Fault(0, "", "it has no `id`", "Write `id=` and letters and digits."))
    faults.sort(key=lambda each: each.at or len(text) + 1)
    is_void = any(each.is_fatal for each in faults)
    return Record(fields, tuple(faults), "" if is_void else found)


def _extension(field: Field) -> list[Fault]:
    """Say what is wrong with a field that nobody knows; that it is there is no fault."""
    if not field.is_extension:
        return [_fault(field, "has a value with a blank, an equals sign or the like")]
    if field.name.lower() in ("id", "v"):
        hint = "Names of fields are lower case." if field.name.lower() == "id" else ""
        return [_fault(field, "is passed over by senders", hint, is_fatal=False)]
    return []


def _fault(field: Field, problem: str, hint: str = "", *, is_fatal: bool = True) -> Fault:
    return Fault(field.at, field.text, problem, hint, is_fatal=is_fatal)
