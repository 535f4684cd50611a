"""What is wrong with a domain's SPF record? All lints together, and those about clouds."""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.domain import spf_rules_tree as rules
from agent.domain.finding import Finding, bounded
from agent.domain.knowledge.clouds import CLOUDS, UNNEEDED_INCLUDES, Cloud
from agent.domain.lookup import Query
from agent.domain.peer_text import PeerText
from agent.domain.spf_lint_terms import lint_terms
from agent.domain.spf_lint_text import lint_text
from agent.domain.spf_lint_tree import lint_tree
from agent.domain.spf_mending import PARKED, Mended, begun
from agent.domain.spf_rules import RECORD_RULES
from agent.domain.spf_survey import Bounds, Survey
from agent.domain.spf_terms import All, Record, Result
from agent.domain.spf_tree import exchange_hosts

RULES = (*RECORD_RULES, *rules.TREE_RULES)


@dataclass(frozen=True, slots=True)
class Intent:
    """What the operator says about the domain.

    ``clouds`` are the Microsoft clouds that send for it, by profile name, and ``covered`` those
    of them whose addresses have been seen to pass. ``sends`` is false for a parked domain;
    ``senders`` are all that a record has to let pass.
    """

    clouds: frozenset[str] = frozenset()
    covered: frozenset[str] = frozenset()
    sends: bool = True
    senders: tuple[str, ...] = ()


def lint(survey: Survey, bounds: Bounds, intent: Intent) -> tuple[Finding, ...]:
    """Return everything that is wrong, the text first."""
    return bounded(
        (
            *lint_text(survey, bounds, begun(intent.senders, sends=intent.sends)),
            *lint_terms(survey),
            *lint_tree(survey, bounds),
            *_lint_intent(survey, intent),
        )
    )


def says_nothing_is_sent(record: Record) -> bool:
    """Tell whether a record is ``v=spf1 -all`` and nothing else."""
    (first, *rest) = record.mechanisms or (None,)
    return isinstance(first, All) and first.result is Result.FAIL and not rest


def _lint_intent(survey: Survey, intent: Intent) -> Iterator[Finding]:
    """Compare the record with what the operator says."""
    record = survey.root.record
    if record is None:
        return
    if not intent.sends and not says_nothing_is_sent(record):
        fix = Mended(PARKED).line(survey.domain)
        yield rules.PARKED.found(f"the record is {PeerText(record.text)}", fix=fix)
    included = {
        twig.target: twig.term.text
        for branch in survey.root.walk()
        for twig in branch.twigs
        if twig.branch is not None and twig.target is not None
    }
    yield from _clouds(survey, record, intent, included)
    for name, why in UNNEEDED_INCLUDES.items():
        if name in included:
            yield rules.RETIRED_INCLUDE.found(f"{PeerText(included[name])}: {why}")
    if "outlook.com" in included:
        yield rules.OUTLOOK_COM.found(f"the term is {PeerText(included['outlook.com'])}")


def _clouds(
    survey: Survey, record: Record, intent: Intent, included: dict[str, str]
) -> Iterator[Finding]:
    """Find the right include missing, and wrong ones present."""
    found = {cloud.name for cloud in CLOUDS.values() if cloud.spf_include in included}
    strangers = {name for name in found - intent.clouds if not CLOUDS[name].retired}
    if intent.clouds and strangers:
        titles = ", ".join(CLOUDS[name].title for name in sorted(strangers))
        yield rules.WRONG_CLOUD.found(f"it includes {titles}")
    if len(found) > 1:
        yield rules.SEVERAL_CLOUDS.found(f"it includes {', '.join(sorted(found))}")
    for name in sorted(intent.clouds - found - intent.covered):
        include = CLOUDS[name].spf_include
        yield rules.CLOUD_MISSING.found(f"include:{include} is missing")
    if says_nothing_is_sent(record):
        return
    for cloud in CLOUDS.values():
        if cloud.name not in found | intent.clouds and _receives(survey, cloud):
            yield rules.CLOUD_UNMENTIONED.found(f"MX leads to {cloud.title}")


def _receives(survey: Survey, cloud: Cloud) -> bool:
    """Tell whether an exchange of the domain belongs to *cloud*."""
    hosts = exchange_hosts(survey.forest.replies.get(Query(survey.domain, "MX")))
    suffixes = tuple(pattern.removeprefix("*") for pattern in cloud.exchange_patterns)
    return any(host.endswith(suffixes) for host in hosts)
