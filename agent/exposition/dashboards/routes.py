"""What does the dashboard of a route show?

Whether test mail arrives, how long it takes and where the time goes, what became of the messages
that did not arrive, and how much of the error budget they have used.
"""

from typing import Any

from agent.domain import route_signals as route
from agent.exposition import check_signals as metrics
from agent.exposition.dashboards import burning, links, promql, shared, signals, subjects, words
from agent.exposition.dashboards.messages import outcome, time
from agent.exposition.dashboards.model import Board, Panel, Query, Row, Shape
from agent.exposition.dashboards.promql import SUBJECTS, WHO, of

_KIND = "route"
_PAGE = links.page(_KIND)
_SUBJECT = "{{subject}}"
_HELD = promql.highest(WHO, of(route.DEADLINE, SUBJECTS))
_EVERY = promql.highest(WHO, of(route.INTERVAL, SUBJECTS))
_BUCKETS = of(route.DELIVERY, SUBJECTS, suffix="_bucket")


def board(probes: subjects.Probes) -> Board:
    """Return the dashboard."""
    kinds = shared.kinds_of(probes, _KIND)
    rows = (_verdict(probes), time(), outcome(), _budget(), subjects.runs(kinds))
    declared = (s for probe in probes if probe.subject.kind == _KIND for s in probe.signals)
    return Board(
        uid=links.ROUTE,
        title="Mailflow / Route",
        answers=(
            "Does test mail arrive on this route, and how long does it take?",
            "Where does the time go, and what became of the messages that did not arrive?",
            "How much of the error budget is left?",
        ),
        variables=subjects.variables(_KIND, kinds),
        rows=(*rows, *signals.rest(_KIND, declared, rows)),
    )


def _verdict(probes: subjects.Probes) -> Row:
    kinds = shared.kinds_of(probes, _KIND)
    return Row(
        "Does mail arrive?",
        (
            _state(kinds),
            _silence(),
            _punctuality(),
            _flight(),
            _delivered(),
            shared.history(_KIND, kinds, "State over time"),
            shared.findings(probes, SUBJECTS, promql.kinds(kinds), kind=_KIND),
        ),
    )


def _tile(title: str, advice: str, expr: str, **more: Any) -> Panel:
    return Panel(
        title=title,
        advice=advice,
        queries=(Query(expr, _SUBJECT),),
        shape=Shape.STAT,
        links=_PAGE,
        w=4,
        h=5,
        **more,
    )


def _state(kinds: tuple[str, ...]) -> Panel:
    return _tile(
        "State",
        "The verdict of the last run. Red: the findings below say where the mail is. Purple: nobody"
        " can tell, because a place of pick-up or something else that is needed is not seen.",
        promql.highest(WHO, of(metrics.SEVERITY, SUBJECTS, promql.kinds(kinds))),
        words=words.SEVERITIES,
        steps=words.SEVERITY_STEPS,
    )


def _silence() -> Panel:
    since = promql.age(promql.highest(WHO, of(route.LAST_DELIVERED, SUBJECTS)))
    return _tile(
        "Silence",
        "Time since a message last arrived, as a share of the deadline and two intervals. Red from"
        " 100 %: `MailflowRouteDown` fires while messages are being sent.",
        f"({since}) / ({_HELD} + 2 * {_EVERY})",
        steps=((None, words.GREEN), (0.7, words.ORANGE), (1, words.RED)),
        unit="percentunit",
    )


def _punctuality() -> Panel:
    slow = promql.quantile(0.95, WHO, _BUCKETS, "1h")
    return _tile(
        "Deadline used",
        "The 95th percentile of an hour as a share of the route's deadline. Red from 100 %: see"
        " below where the time goes.",
        f"{slow} / {_HELD}",
        unit="percentunit",
        steps=((None, words.GREEN), (0.5, words.ORANGE), (1, words.RED)),
    )


def _flight() -> Panel:
    return _tile(
        "Messages under way",
        f"{route.IN_FLIGHT.help} One or two are normal; more of them are late, and soon lost.",
        promql.highest(WHO, of(route.IN_FLIGHT, SUBJECTS)),
        steps=((None, words.GREEN), (3, words.ORANGE)),
    )


def _delivered() -> Panel:
    objective = promql.highest(WHO, of(route.OBJECTIVE, SUBJECTS))
    return Panel(
        title="Arrived in 30 days",
        advice="Share of the messages that did not fail, and the objective beside it. Below the"
        " objective, the error budget is used up: see the outcomes.",
        queries=(
            Query(f"1 - {burning.month(SUBJECTS)}", "{{subject}} arrived"),
            Query(objective, "{{subject}} objective"),
        ),
        shape=Shape.STAT,
        unit="percentunit",
        steps=((None, words.RED), (0.95, words.ORANGE), (0.99, words.GREEN)),
        links=_PAGE,
        w=8,
        h=5,
        decimals=2,
    )


def _budget() -> Row:
    headroom = promql.lowest((*WHO, "budget"), of(route.HEADROOM, SUBJECTS))
    return Row(
        "How much may still fail, and how much may be sent?",
        (
            burning.budget(SUBJECTS, 8),
            burning.rates(SUBJECTS, 8),
            Panel(
                title="Messages that may be sent at once",
                advice=f"{route.HEADROOM.help} At 0 the next message waits or is not sent. Raise"
                " the interval rather than the budget.",
                queries=(Query(headroom, "{{subject}} {{budget}}"),),
                steps=((None, words.RED), (1, words.GREEN)),
                links=_PAGE,
                logarithmic=True,
            ),
        ),
    )
