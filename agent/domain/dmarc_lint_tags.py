"""What is wrong with the tags of a DMARC record, and with the destinations of its reports?"""

from collections.abc import Iterator
from difflib import get_close_matches

from agent.domain import dmarc_rules_tags as rules
from agent.domain.dmarc_discovery import Place
from agent.domain.dmarc_proposal import publish, reports_to, rewritten
from agent.domain.dmarc_record import KNOWN, wants_enforcement
from agent.domain.dmarc_survey import Report, Survey
from agent.domain.dmarc_terms import Policy, Record
from agent.domain.finding import Finding
from agent.domain.peer_text import PeerText

_MOST_REPORTS = 2  # RFC 7489 section 6.2
_LONGEST_NAME = 12  # of a tag that is compared with the known ones


def lint_record(place: Place, record: Record) -> Iterator[Finding]:
    """Look at the tags of the domain's own record."""
    yield from _faults(place, record)
    for tag in record.unknown:
        near = get_close_matches(tag.name, KNOWN, 1, 0.6) if len(tag.name) <= _LONGEST_NAME else []
        hint = f" Did you mean `{near[0]}`?" if near else ""
        shown = PeerText(f"{tag.name}={tag.value}", 80)
        yield rules.UNKNOWN_TAG.found(f"At character {tag.position + 1}: {shown}.{hint}")
    if record.p is not None and record.tags[1].name != "p":
        first = PeerText(record.tags[1].name, 40)
        yield rules.ORDER.found(f"After the version comes `{first}`.")
    if not record.is_void:
        yield from _strength(record)


def _faults(place: Place, record: Record) -> Iterator[Finding]:
    # What voids a policy that was meant to be enforced is a graver finding, told elsewhere.
    is_told = record.is_void and wants_enforcement(place.records[0])
    for fault in record.faults:
        if fault.voids and is_told:
            continue
        shown = f"{PeerText(fault.text, 80)} " if fault.text else ""
        detail = f"At character {fault.position + 1}: {shown}{fault.problem}."
        yield rules.SYNTAX.found(f"{detail} {fault.hint}".rstrip())


def _strength(record: Record) -> Iterator[Finding]:
    """Look at what makes the policy weaker than it looks."""
    if record.p is None or not record.p.enforces:
        return
    weaker = [
        f"`{name}={value}`"
        for name, value in (("sp", record.sp), ("np", record.np))
        if value is not None and value.rank < record.p.rank
    ]
    if weaker:
        yield rules.SUBDOMAINS.found(f"{' and '.join(weaker)} below `p={record.p}`.")
    if record.pct < 100:  # noqa: PLR2004
        rest = Policy.QUARANTINE if record.p is Policy.REJECT else Policy.NONE
        detail = f"`pct={record.pct}`: the rest is treated as `{rest}` by receivers of RFC 7489."
        yield rules.PERCENT.found(detail)
    if record.testing:
        yield rules.TESTING.found(f"`t=y` stands beside `p={record.p}`.")


def _with_reports(domain: str, record: Record) -> str:
    """Propose the record with an address; what is proposed in place of `none` has one already."""
    is_whole = record.p is not None and record.p.enforces and not record.is_void
    if not is_whole or any(tag.name == "rua" for tag in record.tags):
        return ""
    return publish(domain, rewritten(record, rua=reports_to(domain)))


def lint_reports(survey: Survey) -> Iterator[Finding]:
    """Look at where the reports go."""
    verdict = survey.discovery.verdict
    record, place = verdict.record, verdict.place
    if record is None or place is None or place is not survey.discovery.own:
        return
    if not record.rua:
        fix = _with_reports(survey.domain, record)
        yield rules.NO_REPORTS.found("The record has no address in `rua`.", fix=fix)
    for name, destinations in (("rua", record.rua), ("ruf", record.ruf)):
        if len(destinations) > _MOST_REPORTS:
            yield rules.TOO_MANY.found(f"`{name}` names {len(destinations)}.")
        if destinations and all(not one.domain for one in destinations):
            yield rules.NOT_MAIL.found(f"`{name}`: {PeerText(destinations[0].uri, 120)}.")
    for report in survey.reports:
        yield from _destination(report, place.domain)


def _destination(report: Report, policy_domain: str) -> Iterator[Finding]:
    shown = f"`{report.tag}`: {PeerText(report.destination.uri, 120)}"
    domain = report.destination.domain
    if report.destination.limit is not None:
        yield rules.LIMIT.found(f"{shown} takes {report.destination.limit} octets at most.")
    if report.consents == "no":
        fix = f'{report.question}. 3600 IN TXT "v=DMARC1"'
        yield rules.UNAUTHORISED.found(f"{shown}: no record at {report.question}.", fix=fix)
    if report.takes_mail == "no":
        yield rules.NOWHERE.found(f"{shown}: {domain} has no exchange and no address.")
    if "unknown" in {report.consents, report.takes_mail}:
        name = report.question if report.consents == "unknown" else domain
        detail = f"{shown}: {name} did not answer, for reports about {policy_domain}."
        yield rules.REPORT_UNANSWERED.found(detail)
