"""Which alerts are there, and what may one rely on?"""

from collections.abc import Iterable, Iterator

from agent.domain.objective import PAGING, TICKETING, Window
from agent.domain.streak import GRACE, IN_A_ROW
from agent.exposition.alerting.alert import COMPONENTS, Alert
from agent.exposition.alerting.found import AGREED, HELD, HOLD, LOCATED
from agent.exposition.alerting.paging import TICKETS

PATH = "docs/alerts.md"
_WORDS = {"critical": "pages", "warning": "ticket", "info": "neither"}
_ABOUT = {
    "agent": "the agent itself; over everything",
    "dns": "the resolver that the agent asks; over all that needs names",
    "uplink": "the agent's way out; over all that it connects to",
    "identity": "tokens and credentials; over the mailboxes that are opened by them",
    "mailbox": "a place of pick-up (label `place`); over the routes that end there",
    "server": "a server that takes mail (label `server`); over the routes and connectors to it",
    "domain": "a domain: `mx`, `spf`, `exchange`, `refusal` and the like",
    "connector": "a connector of Exchange Online, outbound or inbound",
    "route": "a way that mail takes",
    "tenant": "a tenant's configuration as a whole",
    "check": "a check that says nothing, whatever it looks at",
}
_INTRODUCTION = f"""\
<!-- Rendered from the declarations: run make generate. -->

# Alerts

The rules are in [grafana/alerts](../grafana/alerts): `mailflow.yaml` for Prometheus,
`mailflow-prometheusrule.yaml` for its operator, `mixin.libsonnet` for jsonnet. One file serves
every installation: intervals, deadlines and objectives are exported by the agent, and so are
the addresses that the links in alerts lead to (`agent.external_url`, `agent.grafana_url`). The
scrape job is called `mailflow`.

## What they hold to

- `severity="critical"` pages, `warning` opens a ticket, `info` does neither.
- Symptoms page. A cause pages only where no symptom alert speaks for it, or where it has a name
  that saves the search: a resolver, an uplink, a mailbox, an identity provider, a smart host.
- Two bad runs in a row, never a clock: `mailflow_finding` is the number of runs in a row that
  found something, and an alert needs two. Routes are judged by the share of messages that fail.
- A restart mends nothing: what an agent found last stands for up to {HOLD} while no agent has a
  verdict on that check (`{HELD}`), and its first run counts on from the runs before.
  Where those are further back than {IN_A_ROW:g} intervals and {GRACE.seconds // 60} minutes, it
  counts from one.
- "Cannot tell" is not "broken". It has its own alert, `MailflowCannotTell`, and pages nobody.
- Where several agents run the same check, what one of them sees to be well is not reported by
  another (`{AGREED}`). Agents that stand in different places get different target labels in the
  scrape configuration, besides `instance` and `pod`, and are then judged apart.
- An expression without an answer is not "fine": that an agent, a tenant or a check is no longer
  watched is an alert.

Every alert has a `summary` that begins with whom it is about, a `description` with who, since when,
what was measured and what to do, `runbook_url`, `page_url` to the subject on the agent's own page,
and `dashboard_url` where `agent.grafana_url` is set. The links lead to the agent, so they work in a
closed network; without an answer from the agent for a day, or where `agent.external_url` is missing
though it listens at every address, `runbook_url` is the path of the page in this project.
"""


def render(standing: Iterable[Alert], of_rules: Iterable[Alert]) -> str:
    """Return the page about all alerts."""
    standing, of_rules = tuple(standing), tuple(of_rules)
    return (
        "\n".join(
            (
                _INTRODUCTION,
                *_components(),
                *_standing(standing),
                *_rules(of_rules),
                *_objectives(),
                *_records(),
            )
        )
        + "\n"
    )


def _components() -> Iterator[str]:
    yield "## Components\n"
    yield (
        "The label `component` says what an alert is about. One that stands higher in this list"
        " hides what follows from it; `deploy/alertmanager.yml` inhibits along it.\n"
    )
    yield "| component | about |\n| --- | --- |"
    yield from (f"| `{component}` | {_ABOUT[component]} |" for component in COMPONENTS)
    yield ""


def _standing(alerts: Iterable[Alert]) -> Iterator[str]:
    yield "## Alerts that always exist\n"
    yield "| alert | severity | component | fires | runbook |\n| --- | --- | --- | --- | --- |"
    for alert in alerts:
        held = f", for {alert.hold}" if alert.hold else ""
        extra = "".join(f", `{key}={value}`" for key, value in alert.labels)
        yield (
            f"| `{alert.name}` | {alert.severity}{extra} | {alert.component} |"
            f" {alert.summary.removesuffix('.')}{held} |"
            f" [{alert.runbook}](runbooks/{alert.runbook}.md) |"
        )
    yield ""


def _rules(alerts: tuple[Alert, ...]) -> Iterator[str]:
    yield "## Alerts of rules\n"
    yield (
        "Each rule of a probe has an alert: `mx-missing` has `MailflowMxMissing`. It fires when two"
        " runs in a row have found the rule broken, and bears the labels `tenant`, `subject`,"
        " `probe` and `rule`; those of routes also `server` and `place`, those of connectors and of"
        " the probes `mx` and `exchange` also `server`. What each rule means is on the pages of"
        " the [checks](checks).\n"
    )
    yield "| component | pages | tickets |\n| --- | ---: | ---: |"
    for component in COMPONENTS:
        severities = [alert.severity for alert in alerts if alert.component == component]
        if severities:
            pages = severities.count("critical")
            yield f"| `{component}` | {pages} | {len(severities) - pages} |"
    yield "\nThese page by themselves:\n"
    for component in COMPONENTS:
        codes = [a.runbook for a in alerts if (a.component, a.severity) == (component, "critical")]
        if codes:
            named = ", ".join(f"[{code}](runbooks/{code}.md)" for code in sorted(codes))
            yield f"- {component}: {named}"
    yield "\nThese are critical, and do not page by themselves:\n"
    for reason, those in TICKETS.items():
        named = ", ".join(f"[{code}](runbooks/{code}.md)" for code in those)
        yield f"- {reason} {named}."
    yield ""


def _objectives() -> Iterator[str]:
    yield "## Objectives of routes\n"
    yield (
        "A route has an objective: the share of messages that must not fail"
        " (`checks: {route: {objective: 0.99}}`). How many times too fast its allowance is used up"
        " is its burn rate; both windows of a row must show it, at least so many messages must have"
        " failed or been late, and the route must have been on record for so long."
        " `mailflow-agent config check` says where interval and objective do not"
        " fit.\n"
    )
    yield "| windows | burn rate over | failures | on record | then |"
    yield "| --- | ---: | ---: | ---: | --- |"
    for pairs, what in ((PAGING, "pages"), (TICKETING, "opens a ticket")):
        yield from (_window(pair, what) for pair in pairs)
    yield ""


def _window(pair: Window, what: str) -> str:
    return (
        f"| {pair.long} and {pair.short} | {pair.factor} | {pair.fewest} | {pair.least} | {what} |"
    )


def _records() -> Iterator[str]:
    yield "## Recorded series\n"
    yield "| series | what it is |\n| --- | --- |"
    yield f"| `{AGREED}` | findings, less what another agent with the same check sees to be well |"
    yield (
        f"| `{HELD}` | the same, and for {HOLD} what was found last where no agent has a verdict |"
    )
    yield f"| `{LOCATED}` | the same, with `server` and `place` of routes and connectors |"
    yield "| `tenant:mailflow_check_interval_seconds:count` | checks of a tenant |"
    yield (
        "| `subject:mailflow_route_messages_failed_per_messages:ratio_rate…` | share of messages of"
        " a route that failed, by window |"
    )
    yield "| `subject:mailflow_route_slo_burn_rate:ratio_rate…` | its burn rate, by window |"
    yield "| `subject:mailflow_route_messages_failed:increase…` | messages that failed, by window |"
    yield (
        "| `subject:mailflow_route_delivery_duration_seconds:p95_1h` | 95th percentile of the"
        " delivery times |"
    )
    yield "| `subject:mailflow_route_info:max` | 1, with `server` and `place` of a route |"
