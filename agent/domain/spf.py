"""May this client send mail for this domain?

check_host() of RFC 7208 section 4 as a plan. It never raises: whatever a domain publishes and
whatever a resolver says, an :class:`agent.domain.spf_trace.Evaluation` comes out, after a bounded
number of steps, because ten terms may ask (section 4.6.4) and each of them asks for at most eleven
records. The clock of an evaluation (at least 20 seconds, section 4.6.4) belongs to whoever drives
the plan.

The limit of void lookups is applied to terms, as section 4.6.4 words it. Some receivers count
queries, and some take a host as void only where it has neither family of addresses; where that
changes the verdict, ``Evaluation.differs`` says so.
"""

from functools import lru_cache
from typing import cast

from agent.domain.lookup import Plan, Query, TextRecord, Unanswered, replay
from agent.domain.lookup import ask as ask_dns
from agent.domain.peer_text import PeerText
from agent.domain.spf_identity import identify, plain_address
from agent.domain.spf_macro import EXP_LETTERS, Address, MacroError, expand, parse_macros
from agent.domain.spf_match import (
    Match,
    Walk,
    macro_values,
    match_a,
    match_exists,
    match_mx,
    match_ptr,
    target_of,
)
from agent.domain.spf_record import parse, select
from agent.domain.spf_terms import (
    LOOKERS,
    A,
    Broken,
    Exists,
    Include,
    Ip4,
    Ip6,
    Mechanism,
    Mx,
    Ptr,
    Record,
    Redirect,
    Result,
)
from agent.domain.spf_trace import MAX_LOOKUPS, Asked, Evaluation, Step, StepEnd, Visit
from agent.domain.spf_voids import count_voids

_INCLUDED: dict[Result, StepEnd] = {  # RFC 7208 section 5.2; every other result is no match
    Result.PASS: "match",
    Result.TEMPERROR: "temperror",
    Result.PERMERROR: "permerror",
}
_EXPLANATION = 500  # characters of a domain's own text that are shown


def check_host(  # noqa: PLR0913 - the macros need all of it
    ip: Address,
    mail_from: str,
    helo: str,
    *,
    fresh: bool = False,
    receiver: str = "unknown",
    timestamp: int = 0,
) -> Plan[Evaluation]:
    """Evaluate SPF for a client.

    *mail_from* may be empty or ``<>``, then *helo* is checked. *fresh* has the domain's own record
    asked and not taken from a cache. *receiver* and *timestamp* (seconds since 1970) are what the
    macros ``r`` and ``t`` of explanations stand for.
    """
    identity = identify(mail_from, helo)
    walk = Walk(plain_address(ip), identity, receiver, timestamp)
    explanation = ""
    if identity.domain is None:
        visit = Visit(identity.sender_domain, "", Result.NONE, identity.problem)
    else:
        visit = yield from _visit(walk, identity.domain, fresh=fresh)
        if visit.result is Result.FAIL:
            explanation = yield from _explain(walk, visit)
    return Evaluation(
        walk.ip,
        identity,
        visit.result,
        visit.detail,
        walk.terms,
        walk.voids,
        walk.void_queries,
        visit,
        walk.differs_by_family if visit.result is Result.PERMERROR else walk.differs_by_query,
        explanation,
        walk.reason if visit.result is Result.TEMPERROR else None,
    )


def _visit(walk: Walk, domain: str, *, fresh: bool = False) -> Plan[Visit]:
    """Ask for a record and evaluate it (RFC 7208 sections 4.3 to 4.7)."""
    if "." not in domain:
        return Visit(domain, "", Result.NONE, "the domain has a single label")
    query = Query(domain, "TXT", fresh=fresh)
    reply = yield from ask_dns(query)
    asked = (Asked(query, reply),)
    if isinstance(reply, Unanswered):
        return Visit(domain, "", Result.TEMPERROR, walk.failed(query, reply), (), asked)
    records = select(reply.records).records
    if not records:
        return Visit(domain, "", Result.NONE, f"{domain} has no SPF record", (), asked)
    if len(records) > 1:
        detail = f"{domain} has {len(records)} SPF records"
        return Visit(domain, _text(records[0]), Result.PERMERROR, detail, (), asked)
    record = parse(records[0].joined)
    if isinstance(record, Broken):
        fault = record.faults[0]
        detail = f"syntax error in the record of {domain}: {PeerText(fault.term)} {fault.message}"
        return Visit(domain, record.text, Result.PERMERROR, PeerText(detail, 400), (), asked)
    if record.is_plain:
        visit = _visit_plain(walk.ip, domain, record.text)
    else:
        visit = yield from _evaluate(walk, domain, record)
    return Visit(domain, visit.record, visit.result, visit.detail, visit.steps, asked)


@lru_cache(maxsize=4096)
def _visit_plain(ip: Address, domain: str, text: str) -> Visit:
    """Evaluate a record that asks nothing: most domains include the same few of providers."""
    record = cast("Record", parse(text.encode("latin-1")))  # the caller has read it
    return replay(_evaluate(Walk(ip, identify("", domain)), domain, record), {})


def _text(record: TextRecord) -> str:
    return record.joined.decode("latin-1")


def _evaluate(walk: Walk, domain: str, record: Record) -> Plan[Visit]:
    """Look at one term after the other until one decides."""
    steps: list[Step] = []
    for term in record.reached:
        step = yield from _take(walk, domain, term)
        steps.append(step)
        result = _result(term, step)
        if result is not None:
            detail = step.detail
            if step.end == "match":
                detail = f"{PeerText(term.text)} of {domain} matches: {step.detail}"
            return Visit(domain, record.text, result, detail, tuple(steps))
    detail = f"no term of {domain} matches"
    return Visit(domain, record.text, Result.NEUTRAL, detail, tuple(steps))


def _result(term: Mechanism | Redirect, step: Step) -> Result | None:
    """Return what *step* decides; None where evaluation goes on."""
    match step.end:
        case "temperror":
            return Result.TEMPERROR
        case "permerror":
            return Result.PERMERROR
        case "match" if not isinstance(term, Redirect):
            return term.result
        case "result" if step.visit is not None:
            return step.visit.result
        case _:
            return None


def _take(walk: Walk, domain: str, term: Mechanism | Redirect) -> Plan[Step]:
    """Look at one term, and count what it costs (RFC 7208 section 4.6.4)."""
    if isinstance(term, Ip4 | Ip6):
        # Most terms by far; they cost nothing, so there is nothing to count.
        return _match_network(walk.ip, term)
    terms, voids, void_queries = walk.terms, walk.voids, walk.void_queries
    if isinstance(term, LOOKERS):
        walk.terms += 1
        if walk.terms > MAX_LOOKUPS:
            detail = f"more than {MAX_LOOKUPS} terms that need DNS, at {PeerText(term.text)}"
            return Step(term.text, "permerror", detail, lookups=1)
    if isinstance(term, Include | Redirect):
        step = yield from _follow(walk, domain, term)
    else:
        found = yield from _match(walk, domain, term)
        step = Step(term.text, found.end, found.detail, found.target, asked=found.asked)
    own = step.visit.asked if step.visit else step.asked
    exceeded = yield from count_voids(walk, term, own)
    return Step(
        step.term,
        "permerror" if exceeded else step.end,
        exceeded or step.detail,
        step.target,
        walk.terms - terms,
        walk.voids - voids,
        walk.void_queries - void_queries,
        step.asked,
        step.visit,
    )


def _match(walk: Walk, domain: str, term: Mechanism) -> Plan[Match]:
    """Hand a mechanism to what knows it."""
    match term:
        case A():
            return (yield from match_a(walk, domain, term))
        case Mx():
            return (yield from match_mx(walk, domain, term))
        case Ptr():
            return (yield from match_ptr(walk, domain, term))
        case Exists():
            return (yield from match_exists(walk, domain, term))
        case _:
            return Match("match", "all matches everybody")


def _match_network(ip: Address, term: Ip4 | Ip6) -> Step:
    """``ip4`` and ``ip6``: never across families (RFC 7208 section 5)."""
    if ip in term.network:
        return Step(term.text, "match", f"{ip} is in {term.network}")
    return _outside(term.text)


@lru_cache(maxsize=1024)
def _outside(term: str) -> Step:
    """Say that a network is not the client's, in one object for all clients: most steps are so."""
    # Not worded in full: long records have hundreds of these, and the term stands beside it.
    return Step(term, "no match", "the client is not in this network")


def _follow(walk: Walk, domain: str, term: Include | Redirect) -> Plan[Step]:
    """Evaluate another record (RFC 7208 sections 5.2 and 6.1)."""
    target = yield from target_of(walk, domain, term.domain)
    if target is None:
        # Section 6.1: a malformed redirect is an error. An include of such a name matches nothing.
        unaskable: StepEnd = "permerror" if isinstance(term, Redirect) else "no match"
        return Step(term.text, unaskable, "its expanded name cannot be asked for")
    visit = yield from _visit(walk, target)
    if visit.result is Result.NONE:
        detail = f"{PeerText(term.text)} leads nowhere: {visit.detail}"
        return Step(term.text, "permerror", detail, target, visit=visit)
    if isinstance(term, Redirect):
        return Step(term.text, "result", visit.detail, target, visit=visit)
    end = _INCLUDED.get(visit.result, "no match")
    detail = f"{target} gives {visit.result}" if end == "no match" else visit.detail
    return Step(term.text, end, detail, target, visit=visit)


def _explain(walk: Walk, visit: Visit) -> Plan[str]:
    """Fetch the text that the domain has for a fail; empty where there is none or it is faulty.

    RFC 7208 section 6.2: it is the explanation of the record that decided, through redirects but
    never out of an include.
    """
    while visit.steps and visit.steps[-1].end == "result" and visit.steps[-1].visit is not None:
        visit = visit.steps[-1].visit
    record = parse(visit.record.encode("latin-1"))
    if isinstance(record, Broken) or record.exp is None:
        return ""
    target = yield from target_of(walk, visit.domain, record.exp.domain)
    if target is None:
        return ""
    reply = yield from ask_dns(Query(target, "TXT"))
    texts = [text for text in getattr(reply, "records", ()) if isinstance(text, TextRecord)]
    if len(texts) != 1:
        return ""
    try:
        string = parse_macros(_text(texts[0]), EXP_LETTERS)
    except MacroError:
        return ""
    values = yield from macro_values(walk, visit.domain, string)
    return PeerText(expand(string, values), _EXPLANATION)
