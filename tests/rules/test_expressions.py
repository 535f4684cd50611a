"""Every expression parses, and asks for nothing that the agent does not export."""

import re
from collections.abc import Iterator
from pathlib import Path

import promql_parser as promql
import pytest
import yaml

from agent.domain.finding import Signal
from agent.exposition import alerts
from agent.exposition.alerting import files, inhibiting
from agent.exposition.alerting.alert import COMPONENTS, SEVERITIES, Alert, Record
from agent.exposition.check_signals import CHECK_SIGNALS
from agent.exposition.dns_metrics import DNS_SIGNALS
from agent.exposition.http_metrics import HTTP_SIGNALS
from agent.exposition.mail_metrics import MAIL_SIGNALS
from agent.exposition.own_signals import OWN_SIGNALS
from agent.exposition.runbooks import rendered
from agent.exposition.state_metrics import STATE_SIGNALS
from agent.probes.base import discover

ROOT = Path(__file__).parents[2]
PROBES = discover()
GROUPS = alerts.groups(PROBES)
RECORDS: tuple[Record, ...] = tuple(each for group in GROUPS for each in group.records)
ALERTS: tuple[Alert, ...] = tuple(each for group in GROUPS for each in group.alerts)
DECLARED: dict[str, Signal] = {
    signal.name: signal
    for signal in (
        *CHECK_SIGNALS,
        *OWN_SIGNALS,
        *DNS_SIGNALS,
        *HTTP_SIGNALS,
        *MAIL_SIGNALS,
        *STATE_SIGNALS,
        *(signal for probe in PROBES for signal in probe.signals),
    )
}
OF_OTHERS = {"up", "process_start_time_seconds", "ALERTS"}
COUNTER_FUNCTIONS = {"rate", "increase", "irate"}
# A counter of things that happened before the process began has no increase.
READ_AS_IT_IS = {"mailflow_store_moved_aside_total"}
CHECK_LABELS = {"tenant", "subject", "probe"}
OF_TARGETS = {"job", "instance", "pod", "site"}


class Reading:
    """What an expression asks for: each selector with the functions that it stands in."""

    def __init__(self, expression: str) -> None:
        self.selectors: list[tuple[str, dict[str, str], tuple[str, ...]]] = []
        self._calls: list[str] = []
        promql.walk(promql.parse(expression), self._enter, self._leave)

    def _enter(self, node: promql.Expr) -> None:
        if isinstance(node, promql.Call):
            self._calls.append(node.func.name)
        if isinstance(node, promql.VectorSelector):  # that of a matrix is visited, too
            matchers = {each.name: each.value for each in node.matchers.matchers}
            self.selectors.append((node.name or "", matchers, tuple(self._calls)))

    def _leave(self, node: promql.Expr) -> None:
        if isinstance(node, promql.Call):
            self._calls.pop()

    @property
    def names(self) -> set[str]:
        """The names of all series that it asks for."""
        return {name for name, _, _ in self.selectors}


def plain(name: str) -> str:
    """Return the name that a series of a histogram is declared under."""
    return re.sub("_(bucket|sum|count)$", "", name) if name not in DECLARED else name


def asked_in_templates(alert: Alert) -> Iterator[str]:
    """Yield the expressions that the annotations of an alert ask, with values put in."""
    for text in files.annotations(alert).values():
        for question in re.findall(r"(?:query|printf) `([^`]+)`", text):
            if "mailflow_" in question:
                yield question.replace("%q", '"x"').replace("%f", "2")


EXPRESSIONS = [
    *((record.name, record.expr) for record in RECORDS),
    *((alert.name, alert.expr) for alert in ALERTS),
    *((alert.name, each) for alert in ALERTS for each in asked_in_templates(alert)),
]


def test_every_expression_parses_and_asks_for_what_is_exported_or_recorded() -> None:
    known = {*DECLARED, *OF_OTHERS, *(record.name for record in RECORDS)}
    used: set[str] = set()
    for where, expr in EXPRESSIONS:
        names = {plain(name) for name in Reading(expr).names}
        assert names <= known, (where, names - known)
        used |= names
    assert {record.name for record in RECORDS} <= used


def test_a_label_that_is_asked_for_is_declared() -> None:
    for where, expr in EXPRESSIONS:
        for name, matchers, _ in Reading(expr).selectors:
            signal = DECLARED.get(plain(name))
            if signal is None:
                continue
            allowed = {*signal.labels, *CHECK_LABELS, *OF_TARGETS}
            assert matchers.keys() <= allowed, (where, name, matchers)


def test_a_counter_is_only_looked_at_by_its_increase() -> None:
    for where, expr in EXPRESSIONS:
        for name, _, calls in Reading(expr).selectors:
            signal = DECLARED.get(plain(name))
            counts = signal is not None and signal.kind in {"counter", "histogram"}
            if counts and name not in READ_AS_IT_IS:
                assert COUNTER_FUNCTIONS & set(calls), (where, name)
            if COUNTER_FUNCTIONS & set(calls):
                assert counts, (where, name)


def test_absence_must_last() -> None:
    for alert in ALERTS:
        if "absent" in alert.expr:
            assert alert.hold, alert.name


def test_rules_on_findings_need_two_runs_and_no_clock() -> None:
    own = {alerts.of_rule(rule).name for rule in alerts.alerting(PROBES)}
    for alert in ALERTS:
        if alert.name in own:
            assert alert.expr.endswith(">= 2"), alert.name
            assert not alert.hold, alert.name


def test_what_hides_all_that_depends_on_it_outlives_that() -> None:
    content = yaml.safe_load((ROOT / inhibiting.PATH).read_text())
    hiding = " ".join(
        each.removeprefix("alertname")
        for rule in content["inhibit_rules"]
        for each in rule["source_matchers"]
        if each.startswith("alertname")
    )
    # One exchange is found by a single check, which sees at once that all is well again.
    names = set(re.findall(r"Mailflow\w+", hiding)) - {"MailflowExchangeUnreachable"}
    assert {alert.name for alert in ALERTS if alert.linger} == names


@pytest.mark.parametrize("alert", ALERTS, ids=lambda each: f"{each.name}-{each.severity}")
def test_an_alert_has_all_that_the_person_who_gets_it_needs(alert: Alert) -> None:
    said = files.annotations(alert)
    assert re.fullmatch(r"Mailflow([A-Z][a-z0-9]*)+", alert.name)
    assert alert.severity in SEVERITIES
    assert alert.component in COMPONENTS
    assert said["summary"].endswith(".")
    assert "{{" not in alert.summary
    assert "$labels.subject" in said["summary"]
    assert said["description"].rstrip("}").rstrip().endswith((".", "end"))
    assert not any("{{" in value for value in files.labels(alert).values())
    assert all(said[link] for link in ("runbook_url", "dashboard_url", "page_url"))


def test_every_runbook_exists() -> None:
    pages = rendered(PROBES)
    for alert in ALERTS:
        assert f"{alerts.RUNBOOKS}/{alert.runbook}.md" in pages, alert.name


def test_alerts_of_one_name_say_the_same_or_differ_in_severity() -> None:
    by_name: dict[str, set[tuple[str, str]]] = {}
    for alert in ALERTS:
        by_name.setdefault(alert.name, set()).add((alert.severity, alert.component))
    several = {name: those for name, those in by_name.items() if len(those) > 1}
    assert set(several) == {"MailflowRouteErrorBudgetBurn", "MailflowCredentialExpires"}
    assert all(len({component for _, component in those}) == 1 for those in several.values())


def test_records_are_named_by_their_labels_and_what_was_done() -> None:
    for record in RECORDS:
        level, metric, operations = record.name.split(":")
        assert all((level, metric, operations))
        is_made = "_per_" in metric or metric.endswith("burn_rate")
        assert is_made or metric in DECLARED or f"{metric}_total" in DECLARED, record.name
