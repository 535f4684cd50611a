"""Does a message sent at one end arrive at the other: in time, once, intact, and by the right way?

Every server of a route can be up and the mail still not get through. So a synthetic message is
handed over as any sender would, and is waited for where it must arrive: at the agent's own server,
or in a mailbox. It is recorded, durably, before its first octet is sent, and never sent twice: a
crash, a full disk or a lost reply makes a message uncertain, and what arrives later settles it.
What is late or lost is seen by the runs that follow. A server that says "not now" sees the same
message again later, as it would from any sender. Nothing is sent that the budget does not allow,
nor while nobody can look where it would arrive.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache

from agent.adapters.ledger import Held, Home
from agent.adapters.plans import drive
from agent.adapters.sightings import Sightings
from agent.domain import route_report as report
from agent.domain import route_rules as rules
from agent.domain import route_signals as signals
from agent.domain import route_story as story
from agent.domain.budget import Allowance
from agent.domain.entry import Entry, State
from agent.domain.fact import Fact, Text
from agent.domain.finding import Finding, Measurement, Outcome
from agent.domain.handover import Fate, Handed
from agent.domain.message import Message, Token
from agent.domain.patience import holds_off, is_due_later, next_try
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.settings import CheckSettings, Duration, Field, RouteSubject
from agent.settings.route_plan import Plan, handed_to, plan

_MARGIN = timedelta(seconds=1)  # of the run's deadline, kept for what follows the wait


class RouteSettings(CheckSettings):
    """Settings of a route check."""

    timeout: Duration = Field(
        default=timedelta(seconds=90),
        ge=timedelta(milliseconds=100),
        description="Deadline of one whole run: sending, and waiting for arrival. A message that"
        " comes later is seen by the runs that follow.",
    )
    objective: float = Field(
        default=0.99, gt=0, lt=1, description="Share of the messages that must not fail."
    )
    messages_per_minute: int | None = Field(
        default=None,
        ge=1,
        le=600,
        description="Budget of this route, by default that of the section `budget`; no fault makes"
        " it send more.",
    )

    @property
    def allowance(self) -> Allowance | None:
        """What this route may send; None where it is what the budget says."""
        rate = self.messages_per_minute
        return None if rate is None else Allowance(rate, timedelta(minutes=1))


RouteCheck = Check[RouteSubject, RouteSettings]


@lru_cache(maxsize=4096)
def _plan_of(check: RouteCheck) -> Plan:
    """Return what a run needs of a route, made once for as long as the check is the same object."""
    return plan(check.target)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What this run's own message came to."""

    findings: tuple[Finding, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    failure: str = ""


async def run(check: RouteCheck, tools: Toolbox) -> Outcome:
    """Send one message, wait for it, and judge those that are under way."""
    key, known = ledger_key(check), _plan_of(check)
    attempt = await _attempt(check, tools, key)
    tools.ledger.judge(key)
    news, recent = tools.ledger.news(key), tools.ledger.recent(key)
    told = story.tell(
        news,
        recent,
        head=tools.ledger.head,
        owners=known.owners,
        expected=known.expected,
        leaving=known.leaving.drawn,
    )
    sightings = tools.sightings or Sightings()
    for reading in told.readings.values():
        sightings.note_message(reading, check.target.domain, known.author, check.identity)
    far_end = await drive(story.sender(news, told, known.envelope.mail_from), tools.resolver)
    judged = report.findings(
        news,
        tools.ledger.overdue(key),
        folder=known.expected.folder,
        remarks={**told.remarks, **report.marks_of_lost(news, tools.ledger.token_of, known.author)},
    )
    outcome = Outcome(
        findings=(*attempt.findings, *judged, *told.findings, *far_end),
        measurements=(*_standing(check, tools), *attempt.measurements, *told.measurements),
        facts={**told.paths, **attempt.facts, **report.tables(recent, known.about), **told.facts},
        failure=attempt.failure,
    )
    await tools.ledger.keep()
    return outcome


def ledger_key(check: RouteCheck) -> str:
    """Return the name that the ledger knows a route by."""
    return f"{check.tenant}/{check.subject}"


def initial(check: RouteCheck, tools: Toolbox) -> tuple[Measurement, ...]:
    """Return every counter as the ledger has it: at 0, so that the first failure is an increase.

    After a restart they go on from where they stood; if they were 0 until the first run, that would
    be read as a reset, and everything that failed long ago as having failed just now.
    """
    return _standing(check, tools)


def _standing(check: RouteCheck, tools: Toolbox) -> tuple[Measurement, ...]:
    """Return what the configuration, the ledger and the budget say of the route."""
    key, within, own = ledger_key(check), check.target.expect.within, check.settings
    room = tools.ledger.headroom(key, own.allowance)
    return (
        signals.INFO.at(1, handed_to(check.target), check.target.receive.home),
        *report.constants(objective=own.objective, within=within, interval=own.interval),
        *report.measurements(tools.ledger.tally(key), within),
        *(signals.HEADROOM.at(left, budget) for budget, left in room.items()),
    )


async def _attempt(check: RouteCheck, tools: Toolbox, key: str) -> _Attempt:
    """Send this run's message where that may be, and wait for it."""
    began = tools.clock.monotonic()
    home = _plan_of(check).home
    cause = _closed(tools, home)
    if cause:
        return _Attempt((rules.MAILBOX_CLOSED.found(cause),), failure="mailbox-closed")
    rest = _rest(check, tools, key)
    if rest is not None:
        return rest
    token = await _plan(check, tools, key, home)
    if isinstance(token, Held):
        rule = rules.OVER_BUDGET if token.reason == "over-budget" else rules.UNRECORDED
        return _Attempt((rule.found(token.detail),), failure=token.reason)
    handed = await _send(check, tools, token, _left(check, tools, began))
    failure = _note(tools, token, handed)
    expect = check.target.expect
    entry = await tools.ledger.wait(token, min(expect.within, _left(check, tools, began)))
    return _Attempt(
        _unanswered(handed) + _open(entry),
        _phases(handed, entry),
        {
            "Way": report.walk(handed.timings, entry),
            "Transcript": Text("\n".join(handed.transcript)),
        },
        failure,
    )


def _closed(tools: Toolbox, home: Home) -> str:
    """Say why nobody can look where the message would arrive; empty where somebody can."""
    if tools.pickups is None:
        return ""
    for place in filter(None, (home.home, home.origin)):
        state = tools.pickups.state(place)
        if state is not None and state.cause:
            return f"{place}: {state.cause}"
    return ""


def _rest(check: RouteCheck, tools: Toolbox, key: str) -> _Attempt | None:
    """Hold back where the server has asked for it, or refuses the same again and again."""
    waiting, now = tools.ledger.waiting(key), tools.clock.now()
    if waiting is not None and waiting.retry_at is not None and is_due_later(waiting.retry_at, now):
        # It is not given up here: the message waits, and that is told.
        return _Attempt(report.findings((waiting,)))
    refused = story.refusals(tools.ledger.recent(key))
    pause = holds_off(len(refused))
    if pause > check.settings.interval and refused[0].answered_at is not None:
        left = refused[0].answered_at + pause - now
        # More than the pause is left only where the clock was wrong when the answer came.
        if timedelta() < left <= pause:
            detail = f"{len(refused)} times in a row: {refused[0].detail}"
            when = f"the next try is in {left.total_seconds():.0f} s"
            return _Attempt((rules.RESTING.found(detail, when),))
    return None


async def _plan(check: RouteCheck, tools: Toolbox, key: str, home: Home) -> Token | Held:
    """Return the token of what may be sent now: what was put off goes before what is new."""
    allowance = check.settings.allowance
    waiting = tools.ledger.waiting(key)
    if waiting is not None:
        return await tools.ledger.plan_again(waiting, allowance)
    expect = check.target.expect
    return await tools.ledger.plan(
        key, within=expect.within, lost_after=expect.lost_after, allowance=allowance, home=home
    )


def _left(check: RouteCheck, tools: Toolbox, began: float) -> timedelta:
    """Return what is left of the run's deadline."""
    spent = timedelta(seconds=tools.clock.monotonic() - began)
    margin = min(_MARGIN, check.settings.timeout / 10)
    return max(check.settings.timeout - margin - spent, timedelta(milliseconds=1))


async def _send(check: RouteCheck, tools: Toolbox, token: Token, deadline: timedelta) -> Handed:
    """Hand the message over; whatever interrupts that leaves it uncertain."""
    send, known, entry = check.target.send, _plan_of(check), tools.ledger.entry(token)
    message = Message(
        token=token,
        route=check.subject,
        mail_from=send.mail_from,
        rcpt_to=send.rcpt_to,
        # The same octets each time: a server that greylists may compare them.
        sent_at=entry.first_sent_at or tools.clock.now(),
        payload=known.payload,
        header_from=send.header_from,
    )
    handed: Handed | None = None
    assert tools.outbox is not None  # noqa: S101 - who runs routes lends one
    try:
        handed = await tools.outbox.send(
            known.leaving.way, known.envelope, message, deadline, signed_by=send.dkim
        )
    finally:
        if handed is None:
            tools.ledger.uncertain(token, "the run was ended while it was sending")
    return handed


def _note(tools: Toolbox, token: Token, handed: Handed) -> str:
    """Tell the ledger what came of it; return why that could not be told, or nothing."""
    ledger = tools.ledger
    match handed.fate:
        case Fate.ACCEPTED:
            ledger.accepted(token, handed.detail, handed.via)
        case Fate.REFUSED | Fate.UNREACHED:
            ledger.rejected(token, handed.fate.value, handed.detail)
        case Fate.DEFERRED:
            attempts = ledger.entry(token).attempts + 1
            wait = next_try(attempts, handed.diagnosis.reply_class)
            ledger.deferred(token, wait, handed.detail)
        case Fate.UNCERTAIN:
            ledger.uncertain(token, handed.detail)
        case Fate.OURS:
            ledger.withdrawn(token, handed.detail)
    return handed.reason


def _unanswered(handed: Handed) -> tuple[Finding, ...]:
    """Blame DNS, and not only ourselves, where it was DNS that could not say."""
    if not handed.silence:
        return ()
    return (DNS_UNANSWERED.found(handed.detail or "the address of the server is not known"),)


def _open(entry: Entry) -> tuple[Finding, ...]:
    """Report a message that is uncertain, or put off, before it is judged."""
    is_open = entry.is_in_flight and (entry.state is State.UNCERTAIN or entry.is_waiting)
    return report.findings((entry,)) if is_open else ()


def _phases(handed: Handed, entry: Entry) -> tuple[Measurement, ...]:
    transit = report.transit(entry)
    return (
        *(signals.PHASE.at(seconds, phase) for phase, seconds in handed.timings.items()),
        signals.PHASE.at(sum(handed.timings.values()), "submit"),
        *(() if transit is None else (signals.PHASE.at(transit, report.TRANSIT),)),
        signals.DEFERRAL.at(entry.deferral.total_seconds()),
    )


PROBE = Probe(
    kind="route",
    subject=RouteSubject,
    settings=RouteSettings,
    run=run,
    rules=rules.RULES,
    signals=signals.SIGNALS,
    depends_on=("resolver",),
    initial=initial,
    example="{interval: 5m, objective: 0.99}",
)
