"""Is the monitor itself alive, and can it see?

A monitor that cannot resolve names sees nothing, and one whose event loop hangs measures itself. So
before anything is said about mail, the agent asks its resolver for a few names that must have an
SOA record, sees whether connections leave this machine where one did not, and looks at its
mailboxes, at the lag of its own loop, at its tasks and at its store. When the resolver is found
down, the checks that need it are not run in vain: they are shown as unknown with that cause, and
one alert, this one, fires. A check that runs between the moment when a gate takes the resolver's
place and the next look has what is new confirmed first (:mod:`agent.adapters.plans`), and
what it believes all the same it believes once; an alert takes two runs. What one cause explains is
told once: a mailbox is not down because the uplink is, nor because the identity provider gives no
token to open it with.

This check need not be configured; the agent adds it by itself.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from agent.adapters.mailbox import Trouble
from agent.adapters.plans import drive
from agent.adapters.token_trouble import TokenTrouble
from agent.domain.control import CONTROL_NAMES, RESOLVER_DOWN, RESOLVER_INVENTS, control
from agent.domain.fact import Table
from agent.domain.finding import Finding, Outcome, Rule, Severity
from agent.probes.base import Check, Probe, Toolbox, Vitals
from agent.settings import AgentSubject, CheckSettings, Duration, Field

if TYPE_CHECKING:
    from agent.adapters.excuses import Excuses
    from agent.adapters.pickup import PickupState
    from agent.adapters.tokens import CredentialStatus

KIND = "self"
ControlName = Annotated[str, Field(pattern=r"^[a-z0-9_.-]{1,253}$")]  # may be a single label

UPLINK_DOWN = Rule(
    code="self-uplink-down",
    severity=Severity.CRITICAL,
    summary="No connection leaves the agent's machine",
    remedy="Nothing can be told about any server until one does; mail between others may be fine."
    " On the agent's host try `curl -v telnet://login.microsoftonline.com:443`, and `ip route`;"
    " then look at its firewall, its line and its router. `agent.uplink_controls` may name other"
    " hosts to try.",
    reference="docs/operations.md",
)
IDENTITY_DOWN = Rule(
    code="self-identity-down",
    severity=Severity.CRITICAL,
    summary="The identity provider gives the agent no tokens",
    remedy="Mailboxes that are opened by a token cannot be looked into, and nothing is sent on the"
    " routes that end there; users who are logged in may notice nothing. On the agent's host try"
    " `curl -sS https://login.microsoftonline.com/common/discovery/instance`; then look at its"
    " proxy and firewall, and at https://status.cloud.microsoft for an outage of Entra.",
    reference="docs/operations.md",
)
CREDENTIAL_REFUSED = Rule(
    code="self-credential-refused",
    severity=Severity.CRITICAL,
    summary="The identity provider refuses a credential of the agent",
    remedy="The finding names the credential and the missing step. Until it is mended nothing is"
    " known of the routes that use it. `mailflow-agent doctor ROUTE` shows whether it works.",
    reference="docs/operations.md",
)
LOOP_LAG = Rule(
    code="self-loop-lag",
    severity=Severity.WARNING,
    summary="The agent's event loop was blocked",
    remedy="Times measured meanwhile are too long. Give the agent more of a CPU, or fewer checks;"
    " if the machine was suspended, nothing needs to be done.",
    reference="docs/operations.md",
)
TASK_OVERDUE = Rule(
    code="self-task-overdue",
    severity=Severity.CRITICAL,
    summary="A task of the agent shows no sign of life",
    remedy="Restart the agent, and report it with the log: this is a bug.",
    reference="docs/operations.md",
)
STORE_FAILING = Rule(
    code="self-store-failing",
    severity=Severity.CRITICAL,
    summary="The agent cannot write its state",
    remedy="Free or enlarge the disk that holds the `state` folder, or make the folder writable."
    " Until then no synthetic message is sent, and nothing is remembered over a restart.",
    reference="docs/operations.md",
)
MAILBOX_DOWN = Rule(
    code="self-mailbox-down",
    severity=Severity.CRITICAL,
    summary="The agent cannot look into a mailbox",
    remedy="Nothing can be told about the routes that end there, and nothing is sent on them. The"
    " finding names the missing step; `mailflow-agent doctor ROUTE` walks all of them.",
    reference="docs/operations.md",
)
RESOLVER, UPLINK, IDENTITY = "resolver", "uplink", "identity provider"
DEPENDENCY_OF_RULE = {
    RESOLVER_DOWN.code: RESOLVER,
    UPLINK_DOWN.code: UPLINK,
    IDENTITY_DOWN.code: IDENTITY,
}
_UNREACHED = (Trouble.UNRESOLVED, Trouble.UNREACHED, Trouble.TIMEOUT, Trouble.TLS)


class SelfSettings(CheckSettings):
    """How the agent looks at itself."""

    interval: Duration = Field(
        default=timedelta(seconds=10),
        ge=timedelta(seconds=1),
        description="Time between the starts of two runs.",
    )
    control_names: tuple[ControlName, ...] = Field(
        default=CONTROL_NAMES,
        max_length=10,
        description="Apexes of zones, such as `com` or `example.com`. Each is asked for its SOA"
        " record; the resolver is down when none of them has one, nor an MX or TXT record instead."
        " Two or more: one that is gone must not be taken for the resolver.",
    )
    warn_at_lag: Duration = Field(
        default=timedelta(seconds=1),
        ge=timedelta(milliseconds=10),
        description="Lag of the event loop, the worst of a minute, from which on to warn.",
    )


async def run(check: Check[AgentSubject, SelfSettings], tools: Toolbox) -> Outcome:
    """Ask for the control names, see what can be reached, and read the vital signs."""
    sight = await drive(control(check.settings.control_names), tools.resolver)
    servers = tuple(each.address for each in tools.resolver.stats.servers)
    uplink = await _uplink(tools)
    findings = [*sight.findings(servers), *uplink]
    findings += _mail(tools, is_blind=bool(uplink) or not sight.is_clear)
    if tools.vitals is not None:
        findings += _process(tools.vitals, check.settings.warn_at_lag)
    facts = {"Control names": Table(("name", "resolver"), tuple(sight.words.items()))}
    return Outcome(tuple(findings), facts=facts if sight.told else {})


def _process(vitals: Vitals, warn_at_lag: timedelta) -> Iterator[Finding]:
    lag = vitals.loop_lag()
    if lag >= warn_at_lag:
        yield LOOP_LAG.found(f"It came round {lag.total_seconds():.2f} s late in the last minute.")
    overdue = vitals.overdue_tasks()
    if overdue:
        yield TASK_OVERDUE.found("Nothing was seen of a task that should be busy.", *overdue)
    trouble = vitals.store_trouble()
    if trouble:
        yield STORE_FAILING.found(trouble)


async def _uplink(tools: Toolbox) -> tuple[Finding, ...]:
    """Find that nothing can be connected to."""
    uplink = None if tools.egress is None else tools.egress.uplink
    if uplink is None or await uplink.is_up():
        return ()
    count = len(uplink.controls)
    return (UPLINK_DOWN.found(f"None of {count} hosts can be connected to.", *uplink.controls),)


def _mail(tools: Toolbox, *, is_blind: bool) -> Iterator[Finding]:
    """Find what keeps the agent from its mailboxes, each cause once.

    *is_blind* says that the resolver or the uplink is down, which explains much.
    """
    statuses = () if tools.credentials is None else tools.credentials()
    places = () if tools.pickups is None else tools.pickups.states
    refused = [each for each in statuses if _is_refused(each, tools.excuses, is_blind=is_blind)]
    closed = [
        each
        for each in places
        if _is_closed(each, tools.excuses, is_blind=is_blind, statuses=statuses)
    ]
    away = [each for each in refused if each.failure and each.failure.trouble.is_providers]
    if away:
        first = away[0].failure
        yield IDENTITY_DOWN.found(
            f"No token for {len(away)} of {len(statuses)} credentials: {first and first.detail}",
            *(f"{each.name}: {each.failure and each.failure.trouble}" for each in away),
        )
    reasons: dict[str, str] = {}
    for status in refused:
        if status not in away and status.failure is not None:
            why = status.failure
            reasons[f"credential {status.name}"] = why.trouble
            detail = f"{status.name}: {why.trouble}: {why.detail.removesuffix('.')}. {why.fix}"
            yield CREDENTIAL_REFUSED.found(detail)
    for state in closed:
        reasons[f"mailbox {state.home}"] = state.trouble.trouble if state.trouble else ""
        yield MAILBOX_DOWN.found(f"{state.home}: {state.cause}")
    tools.excuses.tell(reasons)


def _is_refused(status: "CredentialStatus", excuses: "Excuses", *, is_blind: bool) -> bool:
    """Tell whether no token is got with a credential, and none is left, through no other fault."""
    failing = status.failure if status.is_blind else None
    unreachable = failing is not None and failing.trouble is TokenTrouble.UNREACHABLE
    failures = 0 if failing is None else status.failures
    return excuses.is_to_tell(
        f"credential {status.name}", failures, explained=is_blind and unreachable
    )


def _is_closed(
    state: "PickupState",
    excuses: "Excuses",
    *,
    is_blind: bool,
    statuses: "tuple[CredentialStatus, ...]",
) -> bool:
    """Tell whether nobody can look into a mailbox, for a reason of its own."""
    trouble = None if state.trouble is None else state.trouble.trouble
    without_token = trouble is Trouble.TOKEN and any(each.failure for each in statuses)
    return excuses.is_to_tell(
        f"mailbox {state.home}",
        0 if trouble is None else state.failures,
        explained=without_token or (is_blind and trouble in (*_UNREACHED, Trouble.TOKEN)),
    )


def with_controls(
    check: Check[AgentSubject, SelfSettings], domains: tuple[str, ...]
) -> Check[AgentSubject, SelfSettings]:
    """Return *check*, asking for some watched *domains* too unless its control names were chosen.

    A resolver that serves a closed network knows none of the names of the internet.
    """
    if "control_names" in check.settings.model_fields_set or not domains:
        return check
    names = (*check.settings.control_names, *domains)
    settings = check.settings.model_copy(update={"control_names": names})
    return Check(check.tenant, check.target, check.probe, settings)


PROBE = Probe(
    kind=KIND,
    subject=AgentSubject,
    settings=SelfSettings,
    run=run,
    rules=(
        RESOLVER_DOWN,
        RESOLVER_INVENTS,
        UPLINK_DOWN,
        IDENTITY_DOWN,
        CREDENTIAL_REFUSED,
        MAILBOX_DOWN,
        LOOP_LAG,
        TASK_OVERDUE,
        STORE_FAILING,
    ),
    example="{interval: 10s}",
)
