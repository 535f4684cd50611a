import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.exposition import alerts, generated, reference, route_alerts, runbooks
from agent.exposition.metrics import CHECK_SIGNALS
from agent.exposition.own_signals import OWN_SIGNALS
from agent.exposition.standing_alerts import AGENT, Alert
from agent.exposition.state_metrics import STATE_SIGNALS
from agent.probes.base import Probe, discover
from servers.standings import PROBES

ROOT = Path(__file__).parents[2]
EVERY = (*alerts.standing(), *map(alerts.of_rule, alerts.alerting(PROBES)))
CHECK = 'job="mailflow",tenant="contoso",subject="contoso.com",probe="spf"'
AGENT_AT = 'job="mailflow",instance="a:16245"'
SELF = 'tenant="agent",subject="local",probe="self",severity="critical"'
ROUTE = 'job="mailflow",tenant="contoso",subject="r",probe="route"'


@pytest.mark.parametrize("alert", EVERY, ids=lambda alert: f"{alert.name}-{alert.severity}")
def test_an_alert_has_all_that_the_person_who_gets_it_needs(alert: Alert) -> None:
    assert re.fullmatch(r"Mailflow([A-Z][a-z0-9]*)+", alert.name)
    assert alert.severity in {"critical", "warning", "info"}
    assert alert.summary.endswith(".")
    assert alert.description
    assert "{{" not in alert.summary
    assert f"docs/runbooks/{alert.runbook}.md" in runbooks.rendered(PROBES)


def test_a_rule_that_could_not_tell_has_no_alert_of_its_own() -> None:
    codes = [rule.code for rule in alerts.alerting(PROBES)]
    assert "dns-unanswered" not in codes
    assert "spf-too-many-lookups" in codes


def test_alerts_name_metrics_that_exist() -> None:
    known = {signal.name for signal in (*CHECK_SIGNALS, *OWN_SIGNALS, *STATE_SIGNALS)}
    for alert in AGENT:
        named = set(re.findall(r"mailflow_\w+", alert.expr))
        assert {name.removesuffix("_bucket") for name in named} <= known


def test_the_reference_names_every_signal_and_rule() -> None:
    pages = reference.rendered(PROBES)
    for probe in PROBES:
        page = pages[f"docs/checks/{probe.kind}.md"]
        assert all(f"### {rule.code}" in page for rule in probe.rules)
        assert all(signal.name in pages["docs/metrics.md"] for signal in probe.signals)


def test_runbooks_have_a_way_out() -> None:
    for page in runbooks.rendered(PROBES).values():
        assert "## Meaning" in page
        assert "## Mitigation" in page or "## What to do" in page


def test_stale_files_are_named_and_written(tmp_path: Path) -> None:
    assert set(generated.stale(tmp_path)) == set(generated.rendered())
    generated.write(tmp_path)
    assert generated.stale(tmp_path) == ()
    (tmp_path / "docs/runbooks/of-a-rule-that-is-no-more.md").write_text("old")
    (tmp_path / "docs/metrics.md").write_text("old")
    expected = ("docs/metrics.md", "docs/runbooks/of-a-rule-that-is-no-more.md")
    assert generated.stale(tmp_path) == expected
    assert generated.write(tmp_path) == expected
    assert generated.stale(tmp_path) == ()


def test_the_committed_files_are_a_fresh_rendering() -> None:
    assert generated.stale(ROOT) == (), "run make generate"


def promtool(*arguments: str) -> None:
    done = subprocess.run(
        ["/usr/bin/promtool", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.integration
@pytest.mark.parametrize("find", [lambda: PROBES, discover], ids=["examples", "real"])
def test_promtool_accepts_the_rules(
    tmp_path: Path, find: Callable[[], tuple[Probe[Any, Any], ...]]
) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(alerts.render(find()))
    promtool("check", "rules", "--lint=all", "--lint-fatal", str(path))


CASES = [
    pytest.param(
        "MailflowSpfTooManyLookups",
        {f'mailflow_finding{{{CHECK},rule="spf-too-many-lookups",severity="critical"}}': "1 1 2 3"},
        {"1m": 0, "2m": 1},
        id="a rule, from the second run on",
    ),
    pytest.param(
        "MailflowCannotTell",
        {f'mailflow_finding{{{CHECK},rule="dns-unanswered",severity="unknown"}}': "1 2 3 4"},
        {"0m": 0, "1m": 1},
        id="cannot tell, from the second run on",
    ),
    pytest.param(
        "MailflowCannotTell",
        {f'mailflow_finding{{{CHECK},rule="dependency-down",severity="unknown"}}': "3x9"},
        {"5m": 0},
        id="a dependency that is down has its own alert",
    ),
    pytest.param(
        "MailflowCheckStale",
        {
            f"mailflow_check_last_run_timestamp_seconds{{{CHECK}}}": "0x30",
            f"mailflow_check_interval_seconds{{{CHECK}}}": "300x30",
        },
        {"12m": 0, "16m": 1},
        id="stale after 2.5 intervals and two minutes",
    ),
    pytest.param(
        "MailflowAgentAbsent",
        {'up{job="mailflow",instance="a"}': "0x10"},
        {"4m": 0, "6m": 1},
        id="the agent does not answer",
    ),
    pytest.param(
        "MailflowAgentAbsent", {'up{job="other"}': "1x10"}, {"6m": 1}, id="there is no agent"
    ),
    pytest.param(
        "MailflowAgentAbsent",
        {'up{job="mailflow",instance="a"}': "0x10", 'up{job="mailflow",instance="b"}': "1x10"},
        {"6m": 0},
        id="one of two agents is enough",
    ),
    pytest.param(
        "MailflowConfigReloadFailed",
        {'mailflow_config_last_reload_successful{job="mailflow"}': "1 0x10"},
        {"1m": 0, "7m": 1},
        id="a rejected configuration",
    ),
    pytest.param(
        "MailflowRunCrashed",
        {'mailflow_run_crashes_total{job="mailflow",probe="spf"}': "0 0 1x30"},
        {"1m": 0, "5m": 1, "25m": 0},
        id="a crash, for a quarter of an hour",
    ),
    pytest.param("MailflowWatchdog", {"up": "1x3"}, {"0m": 1}, id="the watchdog always"),
    pytest.param(
        "MailflowSeriesLost",
        {'mailflow_collector_errors_total{job="mailflow"}': "0 0 2x30"},
        {"1m": 0, "5m": 1},
        id="lost series",
    ),
    pytest.param(
        "MailflowAgentOverloaded",
        {
            'mailflow_event_loop_lag_seconds_bucket{job="mailflow",le="0.25"}': "0x40",
            'mailflow_event_loop_lag_seconds_bucket{job="mailflow",le="+Inf"}': "0+10x40",
            'mailflow_event_loop_lag_seconds_bucket{job="mailflow",le="5.0"}': "0+10x40",
        },
        {"5m": 0, "30m": 1},
        id="an overloaded loop",
    ),
    pytest.param(
        "MailflowStoreDegraded",
        {f"mailflow_store_degraded{{{AGENT_AT}}}": "0 1x20"},
        {"5m": 0, "7m": 1},
        id="a state that cannot be written",
    ),
    pytest.param(
        "MailflowStoreDegraded",
        {
            f"mailflow_store_degraded{{{AGENT_AT}}}": "0 1x20",
            f'mailflow_finding{{{AGENT_AT},{SELF},rule="self-store-failing"}}': "_ 1 2+1x19",
        },
        {"7m": 0, "15m": 0},
        id="a state that cannot be written, as the self check says already",
    ),
    pytest.param(
        "MailflowStateForgotten",
        {f"mailflow_store_changes_dropped_total{{{AGENT_AT}}}": "0 0 5x90"},
        {"1m": 0, "5m": 1, "80m": 0},
        id="changes given up, for an hour",
    ),
    pytest.param(
        "MailflowStateForgotten",
        {
            f"mailflow_store_moved_aside_total{{{AGENT_AT}}}": "1x90",
            f"process_start_time_seconds{{{AGENT_AT}}}": "0x90",
        },
        {"1m": 1, "59m": 1, "61m": 0},
        id="a damaged state, for the first hour",
    ),
    pytest.param(
        "MailflowStateForgotten",
        {
            f"mailflow_store_moved_aside_total{{{AGENT_AT}}}": "0x9",
            f"process_start_time_seconds{{{AGENT_AT}}}": "0x9",
        },
        {"5m": 0},
        id="a sound state",
    ),
    pytest.param(
        "MailflowRouteDown",
        {
            f"mailflow_route_last_delivered_timestamp_seconds{{{ROUTE}}}": "0x60",
            f"mailflow_route_last_sent_timestamp_seconds{{{ROUTE}}}": "0+60x60",
            f"mailflow_route_deadline_seconds{{{ROUTE}}}": "600x60",
            f"mailflow_route_interval_seconds{{{ROUTE}}}": "300x60",
        },
        {"20m": 0, "25m": 1},
        id="a route that delivers nothing",
    ),
    pytest.param(
        "MailflowRouteDown",
        {
            f"mailflow_route_last_delivered_timestamp_seconds{{{ROUTE}}}": "0x60",
            f"mailflow_route_last_sent_timestamp_seconds{{{ROUTE}}}": "0x60",
            f"mailflow_route_deadline_seconds{{{ROUTE}}}": "600x60",
            f"mailflow_route_interval_seconds{{{ROUTE}}}": "300x60",
        },
        {"25m": 0, "50m": 0},
        id="a route on which nothing is sent",
    ),
    pytest.param(
        "MailflowRouteErrorBudgetBurn",
        {
            f"mailflow_route_messages_total{{{ROUTE}}}": "0+0.2x300",
            f'mailflow_route_messages_failed_total{{{ROUTE},reason="lost"}}': "0x60 0+0.2x240",
            f"mailflow_route_slo_objective_ratio{{{ROUTE}}}": "0.99x300",
        },
        {"60m": 0, "100m": 1},
        id="a hard outage burns fast",
    ),
    pytest.param(
        "MailflowRouteErrorBudgetBurn",
        {
            f"mailflow_route_messages_total{{{ROUTE}}}": "0+0.2x300",
            f'mailflow_route_messages_failed_total{{{ROUTE},reason="lost"}}': "0x60 1x240",
            f"mailflow_route_slo_objective_ratio{{{ROUTE}}}": "0.99x300",
        },
        {"62m": 0, "90m": 0, "150m": 0},
        id="one lost message pages nobody",
    ),
    pytest.param(
        "MailflowRouteLandsInJunk",
        {f"mailflow_route_junk_total{{{ROUTE}}}": "0x10 1x10 3x60"},
        {"15m": 0, "60m": 1},
        id="junk twice",
    ),
    pytest.param(
        "MailflowCredentialExpires",
        {
            f"mailflow_credential_secret_expiry_timestamp_seconds{{{AGENT_AT}}}": (
                f"{14 * 86400 + 600}x30"
            )
        },
        {"9m": 0, "11m": 1},
        id="a secret that ends in less than two weeks",
    ),
    pytest.param(
        "MailflowMailboxFillsUp",
        {
            f'mailflow_mailbox_used_bytes{{{AGENT_AT},place="imap a b:993"}}': "90x5 91x30",
            f'mailflow_mailbox_limit_bytes{{{AGENT_AT},place="imap a b:993"}}': "100x35",
        },
        {"6m": 0, "25m": 1},
        id="a mailbox that is more than nine tenths full",
    ),
]


@pytest.mark.integration
@pytest.mark.parametrize(("name", "series", "firing"), CASES)
def test_an_alert_fires_when_it_should_and_only_then(
    tmp_path: Path, name: str, series: dict[str, str], firing: dict[str, int]
) -> None:
    # An expectation without labels cannot be written: count the firing alerts instead.
    (tmp_path / "rules.yaml").write_text(alerts.render(PROBES))
    firing_now = f'ALERTS{{alertname="{name}",alertstate="firing"}}'
    test = {
        "interval": "1m",
        "input_series": [{"series": key, "values": values} for key, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f"count({firing_now}) > bool 0 or vector(0)",
                "eval_time": at,
                "exp_samples": [{"labels": "{}", "value": count}],
            }
            for at, count in firing.items()
        ],
    }
    whole = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "test.yaml").write_text(json.dumps(whole))
    promtool("test", "rules", str(tmp_path / "test.yaml"))


def test_every_alert_is_tested() -> None:
    tested = {str(case.values[0]) for case in CASES}
    assert {alert.name for alert in alerts.standing()} <= tested
    assert {alert.name for alert in route_alerts.ALERTS} <= tested
