"""What is a DKIM key record made of?

The words of RFC 6376 section 3.6.1 as values, and what a selector amounts to.
"""

import enum
from dataclasses import dataclass
from functools import cached_property

from agent.domain.dkim_der import PublicKey
from agent.domain.tag_list import Fault

LEAST_BITS = 1024  # RFC 8301 section 3.2: verifiers refuse RSA keys below
GOOD_BITS = 2048  # as above: signers should have
MOST_BITS = 4096  # as above: verifiers need not know more


class Verdict(enum.StrEnum):
    """What a selector is worth to a receiver: a closed set, fit for a label value."""

    VALID = "valid"
    WEAK = "weak"
    BROKEN = "broken"
    REVOKED = "revoked"
    MISSING = "missing"
    UNKNOWN = "unknown"

    @property
    def is_usable(self) -> bool:
        """Whether a signature can pass by it, for all that DNS shows."""
        return self in {Verdict.VALID, Verdict.WEAK}


class Paste(enum.Enum):
    """What came along when a record was pasted, in words that follow "has"."""

    ARMOUR = "the armour of a PEM file in it"
    QUOTES = "quotation marks in its text"
    ESCAPES = "backslashes in its text"


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of the record as written; ``position`` and ``start`` (of its value) count from 0."""

    name: str
    value: str
    position: int = 0
    start: int = 0


@dataclass(frozen=True)  # without slots, so that it can keep its verdict
class Record:
    """A key record; a field that the record lacks, or has wrong, has its default.

    ``problem`` says what is in ``p`` in place of a key, to follow "it is". ``hashes`` is empty
    where every hash is allowed.
    """

    raw: bytes
    tags: tuple[Tag, ...] = ()
    faults: tuple[Fault, ...] = ()
    type: str = "rsa"
    hashes: tuple[str, ...] = ()
    services: tuple[str, ...] = ("*",)
    flags: tuple[str, ...] = ()
    unknown: tuple[Tag, ...] = ()
    key: PublicKey | None = None
    problem: str = ""
    is_revoked: bool = False
    is_private: bool = False
    paste: Paste | None = None

    @property
    def is_void(self) -> bool:
        """Whether receivers discard the record for its grammar."""
        return any(fault.voids for fault in self.faults)

    @property
    def is_for_mail(self) -> bool:
        """Whether its services include mail."""
        return bool({"*", "email"} & set(self.services))

    @property
    def allows_sha256(self) -> bool:
        """Whether it allows the one hash that receivers still accept (RFC 8301 section 3.1)."""
        return not self.hashes or "sha256" in self.hashes

    @cached_property
    def verdict(self) -> Verdict:
        """What the record is worth."""
        if self.is_revoked and not self.is_void:
            return Verdict.REVOKED
        if self.is_void or self.key is None or not (self.is_for_mail and self.allows_sha256):
            return Verdict.BROKEN
        is_short = self.key.type == "rsa" and self.key.bits < LEAST_BITS
        return Verdict.WEAK if is_short or self.key.weakness else Verdict.VALID

    def tag(self, name: str) -> Tag | None:
        """Return the first tag of that name, as written."""
        return next((tag for tag in self.tags if tag.name == name), None)
