"""What is wrong in the whole fleet now, what has just changed, and what ends soon?"""

from agent.domain.finding import Severity
from agent.domain.tenancy import retirement
from agent.exposition import check_signals as metrics
from agent.exposition import mail_metrics
from agent.exposition.dashboards import links, promql, shared, words
from agent.exposition.dashboards.model import Column, Panel, Query, Row, Shape
from agent.exposition.dashboards.promql import CHECK, FLEET, WHO, of, or_none
from agent.exposition.dashboards.subjects import Probes
from agent.exposition.dashboards.tiles import of_severity, tile
from agent.probes import drift

_SOON = 45  # days
_FEW = 50  # rows of a table of what changed or ends
_LOCATED = (Column("board", hidden=True), Column("kind", hidden=True))
ALERTS = 'ALERTS{job=~"$job",alertname=~"Mailflow.*",alertname!="MailflowWatchdog"'
FIRING = f'{ALERTS},alertstate="firing"}}'


def now(probes: Probes) -> Row:
    """Return the row about what is wrong, and what changed."""
    return Row(
        "What is wrong, and what changed?",
        (shared.findings(probes, FLEET), _checks(), _alerts(), _changed(probes)),
    )


def soon(probes: Probes) -> Row:
    """Return the row about what comes to an end."""
    secrets = promql.left(f"min({of(mail_metrics.SECRET_EXPIRY)})")
    due = promql.left(f"min({of(retirement.DUE)})")
    return Row(
        "What ends soon?",
        (
            tile(
                "Next certificate or key to end",
                "Red: less than seven days. The table beside it says whose it is; renew it.",
                promql.left(f"min({_ends(probes)})"),
                words.TIME_LEFT,
                unit="s",
            ),
            tile(
                "Next credential of the agent to end",
                "Red: less than seven days. Make a new secret in Entra and put it where the"
                " configuration reads it. It must not look like a broken route one morning.",
                secrets,
                words.TIME_LEFT,
                links=links.runbook("credential-expires"),
                unit="s",
            ),
            tile(
                "Next thing that Microsoft switches off",
                "Red: less than 90 days, or over. The findings of `retirement` say what uses it.",
                due,
                ((None, words.RED), (90 * words.DAY, words.ORANGE), (365 * words.DAY, words.GREEN)),
                links=(links.board(links.TENANT),),
                unit="s",
            ),
            _table(probes),
        ),
        folded=True,
    )


def _ends(probes: Probes) -> str:
    """Return when certificates, keys and secrets of all subjects end."""
    found = (
        of(signal)
        for probe in probes
        for signal in probe.signals
        if signal.name.endswith("expiry_timestamp_seconds")
    )
    return " or ".join(promql.lowest(CHECK, each) for each in found)


def _table(probes: Probes) -> Panel:
    left = f"({promql.left(f'({_ends(probes)})')}) < {_SOON} * 86400"
    rows = promql.or_none(
        f"bottomk({_FEW}, {shared.with_board(probes, left)})",
        subject=f"none within {_SOON} days",
    )
    return Panel(
        title=f"Certificates and keys that end within {_SOON} days",
        advice="The soonest first. Renew it in time, and put the whole chain on every host that"
        " shows it; the page of the subject names the hosts.",
        queries=(Query(rows, "ends in"),),
        shape=Shape.TABLE,
        columns=(
            Column("subject", links=links.row()),
            Column("tenant"),
            Column("probe"),
            Column("ends in", "s", words.TIME_LEFT, (("0", "-", words.GREEN),)),
            *_LOCATED,
        ),
        sorted_by="ends in",
        w=12,
    )


def _checks() -> Panel:
    selector = of(metrics.SEVERITY)
    return Panel(
        title="Checks by what they found",
        advice="How many checks are in which state. A step of many at once has one cause: see the"
        " annotations, and the row about the agent, before looking at single subjects.",
        queries=tuple(Query(of_severity(selector, each), each.word) for each in Severity),
        steps=words.PLAIN,
        fixed=tuple((each.word, words.COLOURS[each]) for each in Severity),
        stacked=True,
    )


def _alerts() -> Panel:
    by = ("alertname", "severity", *WHO, "rule")
    rows = or_none(
        promql.highest(by, FIRING),
        alertname=words.NONE_FOUND,
        severity="none",
    )
    return Panel(
        title="Alerts that fire",
        advice="What Prometheus has told Alertmanager. An alert without a finding above is one"
        " about the agent itself. Click the rule for its runbook.",
        queries=(Query(rows, "firing"),),
        shape=Shape.TABLE,
        columns=(
            Column(
                "severity", words=(*words.SEVERITY_NAMES, ("none", "none", words.GREEN)), width=100
            ),
            Column("alertname", width=212),
            links.RULE,
            Column("subject"),
            Column("tenant", width=120),
            Column("firing", hidden=True),
        ),
        sorted_by="severity",
        w=15,
    )


def _changed(probes: Probes) -> Panel:
    """Return the table of the records that changed within a day, and of the tenants."""
    rows = []
    for probe in probes:
        for signal in probe.signals:
            if signal.name.endswith("_changed_timestamp_seconds"):
                ago = promql.age(promql.highest(CHECK, of(signal)))
                rows.append(f"({ago} < 86400)")
    changes = promql.highest(CHECK, of(drift.CHANGES))
    rows.append(f"(0 * ({changes} > 0))")
    told = promql.or_none(
        f"bottomk({_FEW}, {shared.with_board(probes, ' or '.join(rows))})",
        subject="nothing changed in a day",
    )
    return Panel(
        title="What changed in a day",
        advice="Records that changed, or were first seen, within a day, and tenants with a change"
        " that is still reported. What nobody planned is the first suspect.",
        queries=(Query(told, "ago"),),
        shape=Shape.TABLE,
        columns=(
            Column("ago", "s", width=90),
            Column("subject", links=links.row()),
            Column("tenant", width=110),
            Column("probe", width=100),
            *_LOCATED,
        ),
        sorted_by="ago",
        w=9,
    )
