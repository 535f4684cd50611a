"""Whom does an SPF record let pass now, and would not after a change?

Every network that the whole tree of the record lets pass is sampled: both its ends, and the places
where the networks of the new record begin or end within it. The samples are evaluated as a receiver
would, before and after; so a term that is only written in another way is not missed.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from itertools import chain

from agent.domain.guess import profile_of_include
from agent.domain.lookup import Plan
from agent.domain.spf import check_host
from agent.domain.spf_macro import Address
from agent.domain.spf_networks import interfaces, passes
from agent.domain.spf_senders import ends
from agent.domain.spf_terms import All, Exists, Ip4, Ip6, Ptr, Result
from agent.domain.spf_tree import Forest, State, Twig, grow
from agent.domain.together import together

MAX_SAMPLES = 400  # of one record
_MOST_TERMS = MAX_SAMPLES // 2  # that are looked at
_WIDEST = {4: 8, 6: 16}  # what is wider names nobody: it lets everybody pass

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Reach:
    """What each term of a record lets pass, by the text of the term.

    ``loose`` are terms, or what they lead to, that depend on the client; ``profiles`` the names of
    the providers behind includes. ``barred`` is what terms match that let nobody pass, who then
    meets no later one. ``text`` is the record. ``is_silent`` tells that DNS could not say what the
    record is.
    """

    networks: Mapping[str, tuple[Network, ...]]
    profiles: Mapping[str, str]
    loose: tuple[str, ...] = ()
    is_silent: bool = False
    barred: tuple[Network, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A term of the present record, and those of its samples that would not pass any more.

    ``was`` and ``becomes`` are the results before and after; ``becomes`` is None where it depends
    on the client, so that nobody can tell. ``profile`` is the provider's name, where it is known;
    ``is_whole`` tells that no sample passes any more.
    """

    term: str
    addresses: tuple[Address, ...] = ()
    was: Result = Result.PASS
    becomes: Result | None = None
    profile: str = ""
    is_whole: bool = True


def reach(domain: str) -> Plan[Reach]:
    """Find out what the record of *domain* names."""
    forest = yield from grow(domain)
    networks: dict[str, tuple[Network, ...]] = {}
    profiles, loose = {}, []
    barred: dict[Network, None] = {}
    for twig in forest.root.twigs:
        if isinstance(twig.term, All):
            continue
        if not passes(twig):
            barred |= dict.fromkeys(_networks(twig, forest))
            continue
        networks[twig.term.text] = tuple(dict.fromkeys(_networks(twig, forest)))
        profile = profile_of_include((twig.target or "").lower())
        if profile is not None:
            profiles[twig.term.text] = profile.name
        if any(_is_loose(one) for one in _below(twig)):
            loose.append(twig.term.text)
    is_silent = forest.root.state is State.UNANSWERED
    return Reach(networks, profiles, tuple(loose), is_silent, tuple(barred), forest.root.text)


def _below(twig: Twig) -> Iterator[Twig]:
    """Yield a term, and those below it by which a client can pass."""
    yield twig
    for one in twig.branch.twigs if twig.branch is not None else ():
        if passes(one):
            yield from _below(one)


def _networks(twig: Twig, forest: Forest) -> Iterator[Network]:
    for one in _below(twig):
        for each in interfaces(one, forest.replies):
            if each.network.prefixlen >= _WIDEST[each.version]:
                yield each.network


def _is_loose(twig: Twig) -> bool:
    if isinstance(twig.term, Ptr | Exists):
        return True
    return twig.target is None and not isinstance(twig.term, Ip4 | Ip6 | All)


def samples(old: Reach, new: Reach) -> dict[str, tuple[Address, ...]]:
    """Choose addresses to evaluate for each term of the *old* record.

    Those that no network of the *new* one holds, or one that lets nobody pass, come first: where
    only some are evaluated, what is lost must be among them.
    """
    there = _Ranges(one for each in new.networks.values() for one in each)
    barred = _Ranges(new.barred)
    places = {term: _places(networks, there, barred) for term, networks in old.networks.items()}
    terms = sorted(places, key=lambda term: not places[term][0])[:_MOST_TERMS]
    room = MAX_SAMPLES // max(1, len(terms))
    found = {}
    for term in (one for one in places if one in terms):
        outside, inside = places[term]
        chosen = _thin(outside, room)
        found[term] = (*chosen, *_thin(inside, room - len(chosen)))
    return found


def _thin(points: tuple[Address, ...], most: int) -> tuple[Address, ...]:
    """Return at most so many of *points*, evenly spread."""
    return points[:: max(1, -(-len(points) // most))] if most else ()


class _Ranges:
    """Where the networks of a record lie: their first and last numbers by version, in order."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._firsts: dict[int, list[int]] = {4: [], 6: []}
        self._lasts: dict[int, list[int]] = {4: [], 6: []}
        edges = {(each.version, int(each[0]), int(each[-1])) for each in networks}
        for version, first, last in sorted(edges):
            lasts = self._lasts[version]
            if lasts and first <= lasts[-1] + 1:
                lasts[-1] = max(lasts[-1], last)
                continue
            self._firsts[version].append(first)
            lasts.append(last)

    def edges(self, network: Network) -> Iterator[Address]:
        """Yield where a range begins or ends within *network*."""
        first, last, kind = int(network[0]), int(network[-1]), type(network[0])
        firsts, lasts = self._firsts[network.version], self._lasts[network.version]
        for at in range(bisect_left(lasts, first), bisect_right(firsts, last)):
            edges = (firsts[at] - 1, firsts[at], lasts[at] + 1)
            yield from (kind(number) for number in edges if first < number < last)

    def holds(self, point: Address) -> bool:
        """Tell whether *point* lies in a range."""
        at = bisect_right(self._firsts[point.version], int(point)) - 1
        return at >= 0 and int(point) <= self._lasts[point.version][at]


def _places(
    networks: tuple[Network, ...], there: _Ranges, barred: _Ranges
) -> tuple[tuple[Address, ...], tuple[Address, ...]]:
    """Return the places to look at in *networks*: those that may not pass, and those that should.

    These are both ends of each, and where a range begins or ends within it.
    """
    points = dict.fromkeys(
        point for one in networks for point in chain(ends(one), there.edges(one), barred.edges(one))
    )
    good = {point: there.holds(point) and not barred.holds(point) for point in points}
    return tuple(one for one in points if not good[one]), tuple(one for one in points if good[one])


def results(domain: str, addresses: tuple[Address, ...]) -> Plan[dict[Address, Result]]:
    """Evaluate SPF for a message from *domain* out of each of *addresses*."""
    plans = [check_host(ip, f"postmaster@{domain}", domain) for ip in addresses]
    evaluations = yield from together(plans, {})
    return {ip: one.result for ip, one in zip(addresses, evaluations, strict=True)}


def dropped(
    old: Reach,
    new: Reach,
    chosen: Mapping[str, tuple[Address, ...]],
    was: Mapping[Address, Result],
    becomes: Mapping[Address, Result],
) -> tuple[Dropped, ...]:
    """Name the terms of the *old* record that let pass what nothing in the *new* one does.

    *was* and *becomes* are the results for the *chosen* samples. A term that gives a permanent
    error now, because the record does, is told of as well where another result takes its place.
    """
    return tuple(
        found
        for term, addresses in chosen.items()
        if (found := _dropped(term, addresses, was, becomes, old.profiles.get(term, "")))
        or (found := _loosely(term, old, new))
    )


def _loosely(term: str, old: Reach, new: Reach) -> Dropped | None:
    """Return a term of which nobody can say whom it lets pass, where it is not there any more."""
    kept = {one.lower() for one in new.networks}
    return Dropped(term) if term in old.loose and term.lower() not in kept else None


def _dropped(
    term: str,
    addresses: tuple[Address, ...],
    was: Mapping[Address, Result],
    becomes: Mapping[Address, Result],
    profile: str,
) -> Dropped | None:
    good = (Result.PASS, Result.TEMPERROR)
    addresses = tuple(sorted(addresses, key=lambda ip: (ip.version, int(ip))))
    passed = [ip for ip in addresses if was[ip] is Result.PASS]
    lost = tuple(ip for ip in passed if becomes[ip] not in good)
    if lost:
        is_whole = len(lost) == len(passed)
        return Dropped(term, lost, Result.PASS, becomes[lost[0]], profile, is_whole)
    broken = tuple(
        ip
        for ip in addresses
        if was[ip] is Result.PERMERROR and becomes[ip] not in (*good, Result.PERMERROR)
    )
    if broken:
        return Dropped(term, broken, Result.PERMERROR, becomes[broken[0]], profile)
    return None
