"""How does the domain core ask for DNS without doing I/O?

It yields questions. A plan is a generator that yields batches of queries, is sent the replies in
the same order, and returns its result. Queries that do not depend on one another go into one batch
and are answered concurrently. A resolver drives plans in the program, a dict drives them in tests.
"""

import enum
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Literal, TypeVar

T = TypeVar("T")

Type = Literal[
    "A", "AAAA", "MX", "TXT", "PTR", "CNAME", "SPF", "NS", "SOA", "TLSA",
    "SRV", "DS", "DNSKEY", "RRSIG", "CAA",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """One DNS question.

    ``name`` is lower-case labels joined by dots, without the trailing one; every character stands
    for one octet, and nothing is escaped. The root is the empty string. ``fresh`` marks the record
    under test, which is always asked and never served from a cache; ``lasting`` marks a question of
    hygiene, whose answer may be some hours old. Neither is part of the identity.
    """

    name: str
    type: Type
    fresh: bool = field(default=False, compare=False)
    lasting: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class TextRecord:
    """A TXT (or type SPF) record: its character-strings as they are on the wire."""

    strings: tuple[bytes, ...]

    @property
    def joined(self) -> bytes:
        """The strings run together, as readers of SPF do (RFC 7208 section 3.3)."""
        return b"".join(self.strings)


@dataclass(frozen=True, slots=True, order=True)
class Exchange:
    """An MX record in RFC 5321's words; the root as exchange is the empty string."""

    preference: int
    exchange: str


Record = TextRecord | Exchange | IPv4Address | IPv6Address | str


@dataclass(frozen=True, slots=True)
class Answer:
    """What DNS said, perhaps that there is nothing.

    ``records`` keeps records that were published twice; ``name_exists`` is false for NXDOMAIN;
    ``aliases`` are the CNAME targets passed on the way, in order; ``ttl`` is the highest time to
    live seen for this very answer for as long as it may still hold, in seconds;
    ``size`` is the length of the message in octets; ``authentic`` whether DNSSEC vouches for it, as
    far as the resolver is believed.
    """

    records: tuple[Record, ...] = ()
    name_exists: bool = True
    aliases: tuple[str, ...] = ()
    ttl: int | None = field(default=None, compare=False)
    size: int = field(default=0, compare=False)
    authentic: bool = False

    @property
    def is_void(self) -> bool:
        """True for NXDOMAIN and for an answer without data (RFC 7208 section 4.6.4)."""
        return not self.records


class Silence(enum.StrEnum):
    """Why DNS could not say: a closed set, fit for a label value."""

    TIMEOUT = "timeout"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    TRUNCATED = "truncated"  # and the repetition over TCP failed
    MALFORMED = "malformed"
    UNREACHABLE = "unreachable"
    ALIAS_LOOP = "alias-loop"


@dataclass(frozen=True, slots=True)
class Unanswered:
    """DNS could not say. Never to be taken for the absence of a record.

    ``is_ours`` tells that this machine could not ask: nobody else is to blame.
    """

    reason: Silence
    detail: str = field(default="", compare=False)
    is_ours: bool = field(default=False, compare=False)


Reply = Answer | Unanswered
Plan = Generator[tuple[Query, ...], tuple[Reply, ...], T]


def ask(query: Query) -> Plan[Reply]:
    """Yield one question and return its reply, for use with ``yield from``."""
    (reply,) = yield (query,)
    return reply


def ask_all(queries: tuple[Query, ...]) -> Plan[tuple[Reply, ...]]:
    """Ask independent questions at once; without questions nothing is asked."""
    if not queries:
        return ()
    return (yield queries)


def replay(plan: Plan[T], zone: Mapping[tuple[str, str], Reply]) -> T:
    """Run a plan against a mapping from name and type; what it lacks does not exist (NXDOMAIN).

    A name that the mapping has with another type answers without data instead.
    """
    names = {name for name, _ in zone}
    try:
        queries = next(plan)
        while True:
            queries = plan.send(
                tuple(
                    zone.get((query.name, query.type), Answer(name_exists=query.name in names))
                    for query in queries
                )
            )
    except StopIteration as done:
        value: T = done.value
        return value
