"""Which servers of its own does a domain let send, by its SPF record?

Whoever writes a single address or a small network into a record means a server. What stands in the
records of providers is theirs, and what is wide is no server.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.domain.lookup import Plan
from agent.domain.public_suffix import zone_of
from agent.domain.spf_networks import Interface, interfaces, passes
from agent.domain.spf_tree import Branch, Twig, grow

MOST = 10  # that are looked at
_NARROW = {4: 29, 6: 64}  # the shortest prefix of what counts as a server, by version


@dataclass(frozen=True, slots=True)
class OwnSenders:
    """Addresses and networks as senders are written, and how many more there are."""

    senders: tuple[str, ...] = ()
    more: int = 0

    def __or__(self, other: "OwnSenders") -> "OwnSenders":
        """Put the two together; what is more in either is left out of both."""
        found = tuple(dict.fromkeys((*self.senders, *other.senders)))
        return OwnSenders(found[:MOST], len(found[MOST:]) + max(self.more, other.more))


def own_senders(domain: str) -> Plan[OwnSenders]:
    """Look at the SPF record of *domain*, and at those of its own that it includes."""
    forest = yield from grow(domain)
    found = (
        _name(each)
        for twig in _own_twigs(forest.root, zone_of(domain) or domain)
        for each in interfaces(twig, forest.replies)
        if each.network.prefixlen >= _NARROW[each.version]
    )
    names = tuple(dict.fromkeys(found))
    return OwnSenders(names[:MOST], len(names[MOST:]))


def _own_twigs(branch: Branch, zone: str) -> Iterator[Twig]:
    for twig in filter(passes, branch.twigs):
        yield twig
        if twig.branch is not None and zone_of(twig.branch.domain) == zone:
            yield from _own_twigs(twig.branch, zone)


def _name(found: Interface) -> str:
    """Write an address where one is meant, else the network."""
    is_one = found.ip != found.network.network_address or found.network.num_addresses == 1
    return str(found.ip if is_one else found.network)
