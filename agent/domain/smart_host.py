"""At which addresses does Exchange Online look for a smart host?

SmartHosts holds names, addresses and ranges. A name may have MX records, which then count more than
its own address; a range is every address in it.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

from agent.domain.host import Located, locate
from agent.domain.lookup import Answer, Exchange, Plan, Query, Unanswered, ask
from agent.domain.smtp import Reason
from agent.domain.together import together

MAX_PLACES = 256  # of one smart host; a /24 has as many
_MAX_EXCHANGES = 10


@dataclass(frozen=True, slots=True)
class Place:
    """One address to connect to, and the name of the server that should be there."""

    host: str
    address: IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Found:
    """Where a smart host is, or why nobody can say.

    ``how`` says in words what led there; ``gap`` why a part of the places may be missing.
    """

    places: tuple[Place, ...] = ()
    how: str = ""
    reason: Reason | None = None
    detail: str = ""
    gap: str = ""


def find(host: str) -> Plan[Found]:
    """Look up the places of *host*: a name, an address, or a range such as ``203.0.113.0/29``."""
    if "/" in host:
        network = IPv4Network(host)
        single = network.num_addresses == 1
        addresses = (network.network_address,) if single else tuple(network.hosts())
        places = tuple(Place(str(each), each) for each in addresses[:MAX_PLACES])
        return Found(places, how=f"{len(places)} addresses of the range")
    if host == "localhost" or _is_address(host):
        return _found((host, (yield from locate(host))), how="")
    reply = yield from ask(Query(host, "MX"))
    if isinstance(reply, Unanswered):
        detail = f"{host}: {reply.reason} for MX"
        return Found(reason=Reason.DNS_UNANSWERED, detail=detail)
    exchanges = _exchanges(reply)
    if not exchanges:
        return _found((host, (yield from locate(host))), how="")
    located = yield from together([locate(each) for each in exchanges], {})
    return _found(*zip(exchanges, located, strict=True), how="its MX records")


def _exchanges(answer: Answer) -> tuple[str, ...]:
    """Return the exchanges in the order of their preference, the null MX left out."""
    records = sorted(each for each in answer.records if isinstance(each, Exchange))
    names = dict.fromkeys(each.exchange for each in records if each.exchange)
    return tuple(names)[:_MAX_EXCHANGES]


def _found(*located: tuple[str, Located], how: str) -> Found:
    """Put together what was found for each name."""
    places = tuple(Place(name, address) for name, each in located for address in each.addresses)
    gaps = [f"{name}: {each.gap}" for name, each in located if each.gap]
    failed = [each for _, each in located if each.reason is not None]
    silent = [each for each in failed if each.reason is Reason.DNS_UNANSWERED]
    gaps += [each.detail for each in silent]
    if places:
        return Found(places[:MAX_PLACES], how=how, gap="; ".join(gaps))
    worst = (silent or failed)[0]
    return Found(how=how, reason=worst.reason, detail=worst.detail)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
