"""What does a look at a domain's DKIM keys amount to: measurements, facts, and what has changed?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from agent.domain.dkim_meaning import mark, meaning, notes
from agent.domain.dkim_rules import CHANGED, OLD
from agent.domain.dkim_selectors import Intent
from agent.domain.dkim_survey import Selector, Survey
from agent.domain.dkim_terms import Record, Verdict
from agent.domain.fact import Fact, Table, Text
from agent.domain.finding import Finding, Measurement, Signal
from agent.domain.knowledge.dkim_targets import first_target
from agent.domain.names import MAX_NAME
from agent.domain.past import moment
from agent.domain.peer_text import PeerText

_SHOWN = 40  # rows of a table
_ON_PARK = '*._domainkey.{}. 3600 IN TXT "v=DKIM1; p="'

SELECTORS = Signal(
    name="mailflow_dkim_selectors",
    help="DKIM selectors that were looked at, by what they are worth to a receiver.",
    labels=("verdict",),
)
KEY_BITS = Signal(
    name="mailflow_dkim_key_length",
    help="Size of the DKIM key at a selector; absent where there is none.",
    labels=("selector",),
)
CHANGED_AT = Signal(
    name="mailflow_dkim_record_changed_timestamp_seconds",
    help="When a DKIM key, or the way to it, last changed, or was first seen.",
)
SIGNALS = (SELECTORS, KEY_BITS, CHANGED_AT)
_WHOLE = 4 * MAX_NAME  # characters of a name, all of it escaped


class Seen(Protocol):
    """What is remembered of a record."""

    @property
    def first_seen(self) -> datetime:
        """When it was seen first."""

    @property
    def changed_at(self) -> datetime | None:
        """When it changed; None while it never did."""

    @property
    def previous(self) -> str | None:
        """What it was before."""


@dataclass(frozen=True, slots=True)
class Picture:
    """All that one run has seen, and what is remembered of it, by selector.

    ``records`` of what each selector says, ``keys`` of the keys alone. ``before`` is what each said
    before it changed; None where it says that again.
    """

    survey: Survey
    intent: Intent
    records: Mapping[str, Seen]
    keys: Mapping[str, Seen]
    before: Mapping[str, str | None]

    @property
    def shown(self) -> tuple[Selector, ...]:
        """The selectors worth a row: what is merely tried and absent is left out."""
        return tuple(
            one
            for one in self.survey.selectors
            if one.wanted.is_expected or one.verdict is not Verdict.MISSING or one.aliases
        )

    @property
    def changed_at(self) -> datetime | None:
        """When anything last changed; None while nothing did."""
        return max(
            (each.changed_at for each in self.records.values() if each.changed_at), default=None
        )


def state(one: Selector) -> str:
    """Return what a selector says, in one line, the same text for the same state.

    It is compared with what was said before, so that nothing is cut that could differ.
    """
    parts = [f"CNAME {PeerText(one.aliases[-1], _WHOLE)}"] if one.aliases else []
    for record in one.records:
        words: list[str] = [key_of(record) or record.verdict.value]
        words += [f"{tag.name}={tag.value}" for tag in record.tags if tag.name in {"h", "s", "t"}]
        parts.append(PeerText(" ".join(words), _WHOLE))
    return "; ".join(parts if one.records else [*parts, "no key"])


def key_of(record: Record) -> str:
    """Return the kind and fingerprint of a record's key; empty without one."""
    key = record.key
    return "" if key is None else f"{key.type} {key.bits} {mark(key)}"


def measure(picture: Picture) -> tuple[Measurement, ...]:
    """Return the values of the signals; what does not apply is left out."""
    shown = picture.shown
    words = [one.verdict for one in shown]
    found = [SELECTORS.at(words.count(verdict), verdict.value) for verdict in Verdict]
    found += [
        KEY_BITS.at(one.record.key.bits, one.wanted.selector)
        for one in shown
        if one.record is not None and one.record.key is not None
    ]
    seen = [each.changed_at or each.first_seen for each in picture.records.values()]
    found += [CHANGED_AT.at(max(seen).timestamp())] if seen else []
    return tuple(found)


def old(picture: Picture, most: timedelta) -> tuple[Finding, datetime] | None:
    """Return what to say of the oldest key, and from when on; None where no key is one's own.

    Keys behind the alias of a provider other than Microsoft are not the operator's to rotate.
    """
    ages = sorted(
        (seen.changed_at or seen.first_seen, one.name)
        for one in picture.survey.usable
        if not one.aliases or first_target(one.aliases) is not None
        if (seen := picture.keys.get(one.wanted.selector)) is not None
    )
    if not ages:
        return None
    since, oldest = ages[0]
    lines = (f"{name}: since {_day(when)}" for when, name in ages)
    detail = f"{oldest} has had its key since {_day(since)} at least."
    return OLD.found(detail, *lines), since + most


def changes(picture: Picture, now: datetime, window: timedelta) -> Finding | None:
    """Say what changed within *window*; None where nothing did."""
    lines: list[str] = []
    news: list[Selector] = []
    for one in picture.survey.selectors:
        seen = picture.records.get(one.wanted.selector)
        before = picture.before.get(one.wanted.selector)
        if seen is None or seen.changed_at is None or before is None:
            continue
        if now < seen.changed_at + window:
            news.append(one)
            lines += [
                f"- {one.wanted.selector}: {before}",
                f"+ {one.wanted.selector}: {state(one)}",
            ]
    if not news or picture.changed_at is None:
        return None
    names = ", ".join(one.wanted.selector for one in news)
    other = [one for one in picture.survey.usable if one not in news]
    hint = " A key under another selector is as it was, as in a rotation." if other else ""
    return CHANGED.found(f"{names} changed; last at {moment(picture.changed_at)}.{hint}", *lines)


_COLUMNS = (
    *("selector", "named by", "alias for", "verdict", "type", "bits", "notes"),
    *("key seen since", "fingerprint"),
)


def draw_facts(picture: Picture) -> dict[str, Fact]:
    """Return what the page and the command line show."""
    facts: dict[str, Fact] = {}
    if picture.shown:
        rows = tuple(_row(one, picture) for one in picture.shown[:_SHOWN])
        facts["selectors"] = Table(_COLUMNS, rows)
    tags = tuple(row for one in picture.shown for row in _tags(one))
    if tags:
        facts["tags"] = Table(("selector", "at", "tag", "value", "meaning"), tags[: 2 * _SHOWN])
    if picture.intent.is_parked:
        facts["recommended"] = Text(_ON_PARK.format(picture.survey.domain))
    if picture.intent.config is not None:
        facts["tenant's export"] = _export(picture.intent)
    return {**facts, "changes": _history(picture)}


def _row(one: Selector, picture: Picture) -> tuple[str, ...]:
    record = one.record
    key = record.key if record is not None else None
    since = picture.keys.get(one.wanted.selector) if key is not None else None
    return (
        one.wanted.selector,
        one.wanted.origin.value,
        _alias(one),
        f"{one.verdict}: {one.silence}" if one.silence is not None else one.verdict.value,
        PeerText(record.type, 20) if record is not None and not one.is_blank else "-",
        str(key.bits) if key is not None else "-",
        _notes(one, picture.survey),
        "-" if since is None else _day(since.changed_at or since.first_seen),
        "-" if key is None else mark(key),
    )


def _alias(one: Selector) -> str:
    target = first_target(one.aliases)
    if target is not None:
        return f"{PeerText(target.of(target.selector))} ({target.form})"
    return PeerText(one.aliases[-1]) if one.aliases else "-"


def _notes(one: Selector, survey: Survey) -> str:
    if one.is_wild and one.records:
        return "the answer of a wildcard"
    target = first_target(one.aliases) if one.wanted.is_microsofts else None
    is_spare = target is not None and target.is_for(survey.domain) and bool(survey.usable)
    if one.verdict is Verdict.MISSING and is_spare:
        return "the selector that does not sign may have no key"
    return notes(one.record) if one.record is not None and not one.record.is_private else "-"


def _tags(one: Selector) -> list[tuple[str, ...]]:
    record = one.record
    if record is None or record.is_private:
        return []
    rows: list[tuple[str, ...]] = [
        (
            one.wanted.selector,
            str(tag.position + 1),
            PeerText(tag.name, 20),
            PeerText(tag.value, 80),
            PeerText(meaning(tag, record), 300),
        )
        for tag in record.tags[:20]
    ]
    rows += [
        (one.wanted.selector, str(fault.position + 1), "-", PeerText(fault.text, 80), fault.problem)
        for fault in record.faults[:20]
        if fault.text
    ]
    return rows


def _export(intent: Intent) -> Table:
    config = intent.config
    assert config is not None  # noqa: S101 - the caller looks
    on = {True: "on", False: "off", None: "not said"}[config.enabled]
    rows = [("signing", on), ("status", PeerText(config.status or "not said"))]
    rows += [
        (name, PeerText(target or "not said"))
        for name, target in (
            ("Selector1CNAME", config.selector1_cname),
            ("Selector2CNAME", config.selector2_cname),
        )
    ]
    if config.rotate_on_date is not None:
        rows.append(("rotates", _day(config.rotate_on_date)))
    return Table(("property", "value"), tuple(rows))


def _history(picture: Picture) -> Text:
    lines: list[str] = []
    for selector, seen in list(picture.records.items())[:_SHOWN]:
        lines.append(f"{selector}: first seen {moment(seen.first_seen)}")
        if seen.changed_at is not None:
            lines.append(f"{selector}: changed {moment(seen.changed_at)}, before: {seen.previous}")
    return Text("\n".join(lines) or "nothing was seen yet")


def _day(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%d")
