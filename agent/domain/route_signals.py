"""What is measured of a way that mail takes?"""

from agent.domain.finding import Signal
from agent.domain.tally import BUCKETS

MESSAGES = Signal(
    name="mailflow_route_messages_total",
    help="Synthetic messages whose fate is known.",
    kind="counter",
)
FAILED = Signal(
    name="mailflow_route_messages_failed_total",
    help="Synthetic messages that failed, by why; one that is lost and comes in later stays here.",
    labels=("reason",),
    kind="counter",
)
UNJUDGED_TOTAL = Signal(
    name="mailflow_route_messages_unjudged_total",
    help="Synthetic messages of which nobody can tell what became of them, by why.",
    labels=("reason",),
    kind="counter",
)
LATE_TOTAL = Signal(
    name="mailflow_route_late_total",
    help="Synthetic messages that arrived after the time that is expected.",
    kind="counter",
)
JUNK_TOTAL = Signal(
    name="mailflow_route_junk_total",
    help="Synthetic messages that arrived in the junk folder.",
    kind="counter",
)
DUPLICATES_TOTAL = Signal(
    name="mailflow_route_duplicates_total",
    help="Arrivals of synthetic messages that had arrived already.",
    kind="counter",
)
DELIVERY = Signal(
    name="mailflow_route_delivery_duration_seconds",
    help="Time from the start of sending to arrival; the route's deadline is one of its buckets.",
    kind="histogram",
    buckets=BUCKETS,
)
PHASE = Signal(
    name="mailflow_route_phase_duration_seconds",
    help="Time of each phase of the last message's way: those of the session, `submit` all of"
    " them, `transit` from the"
    " server's yes to the arrival, `transit-OWNER` at the hosts of each owner as they claim it, and"
    " `visible` from the last of them until the agent saw it.",
    labels=("phase",),
)
IN_FLIGHT = Signal(
    name="mailflow_route_in_flight",
    help="Synthetic messages whose fate is open.",
)
LAST_SENT = Signal(
    name="mailflow_route_last_sent_timestamp_seconds",
    help="When the last synthetic message was sent.",
)
LAST_DELIVERED = Signal(
    name="mailflow_route_last_delivered_timestamp_seconds",
    help="When the last synthetic message arrived.",
)
INFO = Signal(
    name="mailflow_route_info",
    help="Always 1; whom a route hands its messages to, and the place where they are picked up, as"
    " configured.",
    labels=("server", "place"),
)
OBJECTIVE = Signal(
    name="mailflow_route_slo_objective_ratio",
    help="The share of messages that must not fail.",
)
DEADLINE = Signal(
    name="mailflow_route_deadline_seconds",
    help="The time after which a message is late.",
)
INTERVAL = Signal(
    name="mailflow_route_interval_seconds",
    help="The time between two messages.",
)

DEFERRAL = Signal(
    name="mailflow_route_deferral_seconds",
    help="How long servers have put off the last message, as greylisting does; no part of its"
    " duration.",
)
AUTH_PASS = Signal(
    name="mailflow_route_auth_pass",
    help="Whether the receiver says that a method passed for the last message: 1 or 0; absent where"
    " it says nothing.",
    labels=("method",),
)
HOPS = Signal(
    name="mailflow_route_hops",
    help="Hops that the last message took.",
)
HEADROOM = Signal(
    name="mailflow_route_budget_messages",
    help="Messages that the budget lets go at once: of the route itself, and of all routes by the"
    " minute and by the day.",
    labels=("budget",),
)

SIGNALS = (
    MESSAGES,
    FAILED,
    UNJUDGED_TOTAL,
    LATE_TOTAL,
    JUNK_TOTAL,
    DUPLICATES_TOTAL,
    DELIVERY,
    PHASE,
    IN_FLIGHT,
    LAST_SENT,
    LAST_DELIVERED,
    INFO,
    OBJECTIVE,
    DEADLINE,
    INTERVAL,
    DEFERRAL,
    AUTH_PASS,
    HOPS,
    HEADROOM,
)
