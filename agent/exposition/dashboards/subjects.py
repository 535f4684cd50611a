"""What do the dashboards of a domain, a connector and a tenant show?

The verdict first, then a row for each probe that looks at such a subject, rendered from what it
declares.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from agent.exposition import check_signals as metrics
from agent.exposition.dashboards import links, promql, shared, signals, words
from agent.exposition.dashboards.model import Board, Panel, Query, Row, Variable
from agent.exposition.dashboards.promql import CHECK, FLEET, SUBJECTS, of
from agent.probes.base import Probe

Probes = tuple[Probe[Any, Any], ...]
_ASKED_AT_ONCE = 15  # queries of the rows that are open when a dashboard is opened
_LABELS = {"domain": "Domain", "connector": "Connector", "route": "Route"}


def boards(probes: Probes) -> tuple[Board, ...]:
    """Return the three dashboards."""
    return (
        _board(
            probes,
            "domain",
            (
                "Does mail for the domain find its way, and is mail in its name accepted?",
                "What of its records or exchanges is wrong, and since when?",
            ),
        ),
        _board(
            probes,
            "connector",
            (
                "Would Exchange Online deliver by this connector, or accept by it?",
                "Which host of it fails, at which phase, and when does its certificate end?",
            ),
        ),
        _board(
            probes,
            "tenant",
            (
                "Whose mail do the tenant's connectors claim, and can a message go in circles?",
                "What was changed, what is careless, what does Microsoft switch off?",
                "Is what is known of the tenant recent?",
            ),
        ),
    )


def variables(kind: str, kinds: tuple[str, ...]) -> tuple[Variable, ...]:
    """Return the choices of a dashboard of one kind of subject."""
    checks = of(metrics.INTERVAL, FLEET, promql.kinds(kinds))
    chosen = of(metrics.INTERVAL, FLEET, 'tenant=~"$tenant"', promql.kinds(kinds))
    return (
        shared.JOB,
        Variable("tenant", f"label_values({checks}, tenant)", "Tenant", every=True),
        Variable("subject", f"label_values({chosen}, subject)", _LABELS.get(kind, "Subject")),
        links.PAGE,
    )


def verdict(probes: Probes, kind: str) -> Row:
    """Return the row that says how the subjects are."""
    kinds = shared.kinds_of(probes, kind)
    return Row(
        "How is it?",
        (
            shared.state(kind, kinds),
            shared.history(kind, kinds),
            shared.findings(probes, SUBJECTS, promql.kinds(kinds), kind=kind),
        ),
    )


def runs(kinds: tuple[str, ...]) -> Row:
    """Return the row about the runs themselves."""
    chosen = promql.kinds(kinds)
    last = promql.highest(CHECK, of(metrics.LAST_RUN, SUBJECTS, chosen))
    every = promql.highest(CHECK, of(metrics.INTERVAL, SUBJECTS, chosen))
    took = promql.highest(CHECK, of(metrics.DURATION, SUBJECTS, chosen))
    return Row(
        "Are these results recent?",
        (
            Panel(
                title="Age of the last run, in intervals",
                advice="How long ago each check ended, as a multiple of its interval. Above 2.5 it"
                " is stale: what is shown of it is old. See the dashboard of the agent for what"
                " holds it up.",
                queries=(Query(f"({promql.age(last)}) / {every}", "{{subject}} {{probe}}"),),
                steps=((None, words.GREEN), (2.5, words.RED)),
                links=links.runbook("check-stale"),
                limits=True,
                w=12,
            ),
            Panel(
                title="Time that a run takes",
                advice="A run that gets slower waits for somebody: the page of the subject shows"
                " for whom. At its `timeout` it can no longer tell.",
                queries=(Query(took, "{{subject}} {{probe}}"),),
                unit="s",
                steps=words.PLAIN,
                w=12,
            ),
        ),
        folded=True,
    )


def _room_for(rows: Iterable[Row]) -> Iterator[Row]:
    """Fold the rows that come after as many queries as Prometheus may be asked at once."""
    asked = 0
    for row in rows:
        asked += sum(len(panel.queries) for panel in row.panels)
        yield replace(row, folded=asked > _ASKED_AT_ONCE)


def _board(probes: Probes, kind: str, answers: tuple[str, ...]) -> Board:
    kinds = shared.kinds_of(probes, kind)
    rows = tuple(_room_for(signals.row(probe) for probe in probes if probe.subject.kind == kind))
    return Board(
        uid=links.BOARDS[kind],
        title=f"Mailflow / {kind.capitalize()}",
        answers=answers,
        variables=variables(kind, kinds),
        rows=(verdict(probes, kind), *rows, runs(kinds)),
    )
