"""Do the hosts that send for a domain pass SPF, and does nobody else?

What an operator names as senders becomes sample addresses, and each of them is evaluated as a
receiver would. A provider is sampled out of its own published networks, so that it does not matter
by which terms the domain covers it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from agent.domain.knowledge.providers import PROFILES, Profile
from agent.domain.lookup import Plan, Query, Reply
from agent.domain.peer_text import PeerText
from agent.domain.spf import check_host
from agent.domain.spf_macro import Address
from agent.domain.spf_terms import Ip4, Ip6, Result
from agent.domain.spf_trace import Evaluation
from agent.domain.spf_tree import Branch, State, grow
from agent.domain.together import together

MAX_NETWORKS = 8  # of a provider that are sampled, evenly spread
STRANGERS = ("192.0.2.1", "2001:db8::1")  # RFC 5737, RFC 3849: nobody's addresses


@dataclass(frozen=True, slots=True)
class Samples:
    """The addresses that stand for a sender, or why there are none.

    ``unanswered`` is true where DNS could not say; ``problem`` is empty where all is well.
    """

    name: str
    addresses: tuple[Address, ...]
    problem: str = ""
    unanswered: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What SPF says about one configured sender or stranger."""

    samples: Samples
    evaluations: tuple[Evaluation, ...]

    @property
    def name(self) -> str:
        """What the configuration calls it."""
        return self.samples.name

    @property
    def passing(self) -> tuple[Evaluation, ...]:
        """The evaluations with the result pass."""
        return tuple(one for one in self.evaluations if one.result is Result.PASS)

    @property
    def unsure(self) -> tuple[Evaluation, ...]:
        """The evaluations that ended in a temporary error."""
        return tuple(one for one in self.evaluations if one.result is Result.TEMPERROR)

    @property
    def refused(self) -> tuple[Evaluation, ...]:
        """The evaluations that did not pass, and not for want of an answer."""
        good = {Result.PASS, Result.TEMPERROR}
        return tuple(one for one in self.evaluations if one.result not in good)

    @property
    def is_authorised(self) -> bool:
        """Whether every sample passes, and there is one."""
        return bool(self.evaluations) and len(self.passing) == len(self.evaluations)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What SPF says about each sender of a domain, and every reply that it follows from."""

    verdicts: tuple[Verdict, ...]
    replies: Mapping[Query, Reply]


def evaluate_senders(domain: str, senders: tuple[str, ...]) -> Plan[Evaluated]:
    """Find samples for each of *senders*, and evaluate them for a message from *domain*."""
    forest = yield from grow(domain)
    known = dict(forest.replies)
    samples: tuple[Samples, ...] = yield from together(
        [sample(name, forest.root) for name in senders], known
    )
    verdicts = yield from judge(domain, samples, known)
    return Evaluated(verdicts, known)


def sample(name: str, root: Branch) -> Plan[Samples]:
    """Find sample addresses for a configured sender; *root* is the domain's own tree.

    *name* is an address, a network, or the name of a provider profile.
    """
    profile = PROFILES.get(name)
    if profile is not None:
        return (yield from _sample_provider(profile, root))
    try:
        network = ip_network(name, strict=False)
    except ValueError:
        shown = PeerText(name)
        return Samples(name, (), f"{shown} is no address, network or provider profile")
    return Samples(name, ends(network))


def ends(network: IPv4Network | IPv6Network) -> tuple[Address, ...]:
    """Return the first and the last address, which a range that is too short leaves out."""
    first, last = network.network_address, network.broadcast_address
    return (first,) if first == last else (first, last)


def _sample_provider(profile: Profile, root: Branch) -> Plan[Samples]:
    """Take addresses out of the networks that a provider publishes."""
    if not profile.spf_include:
        problem = f"{profile.title} gives every customer a name of their own"
        return Samples(profile.name, (), problem)
    used = {branch.domain for branch in root.walk()}
    chosen = [name for name in profile.spf_includes if name in used]
    name = chosen[0] if chosen else profile.spf_include
    forest = yield from grow(name)
    states = {branch.state for branch in forest.root.walk()}
    networks = tuple(dict.fromkeys(_networks(forest.root)))
    if not networks:
        problem = f"no networks found at {name}: {forest.root.state.value}"
        return Samples(profile.name, (), problem, State.UNANSWERED in states)
    step = max(1, -(-len(networks) // MAX_NETWORKS))
    addresses = [address for network in networks[::step] for address in ends(network)]
    return Samples(profile.name, tuple(addresses))


def _networks(root: Branch) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(
        twig.term.network
        for branch in root.walk()
        for twig in branch.twigs
        if isinstance(twig.term, Ip4 | Ip6) and twig.term.result is Result.PASS
    )


def judge(
    domain: str, samples: tuple[Samples, ...], known: dict[Query, Reply]
) -> Plan[tuple[Verdict, ...]]:
    """Evaluate every sample for a message from *domain*; *known* are replies that are there."""
    addresses = tuple(dict.fromkeys(ip for one in samples for ip in one.addresses))
    plans = [check_host(ip, f"postmaster@{domain}", domain) for ip in addresses]
    evaluations = yield from together(plans, known)
    by_address = dict(zip(addresses, evaluations, strict=True))
    return tuple(Verdict(one, tuple(by_address[ip] for ip in one.addresses)) for one in samples)


def strangers(not_senders: tuple[str, ...]) -> tuple[Samples, ...]:
    """Return the addresses that must not pass: the configured ones, and two of nobody."""
    found = [Samples(name, (ip_address(name),)) for name in STRANGERS]
    for name in not_senders:
        try:
            found.append(Samples(name, ends(ip_network(name, strict=False))))
        except ValueError:
            problem = f"{PeerText(name)} is no address or network"
            found.append(Samples(name, (), problem))
    return tuple(found)
