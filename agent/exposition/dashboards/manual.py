"""What does the manual say of the dashboards?"""

from collections.abc import Iterable, Iterator
from typing import Final

from agent.exposition.dashboards.model import Board, Variable

PATH: Final = "docs/dashboards.md"
_HEAD = "<!-- Rendered from the declarations: change those, then run make generate. -->\n"
_ABOUT = """\
# Dashboards

Six dashboards for Grafana 11 and later lie in `grafana/dashboards/`. They read Prometheus, which
scrapes the agent and has loaded the rules of `grafana/alerts/`.

Green is what is known to be well. Red is proven to be broken, orange deserves a look. Purple could
not be told: the mail may be fine, but nobody is watching it. Grey, or the words "no data", means
that the agent is not scraped or that the thing is not configured; it never means that all is well.
Counts are 0 only while an agent is being scraped.

A click leads on: from a number of the overview to the dashboard of the subject, from there to the
agent's own page about it, from a rule to its runbook. Every panel says behind the `i` at its title
what to do when it is red. Red marks on a panel are alerts that fired, blue ones reloads of the
configuration, purple ones restarts of the agent.

## How to get them into Grafana

By provisioning, which is what `deploy/compose.yaml` does: mount `grafana/provisioning` as
`/etc/grafana/provisioning` and `grafana/dashboards` as `/etc/mailflow/dashboards`, and set
`PROMETHEUS_URL` in Grafana's environment. The files win over changes made in the browser; to change
a dashboard, save it under another name, or change the declarations and run `make generate`.

By hand: Dashboards > New > Import, once for each file. There is nothing to fill in: the data source
is chosen at the head of the dashboard, and the first Prometheus is the default.

They link to each other by fixed addresses such as `/d/mailflow-route`, and alerts link to them: set
`agent.grafana_url` to where people reach Grafana. The other way, they find the agent's page through
the metric `mailflow_links_info`, which says `agent.external_url`.

## See them without Grafana

`make dashboards-preview` draws all six with Grafana's own front-end libraries, of an agent in its
lab and a real Prometheus, with two things broken, and leaves pictures in `build/dashboards/`. It
needs npm, Chromium and Prometheus, some minutes, and 700 MB. `PREVIEW="--theme light --width 1600
mailflow-route"` draws one of them otherwise. It proves that every query is taken, every panel is
drawn, and what it looks like. It does not prove provisioning, import, annotations and clicks, which
are the server's; and the state timeline is drawn by a stand-in, since Grafana does not publish it.
"""
_MEANINGS = {
    "job": "the job label of the agents in Prometheus; all by default",
    "instance": "one agent, or all",
    "tenant": "one organisation, several, or all",
    "subject": "what the dashboard is about; one or several, by name",
    "page": "not shown; where the agent's page is",
}


def render(boards: Iterable[Board]) -> str:
    """Return the page."""
    lines = [_HEAD, *_ABOUT.splitlines()]
    for board in boards:
        lines += ["", *_of_board(board)]
    return "\n".join(lines) + "\n"


def _of_board(board: Board) -> Iterator[str]:
    yield f"## {board.title}"
    yield ""
    yield f"`/d/{board.uid}`, in `grafana/dashboards/{board.uid}.json`."
    yield ""
    yield from (f"- {answer}" for answer in board.answers)
    yield ""
    yield "| choice | |"
    yield "| --- | --- |"
    yield "| `datasource` | the Prometheus that scrapes the agents |"
    yield from map(_choice, board.variables)
    for row in board.rows:
        yield ""
        yield f"### {row.title}{' (folded)' if row.folded else ''}"
        yield ""
        yield "| panel | |"
        yield "| --- | --- |"
        yield from (f"| {_cell(panel.title)} | {_cell(panel.advice)} |" for panel in row.panels)


def _choice(variable: Variable) -> str:
    return f"| `{variable.name}` | {_MEANINGS[variable.name]} |"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")
