"""What does the dashboard of the agent show?

Whether what is seen can be believed: does it run what it should, in time, and can it see. A panel
of each of its own metrics, because whoever opens this dashboard does not yet know which one.
"""

from agent.domain.finding import Severity
from agent.exposition import check_signals as metrics
from agent.exposition import own_signals as own
from agent.exposition.dashboards import (
    links,
    machine,
    promql,
    shared,
    signals,
    tiles,
    vitals,
    words,
)
from agent.exposition.dashboards.model import Board, Column, Panel, Query, Row, Shape, Variable
from agent.exposition.dashboards.promql import AGENT, FLEET, PER, of
from agent.exposition.dashboards.subjects import Probes
from agent.exposition.dashboards.tiles import of_severity, stale, tile, word
from agent.exposition.dns_metrics import DNS_SIGNALS
from agent.exposition.http_metrics import HTTP_SIGNALS
from agent.exposition.mail_metrics import MAIL_SIGNALS
from agent.exposition.state_metrics import STATE_SIGNALS

OWN = (*own.OWN_SIGNALS, *STATE_SIGNALS, *MAIL_SIGNALS, *DNS_SIGNALS, *HTTP_SIGNALS)
_SELF = 'probe="self"'


def board(probes: Probes) -> Board:
    """Return the dashboard."""
    rows = (
        _trust(probes),
        _work(),
        vitals.dependencies(),
        vitals.mailboxes(),
        machine.state(),
        machine.process(),
    )
    return Board(
        uid=links.AGENT,
        title="Mailflow / Agent",
        answers=(
            "Can I believe what I see: do the checks run, in time, and can the agent see?",
            "What holds it up: the resolver, a mailbox, a credential, its state, its machine?",
        ),
        variables=(
            shared.JOB,
            Variable(
                "instance",
                f"label_values({of(own.BUILD_INFO, FLEET)}, instance)",
                "Instance",
                every=True,
            ),
            links.PAGE,
        ),
        rows=(*rows, *signals.rest(signals.OWN, OWN, rows)),
    )


def _trust(probes: Probes) -> Row:
    return Row(
        "Can I trust what I see?",
        (
            _up(),
            tile(
                "Stale checks",
                "Red: results are old. See whether runs wait, are skipped or start late, below.",
                stale(AGENT),
                words.RED_FROM_ONE,
                links=links.runbook("check-stale"),
            ),
            tile(
                "Unknown checks",
                "Purple: the subjects may be fine, and nobody is watching them. See what the agent"
                " depends on, below.",
                of_severity(of(metrics.SEVERITY, AGENT), Severity.UNKNOWN, AGENT),
                words.UNSURE_FROM_ONE,
                links=links.runbook("cannot-tell"),
            ),
            word(
                "Its own check",
                "Red: it has found a fault in itself or in what it depends on; the table below"
                " says which.",
                f"max({of(metrics.SEVERITY, AGENT, _SELF)})",
                words.SEVERITIES,
            ),
            tiles.configuration(AGENT),
            tiles.state_folder(AGENT),
            shared.findings(probes, AGENT, _SELF),
            _builds(),
            _loaded(),
        ),
    )


def _up() -> Panel:
    return Panel(
        title="Agents",
        advice="Red: it does not answer a scrape. See whether the process runs, and in Prometheus"
        " under Targets what the scrape fails with.",
        queries=(
            Query(
                f"{of('up', AGENT)} and on (job, instance)"
                f" last_over_time({of(own.BUILD_INFO, AGENT)}[1d])",
                "{{instance}}",
            ),
        ),
        shape=Shape.STAT,
        words=words.yes("up", "down"),
        steps=words.RED_BELOW_ONE,
        links=links.runbook("agent-absent"),
        w=4,
        h=4,
    )


def _builds() -> Panel:
    return Panel(
        title="Versions",
        advice="Which version runs where. Two versions after an update: one was not restarted.",
        queries=(
            Query(promql.highest((PER, "version", "python"), of(own.BUILD_INFO, AGENT)), "running"),
        ),
        shape=Shape.TABLE,
        columns=(Column("running", hidden=True),),
        sorted_by="version",
        w=12,
        h=5,
    )


def _loaded() -> Panel:
    return Panel(
        title="Configuration in force since",
        advice="How long ago the configuration was last loaded with success. Longer than since you"
        " changed it: reload the agent, and see that the file is right.",
        queries=(
            Query(
                promql.age(promql.highest((PER,), of(own.RELOAD_SUCCESS, AGENT))), "{{instance}}"
            ),
        ),
        shape=Shape.STAT,
        unit="s",
        steps=words.PLAIN,
        w=12,
        h=5,
    )


def _work() -> Row:
    return Row("Do the checks run, in time?", (_late(), _runs(), _untold(), _load(), _beats()))


def _late() -> Panel:
    scheduled = of(own.LATENESS, AGENT, suffix="_bucket")
    loop = of(own.LOOP_LAG, AGENT, suffix="_bucket")
    return Panel(
        title="Lateness, 99th percentile",
        advice="How late runs start, and how late the event loop comes round. Above a second,"
        " measured times are too long: find what takes the machine's time, or raise intervals.",
        queries=(
            Query(promql.quantile(0.99, (PER,), scheduled), "{{instance}} start of a run"),
            Query(promql.quantile(0.99, (PER,), loop), "{{instance}} event loop"),
        ),
        unit="s",
        steps=((None, words.GREEN), (0.5, words.ORANGE), (1, words.RED)),
        links=links.runbook("agent-overloaded"),
        limits=True,
    )


def _runs() -> Panel:
    return Panel(
        title="Runs that ended",
        advice="By kind of check. A kind that falls to nothing is switched off, or not scheduled:"
        " compare with the annotations for a reload.",
        queries=(Query(promql.rate(("probe",), of(own.RUNS, AGENT)), "{{probe}}"),),
        unit="ops",
        steps=words.PLAIN,
        stacked=True,
    )


def _untold() -> Panel:
    failures = promql.increase(("probe", "reason"), of(own.RUN_FAILURES, AGENT))
    skipped = promql.increase(("probe", "reason"), of(own.RUNS_SKIPPED, AGENT))
    crashes = promql.increase(("probe",), of(own.RUN_CRASHES, AGENT))
    return Panel(
        title="Runs without a verdict",
        advice="`could not tell` is a peer or a dependency that did not answer, `skipped` a run"
        " that did not take place, `crashed` a bug: report it with the traceback from the log.",
        queries=(
            Query(failures, "{{probe}} could not tell: {{reason}}"),
            Query(skipped, "{{probe}} skipped: {{reason}}"),
            Query(crashes, "{{probe}} crashed"),
        ),
        steps=words.WARN_FROM_ONE,
        links=links.runbook("run-crashed-alert"),
        bars=True,
        stacked=True,
    )


def _load() -> Panel:
    return Panel(
        title="Runs under way, and waiting",
        advice="Runs that wait have no free place: raise `limits.concurrency`, or raise intervals.",
        queries=(
            Query(promql.highest((PER,), of(own.RUNNING, AGENT)), "{{instance}} under way"),
            Query(promql.highest((PER,), of(own.WAITING, AGENT)), "{{instance}} waiting"),
        ),
        steps=words.PLAIN,
        w=12,
    )


def _beats() -> Panel:
    return Panel(
        title="Since a task of the agent came round",
        advice="Seconds are normal. A line that rises is a task that is stuck: the check `self`"
        " finds it too. Restart the agent, and report it with its log.",
        queries=(
            Query(
                promql.age(promql.highest((PER, "task"), of(own.HEARTBEAT, AGENT))),
                "{{instance}} {{task}}",
            ),
        ),
        unit="s",
        steps=((None, words.GREEN), (60, words.RED)),
        limits=True,
        w=12,
    )
