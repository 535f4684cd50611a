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
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv6Address

from agent.adapters.plans import drive
from agent.adapters.smtp import own_name, reach_of
from agent.adapters.walk import Stop, Walker
from agent.domain.connector import (
    Again,
    Promise,
    examine,
    examine_relaying,
    failure_of_tls,
    joined,
    looks_again,
)
from agent.domain.connector_facts import show
from agent.domain.connector_rules import RULES
from agent.domain.connector_summary import merge, summarise, verdict
from agent.domain.finding import Measurement, Outcome, Signal
from agent.domain.smart_host import Found, find
from agent.domain.smtp import Accepted, Errand, Reason, Refused, Tls, Unreached
from agent.domain.smtp import Phase as Step
from agent.domain.together import together
from agent.domain.walk import RESULTS, Walked, result_of
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


async def run(check: ConnectorCheck, tools: Toolbox) -> Outcome:
    """Walk every address of every smart host, at the same time."""
    hosts = check.target.smart_hosts
    began = tools.clock.monotonic()
    plans = [find(each.host) for each in hosts]
    located = await drive(together(plans, {}), tools.resolver)
    resolving = tools.clock.monotonic() - began
    tour = _Tour(check, tools, _SHARE * check.settings.timeout - timedelta(seconds=resolving))
    stops = [
        Stop(host=place.host, address=place.address, port=host.port, reach=reach_of(host.host))
        for host, found in zip(hosts, located, strict=True)
        for place in found.places
    ]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(tour.walk(stop)) for stop in stops[:MAX_WALKS]]
    seen = [task.result() for task in tasks]
    for host, found in zip(hosts, located, strict=True):
        if found.reason is Reason.UNRESOLVED:
            dialogue = Unreached(Step.RESOLVE, found.reason, found.detail)
            seen.append((Walked(host=host.host, dialogue=dialogue), None))
    return _judge(check, tools, _within_reach(seen), located, resolving)


class _Tour:
    """The sessions of one run."""

    def __init__(self, check: ConnectorCheck, tools: Toolbox, left: timedelta) -> None:
        self._subject, self._settings = check.target, check.settings
        self._tools = tools
        self._walker = Walker(tools.dialer, tools.trust, tools.clock)
        self._until = tools.clock.monotonic() + left.total_seconds()
        self._promise = promise_of(check)

    async def walk(self, stop: Stop) -> tuple[Walked, Walked | None]:
        """Walk one address as Exchange Online would, and see that it relays for nobody."""
        walked = await self._as_exchange(stop)
        if not (self._settings.try_relay and isinstance(walked.dialogue, Accepted | Refused)):
            return walked, None
        if isinstance(walked.dialogue, Refused) and walked.dialogue.phase is not Step.RCPT:
            return walked, None
        return walked, await self._go(stop, (self._subject.foreign_recipient,))

    async def _as_exchange(self, stop: Stop) -> Walked:
        """Walk as often as it takes to know what Exchange Online would come to."""
        recipients = self._subject.validation_recipients
        walked = await self._go(stop, recipients)
        if looks_again(walked, self._promise) is Again.AS_EXCHANGE:
            offering = replace(stop, tls=self._tools.trust.as_exchange())
            walked = joined(walked, await self._go(offering, recipients))
        if looks_again(walked, self._promise) is Again.IN_THE_CLEAR:
            again = await self._go(stop, recipients, tls=Tls.NEVER)
            failure = failure_of_tls(walked)
            return replace(again, presented=walked.presented, tls_failure=failure)
        return walked

    async def _go(self, stop: Stop, recipients: tuple[str, ...], tls: Tls | None = None) -> Walked:
        subject = self._subject
        demanded = Tls.IF_OFFERED if subject.tls_settings == "none" else Tls.REQUIRED
        errand = Errand(
            helo=subject.helo or subject.mail_from.rpartition("@")[2] or own_name(),
            tls=tls or demanded,
            mail_from=subject.mail_from,
            rcpt_to=recipients,
        )
        left = timedelta(seconds=self._until - self._tools.clock.monotonic())
        return await self._walker.walk(stop, errand, left)


Pair = tuple[Walked, Walked | None]


def _within_reach(seen: list[Pair]) -> list[Pair]:
    """Leave out IPv6 where this machine has none, as long as something could be tried."""
    tried = [pair for pair in seen if not _is_out_of_reach(pair[0])]
    return tried or seen


def _is_out_of_reach(seen: Walked) -> bool:
    match seen:
        case Walked(address=IPv6Address(), dialogue=Unreached(reason=Reason.NO_ROUTE)):
            return True
    return False


def promise_of(check: ConnectorCheck) -> Promise:
    """Return what the connector asks of its smart hosts."""
    subject = check.target
    return Promise(subject.tls_settings, subject.tls_domain, check.settings.warn_before_expiry)


def _judge(
    check: ConnectorCheck,
    tools: Toolbox,
    pairs: list[Pair],
    located: tuple[Found, ...],
    resolving: float,
) -> Outcome:
    now, promise = tools.clock.now(), promise_of(check)
    seen = tuple(walked for walked, _ in pairs)
    examined = tuple(examine(walked, promise, now) for walked in seen)
    relaying = [finding for _, other in pairs if other for finding in examine_relaying(other)]
    unanswered = tuple(
        DNS_UNANSWERED.found(each.detail or each.gap)
        for each in located
        if each.gap or each.reason is Reason.DNS_UNANSWERED
    )
    verdicts = tuple(map(verdict, seen, examined))
    return Outcome(
        findings=(*summarise(seen, examined), *merge(relaying), *unanswered),
        measurements=tuple(_measure(seen, resolving)),
        facts=show(seen, verdicts, resolving, check.target.tls_domain),
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
