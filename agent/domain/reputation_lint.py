"""Which rules does the reputation of a domain break?"""

from collections.abc import Iterator

from agent.domain import reputation_rules as rules
from agent.domain.blocklist import State
from agent.domain.finding import Finding, Rule, bounded
from agent.domain.reputation_survey import Consulted, Listed, Survey, shown

_OF_STATE = {
    State.REFUSED: rules.REFUSES_US,
    State.BROKEN: rules.BROKEN,
    State.UNANSWERED: rules.SILENT,
}


def lint(found: Survey, unusable: tuple[tuple[str, str], ...] = ()) -> tuple[Finding, ...]:
    """Return what is wrong; *unusable* are lists that could not be asked, and why."""
    findings = [*_listings(found), *_silences(found)]
    findings += [rules.NOT_ASKED.found(f"{name}: {why}.") for name, why in unusable]
    return bounded(findings)


def _listings(found: Survey) -> Iterator[Finding]:
    for one in found.consulted:
        for each in one.listed:
            yield _listing(one, each)


def _listing(one: Consulted, each: Listed) -> Finding:
    verdict = each.verdict
    detail = f"{shown(each.entry)} is on {one.asked.known.title}: {'; '.join(verdict.said)}."
    evidence = [f"the list writes: {verdict.reason}"] if verdict.reason else []
    if one.asked.known.page:
        evidence.append(f"see {one.asked.known.page}")
    return _rule(one, each).found(detail, *evidence)


def _rule(one: Consulted, each: Listed) -> Rule:
    refuses = one.asked.refuses and each.verdict.refuses
    if isinstance(each.entry, str):
        return rules.DOMAIN_REFUSED if refuses else rules.DOMAIN_LISTED
    return rules.REFUSED if refuses else rules.LISTED


def _silences(found: Survey) -> Iterator[Finding]:
    for one in found.consulted:
        title = one.asked.known.title
        for kind, health in one.health:
            if not health.is_good:
                yield _OF_STATE[health.state].found(f"{title} ({kind}): {health.detail}.")
        for each in one.told:
            rule = _OF_STATE.get(each.verdict.state)
            if rule is not None:
                yield rule.found(f"{title}, asked for {shown(each.entry)}: {each.verdict.detail}.")


def failure(found: Survey) -> str:
    """Return why something could not be told, as a word of a closed set; empty where all was."""
    for one in found.consulted:
        states = [health for _, health in one.health] + [each.verdict for each in one.told]
        for each in states:
            if each.silence is not None:
                return each.silence.value
            if each.state in _OF_STATE:
                return "list-useless"
    return ""
