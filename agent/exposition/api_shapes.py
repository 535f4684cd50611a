"""Which shapes do the answers of the API have?

Declared once: what is sent is checked against them by the type checker, and the description in
OpenAPI is rendered from them. Within version 1 keys are added; none is taken away or means another
thing.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypedDict


@dataclass(frozen=True, slots=True)
class Doc:
    """What to know of a value, and its format where it has one."""

    text: str
    format: str = ""


Moment = Annotated[str, Doc("A time in UTC.", "date-time")]
StateWord = Annotated[
    Literal["critical", "unknown", "stale", "warning", "pending", "ok"],
    Doc("How it stands; stale: not checked in time; pending: not checked yet."),
]
SeverityWord = Literal["ok", "warning", "unknown", "critical"]


class Finding(TypedDict):
    """A rule that is broken, with the evidence."""

    rule: Annotated[str, Doc("Code of the rule; its page is /rules/CODE.")]
    severity: SeverityWord
    summary: str
    detail: Annotated[str, Doc("What was seen, in a sentence.")]
    evidence: list[str]
    remedy: Annotated[str, Doc("What to do.")]
    fix: Annotated[str | None, Doc("What to type, where a command or a record mends it.")]
    reference: str
    consecutive: Annotated[int, Doc("Runs in a row that found it, the last one included.")]
    since: Annotated[Moment | None, Doc("When it was first found, over restarts and unknown runs.")]


class CheckState(TypedDict):
    """How one check stands."""

    check: Annotated[str, Doc("Its identity: TENANT/KIND/SUBJECT/PROBE.")]
    probe: str
    state: StateWord


class Check(CheckState):
    """One check, and what its last run found."""

    tenant: str
    kind: Annotated[str, Doc("What the subject is: domain, connector, route, tenant or agent.")]
    subject: str
    severity: Annotated[SeverityWord | None, Doc("Worst finding of the last run, however old.")]
    idle: Annotated[str | None, Doc("Why the last run had nothing to look at; it is ok then.")]
    last_run: Annotated[Moment | None, Doc("When the last run ended.")]
    changed_at: Annotated[Moment | None, Doc("When the severity became what it is.")]
    interval_seconds: float
    findings: list[Finding]


class Distribution(TypedDict):
    """The value of a histogram."""

    counts: Annotated[list[int], Doc("Cumulative, by bucket; the last is all.")]
    sum: float


class Measurement(TypedDict):
    """One value that a run measured."""

    name: Annotated[str, Doc("The metric, as at /metrics.")]
    labels: dict[str, str]
    value: Annotated[float | Distribution | None, Doc("null: not a finite number.")]


class Fact(TypedDict):
    """What a run shows beside its findings."""

    title: str
    shape: Annotated[str, Doc("text, table, node, walk, path, diagram or chain.")]
    value: Annotated[Any, Doc("By shape: text, rows by column, a tree, steps, stops, a picture.")]


class Run(TypedDict):
    """The last run of a check."""

    started_at: Moment
    finished_at: Moment
    duration_seconds: float
    failure: Annotated[str | None, Doc("Why it could not tell: a closed set of words.")]
    measurements: list[Measurement]
    facts: list[Fact]


class CheckWithRun(Check):
    """One check with its last run."""

    timeout_seconds: float
    runs: Annotated[int, Doc("Runs since the agent was started.")]
    run: Run | None


class SubjectState(TypedDict):
    """One subject with its checks, the most urgent first."""

    tenant: str
    kind: str
    subject: str
    state: StateWord
    headline: Annotated[str, Doc("What to say of it in one line; empty where all is well.")]
    page: Annotated[str, Doc("Path of its page for people.")]
    checks: list[CheckState]


class Change(TypedDict):
    """The severity of a check became another."""

    at: Moment
    check: str
    tenant: str
    kind: str
    subject: str
    probe: str
    before: Annotated[SeverityWord | None, Doc("null: it was its first run.")]
    after: SeverityWord


class Subject(SubjectState):
    """One subject with all that was found, and what changed."""

    details: list[Check]
    changes: list[Change]


class Rule(TypedDict):
    """Something that can be wrong, and in how many checks it is."""

    rule: str
    severity: SeverityWord
    summary: str
    remedy: str
    reference: str
    probes: list[str]
    found: Annotated[int, Doc("Checks whose last run found it.")]


class RuleWithChecks(Rule):
    """A rule, with the checks that find it."""

    checks: Annotated[list[CheckState], Doc("The first thousand of them.")]


class Message(TypedDict):
    """A synthetic message of a route, as the ledger has it."""

    sequence: int
    state: Annotated[str, Doc("Where it is, as far as is known.")]
    planned_at: Moment
    sent_at: Moment | None
    arrived_at: Moment | None
    duration_seconds: Annotated[float | None, Doc("From sending to arrival.")]
    failure: Annotated[str | None, Doc("What it failed by, once that was judged.")]
    unjudged: Annotated[str | None, Doc("Why nothing is said of it.")]
    witness: Annotated[str | None, Doc("Who told its fate.")]
    detail: Annotated[str, Doc("What the witness said.")]
    duplicates: int
    damaged: bool


class Route(SubjectState):
    """A route, with its last messages."""

    messages: Annotated[list[Message], Doc("The newest first.")]


class Page(TypedDict):
    """Where in a list these are."""

    matching: Annotated[int, Doc("How many there are that the parameters ask for.")]
    total: Annotated[int, Doc("How many there are at all.")]
    page: int
    pages: int
    next: Annotated[str | None, Doc("Path of the page after this one.")]


class Subjects(Page):
    """Subjects, tenants with trouble first."""

    subjects: list[SubjectState]


class Checks(Page):
    """Checks, by identity."""

    checks: list[Check]


class Routes(Page):
    """Routes, tenants with trouble first."""

    routes: list[SubjectState]


class Changes(TypedDict):
    """The latest changes of severity, the newest first."""

    changes: list[Change]


class Rules(TypedDict):
    """All rules, by code."""

    rules: list[Rule]


class Status(TypedDict):
    """The agent, and every check."""

    generated_at: Moment
    version: str
    vantage: str
    started_at: Moment
    config_errors: Annotated[list[str], Doc("Of the last load, where it was rejected.")]
    checks: list[Check]


class Dependency(TypedDict):
    """Something that checks depend on."""

    name: str
    up: bool


class Counts(TypedDict):
    """How many subjects are in which state."""

    critical: int
    unknown: int
    stale: int
    warning: int
    pending: int
    ok: int


class Agent(TypedDict):
    """The agent itself."""

    version: str
    vantage: str
    started_at: Moment
    config_errors: list[str]
    config_failed_at: Moment | None
    dependencies: list[Dependency]
    overdue_tasks: Annotated[list[str], Doc("Tasks of the agent without a sign of life.")]
    subjects: Counts


class Mistake(TypedDict):
    """What is wrong with one parameter."""

    parameter: str
    detail: str


class _ProblemAlways(TypedDict):
    type: Annotated[str, Doc("about:blank: the status says what kind it is.", "uri-reference")]
    title: str
    status: int
    detail: Annotated[str, Doc("What is wrong, and what would be right.")]


class Problem(_ProblemAlways, total=False):
    """Why there is no such answer (RFC 9457)."""

    errors: list[Mistake]
