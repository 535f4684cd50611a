"""Would Exchange Online get its mail through this connector?

A connector names the smart hosts that mail leaves through and how strict TLS is with them.
Microsoft validates one when an administrator presses the button; afterwards a certificate runs out,
a firewall rule changes, a server is replaced, and mail waits in a queue for a day before the first
bounce. One run walks every address of every smart host as Exchange Online does: resolve, connect,
greeting, EHLO, STARTTLS, certificate, EHLO, MAIL, RCPT for the validation recipients, QUIT. No
message is sent. Faults come with the code that Exchange Online would show in its queue. A connector
that delivers by MX is walked at every exchange of its recipient domains, as strictly as their
MTA-STS policies and TLSA records demand.

The walk starts from where the agent stands: a smart host whose firewall lets only Exchange Online
in cannot be seen from elsewhere.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.adapters.as_exchange import AsExchange, Leg, Went, within_reach
from agent.adapters.by_mx import Demands, find_ways
from agent.adapters.plans import drive
from agent.adapters.smtp import own_name, reach_of
from agent.adapters.walk import Stop, Walker
from agent.domain import delivery_rules
from agent.domain.connector import Promise, examine, examine_relaying
from agent.domain.connector_facts import show
from agent.domain.connector_rules import RULES
from agent.domain.connector_summary import merge, summarise, verdict
from agent.domain.delivery import examine_zone
from agent.domain.fact import Fact, Table
from agent.domain.finding import Finding, Measurement, Outcome, Signal
from agent.domain.lookup import Unanswered
from agent.domain.peer_text import PeerText
from agent.domain.smart_host import find
from agent.domain.smtp import Phase as Step
from agent.domain.smtp import Reason, Unreached
from agent.domain.together import together
from agent.domain.walk import RESULTS, Walked, first_end, result_of, slowest
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.settings import CheckSettings, ConnectorSubject, Duration, Field

MAX_WALKS = 32  # sessions of one run
_SHARE = 0.9  # of the run's deadline, so that the walk can still say at which phase it ended

PHASE_DURATION = Signal(
    name="mailflow_connector_phase_duration_seconds",
    help="Time that a phase of the session took, of the slowest address.",
    labels=("phase",),
)
REACHABLE = Signal(
    name="mailflow_connector_reachable",
    help="1 where at least one address took the whole session, else 0.",
)
ADDRESSES = Signal(
    name="mailflow_connector_addresses",
    help="Addresses of the smart hosts, by what the session came to.",
    labels=("result",),
)
INFO = Signal(
    name="mailflow_connector_info",
    help="Always 1; TlsSettings of a connector, and its smart host, or `mx:` and its recipient"
    " domain, as configured; empty where it has several.",
    labels=("server", "tls_settings"),
)
EXPIRY = Signal(
    name="mailflow_connector_certificate_expiry_timestamp_seconds",
    help="When the first of the smart hosts' certificates expires.",
)


class ConnectorSettings(CheckSettings):
    """Settings of a check of an outbound connector."""

    warn_before_expiry: Duration = Field(
        default=timedelta(days=30),
        description="How long before its end a certificate is worth a warning.",
    )
    try_relay: bool = Field(
        default=True,
        description="Whether to see that the smart hosts refuse `foreign_recipient`; `false` where"
        " this machine is allowed to relay there.",
    )


ConnectorCheck = Check[ConnectorSubject, ConnectorSettings]


@dataclass(slots=True)
class _Plan:
    """Where to walk, and what was learned before the first step."""

    legs: list[Leg] = field(default_factory=list)
    lost: list[Walked] = field(default_factory=list)  # what leads to no address
    findings: list[Finding] = field(default_factory=list)
    unanswered: list[Finding] = field(default_factory=list)
    facts: dict[str, Fact] = field(default_factory=dict)


async def run(check: ConnectorCheck, tools: Toolbox) -> Outcome:
    """Walk every address of every server that the connector delivers to, at the same time."""
    subject = check.target
    began = tools.clock.monotonic()
    until = began + _SHARE * check.settings.timeout.total_seconds()
    plan = await (_by_mx if subject.use_mx_record else _by_smart_hosts)(check, tools)
    resolving = tools.clock.monotonic() - began
    walker = AsExchange(
        Walker(tools.dialer, tools.trust, tools.clock, tools.egress, tools.sightings),
        tools.trust,
        tools.clock,
        helo=subject.helo or subject.mail_from.rpartition("@")[2] or own_name(),
        mail_from=subject.mail_from,
        until=until,
    )
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(walker.walk(leg)) for leg in plan.legs[:MAX_WALKS]]
    went = [task.result() for task in tasks]
    seen = within_reach(went)
    return _judge(check, plan, seen, resolving=resolving, at=tools.clock.now())


async def _by_smart_hosts(check: ConnectorCheck, tools: Toolbox) -> _Plan:
    """Find the places of the smart hosts."""
    subject, promise, plan = check.target, promise_of(check), _Plan()
    foreign = subject.foreign_recipient if check.settings.try_relay else None
    plans = [find(each.host) for each in subject.smart_hosts]
    located = await drive(together(plans, {}), tools.resolver)
    for host, found in zip(subject.smart_hosts, located, strict=True):
        for place in found.places:
            reach = reach_of(host.host)
            stop = Stop(host=place.host, address=place.address, port=host.port, reach=reach)
            recipients = subject.validation_recipients
            plan.legs.append(
                Leg(stop=stop, promise=promise, recipients=recipients, foreign=foreign)
            )
        if found.reason is Reason.UNRESOLVED:
            dialogue = Unreached(Step.RESOLVE, found.reason, found.detail)
            plan.lost.append(Walked(host=host.host, dialogue=dialogue))
        if found.gap or found.reason is Reason.DNS_UNANSWERED:
            plan.unanswered.append(DNS_UNANSWERED.found(found.detail or found.gap))
    return plan


async def _by_mx(check: ConnectorCheck, tools: Toolbox) -> _Plan:
    """Find the exchanges of the recipient domains, and what their policies demand."""
    subject, plan = check.target, _Plan()
    demands = Demands(subject.mta_sts_mode != "none", subject.smtp_dane_mode != "none")
    ways = await find_ways(
        subject.domains,
        demands,
        resolver=tools.resolver,
        policies=tools.policies,
        within=check.settings.timeout / 3,
    )
    for way in ways:
        survey = way.route.survey
        plan.findings += way.findings()
        plan.legs += way.legs(promise_of(check), subject.validation_recipients)
        if isinstance(survey.reply, Unanswered):
            detail = f"MX of {survey.domain}: {survey.reply.reason}."
            plan.unanswered.append(DNS_UNANSWERED.found(detail))
        elif not any(target.addresses or target.silence for target in survey.routes):
            dialogue = Unreached(Step.RESOLVE, Reason.UNRESOLVED, "no exchange has an address")
            plan.lost.append(Walked(host=survey.domain, dialogue=dialogue))
        for target in survey.routes:
            if target.silence:
                detail = f"{PeerText(target.exchange)}: {target.silence}"
                plan.unanswered.append(DNS_UNANSWERED.found(detail))
    columns = ("Domain", "Exchange", "MTA-STS policy", "TLSA records")
    plan.facts["Policies"] = Table(columns, tuple(row for way in ways for row in way.rows()))
    return plan


def promise_of(check: ConnectorCheck) -> Promise:
    """Return what the connector asks of its smart hosts."""
    subject = check.target
    return Promise(subject.tls_settings, subject.tls_domain, check.settings.warn_before_expiry)


def _judge(
    check: ConnectorCheck, plan: _Plan, went: list[Went], *, resolving: float, at: datetime
) -> Outcome:
    seen = (*(each.walked for each in went), *plan.lost)
    is_mandatory = check.target.smtp_dane_mode == "mandatory"
    examined = (
        *(_examine(each, at, is_mandatory=is_mandatory) for each in went),
        *(examine(each, promise_of(check), at) for each in plan.lost),
    )
    foreign = [each.foreign for each in went if each.foreign is not None]
    relaying = [finding for each in foreign for finding in examine_relaying(each)]
    verdicts = tuple(map(verdict, seen, examined))
    shown = show(seen, verdicts, resolving, check.target.tls_domain)
    return Outcome(
        findings=(
            *summarise(seen, examined),
            *merge((*plan.findings, *relaying)),
            *plan.unanswered,
        ),
        measurements=(
            INFO.at(1, _server(check.target), check.target.tls_settings),
            *_measure(seen, resolving),
        ),
        facts={**plan.facts, **shown},
        failure=_failure(seen, is_unanswered=bool(plan.unanswered)),
    )


def _examine(went: Went, at: datetime, *, is_mandatory: bool) -> tuple[Finding, ...]:
    findings = examine(went.walked, went.leg.promise, at)
    if went.leg.zone is None:
        return findings
    zone = examine_zone(went.walked, went.leg.zone, went.shown, is_mandatory=is_mandatory)
    return (*findings, *zone)


def _server(subject: ConnectorSubject) -> str:
    """Name the one server that the connector delivers to, as routes name theirs."""
    names = [str(host) for host in subject.smart_hosts]
    if subject.use_mx_record:
        names = [f"mx:{domain}" for domain in subject.recipient_domains]
    is_one = len(names) == 1 and "*" not in names[0]
    return names[0].lower() if is_one else ""


def _failure(seen: tuple[Walked, ...], *, is_unanswered: bool) -> str:
    """Return why a part of the run could not tell, if so."""
    if is_unanswered:
        return str(Reason.DNS_UNANSWERED)
    for each in seen:
        match each.dialogue:
            case Unreached(reason=reason) if reason.is_ours:
                return str(reason)
    return ""


def _measure(seen: tuple[Walked, ...], resolving: float) -> Iterator[Measurement]:
    results = [result_of(each.dialogue) for each in seen]
    yield REACHABLE.at(float("accepted" in results))
    for result in RESULTS:
        yield ADDRESSES.at(results.count(result), result)
    for step, seconds in slowest(seen, resolving).items():
        yield PHASE_DURATION.at(seconds, step)
    if end := first_end(seen):
        yield EXPIRY.at(end.timestamp())


PROBE = Probe(
    kind="connector",
    subject=ConnectorSubject,
    settings=ConnectorSettings,
    run=run,
    rules=(*RULES, *delivery_rules.RULES),
    signals=(PHASE_DURATION, REACHABLE, ADDRESSES, INFO, EXPIRY),
    depends_on=("resolver",),
    polite=timedelta(minutes=1),
    example="{interval: 5m, warn_before_expiry: 720h}",
    unfit=lambda subject: "" if subject.direction == "outbound" else "it is an inbound connector",
)
