"""What must alert about the agent itself?

A monitor that has died, cannot see, or does not do what it was told is worse than none, because it
is silent. These alerts exist whatever is configured.
"""

from agent.exposition.alerting.alert import Alert
from agent.exposition.alerting.watching import (
    AGENT_ABSENT,
    AGENT_STUCK,
    CANNOT_TELL,
    CHECK_STALE,
    KEEPS_FAILING,
    ONE_AGENT_BLIND,
    TENANT_UNWATCHED,
    WATCHDOG,
)

__all__ = ["AGENT", "CANNOT_TELL", "CHECKS", "Alert"]

RUN_CRASHED = Alert(
    name="MailflowRunCrashed",
    expr="sum without (instance, pod) (increase(mailflow_run_crashes_total[15m])) > 0",
    severity="warning",
    component="agent",
    summary="A probe crashed.",
    description="{{ $labels.probe }} crashed in the last 15 minutes. This is a bug of the agent:"
    " report it with the traceback from its log.",
    runbook="run-crashed-alert",
    meaning="A run ended in an exception that nobody expected. The subject may be fine.",
    steps=("Find the traceback in the log under `probe crashed`.", "Report it."),
)
RELOAD_FAILED = Alert(
    name="MailflowConfigReloadFailed",
    expr="max without (pod) (mailflow_config_last_reload_successful) == 0",
    severity="warning",
    component="agent",
    summary="The changed configuration was rejected.",
    description="The agent at {{ $labels.instance }} still runs with the configuration from before."
    " Its status page lists the errors.",
    runbook="config-reload-failed",
    hold="5m",
    meaning="The file was read again and has errors. The running configuration is the one before.",
    steps=(
        "`mailflow-agent config check FILE` prints every error with its line.",
        "Mend the file and reload.",
    ),
)
WEB_RELOAD_FAILED = Alert(
    name="MailflowWebConfigReloadFailed",
    expr="max without (pod) (mailflow_web_config_last_reload_successful) == 0",
    severity="warning",
    component="agent",
    summary="The changed web configuration was rejected.",
    description="The agent at {{ $labels.instance }} still serves with the TLS and the logins from"
    " before: a certificate that was renewed is not shown, and a login that was taken away still"
    " opens. Its status page lists the mistakes.",
    runbook="web-config-reload-failed",
    hold="5m",
    meaning="The file that says who may log in, or a certificate or key that it names, was changed"
    " and has mistakes. What was read before stays in force until the process ends; after a restart"
    " the agent does not start with it.",
    steps=(
        "`mailflow-agent web-config check FILE` prints every mistake with its line.",
        "Mend the file; it is read again by itself.",
    ),
)
COLLECTOR_FAILED = Alert(
    name="MailflowSeriesLost",
    expr="sum without (instance, pod) (increase(mailflow_collector_errors_total[15m])) > 0",
    severity="warning",
    component="agent",
    summary="Series are missing from the scrape.",
    description="Collecting some series failed in the last 15 minutes. This is a bug of the agent:"
    " report it with the traceback from its log.",
    runbook="series-lost",
    meaning="A collector raised, or a probe measured what it had not declared. The other series"
    " are right.",
    steps=("Find the traceback in the log under `collector failed` or `measurement lost`.",),
)
LOOP_LAGGING = Alert(
    name="MailflowAgentOverloaded",
    expr="histogram_quantile(0.99, sum without (pod)"
    " (rate(mailflow_event_loop_lag_seconds_bucket[10m]))) > 0.5",
    severity="warning",
    component="agent",
    summary="The agent has more to do than it can.",
    description="The event loop of {{ $labels.instance }} is late by"
    " {{ $value | humanizeDuration }} at the 99th percentile. Times that it measures are too long.",
    runbook="agent-overloaded",
    hold="10m",
    meaning="Its loop comes round late, so runs start late and measured times are too long.",
    steps=(
        "Look for another program that takes the machine's time.",
        "Raise intervals, or split the tenants over two agents.",
    ),
)
STORE_DEGRADED = Alert(
    name="MailflowStoreDegraded",
    # The self check finds it sooner and says more; one alert is enough.
    expr="max without (pod) (mailflow_store_degraded) == 1 unless on (job, instance)"
    ' (mailflow_finding{rule="self-store-failing"} >= 2)',
    severity="critical",
    component="agent",
    summary="The agent cannot write its state.",
    description="The agent at {{ $labels.instance }} has not been able to write its state folder"
    " for five minutes, and its self check does not say so. Free the disk, or make it writable.",
    runbook="store-degraded",
    hold="5m",
    meaning="Nothing can be written to the state folder: no synthetic message is sent, and what is"
    " learnt is lost with the process. `MailflowSelfStoreFailing` usually says so first; that it"
    " does not means that the self check does not run.",
    steps=(
        "Find the reason in the log under `the state cannot be written`.",
        "See on the agent's host whether the disk of the `state` folder is full or read-only.",
        "See why the self check is not run: whether it is switched off, or the scheduler stands.",
    ),
)
STATE_FORGOTTEN = Alert(
    name="MailflowStateForgotten",
    expr="max without (pod) (increase(mailflow_store_changes_dropped_total[1h])) > 0"
    " or max without (pod) (mailflow_store_moved_aside_total) > 0"
    " and on (job, instance) time() - process_start_time_seconds < 3600",
    severity="warning",
    component="agent",
    summary="The agent has forgotten something.",
    description="The agent at {{ $labels.instance }} found its state damaged at the start, or had"
    " to give up what it could not write for long.",
    runbook="state-forgotten",
    meaning="What a damaged state knew is forgotten: since when records are as they are, and which"
    " synthetic messages were under way. Nothing is sent twice because of it.",
    steps=(
        "Find the reason in the log: `the state was damaged`, or `the state cannot be written`.",
        "Look after the disk that holds the `state` folder.",
        "The damaged file is still there, as `mailflow.db.damaged-1` or with a higher number.",
    ),
)
AGENT = (
    WATCHDOG,
    AGENT_ABSENT,
    AGENT_STUCK,
    TENANT_UNWATCHED,
    RUN_CRASHED,
    RELOAD_FAILED,
    WEB_RELOAD_FAILED,
    COLLECTOR_FAILED,
    LOOP_LAGGING,
    STORE_DEGRADED,
    STATE_FORGOTTEN,
)
# These stand on what all agents have found.
CHECKS = (ONE_AGENT_BLIND, CHECK_STALE, KEEPS_FAILING, CANNOT_TELL)
