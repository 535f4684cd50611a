"""What is an alert, and what is a recording rule?

Values, from which the rule files, the runbooks and the page in docs/ are rendered.
"""

from dataclasses import dataclass

# What the check of a person on call is about, in the order in which one cause hides the next.
COMPONENTS = (
    "agent",
    "dns",
    "uplink",
    "identity",
    "mailbox",
    "server",
    "domain",
    "connector",
    "route",
    "tenant",
    "check",
)
# What a cause hides ends with it, but Prometheus evaluates the two at different moments: an effect
# that outlived its cause by half a minute would page as all is well again.
LINGER = "2m"
SEVERITIES = ("critical", "warning", "info")  # pages, opens a ticket, neither


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.

    ``hold`` is how long the expression must be true; empty for at once. ``linger`` is how long it
    fires on when that has ended; empty for not at all.
    ``component`` is what it is about, one of COMPONENTS. ``subject_kind`` is the kind of subject
    that its labels name, such as ``domain``; ``any`` where only the label ``probe`` tells; empty
    where they name none. ``runbook`` is the name of its page; ``meaning`` and ``steps`` are what
    that page says, for alerts that no rule stands behind.
    """

    name: str
    expr: str
    severity: str
    component: str
    summary: str
    description: str
    runbook: str
    hold: str = ""
    linger: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    meaning: str = ""
    steps: tuple[str, ...] = ()
    subject_kind: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One recording rule: ``name`` is LEVEL:METRIC:OPERATIONS, and its level its labels."""

    name: str
    expr: str


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that Prometheus evaluates one after the other: first the records, then the alerts."""

    name: str
    records: tuple[Record, ...] = ()
    alerts: tuple[Alert, ...] = ()
