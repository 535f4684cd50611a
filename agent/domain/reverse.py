"""Does an address lead to a name, and the name back to the address?

Receivers that see no such pair take a server for somebody's infected desktop. For hosts that take
mail it matters because most of them send as well: bounces at least.
"""

import enum
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from agent.domain.lookup import Answer, Plan, Query, Type, Unanswered, ask, ask_all

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
    """The names of an address; the first one is confirmed, where any is."""

    reversal: Reversal
    names: tuple[str, ...] = ()


def reverse(address: Address) -> Plan[Reversed]:
    """Look up the names of *address* (PTR), and whether one leads back to it."""
    reply = yield from ask(Query(address.reverse_pointer, "PTR", lasting=True))
    if isinstance(reply, Unanswered):
        return Reversed(Reversal.UNANSWERED)
    names = tuple(name for name in reply.records[:_MAX_NAMES] if isinstance(name, str) and name)
    if not names:
        return Reversed(Reversal.MISSING)
    kind: Type = "A" if isinstance(address, IPv4Address) else "AAAA"
    replies = yield from ask_all(tuple(Query(name, kind, lasting=True) for name in names))
    told = tuple(zip(names, replies, strict=True))
    good = [name for name, each in told if isinstance(each, Answer) and address in each.records]
    if good:
        return Reversed(Reversal.CONFIRMED, (*good, *(each for each in names if each not in good)))
    if any(isinstance(each, Unanswered) for each in replies):
        return Reversed(Reversal.UNANSWERED, names)
    return Reversed(Reversal.UNCONFIRMED, names)
