"""What does the first dashboard show?

Is mail flowing, can the agent be trusted, what is wrong and what changed, what ends soon, how much
may still fail. In this order, because the second question decides how the first is to be read.
"""

from agent.domain import route_signals as route
from agent.domain.finding import Severity
from agent.exposition import check_signals as metrics
from agent.exposition import own_signals as own
from agent.exposition.dashboards import burning, links, promql, shared, tiles, trouble, words
from agent.exposition.dashboards.model import Board, Column, Panel, Query, Row, Shape
from agent.exposition.dashboards.promql import FLEET, WHO, of, or_zero
from agent.exposition.dashboards.subjects import Probes
from agent.exposition.dashboards.tiles import of_severity, stale, tile

_ROUTES = of(metrics.SEVERITY, FLEET, 'probe="route"')
_BUCKETS = of(route.DELIVERY, suffix="_bucket")
_HELD = promql.highest(WHO, of(route.DEADLINE))
_EVERY = promql.highest(WHO, of(route.INTERVAL))
_SINCE = promql.age(promql.highest(WHO, of(route.LAST_DELIVERED)))
_TO_ROUTES = (links.board(links.ROUTE),)
_TO_AGENT = (links.board(links.AGENT),)


def board(probes: Probes) -> Board:
    """Return the dashboard."""
    return Board(
        uid=links.OVERVIEW,
        title="Mailflow / Overview",
        answers=(
            "Is mail flowing, on each route?",
            "Can the agent be trusted with that answer?",
            "What is wrong now, and what changed?",
            "What ends soon, and how much may still fail?",
        ),
        variables=(shared.JOB, links.PAGE),
        rows=(_flow(), _trust(), trouble.now(probes), trouble.soon(probes), _budget()),
    )


def _flow() -> Row:
    return Row("Is mail flowing?", (*_judged(), *_measured(), *_counted(), _over_time(), _table()))


def _judged() -> tuple[Panel, ...]:
    return (
        tile(
            "Broken routes",
            "Red: test mail does not arrive, or not as it should. Open the route below.",
            of_severity(_ROUTES, Severity.CRITICAL),
            words.RED_FROM_ONE,
            links=_TO_ROUTES,
        ),
        tile(
            "Unjudged routes",
            "Purple: the agent is blind there, and mail may be fine. See what it depends on, in"
            " the row below.",
            of_severity(_ROUTES, Severity.UNKNOWN),
            words.UNSURE_FROM_ONE,
            links=_TO_ROUTES,
        ),
    )


def _measured() -> tuple[Panel, ...]:
    slow = promql.quantile(0.95, WHO, _BUCKETS, "1h")
    return (
        tile(
            "Deadline used",
            "The 95th percentile of an hour on the slowest route, as a share of its deadline."
            " Red: mail is late. Open the route to see where the time goes.",
            f"max({slow} / {_HELD})",
            ((None, words.GREEN), (0.5, words.ORANGE), (1, words.RED)),
            links=_TO_ROUTES,
            unit="percentunit",
        ),
        tile(
            "Longest silence",
            "Time since a message last arrived on the most silent route, as a share of its"
            " deadline and two intervals. Red: `MailflowRouteDown` fires while mail is sent.",
            f"max(({_SINCE}) / ({_HELD} + 2 * {_EVERY}))",
            ((None, words.GREEN), (0.7, words.ORANGE), (1, words.RED)),
            links=_TO_ROUTES,
            unit="percentunit",
        ),
    )


def _counted() -> tuple[Panel, ...]:
    failed = f"sum(increase({of(route.FAILED)}[1h]))"
    return (
        tile(
            "Failed in an hour",
            "Orange: at least one test message failed. One is no outage: open the route and"
            " see whether they go on failing.",
            or_zero(f"round({failed})"),
            words.WARN_FROM_ONE,
            links=_TO_ROUTES,
        ),
        tile(
            "Lowest error budget",
            "What is left to the worst route. Red: it has missed its objective of 30 days. Open"
            " the last row for which.",
            f"min({burning.left()})",
            burning.BUDGET_STEPS,
            unit="percentunit",
        ),
    )


def _over_time() -> Panel:
    return Panel(
        title="Routes over time",
        advice="The verdict of each route; a gap is a time without a result. Red: click it for the"
        " route's dashboard. Where all turn at once, look for what they share.",
        queries=(Query(promql.highest(WHO, _ROUTES), "{{tenant}} {{subject}}"),),
        shape=Shape.BAND,
        words=words.SEVERITIES,
        steps=words.SEVERITY_STEPS,
        links=links.subject("route"),
        w=24,
        h=6,
    )


def _table() -> Panel:
    slow = promql.quantile(0.95, WHO, _BUCKETS, "1h")
    columns = (
        ("state", promql.highest(WHO, _ROUTES)),
        ("arrived ago", _SINCE),
        ("95 % in an hour", slow),
        ("deadline", _HELD),
        ("failed in 24 h", f"round({promql.increase(WHO, of(route.FAILED), '1d')})"),
        ("budget left", burning.left()),
    )
    return Panel(
        title="Routes",
        advice="One line a route, the worst first. Click its name for its dashboard, or for its"
        " page with the last transcripts.",
        queries=tuple(Query(expr, name) for name, expr in columns),
        shape=Shape.TABLE,
        columns=(
            Column("subject", links=links.row("route")),
            Column("tenant"),
            Column("state", words=words.SEVERITIES, steps=words.SEVERITY_STEPS, width=110),
            Column("arrived ago", "s"),
            Column("95 % in an hour", "s"),
            Column("deadline", "s"),
            Column("failed in 24 h", steps=words.WARN_FROM_ONE),
            Column("budget left", "percentunit", burning.BUDGET_STEPS),
        ),
        sorted_by="state",
        descending=True,
        w=24,
    )


def _trust() -> Row:
    absent = (
        f"count(({of('up')} == 0) and on (job, instance) last_over_time({of(own.BUILD_INFO)}[1d]))"
    )
    return Row(
        "Can I trust the agent?",
        (
            tile(
                "Agents down",
                "Red: nothing is known of what they watch. Start them, or see in Prometheus why"
                " they cannot be scraped.",
                or_zero(absent),
                words.RED_FROM_ONE,
                links=links.runbook("agent-absent"),
            ),
            tile(
                "Stale checks",
                "Red: results are old. Open the dashboard of the agent for what holds them up.",
                stale(FLEET),
                words.RED_FROM_ONE,
                links=links.runbook("check-stale"),
            ),
            tile(
                "Unknown checks",
                "Purple: nothing is known to be wrong there, and nobody is watching it. The"
                " findings below give the reason.",
                of_severity(of(metrics.SEVERITY), Severity.UNKNOWN),
                words.UNSURE_FROM_ONE,
                links=links.runbook("cannot-tell"),
            ),
            tile(
                "Dependencies down",
                "Red: a resolver, an uplink or a mailbox does not answer; what depends on it waits."
                " Mend that first.",
                or_zero(f"count({promql.lowest(('dependency',), of(own.DEPENDENCY_UP))} == 0)"),
                words.RED_FROM_ONE,
                links=_TO_AGENT,
            ),
            tiles.configuration(FLEET),
            tiles.state_folder(FLEET),
        ),
    )


def _budget() -> Row:
    return Row(
        "How much may still fail?",
        (burning.budget(w=8), burning.rates(w=8), _sending()),
        folded=True,
    )


def _sending() -> Panel:
    return Panel(
        title="Messages that may still be sent",
        advice=f"{route.HEADROOM.help} The lowest of all routes. At 0 messages wait or are not sent"
        " and routes are judged late: send less often, or raise `budget`.",
        queries=(Query(promql.lowest(("budget",), of(route.HEADROOM)), "{{budget}}"),),
        steps=((None, words.RED), (1, words.GREEN)),
        links=_TO_ROUTES,
        logarithmic=True,
    )
