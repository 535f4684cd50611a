"""Does a mechanism match the client?

The mechanisms of RFC 7208 section 5 that ask DNS, as plans, and the state that one evaluation
shares between them. Terms count here; the order of terms and what follows from them is the business
of :mod:`agent.domain.spf`.
"""

from dataclasses import dataclass, field
from ipaddress import IPv4Address

from agent.domain.lookup import Answer, Exchange, Plan, Query, Reply, Silence, Unanswered
from agent.domain.lookup import ask as ask_dns
from agent.domain.lookup import ask_all as ask_all_dns
from agent.domain.spf_identity import Identity
from agent.domain.spf_macro import Address, MacroString, dotted, expand, octets, query_name
from agent.domain.spf_terms import A, Exists, Mx, Ptr
from agent.domain.spf_trace import MAX_NAMES, Asked, StepEnd

_UNASKABLE = "its expanded name cannot be asked for"


@dataclass(frozen=True, slots=True)
class Match:
    """What a mechanism found."""

    end: StepEnd
    detail: str
    target: str = ""
    asked: tuple[Asked, ...] = ()


@dataclass(slots=True)
class Walk:
    """What one evaluation knows and has spent so far."""

    ip: Address
    identity: Identity
    receiver: str = "unknown"
    timestamp: int = 0
    terms: int = 0
    voids: int = 0
    void_queries: int = 0
    void_addresses: list[tuple[Query, ...]] = field(default_factory=list)
    differs_by_query: str = ""
    differs_by_family: str = ""
    reason: Silence | None = None
    confirmed: "Confirmed | None" = None

    def address_query(self, name: str) -> Query:
        """Return the question for addresses of the client's family."""
        return Query(name, "A" if isinstance(self.ip, IPv4Address) else "AAAA")

    def failed(self, query: Query, reply: Unanswered) -> str:
        """Note why DNS could not say, and return it as a detail."""
        self.reason = reply.reason
        return f"DNS could not say what {query.name} {query.type} is: {reply.reason}"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The names of the client that have its address (RFC 7208 section 5.5)."""

    names: tuple[str, ...]
    asked: tuple[Asked, ...]


def target_of(walk: Walk, domain: str, spec: MacroString | None) -> Plan[str | None]:
    """Expand a domain-spec; None where the outcome is no name that can be asked for."""
    if spec is None:
        return domain
    if not spec.letters:
        return query_name(expand(spec, {}))
    expanded = expand(spec, (yield from macro_values(walk, domain, spec)))
    # RFC 8616 section 4: a local part outside ASCII makes the term match nothing.
    return query_name(expanded) if expanded.isascii() else None


def macro_values(walk: Walk, domain: str, spec: MacroString) -> Plan[dict[str, str]]:
    """Return what the macro letters stand for (RFC 7208 section 7.2)."""
    identity = walk.identity
    client_name = ""
    if "p" in spec.letters:
        client_name = yield from _client_name(walk, domain)
    return {
        "s": identity.sender,
        "l": identity.local_part,
        "o": identity.sender_domain,
        "d": domain,
        "i": dotted(walk.ip),
        "p": client_name,
        "v": "in-addr" if isinstance(walk.ip, IPv4Address) else "ip6",
        "h": identity.helo,
        "c": str(walk.ip),
        "r": octets(walk.receiver),
        "t": str(walk.timestamp),
    }


def _client_name(walk: Walk, domain: str) -> Plan[str]:
    """Return the confirmed name to show: *domain* itself, else below it, else any."""
    names = (yield from confirmed_names(walk)).names
    exact = [name for name in names if name == domain]
    below = [name for name in names if name.endswith(f".{domain}")]
    return next(iter((*exact, *below, *names)), "unknown")


def confirmed_names(walk: Walk) -> Plan[Confirmed]:
    """Find the client's names by PTR, and keep those that lead back to it.

    Names that fail or cannot be asked for are skipped, and so is everything where PTR itself
    fails (RFC 7208 section 5.5). Only the first ten names count (section 4.6.4).
    """
    if walk.confirmed is None:
        query = Query(walk.ip.reverse_pointer, "PTR")
        reply = yield from ask_dns(query)
        asked = [Asked(query, reply)]
        records = reply.records if isinstance(reply, Answer) else ()
        pointed = [query_name(name) for name in records[:MAX_NAMES] if isinstance(name, str)]
        names = tuple(dict.fromkeys(name for name in pointed if name))
        queries = tuple(map(walk.address_query, names))
        replies = yield from ask_all_dns(queries)
        # The names belong to the client and not to the domain: their voids are not the domain's.
        asked += [Asked(q, r, counted=False) for q, r in zip(queries, replies, strict=True)]
        good = [
            name
            for name, found in zip(names, replies, strict=True)
            if isinstance(found, Answer) and walk.ip in found.records
        ]
        walk.confirmed = Confirmed(tuple(good), tuple(asked))
    return walk.confirmed


def match_a(walk: Walk, domain: str, term: A) -> Plan[Match]:
    """Match ``a``: an address of the target, within the prefix length, is the client's."""
    target = yield from target_of(walk, domain, term.domain)
    if target is None:
        return Match("no match", _UNASKABLE)
    query = walk.address_query(target)
    reply = yield from ask_dns(query)
    asked = (Asked(query, reply),)
    if isinstance(reply, Unanswered):
        return Match("temperror", walk.failed(query, reply), target, asked)
    if _covers(walk, reply, term):
        return Match("match", f"{walk.ip} is an address of {target}", target, asked)
    return Match("no match", f"{walk.ip} is no address of {target}", target, asked)


def match_mx(walk: Walk, domain: str, term: Mx) -> Plan[Match]:
    """Match ``mx``: an address of one of the target's exchanges is the client's."""
    target = yield from target_of(walk, domain, term.domain)
    if target is None:
        return Match("no match", _UNASKABLE)
    query = Query(target, "MX")
    reply = yield from ask_dns(query)
    first = Asked(query, reply)
    if isinstance(reply, Unanswered):
        return Match("temperror", walk.failed(query, reply), target, (first,))
    exchanges = sorted(record for record in reply.records if isinstance(record, Exchange))
    if len(exchanges) > MAX_NAMES:  # RFC 7208 section 4.6.4
        detail = f"{target} has {len(exchanges)} MX records; more than {MAX_NAMES} are an error"
        return Match("permerror", detail, target, (first,))
    # A null MX names the root, which has no addresses: it is not asked for.
    hosts = [name for name in (query_name(one.exchange) for one in exchanges) if name]
    queries = tuple(map(walk.address_query, hosts))
    once = tuple(dict.fromkeys(queries))
    said = dict(zip(once, (yield from ask_all_dns(once)), strict=True))
    # A host that is named twice is counted twice, as receivers ask for it twice.
    pairs = tuple((query, said[query]) for query in queries)
    return _match_exchanges(walk, term, target, first, pairs)


def _match_exchanges(
    walk: Walk, term: Mx, target: str, first: Asked, pairs: tuple[tuple[Query, Reply], ...]
) -> Match:
    """Go through the addresses of exchanges in order, up to the first that decides."""
    asked = [first]
    for query, reply in pairs:
        asked.append(Asked(query, reply))
        if isinstance(reply, Unanswered):
            return Match("temperror", walk.failed(query, reply), target, tuple(asked))
        if _covers(walk, reply, term):
            detail = f"{walk.ip} is an address of {query.name}, an exchange of {target}"
            return Match("match", detail, target, tuple(asked))
    detail = f"{walk.ip} is no address of an exchange of {target}"
    return Match("no match", detail, target, tuple(asked))


def _covers(walk: Walk, reply: Answer, term: A | Mx) -> bool:
    """Tell whether an address among the records is the client's, up to the prefix length."""
    prefix = term.prefix4 if isinstance(walk.ip, IPv4Address) else term.prefix6
    shift = walk.ip.max_prefixlen - prefix
    client = int(walk.ip) >> shift
    kind = type(walk.ip)
    return any(
        isinstance(record, kind) and int(record) >> shift == client for record in reply.records
    )


def match_ptr(walk: Walk, domain: str, term: Ptr) -> Plan[Match]:
    """Match ``ptr``: a confirmed name of the client is the target or lies below it."""
    target = yield from target_of(walk, domain, term.domain)
    if target is None:
        return Match("no match", _UNASKABLE)
    confirmed = yield from confirmed_names(walk)
    for name in confirmed.names:
        if name == target or name.endswith(f".{target}"):
            detail = f"{walk.ip} is called {name}"
            return Match("match", detail, target, confirmed.asked)
    detail = f"{walk.ip} has no confirmed name at or below {target}"
    return Match("no match", detail, target, confirmed.asked)


def match_exists(walk: Walk, domain: str, term: Exists) -> Plan[Match]:
    """Match ``exists``: the target has an A record, whatever the client's family."""
    target = yield from target_of(walk, domain, term.domain)
    if target is None:
        return Match("no match", _UNASKABLE)
    query = Query(target, "A")
    reply = yield from ask_dns(query)
    asked = (Asked(query, reply),)
    if isinstance(reply, Unanswered):
        return Match("temperror", walk.failed(query, reply), target, asked)
    if reply.records:
        return Match("match", f"{target} has an A record", target, asked)
    return Match("no match", f"{target} has no A record", target, asked)
