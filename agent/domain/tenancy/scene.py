"""What follows from what the tenants are and from what DNS and probes see, until that changes?

The landscape with what was found out about it. What is told is taken in before anything is asked;
a tenant is tied to others anew where something around it has changed, and nobody else is. What
nobody's mail goes through any more is forgotten. All of it is for one thread.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from operator import is_
from typing import TypeVar

from agent.domain.mx import matches_any
from agent.domain.tenancy.landscape import Exchanges, Landscape, Surroundings, Tenancy
from agent.domain.tenancy.ways import Ways

T = TypeVar("T")
V = TypeVar("V")
Work = Callable[[Tenancy, Ways], T]
"""What is found out of a tenant, in the landscape of the ways."""
Told = deque[tuple[str, Tenancy | None]]
"""Tenants as they are now, None for one that is gone, in the order in which they were told."""

SPARE = 1000  # names that nobody asks for any more and that are kept for a while
_NO_HOSTS = Exchanges()


class Scene:
    """The landscape, and what follows from it.

    ``shown`` are the names of certificates by host. Another thread may replace it, and append to
    what it told.
    """

    def __init__(self, told: Told) -> None:
        self.landscape = Landscape()
        self.shown: Mapping[str, tuple[str, ...]] = {}
        self._told = told
        self._taken: Mapping[str, tuple[str, ...]] = self.shown
        self._ways = Ways(self.landscape)
        self._related: dict[str, tuple[Tenancy, ...]] = {}
        self._unsure: set[str] = set()  # tenants that may be related to others now
        self._served: defaultdict[str, set[str]] = defaultdict(set)  # domains by MX host
        self._kept = 0  # names that were left when it was last tidied

    def settle(self) -> None:
        """Take in what was told."""
        is_other = is_gone = False
        while self._told:
            name, tenancy = self._told.popleft()
            if tenancy == self.landscape.get(name):
                continue
            is_other, is_gone = True, is_gone or tenancy is None
            touched = (
                self.landscape.remove(name) if tenancy is None else self.landscape.put(tenancy)
            )
            self._unsure.update((name, *touched))
        if is_other:
            self._ways = Ways(self.landscape)
        if is_gone:
            self._tidy()
            _keep(self._related, {each.name for each in self.landscape})
            self._unsure &= self._related.keys()

    def related(self, name: str) -> tuple[Tenancy, ...]:
        """Return the tenants that have anything in common with one, itself among them, by name.

        The same object comes back until one of them changes. Empty where there is no such tenant.
        """
        self.settle()
        if name not in self.landscape:
            return ()
        before = self._related.get(name, ())
        if not before or name in self._unsure:
            self._unsure.discard(name)
            others = (*self.landscape.exposed_to(name), *self.landscape.claiming_of(name))
            found = {each.name: each for each in (self.landscape[name], *others)}
            related = tuple(found[each] for each in sorted(found))
            is_same = len(before) == len(related) and all(map(is_, before, related))
            self._related[name] = before if is_same else related
        return self._related[name]

    def see(self, seen: Surroundings) -> None:
        """Take in what DNS says now, and what the probes see.

        What DNS does not answer stays as it was last seen.
        """
        self.settle()
        known = self.landscape.surroundings
        _note_silence(known, seen)
        domains = _other(known.exchanges, seen.exchanges)
        hosts = set(_other(known.addresses, seen.addresses))
        known.addresses.update(seen.addresses)
        for domain in domains:
            self._serve(domain, seen.exchanges[domain])
        if self.shown is not self._taken:
            self._taken = self.shown
            hosts |= {
                *_other(known.certificates, self._taken),
                *_other(self._taken, known.certificates),
            }
            known.certificates = dict(self._taken)
        if domains or hosts:
            self._ways.see_again()
            self._tie(domains, hosts)
        if len(known.exchanges) + len(known.addresses) > 2 * self._kept + SPARE:
            self._tidy()

    def do(self, name: str, work: Work[T]) -> T | None:
        """Do *work* on a tenant; None where it is gone."""
        return work(self.landscape[name], self._ways) if name in self.landscape else None

    def _serve(self, domain: str, exchanges: Exchanges) -> None:
        """Note the MX of a domain."""
        known = self.landscape.surroundings.exchanges
        for host in known.get(domain, _NO_HOSTS).hosts:
            self._served[host].discard(domain)
        for host in exchanges.hosts:
            self._served[host].add(domain)
        known[domain] = exchanges

    def _tie(self, domains: Iterable[str], hosts: set[str]) -> None:
        """Tie the tenants anew that have one of the domains, or whose mail goes through a host."""
        asked = {*domains, *(each for host in hosts for each in self._served.get(host, ()))}
        names = {
            each.name for domain in asked for each in self.landscape.sharing(f"domain:{domain}")
        }
        names |= {
            each.name
            for each in self.landscape.providers
            if any(matches_any(each.gateways, host) for host in hosts)
        }
        if names:
            self._unsure |= self.landscape.look_again(*sorted(names))

    def _tidy(self) -> None:
        """Forget what DNS said of names that no tenant's mail goes through any more."""
        known = self.landscape.surroundings
        wanted = {name for each in self.landscape for name in _asked(each)}
        hosts = {host for name in wanted for host in known.exchanges.get(name, _NO_HOSTS).hosts}
        _keep(known.exchanges, wanted)
        _keep(known.addresses, wanted | hosts)
        _keep(known.unanswered, wanted | hosts)
        self._served.clear()
        for domain, exchanges in known.exchanges.items():
            for host in exchanges.hosts:
                self._served[host].add(domain)
        self._kept = len(known.exchanges) + len(known.addresses)


def _asked(tenancy: Tenancy) -> Iterable[str]:
    """Yield the names that a tenant's mail is sent to."""
    yield from tenancy.export.domain_names
    for connector in tenancy.export.outbound or ():
        yield from (host.lower() for host in connector.smart_hosts)


def _other(before: Mapping[str, V], now: Mapping[str, V]) -> list[str]:
    """Return the names of which *now* says something else."""
    return [name for name, each in now.items() if before.get(name) != each]


def _keep(known: dict[str, V], names: set[str]) -> None:
    for gone in known.keys() - names:
        del known[gone]


def _note_silence(known: Surroundings, seen: Surroundings) -> None:
    """Keep of which names DNS did not speak when it was last asked."""
    if known.unanswered:
        for name in (*seen.exchanges, *seen.addresses):
            known.unanswered.pop(name, None)
    known.unanswered.update(seen.unanswered)
