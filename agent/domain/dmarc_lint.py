"""What is wrong with where a domain's DMARC record stands, and with what it asks for?

One function for each question, over what :mod:`agent.domain.dmarc_survey` found. A name that did
not answer is no name without a record: then nothing is said that depends on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.domain import dmarc_rules as rules
from agent.domain.dmarc_discovery import Place, Verdict
from agent.domain.dmarc_lint_tags import lint_record, lint_reports
from agent.domain.dmarc_proposal import publish, reports_to, rewritten
from agent.domain.dmarc_record import describe_near_miss, is_nearly, meant_by, wants_enforcement
from agent.domain.dmarc_survey import Survey
from agent.domain.dmarc_terms import Policy, Record
from agent.domain.finding import Finding, Rule, bounded
from agent.domain.lookup import Unanswered
from agent.domain.mx import matches_any
from agent.domain.peer_text import PeerText
from agent.domain.public_suffix import zone_of
from agent.domain.tag_list import Fault

_SHOWN = 500  # octets of a record in a line of evidence


@dataclass(frozen=True, slots=True)
class Intent:
    """What the operator says: does the domain send, and who may host its record."""

    sends: bool = True
    hosted_by: tuple[str, ...] = ()


def lint(survey: Survey, intent: Intent) -> tuple[Finding, ...]:
    """Return what is wrong, but for its senders."""
    found = [
        *_what_counts(survey, intent),
        *_aliases(survey, intent),
        *_surroundings(survey),
        *_policy(survey, intent),
    ]
    verdict = survey.discovery.verdict
    if verdict.record is not None and verdict.place is survey.discovery.own:
        found += lint_record(verdict.place, verdict.record)
    found += lint_reports(survey)
    return bounded(found)


def unanswered(survey: Survey) -> Unanswered | None:
    """Return the silence because of which nobody can say which record counts; None without."""
    discovery = survey.discovery
    if discovery.verdict.place is not None:
        return None
    return discovery.listed.unsure or discovery.walked.unsure


def _what_counts(survey: Survey, intent: Intent) -> Iterator[Finding]:
    """Say why no record, or none that was meant, is applied."""
    own = survey.discovery.own
    if own.is_silent:
        return
    if len(own.records) > 1:
        detail = f"{len(own.records)} records at {own.name}: receivers discard all of them."
        fix = "Keep one of them and delete the others."
        yield _lost(own.records, rules.SEVERAL.code).found(detail, *_lines(own.records), fix=fix)
        return
    if own.record is not None:
        if own.record.is_void:
            yield from _void(survey.domain, own)
        return
    yield from _absent(survey, intent)


def _absent(survey: Survey, intent: Intent) -> Iterator[Finding]:
    """No record begins as it must: something near, something elsewhere, or nothing."""
    own = survey.discovery.own
    near = tuple(text for text in own.others if is_nearly(text))
    for text in near:
        detail = f"{own.name}: {describe_near_miss(text)}."
        yield _lost((text,), rules.UNREADABLE.code).found(detail, *_lines((text,)))
    if near or unanswered(survey) is not None:
        return
    for name, text in survey.misplaced:
        fix = publish(survey.domain, text)
        detail = f"It stands at {PeerText(name)} and belongs at {own.name}."
        yield _lost((text,), rules.MISPLACED.code).found(detail, *_lines((text,)), fix=fix)
    if survey.misplaced or survey.discovery.verdict.place is not None or survey.aliases:
        return
    text = b"v=DMARC1; p=reject"
    if intent.sends:
        text = f"v=DMARC1; p=none; rua={reports_to(survey.domain)}".encode()
    yield rules.MISSING.found(
        f"{survey.discovery.listed.why}; {survey.discovery.walked.why}.",
        fix=publish(survey.domain, text),
    )


def _lost(texts: tuple[bytes, ...], code: str) -> Rule:
    """Return the rule named *code*, or the graver one where a policy is lost by it."""
    if any(map(wants_enforcement, texts)):
        return rules.NOT_APPLIED
    return next(rule for rule in rules.PLACE_RULES if rule.code == code)


def _void(domain: str, own: Place) -> Iterator[Finding]:
    """Say which fault takes the policy out of force; the lint of tags names the others."""
    record = own.record
    if record is None or not wants_enforcement(own.records[0]):
        return
    fault = next(fault for fault in record.faults if fault.voids)
    where = f"at character {fault.position + 1}, {PeerText(fault.text, 80)} " if fault.text else ""
    detail = f"{own.name}: {where}{fault.problem}."
    hint = (fault.hint,) if fault.hint else ()
    yield rules.NOT_APPLIED.found(
        detail, *hint, *_lines(own.records), fix=_mended(domain, record, fault)
    )


def _mended(domain: str, record: Record, fault: Fault) -> str:
    """Propose the record with the policy that was meant, where one comes to mind."""
    meant = {
        tag.name: word
        for tag in record.tags
        # A tag that stands twice has a value that is valid, and nobody knows which one is meant.
        if tag.position == fault.position and (word := meant_by(tag)) not in {"", tag.value.lower()}
    }
    if not fault.text or not meant or sum(each.voids for each in record.faults) > 1:
        return ""
    return publish(domain, rewritten(record, **meant))


def _aliases(survey: Survey, intent: Intent) -> Iterator[Finding]:
    if not survey.aliases:
        return
    own, target = survey.discovery.own, survey.aliases[-1]
    shown = PeerText(target)
    if not own.records:
        yield rules.ALIAS_DANGLING.found(f"{own.name} is an alias for {shown}.")
        return
    is_same_owner = zone_of(target) == (zone_of(survey.domain) or survey.domain)
    if not is_same_owner and not matches_any(intent.hosted_by, target):
        yield rules.ALIAS.found(f"{own.name} is an alias for {shown}.", *_steps(survey))


def _steps(survey: Survey) -> tuple[str, ...]:
    """Return the steps of the alias, one a line."""
    return tuple(f"CNAME {PeerText(name)}" for name in survey.aliases[:10])


def _surroundings(survey: Survey) -> Iterator[Finding]:
    """Look at text beside the record, and at wildcards."""
    own = survey.discovery.own
    if own.records and set(own.records) <= set(survey.wildcard):
        detail = f"The record at {own.name} is that of a wildcard, and answers for any name."
        yield rules.WILDCARD.found(detail, *_lines(own.records))
    foreign = tuple(text for text in own.others if not is_nearly(text))
    if foreign:
        source = " It comes from a wildcard." if set(foreign) <= set(survey.wildcard) else ""
        what = "an SPF record" if foreign[0][:6].lower() == b"v=spf1" else "text of another kind"
        detail = f"{what} stands at {own.name}.{source}"
        yield rules.FOREIGN_TEXT.found(detail[0].upper() + detail[1:], *_lines(foreign))


def _policy(survey: Survey, intent: Intent) -> Iterator[Finding]:
    """Compare what the record asks for with what the domain is for."""
    discovery = survey.discovery
    verdict = discovery.verdict
    if discovery.differs:
        detail = f"By the list: {_said(discovery.listed)}. By the tree: {_said(discovery.walked)}."
        yield rules.DIFFERS.found(detail, discovery.listed.why, discovery.walked.why)
    if verdict.record is None or verdict.policy is None:
        return
    if not intent.sends:
        yield from _parked(survey, verdict, verdict.record)
    elif discovery.enforced is Policy.NONE and not _is_lost(discovery.own):
        fix = ""
        if verdict.place is discovery.own and not verdict.record.is_void:
            fix = publish(survey.domain, _stricter(survey, verdict.record))
        yield rules.NONE.found(f"{verdict.why[0].upper()}{verdict.why[1:]} says so.", fix=fix)


def _stricter(survey: Survey, record: Record) -> bytes:
    """Return *record* with an enforced policy; nobody should enforce one without seeing reports."""
    reports = (
        {} if any(tag.name == "rua" for tag in record.tags) else {"rua": reports_to(survey.domain)}
    )
    return rewritten(record, p="quarantine", **reports)


def _is_lost(own: Place) -> bool:
    """Whether another finding says that an enforced policy was meant."""
    return any(map(wants_enforcement, own.records)) and not (own.record and not own.record.is_void)


def _parked(survey: Survey, verdict: Verdict, record: Record) -> Iterator[Finding]:
    weakest = min((verdict.policy or Policy.NONE, record.demands(below=True)), key=_rank)
    if weakest is Policy.REJECT:
        return
    detail = f"The policy is {verdict.policy}, and {record.demands(below=True)} below the domain."
    yield rules.PARKED.found(detail, fix=publish(survey.domain, b"v=DMARC1; p=reject"))


def _rank(policy: Policy) -> int:
    return policy.rank


def _said(verdict: Verdict) -> str:
    if verdict.place is None:
        return "no record"
    return f"{verdict.policy or 'no policy'} of {verdict.place.name}"


def _lines(texts: tuple[bytes, ...]) -> tuple[str, ...]:
    return tuple(PeerText(text, _SHOWN) for text in texts[:10])
