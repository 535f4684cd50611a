"""What is wrong with the record that announces an MTA-STS policy?"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from agent.domain import mta_sts_rules as rules
from agent.domain.finding import Finding
from agent.domain.lookup import Unanswered
from agent.domain.mta_sts_picture import Intent, Picture, recollect
from agent.domain.mta_sts_terms import Fault, Mode, describe
from agent.domain.peer_text import PeerText

_SHOWN = 300  # characters of a record


def publish(domain: str, now: datetime) -> str:
    """Write the record with a new id, made of the time, as a line of a zone."""
    return f'_mta-sts.{domain}. 3600 IN TXT "v=STSv1; id={now:%Y%m%d%H%M%S}"'


def lint_record(picture: Picture, intent: Intent) -> Iterator[Finding]:
    """Say why no policy is announced, or not as strict senders want it."""
    survey = picture.survey
    if isinstance(survey.reply, Unanswered):
        return
    fix = publish(survey.domain, picture.now)
    if len(survey.texts) > 1:
        detail = f"{len(survey.texts)} records stand at {survey.name}."
        yield rules.SEVERAL_RECORDS.found(detail, *map(_line, survey.texts))
    record = survey.record
    if record is not None:
        fatal = [each for each in record.faults if each.is_fatal]
        others = [each for each in record.faults if not each.is_fatal]
        line = _line(survey.texts[0])
        if fatal:
            yield rules.RECORD_MALFORMED.found(*_said(fatal), line, fix=fix)
        elif others:
            yield rules.RECORD_UNTIDY.found(*_said(others), line, fix=fix)
    if not survey.texts:
        yield from _absent(picture, intent, fix)


def _absent(picture: Picture, intent: Intent, fix: str) -> Iterator[Finding]:
    """No record: something near, something elsewhere, a host without one, or nothing at all."""
    survey = picture.survey
    for text in survey.near:
        detail = f"The text at {survey.name} does not begin with `v=STSv1;`."
        yield rules.RECORD_MALFORMED.found(detail, _line(text), fix=fix)
    for name, text in survey.misplaced:
        detail = f"It stands at {PeerText(name)} and belongs at {survey.name}."
        yield rules.MISPLACED.found(detail, _line(text), fix=fix)
    if survey.near or survey.misplaced:
        return
    yield from _removed(picture, fix)
    host = survey.host
    if host.addresses and not host.is_wildcard and intent.expected != "none":
        addresses = ", ".join(map(str, host.addresses[:3]))
        detail = f"{host.name} has the address {addresses}, and {survey.name} has no record."
        yield rules.RECORD_MISSING.found(detail, fix=fix)


def _removed(picture: Picture, fix: str) -> Iterator[Finding]:
    """Remember the policy that was there until lately."""
    change = picture.past.announced
    known = recollect(change.before) if change else None
    if change is None or known is None or known[1].mode is not Mode.ENFORCE:
        return
    end = change.at + timedelta(seconds=known[1].max_age)
    if picture.now < end:
        detail = (
            f"The record is gone since {change.at:%Y-%m-%d %H:%M} UTC; senders may enforce the last"
            f" policy until {end:%Y-%m-%d}."
        )
        yield rules.REMOVED_EARLY.found(detail, fix=fix)


def _said(faults: list[Fault]) -> tuple[str, ...]:
    """Return what is wrong as the detail of a finding, and what more there is to say."""
    said = describe(faults[0], "character")
    hint = (faults[0].hint,) if faults[0].hint else ()
    more = (f"{describe(each, 'character')}." for each in faults[1:])
    return (f"{said[0].upper()}{said[1:]}.", *hint, *more)


def _line(text: bytes) -> str:
    return PeerText(text, _SHOWN)
