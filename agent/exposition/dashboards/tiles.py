"""Which numbers are told on more than one dashboard, each as a tile?"""

from typing import Any

from agent.domain.finding import Severity
from agent.exposition import check_signals as metrics
from agent.exposition import own_signals as own
from agent.exposition import state_metrics
from agent.exposition.dashboards import links, promql, words
from agent.exposition.dashboards.model import Panel, Query, Shape, Steps, Words
from agent.exposition.dashboards.promql import CHECK, of, or_zero


def tile(title: str, advice: str, expr: str, steps: Steps, **more: Any) -> Panel:
    """Return a tile with one number; *more* is what else to say of the panel."""
    return Panel(
        title=title,
        advice=advice,
        queries=(Query(expr, title),),
        shape=Shape.STAT,
        steps=steps,
        w=4,
        h=4,
        **{"decimals": None if "unit" in more else 0, **more},
    )


def of_severity(selector: str, severity: Severity, scope: str = promql.FLEET) -> str:
    """Return how many checks have a severity, 0 while an agent is scraped."""
    return or_zero(f"count({promql.highest(CHECK, selector)} == {int(severity)})", scope)


def word(title: str, advice: str, expr: str, said: Words, **more: Any) -> Panel:
    """Return a tile with one word: *said* for each value."""
    steps = tuple(
        (None if index == 0 else float(value), colour)
        for index, (value, _, colour) in enumerate(sorted(said))
    )
    return tile(title, advice, expr, steps, words=said, **more)


def stale(scope: str) -> str:
    """Return how many checks have not run for 2.5 of their intervals."""
    last = promql.highest(CHECK, of(metrics.LAST_RUN, scope))
    every = promql.highest(CHECK, of(metrics.INTERVAL, scope))
    return or_zero(f"count({promql.age(last)} > 2.5 * {every})", scope)


def configuration(scope: str) -> Panel:
    """Return whether the configuration in force is the one that was written last."""
    return word(
        "Configuration",
        "Red: the changed file was rejected, and the one before is in force. The status page lists"
        " the errors.",
        f"min({of(own.RELOAD_SUCCESSFUL, scope)})",
        words.yes("as written", "rejected"),
        links=links.runbook("config-reload-failed"),
    )


def state_folder(scope: str) -> Panel:
    """Return whether what must survive a restart can be written."""
    return word(
        "State folder",
        "Red: it cannot be written, and no test mail is sent. Free the disk.",
        f"max({of(state_metrics.DEGRADED, scope)})",
        words.no("written", "not written"),
        links=links.runbook("store-degraded"),
    )
