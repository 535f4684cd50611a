"""What is wrong with the way to a domain's mail?

Compares a survey of the domain with what its topology, or its operator, lets expect. Every finding
names its hosts through :class:`agent.domain.peer_text.PeerText`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.domain import mx_lint_targets
from agent.domain import mx_rules as rules
from agent.domain.finding import Finding, bounded
from agent.domain.knowledge.clouds import CLOUDS
from agent.domain.knowledge.topologies import TOPOLOGIES
from agent.domain.lookup import Answer, Exchange
from agent.domain.mx import Survey, Target, matches, matches_any
from agent.domain.peer_text import PeerText

LONGEST_NAME = 300  # characters of a name as shown: 253, and some escapes


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the survey is compared with.

    ``exchanges`` are the operator's own patterns; ``patterns`` what holds in effect, with those of
    the topology where the operator gave none. TTLs are in seconds, 0 for no limit.
    """

    exchanges: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    microsoft_exchanges: bool = True
    receives: bool = True
    min_ttl: int = 0
    max_ttl: int = 0
    max_exchanges: int = 10


def expect(  # noqa: PLR0913 - options of one value, by keyword
    topology: str,
    *,
    exchanges: tuple[str, ...] = (),
    senders: tuple[str, ...] = (),
    min_ttl: int = 0,
    max_ttl: int = 0,
    max_exchanges: int = 10,
) -> Expectation:
    """Return what *topology* lets expect, unless *exchanges* says otherwise.

    Where *senders* names a Microsoft cloud, its exchanges replace those of the worldwide one.
    """
    profile = TOPOLOGIES[topology]
    patterns = exchanges or profile.exchange_patterns
    named = next((CLOUDS[sender] for sender in senders if sender in CLOUDS), None)
    if profile.exchange_patterns and named and not exchanges:
        patterns = named.exchange_patterns
    return Expectation(
        exchanges=exchanges,
        patterns=patterns,
        microsoft_exchanges=profile.microsoft_exchanges,
        receives=profile.receives,
        min_ttl=min_ttl,
        max_ttl=max_ttl,
        max_exchanges=max_exchanges,
    )


def lint(survey: Survey, expected: Expectation) -> tuple[Finding, ...]:
    """Return what is wrong; nothing where DNS could not say, for that is another matter."""
    if not isinstance(survey.reply, Answer):
        return ()
    if not survey.reply.name_exists:
        # No MX, no addresses: one cause, one finding.
        if survey.zone:
            detail = f"{survey.domain} does not exist in the zone {survey.zone}."
            return (rules.NAME_MISSING.found(detail),)
        return (rules.DOMAIN_MISSING.found(f"DNS says that {survey.domain} does not exist."),)
    findings = [*_lint_domain(survey, survey.reply), *_lint_ttl(survey.reply, expected)]
    if expected.receives:
        findings += _lint_receiving(survey, expected)
    else:
        findings += _lint_parked(survey)
    return bounded(findings)


def _lint_receiving(survey: Survey, expected: Expectation) -> Iterator[Finding]:
    yield from _lint_absence(survey)
    yield from _lint_set(survey, expected)
    if expected.patterns and survey.routes:  # without a route there is a finding already
        yield from _lint_expected(survey.targets, expected)
    yield from mx_lint_targets.lint(survey)
    yield from mx_lint_targets.lint_microsoft(
        survey, expected.exchanges, allowed=expected.microsoft_exchanges, patterns=expected.patterns
    )


def _lint_domain(survey: Survey, reply: Answer) -> Iterator[Finding]:
    if reply.aliases:
        target = PeerText(reply.aliases[-1], LONGEST_NAME)
        yield rules.DOMAIN_ALIAS.found(f"{survey.domain} is an alias of {target}.")
    hosts = tuple(_show(record) for record in survey.wildcard if record.exchange)
    if hosts:
        yield rules.WILDCARD.found(
            f"A name below {survey.domain} that nobody created has MX records.", *hosts[:10]
        )


def _lint_ttl(reply: Answer, expected: Expectation) -> Iterator[Finding]:
    if reply.ttl is None or not reply.records:
        return
    # A caching resolver hands out what is left: only the highest value seen means something.
    seen = f"the highest TTL seen so far is {reply.ttl} s (a caching resolver counts down)"
    if expected.min_ttl and reply.ttl < expected.min_ttl:
        yield rules.TTL_LOW.found(f"At least {expected.min_ttl} s are asked for; {seen}.")
    if expected.max_ttl and reply.ttl > expected.max_ttl:
        yield rules.TTL_HIGH.found(f"At most {expected.max_ttl} s are asked for; {seen}.")


def _lint_parked(survey: Survey) -> Iterator[Finding]:
    if survey.records and not survey.is_null:
        hosts = tuple(_show(record) for record in survey.records[:10])
        yield rules.PARKED_ACCEPTS.found(f"{survey.domain} has MX records.", *hosts)
    elif survey.implicit and survey.implicit.addresses:
        yield rules.PARKED_ACCEPTS.found(
            f"{survey.domain} has no MX record, but an address that senders would use instead."
        )


def _lint_absence(survey: Survey) -> Iterator[Finding]:
    if survey.is_null:
        yield rules.NULL.found(f"The only MX record of {survey.domain} names no host.")
    elif any(not record.exchange for record in survey.records):
        others = tuple(_show(record) for record in survey.records[:10])
        yield rules.NULL_BESIDE_OTHERS.found("One MX record of several names no host.", *others)
    elif survey.implicit and survey.implicit.addresses:
        addresses = ", ".join(map(str, survey.implicit.addresses[:5]))
        yield rules.IMPLICIT.found(f"{survey.domain} has no MX record, but {addresses}.")
    elif not survey.records and survey.implicit is None:
        yield rules.MISSING.found(f"{survey.domain} exists, without MX, A and AAAA.")


def _lint_set(survey: Survey, expected: Expectation) -> Iterator[Finding]:
    preferences: dict[str, list[int]] = {}
    for one in survey.records:
        preferences.setdefault(one.exchange, []).append(one.preference)
    for target in survey.targets:
        own = preferences.get(target.exchange, [])
        if len(own) > 1:
            listed = ", ".join(map(str, own[:10]))
            yield rules.DUPLICATE.found(f"{_name(target)} has the preferences {listed}.")
    if len(survey.targets) > expected.max_exchanges:
        yield rules.TOO_MANY.found(
            f"{len(survey.targets)} exchanges, more than {expected.max_exchanges}."
        )


def _lint_expected(targets: tuple[Target, ...], expected: Expectation) -> Iterator[Finding]:
    patterns = ", ".join(expected.patterns)
    fitting = [one for one in targets if matches_any(expected.patterns, one.exchange)]
    for target in targets:
        if target not in fitting and not _has_rule_of_its_own(target, expected):
            whose = f", a host of {target.owner.title}" if target.owner else ""
            yield rules.UNEXPECTED.found(f"{_name(target)}{whose}.", f"expected: {patterns}")
    if not fitting:
        yield rules.EXPECTED_MISSING.found(f"Expected: {patterns}.")
        return
    for pattern in expected.patterns:
        if "*" not in pattern and not any(matches(pattern, one.exchange) for one in targets):
            yield rules.EXPECTED_INCOMPLETE.found(f"{pattern} has no MX record.")
    if fitting[0].preference > targets[0].preference:
        yield rules.PREFERENCE.found(
            f"{_name(targets[0])} has preference {targets[0].preference},"
            f" {_name(fitting[0])} has {fitting[0].preference}."
        )


def _has_rule_of_its_own(target: Target, expected: Expectation) -> bool:
    """Tell whether another finding says it better than: unexpected."""
    owner = target.owner.name if target.owner else ""
    if owner == "legacy" or (owner in CLOUDS and CLOUDS[owner].retired):
        return True
    return owner in CLOUDS and not expected.microsoft_exchanges


def _name(target: Target) -> PeerText:
    return PeerText(target.exchange, LONGEST_NAME)


def _show(record: Exchange) -> str:
    return f"MX {record.preference} {PeerText(record.exchange, LONGEST_NAME) or '.'}"
