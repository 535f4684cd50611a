"""What does a look at a domain's SPF amount to: findings, measurements and facts?"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from agent.domain.fact import Fact, Table, Text
from agent.domain.finding import Finding, Measurement, Rule, Severity, Signal
from agent.domain.lookup import Answer, Unanswered
from agent.domain.past import come, gone, moment, remembered
from agent.domain.peer_text import PeerText
from agent.domain.spf_lint import RULES as LINT_RULES
from agent.domain.spf_lint_tree import void_terms
from agent.domain.spf_rules_tree import DIFFERS
from agent.domain.spf_senders import STRANGERS, Verdict
from agent.domain.spf_survey import Survey
from agent.domain.spf_trace import tree
from agent.domain.spf_tree import State, draw

_RECORD_TEXT = 4000  # characters of a record that are shown and compared
_SHOWN = 40  # rows of a table
_NO_RECORD = "no SPF record"
_REORDERED = "the same terms in another order"

SENDER_REFUSED = Rule(
    "spf-sender-refused",
    Severity.CRITICAL,
    "A host that sends for the domain does not pass SPF",
    "Add the sender to the record: `ip4`, `ip6`, or its provider's include. If it no longer sends,"
    " remove it from `senders`.",
    "RFC 7208 section 2.6",
)
NOT_SENDER_PASSES = Rule(
    "spf-not-sender-passes",
    Severity.CRITICAL,
    "An address that must not send for the domain passes SPF",
    "Remove or narrow the term that lets it pass; the finding names it.",
    "RFC 7208 section 11.4",
)
STRANGER_PASSES = Rule(
    "spf-stranger-passes",
    Severity.CRITICAL,
    "An address that belongs to nobody passes SPF, and so does everybody",
    "Remove `+all` or the over-wide range that lets it pass; the finding names it.",
    "RFC 7208 section 11.4",
)
UNKNOWN_SENDER = Rule(
    "spf-unknown-sender",
    Severity.UNKNOWN,
    "A configured sender cannot be checked",
    "Write an address, a network, or the name of a provider profile that publishes its networks.",
    "docs/checks/spf.md",
)
CHANGED = Rule(
    "spf-record-changed",
    Severity.WARNING,
    "The SPF record has changed",
    "See whether the change was meant; the evidence lists the terms. This finding goes by itself.",
    "docs/checks/spf.md",
)
RULES = (
    SENDER_REFUSED,
    NOT_SENDER_PASSES,
    STRANGER_PASSES,
    UNKNOWN_SENDER,
    CHANGED,
    *LINT_RULES,
)

LOOKUPS = Signal(
    name="mailflow_spf_lookups",
    help="Most DNS lookups that an evaluation of the SPF record can take; receivers stop at 10.",
)
SENDER_LOOKUPS = Signal(
    name="mailflow_spf_sender_lookups",
    help="Most DNS lookups that the evaluation of a configured sender took.",
)
VOID_LOOKUPS = Signal(
    name="mailflow_spf_void_lookups",
    help="Terms of the SPF tree whose lookup leads nowhere, for clients of a family; receivers stop"
    " at more than 2.",
    labels=("family",),
)
RECORD_BYTES = Signal(
    name="mailflow_spf_record_bytes",
    help="Length of the SPF record.",
)
SENDERS = Signal(
    name="mailflow_spf_senders",
    help="Configured senders by whether SPF authorises them.",
    labels=("verdict",),
)
STRANGERS_PASSING = Signal(
    name="mailflow_spf_strangers_passing",
    help="Addresses that must not pass SPF and do.",
)
RECORD_TTL = Signal(
    name="mailflow_spf_record_ttl_seconds",
    help="Highest time to live seen for the present SPF record.",
)
CHANGED_AT = Signal(
    name="mailflow_spf_record_changed_timestamp_seconds",
    help="When the SPF record last changed, or was first seen.",
)
SIGNALS = (
    LOOKUPS,
    SENDER_LOOKUPS,
    VOID_LOOKUPS,
    RECORD_BYTES,
    SENDERS,
    STRANGERS_PASSING,
    RECORD_TTL,
    CHANGED_AT,
)


@dataclass(frozen=True, slots=True)
class Picture:
    """All that one run has seen."""

    survey: Survey
    senders: tuple[Verdict, ...]
    strangers: tuple[Verdict, ...]


def record_text(survey: Survey) -> str:
    """Return the record, or the records, as they are shown and compared: one a line."""
    texts = sorted(record.joined for record in survey.selection.records)
    return "\n".join(PeerText(text, _RECORD_TEXT) for text in texts) or _NO_RECORD


def judge_senders(picture: Picture) -> Iterator[Finding]:
    """Say who does not pass and should, and who passes and should not."""
    for verdict in (*picture.senders, *picture.strangers):
        yield from _doubts(verdict)
    # Without a record that can be read nobody passes, and the finding says why.
    if picture.survey.root.state is State.RECORD:
        for verdict in picture.senders:
            if verdict.refused:
                count = f"{len(verdict.refused)} of {len(verdict.evaluations)} samples"
                detail = f"{PeerText(verdict.name)}: {count} do not pass"
                yield SENDER_REFUSED.found(detail, *(one.sentence for one in verdict.refused[:4]))
    for verdict in picture.strangers:
        if verdict.passing:
            rule = STRANGER_PASSES if verdict.name in STRANGERS else NOT_SENDER_PASSES
            yield rule.found(verdict.passing[0].sentence)


def _doubts(verdict: Verdict) -> Iterator[Finding]:
    """Say where a verdict cannot be given, or is not the same everywhere."""
    if verdict.samples.problem and not verdict.samples.unanswered:
        yield UNKNOWN_SENDER.found(f"{PeerText(verdict.name)}: {verdict.samples.problem}")
    for one in [one for one in verdict.evaluations if one.differs][:1]:
        yield DIFFERS.found(f"{PeerText(verdict.name)}: {one.differs}", one.sentence)


def measure(picture: Picture, changed_at: float) -> tuple[Measurement, ...]:
    """Return the values of the signals; what cannot be told is left out."""
    survey = picture.survey
    verdicts = [_word(verdict) for verdict in picture.senders]
    measurements = [
        CHANGED_AT.at(changed_at),
        STRANGERS_PASSING.at(sum(bool(one.passing) for one in picture.strangers)),
        *(SENDERS.at(verdicts.count(word), word) for word in ("authorised", "refused", "unknown")),
    ]
    taken = [one.terms for verdict in picture.senders for one in verdict.evaluations]
    if taken:
        measurements.append(SENDER_LOOKUPS.at(max(taken)))
    if survey.root.state is State.RECORD:
        measurements.append(LOOKUPS.at(survey.root.lookups))
        measurements.append(VOID_LOOKUPS.at(len(void_terms(survey, "A")), "ipv4"))
        measurements.append(VOID_LOOKUPS.at(len(void_terms(survey, "AAAA")), "ipv6"))
    if survey.record is not None:
        measurements.append(RECORD_BYTES.at(len(survey.record.joined)))
        if isinstance(survey.reply, Answer) and survey.reply.ttl is not None:
            measurements.append(RECORD_TTL.at(survey.reply.ttl))
    return tuple(measurements)


def _word(verdict: Verdict) -> str:
    if verdict.is_authorised:
        return "authorised"
    return "refused" if verdict.refused else "unknown"


def failure_of(picture: Picture) -> str:
    """Return the closed-set reason where something could not be told."""
    verdicts = (*picture.senders, *picture.strangers)
    for reason in (one.reason for verdict in verdicts for one in verdict.unsure if one.reason):
        return reason.value
    silences = [
        reply.reason.value
        for query, reply in picture.survey.forest.replies.items()
        if isinstance(reply, Unanswered) and query.type == "TXT"
    ]
    tree_fails = any(one.state is State.UNANSWERED for one in picture.survey.root.walk())
    return silences[0] if tree_fails and silences else ""


def draw_facts(
    picture: Picture, first_seen: datetime, changed_at: datetime | None, previous: str | None
) -> dict[str, Fact]:
    """Return what the page and the command line show."""
    survey = picture.survey
    text = record_text(survey)
    facts: dict[str, Fact] = {"record": Text(text)}
    if survey.root.state is State.RECORD:
        facts["includes"] = draw(survey.root)
    rows = [_row(one, must_pass=True) for one in picture.senders]
    rows += [_row(one, must_pass=False) for one in picture.strangers]
    columns = ("sender", "must pass", "verdict", "lookups", "void lookups", "why")
    facts["senders"] = Table(columns, tuple(rows[:_SHOWN]))
    wrong = [one for verdict in picture.senders for one in (*verdict.refused, *verdict.unsure)]
    if wrong:
        facts["evaluation"] = tree(wrong[0])
    lines = remembered(first_seen, changed_at)
    if changed_at is not None:
        lines += _difference(previous or "", text)
    facts["changes"] = Text("\n".join(lines))
    return facts


def _row(verdict: Verdict, *, must_pass: bool) -> tuple[str, ...]:
    telling = verdict.refused if must_pass else verdict.passing
    shown = next(iter((*telling, *verdict.unsure, *verdict.evaluations)), None)
    expected = "yes" if must_pass else "no"
    if shown is None:
        return (PeerText(verdict.name), expected, "unknown", "", "", verdict.samples.problem)
    terms = max(one.terms for one in verdict.evaluations)
    voids = max(one.voids for one in verdict.evaluations)
    name = PeerText(verdict.name)
    return (name, expected, shown.result.value, str(terms), str(voids), shown.detail)


def changed(when: datetime, before: str, after: str) -> Finding:
    """Say which terms came and went."""
    lines = _difference(before, after)
    count = "1 term differs" if len(lines) == 1 else f"{len(lines)} terms differ"
    if _NO_RECORD in {before, after}:
        count = "it is gone" if after == _NO_RECORD else "it is there"
    elif lines == [_REORDERED]:
        count = "the order of its terms differs"
    return CHANGED.found(f"{count} since {moment(when)}", *lines[:_SHOWN])


def _difference(before: str, after: str) -> list[str]:
    if _NO_RECORD in {before, after}:
        old, new = before.splitlines(), after.splitlines()
    else:
        old, new = before.split(), after.split()
    return (gone(old, new) + come(old, new)) or [_REORDERED]
