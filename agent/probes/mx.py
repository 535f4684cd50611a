"""Can the world find the hosts that take the domain's mail, and are they the right ones?

Senders look up the domain's MX records and deliver to the most preferred exchange that answers. A
record that is missing, or that names a host without an address, defers or bounces mail at every
sender, and the domain's owner sees nothing at all. A record that names the wrong host sends mail
past the filter, or to somebody else.

One run asks for the MX records themselves; the addresses of the exchanges, and whether a wildcard
stands below the domain, come from the cache for as long as their time to live allows. Only what DNS
can say is judged here; whether the exchanges take mail is for other checks. A changed set of
records is reported for a while and then only kept; order and time to live are no change.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agent.domain import mx_rules as rules
from agent.domain.fact import Fact, Table, Text
from agent.domain.finding import Finding, Measurement, Outcome, Signal
from agent.domain.judgement import Judgement
from agent.domain.lookup import Answer, Plan, Unanswered
from agent.domain.mx import Survey, Target, matches_any, survey
from agent.domain.mx_lint import LONGEST_NAME, Expectation, expect, lint
from agent.domain.past import come, gone, moment, remembered
from agent.domain.peer_text import PeerText
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.settings import CheckSettings, DomainSubject, Duration, Field

if TYPE_CHECKING:
    from agent.adapters.history import Seen

_NONE = "no MX record"  # stands for the empty set, and is none of the records that came or went
_SHOWN = 40  # rows of a table, and records kept for comparison

EXCHANGES = Signal(
    name="mailflow_mx_exchanges",
    help="Hosts that the domain's MX records name.",
)
EXCHANGES_WITH_ADDRESS = Signal(
    name="mailflow_mx_exchanges_with_address",
    help="Hosts that the domain's MX records name and that have an address.",
)
EXCHANGES_EXPECTED = Signal(
    name="mailflow_mx_exchanges_expected",
    help="Hosts in MX that are expected; absent where nothing is known of what to expect.",
)
EXPECTED_PREFERENCE = Signal(
    name="mailflow_mx_expected_preference",
    help="Lowest preference among the expected hosts in MX; absent where there is none.",
)
ADDRESSES = Signal(
    name="mailflow_mx_addresses",
    help="Addresses of all hosts in MX, by family.",
    labels=("family",),
)
TTL = Signal(
    name="mailflow_mx_record_ttl_seconds",
    help="Highest time to live seen for the present MX records.",
)
CHANGED_AT = Signal(
    name="mailflow_mx_record_changed_timestamp_seconds",
    help="When the set of MX records last changed, or was first seen.",
)


class MxSettings(CheckSettings):
    """Settings of an mx check."""

    min_ttl: Duration = Field(
        default=timedelta(minutes=5), description="Lowest acceptable TTL of the MX records."
    )
    max_ttl: Duration = Field(
        default=timedelta(hours=48), description="Highest acceptable TTL of the MX records."
    )
    max_exchanges: int = Field(
        default=10, ge=1, le=100, description="Number of exchanges beyond which there are too many."
    )
    report_changes_for: Duration = Field(
        default=timedelta(hours=1),
        description="How long a change of the MX records stays a finding; `0s` for never.",
    )


MxCheck = Check[DomainSubject, MxSettings]


async def run(check: MxCheck, tools: Toolbox) -> Outcome:
    """Survey the domain, judge it and note its records."""
    judgement = await tools.recall.derive(check.identity, check, lambda: _judge(check, tools))
    return judgement.at(tools.clock.now())


def _judge(check: MxCheck, tools: Toolbox) -> Plan[Judgement]:
    """Run only while DNS says something new; then the outcomes are the same objects."""
    found = yield from survey(check.subject)
    now = tools.clock.now()
    if isinstance(found.reply, Unanswered):
        reason = found.reply.reason
        detail = f"MX of {check.subject}: {reason}."
        outcome = Outcome((DNS_UNANSWERED.found(detail),), failure=reason.value)
        return Judgement(outcome)
    expected = _expectation(check)
    findings = lint(found, expected)
    record = describe_records(found)
    key, news_for = f"{check.identity}#record", check.settings.report_changes_for
    seen = tools.history.note(key, record, now, news_for)
    facts = _facts(found, found.reply, expected, seen)
    measurements = (*_measure(found, found.reply, expected), _when(seen))
    settled = Outcome(findings, measurements, facts)
    sure_from = now + check.settings.min_ttl
    if seen.changed_at is None:
        return Judgement(settled, premature=rules.TTL_LOW, sure_from=sure_from)
    before = tools.history.stood(key)
    change = None if before is None else _change(seen.changed_at, before, record)
    news_until = seen.changed_at + news_for
    return Judgement(settled, change, news_until, rules.TTL_LOW, sure_from)


def _expectation(check: MxCheck) -> Expectation:
    target, settings = check.target, check.settings
    return expect(
        target.topology,
        exchanges=target.exchanges,
        senders=target.senders,
        min_ttl=int(settings.min_ttl.total_seconds()),
        max_ttl=int(settings.max_ttl.total_seconds()),
        max_exchanges=settings.max_exchanges,
    )


def describe_records(found: Survey) -> str:
    """Return the set of records, one a line: the same text for the same set."""
    lines = [
        f"MX {one.preference} {PeerText(one.exchange, LONGEST_NAME) or '.'}"
        for one in sorted(set(found.records))
    ]
    if len(lines) > _SHOWN:
        lines[_SHOWN:] = [f"and {len(lines) - _SHOWN} more"]
    return "\n".join(lines) or _NONE


def _change(changed_at: datetime, before: str, after: str) -> Finding:
    old, new = before.splitlines(), after.splitlines()
    added, removed = come(old, new), gone(old, new)
    came, went = (len(lines) - (_NONE in each) for lines, each in ((added, new), (removed, old)))
    detail = f"{came} added and {went} removed at {moment(changed_at)}."
    return rules.CHANGED.found(detail, *added, *removed)


def _when(seen: "Seen") -> Measurement:
    return CHANGED_AT.at((seen.changed_at or seen.first_seen).timestamp())


def _measure(found: Survey, reply: Answer, expected: Expectation) -> tuple[Measurement, ...]:
    targets = found.targets
    addresses = {address for target in targets for address in target.addresses}
    fitting = [one for one in targets if matches_any(expected.patterns, one.exchange)]
    measurements = [
        EXCHANGES.at(len(targets)),
        EXCHANGES_WITH_ADDRESS.at(sum(bool(target.addresses) for target in targets)),
        ADDRESSES.at(sum(address.version == 4 for address in addresses), "ipv4"),  # noqa: PLR2004
        ADDRESSES.at(sum(address.version == 6 for address in addresses), "ipv6"),  # noqa: PLR2004
    ]
    if expected.patterns:
        measurements.append(EXCHANGES_EXPECTED.at(len(fitting)))
    if fitting:
        measurements.append(EXPECTED_PREFERENCE.at(fitting[0].preference))
    if reply.ttl is not None and reply.records:
        measurements.append(TTL.at(reply.ttl))
    return tuple(measurements)


def _facts(found: Survey, reply: Answer, expected: Expectation, seen: "Seen") -> dict[str, Fact]:
    facts: dict[str, Fact] = {}
    if found.routes:
        columns = ("preference", "exchange", "addresses", "whose", "expected")
        rows = tuple(_row(target, found, expected) for target in found.routes[:_SHOWN])
        facts["exchanges"] = Table(columns, rows)
    lines = [describe_records(found)]
    if reply.ttl is not None and reply.records:
        lines.append(f"highest TTL seen: {reply.ttl} s")
    facts["record"] = Text("\n".join(lines))
    facts["changes"] = Text("\n".join(remembered(seen.first_seen, seen.changed_at)))
    return facts


def _row(target: Target, found: Survey, expected: Expectation) -> tuple[str, ...]:
    fits = "-"
    if expected.patterns:
        fits = "yes" if matches_any(expected.patterns, target.exchange) else "no"
    return (
        "none" if target is found.implicit else str(target.preference),
        PeerText(target.exchange, LONGEST_NAME),
        ", ".join(map(str, target.addresses[:10])) or target.silence or "none",
        target.owner.title if target.owner else "-",
        fits,
    )


PROBE = Probe(
    kind="mx",
    subject=DomainSubject,
    settings=MxSettings,
    run=run,
    rules=rules.RULES,
    signals=(
        EXCHANGES,
        EXCHANGES_WITH_ADDRESS,
        EXCHANGES_EXPECTED,
        EXPECTED_PREFERENCE,
        ADDRESSES,
        TTL,
        CHANGED_AT,
    ),
    depends_on=("resolver",),
    example="{interval: 5m, report_changes_for: 1h}",
    one_off=MxSettings(),
)
