"""Which panels show the signals of a probe?"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from agent.domain.finding import Severity, Signal
from agent.exposition import check_signals as metrics
from agent.exposition.dashboards import links, promql, words
from agent.exposition.dashboards.look import Look, Reading
from agent.exposition.dashboards.looks import look_of
from agent.exposition.dashboards.model import Column, Panel, Query, Row, Shape
from agent.exposition.dashboards.promql import AGENT, PER, SUBJECTS, WHO, of
from agent.probes.base import Probe

_ALWAYS_1 = "is"
LARGE = 8  # rows of the grid that a graph takes
OWN = "agent"  # of the agent itself, not of a subject


def row(probe: Probe[Any, Any]) -> Row:
    """Return the row of a probe: a panel for each of its signals, the small ones first."""
    panels = [panel(probe.subject.kind, signal) for signal in probe.signals]
    small = [each for each in panels if each.h < LARGE]
    if len(small) == 1 < len(panels):  # alone on its line it would leave a hole beside it
        panels[panels.index(small[0])] = replace(small[0], w=8, h=LARGE)
    panels.append(broken(probe, beside=panels))
    panels.sort(key=lambda each: each.h)
    return Row(f"Check: {probe.kind}", tuple(panels))


def rest(kind: str, declared: Iterable[Signal], rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return a row with a panel for each signal that none of the *rows* asks for, if any."""
    asked = " ".join(
        query.expr for each in rows for panel in each.panels for query in panel.queries
    )
    seen = set(re.findall(r"mailflow_\w+?(?=_bucket\b|\b)", asked))
    panels = [panel(kind, signal) for signal in declared if signal.name not in seen]
    panels.sort(key=lambda each: each.h)
    return (Row("What else is measured", tuple(panels), folded=True),) if panels else ()


def panel(kind: str, signal: Signal) -> Panel:
    """Return the panel of a signal of a kind of subject, or of the agent itself."""
    look = look_of(signal)
    small = look.shape is Shape.STAT
    is_own = kind == OWN
    return Panel(
        title=look.title,
        advice=f"{signal.help} {look.advice}",
        queries=_own(signal, look) if is_own else _of_subjects(signal, look),
        shape=look.shape,
        unit=look.unit,
        steps=look.steps,
        words=look.words,
        links=() if is_own or look.shape is Shape.TABLE else links.page(kind),
        columns=_columns(kind) if look.shape is Shape.TABLE else (),
        stacked=look.stacked,
        w=4 if small else 8,
        h=4 if small else LARGE,
    )


def _columns(kind: str) -> tuple[Column, ...]:
    """Return the columns of what is told by labels alone; the value is always 1."""
    value = Column(_ALWAYS_1, hidden=True)
    if kind == OWN:
        return (value,)
    return (Column("subject", links=links.row(kind)), Column("tenant"), value)


def _of_subjects(signal: Signal, look: Look) -> tuple[Query, ...]:
    return _queries(signal, look, SUBJECTS, WHO, "{{subject}}")


def _own(signal: Signal, look: Look) -> tuple[Query, ...]:
    return _queries(signal, look, AGENT, (PER,), "{{instance}}")


def _queries(
    signal: Signal, look: Look, scope: str, who: tuple[str, ...], name: str
) -> tuple[Query, ...]:
    legend = " ".join([name, *(f"{{{{{label}}}}}" for label in signal.labels)])
    by = (*who, *signal.labels)
    selector = of(signal, scope)
    if look.shape is Shape.TABLE:
        return (Query(promql.highest(by, selector), _ALWAYS_1),)
    if signal.kind == "histogram":
        buckets = of(signal, scope, suffix="_bucket")
        return tuple(
            Query(promql.quantile(share, by, buckets, "1h"), f"{legend} {part}")
            for share, part in ((0.5, "median"), (0.95, "95 %"))
        )
    if signal.kind == "counter":
        return (Query(promql.increase(by, selector, "1h"), legend),)
    if look.reading is Reading.LEFT:
        return (Query(promql.left(promql.lowest(by, selector)), legend),)
    if look.reading is Reading.AGE:
        return (Query(promql.age(promql.highest(by, selector)), legend),)
    return (Query(promql.highest(by, selector), legend),)


def broken(probe: Probe[Any, Any], beside: Sequence[Panel] = ()) -> Panel:
    """Return a band for each broken rule of a probe, as high as the panels *beside* it."""
    none = {"rule": words.NONE_FOUND, "subject": "all"}
    rows = promql.or_none(_severities(probe.kind), **none)
    return Panel(
        title=f"Broken rules of {probe.kind}",
        advice="Each rule that is found broken, as long as it is, in the colour of its severity."
        " Click it for the page of the subject, which has the evidence and the lines to type. A gap"
        " in every band: no agent is scraped.",
        queries=(Query(rows, "{{subject}} {{rule}}"),),
        shape=Shape.BAND,
        words=words.SEVERITIES,
        steps=words.SEVERITY_STEPS,
        links=links.page(probe.subject.kind),
        w=8,
        h=max((each.h for each in beside), default=5),
    )


def _severities(kind: str) -> str:
    """Return the severity of each broken rule as a number."""
    by = (*WHO, "rule")
    found = (
        (
            each,
            of(metrics.FINDING, SUBJECTS, promql.kinds((kind,)), f'severity="{each.word}"'),
        )
        for each in Severity
        if each
    )
    return " or ".join(
        f"(0 * {promql.highest(by, selector)} + {int(each)})" for each, selector in found
    )
