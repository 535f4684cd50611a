"""What does a look at a domain's DMARC amount to: findings about senders, measurements, facts?"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from agent.domain import dmarc_rules_tags as rules
from agent.domain.dmarc_discovery import Discovery, Place, Verdict
from agent.domain.dmarc_meaning import meaning
from agent.domain.dmarc_rules import CHANGED
from agent.domain.dmarc_senders import Senders
from agent.domain.dmarc_survey import Report, Survey
from agent.domain.dmarc_terms import Policy, Record
from agent.domain.fact import Fact, Table, Text
from agent.domain.finding import Finding, Measurement, Signal
from agent.domain.past import come, gone, moment, remembered
from agent.domain.peer_text import PeerText
from agent.domain.sender_matrix import Chance, Row, draw

_RECORD_TEXT = 2000  # characters of a record that are shown and compared
_SHOWN = 40  # rows of a table

POLICY = Signal(
    name="mailflow_dmarc_policy",
    help="The DMARC policy that applies to the domain: 0 none, 1 quarantine, 2 reject; absent"
    " where no record does.",
)
APPLIED = Signal(
    name="mailflow_dmarc_policy_ratio",
    help="Part of the mail for which the DMARC policy is asked, by `pct`.",
)
SENDERS = Signal(
    name="mailflow_dmarc_senders",
    help="Declared senders by whether DMARC can pass for them, as far as DNS shows.",
    labels=("verdict",),
)
CHANGED_AT = Signal(
    name="mailflow_dmarc_record_changed_timestamp_seconds",
    help="When the DMARC record last changed, or was first seen.",
)
SIGNALS = (POLICY, APPLIED, SENDERS, CHANGED_AT)


@dataclass(frozen=True, slots=True)
class Picture:
    """All that one run has seen."""

    survey: Survey
    senders: Senders = field(default_factory=Senders)

    @property
    def rows(self) -> tuple[Row, ...]:
        """Who may send, one row each."""
        return self.senders.rows

    @property
    def silent(self) -> tuple[Row, ...]:
        """The rows that are unknown because DNS could not say."""
        return tuple(row for row in self.rows if self.senders.silence and row.is_silent)


def record_text(survey: Survey) -> str:
    """Return the domain's own record, or records, as they are shown and compared: one a line."""
    texts = sorted(survey.discovery.own.records)
    return "\n".join(PeerText(text, _RECORD_TEXT) for text in texts) or "no DMARC record"


def judge_senders(picture: Picture) -> Iterator[Finding]:
    """Say whose mail is lost, would be, or may be."""
    policy = picture.survey.discovery.enforced
    for row in picture.rows:
        shares = (f"SPF: {row.spf_aligned.why}", f"DKIM: {row.dkim.why}")
        detail = f"{PeerText(row.sender)}: SPF {row.spf_aligned.chance}, DKIM {row.dkim.chance}"
        if row.dmarc is Chance.FAIL:
            if policy.enforces:
                detail = f"{detail}: its mail is {row.under(policy)} under `{policy}`."
                yield rules.SENDER_FAILS.found(detail, *shares)
            else:
                detail = f"{detail}: under `p=reject` its mail would be {row.under(Policy.REJECT)}."
                yield rules.SENDER_WOULD_FAIL.found(detail, *shares)
        elif policy.enforces and row.dmarc is Chance.UNKNOWN and row not in picture.silent:
            yield rules.SENDER_UNPROVEN.found(f"{detail}.", *shares)
        elif policy.enforces and row.is_lost_when_forwarded:
            yield rules.SENDER_SPF_ONLY.found(f"{detail}: {row.under(policy)}.", *shares)


def measure(picture: Picture, changed_at: float) -> tuple[Measurement, ...]:
    """Return the values of the signals; what does not apply is left out."""
    verdict = picture.survey.discovery.verdict
    words = [row.dmarc for row in picture.rows]
    found = [CHANGED_AT.at(changed_at)]
    found += [SENDERS.at(words.count(chance), chance.value) for chance in Chance]
    if verdict.record is not None and verdict.policy is not None:
        found += [POLICY.at(verdict.policy.rank), APPLIED.at(verdict.record.pct / 100)]
    return tuple(found)


def draw_facts(
    picture: Picture, first_seen: datetime, changed_at: datetime | None, previous: str | None
) -> dict[str, Fact]:
    """Return what the page and the command line show."""
    survey = picture.survey
    verdict = survey.discovery.verdict
    text = record_text(survey)
    facts: dict[str, Fact] = {"record": Text(text)}
    if verdict.record is not None and verdict.place is not None:
        facts["tags"] = _tags(verdict.place, verdict.record)
    facts["discovery"] = _path(survey.discovery)
    if picture.rows:
        facts["senders"] = draw(picture.rows)
    if survey.reports:
        columns = ("tag", "destination", "consents", "takes mail", "asked at")
        facts["reports"] = Table(columns, tuple(map(_destination, survey.reports)))
    lines = remembered(first_seen, changed_at)
    if changed_at is not None:
        lines += _difference(previous or "", text)
    facts["changes"] = Text("\n".join(lines[:_SHOWN]))
    return facts


def _tags(place: Place, record: Record) -> Table:
    columns = ("at", "tag", "value", "meaning")
    rows: list[tuple[str, ...]] = [
        (str(tag.position + 1), PeerText(tag.name, 20), PeerText(tag.value), meaning(tag, record))
        for tag in record.tags
    ]
    rows += [
        (str(fault.position + 1), "-", PeerText(fault.text, 80), fault.problem)
        for fault in record.faults
        if fault.text
    ]
    rows.insert(0, ("-", "-", PeerText(place.name), "where the record stands"))
    return Table(columns, tuple(rows[:_SHOWN]))


def _path(discovery: Discovery) -> Table:
    """Show the names that were asked for, and what either kind of receiver makes of them."""
    columns = ("name", "answer", "counts for")
    rows: list[tuple[str, ...]] = [
        (PeerText(place.name), _answer(place), ", ".join(_counts(discovery, place)) or "-")
        for place in discovery.places
    ]
    rows += [
        (
            label,
            f"{verdict.policy or 'no policy'}, organisation {verdict.organisation}",
            verdict.why,
        )
        for label, verdict in _verdicts(discovery)
    ]
    return Table(columns, tuple(rows))


def _verdicts(discovery: Discovery) -> tuple[tuple[str, Verdict], ...]:
    return (
        ("by list (RFC 7489)", discovery.listed),
        ("by tree walk (RFC 9989)", discovery.walked),
    )


def _answer(place: Place) -> str:
    if place.is_silent:
        return "no answer"
    if not place.records:
        return f"no DMARC record, {len(place.others)} others" if place.others else "no record"
    if len(place.records) > 1:
        return f"{len(place.records)} records"
    return PeerText(place.records[0], 120)


def _counts(discovery: Discovery, place: Place) -> list[str]:
    return [label for label, verdict in _verdicts(discovery) if verdict.place == place]


def _destination(report: Report) -> tuple[str, ...]:
    consents: str = "not needed" if not report.question else report.consents
    if report.redirects:
        consents = f"{consents}, and names another address"
    question = PeerText(report.question or "-", 300)
    takes_mail = report.takes_mail if report.destination.domain else "-"
    return (report.tag, PeerText(report.destination.uri), consents, takes_mail, question)


def changed(when: datetime, before: str, after: str) -> Finding:
    """Say which tags came and went."""
    lines = _difference(before, after)
    return CHANGED.found(f"{len(lines)} tags differ since {moment(when)}.", *lines[:_SHOWN])


def _difference(before: str, after: str) -> list[str]:
    old, new = _parts(before), _parts(after)
    return (gone(old, new) + come(old, new)) or ["the same tags in another order"]


def _parts(text: str) -> list[str]:
    pieces = (piece.strip() for line in text.splitlines() for piece in line.split(";"))
    return [piece for piece in pieces if piece]
