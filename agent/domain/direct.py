"""What does one DNS server say by itself, to a question put to it directly?

A resolver gives the answer that counts, and hides who gave it. Whether the servers of a domain
agree, whether one of them knows nothing of it, what the parent delegates, and until when signatures
hold is only to be learnt from each server.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address

from agent.domain.lookup import Record, Type, Unanswered

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class DirectQuery:
    """One question for one server.

    ``name`` is as in :class:`agent.domain.lookup.Query`. ``port`` is 53 for all but a resolver of
    the configuration. ``recursive`` desires that the server finds out (RD), ``signed`` that
    signatures come along (DO, RFC 4035 section 3.2.1), ``unchecked`` that a validating resolver
    gives what it could not validate (CD). ``by_tcp`` asks over TCP from the first.
    """

    server: Address
    name: str
    type: Type
    port: int = 53
    recursive: bool = False
    signed: bool = False
    unchecked: bool = False
    by_tcp: bool = False


class Code(enum.StrEnum):
    """The response code, RFC 6895 section 2.3, as far as it tells us something."""

    NOERROR = "noerror"
    FORMERR = "formerr"
    SERVFAIL = "servfail"
    NXDOMAIN = "nxdomain"
    NOTIMP = "notimp"
    REFUSED = "refused"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Signature:
    """An RRSIG over the records that were asked for, RFC 4034 section 3.1.

    ``original_ttl`` is the time to live that the records have at their owner, in seconds: no cache
    keeps them for longer.
    """

    signer: str
    algorithm: int
    key_tag: int
    inception: datetime
    expiration: datetime
    original_ttl: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """What the server said.

    ``records`` are those of the name and type asked for, at the end of ``aliases``; ``ttl`` is
    theirs as it is on the wire, in seconds. ``authoritative`` is the AA bit, ``authentic`` the AD
    bit, ``recursion`` whether the server offers it (RA). ``delegation`` are the NS records of a
    referral, ``cut`` the zone whose they are, ``glue`` the addresses beside it, by name.
    ``seconds`` is how long it took, ``by_tcp`` whether it came over TCP.
    """

    code: Code
    records: tuple[Record, ...] = ()
    ttl: int | None = None
    aliases: tuple[str, ...] = ()
    authoritative: bool = False
    authentic: bool = False
    recursion: bool = False
    signatures: tuple[Signature, ...] = ()
    delegation: tuple[str, ...] = ()
    cut: str = field(default="", compare=False)
    glue: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)
    seconds: float = field(default=0.0, compare=False)
    by_tcp: bool = field(default=False, compare=False)

    @property
    def is_referral(self) -> bool:
        """True where the server sends on to others and answers nothing itself."""
        return (
            self.code is Code.NOERROR
            and not self.authoritative
            and not self.records
            and bool(self.delegation)
        )


Heard = Said | Unanswered
