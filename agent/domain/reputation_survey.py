"""What do the configured blocklists say of a domain and of its own sending addresses?

Own are the addresses and networks among the configured senders. Providers answer for the addresses
of theirs, Microsoft first of all: those are shared with thousands, and nobody here could have them
taken off a list. A list is asked about its own entries for tests first; one that does not know
those is not asked about ours.
"""

from dataclasses import dataclass, replace
from ipaddress import ip_network

from agent.domain.blocklist import (
    Address,
    Asked,
    Entry,
    Health,
    State,
    Verdict,
    health,
    kind_of,
    read,
    read_reason,
)
from agent.domain.knowledge.addresses import special_use
from agent.domain.knowledge.blocklists import Lists
from agent.domain.knowledge.microsoft_hosts import NETWORKS
from agent.domain.knowledge.providers import PROFILES
from agent.domain.lookup import Plan, ask_all
from agent.domain.peer_text import PeerText
from agent.domain.public_suffix import zone_of
from agent.domain.spread import Network, share, spread
from agent.domain.together import together

MAX_ADDRESSES = 64  # that are looked at in all
_AT_ONCE = 8  # questions that one list sees at a time


@dataclass(frozen=True, slots=True)
class Own:
    """The addresses of one's own; ``remarks`` say of each sender what is not looked at, and why."""

    addresses: tuple[Address, ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()


def own_addresses(senders: tuple[str, ...]) -> Own:
    """Choose the addresses to look at among *senders*; of large networks a sample of each."""
    networks: list[tuple[str, Network]] = []
    remarks: list[tuple[str, str]] = []
    for name in dict.fromkeys(senders):
        network = _network(name)
        if network is None:
            remarks.append((name, _theirs(name)))
        elif problem := _unfit(network):
            remarks.append((name, problem))
        else:
            networks.append((name, network))
    most = share([network.num_addresses for _, network in networks], MAX_ADDRESSES)
    chosen: dict[Address, None] = {}
    for name, network in networks:
        sample = spread(network, most)
        if len(sample) < network.num_addresses:
            size = network.num_addresses
            remarks.append((name, f"a sample: {len(sample)} of {size} addresses are looked at"))
        chosen |= dict.fromkeys(sample)
    return Own(tuple(chosen)[:MAX_ADDRESSES], tuple(remarks))


def _network(name: str) -> Network | None:
    try:
        return ip_network(name, strict=False)
    except ValueError:
        return None


def _theirs(name: str) -> str:
    profile = PROFILES.get(name)
    whose = profile.title if profile else "its provider"
    return f"not looked at: {whose} answers for the addresses of its servers"


def _unfit(network: Network) -> str:
    if special := special_use(network):
        return f"not looked at: not on the Internet: {special}"
    if any(network.version == one.version and network.overlaps(one) for one in NETWORKS):
        return "not looked at: Microsoft answers for the addresses of Exchange Online"
    return ""


@dataclass(frozen=True, slots=True)
class Listed:
    """What one list said of one entry."""

    entry: Entry
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Consulted:
    """One list: whether it answers, by sort of entry, and what it said of ours."""

    asked: Asked
    health: tuple[tuple[Lists, Health], ...] = ()
    told: tuple[Listed, ...] = ()

    @property
    def listed(self) -> tuple[Listed, ...]:
        """The entries that are on the list."""
        return tuple(each for each in self.told if each.verdict.state is State.LISTED)


@dataclass(frozen=True, slots=True)
class Survey:
    """All that the lists said."""

    domain: str
    own: Own
    consulted: tuple[Consulted, ...] = ()


def survey(domain: str, senders: tuple[str, ...], lists: tuple[Asked, ...]) -> Plan[Survey]:
    """Ask *lists* about the own addresses among *senders*, and about *domain*."""
    own = own_addresses(senders)
    entries: tuple[Entry, ...] = (*own.addresses, zone_of(domain) or domain)
    consulted = yield from together([_consult(asked, entries) for asked in lists], {})
    return Survey(domain, own, consulted)


def _consult(asked: Asked, entries: tuple[Entry, ...]) -> Plan[Consulted]:
    wanted = {kind: tuple(e for e in entries if kind_of(e) == kind) for kind in asked.of}
    kinds = tuple(kind for kind, all_ in wanted.items() if all_)
    tests = [asked.query(test) for kind in kinds for test in asked.tests(kind)]
    replies = yield from ask_all(tuple(tests))
    found = tuple(
        (kind, health(asked, kind, *replies[2 * at : 2 * at + 2])) for at, kind in enumerate(kinds)
    )
    good = tuple(entry for kind, each in found if each.is_good for entry in wanted[kind])
    told: list[Listed] = []
    for at in range(0, len(good), _AT_ONCE):
        told += yield from _look_up(asked, good[at : at + _AT_ONCE])
    return Consulted(asked, found, tuple(told))


def _look_up(asked: Asked, entries: tuple[Entry, ...]) -> Plan[list[Listed]]:
    replies = yield from ask_all(tuple(asked.query(each) for each in entries))
    told = [Listed(e, read(asked, reply)) for e, reply in zip(entries, replies, strict=True)]
    listed = [each.entry for each in told if each.verdict.state is State.LISTED]
    texts = yield from ask_all(tuple(asked.query(each, text=True) for each in listed))
    reasons = {e: read_reason(asked, text) for e, text in zip(listed, texts, strict=True)}
    return [
        Listed(each.entry, replace(each.verdict, reason=reasons.get(each.entry, "")))
        for each in told
    ]


def shown(entry: Entry) -> str:
    """Write an entry for people."""
    return PeerText(str(entry))
