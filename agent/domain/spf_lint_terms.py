"""Do the terms of a domain's own SPF record say what was meant?

The record and those that its redirects lead to; what others publish is not the domain's to mend.
"""

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network

from agent.domain import spf_rules as rules
from agent.domain.finding import Finding
from agent.domain.knowledge.addresses import special_use
from agent.domain.peer_text import PeerText
from agent.domain.spf_macro import MacroString
from agent.domain.spf_mending import Mended, ended
from agent.domain.spf_survey import Survey
from agent.domain.spf_terms import A, All, Ip4, Ip6, Mx, Ptr, Record, Result, Term, UnknownModifier

_WIDE_4 = 16  # shorter prefixes are very wide
_WIDE_6 = 32
_MISTAKEN = frozenset(
    ("all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists", "ip", "ipv4", "ipv6", "v")
)


def lint_terms(survey: Survey) -> Iterator[Finding]:
    """Look at every term of the domain's own records."""
    records = [branch.record for branch in survey.forest.policy if branch.record is not None]
    for record in records:
        yield from _order(record)
        yield from _discouraged(record)
        yield from _ranges(record)
    for record in records[-1:]:
        is_own = record is survey.root.record
        yield from _ending(record, survey.domain if is_own else "")


def _ending(last: Record, domain: str) -> Iterator[Finding]:
    """Tell what happens to strangers; *domain* is empty where the record is that of another."""
    end = last.all
    mended = ended(last) if domain else Mended()
    why = (mended.problem,) if mended.problem else ()
    fix = mended.line(domain)
    if end is None:
        if last.redirect is None:
            term = PeerText(last.text.split()[-1])
            yield rules.NO_ALL.found(f"the last term is {term}", *why, fix=fix)
    elif end.result is Result.PASS:
        yield rules.PLUS_ALL.found(f"it has {PeerText(end.text)}", *why, fix=fix)
    elif end.result is Result.NEUTRAL:
        yield rules.NEUTRAL_ALL.found(f"it has {PeerText(end.text)}", *why, fix=fix)


def _order(record: Record) -> Iterator[Finding]:
    """Find what is never reached."""
    if record.all is None:
        return
    late = record.mechanisms[record.mechanisms.index(record.all) + 1 :]
    if late:
        words = " ".join(term.text for term in late)
        yield rules.AFTER_ALL.found(f"never looked at: {PeerText(words)}")
    if record.redirect is not None:
        yield rules.REDIRECT_WITH_ALL.found(f"ignored: {PeerText(record.redirect.text)}")


def _discouraged(record: Record) -> Iterator[Finding]:
    """Find what is legal and not wanted."""
    for term in record.terms:
        text = PeerText(term.text)
        if isinstance(term, Ptr):
            yield rules.PTR.found(f"the term is {text}")
        if "p" in _letters(term):
            yield rules.MACRO_P.found(f"the term is {text}")
        if isinstance(term, UnknownModifier) and term.name in _MISTAKEN:
            yield rules.TYPO_MODIFIER.found(f"ignored: {text}")


def _letters(term: Term) -> frozenset[str]:
    spec = getattr(term, "domain", None)
    return spec.letters if isinstance(spec, MacroString) else frozenset()


def _ranges(record: Record) -> Iterator[Finding]:
    """Which addresses the record lists."""
    for term in record.mechanisms:
        if isinstance(term, Ip4 | Ip6):
            yield from _range(term)
        if not isinstance(term, All) and term.result is Result.PASS:
            yield from _width(term)
    for result in Result:
        for family in (Ip4, Ip6):
            yield from _contained(
                [
                    (term.network, term.text)
                    for term in record.mechanisms
                    if isinstance(term, family) and term.result is result
                ]
            )


def _range(term: Ip4 | Ip6) -> Iterator[Finding]:
    text = PeerText(term.text)
    if term.has_host_bits:
        yield rules.HOST_BITS.found(f"{text} means {term.network}")
    use = special_use(term.network)
    if use is not None:
        yield rules.SPECIAL_RANGE.found(f"{text} is in {use}")


def _width(term: Term) -> Iterator[Finding]:
    """How much of the address space a term can cover."""
    match term:
        case Ip4(network=IPv4Network(prefixlen=prefix)):
            prefix4, prefix6 = prefix, 128
        case Ip6(network=IPv6Network(prefixlen=prefix)):
            prefix4, prefix6 = 32, prefix
        case A(prefix4=prefix4, prefix6=prefix6) | Mx(prefix4=prefix4, prefix6=prefix6):
            pass
        case _:
            return
    text = PeerText(term.text)
    if 0 in {prefix4, prefix6}:
        yield rules.WHOLE_INTERNET.found(f"the term is {text}")
    elif prefix4 < _WIDE_4 or prefix6 < _WIDE_6:
        yield rules.WIDE_RANGE.found(f"the term is {text}")


def _contained(ranges: list[tuple[IPv4Network | IPv6Network, str]]) -> Iterator[Finding]:
    """Find ranges of one family and result that lie inside another one."""
    ranges.sort(key=lambda item: (int(item[0].network_address), item[0].prefixlen))
    outer: tuple[IPv4Network | IPv6Network, str] | None = None
    for network, text in ranges:
        if outer is not None and network.network_address in outer[0]:
            yield rules.REDUNDANT_RANGE.found(f"{PeerText(text)} lies inside {PeerText(outer[1])}")
        else:
            outer = (network, text)
