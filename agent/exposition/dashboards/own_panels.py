"""How is a metric of the agent itself drawn: as bars, as lines, or as a band?"""

from agent.domain.finding import Signal
from agent.exposition.dashboards import promql, words
from agent.exposition.dashboards.model import Link, Panel, Query, Shape, Steps, Words
from agent.exposition.dashboards.promql import AGENT, PER, of


def counts(
    title: str, advice: str, *counted: tuple[Signal, str], w: int = 8, steps: Steps = words.PLAIN
) -> Panel:
    """Return bars of counters; the text beside each is its legend, ``{{label}}`` for a label."""
    queries = tuple(
        Query(promql.increase((PER, *signal.labels), of(signal, AGENT)), legend)
        for signal, legend in counted
    )
    return Panel(
        title=title, advice=advice, queries=queries, steps=steps, bars=True, stacked=True, w=w
    )


def lines(
    title: str,
    advice: str,
    *queries: tuple[str, str],
    unit: str = "short",
    steps: Steps = words.PLAIN,
    to: tuple[Link, ...] = (),
) -> Panel:
    """Return lines of expressions and their legends; a limit among the steps is drawn."""
    return Panel(
        title=title,
        advice=advice,
        queries=tuple(Query(expr, legend) for expr, legend in queries),
        unit=unit,
        steps=steps,
        links=to,
        limits=len(steps) > 1,
    )


def now(signal: Signal) -> str:
    """Return the present value, by agent and labels."""
    return promql.highest((PER, *signal.labels), of(signal, AGENT))


def band(title: str, advice: str, signal: Signal, legend: str, said: Words) -> Panel:
    """Return a band for each thing that should be up."""
    return Panel(
        title=title,
        advice=advice,
        queries=(Query(promql.lowest(signal.labels, of(signal, AGENT)), legend),),
        shape=Shape.BAND,
        words=said,
        steps=words.RED_BELOW_ONE,
        w=12,
        h=5,
    )
