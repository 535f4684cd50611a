"""How much of a route's error budget is left, and how fast is it used?

Reads what the recording rules of the alerts have counted, so that a month costs no more than an
hour.
"""

from agent.domain import route_signals as route
from agent.exposition.dashboards import promql, words
from agent.exposition.dashboards.model import Panel, Query, Shape
from agent.exposition.dashboards.promql import FLEET, WHO, of

FAILED_SHARE = "subject:mailflow_route_messages_failed_per_messages:ratio_rate"
BURN_RATE = "subject:mailflow_route_slo_burn_rate:ratio_rate"
BUDGET_STEPS = ((None, words.RED), (0.0, words.ORANGE), (0.25, words.GREEN))


def allowed(scope: str = FLEET) -> str:
    """Return the share of messages that may fail."""
    return f"(1 - {promql.highest(WHO, of(route.OBJECTIVE, scope))})"


def month(scope: str = FLEET) -> str:
    """Return the share of messages that failed in 30 days.

    It is the mean of the hours in which anything was sent: those in which nothing was are no
    number, and left out.
    """
    hour = promql.highest(WHO, of(f"{FAILED_SHARE}1h", scope))
    return f"avg_over_time(({hour} >= 0)[30d:1h])"


def left(scope: str = FLEET) -> str:
    """Return the share of the error budget of 30 days that is left; below 0 where overdrawn."""
    return f"1 - {month(scope)} / {allowed(scope)}"


def budget(scope: str = FLEET, w: int = 12) -> Panel:
    """Return the panel of the budget that is left."""
    return Panel(
        title="Error budget left (30 days)",
        advice="Share of the failures that the objective allows in 30 days and that have not"
        " happened yet; it follows within an hour. Red: the objective is missed. Look at the"
        " outcomes for the reason, and change nothing else on the route until it is found.",
        queries=(Query(left(scope), "{{subject}}"),),
        shape=Shape.GAUGES,
        unit="percentunit",
        steps=BUDGET_STEPS,
        bounds=(0, 1),
        w=w,
    )


def rates(scope: str = FLEET, w: int = 12) -> Panel:
    """Return the panel of the burn rates that alerts are made of.

    Where nothing was sent they are no number, which would hide all lines and the axis with them.
    """
    return Panel(
        title="Speed at which the error budget is used",
        advice="1 uses the budget up in just 30 days. Above 14.4 in an hour or 6 in six hours an"
        " alert pages, once enough messages have failed. Look at the outcomes for the reason.",
        queries=tuple(
            Query(f"{of(f'{BURN_RATE}{window}', scope)} >= 0", f"{{{{subject}}}} {window}")
            for window in ("1h", "6h")
        ),
        steps=((None, words.GREEN), (1, words.ORANGE), (6, words.RED)),
        limits=True,
        w=w,
    )
