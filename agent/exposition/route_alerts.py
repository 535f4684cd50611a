"""When is a route bad enough to wake somebody?

These are symptoms: mail does not get through, whatever the cause. What a single message met has
alerts of its own, which open tickets; the description of a symptom names them.
"""

from agent.domain.objective import PAGING, TICKETING
from agent.exposition.alerting.alert import Alert
from agent.exposition.alerting.found import LOCATED, found, held
from agent.exposition.alerting.objectives import ALL, P95, burning, with_ends

_WHO = "{{ $labels.subject }} of {{ $labels.tenant }}"
_ENDS = (
    "{{ if $labels.server }} (handed to {{ $labels.server }}, picked up in {{ $labels.place }})"
    "{{ end }}"
)
_FINDINGS = (
    f"{{{{ with printf `{LOCATED}{{probe='route',tenant=%q,subject=%q}}` $labels.tenant"
    " $labels.subject | query }} The agent finds:{{ range $at, $each := . }}{{ if $at }},{{ end }}"
    " {{ .Labels.rule }} ({{ .Value }} runs){{ end }}.{{ end }}"
)
_REASONS = (
    "{{ with printf `sum by (reason)"
    " (increase(mailflow_route_messages_failed_total{tenant=%q,subject=%q}[1h])) > 0.5`"
    " $labels.tenant $labels.subject | query }} Failed or late within the hour:"
    "{{ range $at, $each := . }}{{ if $at }},{{ end }} {{ .Labels.reason }}"
    ' {{ .Value | printf "%.0f" }}{{ end }}.{{ end }}'
)
_HOLDER = (
    " The route's page says of each message who had it last, and its Message-ID: refused, it is"
    " still with its sender; accepted and lost, ask the server that accepted it (in Exchange"
    " Online: `Get-MessageTraceV2 -MessageId ID`)."
)
# Nothing is known then, and another alert says why. What the last run could not tell stays unknown
# until the next one has, so a cause that is gone does not leave an old symptom behind.
_BLIND = f'{LOCATED}{{probe="route",severity="unknown",rule!="route-uncertain"}}'
# A server that took no mail has paged by itself, and what that has cost its routes is no news; they
# deliver again only with their next message, and windows remember for as long as this.
_KNOWN = (
    "max by (job, server) (max_over_time(ALERTS"
    '{alertname=~"MailflowSmartHostDown|MailflowExchangesDown",alertstate="firing"}[30m]))'
)


def _news(expression: str) -> str:
    """Leave out the routes whose server has been down within the half hour."""
    return f"({with_ends(expression)}) unless on (job, server) {_KNOWN}"


# While an agent is started again nothing has arrived either.
_DEADLINE = held("mailflow_route_deadline_seconds")
_INTERVAL = held("mailflow_route_interval_seconds")
DOWN = Alert(
    name="MailflowRouteDown",
    expr=_news(
        f"time() - max {ALL} ({held('mailflow_route_last_delivered_timestamp_seconds')})"
        f" > max {ALL} ({_DEADLINE} + 2 * {_INTERVAL})"
        f" and time() - max {ALL} ({held('mailflow_route_last_sent_timestamp_seconds')})"
        f" < max {ALL} (3 * {_INTERVAL})"
        f" unless on (job, tenant, subject, probe) {_BLIND}"
    ),
    severity="critical",
    component="route",
    summary="Test mail no longer arrives on a route.",
    description=f"Nothing has arrived on {_WHO}{_ENDS} for {{{{ $value | humanizeDuration }}}},"
    f" though messages are being sent.{_FINDINGS}{_REASONS}{_HOLDER}",
    runbook="route-down",
    hold="2m",
    meaning="Messages are sent and accepted, and none has arrived for the deadline and two"
    " intervals more.",
    steps=(
        "Open the route's page on the agent: it shows the fate of the last messages.",
        "Trace one of them by its Message-ID in the message trace of the tenant.",
        "See whether the receiving side can be read: a blind witness is another alert.",
    ),
    subject_kind="route",
)
_FAST = (
    f"{_WHO}{_ENDS} uses up what its objective allows {{{{ $value | humanize }}}} times too fast."
)
FAST = Alert(
    name="MailflowRouteErrorBudgetBurn",
    expr=_news(burning(PAGING)),
    severity="critical",
    component="route",
    summary="So many messages of a route fail or are late that it is about to miss its objective.",
    description=f"{_FAST}{_FINDINGS}{_REASONS}{_HOLDER}",
    runbook="route-error-budget-burn",
    hold="2m",
    labels=(("window", "fast"),),
    meaning="The share of messages that failed or came too late, over a long and a short window, is"
    " a multiple of what the route's objective allows.",
    steps=(
        "Look at `mailflow_route_messages_failed_total` by `reason`.",
        (
            "Open the route's page on the agent and compare a message that failed or was late with"
            " one that arrived in time."
        ),
    ),
    subject_kind="route",
)
SLOW = Alert(
    name="MailflowRouteErrorBudgetBurn",
    expr=with_ends(burning(TICKETING)),
    severity="warning",
    component="route",
    summary="Messages of a route fail or are late, steadily.",
    description=f"{_FAST.removesuffix('.')}, over six hours or more.{_FINDINGS}{_REASONS}{_HOLDER}",
    runbook="route-error-budget-burn",
    hold="15m",
    labels=(("window", "slow"),),
    subject_kind="route",
)
SLOW_DELIVERY = Alert(
    name="MailflowRouteSlow",
    expr=with_ends(f"{P95} > 0.5 * max {ALL} ({_DEADLINE})"),
    severity="warning",
    component="route",
    summary="Test mail takes more than half of the time that it may.",
    description=f"Of twenty messages on {_WHO}{_ENDS} one takes"
    " {{ $value | humanizeDuration }} or more, which is over half of the route's deadline."
    f"{_FINDINGS} The route's page shows which hop takes the time.",
    runbook="route-slow",
    hold="30m",
    meaning="The 95th percentile of the delivery times of the last hour is above half of"
    " `expect.within`. Nothing is late yet; a queue grows somewhere, or a server is short of"
    " something.",
    steps=(
        (
            "`mailflow_route_phase_duration_seconds` by `phase` shows where the time goes: in the"
            " session, in `transit-OWNER` at the hosts of each owner, or in being `visible`."
        ),
        "Look at the queue of the host that has it longest (`Get-Queue` on Exchange, `mailq`).",
        "Where it has always been so, `expect.within` is too short for this route.",
    ),
    subject_kind="route",
)
JUNK = Alert(
    name="MailflowRouteLandsInJunk",
    expr=with_ends(f"sum {ALL} (increase(mailflow_route_junk_total[6h])) > 1.5"),
    severity="warning",
    component="route",
    summary="Test mail lands in the junk folder.",
    description=f"{{{{ $value | humanize }}}} messages on {_WHO}{_ENDS} were put into junk in the"
    f" last six hours.{_FINDINGS} Compare their authentication results with those of messages that"
    " were not: `mailflow-agent analyze headers FILE` reads both.",
    runbook="route-lands-in-junk",
    hold="15m",
    meaning="At least two messages in six hours arrived in the junk folder.",
    steps=(
        "`X-Forefront-Antispam-Report` and `Authentication-Results` in such a message say why.",
        "See whether SPF, DKIM and DMARC pass for the sender.",
    ),
    subject_kind="route",
)
BUDGET = Alert(
    name="MailflowBudgetExhausted",
    expr=found("route-over-budget"),
    severity="warning",
    component="route",
    summary="No test mail is sent, because the budget is spent.",
    description=f"{{{{ $value }}}} runs in a row of {_WHO} sent nothing: nobody knows how the route"
    " is.{{ with printf `min by (budget)"
    " (mailflow_route_budget_messages{tenant=%q,subject=%q}) < 1` $labels.tenant $labels.subject |"
    " query }} Spent:{{ range . }} {{ .Labels.budget }}{{ end }}.{{ end }} Make its interval"
    " longer, or its budget larger (section `budget`); after a crash loop it fills up by itself.",
    runbook="route-over-budget",
    subject_kind="route",
)
ALERTS = (DOWN, FAST, SLOW, SLOW_DELIVERY, JUNK, BUDGET)
