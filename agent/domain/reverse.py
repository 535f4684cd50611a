"""Does an address lead to a name, and the name back to the address?

Receivers that see no such pair take a server for somebody's infected desktop. For hosts that take
mail it matters because most of them send as well: bounces at least.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from agent.domain.lookup import (
    Answer,
    Plan,
    Query,
    Reply,
    Silence,
    Type,
    Unanswered,
    ask,
    ask_all,
)

_MAX_NAMES = 10  # of one address, that are followed
Address = IPv4Address | IPv6Address


class Reversal(enum.StrEnum):
    """What following an address back and forth came to: a closed set."""

    CONFIRMED = "confirmed"
    MISSING = "no name"
    UNCONFIRMED = "a name that leads elsewhere"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Reversed:
    """The names of an address; the first one is confirmed, where any is.

    ``confirmed`` are those that lead back, ``aliases`` those that are aliases themselves, and
    ``strays`` those that DNS says lead elsewhere or nowhere; ``silence`` is why an answer is
    missing.
    """

    reversal: Reversal
    names: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()
    silence: Silence | None = None


def reverse(address: Address) -> Plan[Reversed]:
    """Look up the names of *address* (PTR), and whether one leads back to it."""
    reply = yield from ask(Query(address.reverse_pointer, "PTR", lasting=True))
    if isinstance(reply, Unanswered):
        return Reversed(Reversal.UNANSWERED, silence=reply.reason)
    names = tuple(name for name in reply.records[:_MAX_NAMES] if isinstance(name, str) and name)
    if not names:
        return Reversed(Reversal.MISSING)
    kind: Type = "A" if isinstance(address, IPv4Address) else "AAAA"
    replies = yield from ask_all(tuple(Query(name, kind, lasting=True) for name in names))
    return _judge(address, dict(zip(names, replies, strict=True)))


def _judge(address: Address, told: Mapping[str, Reply]) -> Reversed:
    answers = {name: reply for name, reply in told.items() if isinstance(reply, Answer)}
    good = tuple(name for name, reply in answers.items() if address in reply.records)
    silences = [reply.reason for reply in told.values() if isinstance(reply, Unanswered)]
    reversal = Reversal.UNCONFIRMED
    if good:
        reversal = Reversal.CONFIRMED
    elif silences:
        reversal = Reversal.UNANSWERED
    return Reversed(
        reversal,
        (*good, *(name for name in told if name not in good)),
        confirmed=good,
        aliases=tuple(name for name, reply in answers.items() if reply.aliases),
        strays=tuple(name for name in answers if name not in good),
        silence=silences[0] if silences else None,
    )
