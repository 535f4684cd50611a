"""How far is a domain's move to an exchange with DNSSEC, and what was left undone?

Microsoft asks for an order: sign the zone, take MTA-STS back to testing, add the new host as a
second MX record, try it, prefer it, delete the old one, and only then ask for the TLSA records.
"""

from collections.abc import Iterator

from agent.domain import dane_rules as rules
from agent.domain.dane_picture import Picture
from agent.domain.dane_survey import Survey
from agent.domain.finding import Finding
from agent.domain.knowledge.dnssec_hosts import MOVED_PREFERENCE, START_PREFERENCES
from agent.domain.mta_sts_terms import Mode
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText

Step = tuple[str, str]


def is_moving(survey: Survey) -> bool:
    """Tell whether both the old and the new exchange take the domain's mail."""
    return bool(survey.classic and survey.moved)


def lint_move(picture: Picture) -> Iterator[Finding]:
    """Say what is left to do of a move that has begun."""
    survey = picture.survey
    if not is_moving(survey):
        return
    new, old = survey.moved[0], survey.classic[0]
    names = PeerText(new.exchange, MAX_NAME), PeerText(old.exchange, MAX_NAME)
    if new.preference < old.preference:
        detail = f"{names[1]} still takes mail with preference {old.preference}."
        gone = f"delete: {survey.domain}. IN MX {old.preference} {names[1]}."
        yield rules.OLD_EXCHANGE.found(detail, gone)
    else:
        detail = f"{names[0]} has preference {new.preference}, and {names[1]} has {old.preference}."
        fix = f"{survey.domain}. 3600 IN MX {MOVED_PREFERENCE} {names[0]}."
        yield rules.NOT_PREFERRED.found(detail, fix=fix)
    if picture.policy is not None and picture.policy.mode is Mode.ENFORCE:
        detail = f"The MTA-STS policy of {survey.domain} is enforced, and both exchanges are in MX."
        yield rules.STS_ENFORCED.found(detail, fix="mode: testing")


def steps(picture: Picture) -> tuple[Step, ...]:
    """Return Microsoft's steps in their order, each with how it stands."""
    survey = picture.survey
    hosts, new = survey.hosts, survey.moved
    is_first = bool(new) and new[0] == min(hosts, key=lambda each: each.preference)
    has_records = any(each.records for each in new)
    signed = _said(is_done=survey.is_signed) if picture.is_proven else "not known here"
    fits = all(each.preference in START_PREFERENCES for each in hosts)
    return (
        ("the domain's zone is signed, and its parent has the DS record", signed),
        ("one MX record with preference 0 or 10 to begin with", _said(is_done=bool(new) or fits)),
        ("an MX record of the new host (under mx.microsoft)", _said(is_done=bool(new))),
        ("the new host is preferred", _said(is_done=is_first)),
        ("the old MX record is gone", _said(is_done=bool(new) and not survey.classic)),
        ("Microsoft publishes the TLSA records", _said(is_done=has_records)),
    )


def _said(*, is_done: bool) -> str:
    return "done" if is_done else "open"
