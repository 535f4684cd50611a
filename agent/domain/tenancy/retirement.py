"""What that is in use comes to an end, when, and what is to be done before?

One calendar of what Microsoft switches off, and of what runs out by itself: secrets, certificates,
DKIM keys that rotate. Certificates of servers and short keys are on it without a finding: the
checks that see them judge them. Days are those of UTC.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from agent.domain.fact import Table
from agent.domain.finding import Finding, Measurement, Rule, Signal
from agent.domain.knowledge.retirements import Retirement
from agent.domain.tenancy import retirement_rules as rules
from agent.domain.tenancy.objects import DkimConfig
from agent.domain.tenancy.retirement_facts import Expiry, Facts, uses_of

SECRET_BEFORE = timedelta(days=30)
MIN_DKIM_BITS = 2048  # RFC 8301 section 3.2
MAX_ROWS = 200
_SHOWN = 20  # who uses one thing, in a finding
_NAMED = 3  # the same, in a sentence or a row

DUE = Signal(
    name="mailflow_retirement_due_timestamp_seconds",
    help="When something that is in use will be, or was, switched off by Microsoft.",
    labels=("kind",),
)
EXPIRY = Signal(
    name="mailflow_expiry_timestamp_seconds",
    help="When the first of its kind ends: certificate, secret, or the turn of a DKIM key.",
    labels=("kind",),
)
SIGNALS = (DUE, EXPIRY)
ROTATION = "dkim-rotation"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the calendar; ``when`` is None for what is so already, and nobody says since."""

    when: date | None
    what: str
    whose: str
    to_do: str
    source: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """All that ends, earliest first, what of it is worth a finding, and its days as metrics."""

    today: date
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    measurements: tuple[Measurement, ...]


def calendar(facts: Facts, now: datetime) -> Calendar:
    """Return what ends of what is in use, as seen at *now*."""
    today = now.astimezone(UTC).date()
    uses = uses_of(facts)
    turns = tuple(each for each in facts.dkim if each.rotate_on_date and each.rotate_on_date > now)
    rows = (
        *map(_row, uses, uses.values()),
        *map(_ending, facts.expiries),
        *map(_turning, turns),
        *_short(facts),
    )
    return Calendar(
        today,
        tuple(sorted(rows, key=lambda row: (row.when or date.min, row.what, row.whose))),
        (
            *(each for used in uses.items() for each in _retired(*used, today)),
            *(each for expiry in facts.expiries for each in _expired(expiry, now)),
        ),
        (*_measure_uses(uses, today), *_measure_ends(facts, turns)),
    )


def table(calendar: Calendar) -> Table:
    """Draw the calendar, as much of it as anybody reads."""
    columns = ("when", "left", "what", "whose", "what to do", "source")
    rows = [
        (
            row.when.isoformat() if row.when else "already",
            _left(row.when, calendar.today),
            row.what,
            row.whose,
            row.to_do,
            row.source,
        )
        for row in calendar.rows[:MAX_ROWS]
    ]
    more = len(calendar.rows) - MAX_ROWS
    if more > 0:
        rows.append(("later", "", f"{more} more", "", "", ""))
    return Table(columns, tuple(rows))


def _due(retirement: Retirement, today: date) -> date | None:
    """Return the next of its days, the last one where all are past."""
    since, final = retirement.since, retirement.final
    return final if since is not None and final is not None and since <= today else since


def _retired(retirement: Retirement, whose: tuple[str, ...], today: date) -> Iterator[Finding]:
    rule = _rule_of(retirement, today)
    if rule is None:
        return
    due = _due(retirement, today)
    words = f" ({due.isoformat()}, {_left(due, today)})" if due else ""
    detail = f"{_first_upper(retirement.what)}{words}: in use by {_named(whose)}."
    evidence = [f"in use by {each}" for each in whose[:_SHOWN]] if len(whose) > _NAMED else []
    if len(whose) > _SHOWN:
        evidence.append(f"and {len(whose) - _SHOWN} more")
    yield rule.found(
        detail,
        *evidence,
        f"use {retirement.instead}",
        f"source: {retirement.source}, {retirement.page}, read on {retirement.read.isoformat()}",
    )


def _rule_of(retirement: Retirement, today: date) -> Rule | None:
    if retirement.effect == "notice":
        return None
    if retirement.warned_from is not None and today < retirement.warned_from:
        return None
    if retirement.since is not None and today < retirement.since:
        return rules.DUE_SOON
    is_final = retirement.final is not None and retirement.final <= today
    if retirement.effect == "gone" or is_final:
        return rules.PAST
    return rules.LIMITED if retirement.effect == "limited" else rules.OFF_BY_DEFAULT


def _expired(expiry: Expiry, now: datetime) -> Iterator[Finding]:
    if expiry.kind != "secret" or expiry.at - now > SECRET_BEFORE:
        return
    rule = rules.SECRET_EXPIRED if expiry.at <= now else rules.SECRET_SOON
    day = expiry.at.astimezone(UTC).date()
    yield rule.found(
        f"The {expiry.what} of {expiry.whose} ends on {day.isoformat()},"
        f" {_left(day, now.astimezone(UTC).date())}."
    )


def _row(retirement: Retirement, whose: tuple[str, ...]) -> Row:
    until = f"; for good on {retirement.final.isoformat()}" if retirement.final else ""
    doubt = "" if retirement.certainty == "documented" else " (not Microsoft's own words)"
    return Row(
        retirement.since,
        f"{retirement.what}{until}",
        _named(whose),
        f"use {retirement.instead}",
        f"{retirement.source}{doubt}",
    )


def _ending(expiry: Expiry) -> Row:
    day, source = expiry.at.astimezone(UTC).date(), "as the checks saw it"
    return Row(day, expiry.what, expiry.whose, "renew it, with the same names", source)


def _turning(config: DkimConfig) -> Row:
    assert config.rotate_on_date is not None  # noqa: S101 - says so to the type checker
    return Row(
        config.rotate_on_date.astimezone(UTC).date(),
        "the other DKIM selector signs from then on",
        config.domain,
        "see that the CNAME records of both selectors are published",
        "RotateOnDate of Get-DkimSigningConfig",
    )


def _short(facts: Facts) -> Iterator[Row]:
    """Yield the keys that are too short by now; whether they sign is for the hygiene check."""
    for config in facts.dkim:
        sizes = [size for size in (config.selector1_key_size, config.selector2_key_size) if size]
        if sizes and max(sizes) < MIN_DKIM_BITS and config.enabled is not False:
            what, to_do = f"a DKIM key of {max(sizes)} bits", f"rotate it to {MIN_DKIM_BITS} bits"
            yield Row(None, what, config.domain, to_do, "RFC 8301 section 3.2")


def _measure_uses(uses: Mapping[Retirement, tuple[str, ...]], today: date) -> Iterator[Measurement]:
    for retirement in uses:
        due = _due(retirement, today)
        if due is not None and retirement.effect != "notice":
            yield DUE.at(datetime.combine(due, time(), UTC).timestamp(), retirement.key)


def _measure_ends(facts: Facts, turns: tuple[DkimConfig, ...]) -> Iterator[Measurement]:
    ends: dict[str, float] = {}
    found: list[tuple[str, datetime]] = [(each.kind, each.at) for each in facts.expiries]
    found += [(ROTATION, each.rotate_on_date) for each in turns if each.rotate_on_date]
    for kind, at in found:
        ends[kind] = min(at.timestamp(), ends.get(kind, at.timestamp()))
    for kind, end in sorted(ends.items()):
        yield EXPIRY.at(end, kind)


def _named(whose: tuple[str, ...]) -> str:
    more = len(whose) - _NAMED
    text = ", ".join(whose[:_NAMED])
    return f"{text} and {more} more" if more > 0 else text


def _left(day: date | None, today: date) -> str:
    """Say how far off a day is."""
    if day is None or day == today:
        return "today" if day else ""
    days = (day - today).days
    unit = "day" if abs(days) == 1 else "days"
    return f"in {days} {unit}" if days > 0 else f"{-days} {unit} ago"


def _first_upper(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
