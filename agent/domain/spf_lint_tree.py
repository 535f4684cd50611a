"""Is all that an SPF record leads to in order, and does it stay within the limits?"""

from collections import Counter
from collections.abc import Iterator

from agent.domain import spf_rules_tree as rules
from agent.domain.finding import Finding, Rule
from agent.domain.lookup import Answer, Exchange, Query, TextRecord
from agent.domain.lookup import Type as RecordType
from agent.domain.peer_text import PeerText
from agent.domain.spf_macro import EXP_LETTERS, MacroError, parse_macros
from agent.domain.spf_survey import Bounds, Survey
from agent.domain.spf_terms import A, Exists, Include, Mechanism, Mx, Redirect, Result
from agent.domain.spf_trace import MAX_LOOKUPS, MAX_NAMES, MAX_VOIDS
from agent.domain.spf_tree import Branch, State, Twig, exchange_hosts, static_target

_BAD_STATES: dict[State, Rule] = {
    State.MISSING: rules.TARGET_MISSING,
    State.MULTIPLE: rules.TARGET_BROKEN,
    State.BROKEN: rules.TARGET_BROKEN,
    State.UNANSWERED: rules.TARGET_UNANSWERED,
    State.LOOP: rules.LOOP,
}


def lint_tree(survey: Survey, bounds: Bounds) -> Iterator[Finding]:
    """Look at what the record leads to, and at what it costs."""
    yield from _targets(survey)
    yield from _open_targets(survey)
    yield from _duplicates(survey)
    yield from _lookups(survey, bounds)
    yield from _voids(survey, bounds)
    yield from _own_hosts(survey)
    yield from _explanations(survey)


def _targets(survey: Survey) -> Iterator[Finding]:
    """Look at what includes and redirects lead to, each target once."""
    seen: set[tuple[str, State]] = set()
    for parent in survey.root.walk():
        for twig in parent.twigs:
            branch = twig.branch
            if branch is None or (branch.domain, branch.state) in seen:
                continue
            seen.add((branch.domain, branch.state))
            rule = _BAD_STATES.get(branch.state)
            if rule is not None:
                where = _place(parent, twig)
                yield rule.found(f"{where}: {branch.state.value}", *_first_fault(branch))


def _place(parent: Branch, twig: Twig) -> str:
    return f"{PeerText(twig.term.text)} in the record of {PeerText(parent.domain)}"


def _first_fault(branch: Branch) -> tuple[str, ...]:
    return tuple(PeerText(f"{fault.term} {fault.message}") for fault in branch.faults[:1])


def _open_targets(survey: Survey) -> Iterator[Finding]:
    """Find included records that pass everybody; those of the domain have rules of their own."""
    own = {branch.domain for branch in survey.forest.policy}
    places = {
        branch.domain: _place(parent, twig)
        for parent, twig, branch in _believed(survey.root)
        if branch.domain not in own and _passes_everybody(branch)
    }
    for place in places.values():
        yield rules.TARGET_PLUS_ALL.found(place)


def _believed(parent: Branch) -> Iterator[tuple[Branch, Twig, Branch]]:
    """Yield the records whose pass is a pass of the domain, with the way there."""
    for twig in parent.twigs:
        # What passes a target is refused by `-include` (RFC 7208 section 5.2).
        believed = isinstance(twig.term, Redirect) or twig.term.result is Result.PASS
        if twig.branch is not None and believed:
            yield parent, twig, twig.branch
            yield from _believed(twig.branch)


def _passes_everybody(branch: Branch) -> bool:
    end = branch.record.all if branch.record is not None else None
    return end is not None and end.result is Result.PASS


def _duplicates(survey: Survey) -> Iterator[Finding]:
    counts = Counter(
        twig.target
        for branch in survey.root.walk()
        for twig in branch.twigs
        if isinstance(twig.term, Include | Redirect) and twig.target is not None
    )
    loops = {branch.domain for branch in survey.root.walk() if branch.state is State.LOOP}
    for target, count in counts.items():
        if count > 1 and target not in loops:
            yield rules.DUPLICATE_INCLUDE.found(f"{PeerText(target)} is included {count} times")


def _lookups(survey: Survey, bounds: Bounds) -> Iterator[Finding]:
    """Judge the most that any path through the tree costs."""
    lookups = survey.root.lookups
    if lookups > MAX_LOOKUPS:
        dearest = max(survey.root.twigs, key=lambda twig: twig.lookups)
        most = f"{PeerText(dearest.term.text)} alone costs {dearest.lookups}"
        yield rules.TOO_MANY_LOOKUPS.found(f"it takes up to {lookups} lookups", most)
    elif lookups >= bounds.lookups:
        yield rules.NEAR_LOOKUPS.found(f"it takes up to {lookups} of {MAX_LOOKUPS} lookups")


def void_terms(survey: Survey, family: RecordType) -> tuple[str, ...]:
    """List the terms of the tree that lead nowhere for clients of a family (``A``, ``AAAA``)."""
    return tuple(
        twig.term.text
        for branch in survey.root.walk()
        for twig in branch.twigs
        if any(survey_void(survey, query) for query in _questions(survey, twig, family))
    )


def survey_void(survey: Survey, query: Query) -> bool:
    """Tell whether DNS is known to have nothing for *query*."""
    reply = survey.forest.replies.get(query)
    return isinstance(reply, Answer) and reply.is_void


def _questions(survey: Survey, twig: Twig, family: RecordType) -> tuple[Query, ...]:
    """List what a receiver asks for one term and a client of a family."""
    if twig.target is None:
        return ()
    match twig.term:
        case Include() | Redirect():
            return (Query(twig.target, "TXT"),)
        case A():
            return (Query(twig.target, family),)
        case Mx():
            exchanges = Query(twig.target, "MX")
            hosts = exchange_hosts(survey.forest.replies.get(exchanges))
            return (exchanges, *(Query(host, family) for host in hosts))
        case Exists():
            return (Query(twig.target, "A"),)
        case _:
            return ()


def _voids(survey: Survey, bounds: Bounds) -> Iterator[Finding]:
    """Lookups that lead nowhere, for clients of both families."""
    voids, voids6 = void_terms(survey, "A"), void_terms(survey, "AAAA")
    shown, shown6 = tuple(map(PeerText, voids)), tuple(map(PeerText, voids6))
    if len(voids) > MAX_VOIDS:
        yield rules.TOO_MANY_VOIDS.found(f"{len(voids)} terms lead nowhere", *shown)
        return
    if len(voids) >= bounds.voids:
        yield rules.NEAR_VOIDS.found(f"{len(voids)} of {MAX_VOIDS} void lookups", *shown)
    if len(voids6) > MAX_VOIDS:
        yield rules.IPV6_VOIDS.found(f"{len(voids6)} terms lead nowhere", *shown6)


def _own_hosts(survey: Survey) -> Iterator[Finding]:
    """Look at the hosts that the domain's own records name."""
    for branch in survey.forest.policy:
        for twig in branch.twigs:
            if twig.target is not None and isinstance(twig.term, A | Mx):
                yield from _host(survey, twig.term, twig.target)


def _host(survey: Survey, term: Mechanism, target: str) -> Iterator[Finding]:
    hosts: tuple[str, ...] = (target,)
    if isinstance(term, Mx):
        exchanges = survey.forest.replies.get(Query(target, "MX"))
        if not isinstance(exchanges, Answer):
            return  # DNS could not say, or was not asked for so much
        hosts = exchange_hosts(exchanges)
        count = sum(isinstance(record, Exchange) for record in exchanges.records)
        if count > MAX_NAMES:
            detail = f"{PeerText(target)} has {count} MX records"
            yield rules.MANY_EXCHANGES.found(detail)
    dead = all(
        survey_void(survey, Query(host, "A")) and survey_void(survey, Query(host, "AAAA"))
        for host in hosts
    )
    if dead:
        yield rules.EMPTY_TERM.found(f"{PeerText(term.text)} finds no address")


def _explanations(survey: Survey) -> Iterator[Finding]:
    for branch in survey.forest.policy:
        exp = branch.record.exp if branch.record is not None else None
        target = static_target(exp.domain, branch.domain) if exp is not None else None
        reply = survey.forest.replies.get(Query(target, "TXT")) if target is not None else None
        if exp is not None and isinstance(reply, Answer):
            problem = _explanation_problem(reply)
            if problem:
                yield rules.EXP.found(f"{PeerText(exp.text)}: {problem}")


def _explanation_problem(answer: Answer) -> str:
    texts = [record for record in answer.records if isinstance(record, TextRecord)]
    if len(texts) != 1:
        return f"{len(texts)} TXT records" if texts else "no TXT record"
    try:
        parse_macros(texts[0].joined.decode("latin-1"), EXP_LETTERS)
    except MacroError as error:
        return f"the text {PeerText(str(error))}"
    return ""
