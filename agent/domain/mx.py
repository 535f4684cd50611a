"""Where do senders deliver a domain's mail, as far as DNS can say?

A survey looks up the MX records and everything that hangs on them, in two batches. It judges
nothing: what is wrong with it is for :mod:`agent.domain.mx_lint` to say. Names in it are as the
resolver gave them; show them through :class:`agent.domain.peer_text.PeerText`.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeGuard

from agent.domain.knowledge.clouds import CLOUDS, LEGACY_EXCHANGES
from agent.domain.knowledge.providers import PROFILES, Role
from agent.domain.lookup import Answer, Exchange, Plan, Query, Reply, Silence, Unanswered, ask_all
from agent.domain.names import MAX_NAME, could_be_address
from agent.domain.public_suffix import owned_parents

Address = IPv4Address | IPv6Address

# Nobody has this label, and it is the same in every run, so that the answer can be cached.
NO_SUCH_LABEL = "q7x2-no-such-name-k9f4"
MAX_TARGETS = 20  # exchanges whose addresses are looked up; more are counted, not followed

_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)*(?!-)[a-z0-9-]{1,63}(?<!-)"
)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose host an exchange is, as far as published names tell."""

    name: str
    title: str
    role: Role


@dataclass(frozen=True, slots=True)
class Target:
    """An exchange: its best preference, and what DNS says about it.

    ``silence`` is why its addresses, or some of them, could not be learnt; ``exists`` is false
    where the name does not exist; ``followed`` whether its addresses were asked for at all.
    """

    exchange: str
    preference: int
    owner: Owner | None = None
    addresses: tuple[Address, ...] = ()
    aliases: tuple[str, ...] = ()
    exists: bool = True
    silence: Silence | None = None
    followed: bool = False

    @property
    def has_no_address(self) -> bool:
        """True where DNS was asked, answered, and knows of no address."""
        return self.followed and not self.addresses and self.silence is None


@dataclass(frozen=True, slots=True)
class Survey:
    """What DNS says about the way to a domain.

    ``reply`` is the answer to the MX question itself and ``records`` what was in it, sorted;
    ``targets`` are its exchanges, each once, the most preferred first; ``implicit`` holds the
    domain itself as exchange where there is no MX record (RFC 5321 section 5.1); ``wildcard`` are
    the MX records of a name below the domain that nobody created. ``zone`` is, for a domain that
    does not exist, the zone above in which it would have to be; empty where there is none either.
    """

    domain: str
    reply: Reply
    records: tuple[Exchange, ...] = ()
    targets: tuple[Target, ...] = ()
    implicit: Target | None = None
    wildcard: tuple[Exchange, ...] = ()
    zone: str = ""

    @property
    def is_null(self) -> bool:
        """True when the domain declares that it takes no mail (RFC 7505 section 3)."""
        return bool(self.records) and all(not record.exchange for record in self.records)

    @property
    def routes(self) -> tuple[Target, ...]:
        """Where senders would go: the exchanges, or the domain itself in their absence."""
        return (self.implicit,) if self.implicit else self.targets


def survey(domain: str) -> Plan[Survey]:
    """Look up where mail for *domain* goes."""
    below = f"{NO_SUCH_LABEL}.{domain}"
    questions = [Query(domain, "MX", fresh=True)]
    if len(below) <= MAX_NAME:
        questions.append(Query(below, "MX", lasting=True))
    reply, *others = yield tuple(questions)
    if isinstance(reply, Unanswered):
        return Survey(domain, reply)
    if not reply.name_exists:
        return Survey(domain, reply, zone=(yield from _zone_above(domain)))
    records = _exchanges(reply)
    wildcard = tuple(record for other in others for record in _exchanges(other))
    if not records:
        (found,) = yield from _follow((Target(domain, 0),))
        implicit = found if found.addresses or found.silence else None
        return Survey(domain, reply, implicit=implicit, wildcard=wildcard)
    targets = yield from _follow(_targets(records))
    return Survey(domain, reply, records, targets, wildcard=wildcard)


def _zone_above(domain: str) -> Plan[str]:
    """Return the nearest zone of the same owner above a name that does not exist."""
    above = tuple(owned_parents(domain))
    replies = yield from ask_all(tuple(Query(name, "SOA", lasting=True) for name in above))
    found = (
        name
        for name, reply in zip(above, replies, strict=True)
        if isinstance(reply, Answer) and reply.records and not reply.aliases
    )
    return next(found, "")


def _exchanges(reply: Reply) -> tuple[Exchange, ...]:
    records = reply.records if isinstance(reply, Answer) else ()
    found = (record for record in records if isinstance(record, Exchange))
    return tuple(sorted(Exchange(one.preference, one.exchange.lower()) for one in found))


def _targets(records: tuple[Exchange, ...]) -> tuple[Target, ...]:
    """Each exchange once, with its best preference; the null one is no target."""
    best: dict[str, int] = {}
    for record in records:
        best.setdefault(record.exchange, record.preference)
    return tuple(
        Target(exchange, preference, owner_of(exchange))
        for exchange, preference in best.items()
        if exchange
    )


def _follow(targets: tuple[Target, ...]) -> Plan[tuple[Target, ...]]:
    """Ask for the addresses of all *targets* at once."""
    ways = [target for target in targets if can_be_host(target.exchange)][:MAX_TARGETS]
    replies = yield from ask_all(
        tuple(Query(target.exchange, kind) for target in ways for kind in ("A", "AAAA"))
    )
    found = {
        target.exchange: _with_addresses(target, replies[2 * place : 2 * place + 2])
        for place, target in enumerate(ways)
    }
    return tuple(found.get(target.exchange, target) for target in targets)


def _with_addresses(target: Target, replies: tuple[Reply, ...]) -> Target:
    answers = tuple(reply for reply in replies if isinstance(reply, Answer))
    silences = [reply.reason for reply in replies if isinstance(reply, Unanswered)]
    found = {record for answer in answers for record in answer.records if _is_address(record)}
    addresses = sorted(found, key=lambda address: (address.version, int(address)))
    return Target(
        target.exchange,
        target.preference,
        target.owner,
        addresses=tuple(addresses),
        aliases=max((answer.aliases for answer in answers), key=len, default=()),
        exists=all(answer.name_exists for answer in answers),
        silence=silences[0] if silences else None,
        followed=True,
    )


def _is_address(record: object) -> TypeGuard[Address]:
    return isinstance(record, IPv4Address | IPv6Address)


def literal(exchange: str) -> Address | None:
    """Return the address that an exchange spells instead of naming a host."""
    text = exchange.removeprefix("[").removesuffix("]").removeprefix("ipv6:")
    if not could_be_address(text):
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None


def is_host_name(exchange: str) -> bool:
    """Tell whether a name is letters, digits and hyphens (RFC 5321 section 4.1.2)."""
    return _HOST_NAME.fullmatch(exchange) is not None


def can_be_host(exchange: str) -> bool:
    """Tell whether senders would look the name up; underscores are forgiven."""
    return literal(exchange) is None and is_host_name(exchange.replace("_", "x"))


def matches(pattern: str, exchange: str) -> bool:
    """Tell whether *exchange* is the host of *pattern*, or below it with a leading ``*.``."""
    pattern = pattern.lower().removesuffix(".")
    if pattern.startswith("*."):
        return exchange.endswith(pattern[1:]) and exchange != pattern[1:]
    return exchange == pattern


def matches_any(patterns: tuple[str, ...], exchange: str) -> bool:
    """Tell whether *exchange* fits one of the patterns."""
    return any(matches(pattern, exchange) for pattern in patterns)


def owner_of(exchange: str) -> Owner | None:
    """Return whose host *exchange* is, where it has one of the names we know."""
    owner = _EXACT.get(exchange)
    rest = exchange
    while owner is None and "." in rest:
        rest = rest.partition(".")[2]
        owner = _SUFFIXES.get(rest)
    return owner


def _owners() -> dict[str, Owner]:
    """Owners by pattern."""
    owners = {
        pattern: Owner(profile.name, profile.title, profile.role)
        for profile in PROFILES.values()
        for pattern in profile.exchange_patterns
    }
    for cloud in CLOUDS.values():
        for pattern in cloud.exchange_patterns:
            owners[pattern] = Owner(cloud.name, cloud.title, "mailbox")
    for pattern in LEGACY_EXCHANGES:
        owners[pattern] = Owner("legacy", "Forerunner of Exchange Online", "mailbox")
    return owners


_EXACT = {name: owner for name, owner in _owners().items() if not name.startswith("*.")}
_SUFFIXES = {name[2:]: owner for name, owner in _owners().items() if name.startswith("*.")}
