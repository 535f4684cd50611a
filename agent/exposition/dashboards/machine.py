"""What does the agent say of what it keeps, of its process and of its scrapes?"""

from agent.exposition import own_signals as own
from agent.exposition import state_metrics as kept
from agent.exposition.dashboards import links, promql, words
from agent.exposition.dashboards.model import Panel, Row
from agent.exposition.dashboards.own_panels import counts, lines, now
from agent.exposition.dashboards.promql import AGENT, PER, of
from agent.exposition.dashboards.words import GREEN, RED

_OURS = f"and on (job, instance) {of(own.BUILD_INFO, AGENT)}"


def state() -> Row:
    """Return the row about what must survive a restart."""
    return Row(
        "Is what it knows kept?",
        (
            lines(
                "Changes that wait to be written",
                "A line that rises: the disk is slow, full or read-only. At the end changes are"
                " given up.",
                (now(kept.PENDING), "{{instance}}"),
                to=links.runbook("store-degraded"),
            ),
            counts(
                "Trouble with the state",
                "Write errors mean a full or broken disk; what was given up or moved aside is"
                " forgotten. The log says why.",
                (kept.WRITE_ERRORS, "{{instance}} write errors"),
                (kept.DROPPED, "{{instance}} given up"),
                (kept.MOVED_ASIDE, "{{instance}} moved aside"),
                steps=words.WARN_FROM_ONE,
            ),
            counts(
                "Tokens that count for nothing",
                "`forged`: somebody copies test mail with a wrong code. `foreign`: messages of"
                " another agent, or of a state that was lost.",
                (kept.IGNORED, "{{instance}} {{reason}}"),
                steps=words.WARN_FROM_ONE,
            ),
        ),
        folded=True,
    )


def process() -> Row:
    """Return the row about the process and its scrapes."""
    return Row("How does the process do?", (*_machine(), *_scrapes()), folded=True)


def _machine() -> tuple[Panel, ...]:
    cpu = promql.rate((PER,), of("process_cpu_seconds_total", AGENT))
    files = f"{of('process_open_fds', AGENT)} / {of('process_max_fds', AGENT)}"
    return (
        lines(
            "Processor",
            "Near one whole core the event loop comes round late: raise intervals, or split"
            " the tenants over two agents.",
            (f"{cpu} and on (instance) {of(own.BUILD_INFO, AGENT)}", "{{instance}}"),
            unit="percentunit",
            steps=((None, GREEN), (0.8, RED)),
            to=links.runbook("agent-overloaded"),
        ),
        lines(
            "Memory",
            "It grows with the number of subjects, and then stays. A line that rises for days"
            " is a leak: report it.",
            (f"{of('process_resident_memory_bytes', AGENT)} {_OURS}", "{{instance}}"),
            unit="bytes",
        ),
        lines(
            "Open files of those allowed",
            "Red from 80 %: raise the limit of the service (`LimitNOFILE`).",
            (f"{files} {_OURS}", "{{instance}}"),
            unit="percentunit",
            steps=((None, GREEN), (0.8, RED)),
        ),
    )


def _scrapes() -> tuple[Panel, ...]:
    return (
        lines(
            "Time of a scrape",
            "Near Prometheus' `scrape_timeout`, scrapes are lost and the agent looks absent.",
            (f"{of('scrape_duration_seconds', AGENT)} {_OURS}", "{{instance}}"),
            unit="s",
            steps=((None, GREEN), (5, RED)),
        ),
        lines(
            "Series of a scrape",
            "It follows the number of checks, and rises with trouble. A jump without a reload"
            " is to be reported.",
            (f"{of('scrape_samples_scraped', AGENT)} {_OURS}", "{{instance}}"),
        ),
        counts(
            "Messages logged, and series lost",
            "`error` and series lost are bugs or a broken machine: read the log at that time.",
            (own.LOG_MESSAGES, "{{level}}"),
            (own.COLLECTOR_ERRORS, "series lost"),
        ),
    )
