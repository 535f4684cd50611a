"""Of which fields does a TXT record of ``v=NAME; name=value`` consist?

MTA-STS (RFC 8461 section 3.1) and TLS reporting (RFC 8460 section 3) share this grammar. Octets
become characters one by one, so that a position is the same in both.
"""

import re
from dataclasses import dataclass

from agent.domain.lookup import Reply, TextRecord, Unanswered
from agent.domain.mta_sts_terms import Fault
from agent.domain.tag_list import pieces

MAX_FIELDS = 50  # that are read; there is one that counts
BLANK = " \t"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_VALUE = re.compile(r"[!-:<>-~]+")


@dataclass(frozen=True, slots=True)
class Field:
    """One ``name=value``; ``at`` is where it begins, in characters from 1."""

    name: str
    value: str
    at: int

    @property
    def text(self) -> str:
        """The field as written."""
        return f"{self.name}={self.value}"

    @property
    def is_extension(self) -> bool:
        """Whether the value is one that an unknown field may have."""
        return _VALUE.fullmatch(self.value) is not None


def begins(text: bytes, version: bytes) -> bool:
    """Tell whether *text* is a record of that *version*, such as ``v=STSv1``.

    Others are no fault, they are passed over (RFC 8461 section 3.1). Without any field behind it is
    a record that lacks all.
    """
    rest = text.removeprefix(version)
    return rest != text and rest.lstrip(BLANK.encode())[:1] in (b"", b";")


def texts_of(reply: Reply) -> tuple[bytes, ...]:
    """Return the texts of an answer; none where DNS could not say."""
    if isinstance(reply, Unanswered):
        return ()
    return tuple(each.joined for each in reply.records if isinstance(each, TextRecord))


def read_fields(text: str, version: str) -> tuple[tuple[Field, ...], list[Fault]]:
    """Split a record that begins with *version*; values are for the caller to judge."""
    lead, _, rest = text[len(version) :].partition(";")
    fields: list[Field] = []
    faults: list[Fault] = []
    if lead:
        problem = f"a blank follows {version}, and some senders want the semicolon there"
        faults.append(Fault(len(version) + 1, "", problem, is_fatal=False))
    start = len(version) + len(lead) + 1
    found = list(pieces(rest, ";", BLANK))
    for number, (piece, offset) in enumerate(found[:MAX_FIELDS], 1):
        at = start + offset + 1
        if piece:
            read = _read(piece, at)
            (fields if isinstance(read, Field) else faults).append(read)  # type: ignore[arg-type]
        elif number < len(found):
            problem = "nothing stands between two semicolons"
            faults.append(Fault(at, "", problem, "Remove one of them.", is_fatal=False))
    if len(found) > MAX_FIELDS:
        faults.append(Fault(0, "", f"it has more than {MAX_FIELDS} fields"))
    return tuple(fields), faults


def _read(piece: str, at: int) -> Field | Fault:
    name, equals, value = piece.partition("=")
    if equals and _NAME.fullmatch(name):
        return Field(name, value, at)
    stripped = name.rstrip(BLANK)
    hint = f"Write `{stripped}=`, without a blank." if equals and _NAME.fullmatch(stripped) else ""
    return Fault(at, piece, "is no field with a value", hint)
