"""Is the monitor itself alive, and can it see?

A monitor that cannot resolve names sees nothing, and one whose event loop hangs measures itself. So
before anything is said about mail, the agent asks its resolver for a few names that must have an
answer, and looks at the lag of its own loop, at its tasks and at its store. When the resolver is
found down, the checks that need it are not run in vain: they are shown as unknown with that cause,
and one alert, this one, fires.

This check need not be configured; the agent adds it by itself.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from agent.domain.fact import Table
from agent.domain.finding import Finding, Outcome, Rule, Severity
from agent.domain.lookup import Query, Reply, Unanswered
from agent.probes.base import Check, Probe, Toolbox, Vitals
from agent.settings import AgentSubject, CheckSettings, Duration, Field

if TYPE_CHECKING:
    from agent.adapters.pickup import PickupState

KIND = "self"
ControlName = Annotated[str, Field(pattern=r"^[a-z0-9_.-]{1,253}$")]  # may be a single label

RESOLVER_DOWN = Rule(
    code="self-resolver-down",
    severity=Severity.CRITICAL,
    summary="The agent's resolver answers nothing",
    remedy="Nothing can be told about any domain until it does. Ask the resolver with"
    " `dig SOA com` from the agent's host; see that it runs, that UDP and TCP port 53 are open"
    " towards it, and that it reaches the internet. `resolvers` may name another.",
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
DEPENDENCY_OF_RULE = {RESOLVER_DOWN.code: "resolver"}


class SelfSettings(CheckSettings):
    """How the agent looks at itself."""

    interval: Duration = Field(
        default=timedelta(seconds=10),
        ge=timedelta(seconds=1),
        description="Time between the starts of two runs.",
    )
    control_names: tuple[ControlName, ...] = Field(
        default=("com", "org"),
        max_length=10,
        description="Names whose SOA record is asked for; the resolver is down when it can answer"
        " for none of them.",
    )
    warn_at_lag: Duration = Field(
        default=timedelta(seconds=1),
        ge=timedelta(milliseconds=10),
        description="Lag of the event loop, the worst of a minute, from which on to warn.",
    )


async def run(check: Check[AgentSubject, SelfSettings], tools: Toolbox) -> Outcome:
    """Ask for the control names, and read the vital signs."""
    names = check.settings.control_names
    replies = await tools.resolver.resolve_all(
        tuple(Query(name, "SOA", fresh=True) for name in names)
    )
    told = dict(zip(names, replies, strict=True))
    findings = [*_resolver(told)]
    if tools.vitals is not None:
        findings += _process(tools.vitals, check.settings.warn_at_lag)
    if tools.pickups is not None:
        findings += _mailboxes(tools.pickups.states)
    rows = tuple((name, _word(reply)) for name, reply in told.items())
    facts = {"Control names": Table(("name", "resolver"), rows)} if rows else {}
    return Outcome(tuple(findings), facts=facts)


def _resolver(told: dict[str, Reply]) -> Iterator[Finding]:
    """Find the resolver down when it could not say anything about any of the names."""
    silent = [reply for reply in told.values() if isinstance(reply, Unanswered)]
    # That a name does not exist is an answer, too: one that works alone is enough.
    if silent and len(silent) == len(told):
        reasons = ", ".join(sorted({reply.reason.value for reply in silent}))
        yield RESOLVER_DOWN.found(
            f"None of {len(told)} control names was answered ({reasons}).",
            *(f"{name} SOA: {_word(reply)}" for name, reply in told.items()),
        )


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


def _mailboxes(states: "Iterable[PickupState]") -> Iterator[Finding]:
    """Find each mailbox that cannot be looked into now."""
    for state in states:
        if state.trouble is not None:
            yield MAILBOX_DOWN.found(f"{state.home}: {state.cause}")


def _word(reply: Reply) -> str:
    return reply.reason.value if isinstance(reply, Unanswered) else "answers"


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
    rules=(RESOLVER_DOWN, LOOP_LAG, TASK_OVERDUE, STORE_FAILING, MAILBOX_DOWN),
    example="{interval: 10s}",
)
