"""How many lookups led nowhere, and do receivers agree on that?

The limit of two void lookups (RFC 7208 section 4.6.4) is applied to terms. What receivers that
count otherwise would say is worked out beside it.
"""

from agent.domain.lookup import Answer, Plan, Query
from agent.domain.lookup import ask_all as ask_all_dns
from agent.domain.peer_text import PeerText
from agent.domain.spf_match import Walk
from agent.domain.spf_terms import Mechanism, Redirect
from agent.domain.spf_trace import MAX_VOIDS, Asked


def count_voids(walk: Walk, term: Mechanism | Redirect, asked: tuple[Asked, ...]) -> Plan[str]:
    """Count void lookups; returns why the evaluation ends, or nothing."""
    void = tuple(one.query for one in asked if one.is_void)
    if not void:
        return ""
    walk.voids += 1
    walk.void_queries += len(void)
    walk.void_addresses.append(void)
    if walk.voids > MAX_VOIDS:
        walk.differs_by_family = yield from _with_either_family(walk)
        return f"more than {MAX_VOIDS} void lookups, at {PeerText(term.text)}"
    if walk.void_queries > MAX_VOIDS and not walk.differs_by_query:
        walk.differs_by_query = (
            f"receivers that count every query without an answer stop at {PeerText(term.text)}"
            " with permerror"
        )
    return ""


def _with_either_family(walk: Walk) -> Plan[str]:
    """Say whether the limit holds where hosts are void only without A *and* AAAA records."""
    mine = walk.address_query("").type
    swapped = tuple(
        dict.fromkeys(
            Query(query.name, "AAAA" if mine == "A" else "A")
            for void in walk.void_addresses
            for query in void
            if query.type == mine
        )
    )
    replies = yield from ask_all_dns(swapped)
    alive = {
        (query.name, mine)
        for query, reply in zip(swapped, replies, strict=True)
        if isinstance(reply, Answer) and reply.records
    }
    voids = sum(
        any((query.name, query.type) not in alive for query in void) for void in walk.void_addresses
    )
    if voids > MAX_VOIDS:
        return ""
    return (
        "receivers that take a host as void only where it has neither A nor AAAA records count"
        f" {voids} void lookups and go on"
    )
