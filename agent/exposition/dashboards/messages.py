"""How long do a route's messages take, and what becomes of them?"""

from typing import Any

from agent.domain import route_signals as route
from agent.exposition.dashboards import links, promql, words
from agent.exposition.dashboards.model import Panel, Query, Row, Shape
from agent.exposition.dashboards.promql import SUBJECTS, WHO, of

_PAGE = links.page("route")
_SUBJECT = "{{subject}}"
_HELD = promql.highest(WHO, of(route.DEADLINE, SUBJECTS))
_BUCKETS = of(route.DELIVERY, SUBJECTS, suffix="_bucket")
PARTS = "submit|transit|visible"  # the phases that add up to the whole way


def time() -> Row:
    """Return the row about the time that messages take."""
    return Row("How long does it take?", (_quantiles(), _way(), _phases(), _deferral(), _hops()))


def _quantiles() -> Panel:
    return Panel(
        title="Delivery time",
        advice="Median and 95th percentile of an hour, and the deadline as a dashed line. Near the"
        " line: see beside it at whose hosts the time is spent.",
        queries=(
            Query(promql.quantile(0.5, WHO, _BUCKETS, "1h"), "{{subject}} median"),
            Query(promql.quantile(0.95, WHO, _BUCKETS, "1h"), "{{subject}} 95 %"),
            Query(_HELD, "{{subject}} deadline"),
        ),
        unit="s",
        steps=words.PLAIN,
        links=_PAGE,
        dashed=(".* deadline",),
        logarithmic=True,
        w=12,
    )


def _phase(title: str, advice: str, matcher: str, **more: Any) -> Panel:
    expr = promql.highest((*WHO, "phase"), of(route.PHASE, SUBJECTS, matcher))
    return Panel(
        title=title,
        advice=advice,
        queries=(Query(expr, "{{subject}} {{phase}}"),),
        unit="s",
        steps=words.PLAIN,
        links=_PAGE,
        stacked=True,
        **more,
    )


def _way() -> Panel:
    return _phase(
        "Where the last message's time went",
        "`submit` is our session, `transit-` what each owner's hosts claim to have kept it,"
        " `visible` until the agent saw it. The band that grew is whom to ask.",
        'phase=~"submit|transit-.*|visible"',
        w=12,
    )


def _phases() -> Panel:
    return _phase(
        "Time of the session that sent it, by phase",
        "A slow greeting is a loaded or suspicious server, a slow `final` one that scans while we"
        " wait, a slow `connect` the network.",
        f'phase!~"{PARTS}|transit-.*"',
    )


def _deferral() -> Panel:
    return Panel(
        title="Put off by servers",
        advice=f"{route.DEFERRAL.help} Lasting: the sender is not known well enough there; see the"
        " replies in the transcript.",
        queries=(Query(promql.highest(WHO, of(route.DEFERRAL, SUBJECTS)), _SUBJECT),),
        unit="s",
        steps=((None, words.GREEN), (300, words.ORANGE)),
        links=_PAGE,
    )


def _hops() -> Panel:
    return Panel(
        title="Hops",
        advice=f"{route.HOPS.help} A step up is another way through the same or other systems: see"
        " the path on the route's page.",
        queries=(Query(promql.highest(WHO, of(route.HOPS, SUBJECTS)), _SUBJECT),),
        steps=words.PLAIN,
        links=_PAGE,
    )


def outcome() -> Row:
    """Return the row about the fate of the messages."""
    return Row("What became of the messages?", (_failed(), _unjudged(), _marks(), _passed()))


def _counted(title: str, advice: str, queries: tuple[Query, ...]) -> Panel:
    return Panel(
        title=title,
        advice=advice,
        queries=queries,
        steps=words.WARN_FROM_ONE,
        links=_PAGE,
        bars=True,
        stacked=True,
        w=12,
    )


def _failed() -> Panel:
    failed = promql.increase((*WHO, "reason"), of(route.FAILED, SUBJECTS), "1h")
    return _counted(
        "Failed messages in an hour, by reason",
        f"{route.FAILED.help} `refused` and `bounced` have a reply that says why, `lost` needs a"
        " message trace by Message-ID.",
        (Query(failed, "{{subject}} {{reason}}"),),
    )


def _unjudged() -> Panel:
    unjudged = promql.increase((*WHO, "reason"), of(route.UNJUDGED_TOTAL, SUBJECTS), "1h")
    return _counted(
        "Messages that nobody can judge in an hour",
        f"{route.UNJUDGED_TOTAL.help} The agent is blind here, and the mail may be fine: see its"
        " places of pick-up on the dashboard of the agent.",
        (Query(unjudged, "{{subject}} {{reason}}"),),
    )


def _marks() -> Panel:
    marks = (
        (route.MESSAGES, "judged"),
        (route.LATE_TOTAL, "late"),
        (route.JUNK_TOTAL, "junk"),
        (route.DUPLICATES_TOTAL, "duplicate"),
    )
    queries = tuple(
        Query(promql.increase(WHO, of(signal, SUBJECTS), "1h"), f"{{{{subject}}}} {name}")
        for signal, name in marks
    )
    return Panel(
        title="Judged, late, in junk and twice, in an hour",
        advice="Junk: compare the authentication results with those of messages that were not."
        " Duplicates: some system sends again what it has delivered. No judged message at all:"
        " nothing is sent, see the budget below.",
        queries=queries,
        steps=words.PLAIN,
        links=_PAGE,
        w=12,
    )


def _passed() -> Panel:
    by = (*WHO, "method")
    return Panel(
        title="Authentication, as the receiver saw it",
        advice=f"{route.AUTH_PASS.help} Where one fails, mail lands in junk or is refused: see the"
        " domain's dashboard for SPF, and the signer for DKIM.",
        queries=(
            Query(promql.highest(by, of(route.AUTH_PASS, SUBJECTS)), "{{subject}} {{method}}"),
        ),
        shape=Shape.BAND,
        words=words.yes("pass", "fail"),
        steps=words.RED_BELOW_ONE,
        links=_PAGE,
        w=12,
    )
