"""Where does a click lead?

Down to the dashboard of the subject, to the agent's own page about it, or to the runbook that the
agent serves. Where its page is, the agent says in a metric, which a hidden variable reads.
"""

from agent.exposition.dashboards.model import Column, Link, Variable
from agent.exposition.dashboards.promql import of
from agent.exposition.own_signals import LINKS

OVERVIEW, DOMAIN, CONNECTOR = "mailflow-overview", "mailflow-domain", "mailflow-connector"
ROUTE, TENANT, AGENT = "mailflow-route", "mailflow-tenant", "mailflow-agent"
BOARDS = {
    "domain": DOMAIN,
    "connector": CONNECTOR,
    "route": ROUTE,
    "tenant": TENANT,
    "agent": AGENT,
}
"""The dashboard of each kind of subject."""

PAGE = Variable("page", f"label_values({of(LINKS)}, page)", "Page", several=False, hidden=True)
_KEPT = "${datasource:queryparam}&${job:queryparam}"
_RANGE = "${__url_time_range}"
STATUS_PAGE = Link("Status page of the agent", "${page:raw}/")


def board(uid: str) -> Link:
    """Return the link to a dashboard as a whole."""
    return Link(f"Open {uid}", f"/d/{uid}?{_KEPT}&{_RANGE}")


def subject(kind: str) -> tuple[Link, ...]:
    """Return the links from a series of a subject: its dashboard and its page."""
    labels = "${__field.labels.%s:percentencode}"
    return _subject(BOARDS[kind], kind, labels % "tenant", labels % "subject")


def page(kind: str) -> tuple[Link, ...]:
    """Return the link from a series of a subject to its page, where its dashboard is open."""
    return subject(kind)[1:]


def row(kind: str = "") -> tuple[Link, ...]:
    """Return the links from a table's row; without *kind*, its columns say board and kind."""
    fields = "${__data.fields.%s:percentencode}"
    uid = BOARDS[kind] if kind else fields % "board"
    return _subject(uid, kind or fields % "kind", fields % "tenant", fields % "subject")


def _subject(uid: str, kind: str, tenant: str, name: str) -> tuple[Link, ...]:
    return (
        Link(
            "Dashboard of the subject",
            f"/d/{uid}?{_KEPT}&var-tenant={tenant}&var-subject={name}&{_RANGE}",
        ),
        Link("Page of the subject", f"${{page:raw}}/subjects/{tenant}/{kind}/{name}"),
    )


def runbook(name: str) -> tuple[Link, ...]:
    """Return the link to a runbook that is known by name."""
    return (Link(f"Runbook: {name}", f"${{page:raw}}/rules/{name}"),)


RULE = Column(
    "rule",
    links=(Link("Runbook of the rule", "${page:raw}/rules/${__data.fields.rule}"),),
    width=192,
)
