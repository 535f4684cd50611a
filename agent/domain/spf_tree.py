"""What does a record include, and what could it cost, whoever asks?

The static view: the whole tree of includes and redirects, each target fetched once, loops cut. The
dynamic view, for one client, is :mod:`agent.domain.spf`. Targets with macros that depend on the
client stay unknown here and count as the one lookup that they are.
"""

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from agent.domain.fact import Mood, Node, bounded
from agent.domain.lookup import Answer, Exchange, Plan, Query, Reply, TextRecord, Unanswered
from agent.domain.lookup import ask_all as ask_all_dns
from agent.domain.peer_text import PeerText
from agent.domain.spf_macro import MacroString, expand, query_name
from agent.domain.spf_record import parse, select
from agent.domain.spf_terms import (
    LOOKERS,
    A,
    Broken,
    Exists,
    Include,
    Mechanism,
    Mx,
    Record,
    Redirect,
    SyntaxFault,
)

MAX_ROUNDS = 12  # levels of includes that are followed; receivers stop at 10
MAX_QUERIES = 400  # of one tree
MAX_OCTETS = 128 * 1024  # of all TXT records together; honest trees have a tenth of it
MAX_BRANCHES = 250  # that are drawn; ten lookups need far fewer
_RECORD_TEXT = 1000


class State(enum.StrEnum):
    """What was found at a name that a record leads to."""

    RECORD = "record"
    MISSING = "no record"
    MULTIPLE = "several records"
    BROKEN = "syntax errors"
    UNANSWERED = "DNS could not say"
    LOOP = "leads back to itself"
    DYNAMIC = "depends on the client"
    CUT = "not followed, the tree is too large"


@dataclass(frozen=True, slots=True)
class Branch:
    """The record at one name and what hangs below it.

    ``lookups`` is what an evaluation spends that goes through all of it and matches nothing;
    ``written`` counts the terms that are never reached, too.
    """

    domain: str
    state: State
    text: str = ""
    record: Record | None = None
    faults: tuple[SyntaxFault, ...] = ()
    twigs: tuple["Twig", ...] = ()
    lookups: int = 0
    written: int = 0

    @property
    def successor(self) -> "Branch | None":
        """What a redirect at the end hands over to."""
        last = self.twigs[-1] if self.twigs else None
        return last.branch if last is not None and isinstance(last.term, Redirect) else None

    def walk(self) -> Iterator["Branch"]:
        """Yield this branch and all below it."""
        yield self
        for twig in self.twigs:
            if twig.branch is not None:
                yield from twig.branch.walk()


@dataclass(frozen=True, slots=True)
class Twig:
    """One term of a branch that an evaluation can reach; ``lookups`` with those below it."""

    term: Mechanism | Redirect
    target: str | None
    lookups: int
    branch: Branch | None = None


@dataclass(frozen=True, slots=True)
class Forest:
    """A tree, and every reply that it was made of."""

    root: Branch
    replies: Mapping[Query, Reply]

    @property
    def policy(self) -> tuple[Branch, ...]:
        """The domain's own record and those that redirects hand over to."""
        found = [self.root]
        while (branch := found[-1].successor) is not None:
            found.append(branch)
        return tuple(found)


def static_target(spec: MacroString | None, domain: str) -> str | None:
    """Return the name that a term leads to whoever asks; None where that depends."""
    if spec is None:
        return domain
    if spec.letters - {"d"}:
        return None
    return query_name(expand(spec, {"d": domain}))


def grow(domain: str, extra: tuple[Query, ...] = (), *, fresh: bool = False) -> Plan[Forest]:
    """Fetch the whole tree of *domain*, level by level; *extra* questions go with the first.

    *fresh* has the record at *domain* itself asked and not taken from a cache.
    """
    known: dict[Query, Reply] = {}
    wanted = (Query(domain, "TXT", fresh=fresh), *extra)
    rounds = octets = 0
    while wanted and rounds < MAX_ROUNDS and octets <= MAX_OCTETS:
        replies = yield from ask_all_dns(wanted)
        for query, reply in zip(wanted, replies, strict=True):
            octets += _octets(reply)
            if octets <= MAX_OCTETS:
                known[query] = reply
        wanted = _wanted(domain, known)[: MAX_QUERIES - len(known)]
        rounds += 1
    return Forest(_Builder(known).branch(domain, ()), known)


def _octets(reply: Reply) -> int:
    """Return how much there is to read."""
    records = reply.records if isinstance(reply, Answer) else ()
    return sum(len(one.joined) for one in records if isinstance(one, TextRecord))


def _wanted(domain: str, known: Mapping[Query, Reply]) -> tuple[Query, ...]:
    """List what the tree, as far as it is known, needs next."""
    wanted: dict[Query, None] = {}
    seen, pending = {domain}, [domain]
    while pending:
        name = pending.pop()
        record = read(known.get(Query(name, "TXT")))
        for term in record.reached if isinstance(record, Record) else ():
            for query in _needs(term, name, known):
                if query not in known:
                    wanted[query] = None
                elif isinstance(term, Include | Redirect) and query.name not in seen:
                    seen.add(query.name)
                    pending.append(query.name)
    return tuple(wanted)


def _needs(
    term: Mechanism | Redirect, domain: str, known: Mapping[Query, Reply]
) -> tuple[Query, ...]:
    """List the questions of one term that do not depend on the client."""
    if not isinstance(term, Include | Redirect | A | Mx | Exists):
        return ()
    target = static_target(term.domain, domain)
    if target is None:
        return ()
    match term:
        case Include() | Redirect():
            return (Query(target, "TXT"),)
        case Exists():
            return (Query(target, "A"),)
        case Mx():
            hosts = exchange_hosts(known.get(Query(target, "MX")))
            addresses = [q for host in hosts for q in (Query(host, "A"), Query(host, "AAAA"))]
            return (Query(target, "MX"), *addresses)
        case _:
            return (Query(target, "A"), Query(target, "AAAA"))


def exchange_hosts(reply: Reply | None) -> tuple[str, ...]:
    """Return the hosts of an MX answer that can be asked for, each once, at most ten."""
    records = reply.records if isinstance(reply, Answer) else ()
    hosts = [query_name(one.exchange) for one in records if isinstance(one, Exchange)]
    return tuple(dict.fromkeys(host for host in hosts if host))[:10]


def read(reply: Reply | None) -> Record | Broken | State:
    """Read the one SPF record of a TXT reply, or say why there is none."""
    if reply is None:
        return State.CUT
    if isinstance(reply, Unanswered):
        return State.UNANSWERED
    records = select(reply.records).records
    if not records:
        return State.MISSING
    return parse(records[0].joined) if len(records) == 1 else State.MULTIPLE


class _Builder:
    """Makes branches of replies; knows how many it may still make."""

    def __init__(self, known: Mapping[Query, Reply]) -> None:
        self._known = known
        self._left = MAX_BRANCHES

    def branch(self, domain: str, above: tuple[str, ...]) -> Branch:
        """Build what hangs at *domain*; *above* are the names that lead here."""
        if domain in above:
            return Branch(domain, State.LOOP)
        self._left -= 1
        found = read(self._known.get(Query(domain, "TXT"))) if self._left >= 0 else State.CUT
        if isinstance(found, State):
            return Branch(domain, found, _published(self._known.get(Query(domain, "TXT"))))
        if isinstance(found, Broken):
            return Branch(domain, State.BROKEN, found.text, faults=found.faults)
        path = (*above, domain)
        twigs = tuple(self._twig(term, domain, path) for term in found.reached)
        lookups = sum(twig.lookups for twig in twigs)
        unreached = _lookers(found.terms) - _lookers(found.reached)
        return Branch(domain, State.RECORD, found.text, found, (), twigs, lookups,
                      lookups + unreached)  # fmt: skip

    def _twig(self, term: Mechanism | Redirect, domain: str, path: tuple[str, ...]) -> Twig:
        own = int(isinstance(term, LOOKERS))
        target = static_target(getattr(term, "domain", None), domain) if own else None
        if not isinstance(term, Include | Redirect):
            return Twig(term, target, own)
        if target is None:
            return Twig(term, None, own, Branch(term.domain.text, State.DYNAMIC))
        branch = self.branch(target, path)
        return Twig(term, target, own + branch.lookups, branch)


def _lookers(terms: Iterable[object]) -> int:
    return sum(isinstance(term, LOOKERS) for term in terms)


def _published(reply: Reply | None) -> str:
    """Return the text of the first of several records."""
    records = select(reply.records).records if isinstance(reply, Answer) else ()
    return " | ".join(record.joined.decode("latin-1") for record in records)


_MOODS: dict[State, Mood] = {
    State.RECORD: "plain",
    State.UNANSWERED: "unknown",
    State.DYNAMIC: "plain",
    State.CUT: "warning",
}


def draw(branch: Branch) -> Node:
    """Draw a tree with the lookups that each branch costs."""
    children = bounded(tuple(_draw_twig(twig) for twig in branch.twigs))
    detail = PeerText(branch.text, _RECORD_TEXT) if branch.record else branch.state.value
    mood = _MOODS.get(branch.state, "bad")
    return Node(PeerText(branch.domain), detail, mood, branch.lookups, children)


def _draw_twig(twig: Twig) -> Node:
    if twig.branch is None:
        return Node(PeerText(twig.term.text), count=twig.lookups or None)
    return _draw_bough(twig.term.text, twig.lookups, twig.branch)


@lru_cache(maxsize=512)
def _draw_bough(term: str, lookups: int, branch: Branch) -> Node:
    """Draw what a term leads to.

    Equal ones give the same object: thousands of domains include the same few records.
    """
    node = draw(branch)
    return Node(PeerText(term), node.detail, node.mood, lookups, node.children)
