"""What is exported of every check, and which families of series are there?"""

from collections.abc import Iterable
from typing import Any

from agent.domain.finding import Signal
from agent.exposition.series import Family
from agent.probes.base import Probe

SEVERITY = Signal(
    "mailflow_check_severity",
    "Worst finding of the last run: 0 ok, 1 warning, 2 unknown, 3 critical;"
    " absent when older than three intervals.",
)
LAST_RUN = Signal(
    "mailflow_check_last_run_timestamp_seconds",
    "When the check last ended; before its first run, since when it has been configured.",
)
INTERVAL = Signal("mailflow_check_interval_seconds", "Configured time between two runs.")
DURATION = Signal("mailflow_check_duration_seconds", "How long the last run took.")
FINDING = Signal(
    "mailflow_finding",
    "Runs in a row that found the rule broken; present only while it is.",
    labels=("rule", "severity"),
)
SINCE = Signal(
    "mailflow_finding_since_timestamp_seconds",
    "When the rule was first found, over restarts and over runs that could not tell.",
    labels=FINDING.labels,
)
CRITICAL_RUNS = Signal(
    "mailflow_check_critical_runs",
    "Runs in a row that ended critical, by whatever rule; present only while the last one did.",
)
CHECK_LABELS = ("tenant", "subject", "probe")
CHECK_SIGNALS = (SEVERITY, LAST_RUN, INTERVAL, DURATION, FINDING, SINCE, CRITICAL_RUNS)


def families(probes: Iterable[Probe[Any, Any]]) -> dict[str, Family]:
    """Return a family for every declared signal, by name.

    Raises TypeError when two probes declare different signals under one name.
    """
    declared: dict[str, Signal] = {}
    for signal in (*CHECK_SIGNALS, *(signal for probe in probes for signal in probe.signals)):
        if declared.setdefault(signal.name, signal) != signal:
            message = f"{signal.name} is declared twice, and differently"
            raise TypeError(message)
    return {
        name: Family(
            name,
            signal.help,
            (*CHECK_LABELS, *signal.labels),
            kind=signal.kind,
            buckets=signal.buckets,
        )
        for name, signal in declared.items()
    }
