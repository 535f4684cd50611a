"""Would Exchange Online get its mail through this connector?

A connector names the smart hosts that mail leaves through and how strict TLS is with them.
Microsoft validates one when an administrator presses the button; afterwards a certificate runs out,
a firewall rule changes, a server is replaced, and mail waits in a queue for a day before the first
bounce. One run walks every address of every smart host as Exchange Online does: resolve, connect,
greeting, EHLO, STARTTLS, certificate, EHLO, MAIL, RCPT for the validation recipients, QUIT. No
message is sent. Faults come with the code that Exchange Online would show in its queue.

The walk starts from where the agent stands: a smart host whose firewall lets only Exchange Online
in cannot be seen from elsewhere.
"""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import IPv6Address

from agent.adapters.dialer import Address
from agent.adapters.plans import drive
from agent.adapters.smtp import own_name, reach_of
from agent.adapters.walk import Stop, Walker
from agent.domain.connector import Promise, examine, summarise
from agent.domain.connector_facts import show
from agent.domain.connector_rules import RULES
from agent.domain.finding import Measurement, Outcome, Signal
from agent.domain.host import Located, locate
from agent.domain.smtp import Errand, Reason, Tls, Unreached
from agent.domain.smtp import Phase as Step
from agent.domain.walk import RESULTS, Walked, result_of
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.settings import CheckSettings, ConnectorSubject, Duration, Field, HostPort

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
EXPIRY = Signal(
    name="mailflow_connector_certificate_expiry_timestamp_seconds",
    help="When the first of the smart hosts' certificates expires.",
)


class ConnectorSettings(CheckSettings):
    """Settings of a connector check."""

    warn_before_expiry: Duration = Field(
        default=timedelta(days=30),
        description="How long before its end a certificate is worth a warning.",
    )


async def run(check: Check[ConnectorSubject, ConnectorSettings], tools: Toolbox) -> Outcome:
    """Walk every address of every smart host, at the same time."""
    hosts = check.target.smart_hosts
    began = tools.clock.monotonic()
    async with asyncio.TaskGroup() as group:
        lookups = [group.create_task(drive(locate(each.host), tools.resolver)) for each in hosts]
    located = [lookup.result() for lookup in lookups]
    resolving = tools.clock.monotonic() - began
    places = [
        (host, address)
        for host, found in zip(hosts, located, strict=True)
        for address in found.addresses
    ]
    left = _SHARE * check.settings.timeout - timedelta(seconds=resolving)
    async with asyncio.TaskGroup() as group:
        walks = [
            group.create_task(_walk(check, tools, host, address, left))
            for host, address in places[:MAX_WALKS]
        ]
    seen = [walk.result() for walk in walks]
    for host, found in zip(hosts, located, strict=True):
        if found.reason is Reason.UNRESOLVED:
            dialogue = Unreached(Step.RESOLVE, found.reason, found.detail)
            seen.append(Walked(host=host.host, dialogue=dialogue))
    return _judge(check, tools, _within_reach(seen), tuple(located), resolving)


async def _walk(
    check: Check[ConnectorSubject, ConnectorSettings],
    tools: Toolbox,
    host: HostPort,
    address: Address,
    deadline: timedelta,
) -> Walked:
    """Walk one address, learning everything of its certificate; nothing secret is said."""
    subject = check.target
    errand = Errand(
        helo=subject.helo or subject.mail_from.rpartition("@")[2] or own_name(),
        tls=Tls.IF_OFFERED if subject.tls_settings == "none" else Tls.REQUIRED,
        mail_from=subject.mail_from,
        rcpt_to=subject.validation_recipients,
    )
    stop = Stop(host=host.host, address=address, port=host.port, reach=reach_of(host.host))
    return await Walker(tools.dialer, tools.trust, tools.clock).walk(stop, errand, deadline)


def _within_reach(seen: list[Walked]) -> tuple[Walked, ...]:
    """Leave out IPv6 where this machine has none, as long as something could be tried."""
    tried = [each for each in seen if not _is_out_of_reach(each)]
    return tuple(tried or seen)


def _is_out_of_reach(seen: Walked) -> bool:
    match seen:
        case Walked(address=IPv6Address(), dialogue=Unreached(reason=Reason.NO_ROUTE)):
            return True
    return False


def _judge(
    check: Check[ConnectorSubject, ConnectorSettings],
    tools: Toolbox,
    seen: tuple[Walked, ...],
    located: tuple[Located, ...],
    resolving: float,
) -> Outcome:
    subject = check.target
    promise = Promise(subject.tls_settings, subject.tls_domain, check.settings.warn_before_expiry)
    now = tools.clock.now()
    findings = summarise(tuple(examine(each, promise, now) for each in seen))
    unanswered = tuple(
        DNS_UNANSWERED.found(each.detail or each.gap)
        for each in located
        if each.gap or each.reason is Reason.DNS_UNANSWERED
    )
    return Outcome(
        findings=(*findings, *unanswered),
        measurements=tuple(_measure(seen, resolving)),
        facts=show(seen, resolving),
        failure=_failure(seen, is_unanswered=bool(unanswered)),
    )


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
    slowest = {Step.RESOLVE: resolving}
    for each in seen:
        for step, seconds in each.timings.items():
            slowest[step] = max(seconds, slowest.get(step, 0.0))
    for step, seconds in slowest.items():
        yield PHASE_DURATION.at(seconds, step)
    ends = [each.presented.leaf.not_after for each in seen if each.presented]
    if ends:
        yield EXPIRY.at(min(ends).timestamp())


PROBE = Probe(
    kind="connector",
    subject=ConnectorSubject,
    settings=ConnectorSettings,
    run=run,
    rules=RULES,
    signals=(PHASE_DURATION, REACHABLE, ADDRESSES, EXPIRY),
    depends_on=("resolver",),
    example="{interval: 5m, warn_before_expiry: 720h}",
    unfit=lambda subject: "" if subject.direction == "outbound" else "it is an inbound connector",
)
