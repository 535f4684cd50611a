"""Does a message sent at one end arrive at the other: in time, once and intact?

Every server of a route can be up and the mail still not get through. So a synthetic message is
handed to the first server as any sender would, and is waited for where it must arrive. It is
recorded, durably, before its first octet is sent, and never sent twice: a crash, a full disk or a
lost reply makes a message uncertain, and what arrives later settles it. What is late or lost is
seen by the runs that follow. Nothing is sent that the budget does not allow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from agent.adapters.ledger import Held
from agent.adapters.smtp import Destination, submit
from agent.adapters.smtp_session import Session
from agent.domain import route_report as report
from agent.domain import route_rules as rules
from agent.domain.budget import Allowance
from agent.domain.fact import Fact, Text
from agent.domain.finding import Finding, Measurement, Outcome
from agent.domain.ledger import Entry, State
from agent.domain.message import Message, Token
from agent.domain.smtp import Accepted, Dialogue, Errand, Reason, Refused, Unreached
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.settings import CheckSettings, Duration, Field, RouteSubject

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


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What this run's own message came to."""

    findings: tuple[Finding, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    failure: str = ""


async def run(check: RouteCheck, tools: Toolbox) -> Outcome:
    """Send one message, wait for it, and judge those that are under way."""
    key = ledger_key(check)
    attempt = await _attempt(check, tools, key)
    tools.ledger.judge(key)
    judged = report.findings(tools.ledger.news(key), tools.ledger.overdue(key))
    outcome = Outcome(
        findings=(*attempt.findings, *judged),
        measurements=(
            *_constants(check),
            *report.measurements(tools.ledger.tally(key)),
            *attempt.measurements,
        ),
        facts={**attempt.facts, "Messages": report.table(tools.ledger.recent(key))},
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
    return (*_constants(check), *report.measurements(tools.ledger.tally(ledger_key(check))))


def _constants(check: RouteCheck) -> tuple[Measurement, ...]:
    return report.constants(
        objective=check.settings.objective,
        within=check.target.expect.within,
        interval=check.settings.interval,
    )


async def _attempt(check: RouteCheck, tools: Toolbox, key: str) -> _Attempt:
    """Send this run's message where that may be, and wait for it."""
    began = tools.clock.monotonic()
    if check.target.send.smtp.credential is not None:
        found = rules.NOT_SENT.found("logging in to the server is not supported yet")
        return _Attempt((found,), failure="not-sent")
    expect = check.target.expect
    token = await tools.ledger.plan(
        key,
        within=expect.within,
        lost_after=expect.lost_after,
        allowance=check.settings.allowance,
    )
    if isinstance(token, Held):
        rule = rules.OVER_BUDGET if token.reason == "over-budget" else rules.UNRECORDED
        return _Attempt((rule.found(token.detail),), failure=token.reason)
    session = await _send(check, tools, token, _left(check, tools, began))
    failure = _note(tools, token, session.dialogue)
    entry = await tools.ledger.wait(token, min(expect.within, _left(check, tools, began)))
    return _Attempt(
        _unanswered(session.dialogue) + _open(entry),
        _phases(session, entry),
        {"Way": report.walk(session.timings, entry), "Transcript": _transcript(session)},
        failure,
    )


def _left(check: RouteCheck, tools: Toolbox, began: float) -> timedelta:
    """Return what is left of the run's deadline."""
    spent = timedelta(seconds=tools.clock.monotonic() - began)
    margin = min(_MARGIN, check.settings.timeout / 10)
    return max(check.settings.timeout - margin - spent, timedelta(milliseconds=1))


async def _send(check: RouteCheck, tools: Toolbox, token: Token, deadline: timedelta) -> Session:
    """Hand the message over; whatever interrupts that leaves it uncertain."""
    send = check.target.send
    message = Message(
        token=token,
        route=check.subject,
        mail_from=send.mail_from,
        rcpt_to=send.rcpt_to,
        sent_at=tools.clock.now(),
    )
    errand = Errand(
        helo=send.smtp.helo or message.author.rpartition("@")[2],
        mail_from=send.mail_from,
        rcpt_to=(send.rcpt_to,),
        message=message.encode(),
    )
    session: Session | None = None
    try:
        session = await submit(
            Destination(host=send.smtp.host, port=send.smtp.port, tls=send.smtp.tls),
            errand,
            resolver=tools.resolver,
            dialer=tools.dialer,
            trust=tools.trust,
            clock=tools.clock,
            deadline=deadline,
        )
    finally:
        if session is None:
            tools.ledger.uncertain(token, "the run was ended while it was sending")
    return session


def _note(tools: Toolbox, token: Token, dialogue: Dialogue) -> str:
    """Tell the ledger what the server said; return why that could not be told, or nothing."""
    match dialogue:
        case Accepted(reply):
            tools.ledger.accepted(token, reply.text)
        case Refused(phase, reply):
            failure = "deferred" if reply.is_transient else "refused"
            tools.ledger.rejected(token, failure, f"at {phase}: {reply.text}")
        case Unreached(phase, reason, detail) if dialogue.is_uncertain:
            tools.ledger.uncertain(token, f"at {phase}: {reason} {detail}".rstrip())
            return "uncertain"
        case Unreached(phase, reason, detail) if reason.is_ours:
            tools.ledger.withdrawn(token, f"at {phase}: {reason} {detail}".rstrip())
            return reason.value
        case Unreached(phase, reason, detail):
            tools.ledger.rejected(token, "unreached", f"at {phase}: {reason} {detail}".rstrip())
    return ""


def _unanswered(dialogue: Dialogue) -> tuple[Finding, ...]:
    """Blame DNS, and not only ourselves, where it was DNS that could not say."""
    match dialogue:
        case Unreached(reason=Reason.DNS_UNANSWERED, detail=detail):
            return (DNS_UNANSWERED.found(detail or "the address of the server is not known"),)
    return ()


def _open(entry: Entry) -> tuple[Finding, ...]:
    """Report a message that is uncertain before it is judged."""
    is_open = entry.state is State.UNCERTAIN and entry.is_in_flight
    return report.findings((entry,)) if is_open else ()


def _phases(session: Session, entry: Entry) -> tuple[Measurement, ...]:
    transit = report.transit(entry)
    return (
        *(rules.PHASE.at(seconds, phase.value) for phase, seconds in session.timings.items()),
        *(() if transit is None else (rules.PHASE.at(transit, report.TRANSIT),)),
    )


def _transcript(session: Session) -> Text:
    return Text("\n".join(session.transcript))


PROBE = Probe(
    kind="route",
    subject=RouteSubject,
    settings=RouteSettings,
    run=run,
    rules=rules.RULES,
    signals=rules.SIGNALS,
    depends_on=("resolver",),
    initial=initial,
    example="{interval: 5m, objective: 0.999}",
)
