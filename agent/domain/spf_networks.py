"""Which addresses does a term of an SPF record name, as far as DNS says it to everybody?

What depends on the client, such as ``exists`` with a macro or ``ptr``, names none.
"""

from collections.abc import Iterator, Mapping
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv6Address,
    IPv6Interface,
    ip_address,
    ip_interface,
)

from agent.domain.lookup import Answer, Query, Reply
from agent.domain.mx import owner_of
from agent.domain.spf_macro import Address
from agent.domain.spf_terms import A, Ip4, Ip6, Mx, Redirect, Result
from agent.domain.spf_tree import Twig, exchange_hosts

Interface = IPv4Interface | IPv6Interface


def passes(twig: Twig) -> bool:
    """Tell whether a match of the term lets a client pass, or may do so further down."""
    return isinstance(twig.term, Redirect) or twig.term.result is Result.PASS


def interfaces(twig: Twig, replies: Mapping[Query, Reply]) -> Iterator[Interface]:
    """Yield each address that the term itself names, as it is written, within its network.

    Exchanges of a provider only take mail in: where ``mx`` names them, they are no senders.
    """
    term = twig.term
    if isinstance(term, Ip4 | Ip6):
        written = term.text.partition(":")[2].partition("/")[0]
        yield ip_interface((ip_address(written), term.network.prefixlen))
    if twig.target is None or not isinstance(term, A | Mx):
        return
    hosts: tuple[str, ...] = (twig.target,)
    if isinstance(term, Mx):
        names = exchange_hosts(replies.get(Query(twig.target, "MX")))
        hosts = tuple(name for name in names if owner_of(name.lower()) is None)
    for host in hosts:
        for address in _addresses(host, replies):
            prefix = term.prefix4 if isinstance(address, IPv4Address) else term.prefix6
            yield ip_interface((address, prefix))


def _addresses(host: str, replies: Mapping[Query, Reply]) -> Iterator[Address]:
    for reply in (replies.get(Query(host, "A")), replies.get(Query(host, "AAAA"))):
        records = reply.records if isinstance(reply, Answer) else ()
        yield from (one for one in records if isinstance(one, IPv4Address | IPv6Address))
