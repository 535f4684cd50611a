"""What does a DMARC record consist of?

The words of RFC 7489 section 6.3 and of its successor, RFC 9989 section 4.7. A record keeps every
tag as it was written; what receivers read out of it stands beside.
"""

import enum
from dataclasses import dataclass, field

from agent.domain.tag_list import Fault


class Policy(enum.StrEnum):
    """What receivers are asked to do with mail that fails, in rising order."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"

    @property
    def rank(self) -> int:
        """The order as a number: 0 none, 1 quarantine, 2 reject."""
        return tuple(Policy).index(self)

    @property
    def enforces(self) -> bool:
        """Whether mail that fails is treated in another way than mail that passes."""
        return self is not Policy.NONE


@dataclass(frozen=True, slots=True)
class Tag:
    """One ``name=value`` as written.

    ``position`` is where the name begins and ``start`` where the value does, in octets from 0.
    """

    name: str
    value: str
    position: int = field(default=0, compare=False)
    start: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where reports go: a URI of ``rua`` or ``ruf``, and the size limit after its ``!``, in octets.

    ``address`` and ``domain`` are empty for a URI that is no mailbox.
    """

    uri: str
    scheme: str
    address: str = ""
    domain: str = ""
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A DMARC record; a field that the record lacks, or has wrong, has its default."""

    tags: tuple[Tag, ...]
    p: Policy | None = None
    sp: Policy | None = None
    np: Policy | None = None
    pct: int = 100
    testing: bool = False
    psd: str = "u"
    adkim: str = "r"
    aspf: str = "r"
    rua: tuple[Destination, ...] = ()
    ruf: tuple[Destination, ...] = ()
    fo: tuple[str, ...] = ("0",)
    rf: tuple[str, ...] = ("afrf",)
    ri: int = 86_400
    faults: tuple[Fault, ...] = ()
    unknown: tuple[Tag, ...] = ()

    @property
    def is_void(self) -> bool:
        """Whether receivers apply no policy, or at most ``none`` (RFC 7489 section 6.6.3)."""
        return self.p is None or any(fault.voids for fault in self.faults)

    def demands(self, *, below: bool) -> Policy:
        """Return the policy for the domain of the record, or for an existing name *below* it."""
        if self.is_void or self.p is None:
            return Policy.NONE
        return self.sp if below and self.sp is not None else self.p

    def tag(self, name: str) -> Tag | None:
        """Return the first tag of that name, as written."""
        return next((tag for tag in self.tags if tag.name == name), None)
