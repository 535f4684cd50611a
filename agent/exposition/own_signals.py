"""What does the agent tell about itself, name by name?

Declarations only, so that the documentation is rendered from the same table that the metrics are
registered from.
"""

from agent.domain.finding import Signal

RUNS = Signal(
    "mailflow_runs_total", "Runs of checks that ended.", labels=("probe",), kind="counter"
)
RUN_FAILURES = Signal(
    "mailflow_run_failures_total",
    "Runs that could not tell, by reason.",
    labels=("probe", "reason"),
    kind="counter",
)
RUN_CRASHES = Signal(
    "mailflow_run_crashes_total",
    "Runs that ended in a bug of the agent.",
    labels=("probe",),
    kind="counter",
)
RUNS_SKIPPED = Signal(
    "mailflow_runs_skipped_total",
    "Runs that were due and did not take place, by reason.",
    labels=("probe", "reason"),
    kind="counter",
)
DEPENDENCY_UP = Signal(
    "mailflow_dependency_up",
    "Whether something that checks depend on works: 1 up, 0 down.",
    labels=("dependency",),
)
LOOP_LAG = Signal(
    "mailflow_event_loop_lag_seconds",
    "How late the event loop came round to a timer.",
    kind="histogram",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
)
LATENESS = Signal(
    "mailflow_scheduler_lateness_seconds",
    "How long after its time a run started.",
    kind="histogram",
    buckets=(0.01, 0.05, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0),
)
RELOAD_SUCCESSFUL = Signal(
    "mailflow_config_last_reload_successful",
    "Whether the last attempt to load the configuration succeeded: 1 or 0.",
)
RELOAD_SUCCESS = Signal(
    "mailflow_config_last_reload_success_timestamp_seconds",
    "When the configuration was last loaded with success.",
)
BUILD_INFO = Signal(
    "mailflow_build_info",
    "Always 1; which version runs, and on which Python.",
    labels=("version", "python"),
)
LINKS = Signal(
    "mailflow_links_info",
    "Always 1; where people reach the agent's page and the dashboards, for the links in alerts.",
    labels=("page", "dashboards"),
)
HEARTBEAT = Signal(
    "mailflow_heartbeat_timestamp_seconds",
    "When a task of the agent last came round.",
    labels=("task",),
)
RUNNING = Signal("mailflow_runs_in_progress", "Runs that are going on.")
WAITING = Signal("mailflow_runs_waiting", "Checks that are due and have not started.")
LOG_MESSAGES = Signal(
    "mailflow_log_messages_total", "Messages logged, by level.", labels=("level",), kind="counter"
)
COLLECTOR_ERRORS = Signal(
    "mailflow_collector_errors_total",
    "Series that were left out of a scrape because collecting them failed.",
    kind="counter",
)

DIRECT = (
    LOOP_LAG,
    LATENESS,
    RELOAD_SUCCESSFUL,
    RELOAD_SUCCESS,
    BUILD_INFO,
    LOG_MESSAGES,
    COLLECTOR_ERRORS,
)
READ_FROM_RUNTIME = (
    RUNS,
    RUN_FAILURES,
    RUN_CRASHES,
    RUNS_SKIPPED,
    DEPENDENCY_UP,
    HEARTBEAT,
    LINKS,
    RUNNING,
    WAITING,
)
OWN_SIGNALS = (*READ_FROM_RUNTIME, *DIRECT)
