"""When is a route bad enough to wake somebody?

Delivery is judged as a share over a window, against the objective that each route exports, so that
one lost message colours a panel and pages nobody. Every window has a guard of a least number of
failures: at one message in five minutes a single loss would otherwise exceed any short window.
"""

from collections.abc import Iterator

from agent.exposition.standing_alerts import Alert

_WINDOWS = ("15m", "30m", "1h", "2h", "6h", "1d", "3d")
_COUNTED = ("1h", "6h", "1d", "3d")
_RATIO = "subject:mailflow_route_messages_failed_per_messages:ratio_rate"
_BURN = "subject:mailflow_route_slo_burn_rate:ratio_rate"
_FAILED = "subject:mailflow_route_messages_failed:increase"
_WHO = "{{ $labels.subject }} of {{ $labels.tenant }}"


def records() -> Iterator[tuple[str, str]]:
    """Yield the recording rules: name and expression."""
    for window in _WINDOWS:
        yield (
            f"{_RATIO}{window}",
            (
                "sum without (instance, pod, reason)"
                f" (rate(mailflow_route_messages_failed_total[{window}]))"
                f" / sum without (instance, pod) (rate(mailflow_route_messages_total[{window}]))"
            ),
        )
        yield (
            f"{_BURN}{window}",
            (
                f"{_RATIO}{window}"
                " / (1 - max without (instance, pod) (mailflow_route_slo_objective_ratio))"
            ),
        )
    for window in _COUNTED:
        yield (
            f"{_FAILED}{window}",
            (
                "sum without (instance, pod, reason)"
                f" (increase(mailflow_route_messages_failed_total[{window}]))"
            ),
        )


def _burning(long: str, short: str, factor: float, failures: float) -> str:
    return (
        f"({_BURN}{long} > {factor} and {_BURN}{short} > {factor} and {_FAILED}{long} > {failures})"
    )


DOWN = Alert(
    name="MailflowRouteDown",
    expr="(time() - max without (instance, pod) (mailflow_route_last_delivered_timestamp_seconds)"
    " > max without (instance, pod)"
    " (mailflow_route_deadline_seconds + 2 * mailflow_route_interval_seconds))"
    " and (time() - max without (instance, pod) (mailflow_route_last_sent_timestamp_seconds)"
    " < max without (instance, pod) (3 * mailflow_route_interval_seconds))",
    severity="critical",
    component="route",
    summary="Test mail no longer arrives on a route.",
    description=f"Nothing has arrived on {_WHO} for {{{{ $value | humanizeDuration }}}}, though"
    " messages are being sent. The route's page shows where the last ones went.",
    runbook="route-down",
    hold="2m",
    meaning="Messages are sent and accepted, and none has arrived for the deadline and two"
    " intervals more.",
    steps=(
        "Open the route's page on the agent: it shows the fate of the last messages.",
        "Trace one of them by its Message-ID in the message trace of the tenant.",
        "See whether the receiving side can be read: a blind witness is another alert.",
    ),
)
FAST = Alert(
    name="MailflowRouteErrorBudgetBurn",
    expr=f"{_burning('1h', '15m', 14.4, 1.5)} or {_burning('6h', '30m', 6, 2.5)}",
    severity="critical",
    component="route",
    summary="A route loses so much mail that its objective is about to be missed.",
    description=f"{_WHO} uses its error budget {{{{ $value | humanize }}}} times too fast.",
    runbook="route-error-budget-burn",
    hold="2m",
    labels=(("window", "fast"),),
    meaning="The share of failed messages, over a long and a short window, is a multiple of what"
    " the route's objective allows.",
    steps=(
        "Look at `mailflow_route_messages_failed_total` by `reason`.",
        "Open the route's page on the agent and compare a lost message with one that arrived.",
    ),
)
SLOW = Alert(
    name="MailflowRouteErrorBudgetBurn",
    expr=f"{_burning('1d', '2h', 3, 2.5)} or {_burning('3d', '6h', 1, 2.5)}",
    severity="warning",
    component="route",
    summary="A route loses mail steadily.",
    description=f"{_WHO} uses its error budget {{{{ $value | humanize }}}} times too fast, over"
    " days.",
    runbook="route-error-budget-burn",
    hold="15m",
    labels=(("window", "slow"),),
)
JUNK = Alert(
    name="MailflowRouteLandsInJunk",
    expr="sum without (instance, pod) (increase(mailflow_route_junk_total[6h])) > 1.5",
    severity="warning",
    component="route",
    summary="Test mail lands in the junk folder.",
    description=f"Messages on {_WHO} were put into junk in the last six hours. Compare their"
    " authentication results with those of messages that were not.",
    runbook="route-lands-in-junk",
    hold="15m",
    meaning="At least two messages in six hours arrived in the junk folder.",
    steps=(
        "`X-Forefront-Antispam-Report` and `Authentication-Results` in such a message say why.",
        "See whether SPF, DKIM and DMARC pass for the sender.",
    ),
)
ALERTS = (DOWN, FAST, SLOW, JUNK)
