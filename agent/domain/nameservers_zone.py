"""In which zone does a domain lie, and to which servers does the zone above delegate it?

A domain need not be a zone of its own: then its records are those of a zone above. The resolver
tells where NS records stand. Where it cannot, because the zone's servers fail, the servers of the
zone above are asked: they delegate, whatever the state of those that they delegate to.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard, TypeVar

from agent.domain.direct import Address, Code, DirectQuery, Heard, Said
from agent.domain.lookup import Answer, Query, Reply, Unanswered

T = TypeVar("T")

Ask = Query | DirectQuery
Told = Reply | Heard
Inquiry = Generator[tuple[Ask, ...], tuple[Told, ...], T]
"""A plan that asks the resolver and, past it, single servers."""

MAX_LEVELS = 12  # names above a domain that are looked at
MAX_PARENTS = 4  # servers of the zone above that are asked
_MAX_DOUBTFUL = 3


@dataclass(frozen=True, slots=True)
class Zone:
    """The zone that a domain lies in.

    ``own`` are its NS records as the resolver has them. ``delegation`` are those of the zone above,
    and ``glue`` the addresses beside them; both empty where no server above told, or where it has
    the zone itself. ``above`` is what the servers above said, by their address.
    """

    name: str
    parent: str = ""
    own: tuple[str, ...] = ()
    delegation: tuple[str, ...] = ()
    glue: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)
    above: tuple[tuple[Address, Heard], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The servers of both, each once; those that the world begins with first."""
        return tuple(dict.fromkeys((*self.delegation, *self.own)))

    @property
    def told(self) -> tuple[str, tuple[str, ...]]:
        """Who told to whom the zone is delegated, in a word, and the servers."""
        return ("delegation", self.delegation) if self.delegation else ("resolver", self.own)


def is_below(name: str, zone: str) -> bool:
    """Tell whether *name* lies in *zone*, or is its own name."""
    return name == zone or name.endswith(f".{zone}")


def find_zone(domain: str) -> Inquiry[Zone | Unanswered | None]:
    """Find the zone of *domain*; None where the resolver knows of no zone, or no such name."""
    labels = domain.split(".")
    names = [".".join(labels[at:]) for at in range(len(labels))]
    names = [names[0], *names[1:][-MAX_LEVELS:]]
    told = yield tuple(
        Query(name, "NS", fresh=name == domain, lasting=name != domain) for name in names
    )
    first = told[0]
    if isinstance(first, Answer) and not first.name_exists:
        return None
    cuts = {name: _names_in(reply) for name, reply in zip(names, told, strict=True)}
    found = [name for name in names if cuts[name]]
    nearest = found[0] if found else ""
    doubtful = [
        name
        for name, reply in zip(names, told, strict=True)
        if isinstance(reply, Unanswered) and (not nearest or len(name) > len(nearest))
    ]
    if doubtful:
        hidden = yield from _find_hidden(nearest, cuts, doubtful, told)
        if hidden is not None:
            return hidden
    if not nearest:
        return None
    above = found[1] if len(found) > 1 else ""
    return (yield from _delegated(nearest, above, cuts[nearest], cuts.get(above, ())))


def _find_hidden(
    parent: str,
    cuts: Mapping[str, tuple[str, ...]],
    doubtful: list[str],
    told: tuple[Told, ...],
) -> Inquiry[Zone | Unanswered | None]:
    """Ask the zone above for what the resolver could not tell; None where nothing is delegated."""
    silence = next(each for each in told if isinstance(each, Unanswered))
    if not parent:
        return silence
    for name in list(reversed(doubtful))[:_MAX_DOUBTFUL]:
        zone = yield from _delegated(name, parent, (), cuts[parent])
        if zone.delegation:
            return zone
        if not any(_settles(said) for _, said in zone.above):
            return silence
        if any(isinstance(said, Said) and said.records for _, said in zone.above):
            # They have it themselves, and who else does is not to be learnt.
            return silence
    return None


def _settles(said: Heard) -> bool:
    # What failed is no denial, whatever its bits.
    if not isinstance(said, Said) or said.code not in (Code.NOERROR, Code.NXDOMAIN):
        return False
    return said.authoritative


def _delegated(
    name: str, parent: str, own: tuple[str, ...], servers: tuple[str, ...]
) -> Inquiry[Zone]:
    """Ask the *servers* of *parent* to whom they delegate *name*."""
    addresses = yield from _addresses(servers)
    if not addresses:
        return Zone(name, parent, own)
    told = yield tuple(DirectQuery(address, name, "NS") for address in addresses)
    above = tuple((address, heard(one)) for address, one in zip(addresses, told, strict=True))
    for _, said in above:
        if isinstance(said, Said) and said.is_referral and said.cut == name:
            return Zone(name, parent, own, said.delegation, said.glue, above)
    return Zone(name, parent, own, above=above)


def _addresses(servers: tuple[str, ...]) -> Inquiry[tuple[Address, ...]]:
    """Return an address of each of a few servers."""
    chosen = servers[:MAX_PARENTS]
    if not chosen:
        return ()
    told = yield tuple(Query(name, kind, lasting=True) for name in chosen for kind in ("A", "AAAA"))
    found: list[Address] = []
    for at in range(len(chosen)):
        pair = told[2 * at : 2 * at + 2]
        found += [each for reply in pair for each in addresses_in(reply)][:1]
    return tuple(dict.fromkeys(found))


def addresses_in(reply: Told) -> tuple[Address, ...]:
    """Return the addresses in an answer of the resolver."""
    records = reply.records if isinstance(reply, Answer) else ()
    return tuple(record for record in records if _is_address(record))


def _is_address(record: object) -> TypeGuard[Address]:
    return not isinstance(record, str) and hasattr(record, "packed")


def _names_in(reply: Told) -> tuple[str, ...]:
    """Return the servers in an answer; an alias has none of its own."""
    if not isinstance(reply, Answer) or reply.aliases:
        return ()
    return tuple(sorted({str(record) for record in reply.records}))


def heard(told: Told) -> Heard:
    """Return what came of a direct question: no resolver has a part in it."""
    return Said(Code.OTHER) if isinstance(told, Answer) else told
