"""Which addresses send a domain's mail, as far as they are its own, and what are their names?

Own are the addresses and networks among the configured senders, and the exchanges that are neither
Microsoft's nor a provider's: most servers that take mail send as well, bounces at least. Providers
answer for the names of their own servers. Which addresses of a network send is not known, so that a
network is judged as one.
"""

from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_network

from agent.domain.knowledge.addresses import special_use
from agent.domain.knowledge.filter_hosts import filter_title
from agent.domain.knowledge.microsoft_hosts import host_class
from agent.domain.lookup import Plan, Silence, Unanswered
from agent.domain.mx import Target, owner_of
from agent.domain.mx import survey as look_up_exchanges
from agent.domain.public_suffix import zone_of
from agent.domain.reverse import Address, Reversal, Reversed, reverse
from agent.domain.reverse_names import why_generic
from agent.domain.spf import check_host
from agent.domain.spf_terms import Result
from agent.domain.spread import share, spread
from agent.domain.together import together

MAX_ADDRESSES = 64  # that are asked for in one run
_OWN_TOPOLOGIES = frozenset({"hybrid", "on-premises"})  # whose exchanges are servers of one's own

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Named:
    """An address and its names; ``generic`` says why the name looks like any machine's."""

    address: Address
    found: Reversed
    generic: str = ""

    @property
    def is_good(self) -> bool:
        """True where a receiver has nothing to say against the name."""
        return self.found.reversal is Reversal.CONFIRMED and not self.generic


@dataclass(frozen=True, slots=True)
class Source:
    """Where mail may come from: an address, a network or a host.

    ``size`` is the number of its addresses, of which ``named`` were asked for. ``host`` is the
    exchange, empty for a sender that is configured; ``problem`` says why nothing was asked;
    ``sends`` whether it is known to send mail, which of an exchange only SPF can tell.
    """

    title: str
    size: int = 1
    addresses: tuple[Address, ...] = ()
    named: tuple[Named, ...] = ()
    host: str = ""
    problem: str = ""
    sends: bool = True
    silence: Silence | None = None

    @property
    def is_whole(self) -> bool:
        """True where every address was asked for."""
        return len(self.named) == self.size


@dataclass(frozen=True, slots=True)
class Survey:
    """All sources of one's own; ``silence`` is why the exchanges could not be learnt."""

    domain: str
    sources: tuple[Source, ...] = ()
    silence: Silence | None = None


def survey(domain: str, topology: str, senders: tuple[str, ...]) -> Plan[Survey]:
    """Look up the names of the addresses from which mail of *domain* comes."""
    mx = yield from look_up_exchanges(domain)
    silence = mx.reply.reason if isinstance(mx.reply, Unanswered) else None
    declared = _share(_declared(senders))
    known = {address for source in declared for address in source.addresses}
    hosts = [one for one in mx.targets if _is_ours(one.exchange, domain, topology)]
    places = (*declared, *(source for one in hosts for source in _hosts(one, known)))
    room, chosen = MAX_ADDRESSES, []
    for source in places:
        kept = source.addresses[:room]
        room -= len(kept)
        chosen.append(replace(source, addresses=kept))
    found = yield from _name(domain, tuple(chosen))
    return Survey(domain, (yield from _ask_spf(domain, found)), silence)


def _declared(senders: tuple[str, ...]) -> tuple[tuple[Source, Network], ...]:
    """Return the configured senders that are addresses or networks; others are providers."""
    found = []
    for name in dict.fromkeys(senders):
        try:
            network = ip_network(name, strict=False)
        except ValueError:
            continue
        special = special_use(network)
        problem = f"not on the Internet: {special}" if special else ""
        found.append((Source(name, network.num_addresses, problem=problem), network))
    return tuple(found)


def _share(declared: tuple[tuple[Source, Network], ...]) -> tuple[Source, ...]:
    """Choose the addresses to ask for: all of them where they are few, else a sample of each."""
    asked = [source for source, _ in declared if not source.problem]
    most = share([source.size for source in asked], MAX_ADDRESSES)
    return tuple(
        source if source.problem else replace(source, addresses=spread(network, most))
        for source, network in declared
    )


def _is_ours(host: str, domain: str, topology: str) -> bool:
    """Tell whether an exchange is a server of one's own, by its name and the topology."""
    if owner_of(host) or filter_title(host) or host_class(host):
        return False
    return topology in _OWN_TOPOLOGIES or zone_of(host) == (zone_of(domain) or domain)


def _hosts(target: Target, known: set[Address]) -> tuple[Source, ...]:
    """Return each address of an exchange that is no configured sender already."""
    host = target.exchange
    fresh = [one for one in target.addresses if one not in known and special_use(one) is None]
    known.update(fresh)
    silent = (Source(host, host=host, silence=target.silence),) if target.silence else ()
    found = (Source(host, addresses=(one,), host=host, sends=False) for one in fresh)
    return (*found, *silent)


def _name(domain: str, sources: tuple[Source, ...]) -> Plan[tuple[Source, ...]]:
    addresses = tuple(dict.fromkeys(one for source in sources for one in source.addresses))
    found = yield from together([reverse(address, tested=True) for address in addresses], {})
    told = {
        address: Named(address, one, _generic(one, address, domain))
        for address, one in zip(addresses, found, strict=True)
    }
    return tuple(
        replace(source, named=tuple(told[one] for one in source.addresses)) for source in sources
    )


def _generic(found: Reversed, address: Address, domain: str) -> str:
    """Say why a confirmed name is generic: of several, a receiver may pick any."""
    reasons = [why_generic(name.lower(), address, domain) for name in found.confirmed]
    return reasons[0] if reasons and all(reasons) else ""


def _ask_spf(domain: str, sources: tuple[Source, ...]) -> Plan[tuple[Source, ...]]:
    """Ask SPF of those exchanges of which it matters whether they send: nameless over IPv6."""
    wanted = tuple(
        source
        for source in sources
        if not source.sends
        for one in source.named
        if one.address.version == 6 and one.found.reversal is Reversal.MISSING  # noqa: PLR2004
    )
    plans = [check_host(one.addresses[0], f"postmaster@{domain}", domain) for one in wanted]
    results = yield from together(plans, {})
    sending = {
        source for source, one in zip(wanted, results, strict=True) if one.result is Result.PASS
    }
    return tuple(replace(one, sends=True) if one in sending else one for one in sources)
