"""What is known of all tenants together?

A landscape holds all tenants and what was seen around them, with an index of what tenants can have
in common, so that a tenant that changed is looked at again with those that it touches, and with
nobody else.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from agent.domain.public_suffix import owned_parents
from agent.domain.tenancy.tenancies import Address, Exchanges, Surroundings, Tenancy
from agent.domain.tenancy.ties import Ties, ties_of

__all__ = ["Address", "Exchanges", "Landscape", "Surroundings", "Tenancy", "keys_of"]

_Index = defaultdict[str, set[str]]


class Landscape:
    """All tenants of the configuration, by name."""

    def __init__(self, surroundings: Surroundings | None = None) -> None:
        self.surroundings = surroundings or Surroundings()
        self._ranges = dict(self.surroundings.ranges)
        self._tenancies: dict[str, Tenancy] = {}
        self._ties: dict[str, Ties] = {}
        self._providers: dict[str, Tenancy] = {}
        self._by_key: _Index = defaultdict(set)
        self._claims: _Index = defaultdict(set)
        self._shows: _Index = defaultdict(set)

    def __iter__(self) -> Iterator[Tenancy]:
        """Yield the tenants by name, so that nothing depends on the order of files."""
        return (self._tenancies[name] for name in sorted(self._tenancies))

    def __len__(self) -> int:
        """Return how many tenants there are."""
        return len(self._tenancies)

    def __getitem__(self, name: str) -> Tenancy:
        """Return the tenant *name*; KeyError for a stranger."""
        return self._tenancies[name]

    def get(self, name: str) -> Tenancy | None:
        """Return the tenant *name*, None for a stranger."""
        return self._tenancies.get(name)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is such a tenant."""
        return name in self._tenancies

    def put(self, tenancy: Tenancy) -> frozenset[str]:
        """Take a tenant in, in place of what was known of it.

        Return the names of the tenants whose findings may change: itself, and who has a say in its
        mail, or it in theirs, before or now.
        """
        touched = self._untie(tenancy.name) | {tenancy.name}
        self._drop(tenancy.name)
        self._tenancies[tenancy.name] = tenancy
        if tenancy.gateways:
            self._providers[tenancy.name] = tenancy
        _enter(self._by_key, keys_of(tenancy), tenancy.name)
        return frozenset(touched | self._tie(tenancy))

    def remove(self, name: str) -> frozenset[str]:
        """Forget a tenant; return the names of those whose findings may change."""
        touched = self._untie(name)
        self._drop(name)
        return frozenset(touched - {name})

    def look_again(self, *names: str) -> frozenset[str]:
        """Take in what DNS and probes see now around the tenants *names*; around all without any.

        Return the names of the tenants whose findings may change. Until it is called, a tenant is
        tied by what was seen when it was put.
        """
        touched: set[str] = set()
        for tenancy in [self._tenancies[name] for name in names or tuple(self._tenancies)]:
            if ties_of(tenancy, self.surroundings) != self._ties[tenancy.name]:
                touched |= self._untie(tenancy.name) | {tenancy.name}
                touched |= self._tie(tenancy)
        if self._ranges != self.surroundings.ranges:
            self._ranges = dict(self.surroundings.ranges)
            touched |= {name for name, ties in self._ties.items() if ties.claimants}
        return frozenset(touched)

    @property
    def providers(self) -> tuple[Tenancy, ...]:
        """The tenants with gateways."""
        return tuple(self._providers.values())

    def sharing(self, key: str) -> tuple[Tenancy, ...]:
        """Return the tenants, by name, that have *key* of :func:`keys_of` in common."""
        return tuple(self._tenancies[name] for name in sorted(self._by_key.get(key, ())))

    def ties(self, name: str) -> Ties:
        """Return what ties a tenant to others; KeyError for a stranger."""
        return self._ties[name]

    def exposed_to(self, name: str) -> tuple[Tenancy, ...]:
        """Return the other tenants, by name, whose mail the tenant *name* may have a say in."""
        return self._met(name, self._shows, self._ties[name].claims)

    def claiming_of(self, name: str) -> tuple[Tenancy, ...]:
        """Return the other tenants, by name, that may have a say in the mail of *name*."""
        return self._met(name, self._claims, self._ties[name].shows)

    def _met(self, name: str, index: _Index, keys: Iterable[str]) -> tuple[Tenancy, ...]:
        names = set().union(*(index.get(key, ()) for key in keys)) - {name}
        return tuple(self._tenancies[each] for each in sorted(names))

    def _tie(self, tenancy: Tenancy) -> set[str]:
        """Enter a tenant's ties; return who it meets."""
        name = tenancy.name
        ties = self._ties[name] = ties_of(tenancy, self.surroundings)
        _enter(self._claims, ties.claims, name)
        _enter(self._shows, ties.shows, name)
        return self._meets(ties)

    def _untie(self, name: str) -> set[str]:
        """Take a tenant's ties out; return who it met."""
        ties = self._ties.pop(name, None)
        if ties is None:
            return set()
        met = self._meets(ties)
        _leave(self._claims, ties.claims, name)
        _leave(self._shows, ties.shows, name)
        return met

    def _meets(self, ties: Ties) -> set[str]:
        exposed = (self._shows.get(key, ()) for key in ties.claims)
        claiming = (self._claims.get(key, ()) for key in ties.shows)
        return set().union(*exposed, *claiming)

    def _drop(self, name: str) -> None:
        before = self._tenancies.pop(name, None)
        self._providers.pop(name, None)
        if before is not None:
            _leave(self._by_key, keys_of(before), name)


def _enter(index: _Index, keys: Iterable[str], name: str) -> None:
    for key in keys:
        index[key].add(name)


def _leave(index: _Index, keys: Iterable[str], name: str) -> None:
    for key in keys:
        names = index[key]
        names.discard(name)
        if not names:
            del index[key]


def keys_of(tenancy: Tenancy) -> frozenset[str]:
    """Return what others may look a tenant up by, whatever their part in it.

    ``domain:`` accepted domains, and names of certificates with all their parents of one owner;
    ``network:`` the /24 (IPv4) or /48 (IPv6) of every source address.
    """
    keys = {f"domain:{name}" for name in tenancy.export.domain_names}
    named = [each.certificate_domain.lower() for each in tenancy.export.inbound or ()]
    for name in filter(None, (*named, *tenancy.presents)):
        name = name.removeprefix("*.")  # noqa: PLW2901 - the same name, without its star
        keys |= {f"domain:{each}" for each in (name, *owned_parents(name))}
    for connector in tenancy.export.inbound or ():
        for network in connector.networks:
            wide = 24 if network.version == 4 else 48  # noqa: PLR2004 - the version is a number
            kept = network.supernet(new_prefix=min(wide, network.prefixlen))
            keys.add(f"network:{kept.network_address}")
    return frozenset(keys)
