"""What do several dashboards show in the same way?"""

from collections.abc import Iterable
from typing import Any

from agent.exposition import check_signals as metrics
from agent.exposition.dashboards import links, promql, words
from agent.exposition.dashboards.model import Column, Panel, Query, Shape, Variable
from agent.exposition.dashboards.promql import CHECK, of
from agent.probes.base import Probe

MOST = 200  # rows of a table of findings
_FOUND = (*CHECK, "rule", "severity")
JOB = Variable("job", "label_values(mailflow_build_info, job)", "Job", every=True)

Probes = Iterable[Probe[Any, Any]]


def kinds_of(probes: Probes, subject: str) -> tuple[str, ...]:
    """Return the kinds of probes that look at a kind of subject."""
    return tuple(probe.kind for probe in probes if probe.subject.kind == subject)


def signs(probes: Probes, subject: str, ending: str) -> tuple[str, ...]:
    """Return the selectors of the signals of a kind of subject whose names end in *ending*."""
    return tuple(
        of(signal)
        for probe in probes
        if probe.subject.kind == subject
        for signal in probe.signals
        if signal.name.endswith(ending)
    )


def state(kind: str, kinds: tuple[str, ...]) -> Panel:
    """Return a tile for each check of the subjects that are chosen."""
    return Panel(
        title="State of the checks",
        advice="The verdict of the last run of each check. Red: something is proven to be broken;"
        " the findings below say what, and the page of the subject what to type. Purple: it could"
        " not be told, and the subject may be fine. Grey: no run for three intervals.",
        queries=(
            Query(
                promql.highest(CHECK, of(metrics.SEVERITY, promql.SUBJECTS, promql.kinds(kinds))),
                "{{subject}} {{probe}}",
            ),
        ),
        shape=Shape.STAT,
        words=words.SEVERITIES,
        steps=words.SEVERITY_STEPS,
        links=links.page(kind),
        w=24,
        h=5,
    )


def history(kind: str, kinds: tuple[str, ...], title: str = "Checks over time") -> Panel:
    """Return a band for each check of the subjects that are chosen."""
    return Panel(
        title=title,
        advice="The verdict of each check over time; a gap is a time without a result. Click where"
        " a band turns red to open the page of the subject, and compare with the annotations:"
        " a reload or a restart of the agent is no change of the mail flow.",
        queries=(
            Query(
                promql.highest(CHECK, of(metrics.SEVERITY, promql.SUBJECTS, promql.kinds(kinds))),
                "{{subject}} {{probe}}",
            ),
        ),
        shape=Shape.BAND,
        words=words.SEVERITIES,
        steps=words.SEVERITY_STEPS,
        links=links.page(kind),
        w=24,
        h=6,
    )


def findings(probes: Probes, scope: str, *matchers: str, kind: str = "") -> Panel:
    """Return the table of what is found wrong now, the newest first.

    Of a dashboard of one *kind* of subject, the links need not look for it.
    """
    found = promql.highest(_FOUND, of(metrics.FINDING, scope, *matchers))
    if not kind:
        found = with_board(probes, found)
    rows = promql.or_none(f"bottomk({MOST}, {found})", scope, rule=words.NONE_FOUND, severity="ok")
    return Panel(
        title="Findings",
        advice="Rules that are found broken now, the newest first; how many runs in a row have"
        " found it is in the last column, and two make an alert. Click the rule for what it means"
        " and what to do, the subject for the evidence and the lines to type. Empty, without even"
        " a line that nothing was found: no agent is scraped.",
        queries=(Query(rows, "runs in a row"),),
        shape=Shape.TABLE,
        columns=(
            Column("severity", words=words.SEVERITY_NAMES, width=95),
            links.RULE,
            Column("subject", links=links.row(kind)),
            Column("tenant"),
            Column("probe", width=95),
            Column("runs in a row", width=120),
            Column("board", hidden=True),
            Column("kind", hidden=True),
        ),
        sorted_by="runs in a row",
        w=16,
    )


def with_board(probes: Probes, expr: str) -> str:
    """Add which dashboard and which kind of page a subject has, by the kind of the probe."""
    probes = tuple(probes)
    for kind, uid in links.BOARDS.items():
        pattern = "|".join(kinds_of(probes, kind))
        for label, value in (("board", uid), ("kind", kind)):
            expr = f'label_replace({expr}, "{label}", "{value}", "probe", "{pattern}")'
    return expr
