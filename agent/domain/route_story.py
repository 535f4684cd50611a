"""What do the messages of a route tell that have arrived, and where are the others?

Everything that is read out of headers for one run: findings about what is expected, the measured
times of each owner, pictures of the ways of the messages that a person wants to see, and what the
receiver and the filter said in words.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import takewhile

from agent.domain import arrival_rules as rules
from agent.domain import route_signals as signals
from agent.domain.authentication_results import AuthResult
from agent.domain.entry import Entry, State
from agent.domain.expectations import Expected, examine, has_passed, results
from agent.domain.fact import Fact, Path, Table
from agent.domain.finding import Finding, Measurement, Severity
from agent.domain.lookup import Plan
from agent.domain.owners import Owners
from agent.domain.reading import Reading, read_message
from agent.domain.route_path import Leaving, draw, times_by_owner, visible_after
from agent.domain.route_report import mood_of
from agent.domain.spf import check_host
from agent.domain.spf_terms import Result
from agent.domain.trace import holder

_SAME = {
    Result.PASS: AuthResult.PASS,
    Result.FAIL: AuthResult.FAIL,
    Result.SOFTFAIL: AuthResult.SOFTFAIL,
    Result.NEUTRAL: AuthResult.NEUTRAL,
    Result.NONE: AuthResult.NONE,
    Result.PERMERROR: AuthResult.PERMERROR,
}
_CODE = re.compile(r"[245](?:[0-9]{2}|\.[0-9]{1,3}\.[0-9]{1,3})")
_DIGIT = re.compile(r"[0-9]")
_VERDICT = ("SCL", "SFV", "CAT")  # what says why a filter takes something for junk
_MISSING = (Result.FAIL, Result.SOFTFAIL, Result.NEUTRAL)


@dataclass(frozen=True, slots=True)
class Story:
    """What was read; ``readings`` are those of new arrivals, by nonce."""

    findings: tuple[Finding, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    paths: Mapping[str, Path] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)
    readings: Mapping[str, Reading] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)


def tell(  # noqa: PLR0913 - what is known, and how it is to be judged
    news: Iterable[Entry],
    recent: tuple[Entry, ...],
    *,
    head: Callable[[Entry], bytes],
    owners: Owners,
    expected: Expected,
    leaving: Leaving,
) -> Story:
    """Read the headers of what has arrived, and draw the ways that a person wants to see.

    *news* are messages whose fate has changed, *recent* the last ones, newest first; *head* gives
    the header of one; *leaving* is how they leave. ``remarks`` of what is told are what the headers
    say of messages that are late or in Junk.
    """
    known: dict[str, Reading] = {}

    def reading(entry: Entry) -> Reading | None:
        raw = head(entry) if entry.nonce not in known else b""
        if raw:
            known[entry.nonce] = read_message(raw, owners)
        return known.get(entry.nonce)

    examined: dict[str, tuple[Finding, ...]] = {}

    def wrongs(entry: Entry) -> tuple[Finding, ...]:
        found = reading(entry) if entry.has_arrived else None
        if found is not None and entry.nonce not in examined:
            examined[entry.nonce] = tuple(examine(entry, found, expected))
        return examined.get(entry.nonce, ())

    def drawn(entry: Entry) -> Path:
        wrong = _worst(wrongs(entry))
        return draw(entry, reading(entry), leaving=leaving, owners=owners, wrong=wrong)

    news = tuple(news)
    findings = [finding for entry in news for finding in wrongs(entry)]
    fresh = {each.nonce: known[each.nonce] for each in news if each.nonce in examined}
    last = next((each for each in recent if each.has_arrived), None)
    last_read = None if last is None else reading(last)
    return Story(
        findings=tuple(findings),
        measurements=() if last is None or last_read is None else measure(last, last_read),
        paths={title: drawn(entry) for title, entry in chosen(recent).items()},
        facts={} if last_read is None else words(last_read),
        readings=fresh,
        remarks={
            each.nonce: remark(each, fresh[each.nonce]) for each in news if each.nonce in fresh
        },
    )


def remark(entry: Entry, reading: Reading) -> str:
    """Say what the header tells of why a message is late or in Junk; else nothing."""
    if entry.state is State.JUNKED:
        return ", ".join(
            f"{each.key} {each.value}: {each.meaning}"
            for each in reading.antispam.meanings()
            if each.key in _VERDICT and each.meaning
        )
    slow = holder(reading.trace) if entry.state is State.LATE else None
    if slow is None or not slow.time:
        return ""
    return f"{slow.hop.host} ({slow.owner}) had it for {slow.time.total_seconds():.0f} s"


def _worst(findings: Iterable[Finding]) -> str:
    """Return the first critical thing that was found; empty where nothing was."""
    return next((each.detail for each in findings if each.rule.severity is Severity.CRITICAL), "")


def chosen(recent: tuple[Entry, ...]) -> dict[str, Entry]:
    """Return the messages whose ways are drawn, by title: the last, and the last of each trouble.

    Of a route on which all is well that is one.
    """
    picked: dict[str, Entry] = {}
    for number, entry in enumerate(recent):
        mood = mood_of(entry)
        state = "under way" if entry.is_in_flight else str(entry.state)
        if number == 0 or mood in ("bad", "warning", "unknown"):
            title = f"Path of message {entry.sequence}: {state}"
            if not any(each.state is entry.state for each in picked.values()):
                picked[title] = entry
    good = next((each for each in recent if each.state is State.DELIVERED), None)
    if good is not None:
        picked[f"Path of message {good.sequence}: {good.state}"] = good
    return picked


def measure(entry: Entry, reading: Reading) -> tuple[Measurement, ...]:
    """Return what was measured of the last message that arrived."""
    visible = visible_after(entry, reading)
    return (
        *(
            signals.PHASE.at(seconds, f"transit-{owner}")
            for owner, seconds in times_by_owner(reading).items()
        ),
        *(() if visible is None else (signals.PHASE.at(visible, "visible"),)),
        *(
            signals.AUTH_PASS.at(passed, method)
            for method, result in results(reading).items()
            if (passed := has_passed(method, result)) is not None
        ),
        signals.HOPS.at(reading.trace.count),
    )


def words(reading: Reading) -> dict[str, Fact]:
    """Return what the receiver said of the sender and the filter of the message, with meanings."""
    rows = [
        (method, str(result), _remark(reading, method))
        for method, result in results(reading).items()
        if result is not None
    ]
    rows += [(each.key, each.value, each.meaning) for each in reading.antispam.meanings()]
    stamps = reading.stamps
    rows += [
        (name, value, meaning)
        for name, value, meaning in (
            ("AuthAs", stamps.auth_as, "whether it counts as mail of the organisation"),
            ("FromEntityHeader", stamps.from_entity, "the way it came in, as Exchange sees it"),
            ("CrossTenant-Id", stamps.crosstenant_id, "the tenant it belongs to"),
            ("attributed to", stamps.attributed_tenant, "the tenant of the connection"),
        )
        if value
    ]
    if not rows:
        return {}
    return {"What the receiver said": Table(("of", "said", "meaning"), tuple(rows))}


def _remark(reading: Reading, method: str) -> str:
    seen = reading.authentication.seen
    if method == "spf" and reading.authentication.sender_address:
        return f"for the address {reading.authentication.sender_address}"
    if method == "dkim":
        return ", ".join(f"header.d={domain}" for domain in seen.header_domains)
    if method == "dmarc" and seen.header_from:
        return f"header.from={seen.header_from}"
    if method == "compauth" and seen.reason:
        return f"reason {seen.reason}: {seen.reason_meaning or 'not documented'}"
    return ""


def sender(news: Iterable[Entry], story: Story, mail_from: str) -> Plan[tuple[Finding, ...]]:
    """Evaluate SPF for the address that the receiver of the newest arrival saw.

    The record as it is published now is held against what the receiver said: a sender that is
    missing in it shows here, before receivers begin to refuse.
    """
    arrived = [entry for entry in news if entry.nonce in story.readings]
    if not arrived:
        return ()
    entry = arrived[-1]
    said = story.readings[entry.nonce].authentication
    if not said.sender_address or said.spf is None or said.is_claim:
        return ()
    address = ip_address(said.sender_address)
    who = said.seen.mail_from or mail_from
    who = f"postmaster@{who}" if who and "@" not in who else who
    evaluation = yield from check_host(address, who, said.seen.helo)
    if evaluation.identity.domain is None:
        return ()
    found, told = evaluation.result, f"message {entry.sequence}: the receiver saw {address}"
    where = evaluation.identity.sender_domain
    line = f"the receiver said spf={said.spf}; the record of {where} gives {found}"
    if found in _MISSING:
        return (rules.SENDER_MISSING.found(told, line, evaluation.sentence),)
    # A receiver that could not tell does not disagree.
    if said.spf in _SAME.values() and _SAME.get(found, said.spf) is not said.spf:
        return (rules.SPF_DIFFERS.found(told, line, evaluation.sentence),)
    return ()


def refusals(recent: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Return the newest messages that were refused for good in the same words, newest first."""
    words = {_gist(entry.detail) for entry in recent[:1]}
    return tuple(
        takewhile(lambda entry: _is_refused(entry) and _gist(entry.detail) in words, recent)
    )


def _is_refused(entry: Entry) -> bool:
    return entry.state is State.REJECTED and entry.failure == "refused"


def _gist(detail: str) -> str:
    """Return a reply without what differs each time: hosts, times, and ids, which have digits.

    Exchange Online ends its replies in ``[host time id]``.
    """
    words = detail.split()
    return " ".join(word for word in words if _CODE.fullmatch(word) or not _DIGIT.search(word))
