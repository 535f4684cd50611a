"""Is a domain's SPF record one record, well published, and free of syntax errors?"""

import re
from collections.abc import Iterator
from itertools import pairwise

from agent.domain import spf_rules as rules
from agent.domain.finding import Finding
from agent.domain.lookup import Answer, Query, TextRecord
from agent.domain.peer_text import PeerText
from agent.domain.spf_mending import PARKED, Mended
from agent.domain.spf_record import select
from agent.domain.spf_survey import WILDCARD_LABEL, Bounds, Survey
from agent.domain.spf_tree import State

_FULL_STRING = 255  # octets, RFC 1035 section 3.3
_PLAIN = re.compile(r"[\x20-\x7e]*")
_TERM_START = re.compile(
    rb"[-+~?](?:all|a|mx|ptr|include|ip4|ip6|exists)(?![^ :/])|(?:include|ip4|ip6|exists|mx):"
    rb"|(?:redirect|exp)=",
    re.IGNORECASE,
)


def lint_text(survey: Survey, bounds: Bounds, first: Mended) -> Iterator[Finding]:
    """Look at the record as text, and at how it is published; *first* is for who has none."""
    yield from _presence(survey, first)
    yield from _syntax(survey)
    yield from _surroundings(survey)
    answer = survey.answer(Query(survey.domain, "TXT"))
    if survey.selection.records:
        yield from _time_to_live(answer, bounds)
    if survey.record is not None:
        yield from _strings(survey, survey.record)
        yield from _size(survey.record, answer, bounds)


def _presence(survey: Survey, first: Mended) -> Iterator[Finding]:
    """One record, and nothing that only looks like one."""
    if survey.root.state is State.MISSING:
        detail = f"{survey.domain} has no TXT record that begins with v=spf1"
        yield rules.MISSING.found(detail, fix=first.line(survey.domain))
        parent = survey.parent
        if isinstance(parent, Answer) and select(parent.records).records:
            yield rules.ONLY_AT_PARENT.found(f"{survey.domain.partition('.')[2]} has one")
    records = survey.selection.records
    texts = {record.joined for record in records}
    if len(texts) > 1:
        shown = tuple(PeerText(text) for text in sorted(texts))
        merged = first if first.text == PARKED else survey.merged
        why = (f"merged into one as they are: {merged.problem}",) if merged.problem else ()
        detail = f"{survey.domain} has {len(texts)} SPF records"
        yield rules.SEVERAL.found(detail, *shown, *why, fix=merged.line(survey.domain))
    if len(records) > len(texts):
        yield rules.TWICE.found(f"{survey.domain} publishes a record {len(records)} times")
    for near in survey.selection.near_misses:
        yield rules.NEAR_MISS.found(f"not an SPF record: {PeerText(near.joined)}")


def _syntax(survey: Survey) -> Iterator[Finding]:
    """Every syntax error, with its place."""
    for fault in survey.root.faults:
        place = f"octet {fault.position}: {PeerText(fault.term)} {PeerText(fault.message)}"
        yield rules.SYNTAX.found(place, *((PeerText(fault.hint),) if fault.hint else ()))
    text = survey.root.text
    odd = not _PLAIN.fullmatch(text) or '"' in text or "'" in text
    if survey.root.faults and odd:
        yield rules.TYPOGRAPHIC.found(f"the record is {PeerText(text)}")


def _surroundings(survey: Survey) -> Iterator[Finding]:
    """Other records that concern SPF."""
    answer = survey.answer(Query(survey.domain, "TXT"))
    for record in answer.records:
        if isinstance(record, TextRecord) and record.joined[:6].lower() == b"spf2.0":
            yield rules.SENDER_ID.found(f"the record is {PeerText(record.joined)}")
    if survey.answer(Query(survey.domain, "SPF")).records:
        only = "" if survey.selection.records else ", and no TXT record counts"
        yield rules.TYPE_99.found(f"{survey.domain} has a record of type SPF{only}")
    if survey.selection.records and answer.aliases:
        way = " -> ".join(PeerText(alias) for alias in answer.aliases)
        yield rules.ALIAS.found(f"{survey.domain} is an alias: {way}")
    probe = survey.answer(Query(f"{WILDCARD_LABEL}.{survey.domain}", "TXT"))
    if select(probe.records).records:
        yield rules.WILDCARD.found(f"{WILDCARD_LABEL}.{survey.domain} has an SPF record")


def _time_to_live(answer: Answer, bounds: Bounds) -> Iterator[Finding]:
    if answer.ttl is None:
        return
    if answer.ttl < bounds.ttl_low:
        yield rules.TTL_LOW.found(f"its time to live is {answer.ttl} s")
    if answer.ttl > bounds.ttl_high:
        yield rules.TTL_HIGH.found(f"its time to live is {answer.ttl} s")


def _strings(survey: Survey, record: TextRecord) -> Iterator[Finding]:
    """How the record is cut into strings."""
    strings = [string for string in record.strings if string]
    for before, after in pairwise(strings):
        if before[-1:] not in b" :=+-~?" and _TERM_START.match(after):
            where = f"{PeerText(before[-20:])} and {PeerText(after[:20])}"
            yield rules.SPLIT.found(f"joined without a space: {where}")
    parsed = survey.root.record
    ends = parsed is not None and (parsed.all is not None or parsed.redirect is not None)
    if len(strings[-1]) == _FULL_STRING and not ends:
        yield rules.STRING_CUT.found(f"it ends in {PeerText(strings[-1][-20:])}")


def _size(record: TextRecord, answer: Answer, bounds: Bounds) -> Iterator[Finding]:
    length = len(record.joined)
    if length > bounds.record:
        yield rules.LONG.found(f"it has {length} octets; {bounds.record} are safe")
    if answer.size > bounds.answer:
        yield rules.LARGE_ANSWER.found(f"the answer has {answer.size} octets")
