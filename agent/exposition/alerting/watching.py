"""Is anybody watching at all, and does he see?

Silence must not look like health. So these ask whether an agent answers, whether it does anything
beside answering, whether every tenant and every check is looked after, and whether it can tell.
"""

from agent.exposition.alerting.alert import LINGER, Alert, Record
from agent.exposition.alerting.found import LOCATED, changing

TENANTS = "tenant:mailflow_check_interval_seconds:count"
RECORDS = (Record(TENANTS, "count by (job, tenant) (mailflow_check_interval_seconds)"),)
# These say more of it, each in an alert of its own.
TOLD_ELSEWHERE = ("dependency-down", "route-mailbox-closed", "route-over-budget")

WATCHDOG = Alert(
    name="MailflowWatchdog",
    expr="vector(1)",
    severity="info",
    component="agent",
    summary="The alerting path works.",
    description="This alert always fires. Route it to a service outside the site that complains"
    " when it no longer arrives.",
    runbook="watchdog",
    meaning="It always fires. It proves that rules are evaluated and that notifications go out.",
    steps=(
        "Nothing is to be done while it fires.",
        (
            "Where it has stopped: see whether Prometheus evaluates rules (`/rules`) and whether"
            " Alertmanager can reach the receiver."
        ),
    ),
)
AGENT_ABSENT = Alert(
    name="MailflowAgentAbsent",
    expr='absent(up{job="mailflow"}) or sum by (job) (up{job="mailflow"}) == 0',
    severity="critical",
    component="agent",
    summary="No agent is watching the mail flow.",
    description="Prometheus reaches no agent of job mailflow; until one answers nothing is known of"
    " the mail flow. On its host: `systemctl status mailflow-agent`, `journalctl -u mailflow-agent"
    " -n 50`; `/targets` of Prometheus says what the scrape fails with.",
    runbook="agent-absent",
    hold="2m",
    linger=LINGER,
    meaning="No target of the job `mailflow` answers a scrape, or there is no such target.",
    steps=(
        "See whether the process runs, and read the end of its log.",
        "Ask it: `mailflow-agent healthcheck http://HOST:PORT/-/healthy`.",
        "See in Prometheus under `/targets` what the scrape fails with.",
    ),
)
_LAST = "max by (job, instance) (mailflow_check_last_run_timestamp_seconds)"
_SHORTEST = "min by (job, instance) (mailflow_check_interval_seconds)"
AGENT_STUCK = Alert(
    name="MailflowAgentStuck",
    # The shortest interval is that of the agent's check of itself: ten seconds unless set.
    expr=f"time() - {_LAST} > 30 + 6 * {_SHORTEST}"
    " or time() - min by (job, instance) (mailflow_heartbeat_timestamp_seconds) > 60"
    ' or max by (job, instance) (mailflow_finding{rule="self-task-overdue"}) >= 2',
    severity="critical",
    component="agent",
    summary="The agent answers, and does nothing.",
    description="The agent at {{ $labels.instance }} is scraped, but none of its checks ends any"
    " more, or one of its tasks shows no sign of life: what it shows is old."
    "{{ with printf `time() - max(mailflow_check_last_run_timestamp_seconds{instance=%q})`"
    " $labels.instance | query }} The last check ended {{ . | first | value | humanizeDuration }}"
    " ago.{{ end }} Keep the log (`journalctl -u mailflow-agent`), then restart it:"
    " `systemctl restart mailflow-agent`.",
    runbook="agent-stuck",
    hold="1m",
    linger=LINGER,
    meaning="The scheduler stands, or a task has ended that should go on. The page and the metrics"
    " still answer, with what was true before. No check is shown as failed by it, because none"
    " runs.",
    steps=(
        (
            "`mailflow_heartbeat_timestamp_seconds` says for each task when it was last alive, and"
            " `mailflow_runs_in_progress` whether runs hang."
        ),
        "Keep the log, and if it can be had the stacks: `py-spy dump --pid PID`.",
        "Restart the agent. Messages under way are not lost by that: they are in its ledger.",
        "Report it with the log: this is a bug.",
        "Where the clocks of the agent and of Prometheus differ by a minute, mend the clocks.",
    ),
)
TENANT_UNWATCHED = Alert(
    name="MailflowTenantUnwatched",
    expr=f"last_over_time({TENANTS}[1d]) unless {TENANTS}"
    ' and on (job) min by (job) (up{job="mailflow"}) == 0'
    ' and on (job) max by (job) (up{job="mailflow"}) == 1',
    severity="critical",
    component="agent",
    summary="An agent is gone, and nobody else watches its tenant.",
    description="{{ $labels.tenant }} had {{ $value }} checks, and has none since an agent of job"
    " {{ $labels.job }} does not answer. Start it again; `/targets` of Prometheus says which it is."
    " Where its tenants were taken away on purpose, take away its target too.",
    runbook="tenant-unwatched",
    hold="2m",
    meaning="Several agents are scraped, one of them is down, and the checks of this tenant have"
    " gone with it. Where all are down, `MailflowAgentAbsent` says so.",
    steps=(
        "See in Prometheus under `/targets` which agent is down, and what the scrape fails with.",
        "See whether its process runs, read the end of its log, and start it.",
    ),
)
ONE_AGENT_BLIND = Alert(
    name="MailflowOneAgentBlind",
    expr="max without (pod)"
    ' (mailflow_finding{rule=~"self-.+",severity="critical"}) >= 2'
    " unless ignoring (instance) max without (instance, pod)"
    f' ({LOCATED}{{rule=~"self-.+"}})',
    severity="warning",
    component="agent",
    summary="One of several agents cannot see or cannot work.",
    description="The agent at {{ $labels.instance }} finds {{ $labels.rule }} in {{ $value }} runs"
    " in a row, while another at the same vantage is well and watches. Mend it before the other one"
    " fails: `mailflow-agent explain {{ $labels.rule }}` says how.",
    runbook="one-agent-blind",
    hold="1m",
    meaning="Several agents run the same checks. One has lost its resolver, its uplink, a mailbox"
    " or its state, and the others have not; so nobody is woken, and a spare is missing.",
    steps=(
        "`mailflow-agent explain RULE`, with the alert's label `rule`, says what to do.",
        "Compare the two machines: network, resolver, disk, credentials.",
    ),
)
CHECK_STALE = Alert(
    name="MailflowCheckStale",
    expr="time() - max without (instance, pod) (mailflow_check_last_run_timestamp_seconds)"
    " > 2.5 * max without (instance, pod) (mailflow_check_interval_seconds)",
    severity="warning",
    component="check",
    summary="A check no longer runs.",
    description="{{ $labels.probe }} of {{ $labels.subject }} ({{ $labels.tenant }}) last ran"
    " {{ $value | humanizeDuration }} ago, more than 2.5 of its intervals: nobody looks after it."
    " `mailflow_runs_skipped_total` and the agent's log say why.",
    runbook="check-stale",
    hold="2m",
    meaning="The check has not ended for more than 2.5 of its intervals. Its result is old and is"
    " no longer exported.",
    steps=(
        (
            "Look at `mailflow_event_loop_lag_seconds` and `mailflow_scheduler_lateness_seconds`:"
            " an agent with too much to do is late with everything."
        ),
        "Look at `mailflow_runs_skipped_total` for the reason why runs did not take place.",
        "Read the log for the check's name.",
    ),
    subject_kind="any",
)
KEEPS_FAILING = Alert(
    name="MailflowCheckKeepsFailing",
    expr=changing(3),
    severity="critical",
    component="check",
    summary="A check fails in every run, each time otherwise.",
    description="{{ $labels.probe }} of {{ $labels.subject }} ({{ $labels.tenant }}) was critical"
    " in {{ $value }} runs in a row, and no rule was broken in two of them. The subject's page has"
    " what the last one found.",
    runbook="check-keeps-failing",
    meaning="Three runs in a row found something critical, and each found something else than the"
    " one before: a server that now refuses and now does not answer, say. The alert of each rule"
    " waits for two runs that agree, so this one speaks for them.",
    steps=(
        "Open the subject's page: the history and the finding say what fails now.",
        "`mailflow-agent explain RULE` says what to do about each.",
        "Where several servers take turns, see which of them answers: each finding names it.",
    ),
    subject_kind="any",
)
CANNOT_TELL = Alert(
    name="MailflowCannotTell",
    expr=f'{LOCATED}{{severity="unknown",rule!~"{"|".join(TOLD_ELSEWHERE)}"}} >= 2',
    severity="warning",
    component="check",
    summary="The agent cannot tell how a subject is.",
    description="{{ $labels.probe }} of {{ $labels.subject }} ({{ $labels.tenant }}) could not tell"
    " in {{ $value }} runs in a row: {{ $labels.rule }}. Nothing is known to be wrong with it."
    " `mailflow-agent explain {{ $labels.rule }}` says what to do.",
    runbook="cannot-tell",
    meaning="Two runs in a row ended without a verdict, for the reason that the label `rule` names."
    " The subject may be fine; nobody is watching it.",
    steps=(
        "Open the subject's page on the agent: the finding says what did not answer.",
        "`mailflow-agent explain RULE` says what the reason means and what to do.",
    ),
    subject_kind="any",
)
