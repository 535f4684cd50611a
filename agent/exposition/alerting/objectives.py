"""How fast does a route use up what its objective allows?

Delivery is judged as a share over a window, against the objective that each route exports, so that
one lost message colours a panel and pages nobody. A long and a short window must agree: the long
one says that it matters, the short one that it still goes on. Each long window has two guards: a
least number of failures, because at one message in five minutes a single loss would exceed any
share; and a least time on record, because of a young route the long window says no more than the
short one.
"""

from agent.domain.objective import PAGING, TICKETING, Window
from agent.exposition.alerting.alert import Record
from agent.exposition.alerting.found import CHECK, held, known_of_each

_RATIO = "subject:mailflow_route_messages_failed_per_messages:ratio_rate"
_BURN = "subject:mailflow_route_slo_burn_rate:ratio_rate"
_FAILED = "subject:mailflow_route_messages_failed:increase"
P95 = "subject:mailflow_route_delivery_duration_seconds:p95_1h"
ENDS = "subject:mailflow_route_info:max"

ALL = "without (instance, pod)"
_EVERY = (*PAGING, *TICKETING)
_GAP = "30m"
_OBJECTIVE = held("mailflow_route_slo_objective_ratio")


def records() -> tuple[Record, ...]:
    """Return the recording rules of routes."""
    windows = dict.fromkeys(each for w in _EVERY for each in (w.long, w.short))
    return (
        *(_ratio(window) for window in windows),
        *(_burn(window) for window in windows),
        *(_failed(pair.long) for pair in _EVERY),
        Record(
            P95,
            "histogram_quantile(0.95,"
            f" sum {ALL} (rate(mailflow_route_delivery_duration_seconds_bucket[1h])))",
        ),
        Record(
            ENDS,
            f"{known_of_each('mailflow_route_info')}"
            f" or on ({CHECK}) (max {ALL} ({_OBJECTIVE}) * 0 + 1)",
        ),
    )


def burning(pairs: tuple[Window, ...]) -> str:
    """Return the expression for a route that burns in one of *pairs* of windows."""
    return " or ".join(map(_burns, pairs))


def with_ends(expression: str) -> str:
    """Add to what is said of routes the server that takes their mail, and where it is picked up."""
    return f"({expression}) * on ({CHECK}) group_left (server, place) {ENDS}"


def _ratio(window: str) -> Record:
    return Record(
        f"{_RATIO}{window}",
        "sum without (instance, pod, reason)"
        f" (rate(mailflow_route_messages_failed_total[{window}]))"
        f" / sum {ALL} (rate(mailflow_route_messages_total[{window}]))",
    )


def _burn(window: str) -> Record:
    return Record(
        f"{_BURN}{window}",
        f"{_RATIO}{window} / (1 - max {ALL} ({_OBJECTIVE}))",
    )


def _failed(window: str) -> Record:
    return Record(
        f"{_FAILED}{window}",
        "sum without (instance, pod, reason)"
        f" (increase(mailflow_route_messages_failed_total[{window}]))",
    )


def _burns(pair: Window) -> str:
    # Half a failure less, because `increase` extrapolates.
    return (
        f"({_BURN}{pair.long} > {pair.factor} and {_BURN}{pair.short} > {pair.factor}"
        f" and {_FAILED}{pair.long} > {pair.fewest - 0.5}"
        # A gap is tolerated, as a restart leaves one.
        f" and max {ALL}"
        f" (last_over_time(mailflow_route_slo_objective_ratio[{_GAP}] offset {pair.least})))"
    )
