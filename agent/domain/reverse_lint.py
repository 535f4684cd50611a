"""What is wrong with the reverse names of the addresses that send a domain's mail?

An address that is named by itself is judged strictly. Of a network only some addresses send, and
nobody says which: it is in order where one of them has a good name, and broken where none has.
"""

import enum
from collections.abc import Iterator

from agent.domain import reverse_rules as rules
from agent.domain.finding import Finding, bounded
from agent.domain.lookup import Silence
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText
from agent.domain.public_suffix import zone_of
from agent.domain.reverse import Address, Reversal
from agent.domain.reverse_names import is_proper
from agent.domain.reverse_survey import Named, Source, Survey

_IPV6 = 6
_SHOWN = 3  # names in one sentence


class Verdict(enum.StrEnum):
    """What the name of an address is worth: a closed set, fit for a label value."""

    CONFIRMED = "confirmed"
    GENERIC = "generic"
    UNCONFIRMED = "unconfirmed"
    MISSING = "missing"
    UNANSWERED = "unanswered"


_VERDICTS = {
    Reversal.CONFIRMED: Verdict.CONFIRMED,
    Reversal.UNCONFIRMED: Verdict.UNCONFIRMED,
    Reversal.MISSING: Verdict.MISSING,
    Reversal.UNANSWERED: Verdict.UNANSWERED,
}


def judge(one: Named) -> Verdict:
    """Tell what the name of an address is worth."""
    return Verdict.GENERIC if one.generic else _VERDICTS[one.found.reversal]


def lint(found: Survey) -> tuple[Finding, ...]:
    """Return what is wrong; nothing of what DNS could not say."""
    return bounded(
        finding
        for source in found.sources
        for finding in (_network(source) if source.size > 1 else _single(source, found.domain))
    )


def silences(found: Survey) -> tuple[tuple[str, str], ...]:
    """Return what DNS could not say and has to be known, each with the reason."""
    told: list[tuple[str, Silence | None]] = [(f"MX of {found.domain}", found.silence)]
    for source in found.sources:
        told.append((f"addresses of {PeerText(source.host, MAX_NAME)}", source.silence))
        if any(one.is_good for one in source.named):
            continue
        silent = [one for one in source.named if judge(one) is Verdict.UNANSWERED]
        told += [(f"names of {one.address}", one.found.silence) for one in silent[:1]]
    return tuple((name, reason.value) for name, reason in told if reason is not None)


def _network(source: Source) -> Iterator[Finding]:
    """Judge a network as one, and only where nothing about it is open."""
    verdicts = {judge(one) for one in source.named}
    if not verdicts or verdicts & {Verdict.CONFIRMED, Verdict.UNANSWERED}:
        return
    count = f"{len(source.named)} addresses of {source.title}"
    scope = f"all {count}" if source.is_whole else f"a sample of {count}"
    if verdicts == {Verdict.MISSING}:
        # Of a sample one cannot tell: the servers may stand between.
        is_sure = source.is_whole and source.named[0].address.version == _IPV6
        rule = rules.MISSING_IPV6 if is_sure else rules.MISSING
        yield rule.found(f"None has a PTR record: {scope} were asked.")
    elif Verdict.GENERIC in verdicts:
        examples = [_line(one) for one in source.named if one.generic]
        yield rules.GENERIC.found(f"None has a name of its own: {scope} were asked.", *examples)
    else:
        examples = [_line(one) for one in source.named if one.found.names]
        yield rules.UNCONFIRMED.found(
            f"None has a name that leads back: {scope} were asked.", *examples
        )


def _single(source: Source, domain: str) -> Iterator[Finding]:
    for one in source.named:
        verdict = judge(one)
        if verdict is Verdict.MISSING:
            is_strict = one.address.version == _IPV6 and source.sends
            rule = rules.MISSING_IPV6 if is_strict else rules.MISSING
            detail = f"{_place(source, one.address)} has no PTR record."
            yield rule.found(detail, fix=_pointer(source, one.address))
        elif verdict is Verdict.UNCONFIRMED:
            detail = f"{_place(source, one.address)} has the name {_names(one.found.strays)}, which"
            fix = _way_back(one, domain)
            yield rules.UNCONFIRMED.found(f"{detail} does not lead back to it.", fix=fix)
        elif verdict is Verdict.GENERIC:
            name = _names(one.found.confirmed)
            detail = f"{_place(source, one.address)} has the name {name}: {one.generic}."
            yield rules.GENERIC.found(detail)
        yield from _names_of(source, one)


def _names_of(source: Source, one: Named) -> Iterator[Finding]:
    """Judge the names by themselves, whatever they lead to."""
    place, found = _place(source, one.address), one.found
    if found.confirmed and found.strays:
        stray = _names(found.strays)
        yield rules.SEVERAL.found(
            f"{place} has {len(found.names)} names, and these do not lead back: {stray}."
        )
    if found.aliases:
        yield rules.ALIAS.found(f"{place} has the name {_names(found.aliases)}, an alias.")
    improper = tuple(name for name in found.names if not is_proper(name.lower()))
    if improper:
        yield rules.IMPROPER.found(f"{place} has the name {_names(improper)}.")


def _place(source: Source, address: Address) -> str:
    return f"{address} ({PeerText(source.host, MAX_NAME)})" if source.host else str(address)


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(PeerText(name, MAX_NAME) for name in names[:_SHOWN])
    return f"{shown} and others" if len(names) > _SHOWN else shown


def _line(one: Named) -> str:
    return f"{one.address}: {_names(one.found.names)}"


def _pointer(source: Source, address: Address) -> str:
    """Write the PTR record; only of an exchange the name is known."""
    if not source.host or not is_proper(source.host):
        return ""
    return f"{address.reverse_pointer}. 3600 IN PTR {source.host}."


def _way_back(one: Named, domain: str) -> str:
    """Write the address record for a name in the domain's own zone; others are not ours."""
    name = one.found.strays[0].lower()
    if not is_proper(name) or zone_of(name) != (zone_of(domain) or domain):
        return ""
    kind = "AAAA" if one.address.version == _IPV6 else "A"
    return f"{name}. 3600 IN {kind} {one.address}"
